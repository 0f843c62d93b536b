// docs/reference/normalisation.md is made from the tables that the normaliser works with; this test
// fails when the page is stale. UPDATE_GOLDEN=1 writes it anew.
#include "intake/normalise_fields.h"
#include "intake/normalise_kind.h"
#include "intake/normalise_texts.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace tagout::intake {
namespace {

constexpr std::string_view head = R"(<!-- Made by src/intake/normalise_page_test.cc from the tables in src/intake; do not edit.
     UPDATE_GOLDEN=1 with the room's tests writes it anew. -->
# What becomes of a span

Every convention becomes one form, the AgentEvent. `tagout events FILE...` prints it for an OTLP
file. This page says where each part of it comes from.

- The first source that is there and not empty wins. Empty: null, `""`, empty lists, `<not
  specified>`, `N/A`.
- Numbers may arrive as ints, doubles or texts of digits. A list in a text field gives its first
  element.
- *in metadata: thread_id* means that member of the JSON object in the attribute. *event
  exception: exception.type* is an attribute of the first span event of that name. *name
  "execute_tool ..."* is the rest of the span's name.
- Tokens are inclusive: input contains what came from or went into a cache, output contains
  reasoning. Sources that count apart (Claude Code, Langfuse, and whoever has more cached than
  input) are added up.
- Tokens and costs count on leaves only (`llm`, `embedding`, `rerank`). Agents, steps and
  workflows repeat them (`rollup`); so does a call that wraps a nested call of the same kind, and
  a log record or resent span (`duplicate`).
- A span failed if its status says so, `error.type` is there, Langfuse's level is ERROR, `success`
  is false, `gen_ai.tool.status` is error or failed, or a tool's result says so (`isError`,
  `is_error`, LangChain's `kwargs.status`, ADK's lone `error`). The 405 that answers an MCP
  client's GET is no failure.
- Correlation: the event's own conversation, else its trace's, else the trace id.

## Kind

The first table whose attribute has one of its words decides, in this order (after Langfuse's, any
`annotations.0.*` or `evaluations.0.*`, with `trace.` or `session.` before it, is an evaluation); then
`mcp.method.name`, names that SDKs give to spans without attributes, `gen_ai.tool.name`,
`gen_ai.request.model`, and HTTP. A root that is a step or nothing in particular, with a model
call, tool or agent below it, is the session's workflow.

)";

std::string kinds_text(Kinds kinds) {
    if (kinds == any_kind) {
        return "all";
    }
    std::string text;
    for (unsigned number = 0; number < 32; ++number) {
        const auto kind = static_cast<EventKind>(number);
        if (has(kinds, kind)) {
            text += (text.empty() ? "" : ", ") + std::string(name_of(kind));
        }
    }
    return text;
}

std::string condition_text(Only only) {
    switch (only) {
        case Only::Always:
            return "";
        case Only::Agent:
            return " (agent)";
        case Only::Workflow:
            return " (workflow)";
        case Only::Tool:
            return " (tool)";
        case Only::Guardrail:
            return " (guardrail)";
        case Only::Handoff:
            return " (handoff)";
        case Only::NotLlmOrTool:
            return " (not llm, tool)";
        case Only::InferenceAgent:
            return " (OpenInference AGENT)";
        case Only::InferencePrompt:
            return " (OpenInference PROMPT)";
        case Only::NotInferencePrompt:
            return " (not OpenInference PROMPT)";
    }
    return "";
}

std::string source_text(const Source& source) {
    const std::string key = "`" + std::string(text_of(source.key)) + "`";
    const std::string text(source.text);
    switch (source.from) {
        case From::Attribute:
            return key;
        case From::Milliseconds:
            return key + " / 1000";
        case From::Json:
            return "in " + key + ": `" + text + "`";
        case From::Resource:
            return "resource " + key;
        case From::Event:
            return "event `" + text + "`: " + key;
        case From::Name:
            return "name `" + text + "..." + std::string(source.end) + "`";
        case From::WholeName:
            return "the name (OpenInference, Langfuse, OpenLLMetry)";
        case From::StatusMessage:
            return "status message";
        case From::StatusInMessage:
            return "a status that the message quotes (`HTTP 404`, `status code 404`, `404 ...`)";
    }
    return "";
}

std::string page() {
    std::string text(head);
    for (const KindTable& table : kind_tables()) {
        text += "| " + std::string(table.source) + " | kind |\n| --- | --- |\n";
        for (const KindWord& word : table.words) {
            text += "| `" + std::string(word.word) + "` | " + std::string(name_of(word.kind)) + " |\n";
        }
        text += "\n";
    }
    text += "## Fields\n\n| field | kinds | sources, best first |\n| --- | --- | --- |\n";
    for (const FieldRow& row : field_rows) {
        std::string sources;
        for (const Source& source : field_sources()) {
            if (source.field == row.field) {
                sources += (sources.empty() ? "" : " > ") + source_text(source)
                    + condition_text(source.only);
            }
        }
        text += "| " + std::string(row.name) + " | " + kinds_text(row.kinds) + " | " + sources + " |\n";
    }
    text += "\n## What was said\n\n| text | places, best first |\n| --- | --- |\n";
    for (const TextSources& row : text_sources()) {
        std::string places;
        for (const std::string_view place : row.places) {
            places += (places.empty() ? "" : " > ") + std::string(place);
        }
        text += "| " + std::string(row.text) + " | " + places + " |\n";
    }
    return text;
}

TEST(NormalisationPage, SaysWhatTheTablesSay) {
    const auto path =
        std::filesystem::path(TAGOUT_SOURCE_DIR) / "docs/reference/normalisation.md";
    const std::string wanted = page();
    if (const char* const update = std::getenv("UPDATE_GOLDEN"); update != nullptr) {
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << wanted;
    }
    std::ifstream in(path, std::ios::binary);
    std::ostringstream found;
    found << in.rdbuf();
    EXPECT_EQ(found.str(), wanted) << "run the tests with UPDATE_GOLDEN=1";
}

TEST(NormalisationTables, EveryFieldHasSourcesAndTheyStandTogetherInOrder) {
    std::size_t number = 0;
    for (const FieldRow& row : field_rows) {
        EXPECT_EQ(static_cast<std::size_t>(row.field), number++) << row.name;
    }
    Field last = Field::AgentName;
    std::size_t fields = 1;
    for (const Source& source : field_sources()) {
        EXPECT_GE(source.field, last);
        fields += source.field != last;
        last = source.field;
    }
    EXPECT_EQ(fields, fields_count);
}

}  // namespace
}  // namespace tagout::intake
