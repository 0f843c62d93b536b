#include "gateway/identity.h"

#include "contain/agent_tokens.h"
#include "contain/refusals.h"
#include "gateway/caller.h"
#include "gateway/exchange.h"
#include "net/url.h"

#include <algorithm>
#include <array>

namespace tagout::gateway {

namespace {

/// Takes every token of ours out of `headers`; the first of them.
std::string take_token(net::Headers& headers) {
    std::string token;
    std::erase_if(headers, [&](const auto& header) {
        const bool ours = std::ranges::any_of(contain::agent_token_headers, [&](std::string_view name) {
            return net::equal_ignoring_case(header.first, name) &&
                   (name == contain::agent_token_headers.front() ||
                    contain::holds_agent_token(header.second));
        });
        if (ours && token.empty()) {
            token = contain::without_scheme(header.second);
        }
        return ours;
    });
    return token;
}

NotKnown not_known(std::string_view why, std::string message) {
    return {401, why, std::move(message), "", ""};
}

/// What proves a name, or why it proves none: a pattern of names, and the credential's own name.
struct Proof {
    std::string pattern;
    std::string credential;
    std::optional<NotKnown> fault;
};

Proof proof_of_token(const Core& core, const std::string& token) {
    if (token.empty()) {
        return {
            "",
            "",
            not_known(
                "no_credential",
                "this gateway knows agents by token: send the header tagout-token, or give the token "
                "as the client's API key; tagout identity token NAME --reason R makes one"
            )};
    }
    const auto credentials = core.parts.credentials ? core.parts.credentials() : nullptr;
    const auto* const known = credentials ? credentials->find(token) : nullptr;
    if (known == nullptr) {
        return {
            "",
            "",
            not_known(
                "unknown_token",
                "no agent has this token; tagout identity token NAME --reason R makes one"
            )};
    }
    if (known->revoked) {
        return {
            "",
            known->id,
            not_known(
                "revoked_token",
                "token " + known->id +
                    " was revoked; tagout identity token NAME --reason R makes another"
            )};
    }
    return {known->pattern, known->id, std::nullopt};
}

Proof proof_of_certificate(
    const catalog::Identity& identity, const std::optional<net::TlsFiles>& tls,
    const net::PeerCertificate* certificate
) {
    if (std::string why = unprovable(identity, tls); !why.empty()) {
        return {"", "", not_known("no_credential", std::move(why))};
    }
    if (certificate == nullptr) {
        return {
            "",
            "",
            not_known(
                "no_credential",
                "this gateway knows agents by certificate: connect with TLS and a client "
                "certificate"
            )};
    }
    if (!certificate->fault.empty()) {
        return {
            "",
            certificate->subject,
            not_known(
                "untrusted_certificate",
                "the client certificate is not trusted here: " + certificate->fault
            )};
    }
    const bool by_uri = identity.certificate_name == catalog::CertificateName::Uri;
    const std::string& prefix = identity.certificate_prefix;
    const auto fits = [&](const std::string& name) {
        return name.size() > prefix.size() && name.starts_with(prefix);
    };
    std::vector<std::string> names =
        by_uri ? certificate->uris : std::vector{certificate->common_name};
    std::erase_if(names, [&](const std::string& name) { return !fits(name); });
    if (names.size() != 1) {
        return {
            "",
            certificate->subject,
            not_known(
                "nameless_certificate",
                std::string("the client certificate has ") +
                    (names.empty() ? "no " : "more than one ") +
                    (by_uri ? "alternative name of kind URI" : "common name") +
                    (prefix.empty() ? "" : " that begins with " + prefix)
            )};
    }
    return {names.front().substr(prefix.size()), certificate->subject, std::nullopt};
}

net::ServerResponse response_of(const NotKnown& refused) {
    net::ServerResponse response = error_response(refused.status, "unauthorized", refused.message);
    if (refused.status == 401) {
        response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"tagout\"");
    }
    return response;
}

}  // namespace

void note_unknown(
    Core& core, std::string_view road, const NotKnown& refused, std::string_view peer
) {
    if (core.parts.refusals != nullptr) {
        core.parts.refusals->note(
            {std::string(road),
             std::string(refused.why),
             refused.claimed,
             refused.credential,
             std::string(peer.substr(0, peer.rfind(':')))}
        );
    }
}

std::optional<NotKnown> prove_caller(
    const Core& core, net::Headers& headers, const net::PeerCertificate* certificate
) {
    const std::string token = take_token(headers);
    std::erase_if(headers, [](const auto& header) {
        return net::equal_ignoring_case(header.first, proven_agent_header);
    });
    const auto catalog = core.parts.catalog();
    const catalog::Identity& identity = catalog->contents().identity;
    if (identity.mode == catalog::IdentityMode::Header) {
        return std::nullopt;
    }
    // What this process itself sends through its own roads.
    if (is_same_secret(net::find_header(headers, "tagout-probe"), core.probe_secret) ||
        is_same_secret(net::find_header(headers, "tagout-journey"), core.options.journey_secret)) {
        return std::nullopt;
    }
    std::string claimed(net::find_header(headers, "tagout-agent"));
    Proof proof = identity.mode == catalog::IdentityMode::Token
                      ? proof_of_token(core, token)
                      : proof_of_certificate(identity, core.options.tls, certificate);
    if (proof.fault) {
        proof.fault->claimed = std::move(claimed);
        proof.fault->credential = std::move(proof.credential);
        return std::move(proof.fault);
    }
    const bool exact = proof.pattern.find_first_of("*?") == std::string::npos ||
                       identity.mode == catalog::IdentityMode::Mtls;
    const std::string proven = exact || claimed.empty() ? proof.pattern : claimed;
    if (!exact && claimed.empty()) {
        return NotKnown{
            403,
            "no_name",
            "token " + proof.credential + " is for agents named " + proof.pattern +
                "; say which one in the header tagout-agent",
            "",
            proof.credential};
    }
    const bool fits = exact ? claimed.empty() || claimed == proven
                            : catalog::glob_matches(proof.pattern, claimed);
    if (!fits) {
        return NotKnown{
            403,
            "other_agent",
            "this credential is of agent " + proof.pattern + ", and the header tagout-agent says " +
                claimed.substr(0, 60) + "; send its own name or none",
            claimed,
            proof.credential};
    }
    std::erase_if(headers, [](const auto& header) {
        return net::equal_ignoring_case(header.first, "tagout-agent");
    });
    headers.emplace_back("tagout-agent", proven);
    headers.emplace_back(proven_agent_header, proven);
    return std::nullopt;
}

std::optional<net::ServerResponse> refuse_unknown(
    Core& core, std::string_view road, net::ServerRequest& request
) {
    const auto refused = prove_caller(core, request.headers, request.certificate.get());
    if (!refused) {
        return std::nullopt;
    }
    note_unknown(core, road, *refused, request.peer);
    return response_of(*refused);
}

std::optional<net::ServerResponse> refuse_other_agent(
    Core& core, std::string_view road, const net::ServerRequest& request, std::string_view agent
) {
    const std::string_view proven = request.header(proven_agent_header);
    if (proven.empty() || agent.empty() || agent == proven) {
        return std::nullopt;
    }
    const NotKnown refused{
        403,
        "other_agent",
        "this credential is of agent " + std::string(proven) + ", and the body asks for " +
            std::string(agent.substr(0, 60)) + "; ask for its own calls",
        std::string(agent),
        std::string(proven)};
    note_unknown(core, road, refused, request.peer);
    return response_of(refused);
}

}  // namespace tagout::gateway
