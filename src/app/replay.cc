#include "app/offline.h"

#include "app/config_file.h"
#include "cli/json_text.h"
#include "cli/line_source.h"
#include "detect/engine.h"
#include "intake/intake.h"
#include "intake/otlp_file.h"
#include "intake/recorded_run.h"

#include <boost/json.hpp>

#include <fstream>
#include <map>

namespace tagout::app {

namespace {

namespace json = boost::json;
using cli::Format;
using cli::LineSource;
using cli::Terminal;

constexpr std::size_t otlp_bytes_max = std::size_t{1} << 30;
constexpr Duration between_records = std::chrono::seconds(1);

struct Tally {
    std::uint64_t records = 0;
    std::uint64_t other_lines = 0;
    std::uint64_t malformed = 0;
    std::uint64_t events = 0;
    std::uint64_t findings = 0;
    std::map<SessionOutcome, std::uint64_t> outcomes;
    std::map<std::string, std::uint64_t> by_signal;  ///< "class signal"
};

/// The live engine over recorded input, with a clock made of the recorded times.
class Player {
public:
    Player(
        const detect::Settings& settings, const std::shared_ptr<const catalog::Catalog>& catalog,
        std::ostream* findings, Terminal& terminal
    )
        : linker_(intake::LinkerOptions{}),
          sessions_(settings, catalog),
          keys_(settings, catalog),
          findings_(findings),
          terminal_(terminal) {}

    /// `record` names the input in the findings of its sessions; "" takes the correlation.
    void play(EventBatch& batch, const std::string& record) {
        linker_.link(batch);
        tally.events += batch.events.size();
        for (const AgentEvent& event : batch.events) {
            now_ = std::max(now_, event.ended_at);
        }
        detect::Output output;
        sessions_.observe(batch.events, now_, output);
        sessions_.tick(now_, output);
        keys_.merge(*sessions_.take_partials());
        keys_.evaluate(now_, output);
        report(output, record);
    }

    void finish() {
        detect::Output output;
        sessions_.finish(output);
        keys_.merge(*sessions_.take_partials());
        keys_.finish(output);
        report(output, "");
        for (const auto& [correlation, outcome] : outcome_of_) {
            ++tally.outcomes[outcome];
        }
    }

    [[nodiscard]] Instant now() const { return now_; }
    Tally tally;

private:
    void report(const detect::Output& output, const std::string& record) {
        for (const detect::SessionSummary& session : output.sessions) {
            outcome_of_[session.correlation.text()] = session.outcome;
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
            if (written_.insert_or_assign(id, finding.outcome).second) {
                ++tally.findings;
                ++tally.by_signal
                      [std::string(name_of(finding.failure_class)) + " " + finding.signal];
                write(finding, record);
            }
        }
    }

    void write(const Finding& finding, const std::string& record) {
        json::object line;
        line["record"] = record.empty() ? finding.correlation.text() : record;
        line["class"] = name_of(finding.failure_class);
        line["signal"] = finding.signal;
        line["score"] = finding.score;
        line["step"] = finding.step;
        line["evidence"] = finding.evidence;
        line["outcome"] = name_of(finding.outcome);
        line["observed"] = finding.observed;
        line["threshold"] = finding.threshold;
        line["agent"] = finding.agent.text();
        line["workflow"] = finding.workflow.text();
        if (!finding.tool.empty()) {
            line["tool"] = finding.tool.text();
        }
        if (!finding.explained_by.empty()) {
            line["explained_by"] = finding.explained_by;
        }
        line["finding"] = finding.id;
        const std::string text = json::serialize(line);
        if (findings_ != nullptr) {
            *findings_ << text << '\n';
        } else {
            terminal_.clear_progress();
            terminal_.line(text);
        }
    }

