// Series with marked windows, and the loads of model services with spikes injected into them.
//
// Events (every source of series but nab): a window is found by an alarm inside it; an episode that
// begins outside every window is a false alarm. F1 = 2 found / (found + false alarms + windows).
//
// Spikes: copies of the load in which every request of five minutes, from a random place behind the
// first three tenths on, takes twice or three times the tokens; through the very watch that judges
// live agents. The seed is fixed. Loads of conversations are even, others come in bursts.
#include "app/quality/nab_score.h"
#include "app/quality/scorers.h"
#include "base/prng.h"
#include "detect/cost/series_watch.h"
#include "detect/cost/token_spike.h"
#include "intake/recorded_series.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>

namespace tagout::app {

namespace {

std::vector<detect::SeriesWatch::Step> watch(
    const intake::RecordedSeries& series, double score_min
) {
    detect::SeriesWatch watch;
    std::vector<detect::SeriesWatch::Step> steps;
    steps.reserve(series.values.size());
    for (std::size_t i = 0; i < series.values.size(); ++i) {
        const double seconds =
            std::chrono::duration<double>(series.times[i].time_since_epoch()).count();
        steps.push_back(watch.add(seconds, series.values[i], score_min));
    }
    return steps;
}

class NabSeries final : public SetScorer {
public:
    explicit NabSeries(double score_min) : score_min_(score_min) {}
    [[nodiscard]] bool wants(std::string_view source) const override { return source == "nab"; }
    [[nodiscard]] bool needs_findings() const override { return false; }

    void take(const JudgedRecord& record) override {
        const auto series = intake::parse_recorded_series(record.line);
        if (!series) {
            return;
        }
        std::vector<double> scores;
        for (const detect::SeriesWatch::Step& step : watch(*series, score_min_)) {
            scores.push_back(step.reading.score);
        }
        score_.add(scores, series->windows);
    }

    [[nodiscard]] std::vector<QualityRow> rows() override {
        if (score_.windows() == 0) {
            return {};
        }
        const NabScore::Best best = score_.best();
        QualityRow standard = value_row(
            "nab", "NAB score, standard profile", best.score, score_.windows(), "points", {50.1, 65}
        );
        standard.note = "one threshold, the best on these series as NAB has it: " +
                        std::to_string(best.threshold) + "; " + std::to_string(best.found) +
                        " windows found, " + std::to_string(best.false_alarms) + " false alarms";
        QualityRow shipped = value_row(
            "nab",
            "NAB score at the configured threshold",
            score_.score_at(score_min_),
            score_.windows(),
            "points"
        );
        return {std::move(standard), std::move(shipped)};
    }

private:
    const double score_min_;
    NabScore score_;
};

class EventSeries final : public SetScorer {
public:
    explicit EventSeries(double score_min) : score_min_(score_min) {}
    [[nodiscard]] bool wants(std::string_view source) const override { return source == "mscloud"; }
    [[nodiscard]] bool needs_findings() const override { return false; }

    void take(const JudgedRecord& record) override {
        const auto series = intake::parse_recorded_series(record.line);
        if (!series) {
            return;
        }
        points_ += series->values.size();
        windows_ += series->windows.size();
        std::vector<bool> found(series->windows.size());
        const auto steps = watch(*series, score_min_);
        for (std::size_t i = 0; i < steps.size(); ++i) {
            if (!steps[i].alarm) {
                continue;
            }
            const auto window = std::ranges::find_if(series->windows, [&](const auto& bounds) {
                return bounds.first <= i && i <= bounds.second;
            });
            if (window != series->windows.end()) {
                found[static_cast<std::size_t>(window - series->windows.begin())] = true;
            } else if (steps[i].begins) {
                ++false_alarms_;
            }
        }
        found_ += static_cast<std::uint64_t>(std::ranges::count(found, true));
    }

