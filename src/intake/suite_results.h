// Results of a prompt-injection test suite, as any runner reports them, on their way to becoming
// telemetry: one evaluation event, so that they are durable, replayed and judged like all else.
//
// JUnit XML (testsuite, testcase, failure, error, skipped, in any nesting) or a JSON list of
// {"name", "passed", "message"}. Skipped tests count for nothing. Untrusted: a mistake is named
// with its place, and nothing is taken half. Pure. Bounds: tests_max tests, names and messages
// clipped.
#pragma once

#include "base/clock.h"
#include "base/result.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::intake {

struct SuiteTest {
    std::string name;
    bool passed = false;
    std::string message;
};

struct SuiteResults {
    static constexpr std::size_t tests_max = 20'000;
    static constexpr std::size_t name_bytes_max = 200;

    std::string agent;
    std::string suite;
    std::string run;  ///< The same run reported twice is one.
    std::vector<SuiteTest> tests;

    [[nodiscard]] std::size_t failed() const noexcept;
};

/// InvalidArgument names line and remedy; LimitExceeded: more than tests_max.
[[nodiscard]] Result<std::vector<SuiteTest>> parse_junit(std::string_view xml);
[[nodiscard]] Result<std::vector<SuiteTest>> parse_suite_tests(std::string_view json);

/// ExportLogsServiceRequest in protobuf with the one evaluation. There is at least one test.
[[nodiscard]] std::string encode_suite(const SuiteResults& results, Instant at);

}  // namespace tagout::intake
