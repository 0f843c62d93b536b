#include "cli/policy_verbs.h"

#include "cli/json_text.h"

#include <boost/json.hpp>

namespace tagout::cli {

namespace {

namespace json = boost::json;

std::string verdict_of(const json::value& row) {
    const std::string verdict = field(row, "verdict");
    return field(row, "shadow") == "true" ? verdict + ", in shadow" : verdict;
}

void render_suggestion(const json::value& answer, Terminal& terminal) {
    terminal.line(field(answer, "policy"));
    for (const json::value& why : array_at(answer, "why")) {
        terminal.line("why: " + std::string(why.as_string()));
    }
    for (const json::value& call : array_at(answer, "calls")) {
        terminal.line(terminal.toned("call: " + std::string(call.as_string()), Tone::Dim));
    }
    if (const json::value* const backtest = answer.as_object().if_contains("backtest")) {
        render_backtest(*backtest, terminal);
    }
}

/// 1 where it would refuse calls because a condition has no answer: such a policy is not done.
int exit_of_backtest(const json::value& answer) { return field(answer, "faulted") == "0" ? 0 : 1; }

const VerbArgument since_argument{"since", "How far back, such as 1h (the default), 36h or 7d"};

}  // namespace

void render_backtest(const json::value& answer, Terminal& terminal) {
    terminal.line(field(answer, "sentence"));
    std::vector<std::vector<std::string>> rows;
    for (const json::value& row : array_at(answer, "rows")) {
        rows.push_back(
            {field(row, "tool"),
             field(row, "agent"),
             verdict_of(row),
             field(row, "calls"),
             field(row, "refused_then"),
             field(row, "decided_by")}
        );
    }
    if (!rows.empty()) {
        terminal.line(
            table({"TOOL", "AGENT", "VERDICT", "CALLS", "REFUSED THEN", "BY"}, rows, terminal.width())
        );
    }
    for (const json::value& each : array_at(answer, "examples")) {
        terminal.line(
            terminal.toned(
                field(each, "at") + "  " + field(each, "tool") + " " + field(each, "arguments"), Tone::Dim
            )
        );
    }
    for (const json::value& cut : array_at(answer, "cut")) {
        terminal.line(terminal.toned("not whole: " + std::string(cut.as_string()), Tone::Yellow));
    }
}

VerbGroup policy_verbs() {
    return {
        "policy",
        "Policies: checked, tested, tried on what has been",
        {ApiVerb{
             .name = "backtest",
             .help = "What a policy would have done to the calls of the last hours; changes nothing",
             .method = "POST",
             .path = "/v1/policies/backtest",
             .arguments =
                 {{"content", "A policy in YAML", ArgumentKind::File, true, true}, since_argument},
             .render = render_backtest,
             .exit_code = exit_of_backtest},
         ApiVerb{
             .name = "suggest",
             .help = "A rule that would have met an incident, with its back-test; a draft in shadow mode",
             .method = "GET",
             .path = "/v1/incidents/{incident}/policy",
             .arguments =
                 {{"incident", "The incident, such as INC-1", ArgumentKind::Text, true}, since_argument},
             .render = render_suggestion}}};
}

}  // namespace tagout::cli
