#include "app/recorded.h"

#include "detect/engine.h"
#include "intake/intake.h"

#include <algorithm>
#include <set>

namespace tagout::app {

namespace {

constexpr Duration between_sessions = std::chrono::seconds(1);

/// A batch and the stored bytes that it views.
struct ReadBack {
    std::vector<journal::EvidenceItem> items;
    EventBatch batch;
};

}  // namespace

Result<std::shared_ptr<const EventBatch>> recorded_session(
    journal::EvidenceLog& evidence, const CorrelationId& correlation, std::size_t limit
) {
    auto read = std::make_shared<ReadBack>();
    read->items = TAGOUT_TRY(evidence.find(correlation.text(), limit));
    for (const journal::EvidenceItem& item : read->items) {
        const RawItem raw = journal::raw_of(item);
        (void)intake::decode_item(raw, intake::DecodeLimits{}, read->batch);
    }
    intake::LinkerOptions options;
    options.batches = intake::BatchScope::WholeTraces;
    intake::Linker(options).link(read->batch);
    return std::shared_ptr<const EventBatch>(read, &read->batch);
}

std::vector<std::string> signals_of(
    std::span<const prevent::RecordedSession> sessions, const detect::Settings& settings,
    const std::shared_ptr<const catalog::Catalog>& catalog
) {
    detect::SessionStage stage(settings, catalog);
    detect::KeyStage keys(settings, catalog);
    intake::Linker linker(intake::LinkerOptions{});
    detect::Output out;
    Instant now = Instant(std::chrono::hours(24));
    for (const prevent::RecordedSession& session : sessions) {
        EventBatch batch;
        intake::append_events(session.run, now + between_sessions, batch);
        linker.link(batch);
        for (const AgentEvent& event : batch.events) {
            now = std::max(now, event.ended_at);
        }
        stage.observe(batch.events, now, out);
        stage.tick(now, out);
        keys.merge(std::move(*stage.take_partials()));
        keys.evaluate(now, out);
    }
    stage.finish(out);
    keys.merge(std::move(*stage.take_partials()));
    keys.finish(out);
    std::set<std::string> names;
    for (const Finding& finding : out.findings) {
        names.insert(finding.signal);
    }
    return {names.begin(), names.end()};
}

}  // namespace tagout::app