    intake::Linker linker_;
    detect::SessionStage sessions_;
    detect::KeyStage keys_;
    std::ostream* findings_;
    Terminal& terminal_;
    Instant now_ = Instant(std::chrono::hours(24));
    std::map<std::string, SessionOutcome> written_;
    std::map<std::string, SessionOutcome> outcome_of_;
};

std::string at_line(const std::string& file, std::uint64_t line) {
    return file + ":" + std::to_string(line) + ": ";
}

void show_progress(
    const LineSource& source, const std::string& file, const Tally& tally, Terminal& terminal
) {
    constexpr std::uint64_t bar_columns = 30;
    const std::uint64_t size = std::max<std::uint64_t>(source.size(), 1);
    const std::uint64_t share = std::min<std::uint64_t>(source.consumed() * 100 / size, 100);
    std::string bar(share * bar_columns / 100, '#');
    bar.append(bar_columns - bar.size(), '.');
    terminal.progress(
        file + " [" + bar + "] " + std::to_string(share) + "%  " + std::to_string(tally.records) +
        " records, " + std::to_string(tally.findings) + " findings"
    );
}

void play_line(
    const std::string& file, const LineSource::Line& line, Player& player, Terminal& terminal
) {
    const auto refuse = [&](const std::string& reason) {
        ++player.tally.malformed;
        terminal.clear_progress();
        terminal.note(at_line(file, line.number) + reason + "; skipped");
    };
    if (line.too_long) {
        refuse("longer than 64 MiB");
        return;
    }
    if (line.text.find_first_not_of(" \t\r") == std::string::npos) {
        return;
    }
    const Result<intake::RecordedRun> run = intake::parse_recorded_run(line.text);
    if (!run) {
        refuse(run.error().message);
        return;
    }
    if (run->kind != intake::RecordKind::Run) {
        ++player.tally.other_lines;
        return;
    }
    ++player.tally.records;
    EventBatch batch;
    intake::append_events(*run, player.now() + between_records, batch);
    player.play(batch, run->id);
}

Result<void> play_lines(const std::string& file, Player& player, Terminal& terminal) {
    LineSource source = TAGOUT_TRY(LineSource::open(file));
    LineSource::Line line;
    while (true) {
        const Result<bool> more = source.next(line);
        if (!more) {
            return fail(more.error().code, file + ": " + more.error().message);
        }
        if (!*more) {
            break;
        }
        play_line(file, line, player, terminal);
        if (line.number % 64 == 0) {
            show_progress(source, file, player.tally, terminal);
        }
    }
    terminal.clear_progress();
    return {};
}

Result<void> play_otlp(const std::string& file, Player& player) {
    const std::string bytes = TAGOUT_TRY(cli::read_whole(file, otlp_bytes_max));
    const intake::OtlpFile otlp{file, bytes};
    const std::shared_ptr<EventBatch> batch =
        TAGOUT_TRY(intake::read_otlp_files(std::span(&otlp, 1), intake::DecodeLimits{}));
    player.play(*batch, "");
    return {};
}

/// A recorded run is one JSON object a line with "turns", a series or a request trace; OTLP is not.
Result<bool> is_recorded(const std::string& file) {
    LineSource source = TAGOUT_TRY(LineSource::open(file));
    LineSource::Line line;
    if (!TAGOUT_TRY(source.next(line)) || line.text.empty() || line.text.front() != '{') {
        return false;
    }
    constexpr std::string_view otlp_marks[] = {
        "\"resourceSpans\"", "\"resourceLogs\"", "\"resourceMetrics\""};
    for (const std::string_view mark : otlp_marks) {
        if (line.text.find(mark) < 200) {
            return false;
        }
    }
    return line.text.find("\"turns\"") != std::string::npos ||
           line.text.find("\"source\"") != std::string::npos ||
           file.find(".jsonl") != std::string::npos;
}

void print_summary(const Tally& tally, Format format, Terminal& terminal) {
    if (format != Format::Table) {
        json::object summary{
            {"records", tally.records},
            {"other_lines", tally.other_lines},
            {"malformed", tally.malformed},
            {"events", tally.events},
            {"findings", tally.findings},
        };
        json::object outcomes;
        for (const auto& [outcome, count] : tally.outcomes) {
            outcomes[name_of(outcome)] = count;
        }
        summary["outcomes"] = outcomes;
        json::object signals;
        for (const auto& [signal, count] : tally.by_signal) {
            signals[signal] = count;
        }
        summary["signals"] = signals;
        terminal.note(cli::rendered(summary, format));
        return;
    }
    terminal.note(
        std::to_string(tally.records) + " records, " + std::to_string(tally.events) + " events, " +
        std::to_string(tally.findings) + " findings, " + std::to_string(tally.malformed) +
        " malformed lines" +
        (tally.other_lines > 0
             ? ", " + std::to_string(tally.other_lines) + " lines that are no runs"
             : "")
    );
    std::vector<std::vector<std::string>> rows;
    for (const auto& [outcome, count] : tally.outcomes) {
        rows.push_back({"session " + std::string(name_of(outcome)), std::to_string(count)});
    }
    for (const auto& [signal, count] : tally.by_signal) {
        rows.push_back({signal, std::to_string(count)});
    }
    if (!rows.empty()) {
        terminal.note(cli::table({"WHAT", "COUNT"}, rows, terminal.width()));
    }
}

}  // namespace

Result<int> replay(const ReplayOptions& options, Terminal& terminal) {
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
    Player player(
        configured.detection,
        configured.catalog,
        options.findings.empty() ? nullptr : &out,
        terminal
    );
    for (const std::string& file : options.files) {
        if (TAGOUT_TRY(is_recorded(file))) {
            TAGOUT_TRY(play_lines(file, player, terminal));
        } else {
            TAGOUT_TRY(play_otlp(file, player));
        }
    }
    player.finish();
    terminal.clear_progress();
    out.flush();
    if (!options.findings.empty() && !out) {
        return fail(ErrorCode::Unavailable, options.findings + " could not be written to its end");
    }
    print_summary(player.tally, options.format, terminal);
    return player.tally.malformed > 0 && player.tally.records == 0 ? 1 : 0;
}

}  // namespace tagout::app
