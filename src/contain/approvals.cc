#include "contain/approvals.h"

#include "base/log.h"
#include "base/mutex.h"
#include "contain/book.h"
#include "contain/metrics.h"
#include "domain/named_enum.h"
#include "journal/chain.h"

#include <boost/json.hpp>
#include <openssl/sha.h>

#include <charconv>
#include <deque>
#include <map>

namespace tagout::contain {

namespace {

constexpr std::array answer_names{
    EnumName{ApprovalAnswer::Approved, "approved"},
    EnumName{ApprovalAnswer::Denied, "denied"},
    EnumName{ApprovalAnswer::Expired, "expired"},
    EnumName{ApprovalAnswer::Withdrawn, "withdrawn"},
};

constexpr std::size_t ended_max = 256;  ///< Of which it is remembered how they ended.

std::string hash_of_arguments(std::string_view arguments) {
    journal::Digest digest;
    SHA256(
        reinterpret_cast<const unsigned char*>(arguments.data()), arguments.size(), digest.data()
    );
    return journal::to_hex(digest);
}

/// At most `bytes_max` bytes, and no half character at the end.
std::string clipped(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) {
        return std::string(text);
    }
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
        --end;
    }
    return std::string(text.substr(0, end));
}

std::string body_of(const PendingApproval& approval) {
    return boost::json::serialize(boost::json::object{
        {"control", approval.control.text()},
        {"tool", approval.tool},
        {"server", approval.server},
        {"agent", approval.agent},
        {"workflow", approval.workflow},
        {"session", approval.session},
        {"arguments", approval.arguments},
        {"arguments_hash", approval.arguments_hash},
        {"asked_at", to_rfc3339(approval.asked_at)}});
}

class LiveApprovals final : public Approvals {
public:
    LiveApprovals(
        journal::Journal& journal, const Clock& clock, const Settings& settings,
        MetricRegistry& metrics
    )
        : journal_(journal), clock_(clock), metrics_(metrics), settings_(settings) {}

    Result<void> rebuild() override {
        const MutexLock lock(mutex_);
        return journal_.read(1, [this](const journal::JournalEntry& entry) {
            mutex_.assert_held();
            constexpr std::string_view prefix = "APR-";
            const std::string& subject = entry.draft.subject;
            if (entry.draft.kind.starts_with("approval.") && subject.starts_with(prefix)) {
                std::uint64_t number = 0;
                std::from_chars(
                    subject.data() + prefix.size(), subject.data() + subject.size(), number
                );
                last_ = std::max(last_, number);
            }
            return true;
        });
    }

    void use(const Settings& settings) override {
        const MutexLock lock(mutex_);
        settings_ = settings;
    }

    Result<std::string> ask(
        const ToolCall& call, std::string_view arguments, const ControlId& control,
        std::function<void(ApprovalAnswer, const By&)> answer
    ) override {
        Waiting waiting{
            {.id = {},
             .control = control,
             .tool = std::string(call.tool),
             .server = std::string(call.server),
             .agent = std::string(call.agent),
             .workflow = std::string(call.workflow),
             .session = std::string(call.session),
             .arguments = clipped(arguments, shown_bytes_max),
             .arguments_hash = hash_of_arguments(arguments),
             .asked_at = clock_.now(),
             .expires_at = {}},
            std::move(answer)};
        const MutexLock lock(mutex_);
        if (waiting_.size() >= pending_max) {
            log::warn("approval_refused", {{"waiting", waiting_.size()}});
            return fail(
                ErrorCode::LimitExceeded,
                std::to_string(pending_max) + " calls wait for a person already; answer some first"
            );
        }
        waiting.pending.expires_at = waiting.pending.asked_at + settings_.approval_timeout;
        const std::uint64_t number = ++last_;
        waiting.pending.id = "APR-" + std::to_string(number);
        std::string id = waiting.pending.id;
        waiting_.emplace(number, std::move(waiting));
        metrics_.gauge(approvals_pending).set(static_cast<double>(waiting_.size()));
        return id;
    }

    void withdraw(const std::string& id) override {
        const MutexLock lock(mutex_);
        if (const auto found = find(id); found != waiting_.end()) {
            (void)take(found, ApprovalAnswer::Withdrawn, tagout_itself());
        }
    }

    Result<PendingApproval> approve(const std::string& id, const By& by) override {
        return answer(id, ApprovalAnswer::Approved, by);
    }
    Result<PendingApproval> deny(const std::string& id, const By& by) override {
        return answer(id, ApprovalAnswer::Denied, by);
    }

