#include "app/offline.h"

#include "app/config_file.h"
#include "app/quality/score.h"
#include "app/replay_output.h"
#include "cli/line_source.h"
#include "detect/engine.h"
#include "intake/intake.h"
#include "intake/otlp_file.h"
#include "intake/recorded_run.h"
#include "prevent/regression.h"

#include <algorithm>
#include <deque>
#include <fstream>
#include <map>
#include <optional>
#include <span>
#include <unordered_set>
#include <utility>

namespace tagout::app {

namespace {

using cli::LineSource;
using cli::Terminal;

constexpr std::size_t otlp_bytes_max = std::size_t{1} << 30;
constexpr Duration between_records = std::chrono::seconds(1);
constexpr Duration between_judgements = std::chrono::seconds(1);
constexpr std::size_t otlp_mark_within = 200;  ///< Bytes from a request's beginning.
constexpr std::size_t written_max = 100'000;

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

    /// One recorded run; `record` names it in the findings of its session.
    void play(EventBatch& batch, const std::string& record) {
        linker_.link(batch);
        judge(batch.events, record);
    }

    /// Telemetry, second by second as it would have come: what is usual is learned before it is
    /// missed. Findings are named by their correlation.
    void play_telemetry(EventBatch& batch) {
        linker_.link(batch);
        const std::span<const AgentEvent> events = batch.events;
        for (std::size_t from = 0; from < events.size();) {
            const Instant until = events[from].ended_at + between_judgements;
            std::size_t to = from + 1;
            while (to < events.size() && events[to].ended_at < until) {
                ++to;
            }
            judge(events.subspan(from, to - from), "");
            from = to;
        }
    }

    void finish() {
        detect::Output output;
        sessions_.finish(output);
        keys_.merge(std::move(*sessions_.take_partials()));
        keys_.finish(output);
        report(output, "");
    }

    [[nodiscard]] Instant now() const { return now_; }
    ReplayTally tally;

private:
    void judge(std::span<const AgentEvent> events, const std::string& record) {
        tally.events += events.size();
        for (const AgentEvent& event : events) {
            now_ = std::max(now_, event.ended_at);
        }
        detect::Output output;
        sessions_.observe(events, now_, output);
        sessions_.tick(now_, output);
        keys_.merge(std::move(*sessions_.take_partials()));
        keys_.evaluate(now_, output);
        report(output, record);
    }

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

