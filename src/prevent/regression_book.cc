#include "prevent/regression_book.h"

#include "base/log.h"
#include "prevent/json_read.h"
#include "prevent/teller.h"

#include <boost/json.hpp>

#include <map>

namespace tagout::prevent {

namespace {

namespace json = boost::json;

constexpr std::string_view prefix = "REG-";
/// Sessions looked at for one case: those whose telemetry is gone are passed over.
constexpr std::size_t sessions_tried_max = 20;

struct Created {
    CasePtr regression;
    incident::By by;
};

/// Thread-safe.
class LiveBook final : public RegressionBook {
public:
    explicit LiveBook(BookParts parts) : parts_(std::move(parts)) {}

    Result<void> rebuild() override {
        const MutexLock lock(mutex_);
        return parts_.journal.read(
            1,
            [this](const journal::JournalEntry& entry) TAGOUT_REQUIRES(mutex_) {
                apply(entry);
                return true;
            }
        );
    }

    void on_change(std::function<void(const RegressionCase&, const incident::By&)> observer) override {
        teller_.on_change([told = std::move(observer)](const Created& created) {
            told(*created.regression, created.by);
        });
    }

    Result<CasePtr> create(
        const IncidentId& id, const std::optional<MustNot>& must_not, const incident::By& by
    ) override {
        const incident::Incident incident = TAGOUT_TRY(parts_.incident(id));
        std::vector<std::shared_ptr<const EventBatch>> batches;
        std::vector<SessionEvents> sessions;
        std::size_t tried = 0;
        for (const CorrelationId& correlation : sessions_of(incident)) {
            if (++tried > sessions_tried_max || sessions.size() > case_sessions_max) {
                break;
            }
            std::shared_ptr<const EventBatch> batch = TAGOUT_TRY(parts_.recorded(correlation));
            if (!batch->events.empty()) {
                sessions.push_back(SessionEvents{correlation, batch->events});
                batches.push_back(std::move(batch));
            }
        }
        CaseRequest request{
            "", parts_.clock.now(), by.actor, by.reason, must_not, {}, parts_.replay};
        if (parts_.released) {
            request.released = parts_.released(incident);
        }
        const std::shared_ptr<const catalog::Catalog> catalog = parts_.catalog();
        RegressionCase made = TAGOUT_TRY(make_case(incident, sessions, *catalog, request));
        return keep(std::move(made), by);
    }

    [[nodiscard]] Result<CasePtr> get(const std::string& id) const override {
        const MutexLock lock(mutex_);
        const auto found = cases_.find(number_in(id, prefix));
        if (found == cases_.end()) {
            return fail(
                ErrorCode::NotFound, "there is no regression case '" + id.substr(0, 40) + "'"
            );
        }
        return found->second;
    }

    [[nodiscard]] std::vector<CasePtr> list(
        const AgentName& agent, const IncidentId& incident
    ) const override {
        const MutexLock lock(mutex_);
        std::vector<CasePtr> all;
        for (auto each = cases_.rbegin(); each != cases_.rend(); ++each) {
            if ((agent.empty() || each->second->agent == agent) &&
                (incident.empty() || each->second->incident == incident)) {
                all.push_back(each->second);
            }
        }
        return all;
    }

private:
    Result<CasePtr> keep(RegressionCase made, const incident::By& by) {
        CasePtr kept;
        {
            const MutexLock lock(mutex_);
            if (cases_.size() >= cases_max) {
                return fail(ErrorCode::LimitExceeded, "there are 2000 regression cases already");
            }
            made.id = std::string(prefix) + std::to_string(next_);
            const journal::EntryDraft draft{
                "regression.created", made.id, by.actor, by.reason, made.created_at, to_json(made)};
            const auto entries = TAGOUT_TRY(parts_.journal.append(std::span(&draft, 1)));
            apply(entries.front());
            kept = cases_.at(number_in(made.id, prefix));
            teller_.add(Created{kept, by});
        }
        teller_.tell();
        return kept;
    }

    void apply(const journal::JournalEntry& entry) TAGOUT_REQUIRES(mutex_) {
        const std::uint64_t number = number_in(entry.draft.subject, prefix);
        if (number == 0 || entry.draft.kind != "regression.created") {
            return;
        }
        Result<RegressionCase> read = parse_case(entry.draft.body);
        if (!read) {
            log::warn(
                "regression_entry_unreadable",
                {{"sequence", entry.sequence}, {"error", read.error().message}}
            );
            return;
        }
        cases_[number] = std::make_shared<const RegressionCase>(std::move(*read));
        next_ = std::max(next_, number + 1);
    }

    const BookParts parts_;
    Teller<Created> teller_;

    mutable Mutex mutex_;
    std::map<std::uint64_t, CasePtr> cases_ TAGOUT_GUARDED_BY(mutex_);
    std::uint64_t next_ TAGOUT_GUARDED_BY(mutex_) = 1;
};

}  // namespace

std::string summary_json(const RegressionCase& regression) {
    json::array signals;
    for (const std::string& signal : regression.signals) {
        signals.push_back(json::string(signal));
    }
    json::object versions;
    put(versions, "prompt", regression.versions.prompt);
    put(versions, "policy", regression.versions.policy);
    put(versions, "model_route", regression.versions.model_route);
    json::object out{
        {"id", regression.id},
        {"incident", regression.incident.text()},
        {"title", regression.title},
        {"class", name_of(regression.failure_class)},
        {"cause", regression.cause},
        {"agent", regression.agent.text()},
        {"created_at", to_rfc3339(regression.created_at)},
        {"created_by", regression.created_by.text()},
        {"signals", std::move(signals)},
        {"versions", std::move(versions)},
        {"sessions", regression.sessions.size()},
        {"harmful_calls", regression.must_not.calls.size()},
    };
    put(out, "workflow", regression.workflow.text());
    put(out, "reason", regression.reason);
    return json::serialize(out);
}

std::unique_ptr<RegressionBook> RegressionBook::make(BookParts parts) {
    return std::make_unique<LiveBook>(std::move(parts));
}

}  // namespace tagout::prevent
