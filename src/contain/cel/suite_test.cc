// The public suite is the oracle: every case that uses only what is spoken here must pass, and the
// others stand in docs/reference/cel.md with the reason. UPDATE_GOLDEN=1 rewrites that page.

#include "contain/cel/suite.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace tagout::contain::cel {
namespace {

using suite::Message;

std::string whole_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

struct Tally {
    std::size_t passed = 0;
    std::vector<std::string> failed;
    std::map<std::string, std::vector<std::string>> left_out;  ///< By reason.
};

/// Names that stand for protobuf messages and enums of the suite.
bool names_messages(std::string_view text) {
    for (const std::string_view word :
         {"TestAllTypes", "NestedTestAllTypes", "google.protobuf.", "GlobalEnum", "NestedEnum",
          "NullValue", "cel.expr.conformance"}) {
        if (text.find(word) != std::string_view::npos &&
            text.find("google.protobuf.Timestamp") == std::string_view::npos &&
            text.find("google.protobuf.Duration") == std::string_view::npos) {
            return true;
        }
    }
    return false;
}

std::string shown(const Value& value) {
    switch (value.kind) {
        case Kind::Bool:
            return value.flag ? "true" : "false";
        case Kind::Int:
            return std::to_string(value.integer);
        case Kind::Uint:
            return std::to_string(value.whole) + "u";
        case Kind::Double:
            return std::to_string(value.real);
        case Kind::String:
        case Kind::Bytes:
            return "'" + std::string(value.text()) + "'";
        case Kind::Error:
            return "error: " + std::string(name_of(value.fault));
        default:
            return std::string(name_of(value.kind)) + " of size " + std::to_string(value.size);
    }
}

/// The same value of the same type; NaN is itself here.
bool same(const Value& left, const Value& right) {
    if (left.kind != right.kind) {
        return false;
    }
    if (left.kind == Kind::Double) {
        return left.real == right.real || (std::isnan(left.real) && std::isnan(right.real));
    }
    if (left.kind == Kind::List) {
        return left.size == right.size &&
               std::equal(left.items, left.items + left.size, right.items, same);
    }
    Budget budget = steps_max;
    return equals(left, right, budget);
}

class Runner {
public:
    explicit Runner(Tally& tally) : tally_(tally) {}

    void run(const std::string& id, const Message& test) {
        suite::Store store;
        Environment environment;
        environment.container = test.text("container");
        environment.checked = test.text("disable_check") != "true";
        std::vector<Value> values;
        if (const std::string reason = declare(test, environment, values, store); !reason.empty()) {
            return leave_out(id, reason);
        }
        const std::string text = test.text("expr");
        const auto program = Program::compile(text, environment);
        if (!program) {
            return no_program(id, test, program.error());
        }
        if (const Message* const typed = test.child("typed_result")) {
            return check_typed(id, **program, *typed, test.text("check_only") == "true", values, store);
        }
        Scratch scratch;
        const Value value = (*program)->evaluate(values, scratch);
        if (test.field("eval_error") != nullptr || test.field("any_eval_errors") != nullptr) {
            return judge(id, value.is_error(), "gives " + shown(value) + " instead of an error");
        }
        check_value(id, value, test.child("value"), store);
    }

private:
    void leave_out(const std::string& id, const std::string& reason) {
        tally_.left_out[reason].push_back(id);
    }
    void judge(const std::string& id, bool good, const std::string& what) {
        if (good) {
            ++tally_.passed;
        } else {
            tally_.failed.push_back(id + " " + what);
        }
    }

    /// What a case declares; a reason when that is not spoken here.
    static std::string declare(
        const Message& test, Environment& environment, std::vector<Value>& values, suite::Store& store
    ) {
        for (const Message* const each : test.children("type_env")) {
            const Message* const ident = each->child("ident");
            if (ident == nullptr) {
                return "functions declared by the embedding program";
            }
            const std::optional<Type> type = suite::type_of(*ident->child("type"));
            if (!type) {
                return ident->child("type")->child("abstract_type") != nullptr
                           ? "types declared by the embedding program"
                           : "protobuf messages and enums";
            }
            environment.variables.push_back({each->text("name"), *type});
        }
        values.assign(environment.variables.size(), error_of(Fault::UnknownName));
        for (const Message* const each : test.children("bindings")) {
            const Message* const value = each->child("value")->child("value");
            const std::optional<Value> read =
                value == nullptr ? std::nullopt : suite::value_of(*value, store);
            if (!read) {
                return "protobuf messages and enums";
            }
            const auto found =
                std::ranges::find(environment.variables, each->text("key"), &Variable::name);
            if (found != environment.variables.end()) {
                values[static_cast<std::size_t>(found - environment.variables.begin())] = *read;
            } else {
                environment.variables.push_back({each->text("key"), {}});
                values.push_back(*read);
            }
        }
        return "";
    }

    void no_program(const std::string& id, const Message& test, const Mistake& mistake) {
        if (mistake.what == Mistake::What::Unsupported) {
            return leave_out(
                id, names_messages(test.text("expr")) ? "protobuf messages and enums"
                                                      : reason_of(mistake)
            );
        }
        if (names_messages(test.text("expr")) || !test.text("container").empty()) {
            return leave_out(id, "protobuf messages and enums");
        }
        const bool wanted = test.field("eval_error") != nullptr;
        judge(id, wanted, "is refused: " + mistake.says + " at " + std::to_string(mistake.at));
    }

