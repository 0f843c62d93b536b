#include "app/quality/score.h"

#include "app/config_file.h"
#include "app/quality/record_judge.h"
#include "app/quality/set_scorer.h"
#include "app/quality/taught_profiles.h"
#include "app/quality/tool_definitions.h"
#include "cli/json_text.h"
#include "cli/line_source.h"

#include <boost/json.hpp>

#include <algorithm>
#include <fstream>
#include <functional>

namespace tagout::app {

namespace {

namespace json = boost::json;
using cli::LineSource;
using cli::Terminal;

constexpr std::uint64_t progress_every = 64;  ///< Lines.

/// A line that reads as a record, with its labels.
struct Record {
    std::string_view line;
    intake::RecordedRun run;
    json::object labels;
};

using TakeRecord = std::function<void(const Record&)>;

/// "" when the line was taken or is empty, else why it was not.
std::string take_line(
    const std::string& file, const LineSource::Line& line, ToolDefinitions& tools,
    const TakeRecord& take
) {
    if (line.too_long) {
        return "longer than 64 MiB";
    }
    if (line.text.find_first_not_of(" \t\r") == std::string::npos) {
        return "";
    }
    Result<intake::RecordedRun> run = intake::parse_recorded_run(line.text);
    if (!run) {
        return run.error().message;
    }
    run->tools = tools.find(file, run->tools_ref);
    Record record{line.text, std::move(*run), {}};
    if (!record.run.labels.empty()) {
        boost::system::error_code error;
        json::value labels = json::parse(record.run.labels, error);
        if (error || !labels.is_object()) {
            return "labels: an object was expected";
        }
        record.labels = std::move(labels.as_object());
    }
    take(record);
    return "";
}

Result<void> for_each_record(
    const std::vector<std::string>& files, ReplayTally& tally, Terminal& terminal,
    const TakeRecord& take
) {
    ToolDefinitions tools;
    for (const std::string& file : files) {
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
            if (const std::string wrong = take_line(file, line, tools, take); !wrong.empty()) {
                ++tally.malformed;
                terminal.clear_progress();
                terminal.note(at_line(file, line.number) + wrong + "; skipped");
            }
            if (line.number % progress_every == 0) {
                show_progress(source, file, tally.records, tally.findings, terminal);
            }
        }
        terminal.clear_progress();
    }
    return {};
}

Result<LeaveOut> leave_out_of(const ReplayOptions& options) {
    if (options.leave_out.empty()) {
        return LeaveOut::Nothing;
    }
    if (options.leave_out != "agent") {
        return fail(
            ErrorCode::InvalidArgument,
            "--leave-out " + options.leave_out + ": only agent can be left out"
        );
    }
    if (options.learn.empty()) {
        return fail(
            ErrorCode::InvalidArgument,
            "--leave-out leaves a teacher out: --learn FILE names what is learned from"
        );
    }
    return LeaveOut::Agent;
}

Result<std::shared_ptr<TaughtProfiles>> learn(
    const ReplayOptions& options, const Configured& configured,
    std::span<const std::unique_ptr<SetScorer>> scorers, Terminal& terminal
) {
    auto taught = std::make_shared<TaughtProfiles>(TAGOUT_TRY(leave_out_of(options)));
    if (options.learn.empty()) {
        return std::shared_ptr<TaughtProfiles>();
    }
    RecordJudge reader(configured.detection, configured.catalog, nullptr);
    ReplayTally tally;
    TAGOUT_TRY(for_each_record(options.learn, tally, terminal, [&](const Record& record) {
        ++tally.records;
        for (const std::unique_ptr<SetScorer>& scorer : scorers) {
            if (scorer->wants(record.run.source)) {
                scorer->learn({record.line, record.run, record.labels, {}});
            }
        }
        if (record.run.kind == intake::RecordKind::Run && is_healthy(record.labels)) {
            taught->learn(record.run.task, record.run.agent, reader.uses(record.run));
        }
    }));
    terminal.note(
        "learned " + std::to_string(taught->workflows()) + " workflows from " +
        std::to_string(taught->runs()) + " healthy of " + std::to_string(tally.records) + " records"
    );
    if (taught->refused() > 0) {
        terminal.note(
            std::to_string(taught->refused()) + " healthy runs found no room: more than " +
            std::to_string(TaughtProfiles::parts_max) + " pairs of workflow and agent"
        );
    }
    return taught;
}

std::vector<QualityRow> rows_of(std::span<const std::unique_ptr<SetScorer>> scorers) {
    std::vector<QualityRow> rows;
    for (const std::unique_ptr<SetScorer>& scorer : scorers) {
        std::ranges::move(scorer->rows(), std::back_inserter(rows));
    }
    return rows;
}

void print_scores(std::span<const QualityRow> rows, cli::Format format, Terminal& terminal) {
    if (format != cli::Format::Table) {
        terminal.line(cli::rendered(tree_of(rows), format));
        return;
    }
    if (rows.empty()) {
        terminal.line("no record of a set that has a score");
        return;
    }
    terminal.line(cli::table(
        {"SET", "FIGURE", "VALUE", "95 %", "COUNTED", "FLOOR", "GOAL", "MET"}, table_rows(rows),
        terminal.width()
    ));
}

/// One pass over the files that are judged.
class Scoring {
public:
    Scoring(
        const ReplayOptions& options, const Configured& configured,
        std::shared_ptr<const TaughtProfiles> taught,
        std::vector<std::unique_ptr<SetScorer>> scorers, std::ostream* findings, Terminal& terminal
    )
        : options_(options),
          judge_(configured.detection, configured.catalog, std::move(taught)),
          scorers_(std::move(scorers)),
          findings_(findings),
          terminal_(terminal) {}

