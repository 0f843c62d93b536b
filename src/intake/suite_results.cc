#include "intake/suite_results.h"

#include "domain/suite.h"
#include "intake/otlp_encoder.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace tagout::intake {

namespace {

namespace json = boost::json;

constexpr std::size_t named_max = 5;  ///< Failed tests that the evidence names.
constexpr std::size_t depth_max = 32;

std::string clipped(std::string text) {
    if (text.size() > SuiteResults::name_bytes_max) {
        text.resize(SuiteResults::name_bytes_max);
        while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80U) != 0) {
            text.pop_back();  // not in the middle of a character
        }
    }
    return text;
}

/// Whatever the document's encoding is, telemetry is UTF-8.
std::string ascii(std::string text) {
    for (char& c : text) {
        c = static_cast<unsigned char>(c) >= 0x80 || c < ' ' ? '?' : c;
    }
    return text;
}

std::unexpected<Error> too_many() {
    return fail(
        ErrorCode::LimitExceeded,
        "more than " + std::to_string(SuiteResults::tests_max) + " tests; report the suite in parts"
    );
}

std::string unescaped(std::string_view raw) {
    struct Entity {
        std::string_view name;
        char meaning;
    };
    constexpr std::array entities{
        Entity{"&lt;", '<'},
        Entity{"&gt;", '>'},
        Entity{"&amp;", '&'},
        Entity{"&quot;", '"'},
        Entity{"&apos;", '\''}};
    std::string out;
    while (!raw.empty()) {
        const auto found = std::ranges::find_if(entities, [&](const Entity& entity) {
            return raw.starts_with(entity.name);
        });
        const bool known = found != entities.end();
        out += known ? found->meaning : raw.front();
        raw.remove_prefix(known ? found->name.size() : 1);
    }
    return out;
}

/// One start, end or empty tag of XML.
struct Tag {
    std::string_view name;
    std::string_view attributes;
    bool closes = false;  ///< </name>
    bool empty = false;   ///< <name/>

    [[nodiscard]] std::string attribute(std::string_view wanted) const {
        std::string_view rest = attributes;
        while (!rest.empty()) {
            const std::size_t equals = rest.find('=');
            if (equals == std::string_view::npos) {
                break;
            }
            std::string_view key = rest.substr(0, equals);
            while (!key.empty() && key.front() <= ' ') {
                key.remove_prefix(1);
            }
            while (!key.empty() && key.back() <= ' ') {
                key.remove_suffix(1);
            }
            const std::size_t open = rest.find_first_of("\"'", equals);
            const std::size_t close =
                open == std::string_view::npos ? open : rest.find(rest[open], open + 1);
            if (close == std::string_view::npos) {
                break;
            }
            if (key == wanted) {
                return unescaped(rest.substr(open + 1, close - open - 1));
            }
            rest.remove_prefix(close + 1);
        }
        return {};
    }
};

/// The tags of a document, in order; texts, comments and declarations are skipped.
class Tags {
public:
    explicit Tags(std::string_view xml) : xml_(xml) {}

    /// nullopt at the end.
    Result<std::optional<Tag>> next() {
        while (true) {
            at_ = xml_.find('<', at_);
            if (at_ == std::string_view::npos) {
                return std::optional<Tag>();
            }
            const std::string_view rest = xml_.substr(at_);
            if (rest.starts_with("<!--")) {
                TAGOUT_TRY(skip_past("-->"));
            } else if (rest.starts_with("<![CDATA[")) {
                TAGOUT_TRY(skip_past("]]>"));
            } else if (rest.starts_with("<?")) {
                TAGOUT_TRY(skip_past("?>"));
            } else if (rest.starts_with("<!")) {
                return mistake("a document type is not taken; leave it out");
            } else {
                return read_tag();
            }
        }
    }

    [[nodiscard]] std::unexpected<Error> mistake(std::string_view what) const {
        const auto end = xml_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, xml_.size()));
        return fail(
            ErrorCode::InvalidArgument,
            "JUnit XML, line " + std::to_string(1 + std::count(xml_.begin(), end, '\n')) + ": " +
                std::string(what)
        );
    }

private:
    Result<void> skip_past(std::string_view end) {
        const std::size_t found = xml_.find(end, at_);
        if (found == std::string_view::npos) {
            return mistake("it ends in the middle of a comment or section");
        }
        at_ = found + end.size();
        return {};
    }

    Result<std::optional<Tag>> read_tag() {
        char quote = 0;
        std::size_t end = at_ + 1;
        for (; end < xml_.size() && (quote != 0 || xml_[end] != '>'); ++end) {
            if (quote != 0) {
                quote = xml_[end] == quote ? '\0' : quote;
            } else if (xml_[end] == '"' || xml_[end] == '\'') {
                quote = xml_[end];
            }
        }
        if (end >= xml_.size()) {
            return mistake("a tag is not closed");
        }
        std::string_view inside = xml_.substr(at_ + 1, end - at_ - 1);
        Tag tag;
        tag.closes = inside.starts_with('/');
        inside.remove_prefix(tag.closes ? 1 : 0);
        tag.empty = inside.ends_with('/');
        inside.remove_suffix(tag.empty ? 1 : 0);
        const std::size_t name_end = std::min(inside.find_first_of(" \t\r\n"), inside.size());
        tag.name = inside.substr(0, name_end);
        tag.attributes = inside.substr(name_end);
        at_ = end + 1;
        return std::optional<Tag>(tag);
    }

    std::string_view xml_;
    std::size_t at_ = 0;
};

}  // namespace