    static std::string reason_of(const Mistake& mistake) {
        if (mistake.says.find("() is no ") != std::string::npos) {
            return "functions of extension libraries";
        }
        if (mistake.says.find("optional") != std::string::npos) {
            return "optional values";
        }
        return mistake.says;
    }

    void check_typed(
        const std::string& id, const Program& program, const Message& typed, bool check_only,
        const std::vector<Value>& values, suite::Store& store
    ) {
        const std::optional<Type> type = suite::type_of(*typed.child("deduced_type"));
        if (!type) {
            return leave_out(id, "types that only protobuf or the embedding program has");
        }
        if (program.type() != *type) {
            return judge(
                id, false, "has type " + to_text(program.type()) + " instead of " + to_text(*type)
            );
        }
        const Message* const result = typed.child("result");
        if (check_only || result == nullptr) {
            return judge(id, true, "");
        }
        Scratch scratch;
        check_value(id, program.evaluate(values, scratch), result, store);
    }

    void check_value(
        const std::string& id, const Value& value, const Message* expected, suite::Store& store
    ) {
        // A case without a value expects true.
        const std::optional<Value> wanted =
            expected == nullptr ? cel::value_of(true) : suite::value_of(*expected, store);
        if (!wanted) {
            return leave_out(id, "protobuf messages and enums");
        }
        judge(id, same(value, *wanted), "gives " + shown(value) + " instead of " + shown(*wanted));
    }

    Tally& tally_;
};

std::string page_of(const std::map<std::string, Tally>& files) {
    std::size_t passed = 0;
    std::size_t left_out = 0;
    std::string rows;
    std::map<std::string, std::map<std::string, std::vector<std::string>>> reasons;
    for (const auto& [file, tally] : files) {
        std::size_t out = 0;
        for (const auto& [reason, cases] : tally.left_out) {
            out += cases.size();
            reasons[reason][file] = cases;
        }
        passed += tally.passed;
        left_out += out;
        rows += "| `" + file + "` | " + std::to_string(tally.passed) + " | " + std::to_string(out) +
                " |\n";
    }
    std::string page =
        "<!-- Generated by `./dev docs` from the public CEL suite; a test compares. -->\n"
        "# Conditions: the part of CEL that is spoken\n\n"
        "Conditions of policies (`when`) are CEL: literals, field access, indexes, comparison, `in`,\n"
        "logic that absorbs errors on either side, `?:`, arithmetic, `has`, `size`, `contains`,\n"
        "`startsWith`, `endsWith`, `matches` (RE2), the macros `all`, `exists`, `exists_one`, `map` and\n"
        "`filter`, durations, timestamps and their parts in time zones, conversions and `type`.\n"
        "Patterns and time zones are literals: they are compiled with the condition.\n\n"
        "Of the public suite (cel-spec `tests/simple`) " +
        std::to_string(passed) + " cases pass, none of the spoken part fails, and " +
        std::to_string(left_out) + " use what is not spoken.\n\n"
        "| File | pass | not spoken |\n| --- | ---: | ---: |\n" + rows;
    for (const auto& [reason, by_file] : reasons) {
        std::size_t count = 0;
        for (const auto& [file, cases] : by_file) {
            count += cases.size();
        }
        page += "\n## Not spoken: " + reason + " (" + std::to_string(count) + ")\n\n";
        for (const auto& [file, cases] : by_file) {
            page += "- `" + file + "`:";
            for (const std::string& each : cases) {
                page += " `" + each + "`";
            }
            page += "\n";
        }
    }
    return page;
}

TEST(SharedCelSuite, EveryCaseOfTheSpokenPartPassesAndTheOthersAreListed) {
    const std::filesystem::path folder = std::filesystem::path(TAGOUT_SHARED_DIR) / "suites/cel";
    ASSERT_TRUE(std::filesystem::exists(folder)) << folder << " is missing beside this clone";
    std::map<std::string, Tally> files;
    std::size_t cases = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".textproto") {
            continue;
        }
        const std::string text = whole_file(entry.path());
        const Message file = suite::TextReader(text).message();
        Tally& tally = files[entry.path().stem().string()];
        Runner runner(tally);
        for (const Message* const section : file.children("section")) {
            for (const Message* const test : section->children("test")) {
                runner.run(section->text("name") + "/" + test->text("name"), *test);
                ++cases;
            }
        }
        for (const std::string& failure : tally.failed) {
            ADD_FAILURE() << entry.path().stem().string() << ": " << failure;
        }
    }
    EXPECT_GT(cases, 1'300u) << "the suite was not read whole";
    const std::filesystem::path page =
        std::filesystem::path(TAGOUT_SOURCE_DIR) / "docs/reference/cel.md";
    const std::string fresh = page_of(files);
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {
        std::ofstream(page, std::ios::binary) << fresh;
    }
    EXPECT_EQ(whole_file(page), fresh) << "stale: run ./dev docs";
}

}  // namespace
}  // namespace tagout::contain::cel
