#include "recover/journey_json.h"

#include "recover/entry_text.h"

#include <boost/json.hpp>

namespace tagout::recover {

namespace json = boost::json;

namespace {

json::object facts_of(const JourneyRun& run) {
    json::object tree{
        {"journey", run.journey},
        {"passed", run.passed},
        {"steps", run.steps},
        {"sentence", run.sentence}};
    if (run.failed_step > 0) {
        tree["failed_step"] = run.failed_step;
    }
    put_text(tree, "expected", run.expected);
    put_text(tree, "seen", run.seen);
    return tree;
}

}  // namespace

json::object tree_of(const JourneyRun& run) {
    json::object tree = facts_of(run);
    tree["at"] = to_rfc3339(run.at);
    tree["duration_ms"] = std::chrono::duration<double, std::milli>(run.took).count();
    tree["actor"] = run.actor.text();
    tree["current"] = run.current;
    return tree;
}

json::object tree_of(const JourneyView& view) {
    json::array tools;
    for (const ToolName& tool : view.journey.tools) {
        tools.emplace_back(tool.text());
    }
    json::array steps;
    for (const catalog::JourneyStep& each : view.journey.steps) {
        steps.push_back(json::object{
            {"kind", each.kind},
            {"request", each.request},
            {"expect", json::array(each.expect.begin(), each.expect.end())}});
    }
    json::array runs;
    for (const JourneyRun& run : view.runs) {
        runs.push_back(tree_of(run));
    }
    return json::object{
        {"name", view.journey.name},
        {"tools", std::move(tools)},
        {"steps", std::move(steps)},
        {"runs", std::move(runs)}};
}

std::string body_of(const JourneyRun& run) {
    json::object body = facts_of(run);
    body["took_ns"] = run.took.count();
    body["definition"] = run.definition;
    return json::serialize(body);
}

std::optional<JourneyRun> run_of(const journal::JournalEntry& entry) {
    const std::optional<json::object> body = object_of(entry.draft.body);
    if (!body) {
        return std::nullopt;
    }
    const json::value* const passed = body->if_contains("passed");
    JourneyRun run;
    run.journey = text_at(*body, "journey");
    if (run.journey.empty() || passed == nullptr || !passed->is_bool()) {
        return std::nullopt;
    }
    run.passed = passed->get_bool();
    run.at = entry.draft.occurred_at;
    run.took = Duration(static_cast<std::int64_t>(number_at(*body, "took_ns")));
    run.actor = entry.draft.actor;
    run.steps = number_at(*body, "steps");
    run.failed_step = number_at(*body, "failed_step");
    run.expected = text_at(*body, "expected");
    run.seen = text_at(*body, "seen");
    run.sentence = text_at(*body, "sentence");
    run.definition = text_at(*body, "definition");
    return run;
}

}  // namespace tagout::recover
