#include "app/recorded_numbers.h"

#include "detect/cost/series_watch.h"
#include "detect/signal_id.h"
#include "detect/signals.h"

#include <algorithm>
#include <cstdio>

namespace tagout::app {

namespace {

const detect::SignalInfo& signal_of(std::string_view id) {
    const auto names = [&](std::string_view word) {
        return id.find(word) != std::string_view::npos;
    };
    if (names("latency") || names("duration")) {
        return detect::info_of(detect::SignalId::TailLatency);
    }
    if (names("token")) {
        return detect::info_of(detect::SignalId::TokenSpike);
    }
    if (names("cost")) {
        return detect::info_of(detect::SignalId::OutcomeCost);
    }
    return detect::info_of(detect::SignalId::QueueDepth);
}

std::string short_number(double value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.4g", value);
    return text;
}

}  // namespace

std::vector<Finding> findings_of(
    const intake::RecordedSeries& series, const detect::Settings& settings
) {
    constexpr double score_half = 4;  // of a finding's certainty
    std::vector<Finding> findings;
    detect::SeriesWatch watch;
    const detect::SignalInfo& info = signal_of(series.id);
    for (std::size_t i = 0; i < series.values.size(); ++i) {
        const Instant at = series.times[i];
        const double seconds = std::chrono::duration<double>(at.time_since_epoch()).count();
        const auto step = watch.add(seconds, series.values[i], settings.cost.series_score);
        if (!step.begins) {
            continue;
        }
        Finding finding;
        finding.id = detect::finding_id(info.name, series.id + "@" + std::to_string(i));
        finding.failure_class = info.failure_class;
        finding.signal = info.name;
        finding.rate = true;
        finding.unit = "score";
        finding.correlation = CorrelationId(series.id);
        finding.step = static_cast<std::uint32_t>(i);
        finding.cause = series.id;
        finding.seen_at = at;
        finding.observed = step.reading.score;
        finding.threshold = settings.cost.series_score;
        finding.score = step.reading.score / (step.reading.score + score_half);
        finding.evidence = series.id + " shows " + std::string(words_of(step.reading.shape)) +
                           " to " + short_number(step.reading.value) + " at " + to_rfc3339(at) +
                           " where about " + short_number(step.reading.usual) + " is usual";
        findings.push_back(std::move(finding));
    }
    return findings;
}

void RequestEvents::append(const intake::RecordedRequest& request, Instant now, EventBatch& batch) {
    const auto [place, is_new] = sources_.try_emplace(request.source);
    Source& source = place->second;
    if (is_new) {
        source.moved = now - request.at;
    }
    AgentEvent event;
    event.kind = EventKind::Llm;
    event.convention = Convention::RecordedRun;
    event.started_at = request.at + source.moved;
    event.ended_at = event.started_at;
    event.correlation = place->first;
    event.agent_name = place->first;
    event.step = source.requests++;
    const std::uint32_t number = source.requests;  // a trace of its own; zero is none
    std::copy_n(
        reinterpret_cast<const std::uint8_t*>(&number), sizeof(number), event.trace_id.bytes.begin()
    );
    event.tokens.input = request.input_tokens;
    event.tokens.output = request.output_tokens;
    event.tokens.accounting = TokenAccounting::Leaf;
    batch.events.push_back(event);
}

}  // namespace tagout::app
