// The routes of step five: regression cases, reviews, corrective actions and the release gate, from
// parsed requests to prevent/'s desks.
#pragma once

#include "base/result.h"
#include "net/http_server.h"
#include "prevent/actions.h"
#include "prevent/gate.h"
#include "prevent/regression_book.h"
#include "prevent/review.h"

#include <functional>
#include <string>
#include <string_view>

namespace tagout::server {

struct GateQuestion {
    AgentName agent;          ///< "" for every agent.
    std::string bundle;       ///< Id of a bundle that the server knows; "" for what is in force.
    std::string bundle_file;  ///< Or a candidate as `tagout catalog bundle` writes it.
};

/// What the routes need; all set, or none where a server does without them.
struct PreventDesks {
    prevent::RegressionBook* regressions = nullptr;
    prevent::Reviews* reviews = nullptr;
    prevent::Actions* actions = nullptr;
    std::function<Result<prevent::Gate>(const GateQuestion&)> gate = {};
    const Clock* clock = nullptr;
};

/// Whether `operation` is one of these routes.
[[nodiscard]] bool is_prevent_operation(std::string_view operation) noexcept;

/// `argument` is the segment of the path. Answers JSON.
[[nodiscard]] Result<std::string> answer_prevent(
    const PreventDesks& desks, std::string_view operation, std::string_view argument,
    const net::ServerRequest& request
);

}  // namespace tagout::server
