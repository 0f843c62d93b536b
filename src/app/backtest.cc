#include "app/backtest.h"

#include "contain/call_memory.h"
#include "contain/redactor.h"
#include "contain/unknown_arguments.h"
#include "intake/texts.h"

#include <boost/json.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

namespace tagout::app {

namespace {

namespace json = boost::json;

constexpr std::size_t example_bytes_max = 500;

ToolCall call_of(const verify::PastCall& past, const catalog::Catalog& catalog) {
    ToolCall call;
    call.tool = past.tool;
    call.agent = past.agent;
    call.workflow = past.workflow;
    call.session = past.session;
    call.user = past.user;
    call.tenant = past.tenant;
    call.environment = past.environment;
    call.prompt_version = past.prompt_version;
    call.arguments = past.arguments.empty() ? contain::unknown_arguments
                                            : std::string_view(past.arguments);
    call.now = past.at;
    if (const catalog::Tool* const tool = catalog.configured_tool(past.tool)) {
        call.server = tool->server;
    }
    contain::add_facts(catalog, call);
    return call;
}

bool refused(Verdict verdict) {
    return verdict == Verdict::Deny || verdict == Verdict::Escalate;
}

using RowKey = std::tuple<std::string, std::string, std::string, Verdict, bool>;

class Counter {
public:
    Counter(const contain::ControlSnapshot& candidate, Backtest& result)
        : candidate_(candidate), result_(result) {}

    void add(const verify::PastCall& call, const Decision& decision) {
        ++result_.calls;
        if (decision.read_arguments && call.arguments.empty()) {
            ++result_.unsure;
        }
        const bool then = refused(call.verdict);
        if (refused(decision.verdict)) {
            ++(decision.verdict == Verdict::Deny ? result_.denied : result_.asked);
            result_.faulted += decision.faulted ? 1 : 0;
            result_.newly += then ? 0 : 1;
            row(call, *decision.by, decision.verdict, false, then);
        } else if (decision.redactions != 0 && is_changed(call, decision.redactions)) {
            ++result_.changed;
            row(call, *decision.by, decision.verdict, false, then);
        }
        if (decision.shadow != nullptr) {
            ++result_.shadow;
            row(call, *decision.shadow, decision.verdict, true, then);
        }
    }

    void finish() {
        for (auto& [key, row] : rows_) {
            result_.rows.push_back(std::move(row));
        }
        std::ranges::stable_sort(result_.rows, std::ranges::greater(), &BacktestRow::calls);
        if (result_.rows.size() > backtest_rows_max) {
            result_.cut.push_back(
                std::to_string(result_.rows.size() - backtest_rows_max) +
                " rows with fewer calls are left out"
            );
            result_.rows.resize(backtest_rows_max);
        }
    }

private:
    /// Whether its arguments hold what would be taken out. Those that nobody recorded are unsure.
    bool is_changed(const verify::PastCall& call, std::uint64_t redactions) {
        bool holds = false;
        bool asks = false;
        for (std::size_t bit = 0; bit < contain::ControlSnapshot::redactors_max; ++bit) {
            if ((redactions >> bit & 1) == 0) {
                continue;
            }
            const contain::Redactor& redactor = candidate_.redactor(bit);
            result_.results_unseen |= redactor.where() != RedactWhere::Arguments;
            if (redactor.where() != RedactWhere::Results) {
                asks = true;
                holds = holds || redactor.redacted(call.arguments).has_value();
            }
        }
        result_.unsure += asks && call.arguments.empty() ? 1 : 0;
        return holds;
    }

    void row(
        const verify::PastCall& call, const DecidedBy& by, Verdict verdict, bool shadow, bool then
    ) {
        BacktestRow& row = rows_[RowKey(call.tool, call.agent, by.id, verdict, shadow)];
        if (row.calls == 0) {
            row = {call.tool, call.agent, by.id, verdict, shadow, 0, 0};
        }
        ++row.calls;
        row.refused_then += then ? 1 : 0;
        // One of each kind first shows more than twenty of the same.
        if (row.calls == 1 && result_.examples.size() < backtest_examples_max) {
            result_.examples.push_back(
                {call.at, call.tool, call.agent, call.session,
                 std::string(intake::clipped(call.arguments, example_bytes_max)), by.id, verdict, shadow,
                 by.reason_for_person}
            );
        }
    }

