#include "app/player.h"

#include "cli/line_source.h"
#include "detect/key_partials.h"
#include "intake/otlp_file.h"
#include "intake/recorded_run.h"
#include "prevent/regression.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace tagout::app {

namespace {

using cli::LineSource;
using cli::Terminal;

constexpr std::size_t otlp_bytes_max = std::size_t{1} << 30;
constexpr Duration between_records = std::chrono::seconds(1);
constexpr Duration between_judgements = std::chrono::seconds(1);
constexpr std::size_t otlp_mark_within = 200;  ///< Bytes from a request's beginning.
constexpr std::uint64_t progress_every = 64;   ///< Lines.

void play_run_line(
    const std::string& file, LineSource::Line& line, Player& player, Terminal& terminal
) {
    const auto refuse = [&](const std::string& reason) {
        ++player.malformed;
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
    Result<intake::RecordedRun> run = intake::parse_recorded_run(line.text);
    if (!run) {
        refuse(run.error().message);
        return;
    }
    if (run->kind != intake::RecordKind::Run) {
        if (const Result<void> played = player.play_numbers(run->kind, line.text); !played) {
            refuse(played.error().message);
        }
        return;
    }
    ++player.records;
    ++player.runs;
    run->tools = player.definitions.find(file, run->tools_ref);
    EventBatch batch;
    intake::append_events(*run, player.now() + between_records, batch);
    player.play(batch, run->id);
}

using PlayLine = void (*)(const std::string&, LineSource::Line&, Player&, Terminal&);

Result<void> play_lines(
    const std::string& file, PlayLine play, Player& player, const ReplayTally* progress,
    Terminal& terminal
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
        if (progress != nullptr && line.number % progress_every == 0) {
            show_progress(source, file, player.records, progress->findings, terminal);
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
        ++player.records;
        ++player.runs;
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
        ++player.malformed;
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
    ++player.records;
    if (*signal == Signal::Metrics) {
        return;
    }
    const Result<std::shared_ptr<EventBatch>> batch = intake::decode(
        PaddedBytes::copy_of(line.text), *signal, intake::Encoding::Json, intake::DecodeLimits{}
    );
    if (!batch) {
        --player.records;
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

void PlayedEngine::judge(
    std::span<const AgentEvent> events, Instant now, detect::Output& out
) {
    sessions_.observe(events, now, out);
    sessions_.tick(now, out);
    keys_.merge(std::move(*sessions_.take_partials()));
    keys_.evaluate(now, out);
}

void PlayedEngine::finish(detect::Output& out) {
    sessions_.finish(out);
    keys_.merge(std::move(*sessions_.take_partials()));
    keys_.finish(out);
}

void Player::judge(std::span<const AgentEvent> of, const std::string& record) {
    events += of.size();
    for (const AgentEvent& event : of) {
        now_ = std::max(now_, event.ended_at);
    }
    for (EventTaker* const taker : takers_) {
        taker->judge(of, now_, record);
    }
}

void Player::play(EventBatch& batch, const std::string& record) {
    linker_.link(batch);
    judge(batch.events, record);
}

Result<void> Player::play_numbers(intake::RecordKind kind, std::string_view line) {
    if (kind == intake::RecordKind::RequestTrace) {
        const intake::RecordedRequest request = TAGOUT_TRY(intake::parse_recorded_request(line));
        EventBatch batch;
        requests_.append(request, now_ + between_records, batch);
        judge(batch.events, request.source);
    } else {
        const intake::RecordedSeries series = TAGOUT_TRY(intake::parse_recorded_series(line));
        for (EventTaker* const taker : takers_) {
            taker->judge_series(series);
        }
    }
    ++records;
    return {};
}

void Player::play_telemetry(EventBatch& batch) {
    linker_.link(batch);
    const std::span<const AgentEvent> all = batch.events;
    for (std::size_t from = 0; from < all.size();) {
        const Instant until = all[from].ended_at + between_judgements;
        std::size_t to = from + 1;
        while (to < all.size() && all[to].ended_at < until) {
            ++to;
        }
        first_at_ = std::min(first_at_.value_or(all[from].ended_at), all[from].ended_at);
        last_at_ = std::max(last_at_, all[to - 1].ended_at);
        judge(all.subspan(from, to - from), "");
        from = to;
    }
}

void Player::finish() {
    for (EventTaker* const taker : takers_) {
        taker->finish(now_);
    }
}

Result<void> play_files(
    const std::vector<std::string>& files, Player& player, const ReplayTally* progress,
    Terminal& terminal
) {
    for (const std::string& file : files) {
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
        TAGOUT_TRY(play_lines(
            file, runs ? &play_run_line : &play_otlp_line, player, progress, terminal
        ));
    }
    player.finish();
    terminal.clear_progress();
    return {};
}

}  // namespace tagout::app
