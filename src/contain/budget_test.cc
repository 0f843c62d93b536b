// Mode budget: what is counted, when it refuses, against the plain reference, and over a restart.
#include "base/prng.h"
#include "contain/call_memory.h"
#include "contain/control_form.h"
#include "contain/control_rules.h"
#include "contain/decide_reference.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include <array>

namespace tagout::contain {
namespace {

const Instant start{std::chrono::hours(24 * 365 * 50)};

Control budget(const std::string& id, const std::string& scope, const std::string& text, LimitKey key) {
    Control made;
    made.id = ControlId(id);
    made.scope = parse_scope(scope).value_or(Scope{});
    made.mode = ControlMode::Budget;
    made.reason = "it runs away";
    made.author = Actor("person:ann");
    made.since = start;
    EXPECT_TRUE(parse_budget(text, made.terms)) << text;
    made.terms.key = key;
    return made;
}

std::shared_ptr<const ControlSnapshot> snapshot_of(const std::vector<Control>& controls) {
    return ControlSnapshot::build(controls, {}, 7).value();
}

ToolCall model_call(const char* session, Instant now) {
    ToolCall call;
    call.kind = CallKind::Model;
    call.agent = "bot";
    call.model = "gpt-5";
    call.session = session;
    call.now = now;
    return call;
}

TEST(Budget, IsReadAsItIsWritten) {
    struct Row {
        const char* text;
        const char* again;  ///< "" if it is none.
    };
    const Row rows[] = {
        {"200000 tokens/1d", "200000 tokens/1d"},
        {"200000tokens", "200000 tokens"},
        {"5usd/1h", "5.00 usd/1h"},
        {"0.000001 usd", "0.000001 usd"},
        {"2.5 usd/31d", "2.50 usd/31d"},
        {"0 tokens", ""},
        {"1.5 tokens", ""},
        {"5", ""},
        {"usd", ""},
        {"-5 usd", ""},
        {"5. usd", ""},
        {"0.0000001 usd", ""},
        {"5 usd/1s", ""},
        {"5 usd/32d", ""},
        {"5 usd/", ""},
        {"999999999999 usd", ""},
        {"99999999999999999999999 tokens", ""},
    };
    for (const Row& row : rows) {
        EffectTerms terms;
        const bool read = parse_budget(row.text, terms);
        EXPECT_EQ(read, *row.again != '\0') << row.text;
        EXPECT_EQ(read ? budget_text(terms) : "", row.again) << row.text;
        EXPECT_TRUE(read || terms == EffectTerms{}) << "nothing is half read: " << row.text;
    }
}

TEST(Budget, RefusesEveryCallOnceItIsSpentAndSaysWhy) {
    const auto snapshot = snapshot_of({budget("CTL-1", "agent:bot", "100 tokens/1h", LimitKey::Session)});
    CallMemory memory;
    ToolCall call = model_call("a", start);
    EXPECT_EQ(admit(*snapshot, call, memory).budgets, budget_bit(BudgetUnit::Tokens));
    spend(*snapshot, call, {99, 0, false}, memory);
    EXPECT_EQ(admit(*snapshot, call, memory).verdict, Verdict::Allow) << "one is left";
    spend(*snapshot, call, {40, 0, true}, memory);
    const Decision refused = admit(*snapshot, call, memory);
    ASSERT_EQ(refused.verdict, Verdict::Deny);
    EXPECT_EQ(refused.by->id, "CTL-1");
    EXPECT_TRUE(refused.spent_estimated);
    EXPECT_NE(refused.by->reason_for_model.find("100 tokens/1h"), std::string::npos)
        << refused.by->reason_for_model;
    EXPECT_NE(refused.by->reason_for_person.find("held to 100 tokens/1h"), std::string::npos);
    EXPECT_GT(refused.retry_after, std::chrono::minutes(50));
    ToolCall tool = call;
    tool.kind = CallKind::Tool;
    tool.tool = "search";
    EXPECT_EQ(admit(*snapshot, tool, memory).verdict, Verdict::Deny) << "its tools too";
    EXPECT_EQ(admit(*snapshot, model_call("b", start), memory).verdict, Verdict::Allow);
    EXPECT_EQ(decide(*snapshot, call).verdict, Verdict::Allow) << "by itself there is room";
    call.now += refused.retry_after;
    EXPECT_EQ(admit(*snapshot, call, memory).verdict, Verdict::Allow) << "as it was told";
}

TEST(Budget, WithoutAPeriodItIsSpentUntilSomebodyReleasesIt) {
    Control all = budget("CTL-1", "global", "0.01 usd", LimitKey::Scope);
    const auto snapshot = snapshot_of({all});
    CallMemory memory;
    spend(*snapshot, model_call("a", start), {1'000'000, 10'000, false}, memory);
    const ToolCall later = model_call("b", start + std::chrono::hours(24 * 300));
    const Decision refused = admit(*snapshot, later, memory);
    EXPECT_EQ(refused.verdict, Verdict::Deny);
    EXPECT_EQ(refused.retry_after, Duration{});
    all.id = ControlId("CTL-9");
    EXPECT_EQ(admit(*snapshot_of({all}), later, memory).verdict, Verdict::Deny)
        << "adopted by another book it is the same budget";
    all.since = start + std::chrono::hours(1);
    EXPECT_EQ(admit(*snapshot_of({all}), later, memory).verdict, Verdict::Allow) << "applied anew";
}

TEST(Budget, AgreesWithThePlainReference) {
    constexpr std::uint64_t seed = 20261127;
    Prng prng(seed);
    constexpr std::array<const char*, 3> sessions{"", "a", "b"};
    constexpr std::array<const char*, 4> scopes{"global", "agent:b?t", "session:a", "model:gpt-*"};
    constexpr std::array<const char*, 4> periods{"", "/1m", "/1h", "/7d"};
    constexpr std::array<LimitKey, 3> keys{LimitKey::Scope, LimitKey::Session, LimitKey::Agent};
    std::array<int, 6> seen{};
    for (int world = 0; world < 100; ++world) {
        std::vector<Control> controls;
        for (std::size_t i = 1 + prng.below(4); i > 0; --i) {
            const bool money = prng.chance(0.5);
            const std::string text = money ? "0.00" + std::to_string(1 + prng.below(9)) + " usd"
                                           : std::to_string(1 + prng.below(9'000)) + " tokens";
            controls.push_back(budget(
                "CTL-" + std::to_string(controls.size() + 1), scopes[prng.below(4)],
                text + periods[prng.below(4)], keys[prng.below(3)]
            ));
            controls.back().since += std::chrono::seconds(controls.size());  // None shares an account.
            if (prng.chance(0.2)) {
                controls.back().mode = ControlMode::ReadOnly;
            }
        }
        // Those of one scope and key with a period share theirs; they say what they count.
        struct Entry {
            std::string session;
            Instant at;
            Spent spent;
        };
        std::vector<Entry> entries;
        const reference::IsSpent is_spent = [&](const Control& control, const ToolCall& call) {
            const auto whom = [&](std::string_view session) {
                return control.terms.key == LimitKey::Session && !session.empty() ? std::string(session)
                       : control.terms.key == LimitKey::Scope                      ? std::string()
                                                                                   : std::string("bot");
            };
            const std::int64_t length = control.terms.per.count() / 6;
            std::uint64_t sum = 0;
            for (const Entry& entry : entries) {
                ToolCall past = model_call(entry.session.c_str(), entry.at);
                const bool counts = reference::fits(control.scope, past) &&
                                    whom(entry.session) == whom(call.session) &&
                                    (length == 0 || unix_nanos(call.now) / length -
                                                            unix_nanos(entry.at) / length <=
                                                        6);
                sum += !counts ? 0
                       : control.terms.unit == BudgetUnit::Usd ? entry.spent.micro_usd
                                                               : entry.spent.tokens;
            }
            return sum >= control.terms.budget;
        };
        const auto snapshot = snapshot_of(controls);
        auto spending = std::make_shared<SpendMemory>();
        std::unique_ptr<CallMemory> memory = std::make_unique<CallMemory>(spending);
        Instant now = start;
        for (int step = 0; step < 60; ++step) {
            now += std::chrono::seconds(prng.below(prng.chance(0.1) ? 90'000 : 30));
            const ToolCall call = model_call(sessions[prng.below(3)], now);
            const Decision made = admit(*snapshot, call, *memory);
            const reference::Answer wanted = reference::decide(controls, {}, call, is_spent);
            ASSERT_EQ(made.verdict, wanted.verdict)
                << "seed " << seed << " world " << world << " step " << step;
            ASSERT_EQ(made.by == nullptr ? "" : made.by->id, wanted.by) << world << " " << step;
            ++seen[static_cast<std::size_t>(made.verdict)];
            if (made.verdict == Verdict::Allow) {
                const Spent spent{prng.below(3'000), prng.below(3'000), false};
                entries.push_back({std::string(call.session), now, spent});
                spend(*snapshot, call, spent, *memory);
            }
            if (prng.chance(0.05)) {  // A restart: what was spent is read back.
                auto again = std::make_shared<SpendMemory>();
                ASSERT_TRUE(again->restore(spending->to_text()).has_value());
                spending = again;
                memory = std::make_unique<CallMemory>(spending);
            }
        }
    }
    EXPECT_GT(seen[static_cast<std::size_t>(Verdict::Allow)], 500);
    EXPECT_GT(seen[static_cast<std::size_t>(Verdict::Deny)], 500);
}

TEST(Budget, WhatWasSpentIsReadWholeOrNotAtAll) {
    SpendMemory memory;
    memory.spend(7, std::chrono::hours(1), 50, true, start);
    const std::string text = memory.to_text();
    SpendMemory again;
    ASSERT_TRUE(again.restore(text).has_value());
    EXPECT_EQ(again.spent(7, std::chrono::hours(1), start), 50U);
    EXPECT_EQ(again.spent(7, Duration{}, start), 50U);
    EXPECT_TRUE(again.is_estimated(7));
    EXPECT_EQ(again.to_text(), text);
    for (const char* const bad :
         {"", "{}", "[]", R"({"form":"spent","accounts":[{"key":"1"}]})",
          R"({"form":"spent","accounts":[{"key":"x","total":"1","seconds":"1","amounts":[]}]})",
          R"({"form":"other","accounts":[]})"}) {
        SpendMemory none;
        EXPECT_FALSE(none.restore(bad).has_value()) << bad;
        EXPECT_EQ(none.to_text(), R"({"form":"spent","accounts":[]})");
    }
}

TEST(Budget, IsAppliedWhereModelsArePaidAndCarriedWhole) {
    ControlDraft draft;
    draft.scope = *parse_scope("tool:mail");
    draft.mode = ControlMode::Budget;
    const By ann{Actor("person:ann"), "it runs away"};
    const auto refusal = [&] {
        const Result<void> checked = check_draft(draft, ann, {}, start);
        return checked ? std::string() : checked.error().message;
    };
    EXPECT_NE(refusal().find("no part of a request to a model"), std::string::npos) << refusal();
    draft.scope = *parse_scope("agent:bot");
    EXPECT_NE(refusal().find("200000 tokens/1d"), std::string::npos) << refusal();
    ASSERT_TRUE(parse_budget("5 usd/1d", draft.terms));
    EXPECT_EQ(refusal(), "");
    draft.terms.key = LimitKey::Tool;
    EXPECT_NE(refusal().find("session, agent"), std::string::npos) << refusal();
    draft.mode = ControlMode::Stopped;
    EXPECT_NE(refusal().find("budget belongs to mode budget"), std::string::npos) << refusal();

    const Control whole = budget("CTL-3", "agent:bot", "5 usd/1d", LimitKey::User);
    const auto read = control_of(form_of(whole), "control");
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, whole);
    boost::json::object without = form_of(whole);
    without.erase("budget");
    EXPECT_FALSE(control_of(without, "control").has_value());
}

}  // namespace
}  // namespace tagout::contain