    const contain::ControlSnapshot& candidate_;
    Backtest& result_;
    std::map<RowKey, BacktestRow> rows_;
};

}  // namespace

Backtest backtest(
    const contain::ControlSnapshot& candidate, const catalog::Catalog& catalog,
    const verify::PastCalls& past, Instant from, Instant to
) {
    Backtest result;
    result.from = from;
    result.to = to;
    result.unreadable = past.unreadable;
    result.cut = past.cut;
    if (candidate.has_request_rules()) {
        result.cut.emplace_back(
            "rules about requests to models and workflows are not tried: only calls of tools are recorded"
        );
    }
    contain::CallMemory memory;
    Counter counter(candidate, result);
    for (const verify::PastCall& each : past.calls) {
        counter.add(each, contain::admit(candidate, call_of(each, catalog), memory));
    }
    counter.finish();
    return result;
}

std::string sentence_of(const Backtest& result) {
    const auto calls = [](std::uint64_t count) {
        return std::to_string(count) + (count == 1 ? " call" : " calls");
    };
    const std::string stretch = " in the last " + to_text(result.to - result.from);
    if (result.calls == 0) {
        return "No tool calls were seen" + stretch + ".";
    }
    std::string text = "Of " + calls(result.calls) + stretch + ", " + std::to_string(result.denied) +
                       " would have been denied and " + std::to_string(result.asked) +
                       " would have waited for a person";
    text += result.denied + result.asked == 0
                ? "."
                : "; " + std::to_string(result.newly) + " of these passed then.";
    if (result.changed > 0 || result.results_unseen) {
        text += " " + calls(result.changed) + " would have passed with something taken out of the arguments" +
                (result.results_unseen ? "; results were not looked at." : ".");
    }
    if (result.shadow > 0) {
        text += " Shadow rules would have recorded " + calls(result.shadow) + ".";
    }
    if (result.faulted > 0) {
        text += " " + calls(result.faulted) +
                " would be refused because a condition has no answer: test optional arguments with has().";
    }
    if (result.unsure > 0) {
        text += " Of " + calls(result.unsure) +
                " the arguments that a rule asks for were not recorded: those are unsure.";
    }
    return text;
}

json::object tree_of(const Backtest& result) {
    json::array rows;
    for (const BacktestRow& row : result.rows) {
        rows.push_back({
            {"tool", row.tool},
            {"agent", row.agent},
            {"decided_by", row.by},
            {"verdict", name_of(row.verdict)},
            {"shadow", row.shadow},
            {"calls", row.calls},
            {"refused_then", row.refused_then},
        });
    }
    json::array examples;
    for (const BacktestExample& each : result.examples) {
        examples.push_back({
            {"at", to_rfc3339(each.at)},
            {"tool", each.tool},
            {"agent", each.agent},
            {"correlation", each.session},
            {"arguments", each.arguments},
            {"decided_by", each.by},
            {"verdict", name_of(each.verdict)},
            {"shadow", each.shadow},
            {"reason", each.reason},
        });
    }
    json::array cut;
    for (const std::string& each : result.cut) {
        cut.emplace_back(each);
    }
    return {
        {"sentence", sentence_of(result)},
        {"from", to_rfc3339(result.from)},
        {"to", to_rfc3339(result.to)},
        {"calls", result.calls},
        {"denied", result.denied},
        {"asked", result.asked},
        {"changed", result.changed},
        {"newly_refused", result.newly},
        {"shadow", result.shadow},
        {"faulted", result.faulted},
        {"unsure", result.unsure},
        {"unreadable", result.unreadable},
        {"rows", std::move(rows)},
        {"examples", std::move(examples)},
        {"cut", std::move(cut)},
    };
}

}  // namespace tagout::app
