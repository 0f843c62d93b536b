#include "verify/decision_words.h"
#include "verify/ledger.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tagout::verify {

namespace {

namespace json = boost::json;

constexpr std::size_t cut_shown_max = 20;

void put(json::object& to, std::string_view name, const std::string& text) {
    if (!text.empty()) {
        to[name] = text;
    }
}

json::object tree_of(const LedgerRow& row) {
    json::object out{
        {"at", to_rfc3339(row.at)},
        {"tool", row.tool},
        {"correlation", row.correlation},
        {"effect", name_of(row.effect)},
        {"effect_inferred", !row.effect_configured},
        {"reversibility", name_of(row.reversibility)},
        {"source", name_of(row.source)},
        {"outcome", name_of(row.outcome)},
        {"session_outcome", name_of(row.session_outcome)},
        {"state", name_of(row.state)},
        {"suspect", row.suspect()},
    };
    put(out, "agent", row.agent);
    put(out, "workflow", row.workflow);
    put(out, "user", row.user);
    put(out, "trace_id", row.trace_id);
    put(out, "span_id", row.span_id);
    put(out, "tool_call_id", row.tool_call_id);
    put(out, "arguments", row.arguments);
    put(out, "result", row.result);
    if (row.clipped) {
        out["clipped"] = true;
    }
    put(out, "prompt_version", row.prompt_version);
    put(out, "policy", row.policy);
    put(out, "route", row.route);
    put(out, "decided_by", row.decided_by);
    json::array reasons;
    for (const std::string& reason : row.reasons) {
        reasons.push_back(json::string(reason));
    }
    out["reasons"] = std::move(reasons);
    out["verdict_today"] = verdict_name(row.verdict_today);
    put(out, "verdict_reason", row.verdict_reason);
    put(out, "compensating_tool", row.compensating_tool);
    return out;
}

std::string counted(std::uint64_t count, const std::string& one, const std::string& many) {
    return std::to_string(count) + " " + (count == 1 ? one : many);
}

}  // namespace

std::string sentence_of(const Ledger& ledger) {
    std::string text =
        counted(ledger.calls, "call that writes or sends", "calls that write or send") +
        " in the incident's window";
    if (ledger.calls == 0) {
        text = "No call that writes or sends was seen in the incident's window";
    } else if (ledger.suspects == 0) {
        text += ", nothing speaks against any of them";
    } else {
        const LedgerTotal& lasting =
            ledger.totals[static_cast<std::size_t>(Reversibility::Irreversible)];
        text += ", " + counted(ledger.suspects, "is suspect", "are suspect");
        if (lasting.suspects > 0) {
            text += " (" + std::to_string(lasting.suspects) + " cannot be taken back)";
        }
    }
    std::uint64_t unknown = 0;
    for (const LedgerTotal& total : ledger.totals) {
        unknown += total.unknown;
    }
    if (unknown > 0) {
        text += "; of " + std::to_string(unknown) + " nobody knows whether it was done";
    }
    if (ledger.unreadable > 0) {
        text += "; " + counted(ledger.unreadable, "stored item", "stored items") +
                " could not be read, a write may be among them";
    }
    for (std::size_t i = 0; i < std::min(ledger.cut.size(), cut_shown_max); ++i) {
        text += "; INCOMPLETE: " + ledger.cut[i];
    }
    return text + ".";
}

json::object tree_of(const Ledger& ledger, LedgerRows which, std::size_t limit) {
    json::array rows;
    bool more = false;
    for (const LedgerRow& row : ledger.rows) {
        if (which == LedgerRows::Suspect && !row.suspect()) {
            continue;
        }
        if (rows.size() >= limit) {
            more = true;
            break;
        }
        rows.push_back(tree_of(row));
    }
    json::array totals;
    for (std::size_t i = 0; i < ledger.totals.size(); ++i) {
        const LedgerTotal& total = ledger.totals[i];
        if (total.calls > 0) {
            totals.push_back(json::object{
                {"reversibility", name_of(static_cast<Reversibility>(i))},
                {"calls", total.calls},
                {"suspects", total.suspects},
                {"failed", total.failed},
                {"unknown", total.unknown}});
        }
    }
    return {
        {"incident", ledger.incident.text()},
        {"from", to_rfc3339(ledger.from)},
        {"to", to_rfc3339(ledger.to)},
        {"judged_at", to_rfc3339(ledger.judged_at)},
        {"sentence", sentence_of(ledger)},
        {"calls", ledger.calls},
        {"suspects", ledger.suspects},
        {"totals", std::move(totals)},
        {"truncated", more || !ledger.cut.empty()},
        {"unreadable", ledger.unreadable},
        {"rows", std::move(rows)},
    };
}

}  // namespace tagout::verify