    [[nodiscard]] std::vector<QualityRow> rows() override {
        if (windows_ == 0) {
            return {};
        }
        const double f1 = 2 * static_cast<double>(found_) /
                          static_cast<double>(found_ + false_alarms_ + windows_);
        return {
            value_row("mscloud", "event F1", f1, windows_, "F1", {0.60, 0.65}),
            value_row(
                "mscloud",
                "false alarms",
                1000 * static_cast<double>(false_alarms_) / static_cast<double>(points_),
                points_,
                "per 1,000 points",
                {0.36, 0.4, Better::Lower}
            ),
            share_row("mscloud", "events found", found_, windows_),
        };
    }

private:
    const double score_min_;
    std::uint64_t points_ = 0;
    std::uint64_t windows_ = 0;
    std::uint64_t found_ = 0;
    std::uint64_t false_alarms_ = 0;
};

struct Load {
    std::vector<Instant> times;
    std::vector<double> tokens;
};

struct Injection {
    Instant from;
    Instant to;
    double times = 1;
};

/// What the watch of one agent says about a load: when episodes began.
std::vector<Instant> spikes_of(
    const Load& load, const Injection& injection, const detect::Settings& settings
) {
    detect::SpendingWatch watch;
    std::vector<Instant> began;
    const std::int64_t pane_nanos = settings.pane.count();
    std::int64_t pane = unix_nanos(load.times.front()) / pane_nanos;
    const auto close = [&](std::int64_t before) {
        const bool active = watch.active();
        watch.close_panes(before, settings.cost);
        if (watch.active() && !active) {
            began.emplace_back(Duration(before * pane_nanos));
        }
    };
    for (std::size_t i = 0; i < load.times.size(); ++i) {
        const Instant at = load.times[i];
        for (; pane < unix_nanos(at) / pane_nanos; ++pane) {
            close(pane + 1);
        }
        const bool injected = at >= injection.from && at < injection.to;
        const double tokens = load.tokens[i] * (injected ? injection.times : 1);
        detect::SpendingPane& open = watch.open[pane];
        open.per_call.add(tokens);
        open.tokens += static_cast<std::uint64_t>(tokens);
    }
    close(pane + 1);
    return began;
}

class RequestLoads final : public SetScorer {
public:
    explicit RequestLoads(const detect::Settings& settings) : settings_(settings) {}
    [[nodiscard]] bool wants(std::string_view) const override { return true; }
    [[nodiscard]] bool needs_findings() const override { return false; }

    void take(const JudgedRecord& record) override {
        if (record.run.kind != intake::RecordKind::RequestTrace) {
            return;
        }
        const auto request = intake::parse_recorded_request(record.line);
        if (!request) {
            return;
        }
        Load& load = loads_[request->source];
        load.times.push_back(request->at);
        load.tokens.push_back(static_cast<double>(request->input_tokens + request->output_tokens));
    }

    [[nodiscard]] std::vector<QualityRow> rows() override {
        std::vector<QualityRow> rows;
        for (auto& [source, load] : loads_) {
            if (!std::ranges::is_sorted(load.times)) {
                continue;
            }
            add_rows(source, load, rows);
        }
        return rows;
    }

private:
    static constexpr int injections = 60;
    static constexpr Duration injected_for = std::chrono::minutes(5);

    void add_rows(const std::string& source, const Load& load, std::vector<QualityRow>& rows) {
        const bool even = source.find("conv") != std::string::npos;
        const Duration lasts = load.times.back() - load.times.front();
        const double days = std::chrono::duration<double>(lasts).count() / 86'400;
        const std::size_t false_alarms = spikes_of(load, {}, settings_).size();
        for (const int times : {2, 3}) {
            Prng prng(2026);
            std::uint64_t found = 0;
            std::uint64_t in_time = 0;
            std::vector<double> delays;
            for (int i = 0; i < injections; ++i) {
                const auto begin = Duration(static_cast<std::int64_t>(
                    static_cast<double>(lasts.count()) * (0.3 + 0.6 * prng.unit())
                ));
                const Instant from = load.times.front() + begin;
                const Injection injection{from, from + injected_for, static_cast<double>(times)};
                for (const Instant at : spikes_of(load, injection, settings_)) {
                    if (at > from && at <= injection.to + settings_.pane) {
                        const double delay = std::chrono::duration<double>(at - from).count();
                        delays.push_back(delay);
                        ++found;
                        in_time += delay <= 60 ? 1 : 0;
                        break;
                    }
                }
            }
            const std::string spike = "spike x" + std::to_string(times);
            const bool goal = !even && times == 3;
            rows.push_back(share_row(
                source, spike + ", found", found, injections, goal ? Bars{{}, 0.8} : Bars{}
            ));
            rows.push_back(share_row(source, spike + ", found in 60 s", in_time, injections));
            if (!delays.empty()) {
                std::ranges::sort(delays);
                rows.push_back(value_row(
                    source,
                    spike + ", median delay",
                    delays[delays.size() / 2],
                    delays.size(),
                    "s",
                    even && times == 2 ? Bars{80.0, 60.0, Better::Lower}
                                       : Bars{{}, {}, Better::Lower}
                ));
            }
        }
        QualityRow alarms = value_row(
            source,
            "false alarms",
            static_cast<double>(false_alarms),
            load.times.size(),
            "alarms",
            {{}, std::floor(days), Better::Lower}
        );
        alarms.note = "in " + std::to_string(days * 24) + " hours without a spike";
        rows.push_back(std::move(alarms));
    }

    const detect::Settings settings_;
    std::map<std::string, Load> loads_;
};

}  // namespace

void add_series_scorers(
    const detect::Settings& settings, std::vector<std::unique_ptr<SetScorer>>& scorers
) {
    scorers.push_back(std::make_unique<NabSeries>(settings.cost.series_score));
    scorers.push_back(std::make_unique<EventSeries>(settings.cost.series_score));
    scorers.push_back(std::make_unique<RequestLoads>(settings));
}

}  // namespace tagout::app
