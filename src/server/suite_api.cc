#include "server/suite_api.h"

#include "intake/intake.h"
#include "intake/suite_results.h"
#include "server/body.h"

#include <boost/json.hpp>

#include <future>

namespace tagout::server {

namespace {

namespace json = boost::json;

constexpr std::size_t name_bytes_max = 200;
constexpr std::size_t document_bytes_max = 1024 * 1024;

Result<intake::SuiteResults> read_xml(const net::ServerRequest& request) {
    intake::SuiteResults results;
    results.agent = request.query("agent").substr(0, name_bytes_max);
    results.suite = request.query("suite").substr(0, name_bytes_max);
    results.run = request.query("run").substr(0, name_bytes_max);
    results.tests = TAGOUT_TRY(intake::parse_junit(request.body.view()));
    return results;
}

Result<intake::SuiteResults> read_json(const net::ServerRequest& request) {
    Body body = TAGOUT_TRY(Body::parse(request.body.view()));
    intake::SuiteResults results;
    results.agent = body.text("agent", true, name_bytes_max);
    results.suite = body.text("suite", true, name_bytes_max);
    results.run = body.text("run", false, name_bytes_max);
    body.ignore("actor");
    const std::string junit = body.text("junit", false, document_bytes_max);
    const std::string tests = body.json("tests", junit.empty());
    if (const std::optional<Error> error = body.error()) {
        return std::unexpected(*error);
    }
    results.tests = junit.empty() ? TAGOUT_TRY(intake::parse_suite_tests(tests))
                                  : TAGOUT_TRY(intake::parse_junit(junit));
    return results;
}

}  // namespace

Result<std::string> answer_suite_results(
    IntakeSink* intake, const Clock* clock, const net::ServerRequest& request
) {
    if (intake == nullptr || clock == nullptr) {
        return fail(ErrorCode::Unavailable, "this server takes no telemetry, so no results either");
    }
    const bool xml = request.header("Content-Type").find("xml") != std::string_view::npos;
    intake::SuiteResults results = TAGOUT_TRY(xml ? read_xml(request) : read_json(request));
    if (results.agent.empty() || results.suite.empty()) {
        return fail(
            ErrorCode::InvalidArgument,
            "agent and suite name whose results these are; with an XML body they stand in the "
            "query: "
            "?agent=NAME&suite=NAME&run=ID"
        );
    }
    if (results.tests.empty()) {
        return fail(ErrorCode::InvalidArgument, "the results name no test that was run");
    }
    const Instant now = clock->now();
    if (results.run.empty()) {
        results.run =
            std::to_string(unix_nanos(now) / Duration(std::chrono::milliseconds(1)).count());
    }
    std::shared_ptr<EventBatch> batch = TAGOUT_TRY(intake::decode(
        PaddedBytes::copy_of(intake::encode_suite(results, now)),
        Signal::Logs,
        intake::Encoding::Protobuf,
        intake::DecodeLimits{}
    ));
    const auto stored = std::make_shared<std::promise<Result<void>>>();
    std::future<Result<void>> answer = stored->get_future();
    intake->accept(std::move(batch), [stored](Result<void> result) {
        stored->set_value(std::move(result));
    });
    TAGOUT_TRY(answer.get());
    json::object out;
    out["agent"] = results.agent;
    out["suite"] = results.suite;
    out["run"] = results.run;
    out["tests"] = results.tests.size();
    out["failed"] = results.failed();
    return json::serialize(out);
}

}  // namespace tagout::server
