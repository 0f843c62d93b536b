// Mode pin: which version whoever asks is given.
#include "contain/control_form.h"
#include "contain/control_rules.h"
#include "contain/decide.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tagout::contain {
namespace {

Control pin(const std::string& id, const std::string& scope, std::vector<std::string> versions) {
    Control made;
    made.id = ControlId(id);
    made.scope = parse_scope(scope).value_or(Scope{});
    made.mode = ControlMode::Pin;
    made.reason = "v4 forgets the limits";
    made.author = Actor("person:ann");
    made.terms.pin = std::move(versions);
    return made;
}

TEST(Pin, NamesTheVersionForWhomItCovers) {
    const std::vector<Control> controls{
        pin("CTL-1", "agent:desk", {"prompts/support@v3", "model-routes/main@v2"}),
        pin("CTL-2", "global", {"prompts/support@v1", "prompts/sales@v9"})};
    const auto snapshot = ControlSnapshot::build(controls, {}, 7).value();
    ToolCall call;
    call.kind = CallKind::Workflow;
    const auto version = [&](const char* agent, const char* family, const char* name) {
        call.agent = agent;
        const auto found = pinned(*snapshot, call, family, name);
        return found ? std::string(found->version) + " by " + found->by->id : "none";
    };
    EXPECT_EQ(version("desk", "prompts", "support"), "v3 by CTL-1") << "the older one";
    EXPECT_EQ(version("desk", "model-routes", "main"), "v2 by CTL-1");
    EXPECT_EQ(version("desk", "prompts", "sales"), "v9 by CTL-2");
    EXPECT_EQ(version("other", "prompts", "support"), "v1 by CTL-2");
    EXPECT_EQ(version("other", "model-routes", "main"), "none");
    EXPECT_EQ(version("other", "profiles", "support"), "none");
    EXPECT_EQ(decide(*snapshot, call).verdict, Verdict::Allow) << "it refuses nothing";
}

TEST(Pin, IsAppliedWhereVersionsAreAskedForAndCarriedWhole) {
    ControlDraft draft;
    draft.scope = *parse_scope("agent:desk");
    draft.mode = ControlMode::Pin;
    const By ann{Actor("person:ann"), "v4 forgets"};
    const auto refusal = [&] {
        const Result<void> checked = check_draft(draft, ann, {}, Instant{});
        return checked ? std::string() : checked.error().message;
    };
    EXPECT_NE(refusal().find("prompts/support@v3"), std::string::npos) << refusal();
    for (const char* const bad :
         {"support@v3", "prompts/support", "prompts/support@3", "prompts/support@v0", "prompts/@v1",
          "policies/p@v1", "prompts/s*@v1", "prompts/a@v99999999999", "prompts/a@latest"}) {
        draft.terms.pin = {bad};
        EXPECT_NE(refusal().find("names no version"), std::string::npos) << bad << ": " << refusal();
    }
    draft.terms.pin = {"prompts/a@v1", "prompts/a@v2"};
    EXPECT_NE(refusal().find("pinned twice"), std::string::npos);
    draft.terms.pin = {"prompts/a@v1"};
    EXPECT_EQ(refusal(), "");
    draft.scope = *parse_scope("tool:mail");
    EXPECT_NE(refusal().find("versions are asked for by agents"), std::string::npos);
    draft.scope = *parse_scope("agent:desk");
    draft.mode = ControlMode::Stopped;
    EXPECT_NE(refusal().find("pin belongs to mode pin"), std::string::npos);

    const Control whole = pin("CTL-3", "agent:desk", {"prompts/support@v3"});
    const auto read = control_of(form_of(whole), "control");
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, whole);
    boost::json::object without = form_of(whole);
    without.erase("pin");
    EXPECT_FALSE(control_of(without, "control").has_value());
}

}  // namespace
}  // namespace tagout::contain
