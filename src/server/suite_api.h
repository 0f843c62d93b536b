// POST /v1/suites/results: what a prompt-injection test suite found, from CI or a person.
//
// The body is JSON ({"agent", "suite", "run", and "junit" or "tests"}), or JUnit XML itself with
// the rest in the query. Answered when the result is durable: it goes the way of all telemetry.
// Thread-safe: works on the Api's threads and waits there for the intake, which answers every
// batch.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "net/http_server.h"
#include "server/ports.h"

#include <string>

namespace tagout::server {

[[nodiscard]] Result<std::string> answer_suite_results(
    IntakeSink* intake, const Clock* clock, const net::ServerRequest& request
);

}  // namespace tagout::server
