#include "app/policy_answer.h"

#include "contain/policy.h"

namespace tagout::app {

namespace {

/// The facts of a tool: as configured, else as they were when the case was made.
void add_facts_of(
    const prevent::JudgedCall& judged, const catalog::Catalog& catalog, ToolCall& call
) {
    const prevent::RecordedTool* const recorded = judged.regression.tool(judged.call.name);
    const catalog::Tool* const configured = catalog.configured_tool(judged.call.name);
    if (recorded != nullptr && configured == nullptr) {
        call.effect = recorded->effect;
        call.risk = recorded->risk;
        call.server = recorded->server;
        return;
    }
    contain::add_facts(catalog, call);
    if (configured != nullptr) {
        call.server = configured->server;
    }
}

prevent::CallAnswer answer(
    const contain::ControlSnapshot& snapshot, const catalog::Catalog& catalog,
    const prevent::JudgedCall& judged
) {
    ToolCall call;
    call.tool = judged.call.name;
    call.agent = judged.regression.agent.text();
    call.workflow = judged.regression.workflow.text();
    call.environment = judged.regression.environment;
    call.session = judged.session.run.id;
    call.prompt_version = judged.session.versions.prompt;
    call.arguments = judged.call.arguments;
    call.now = judged.regression.created_at;
    add_facts_of(judged, catalog, call);
    const Decision decision = contain::decide(snapshot, call);
    return {
        decision.verdict,
        decision.by == nullptr ? std::string() : decision.by->id,
        decision.shadow == nullptr ? std::string() : decision.shadow->id};
}

Result<AnswerCall> compile(
    std::span<const PolicyText> texts, std::shared_ptr<const catalog::Catalog> catalog
) {
    std::vector<contain::Policy> policies;
    for (const PolicyText& text : texts) {
        Result<contain::Policy> policy = contain::parse_policy(text.name, text.version, text.yaml);
        if (!policy) {
            return fail(
                policy.error().code, "policy " + text.name + ": " + policy.error().message
            );
        }
        policies.push_back(std::move(*policy));
    }
    std::shared_ptr<const contain::ControlSnapshot> snapshot =
        TAGOUT_TRY(contain::ControlSnapshot::build({}, policies, 0));
    return AnswerCall(
        [snapshot = std::move(snapshot), catalog = std::move(catalog)](
            const prevent::JudgedCall& judged
        ) { return answer(*snapshot, *catalog, judged); }
    );
}

}  // namespace

CompilePolicies compile_policies() { return compile; }

}  // namespace tagout::app