    void take(const Record& record) {
        const bool run = record.run.kind == intake::RecordKind::Run;
        ++(run ? tally.records : tally.other_lines);
        std::vector<SetScorer*> wanting;
        bool judged = !options_.score || findings_ != nullptr;
        for (const std::unique_ptr<SetScorer>& scorer : scorers_) {
            if (scorer->wants(record.run.source)) {
                wanting.push_back(scorer.get());
                judged = judged || scorer->needs_findings();
            }
        }
        Judgement judgement;
        if (run && judged) {
            judgement = judge_.judge(record.run);
            tell(judgement, record.run.id);
        }
        for (SetScorer* const scorer : wanting) {
            scorer->take(
                {record.line, record.run, record.labels, judgement.findings, judgement.outcome}
            );
        }
    }

    [[nodiscard]] std::vector<QualityRow> rows() const { return rows_of(scorers_); }

    ReplayTally tally;

private:
    void tell(const Judgement& judgement, const std::string& record) {
        tally.events += judgement.events;
        ++tally.outcomes[judgement.outcome];
        for (const Finding& finding : judgement.findings) {
            tally.count(finding);
            if (findings_ != nullptr) {
                *findings_ << finding_line(finding, record) << '\n';
            } else if (!options_.score) {
                terminal_.clear_progress();
                terminal_.line(finding_line(finding, record));
            }
        }
    }

    const ReplayOptions& options_;
    RecordJudge judge_;
    std::vector<std::unique_ptr<SetScorer>> scorers_;
    std::ostream* findings_;
    Terminal& terminal_;
};

}  // namespace

Result<ScoreReport> evaluate(const ReplayOptions& options, Terminal& terminal) {
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
    std::vector<std::unique_ptr<SetScorer>> scorers;
    if (options.score) {
        scorers = make_scorers(configured.detection);
    }
    const std::shared_ptr<const TaughtProfiles> taught =
        TAGOUT_TRY(learn(options, configured, scorers, terminal));
    Scoring scoring(
        options, configured, taught, std::move(scorers), options.findings.empty() ? nullptr : &out, terminal
    );
    TAGOUT_TRY(for_each_record(options.files, scoring.tally, terminal, [&](const Record& record) {
        scoring.take(record);
    }));
    out.flush();
    if (!options.findings.empty() && !out) {
        return fail(ErrorCode::Unavailable, options.findings + " could not be written to its end");
    }
    return ScoreReport{scoring.rows(), scoring.tally};
}

Result<int> score(const ReplayOptions& options, Terminal& terminal) {
    const ScoreReport report = TAGOUT_TRY(evaluate(options, terminal));
    if (options.score) {
        print_scores(report.rows, options.format, terminal);
    }
    print_summary(report.tally, options.format, terminal);
    return report.tally.malformed > 0 && report.tally.records == 0 ? 1 : 0;
}

}  // namespace tagout::app
