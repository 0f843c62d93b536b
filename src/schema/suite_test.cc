// The public JSON-Schema-Test-Suite, every required case of both drafts, read where it lies.
#include "schema/check.h"
#include "schema/schema.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace tagout::schema {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

fs::path suite_folder() {
    return fs::path(TAGOUT_SHARED_DIR) / "suites" / "json-schema";
}

Remotes remotes_of(const fs::path& folder) {
    Remotes remotes;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.path().extension() == ".json") {
            const std::string name = fs::relative(entry.path(), folder).generic_string();
            remotes["http://localhost:1234/" + name] = text_of(entry.path());
        }
    }
    return remotes;
}

struct Score {
    std::size_t cases = 0;
    std::size_t right = 0;
    std::vector<std::string> wrong;
};

void judge_group(
    simdjson::dom::element group, const CompileOptions& options, const Remotes& remotes,
    const std::string& file, Score& score
) {
    const std::string name = file + " | " + std::string(group["description"].get_string().value());
    const auto schema =
        Schema::compile(simdjson::to_string(group["schema"].value()), options, remotes);
    Instance instance;
    const simdjson::dom::array tests = group["tests"].get_array().value();
    for (const simdjson::dom::element test : tests) {
        const std::string label =
            name + " | " + std::string(test["description"].get_string().value());
        const bool valid = test["valid"].get_bool().value();
        ++score.cases;
        if (!schema) {
            score.wrong.push_back(label + ": refused: " + schema.error().message);
            continue;
        }
        const auto read = instance.read(simdjson::to_string(test["data"].value()));
        const auto found =
            read ? conforms(*schema, instance) : Result<bool>(std::unexpected(read.error()));
        if (!found) {
            score.wrong.push_back(label + ": " + found.error().message);
            continue;
        }
        const auto why = violations(*schema, instance);
        const bool told = why.has_value() && why->empty() == *found;
        if (*found == valid && told) {
            ++score.right;
        } else {
            score.wrong.push_back(label + (told ? "" : ": the two questions disagree"));
        }
    }
}

Score judge(const fs::path& folder, const CompileOptions& options) {
    const Remotes remotes = remotes_of(suite_folder() / "remotes");
    Score score;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().extension() != ".json") {
            continue;
        }
        simdjson::dom::parser parser;
        const auto file = simdjson::padded_string(text_of(entry.path()));
        const simdjson::dom::array groups = parser.parse(file).get_array().value();
        for (const simdjson::dom::element group : groups) {
            judge_group(group, options, remotes, entry.path().filename().string(), score);
        }
    }
    return score;
}

void expect_all(std::string_view draft, const CompileOptions& options, std::size_t cases_min) {
    const Score score = judge(suite_folder() / draft, options);
    EXPECT_GE(score.cases, cases_min);
    EXPECT_EQ(score.right, score.cases);
    for (const std::string& wrong : score.wrong) {
        ADD_FAILURE() << wrong;
    }
}

TEST(SharedJsonSchemaSuite, EveryRequiredCaseOfDraft202012) {
    expect_all("draft2020-12", {.draft = Draft::Draft2020}, 1200);
}

TEST(SharedJsonSchemaSuite, EveryRequiredCaseOfDraft7) {
    expect_all("draft7", {.draft = Draft::Draft7}, 850);
}

// Not required of anybody; a floor under what is asked for by assert_formats.
TEST(SharedJsonSchemaSuite, MostFormatsWhereTheyAreAsserted) {
    const fs::path folder = suite_folder() / "draft2020-12" / "optional" / "format";
    ASSERT_TRUE(fs::exists(folder)) << folder << " is missing beside this clone";
    const Score score = judge(folder, {.draft = Draft::Draft2020, .assert_formats = true});
    RecordProperty("right", std::to_string(score.right) + " of " + std::to_string(score.cases));
    if (std::getenv("TAGOUT_SUITE_VERBOSE") != nullptr) {
        for (const std::string& wrong : score.wrong) {
            std::fputs((wrong + "\n").c_str(), stderr);
        }
    }
    ASSERT_GT(score.cases, 700U) << "the suite was not read whole";
    EXPECT_GE(static_cast<double>(score.right), 0.75 * static_cast<double>(score.cases));
}

}  // namespace
}  // namespace tagout::schema
