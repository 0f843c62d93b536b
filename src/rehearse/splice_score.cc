#include "rehearse/splice_score.h"

#include "app/config_file.h"
#include "cli/json_text.h"
#include "cli/line_source.h"
#include "detect/engine.h"
#include "detect/key_partials.h"
#include "intake/intake.h"

#include <boost/json.hpp>

#include <xxhash.h>
#include <algorithm>
#include <array>
#include <cstdio>

namespace tagout::rehearse {

namespace json = boost::json;

namespace {

constexpr Duration between_records = std::chrono::seconds(1);

struct Seen {
    std::string signal;
    std::uint32_t step = 0;
    std::string evidence;
};

std::string percent(std::uint64_t part, std::uint64_t whole) {
    std::array<char, 32> text{};
    const double share =
        whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    std::snprintf(text.data(), text.size(), "%.2f %%", share);
    return text.data();
}

std::string fraction(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3f", value);
    return text.data();
}

bool is_good(const intake::RecordedRun& run) {
    boost::system::error_code error;
    const json::value parsed = json::parse(run.labels, error);
    if (error || !parsed.is_object()) {
        return false;
    }
    const json::object& labels = parsed.as_object();
    const json::value* const outcome = labels.if_contains("outcome");
    const json::value* const attack = labels.if_contains("attack");
    return outcome != nullptr && outcome->is_string() && outcome->as_string() == "success" &&
           !(attack != nullptr && attack->is_bool() && attack->as_bool());
}

bool is_kept_back(const intake::RecordedRun& run) {
    const std::string key = run.source + "/" + run.task;
    return XXH3_64bits(key.data(), key.size()) % 2 == 1;
}

}  // namespace

double SpliceTally::precision() const noexcept {
    return found + elsewhere == 0
               ? 1
               : static_cast<double>(found) / static_cast<double>(found + elsewhere);
}

double SpliceTally::recall() const noexcept {
    return planted == 0 ? 0 : static_cast<double>(found) / static_cast<double>(planted);
}

double SpliceTally::f1() const noexcept {
    const double sum = precision() + recall();
    return sum == 0 ? 0 : 2 * precision() * recall() / sum;
}

struct SpliceJudge::State {
    detect::Settings settings;
    std::shared_ptr<const catalog::Catalog> catalog;
    std::uint64_t seed = 1;
    std::size_t show = 0;
    detect::SessionStage stage;
    intake::Linker linker{intake::LinkerOptions{}};
    Instant now = Instant(std::chrono::hours(24));
    SpliceScore score;

    /// The class's findings on `run`, each where it was first told.
    std::vector<Seen> play(const intake::RecordedRun& run) {
        EventBatch batch;
        intake::append_events(run, now + between_records, batch);
        linker.link(batch);
        for (const AgentEvent& event : batch.events) {
            now = std::max(now, event.ended_at);
        }
        detect::Output out;
        stage.observe(batch.events, now, out);
        stage.finish(out);
        (void)stage.take_partials();
        std::vector<Seen> seen;
        for (const Finding& finding : out.findings) {
            const bool known = std::ranges::any_of(seen, [&](const Seen& one) {
                return one.signal == finding.signal;
            });
            if (finding.failure_class == FailureClass::Context && !known) {
                seen.push_back({finding.signal, finding.step, finding.evidence});
            }
        }
        return seen;
    }

    void judge_plain(const intake::RecordedRun& run, const std::vector<Seen>& plain) {
        score.good += 1;
        score.flagged += plain.empty() ? 0 : 1;
        auto& [good, flagged] = score.sources[run.source];
        good += 1;
        flagged += plain.empty() ? 0 : 1;
        for (const Seen& one : plain) {
            score.flagged_by[one.signal] += 1;
            if (score.shown.size() < show) {
                score.shown.push_back(
                    run.id + " step " + std::to_string(one.step) + " " + one.signal + ": " +
                    one.evidence
                );
            }
        }
    }

