#include "gateway/user_approval.h"

#include <sodium.h>

#include <array>
#include <charconv>
#include <vector>

namespace tagout::gateway {

namespace {

constexpr std::string_view state_prefix = "tagout1.";
constexpr std::size_t shown_arguments_bytes_max = 2'000;
constexpr std::size_t state_bytes_max = 96 * 1024;
constexpr int base64_form = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
using Mac = std::array<unsigned char, crypto_auth_hmacsha256_BYTES>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string base64(std::string_view text) {
    std::string out(sodium_base64_encoded_len(text.size(), base64_form), '\0');
    sodium_bin2base64(out.data(), out.size(), bytes_of(text), text.size(), base64_form);
    out.pop_back();
    return out;
}

std::optional<std::string> from_base64(std::string_view text) {
    std::string out(text.size(), '\0');
    std::size_t size = 0;
    if (sodium_base642bin(
            reinterpret_cast<unsigned char*>(out.data()),
            out.size(),
            text.data(),
            text.size(),
            "",
            &size,
            nullptr,
            base64_form
        ) != 0) {
        return std::nullopt;
    }
    out.resize(size);
    return out;
}

Mac mac_of(std::string_view payload, std::string_view key) {
    Mac mac{};
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, bytes_of(key), key.size());
    crypto_auth_hmacsha256_update(&state, bytes_of(payload), payload.size());
    crypto_auth_hmacsha256_final(&state, mac.data());
    return mac;
}

/// Each part behind its length: no part can pass for two.
void add_part(std::string& payload, std::string_view part) {
    payload += std::to_string(part.size()) + ":";
    payload += part;
}

std::optional<std::vector<std::string>> parts_of(std::string_view payload) {
    std::vector<std::string> parts;
    while (!payload.empty()) {
        const std::size_t colon = payload.find(':');
        std::size_t size = 0;
        if (colon == std::string_view::npos ||
            std::from_chars(payload.data(), payload.data() + colon, size).ec != std::errc() ||
            size > payload.size() - colon - 1) {
            return std::nullopt;
        }
        parts.emplace_back(payload.substr(colon + 1, size));
        payload.remove_prefix(colon + 1 + size);
    }
    return parts;
}

std::unexpected<Error> not_valid(std::string_view why) {
    return fail(
        ErrorCode::InvalidArgument,
        "this requestState " + std::string(why) + "; send the call again without it"
    );
}

}  // namespace

std::string UserApprovals::hash_of_call(
    std::string_view server, std::string_view tool, RawJson arguments
) {
    std::string text;
    add_part(text, "tools/call");
    add_part(text, server);
    add_part(text, tool);
    add_part(text, arguments);
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    crypto_hash_sha256(digest.data(), bytes_of(text), text.size());
    return std::string(reinterpret_cast<const char*>(digest.data()), digest.size());
}

std::string UserApprovals::fresh() {
    std::array<char, 16> bytes{};
    randombytes_buf(bytes.data(), bytes.size());
    return base64({bytes.data(), bytes.size()});
}

bool UserApprovals::is_ours(RawJson state) {
    return state.size() > 1 && state.substr(1).starts_with(state_prefix);
}

