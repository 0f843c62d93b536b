// The routes of versions, labels, bundles, rollback, freezes and journeys.
#pragma once

#include "base/clock.h"
#include "net/http_server.h"
#include "recover/journeys.h"
#include "recover/releases.h"

#include <optional>
#include <string>
#include <string_view>

namespace tagout::server {

/// What the routes work on; app/ makes them.
struct ReleaseDesks {
    recover::Releases* releases = nullptr;
    recover::Journeys* journeys = nullptr;
    const Clock* clock = nullptr;
};

/// An answer with its own status and headers; `etag` "" for none.
struct ReleaseAnswer {
    int status = 200;
    std::string etag;
    std::string body;
};

/// Whether `operation` is one of these.
[[nodiscard]] bool is_release_operation(std::string_view operation) noexcept;
/// `argument` is the segment of the path.
[[nodiscard]] Result<ReleaseAnswer> answer_release(
    const ReleaseDesks& desks, std::string_view operation, std::string_view argument,
    const net::ServerRequest& request
);

}  // namespace tagout::server
