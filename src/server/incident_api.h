// The incident routes: from parsed requests to the desk's commands.
#pragma once

#include "base/result.h"
#include "incident/desk.h"
#include "net/http_server.h"

#include <string>
#include <string_view>

namespace tagout::server {

/// `operation` is the route's; `argument` the segment of the path. Answers JSON.
[[nodiscard]] Result<std::string> answer_incident_read(
    const incident::Desk& desk, const net::ServerRequest& request, std::string_view argument
);
[[nodiscard]] Result<std::string> answer_incident_change(
    incident::Desk& desk, std::string_view operation, std::string_view argument,
    std::string_view body
);

}  // namespace tagout::server