std::string UserApprovals::seal(const SealedCall& call) const {
    std::string payload;
    for (const std::string_view part :
         {std::string_view(call.principal),
          std::string_view(call.call),
          std::string_view(call.control),
          std::string_view(call.once),
          std::string_view(call.upstream_state),
          std::string_view(call.upstream_responses)}) {
        add_part(payload, part);
    }
    add_part(payload, std::to_string(unix_nanos(call.expires_at)));
    const Mac mac = mac_of(payload, key_);
    return std::string(state_prefix) + base64(payload) + "." +
           base64({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

Result<SealedCall> UserApprovals::open(
    RawJson state, std::string_view principal, std::string_view call, Instant now
) const {
    const std::string text = string_of(state).value_or("");
    const std::size_t dot = text.rfind('.');
    if (text.size() > state_bytes_max || !text.starts_with(state_prefix) ||
        dot < state_prefix.size()) {
        return not_valid("was not made here");
    }
    const auto payload =
        from_base64(std::string_view(text).substr(state_prefix.size(), dot - state_prefix.size()));
    const auto sent = from_base64(std::string_view(text).substr(dot + 1));
    if (!payload || !sent) {
        return not_valid("was not made here");
    }
    const Mac mac = mac_of(*payload, key_);
    if (sent->size() != mac.size() || sodium_memcmp(sent->data(), mac.data(), mac.size()) != 0) {
        return not_valid("was not made here");
    }
    auto parts = parts_of(*payload);
    constexpr std::size_t count = 7;
    std::int64_t expires = 0;
    if (!parts || parts->size() != count ||
        std::from_chars((*parts)[6].data(), (*parts)[6].data() + (*parts)[6].size(), expires).ec !=
            std::errc()) {
        return not_valid("was not made here");
    }
    SealedCall read;
    read.principal = std::move((*parts)[0]);
    read.call = std::move((*parts)[1]);
    read.control = std::move((*parts)[2]);
    read.once = std::move((*parts)[3]);
    read.upstream_state = std::move((*parts)[4]);
    read.upstream_responses = std::move((*parts)[5]);
    read.expires_at = Instant(Duration(expires));
    if (read.principal != principal) {
        return not_valid("was given to another caller");
    }
    if (read.call != call) {
        return not_valid("was given for another call");
    }
    if (now >= read.expires_at) {
        return not_valid("is too old");
    }
    return read;
}

bool UserApprovals::use(const SealedCall& call, Instant now) {
    const MutexLock lock(mutex_);
    while (!used_order_.empty() && used_order_.front().first <= now) {
        used_.erase(used_order_.front().second);
        used_order_.pop_front();
    }
    if (used_.size() >= used_max || !used_.insert(call.once).second) {
        return false;
    }
    used_order_.emplace_back(now + user_patience, call.once);  // No seal lives longer.
    return true;
}

bool UserApprovals::wait(
    const std::string& id, const std::string& session, std::function<void(UserAnswer)> answered
) {
    const MutexLock lock(mutex_);
    if (waiting_.size() >= waiting_max) {
        return false;
    }
    waiting_[id] = {session, std::move(answered)};
    return true;
}

void UserApprovals::forget(const std::string& id) {
    const MutexLock lock(mutex_);
    waiting_.erase(id);
}

bool UserApprovals::answer(const std::string& id, const std::string& session, UserAnswer said) {
    std::function<void(UserAnswer)> answered;
    {
        const MutexLock lock(mutex_);
        const auto found = waiting_.find(id);
        if (found == waiting_.end() || found->second.session != session) {
            return false;
        }
        answered = std::move(found->second.answered);
        waiting_.erase(found);
    }
    answered(said);
    return true;
}

std::string elicitation_params(
    std::string_view agent, std::string_view server, std::string_view tool, RawJson arguments,
    std::string_view why, bool modern
) {
    std::string shown(arguments.empty() ? "{}" : arguments);
    if (shown.size() > shown_arguments_bytes_max) {
        std::size_t end = shown_arguments_bytes_max;
        while (end > 0 && (static_cast<unsigned char>(shown[end]) & 0xC0U) == 0x80U) {
            --end;
        }
        shown.resize(end);
        shown += " ... (cut; it is longer)";
    }
    const std::string message =
        (agent.empty() ? std::string("An agent") : "Agent " + std::string(agent)) +
        " asks to run the tool " + std::string(tool) + " of " + std::string(server) + " with " +
        shown + "\nIt runs only if you say yes" + (why.empty() ? "." : ": " + std::string(why));
    return std::string("{") + (modern ? R"("mode":"form",)" : "") + R"("message":)" +
           quoted(message) +
           R"(,"requestedSchema":{"type":"object","properties":{"approve":{"type":"boolean",)"
           R"("title":"Let this call run","default":false}},"required":["approve"]}})";
}

UserAnswer read_elicit_result(RawJson result) {
    const std::string action = string_of(member(result, "action")).value_or("");
    if (action == "decline") {
        return UserAnswer::No;
    }
    if (action != "accept") {
        return UserAnswer::None;
    }
    const RawJson approve = member(member(result, "content"), "approve");
    return approve == "true"    ? UserAnswer::Yes
           : approve == "false" ? UserAnswer::No
                                : UserAnswer::None;
}

}  // namespace tagout::gateway
