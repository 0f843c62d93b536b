// What a secret looks like, for everyone who looks for one: detection in the arguments of calls,
// mode `redact` in what passes a gateway, redaction of recordings before they leave the evidence
// log.
//
// The forms are the prefixes and lengths that the makers of keys publish for secret scanners. A
// form matches as much of a secret as makes it certain; end_of_secret() tells where the whole ends,
// because lengths change from year to year and half a key is still a leak.
//
// Thread-safe: constants, and one compiled pattern that is never changed.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace tagout {

struct SecretForm {
    const char* kind;        ///< With its article, as evidence says it: "an AWS access key".
    const char* expression;  ///< Read alike by Vectorscan and RE2.
};

/// Forms that nothing but a secret has.
inline constexpr std::array secret_forms{
    SecretForm{"an AWS access key", "\\b(AKIA|ASIA)[0-9A-Z]{16}"},
    SecretForm{"a GitHub token", "\\bgh[pousr]_[A-Za-z0-9]{36}"},
    SecretForm{"a GitHub token", "\\bgithub_pat_[A-Za-z0-9_]{40}"},
    SecretForm{"a GitLab token", "\\bglpat-[A-Za-z0-9_-]{20}"},
    SecretForm{"a Slack token", "\\bxox[abeoprs]-[0-9A-Za-z-]{10}"},
    SecretForm{"an Anthropic key", "\\bsk-ant-[A-Za-z0-9_-]{20}"},
    SecretForm{"an OpenAI key", "\\bsk-(proj-|svcacct-)?[A-Za-z0-9]{20}"},
    SecretForm{"a Google API key", "\\bAIza[0-9A-Za-z_-]{35}"},
    SecretForm{"a Stripe key", "\\b[rs]k_(live|test)_[0-9A-Za-z]{16}"},
    SecretForm{"an npm token", "\\bnpm_[A-Za-z0-9]{36}"},
    SecretForm{"a Hugging Face token", "\\bhf_[A-Za-z0-9]{30}"},
    SecretForm{
        "a SendGrid key", "\\bSG\\.[A-Za-z0-9_-]{16}[A-Za-z0-9_-]{0,10}\\.[A-Za-z0-9_-]{16}"},
    SecretForm{"a signed token", "\\beyJ[A-Za-z0-9_-]+\\.eyJ[A-Za-z0-9_-]"},
    SecretForm{"a private key", "-----BEGIN [A-Z ]{0,20}PRIVATE KEY"},
    SecretForm{"an age key", "AGE-SECRET-KEY-1[0-9A-Z]{20}"},
    SecretForm{"an Azure account key", "AccountKey=[A-Za-z0-9+/]{40}"},
    SecretForm{"a password in a URL", "://[^/\\s:@\"]{1,60}:[^/\\s:@\"]{3,60}@"},
};

/// Where the secret ends that begins before `to` and is known up to there: a private key behind the
/// line that ends it, everything else with its last letter, digit or sign of base64 and URLs.
[[nodiscard]] std::size_t end_of_secret(std::string_view text, std::size_t to) noexcept;

/// A stretch [from, to) of a text.
struct SecretPlace {
    std::size_t from = 0;
    std::size_t to = 0;
    friend bool operator==(const SecretPlace&, const SecretPlace&) = default;
};

/// Every secret in `text`, from left to right, none overlapping another. Wider than secret_forms,
/// since what is hidden too much hurts nobody: keys of those makers in any length from 16,
/// credentials of an Authorization header (its name goes with them), bearer tokens, what begins
/// like a signed token. Cost: about 5 ns a byte.
[[nodiscard]] std::vector<SecretPlace> find_secrets(std::string_view text);

}  // namespace tagout