    intake::Linker linker_;
    detect::SessionStage sessions_;
    detect::KeyStage keys_;
    std::ostream* findings_;
    Terminal& terminal_;
    Instant now_ = Instant(std::chrono::hours(24));
    std::unordered_set<std::string> written_;  ///< Ids of findings.
    std::deque<std::string> written_order_;    ///< Bounds it; oldest first.
};

void play_run_line(
    const std::string& file, LineSource::Line& line, Player& player, Terminal& terminal
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

using PlayLine = void (*)(const std::string&, LineSource::Line&, Player&, Terminal&);

Result<void> play_lines(
    const std::string& file, PlayLine play, Player& player, Terminal& terminal
) {
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
        play(file, line, player, terminal);
        if (line.number % 64 == 0) {
            show_progress(source, file, player.tally, terminal);
        }
    }
    terminal.clear_progress();
    return {};
}

/// A regression case: each of its sessions is a recorded run.
Result<void> play_case(const std::string& file, Player& player) {
    const Result<prevent::RegressionCase> regression =
        prevent::parse_case(TAGOUT_TRY(cli::read_whole(file, prevent::case_file_bytes_max)));
    if (!regression) {
        return fail(regression.error().code, file + ": " + regression.error().message);
    }
    for (const prevent::RecordedSession& session : regression->sessions) {
        ++player.tally.records;
        EventBatch batch;
        intake::append_events(session.run, player.now() + between_records, batch);
        player.play(batch, session.run.id);
    }
    return {};
}

/// A case names its form near its beginning, whether it stands on one line or on many.
Result<bool> is_case(const std::string& file) {
    constexpr std::size_t head_bytes = 4'096;
    LineSource source = TAGOUT_TRY(LineSource::open(file));
    LineSource::Line line;
    std::string head;
    while (head.size() < head_bytes && TAGOUT_TRY(source.next(line))) {
        head += line.text.substr(0, head_bytes);
    }
    return head.find(prevent::case_format) < head_bytes;
}

Result<void> play_otlp(const std::string& file, Player& player) {
    const std::string bytes = TAGOUT_TRY(cli::read_whole(file, otlp_bytes_max));
    const intake::OtlpFile otlp{file, bytes};
    const std::shared_ptr<EventBatch> batch =
        TAGOUT_TRY(intake::read_otlp_files(std::span(&otlp, 1), intake::DecodeLimits{}));
    player.play_telemetry(*batch);
    return {};
}

/// The signal of a line that begins as an OTLP request in JSON does, if it is one.
std::optional<Signal> otlp_signal_of(std::string_view line) {
    constexpr std::pair<std::string_view, Signal> marks[] = {
        {"\"resourceSpans\"", Signal::Traces},
        {"\"resourceLogs\"", Signal::Logs},
        {"\"resourceMetrics\"", Signal::Metrics},
    };
    const std::string_view head = line.substr(0, otlp_mark_within);
    for (const auto& [mark, signal] : marks) {
        if (head.starts_with('{') && head.find(mark) != std::string_view::npos) {
            return signal;
        }
    }
    return std::nullopt;
}

/// A request a line, as the Collector's file exporter writes them: streamed, a bad one skipped.
void play_otlp_line(
    const std::string& file, LineSource::Line& line, Player& player, Terminal& terminal
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
    const std::optional<Signal> signal = otlp_signal_of(line.text);
    if (!signal) {
        refuse("no OTLP request: resourceSpans, resourceLogs or resourceMetrics was expected");
        return;
    }
    ++player.tally.records;
    if (*signal == Signal::Metrics) {
        return;
    }
    const Result<std::shared_ptr<EventBatch>> batch = intake::decode(
        PaddedBytes::copy_of(line.text), *signal, intake::Encoding::Json, intake::DecodeLimits{}
    );
    if (!batch) {
        --player.tally.records;
        refuse(batch.error().message);
        return;
    }
    std::ranges::stable_sort((*batch)->events, {}, &AgentEvent::ended_at);
    player.play_telemetry(**batch);
}

enum class FileForm { RecordedRuns, OtlpLines, Otlp };

/// A recorded run is one JSON object a line with "turns", a series or a request trace.
Result<FileForm> form_of(const std::string& file) {
    LineSource source = TAGOUT_TRY(LineSource::open(file));
    LineSource::Line line;
    if (!TAGOUT_TRY(source.next(line)) || line.text.empty() || line.text.front() != '{') {
        return FileForm::Otlp;
    }
    if (otlp_signal_of(line.text)) {
        const bool whole = line.text.find_last_not_of(" \t\r") != std::string::npos &&
                           line.text[line.text.find_last_not_of(" \t\r")] == '}';
        return whole ? FileForm::OtlpLines : FileForm::Otlp;
    }
    const bool recorded = line.text.find("\"turns\"") != std::string::npos ||
                          line.text.find("\"source\"") != std::string::npos ||
                          file.find(".jsonl") != std::string::npos;
    return recorded ? FileForm::RecordedRuns : FileForm::Otlp;
}

}  // namespace

Result<int> replay(const ReplayOptions& options, Terminal& terminal) {
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
    Player player(
        configured.detection,
        configured.catalog,
        options.findings.empty() ? nullptr : &out,
        terminal
    );
    for (const std::string& file : options.files) {
        if (TAGOUT_TRY(is_case(file))) {
            TAGOUT_TRY(play_case(file, player));
            continue;
        }
        const FileForm form = TAGOUT_TRY(form_of(file));
        if (form == FileForm::Otlp) {
            TAGOUT_TRY(play_otlp(file, player));
            continue;
        }
        const bool runs = form == FileForm::RecordedRuns;
        TAGOUT_TRY(play_lines(file, runs ? &play_run_line : &play_otlp_line, player, terminal));
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
