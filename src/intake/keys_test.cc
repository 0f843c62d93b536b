#include "intake/keys.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>
#include <string>

namespace tagout::intake {
namespace {

TEST(Keys, EveryListedKeyIsFoundUnderItsOwnNumber) {
    std::set<KeyId> seen;
    for (const std::string_view text : key_table::listed) {
        const KeyId id = key_id_of(text);
        EXPECT_EQ(text_of(id), text);
        EXPECT_TRUE(seen.insert(id).second) << text;
    }
    EXPECT_TRUE(std::ranges::is_sorted(key_table::listed));
}

TEST(Keys, MostKeysAreFoundWithOneComparison) {
    std::size_t moved = 0;
    for (std::size_t i = 0; i < key_table::listed.size(); ++i) {
        moved += key_table::slots[key_table::slot_of(key_table::listed[i])] != i + 1;
    }
    EXPECT_LT(moved * 4, key_table::listed.size());
}

TEST(Keys, KeysThatAreNotListedFallIntoTheirFamilyOrAreUnknown) {
    struct Row {
        std::string_view key;
        KeyId id;
    };
    const Row rows[] = {
        {"gen_ai.request.temperature", KeyId::GenAi},
        {"gen_ai.prompt.0.role", KeyId::GenAiPromptItem},
        {"gen_ai.prompt.template", KeyId::GenAi},
        {"gen_ai.completion.12.content", KeyId::GenAiCompletionItem},
        {"llm.input_messages.3.message.content", KeyId::LlmInputMessage},
        {"llm.output_messages.0.message.role", KeyId::LlmOutputMessage},
        {"llm.tools.0.tool.json_schema", KeyId::LlmTool},
        {"langsmith.metadata.anything", KeyId::LangSmith},
        {"traceloop.entity.path", KeyId::Traceloop},
        {"annotations.0.annotation.name", KeyId::Annotation},
        {"session.evaluations.0.evaluation.score", KeyId::Annotation},
        {"trace.annotations.0.annotation.label", KeyId::Annotation},
        {"session.previous_id", KeyId::Unknown},
        {"gen_ai", KeyId::Unknown},
        {"", KeyId::Unknown},
        {"x", KeyId::Unknown},
        {"GEN_AI.AGENT.NAME", KeyId::Unknown},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(key_id_of(row.key), row.id) << row.key;
    }
}

TEST(Keys, AKeyOfEveryLengthIsLookedUpInsideItsBounds) {
    const std::string text = "gen_ai.usage.input_tokens";
    for (std::size_t size = 0; size < text.size(); ++size) {
        const std::string exact(text.data(), size);  // its own allocation: a sanitizer sees overreads
        EXPECT_NE(key_id_of(exact), key("gen_ai.usage.input_tokens"));
    }
}

TEST(Keys, PrefixesThatTellAConventionAreKnownForListedAndUnlistedKeys) {
    EXPECT_EQ(prefix_of(key_id_of("gen_ai.agent.name")), KeyPrefix::GenAi);
    EXPECT_EQ(prefix_of(key_id_of("gen_ai.prompt.0.role")), KeyPrefix::GenAi);
    EXPECT_EQ(prefix_of(key_id_of("traceloop.entity.name")), KeyPrefix::Traceloop);
    EXPECT_EQ(prefix_of(key_id_of("langsmith.anything")), KeyPrefix::LangSmith);
    EXPECT_EQ(prefix_of(key_id_of("session.id")), KeyPrefix::None);
}

}  // namespace
}  // namespace tagout::intake
