#include "cli/prevent_verbs.h"

#include "cli/api_client.h"
#include "cli/json_text.h"
#include "cli/line_source.h"
#include "prevent/junit.h"

#include <boost/json.hpp>

#include <filesystem>
#include <fstream>

namespace tagout::cli {

namespace {

namespace json = boost::json;

constexpr std::size_t bundle_bytes_max = 900 * 1024;  ///< The API takes bodies of 1 MiB.

std::string day(const json::value& row, std::string_view name) { return field(row, name).substr(0, 10); }

void print_table(
    const std::vector<std::string>& heads, const std::vector<std::vector<std::string>>& rows,
    std::string_view nothing, Terminal& terminal
) {
    terminal.line(rows.empty() ? std::string(nothing) : table(heads, rows, terminal.width()));
}

void show_cases(const json::value& answer, Terminal& terminal) {
    std::vector<std::vector<std::string>> rows;
    for (const json::value& row : array_at(answer, "regressions")) {
        rows.push_back(
            {field(row, "id"),
             field(row, "incident"),
             field(row, "class"),
             field(row, "agent"),
             field(row, "versions.prompt"),
             field(row, "harmful_calls"),
             field(row, "title")}
        );
    }
    print_table(
        {"CASE", "INCIDENT", "CLASS", "AGENT", "PROMPT", "CALLS", "TITLE"},
        rows,
        "no regression cases; tagout regressions create INC-N makes one",
        terminal
    );
}

void show_reviews(const json::value& answer, Terminal& terminal) {
    std::vector<std::vector<std::string>> rows;
    for (const json::value& row : array_at(answer, "reviews")) {
        rows.push_back(
            {field(row, "incident"),
             field(row, "severity"),
             field(row, "state"),
             day(row, "published_at"),
             field(row, "title")}
        );
    }
    print_table(
        {"INCIDENT", "SEVERITY", "STATE", "PUBLISHED", "TITLE"}, rows, "no reviews yet", terminal
    );
}

void show_review(const json::value& answer, Terminal& terminal) {
    terminal.line(field(answer, "markdown"));
    for (const json::value& part : array_at(answer, "missing")) {
        terminal.line("missing " + field(part, "what") + ": " + field(part, "remedy"));
    }
}

std::vector<std::string> action_cells(const json::value& row) {
    return {
        field(row, "id"),
        field(row, "incident"),
        field(row, "kind"),
        field(row, "owner"),
        day(row, "due"),
        field(row, "overdue") == "true" ? "OVERDUE" : field(row, "state"),
        field(row, "title")};
}

void show_actions(const json::value& answer, Terminal& terminal) {
    std::vector<std::vector<std::string>> rows;
    for (const json::value& row : array_at(answer, "actions")) {
        rows.push_back(action_cells(row));
    }
    print_table(
        {"ACTION", "INCIDENT", "KIND", "OWNER", "DUE", "STATE", "TITLE"}, rows, "no actions", terminal
    );
}

void show_action(const json::value& answer, Terminal& terminal) {
    terminal.line(table(
        {"ACTION", "INCIDENT", "KIND", "OWNER", "DUE", "STATE", "TITLE"},
        {action_cells(answer)},
        terminal.width()
    ));
}

prevent::Judgement judgement_of(std::string_view name) {
    return name == "pass"   ? prevent::Judgement::Pass
           : name == "fail" ? prevent::Judgement::Fail
                            : prevent::Judgement::Inconclusive;
}

std::vector<prevent::Check> checks_of(const json::value& answer) {
    std::vector<prevent::Check> checks;
    for (const json::value& row : array_at(answer, "checks")) {
        checks.push_back(
            {field(row, "name"), judgement_of(field(row, "verdict")), field(row, "sentence")}
        );
    }
    return checks;
}

void show_gate(const json::value& answer, Terminal& terminal) {
    terminal.line(terminal.toned(
        field(answer, "verdict") + ": " + field(answer, "sentence"), Tone::Bold
    ));
    // Lines and no table: a sentence ends in its remedy, which a narrow column would cut off.
    for (const json::value& row : array_at(answer, "checks")) {
        terminal.line(
            "  " + field(row, "verdict") + "  " + field(row, "name") + ": " + field(row, "sentence")
        );
    }
}

constexpr VerbArgument incident_argument{
    "id", "The incident, such as INC-1", ArgumentKind::Text, true, true};
constexpr VerbArgument why_argument{"reason", "Why"};

std::vector<VerbArgument> with_review_fields() {
    return {
        incident_argument,
        {"summary", "What happened to whom, in three sentences"},
        {"impact", "Who was hurt, how much and how long"},
        {"detection", "How it was noticed, and how it could have been sooner"},
        {"proximate_trigger", "What set it off that day"},
        {"systemic_gap", "Why the system let that trigger become an incident"},
        {"went_well", "What made it smaller or shorter"},
        {"went_badly", "What made it bigger or longer"},
        {"got_lucky", "What could have made it worse"},
        {"lessons", "What others should know"},
        why_argument,
        as_argument};
}

}  // namespace

VerbGroup regression_verbs() {
    return {
        "regressions",
        "Regression cases: what must not happen again, as files for CI",
        {ApiVerb{
             .name = "create",
             .help = "Make a case of what was recorded of an incident",
             .method = "POST",
             .path = "/v1/incidents/{id}/regressions",
             .arguments =
                 {incident_argument,
                  reason_argument,
                  {"must_not",
                   "JSON file that says what must not happen; without it what the findings point at",
                   ArgumentKind::File},
                  {"file", "Where to write the case", ArgumentKind::Text, false, false, "-o,--out"},
                  as_argument},
             .save_to = "file",
         },
         ApiVerb{
             .name = "list",
             .help = "Cases, newest first",
             .method = "GET",
             .path = "/v1/regressions",
             .arguments = {{"agent", "Of one agent only"}, {"incident", "Of one incident only"}},
             .render = show_cases,
         },
         ApiVerb{
             .name = "show",
             .help = "One whole case",
             .method = "GET",
             .path = "/v1/regressions/{id}",
             .arguments =
                 {{"id", "The case, such as REG-1", ArgumentKind::Text, true, true},
                  {"file", "Where to write the case", ArgumentKind::Text, false, false, "-o,--out"}},
             .save_to = "file",
         }}};
}

VerbGroup suite_verbs() {
    return {
        "suites",
        "Prompt-injection test suites: tell the server what they found",
        {ApiVerb{
            .name = "report",
            .help = "Report one run of a suite; failed tests open an incident",
            .method = "POST",
            .path = "/v1/suites/results",
            .arguments =
                {{"agent", "The agent that was tested", ArgumentKind::Text, true},
                 {"suite", "Name of the suite", ArgumentKind::Text, true},
                 {"run", "Name of the run, such as the build's; reported twice it counts once"},
                 {"junit", "JUnit XML file", ArgumentKind::File},
                 {"tests", "JSON file: a list of {name, passed, message}", ArgumentKind::File},
                 as_argument},
        }}};
}

VerbGroup review_verbs() {
    return {
        "review",
        "Reviews: what an incident taught",
        {ApiVerb{
             .name = "new",
             .help = "Begin a review, filled in from the incident",
             .method = "POST",
             .path = "/v1/incidents/{id}/review",
             .arguments = {incident_argument, why_argument, as_argument},
             .render = show_review,
         },
         ApiVerb{
             .name = "show",
             .help = "The review as Markdown, and what is still missing",
             .method = "GET",
             .path = "/v1/incidents/{id}/review",
             .arguments = {incident_argument},
             .render = show_review,
         },
         ApiVerb{
             .name = "set",
             .help = "Write fields of a draft",
             .method = "POST",
             .path = "/v1/incidents/{id}/review",
             .arguments = with_review_fields(),
             .render = show_review,
         },
         ApiVerb{
             .name = "publish",
             .help = "Publish it; refused while something is missing, with every remedy",
             .method = "POST",
             .path = "/v1/incidents/{id}/review/publish",
             .arguments = {incident_argument, why_argument, as_argument},
             .render = show_review,
         },
         ApiVerb{
             .name = "list",
             .help = "Reviews, newest first",
             .method = "GET",
             .path = "/v1/reviews",
             .render = show_reviews,
         }}};
}

VerbGroup action_verbs() {
    return {
        "actions",
        "Corrective actions, tracked to closure",
        {ApiVerb{
             .name = "list",
             .help = "Actions, open ones first, by due date",
             .method = "GET",
             .path = "/v1/actions",
             .arguments =
                 {{"incident", "Of one incident only"}, {"state", "open, closed, overdue or all"}},
             .render = show_actions,
         },
         ApiVerb{
             .name = "add",
             .help = "Add an action to an incident",
             .method = "POST",
             .path = "/v1/actions",
             .arguments =
                 {{"incident", "The incident, such as INC-1", ArgumentKind::Text, true, true},
                  {"title", "What will be done", ArgumentKind::Text, true, true},
                  {"kind", "prevent, mitigate or detect", ArgumentKind::Text, true},
                  {"owner", "Who does it", ArgumentKind::Text, true},
                  {"due", "RFC 3339 time by which it is done", ArgumentKind::Text, true},
                  why_argument,
                  as_argument},
             .render = show_action,
         },
         ApiVerb{
             .name = "close",
             .help = "Close an action with the evidence that it was done",
             .method = "POST",
             .path = "/v1/actions/{id}/close",
             .arguments =
                 {{"id", "The action, such as ACT-1", ArgumentKind::Text, true, true},
                  {"evidence", "What shows that it was done", ArgumentKind::Text, true},
                  why_argument,
                  as_argument},
             .render = show_action,
         }}};
}

Result<int> ask_gate(const Common& common, const GateOptions& options, Terminal& terminal) {
    ApiClient api(connection(common.connection));
    std::string body;
    std::error_code ignored;
    if (!options.bundle.empty() && std::filesystem::is_regular_file(options.bundle, ignored)) {
        json::object request{
            {"bundle", TAGOUT_TRY(read_whole(options.bundle, bundle_bytes_max))}};
        if (!options.agent.empty()) {
            request["agent"] = options.agent;
        }
        body = TAGOUT_TRY(api.post("/v1/gate", json::serialize(request)));
    } else {
        body = TAGOUT_TRY(api.get(
            "/v1/gate?agent=" + url_encode(options.agent) + "&bundle=" + url_encode(options.bundle)
        ));
    }
    const json::value answer = TAGOUT_TRY(parse_answer(body));
    if (!options.junit.empty()) {
        std::ofstream out(options.junit, std::ios::trunc);
        out << prevent::junit_xml("tagout gate", checks_of(answer));
        out.flush();
        if (!out) {
            return fail(ErrorCode::InvalidArgument, options.junit + ": cannot be written");
        }
    }
    if (common.format == Format::Table) {
        show_gate(answer, terminal);
    } else {
        terminal.line(rendered(answer, common.format));
    }
    return prevent::exit_code_of(judgement_of(field(answer, "verdict")));
}

}  // namespace tagout::cli
