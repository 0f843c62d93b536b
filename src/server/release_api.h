// The routes of versions, labels, bundles, rollback, freezes and journeys.
#pragma once

#include "base/clock.h"
#include "net/http_server.h"
#include "recover/journeys.h"
#include "recover/releases.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tagout::server {

/// What is known of one workflow now: learned, perhaps not yet saved.
struct ProfileView {
    std::string workflow;
    std::string name;  ///< Of its versions in the catalog.
    std::uint64_t good_sessions = 0;
    std::vector<std::pair<std::string, std::size_t>> keys;  ///< Facet and how many it holds.
    std::uint32_t version = 0;  ///< In force, 0 for none.
    bool unsaved = false;       ///< More was learned since the version in force.
    std::string held_by;        ///< Incidents that stop learning, "" for none.
};

/// What the routes work on; app/ makes them.
struct ReleaseDesks {
    recover::Releases* releases = nullptr;
    recover::Journeys* journeys = nullptr;
    const Clock* clock = nullptr;
    /// At most `limit`, those of most good sessions first.
    std::function<std::vector<ProfileView>(std::size_t limit)> profiles = {};
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