    void tick() override {
        std::vector<Waiting> over;
        {
            const MutexLock lock(mutex_);
            const Instant now = clock_.now();
            for (auto at = waiting_.begin(); at != waiting_.end();) {
                const auto next = std::next(at);
                if (now >= at->second.pending.expires_at) {
                    over.push_back(take(at, ApprovalAnswer::Expired, tagout_itself()));
                }
                at = next;
            }
        }
        const By by{tagout_itself(), "containment.approval_timeout"};
        std::vector<journal::EntryDraft> drafts;
        for (const Waiting& each : over) {
            drafts.push_back(
                {"approval.expired", each.pending.id, by.actor, by.reason,
                 each.pending.expires_at, body_of(each.pending)}
            );
            each.answer(ApprovalAnswer::Expired, by);  // Denied whether or not it can be journaled.
        }
        if (const auto stored = journal_.append(drafts); !stored) {
            log::warn(
                "expired_approvals_not_recorded",
                {{"calls", drafts.size()}, {"error", stored.error().message}}
            );
        }
    }

    [[nodiscard]] std::vector<PendingApproval> pending() const override {
        const MutexLock lock(mutex_);
        std::vector<PendingApproval> all;
        for (const auto& [number, waiting] : waiting_) {
            all.push_back(waiting.pending);
        }
        return all;
    }

private:
    struct Waiting {
        PendingApproval pending;
        std::function<void(ApprovalAnswer, const By&)> answer;
    };
    struct Ended {
        std::string id;
        ApprovalAnswer answer;
        Actor by;
    };
    using Place = std::map<std::uint64_t, Waiting>::iterator;

    Place find(const std::string& id) TAGOUT_REQUIRES(mutex_) {
        Place at = waiting_.begin();
        while (at != waiting_.end() && at->second.pending.id != id) {
            ++at;
        }
        return at;
    }

    Waiting take(Place at, ApprovalAnswer answer, const Actor& by) TAGOUT_REQUIRES(mutex_) {
        Waiting taken = std::move(at->second);
        waiting_.erase(at);
        ended_.push_back({taken.pending.id, answer, by});
        if (ended_.size() > ended_max) {
            ended_.pop_front();
        }
        metrics_.gauge(approvals_pending).set(static_cast<double>(waiting_.size()));
        const std::string_view labels[] = {name_of(answer)};
        metrics_.counter(approvals_total, labels).add();
        return taken;
    }

    Result<PendingApproval> answer(const std::string& id, ApprovalAnswer answer, const By& by) {
        Waiting taken;
        {
            const MutexLock lock(mutex_);
            const Place at = find(id);
            if (at == waiting_.end()) {
                return not_waiting(id);
            }
            const Instant now = clock_.now();
            if (now >= at->second.pending.expires_at) {
                return fail(
                    ErrorCode::NotFound, id + " is not waiting any more: its time is over"
                );
            }
            const journal::EntryDraft draft{
                "approval." + std::string(name_of(answer)), id,  by.actor, by.reason, now,
                body_of(at->second.pending)};
            TAGOUT_TRY(journal_.append(std::span(&draft, 1)));
            taken = take(at, answer, by.actor);
        }
        taken.answer(answer, by);
        return std::move(taken.pending);
    }

    [[nodiscard]] std::unexpected<Error> not_waiting(const std::string& id) const
        TAGOUT_REQUIRES(mutex_) {
        for (const Ended& each : ended_) {
            if (each.id == id) {
                return fail(
                    ErrorCode::NotFound,
                    id + " is not waiting any more: " + std::string(name_of(each.answer)) + " by " +
                        each.by.text()
                );
            }
        }
        return fail(
            ErrorCode::NotFound,
            "no call " + id.substr(0, 40) + " is waiting; tagout approvals list shows those that are"
        );
    }

    journal::Journal& journal_;
    const Clock& clock_;
    MetricRegistry& metrics_;

    mutable Mutex mutex_;
    Settings settings_ TAGOUT_GUARDED_BY(mutex_);
    std::map<std::uint64_t, Waiting> waiting_ TAGOUT_GUARDED_BY(mutex_);
    std::deque<Ended> ended_ TAGOUT_GUARDED_BY(mutex_);
    std::uint64_t last_ TAGOUT_GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::string_view name_of(ApprovalAnswer answer) noexcept {
    return find_name(answer_names, answer);
}

std::unique_ptr<Approvals> Approvals::make(
    journal::Journal& journal, const Clock& clock, const Settings& settings, MetricRegistry& metrics
) {
    return std::make_unique<LiveApprovals>(journal, clock, settings, metrics);
}

}  // namespace tagout::contain