    void judge_spliced(
        const intake::RecordedRun& run, const SpliceInfo& info, const std::vector<Seen>& plain
    ) {
        const auto spliced = splice(run, info.kind, *catalog, seed);
        if (!spliced) {
            return;
        }
        SpliceTally& tally = score.kinds[info.kind];
        const auto is_right = [&](const Seen& one) {
            return std::ranges::any_of(info.signals, [&](detect::SignalId id) {
                return detect::info_of(id).name == one.signal;
            });
        };
        tally.planted += 1;
        auto& [form_planted, form_found] = tally.forms[spliced->form];
        form_planted += 1;
        const std::vector<Seen> seen = play(spliced->run);
        bool found = false;
        bool in_class = false;
        bool elsewhere = std::ranges::any_of(plain, is_right);
        std::string told;
        for (const Seen& one : seen) {
            const bool exact = spliced->steps.contains(one.step);
            in_class = in_class || exact;
            found = found || (exact && is_right(one));
            elsewhere = elsewhere || (!exact && is_right(one));
            told += " " + one.signal + "@" + std::to_string(one.step) + ": " + one.evidence;
        }
        tally.found += found ? 1 : 0;
        tally.in_class += in_class ? 1 : 0;
        tally.elsewhere += elsewhere ? 1 : 0;
        form_found += found ? 1 : 0;
        if (found != info.fault && tally.shown.size() < show) {
            std::string steps;
            for (const std::uint32_t step : spliced->steps) {
                steps += " " + std::to_string(step);
            }
            tally.shown.push_back(run.id + " [" + spliced->form + "] steps" + steps + ";" + told);
        }
    }
};

SpliceJudge::SpliceJudge(
    const detect::Settings& settings, std::shared_ptr<const catalog::Catalog> catalog,
    std::uint64_t seed, std::size_t show
)
    : state_(new State{
          .settings = settings,
          .catalog = catalog,
          .seed = seed,
          .show = show,
          .stage = detect::SessionStage(settings, catalog),
          .score = {}}) {}

SpliceJudge::~SpliceJudge() = default;

void SpliceJudge::judge(const intake::RecordedRun& run) {
    const std::vector<Seen> plain = state_->play(run);
    state_->judge_plain(run, plain);
    for (const SpliceInfo& info : splice_table()) {
        state_->judge_spliced(run, info, plain);
    }
}

const SpliceScore& SpliceJudge::score() const noexcept {
    return state_->score;
}

namespace {

Result<void> judge_file(
    const std::string& file, const SpliceCommand& command, SpliceJudge& judge,
    cli::Terminal& terminal
) {
    cli::LineSource source = TAGOUT_TRY(cli::LineSource::open(file));
    cli::LineSource::Line line;
    while (TAGOUT_TRY(source.next(line))) {
        if (line.too_long || line.text.find_first_not_of(" \t\r") == std::string::npos) {
            continue;
        }
        const Result<intake::RecordedRun> run = intake::parse_recorded_run(line.text);
        if (!run) {
            terminal.note(
                file + ":" + std::to_string(line.number) + ": " + run.error().message + "; skipped"
            );
            continue;
        }
        const bool wanted = command.half == "all" || (command.half == "kept") == is_kept_back(*run);
        if (run->kind == intake::RecordKind::Run && wanted && is_good(*run)) {
            judge.judge(*run);
        }
    }
    return {};
}

json::object as_json(const SpliceScore& score) {
    json::object kinds;
    for (const SpliceInfo& info : splice_table()) {
        const auto tally = score.kinds.find(info.kind);
        if (tally == score.kinds.end()) {
            continue;
        }
        const SpliceTally& mine = tally->second;
        json::object forms;
        for (const auto& [form, counts] : mine.forms) {
            forms[form] = json::object{{"planted", counts.first}, {"found", counts.second}};
        }
        kinds[info.name] = json::object{
            {"fault", info.fault},
            {"planted", mine.planted},
            {"found", mine.found},
            {"in_class", mine.in_class},
            {"elsewhere", mine.elsewhere},
            {"precision", mine.precision()},
            {"recall", mine.recall()},
            {"f1", mine.f1()},
            {"forms", forms}};
    }
    json::object signals;
    for (const auto& [signal, count] : score.flagged_by) {
        signals[signal] = count;
    }
    return {
        {"good", score.good},
        {"flagged", score.flagged},
        {"flagged_by", signals},
        {"kinds", kinds}};
}

void print(const SpliceScore& score, cli::Terminal& terminal) {
    std::vector<std::vector<std::string>> rows;
    for (const SpliceInfo& info : splice_table()) {
        const auto tally = score.kinds.find(info.kind);
        if (tally == score.kinds.end()) {
            continue;
        }
        const SpliceTally& mine = tally->second;
        rows.push_back(
            {std::string(info.name),
             std::to_string(mine.planted),
             std::to_string(mine.found),
             std::to_string(mine.in_class),
             std::to_string(mine.elsewhere),
             info.fault ? fraction(mine.precision()) : "-",
             fraction(mine.recall()),
             info.fault ? fraction(mine.f1()) : "-"}
        );
    }
    terminal.line(cli::table(
        {"PLANTED", "N", "FOUND", "IN CLASS", "ELSEWHERE", "PRECISION", "RECALL", "F1"},
        rows,
        terminal.width()
    ));
    terminal.line(
        std::to_string(score.flagged) + " of " + std::to_string(score.good) +
        " good records flagged, " + percent(score.flagged, score.good)
    );
    for (const auto& [source, counts] : score.sources) {
        terminal.line(
            "  " + source + " " + std::to_string(counts.second) + " of " +
            std::to_string(counts.first) + ", " + percent(counts.second, counts.first)
        );
    }
    for (const auto& [signal, count] : score.flagged_by) {
        terminal.line(
            "  " + signal + " " + std::to_string(count) + ", " + percent(count, score.good)
        );
    }
}

void print_details(const SpliceScore& score, cli::Terminal& terminal) {
    for (const SpliceInfo& info : splice_table()) {
        const auto tally = score.kinds.find(info.kind);
        if (tally == score.kinds.end()) {
            continue;
        }
        terminal.line(std::string(info.name));
        for (const auto& [form, counts] : tally->second.forms) {
            terminal.line(
                "  " + form + ": " + std::to_string(counts.second) + " of " +
                std::to_string(counts.first)
            );
        }
        for (const std::string& text : tally->second.shown) {
            terminal.line("    " + text);
        }
    }
    for (const std::string& text : score.shown) {
        terminal.line("good: " + text);
    }
}

}  // namespace

Result<int> splice_command(const SpliceCommand& command, cli::Terminal& terminal) {
    if (command.half != "all" && command.half != "tuning" && command.half != "kept") {
        return fail(
            ErrorCode::InvalidArgument,
            "--half " + command.half + ": there are tuning, kept and all"
        );
    }
    app::Configured configured;
    if (!command.config.empty()) {
        configured = TAGOUT_TRY(app::load_config(command.config));
    }
    SpliceJudge judge(configured.detection, configured.catalog, command.seed, command.show);
    for (const std::string& file : command.files) {
        TAGOUT_TRY(judge_file(file, command, judge, terminal));
    }
    if (command.format != cli::Format::Table) {
        terminal.line(cli::rendered(as_json(judge.score()), command.format));
    } else {
        print(judge.score(), terminal);
        if (command.show > 0) {
            print_details(judge.score(), terminal);
        }
    }
    return judge.score().good > 0 ? 0 : 1;
}

}  // namespace tagout::rehearse
