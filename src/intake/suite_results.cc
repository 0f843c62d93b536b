#include "intake/suite_results.h"

#include "domain/suite.h"
#include "intake/otlp_encoder.h"

#include <boost/json.hpp>
#include <pugixml.hpp>

#include <algorithm>
#include <iterator>

namespace tagout::intake {

namespace {

namespace json = boost::json;

constexpr std::size_t named_max = 5;  ///< Failed tests that the evidence names.

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

std::unexpected<Error> mistake(std::string_view xml, std::ptrdiff_t at, std::string_view what) {
    const auto end = xml.begin() + std::min<std::ptrdiff_t>(at, std::ssize(xml));
    return fail(
        ErrorCode::InvalidArgument,
        "JUnit XML, line " + std::to_string(1 + std::count(xml.begin(), end, '\n')) + ": " +
            std::string(what)
    );
}

/// Every test case that was run, in order, however deep the suites are nested.
class TestCases final : public pugi::xml_tree_walker {
public:
    bool for_each(pugi::xml_node& node) override {
        if (std::string_view(node.name()) != "testcase" || node.child("skipped")) {
            return true;
        }
        const std::string group = node.attribute("classname").value();
        pugi::xml_node failure = node.child("failure");
        failure = failure ? failure : node.child("error");
        tests.push_back(
            {clipped(ascii((group.empty() ? "" : group + ".") + node.attribute("name").value())),
             !failure,
             clipped(ascii(failure.attribute("message").value()))}
        );
        return tests.size() <= SuiteResults::tests_max;
    }

    std::vector<SuiteTest> tests;
};

}  // namespace

std::size_t SuiteResults::failed() const noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(tests, [](const SuiteTest& test) {
        return !test.passed;
    }));
}

Result<std::vector<SuiteTest>> parse_junit(std::string_view xml) {
    pugi::xml_document document;
    const pugi::xml_parse_result parsed =
        document.load_buffer(xml.data(), xml.size(), pugi::parse_default | pugi::parse_doctype);
    if (!parsed) {
        return mistake(xml, parsed.offset, parsed.description());
    }
    for (const pugi::xml_node& node : document) {
        if (node.type() == pugi::node_doctype) {
            return mistake(xml, node.offset_debug(), "a document type is not taken; leave it out");
        }
    }
    const std::string_view root = document.document_element().name();
    if (root != "testsuites" && root != "testsuite") {
        return mistake(
            xml, document.document_element().offset_debug(), "<testsuites> or <testsuite> was expected"
        );
    }
    TestCases cases;
    document.traverse(cases);
    if (cases.tests.size() > SuiteResults::tests_max) {
        return too_many();
    }
    return std::move(cases.tests);
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
