#include "app/quality/record_judge.h"

#include <algorithm>
#include <map>
#include <set>

namespace tagout::app {

namespace {

constexpr Duration between_records = std::chrono::seconds(1);

class NothingKnown final : public detect::ProfileSource {
public:
    [[nodiscard]] const catalog::WorkflowProfile* find(
        std::string_view /*workflow*/, std::string_view /*agent*/
    ) const override {
        return nullptr;
    }
};

/// A finding comes again when its outcome is known: the last word counts.
std::vector<Finding> last_words(std::vector<Finding> told) {
    std::vector<Finding> findings;
    std::map<std::string, std::size_t> places;
    for (Finding& finding : told) {
        const auto [place, is_new] = places.emplace(finding.id, findings.size());
        if (is_new) {
            findings.push_back(std::move(finding));
        } else {
            findings[place->second] = std::move(finding);
        }
    }
    return findings;
}

}  // namespace

RecordJudge::RecordJudge(
    const detect::Settings& settings, std::shared_ptr<const catalog::Catalog> catalog,
    std::shared_ptr<const detect::ProfileSource> profiles
)
    : settings_(settings),
      catalog_(std::move(catalog)),
      profiles_(profiles ? std::move(profiles) : std::make_shared<const NothingKnown>()),
      linker_(intake::LinkerOptions{}),
      sessions_(settings, catalog_) {}

std::unique_ptr<detect::KeyPartials, void (*)(detect::KeyPartials*)> RecordJudge::fold(
    const intake::RecordedRun& run, EventBatch& batch, detect::Output& out
) {
    intake::append_events(run, now_ + between_records, batch);
    linker_.link(batch);
    for (const AgentEvent& event : batch.events) {
        now_ = std::max(now_, event.ended_at);
    }
    sessions_.observe(batch.events, now_, out);
    sessions_.finish(out);
    return sessions_.take_partials();
}

Judgement RecordJudge::judge(const intake::RecordedRun& run) {
    EventBatch batch;
    detect::Output out;
    const auto partials = fold(run, batch, out);
    detect::KeyStage keys(settings_, catalog_);
    keys.judge_by(profiles_);
    keys.merge(*partials);
    keys.finish(out);
    Judgement judgement;
    judgement.events = batch.events.size();
    if (!out.sessions.empty()) {
        judgement.outcome = out.sessions.back().outcome;
    }
    judgement.findings = last_words(std::move(out.findings));
    return judgement;
}

std::vector<catalog::ProfileUse> RecordJudge::uses(const intake::RecordedRun& run) {
    EventBatch batch;
    detect::Output out;
    const auto partials = fold(run, batch, out);
    std::set<catalog::ProfileUse> uses;  // told in parts, or again when the outcome changed
    for (const detect::SessionFact& fact : partials->sessions) {
        uses.insert(fact.uses.begin(), fact.uses.end());
    }
    return {uses.begin(), uses.end()};
}

}  // namespace tagout::app