std::size_t SuiteResults::failed() const noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(tests, [](const SuiteTest& test) {
        return !test.passed;
    }));
}

Result<std::vector<SuiteTest>> parse_junit(std::string_view xml) {
    std::vector<SuiteTest> tests;
    std::vector<std::string_view> open;
    std::optional<SuiteTest> test;
    bool skipped = false;
    Tags tags(xml);
    const auto end_test = [&] {
        if (test && !skipped) {
            tests.push_back(*std::move(test));
        }
        test.reset();
    };
    while (const std::optional<Tag> tag = TAGOUT_TRY(tags.next())) {
        if (tag->closes) {
            if (open.empty() || open.back() != tag->name) {
                return tags.mistake("</" + std::string(tag->name) + "> closes what is not open");
            }
            open.pop_back();
            if (tag->name == "testcase") {
                end_test();
            }
            continue;
        }
        if (open.empty() && tag->name != "testsuites" && tag->name != "testsuite") {
            return tags.mistake("<testsuites> or <testsuite> was expected");
        }
        if (tag->name == "testcase") {
            if (tests.size() >= SuiteResults::tests_max) {
                return too_many();
            }
            const std::string group = tag->attribute("classname");
            test = SuiteTest{
                clipped(ascii((group.empty() ? "" : group + ".") + tag->attribute("name"))),
                true,
                {}};
            skipped = false;
        } else if (test && (tag->name == "failure" || tag->name == "error")) {
            test->passed = false;
            test->message = clipped(ascii(tag->attribute("message")));
        } else if (test && tag->name == "skipped") {
            skipped = true;
        }
        if (!tag->empty) {
            open.push_back(tag->name);
            if (open.size() > depth_max) {
                return tags.mistake("nested too deep");
            }
        } else if (tag->name == "testcase") {
            end_test();
        }
    }
    if (!open.empty()) {
        return tags.mistake("it ends inside <" + std::string(open.back()) + ">");
    }
    return tests;
}

Result<std::vector<SuiteTest>> parse_suite_tests(std::string_view text) {
    boost::system::error_code error;
    const json::value tree = json::parse(text, error);
    if (error || !tree.is_array()) {
        return fail(
            ErrorCode::InvalidArgument,
            R"(tests: a list of {"name": "...", "passed": true} was expected)"
        );
    }
    if (tree.as_array().size() > SuiteResults::tests_max) {
        return too_many();
    }
    std::vector<SuiteTest> tests;
    for (const json::value& row : tree.as_array()) {
        const json::object* const object = row.if_object();
        const json::value* const name = object == nullptr ? nullptr : object->if_contains("name");
        const json::value* const passed =
            object == nullptr ? nullptr : object->if_contains("passed");
        if (name == nullptr || !name->is_string() || passed == nullptr || !passed->is_bool()) {
            return fail(
                ErrorCode::InvalidArgument,
                "tests[" + std::to_string(tests.size()) +
                    "]: a name (text) and passed (true or false) were expected"
            );
        }
        const json::value* const message = object->if_contains("message");
        tests.push_back(
            {clipped(std::string(name->as_string())),
             passed->as_bool(),
             message != nullptr && message->is_string() ? clipped(std::string(message->as_string()))
                                                        : std::string()}
        );
    }
    return tests;
}

std::string encode_suite(const SuiteResults& results, Instant at) {
    const std::size_t failed = results.failed();
    std::string explanation = std::to_string(failed) + " of " +
                              std::to_string(results.tests.size()) + " tests of " + results.suite +
                              " failed";
    std::size_t named = 0;
    for (const SuiteTest& test : results.tests) {
        if (!test.passed && named < named_max) {
            explanation += (named == 0 ? ": " : ", ") + test.name;
            explanation += test.message.empty() ? "" : " (" + test.message + ")";
            ++named;
        }
    }
    const double passed = static_cast<double>(results.tests.size() - failed) /
                          static_cast<double>(results.tests.size());
    otlp::LogEvent event;
    event.at = at;
    event.event_name = "gen_ai.evaluation.result";
    const std::string name(suite_evaluation);
    event.attributes = {
        {"gen_ai.evaluation.name", name + " " + results.suite},
        {"gen_ai.evaluation.score.value", passed},
        {"gen_ai.evaluation.score.label", std::string(failed == 0 ? "pass" : "fail")},
        {"gen_ai.evaluation.explanation", explanation},
        {"gen_ai.conversation.id",
         name + "/" + results.agent + "/" + results.suite + "/" + results.run},
        {"gen_ai.agent.name", results.agent},
        {"gen_ai.workflow.name", name},
    };
    const otlp::Reporter from{{{"service.name", results.agent}}, "tagout.suites", "1"};
    return otlp::encode_logs(from, std::span<const otlp::LogEvent>(&event, 1));
}

}  // namespace tagout::intake
