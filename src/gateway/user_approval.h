// The yes of a client's user, where a control or rule lets it count (approver: user): what is
// asked, and how the answer is bound to the one call that it was given for.
//
// Modern era: the call is answered `input_required`; the client asks its user and sends the call
// again with the answer and with our `requestState`. That state comes back through the agent's own
// client, so it is sealed (HMAC-SHA-256, a key of this process) over who asks, a hash of server,
// tool and arguments, the control and an expiry, and it is used once. Legacy era:
// `elicitation/create` on the response's own stream; the answer is a message of its own.
//
// A client can make the answer up: it shows the question to somebody or to nobody. So a user's yes
// counts only where a person said that it does (docs/adr/0011). Inside gateway/ only.
#pragma once

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "gateway/rpc_body.h"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace tagout::gateway {

inline constexpr std::string_view approval_key = "tagout_approval";  ///< Of inputRequests.
inline constexpr std::string_view elicitation_id_prefix = "tagout-ask-";
inline constexpr Duration user_patience = std::chrono::minutes(10);  ///< Of a sealed question.

/// What a sealed question is about.
struct SealedCall {
    std::string principal;  ///< Who asks: agent, tenant, user.
    std::string call;       ///< Hash of server, tool and arguments.
    std::string control;
    std::string once;  ///< Random.
    Instant expires_at;
    /// The upstream's own state and the answers to it, when the call was already sent again for it.
    std::string upstream_state;
    std::string upstream_responses;
};

enum class UserAnswer : std::uint8_t { None, Yes, No };

/// Thread-safe.
class UserApprovals {
public:
    static constexpr std::size_t used_max = 10'000;
    static constexpr std::size_t upstream_bytes_max =
        32 * 1024;  ///< Of state and answers together.
    static constexpr std::size_t waiting_max = 1'000;

    explicit UserApprovals(std::string key) : key_(std::move(key)) {}

    [[nodiscard]] static std::string hash_of_call(
        std::string_view server, std::string_view tool, RawJson arguments
    );
    [[nodiscard]] static std::string fresh();
    /// Whether `state` (JSON) looks like ours at all.
    [[nodiscard]] static bool is_ours(RawJson state);

    /// As a text for requestState.
    [[nodiscard]] std::string seal(const SealedCall& call) const;
    /// InvalidArgument: forged, past its time, of another principal or call.
    [[nodiscard]] Result<SealedCall> open(
        RawJson state, std::string_view principal, std::string_view call, Instant now
    ) const;
    /// False: it was before, or too many were within user_patience.
    [[nodiscard]] bool use(const SealedCall& call, Instant now);

    /// A question on a legacy stream waits for its answer. `answered` is called at most once, on
    /// any thread. False: too many wait.
    [[nodiscard]] bool wait(
        const std::string& id, const std::string& session, std::function<void(UserAnswer)> answered
    );
    void forget(const std::string& id);
    /// False: nobody waits for it in that session.
    bool answer(const std::string& id, const std::string& session, UserAnswer said);

private:
    struct Waiting {
        std::string session;
        std::function<void(UserAnswer)> answered;
    };

    const std::string key_;
    mutable Mutex mutex_;
    std::set<std::string> used_ TAGOUT_GUARDED_BY(mutex_);
    std::deque<std::pair<Instant, std::string>> used_order_ TAGOUT_GUARDED_BY(mutex_);
    std::map<std::string, Waiting> waiting_ TAGOUT_GUARDED_BY(mutex_);
};

/// The question as `params` of elicitation/create. `why` is for the person. `modern` names the
/// mode.
[[nodiscard]] std::string elicitation_params(
    std::string_view agent, std::string_view server, std::string_view tool, RawJson arguments,
    std::string_view why, bool modern
);
/// What an ElicitResult says. None: dismissed, or no answer to this question.
[[nodiscard]] UserAnswer read_elicit_result(RawJson result);

}  // namespace tagout::gateway
