#include "app/replay_output.h"

#include "cli/json_text.h"

#include <boost/json.hpp>

#include <algorithm>
#include <vector>

namespace tagout::app {

namespace {

namespace json = boost::json;

}  // namespace

void ReplayTally::count(const Finding& finding) {
    ++findings;
    ++by_signal[std::string(name_of(finding.failure_class)) + " " + finding.signal];
}

std::string finding_line(const Finding& finding, const std::string& record) {
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
    return json::serialize(line);
}

std::string at_line(const std::string& file, std::uint64_t line) {
    return file + ":" + std::to_string(line) + ": ";
}

void show_progress(
    const cli::LineSource& source, const std::string& file, std::uint64_t records,
    std::uint64_t findings, cli::Terminal& terminal
) {
    constexpr std::uint64_t bar_columns = 30;
    const std::uint64_t size = std::max<std::uint64_t>(source.size(), 1);
    const std::uint64_t share = std::min<std::uint64_t>(source.consumed() * 100 / size, 100);
    std::string bar(share * bar_columns / 100, '#');
    bar.append(bar_columns - bar.size(), '.');
    terminal.progress(
        file + " [" + bar + "] " + std::to_string(share) + "%  " + std::to_string(records) +
        " records, " + std::to_string(findings) + " findings"
    );
}

void print_summary(const ReplayTally& tally, cli::Format format, cli::Terminal& terminal) {
    if (format != cli::Format::Table) {
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
        if (count == 0) {
            continue;
        }
        rows.push_back({"session " + std::string(name_of(outcome)), std::to_string(count)});
    }
    for (const auto& [signal, count] : tally.by_signal) {
        rows.push_back({signal, std::to_string(count)});
    }
    if (!rows.empty()) {
        terminal.note(cli::table({"WHAT", "COUNT"}, rows, terminal.width()));
    }
}

}  // namespace tagout::app
