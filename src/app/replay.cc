#include "app/offline.h"

#include "app/config_file.h"
#include "app/paging.h"
#include "app/player.h"
#include "app/quality/score.h"
#include "app/replay_output.h"

#include <deque>
#include <fstream>
#include <map>
#include <unordered_set>

namespace tagout::app {

namespace {

using cli::Terminal;

constexpr std::size_t written_max = 100'000;

/// Writes each finding once, and counts.
class FindingWriter final : public EventTaker {
public:
    FindingWriter(const Configured& configured, std::ostream* findings, Terminal& terminal)
        : detection_(configured.detection),
          engine_(configured.detection, configured.catalog),
          findings_(findings),
          terminal_(terminal) {}

    void judge(
        std::span<const AgentEvent> events, Instant now, const std::string& record
    ) override {
        detect::Output output;
        engine_.judge(events, now, output);
        report(output, record);
    }
    void judge_series(const intake::RecordedSeries& series) override {
        for (const Finding& finding : findings_of(series, detection_)) {
            tally.count(finding);
            write(finding, series.id);
        }
    }
    void finish(Instant /*now*/) override {
        detect::Output output;
        engine_.finish(output);
        report(output, "");
    }

    ReplayTally tally;

private:
    void report(const detect::Output& output, const std::string& record) {
        for (const detect::SessionSummary& session : output.sessions) {
            ++tally.outcomes[session.outcome];
            if (session.revised) {
                --tally.outcomes[session.before];
            }
        }
        // A finding comes again when its outcome is known: the last word of this call counts.
        std::map<std::string, const Finding*> newest;
        std::vector<std::string> order;
        for (const Finding& finding : output.findings) {
            if (newest.insert_or_assign(finding.id, &finding).second) {
                order.push_back(finding.id);
            }
        }
        for (const std::string& id : order) {
            const Finding& finding = *newest.at(id);
            if (is_new(id)) {
                tally.count(finding);
                write(finding, record);
            }
        }
    }

    /// A finding is told again for as long as its session lives, which is a few hundred records.
    bool is_new(const std::string& id) {
        if (!written_.insert(id).second) {
            return false;
        }
        written_order_.push_back(id);
        if (written_order_.size() > written_max) {
            written_.erase(written_order_.front());
            written_order_.pop_front();
        }
        return true;
    }

    void write(const Finding& finding, const std::string& record) {
        const std::string text = finding_line(finding, record);
        if (findings_ != nullptr) {
            *findings_ << text << '\n';
        } else {
            terminal_.clear_progress();
            terminal_.line(text);
        }
    }

    const detect::Settings detection_;
    PlayedEngine engine_;
    std::ostream* findings_;
    Terminal& terminal_;
    std::unordered_set<std::string> written_;  ///< Ids of findings.
    std::deque<std::string> written_order_;    ///< Bounds it; oldest first.
};

}  // namespace

Result<int> replay(const ReplayOptions& options, Terminal& terminal) {
    if (!options.against.empty()) {
        return compare_pages(options, terminal);
    }
    if (options.score || !options.learn.empty()) {
        return score(options, terminal);
    }
    Configured configured;
    if (!options.config.empty()) {
        configured = TAGOUT_TRY(load_config(options.config));
    }
    std::ofstream out;
    if (!options.findings.empty()) {
        out.open(options.findings, std::ios::trunc);
        if (!out) {
            return fail(ErrorCode::InvalidArgument, options.findings + " cannot be written");
        }
    }
    FindingWriter writer(configured, options.findings.empty() ? nullptr : &out, terminal);
    Player player({&writer});
    TAGOUT_TRY(play_files(options.files, player, &writer.tally, terminal));
    out.flush();
    if (!options.findings.empty() && !out) {
        return fail(ErrorCode::Unavailable, options.findings + " could not be written to its end");
    }
    writer.tally.records = player.records;
    writer.tally.other_lines = player.other_lines;
    writer.tally.malformed = player.malformed;
    writer.tally.events = player.events;
    print_summary(writer.tally, options.format, terminal);
    return player.malformed > 0 && player.records == 0 ? 1 : 0;
}

}  // namespace tagout::app
