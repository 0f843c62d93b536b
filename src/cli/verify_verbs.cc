#include "cli/verify_verbs.h"

#include "cli/json_text.h"

#include <boost/json.hpp>

namespace tagout::cli {

namespace {

namespace json = boost::json;

std::vector<std::string> reasons_of(const json::value& row) {
    std::vector<std::string> out;
    const json::value* const reasons =
        row.is_object() ? row.as_object().if_contains("reasons") : nullptr;
    if (reasons != nullptr && reasons->is_array()) {
        for (const json::value& reason : reasons->as_array()) {
            out.emplace_back(reason.is_string() ? reason.as_string() : json::string());
        }
    }
    return out;
}

void render_ledger(const json::value& answer, Terminal& terminal) {
    terminal.line(terminal.toned(field(answer, "sentence"), Tone::Bold));
    std::vector<std::vector<std::string>> rows;
    for (const json::value& row : array_at(answer, "rows")) {
        const std::string undo = field(row, "compensating_tool");
        rows.push_back(
            {field(row, "suspect") == "true" ? "!" : "",
             short_time(field(row, "at"), field(answer, "judged_at")),
             field(row, "tool"),
             field(row, "agent"),
             field(row, "state"),
             field(row, "reversibility") + (undo.empty() ? "" : " by " + undo),
             field(row, "verdict_today"),
             field(row, "arguments")}
        );
    }
    if (!rows.empty()) {
        terminal.line(table(
            {"", "AT", "TOOL", "AGENT", "STATE", "TAKEN BACK", "TODAY", "ARGUMENTS"},
            rows,
            terminal.width()
        ));
    }
    for (const json::value& row : array_at(answer, "rows")) {
        const std::vector<std::string> reasons = reasons_of(row);
        if (reasons.empty()) {
            continue;
        }
        terminal.line(terminal.toned(
            "! " + short_time(field(row, "at"), field(answer, "judged_at")) + " " +
                field(row, "tool") + " of " + field(row, "correlation"),
            Tone::Yellow
        ));
        for (const std::string& reason : reasons) {
            terminal.line("    " + reason);
        }
    }
}

}  // namespace

VerbGroup ledger_verbs() {
    return {
        "",
        "",
        {ApiVerb{
            .name = "ledger",
            .help = "What an incident's agents wrote meanwhile, and what speaks against each call",
            .method = "GET",
            .path = "/v1/incidents/{incident}/ledger",
            .arguments =
                {{"incident", "The incident, such as INC-1", ArgumentKind::Text, true},
                 {"suspect", "Only calls that something speaks against", ArgumentKind::Flag},
                 {"limit", "At most so many", ArgumentKind::Number}},
            .render = render_ledger,
        }}};
}

VerbGroup evidence_verbs() {
    return {
        "evidence",
        "Sealed evidence packs: one signed file that proves itself",
        {ApiVerb{
             .name = "export",
             .help = "Seal an incident's evidence into one signed file",
             .method = "POST",
             .path = "/v1/incidents/{id}/evidence",
             .arguments =
                 {{"id", "The incident, such as INC-1", ArgumentKind::Text, true, true},
                  {"file", "Where to write the pack", ArgumentKind::Text, true, false, "-o,--out"},
                  {"reason", "What it is for"},
                  as_argument},
             .save_to = "file",
         },
         ApiVerb{
             .name = "key",
             .help = "The public key that this server signs packs with",
             .method = "GET",
             .path = "/v1/evidence/key",
         }}};
}

}  // namespace tagout::cli
