// What a control server tells its gateways, as bytes that are signed: what stands as a whole, one step
// from one edition to the next, and the beat that says which edition is the newest.
//
//   Standing  every control in force, and the hashes of the parts (policies, catalog, versions)
//   Step      the same as a difference: what a stop costs is the stop, not all that stood before
//   Beat      "edition N is the newest, at this time": a lease lasts from one to the next
//
// Editions count what was told and only grow, also across restarts of the control server: a gateway
// that holds one refuses an older one, so that nobody can play back what stood before a stop. Parts
// are addressed by their SHA-256 and fetched by whoever lacks them: a signature over the hash is one
// over the part.
//
// Untrusted input: parse_*() give a value or InvalidArgument with place; unknown members, unknown
// modes and scopes, a step that contradicts what stands are refused whole. Pure; thread-safe.
#pragma once

#include "base/result.h"
#include "contain/policy_rule.h"
#include "domain/control.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::contain::fleet {

inline constexpr std::size_t standing_bytes_max = 32 * 1024 * 1024;
inline constexpr std::size_t step_bytes_max = 512 * 1024;  ///< A longer one is told as a Standing.
inline constexpr std::size_t part_bytes_max = 8 * 1024 * 1024;
inline constexpr std::size_t policies_max = 1'000;
inline constexpr std::size_t versions_max = 10'000;

/// How gateways live with the control server being away.
struct Terms {
    Duration heartbeat = std::chrono::seconds(1);  ///< Both ways.
    Duration lease = std::chrono::seconds(60);     ///< Without a beat for so long, `closed` are stopped.
    std::vector<std::string> closed{"high_risk"};  ///< Of tool_class_names.
    friend bool operator==(const Terms&, const Terms&) = default;
};

/// SHA-256 in hex of each part, "" for one that there is not.
struct PartHashes {
    std::string policies;
    std::string catalog;
    std::string versions;
    std::string agents;  ///< AgentCredentials::part()
    friend bool operator==(const PartHashes&, const PartHashes&) = default;
};

struct Standing {
    std::uint64_t edition = 0;
    std::uint64_t revision = 0;  ///< Of the book of controls.
    Instant made_at;
    Terms terms;
    PartHashes parts;
    std::vector<Control> controls;  ///< The older first.
    friend bool operator==(const Standing&, const Standing&) = default;
};

struct Step {
    std::uint64_t from = 0;  ///< The edition that it changes.
    std::uint64_t edition = 0;
    std::uint64_t revision = 0;
    Instant made_at;
    Terms terms;
    PartHashes parts;
    std::vector<Control> put;          ///< New ones, and those that changed.
    std::vector<ControlId> taken;      ///< Released.
};

struct Beat {
    std::uint64_t edition = 0;
    Instant at;
};

[[nodiscard]] std::string to_text(const Standing& standing);
[[nodiscard]] Result<Standing> parse_standing(std::string_view text);
[[nodiscard]] std::string to_text(const Step& step);
[[nodiscard]] Result<Step> parse_step(std::string_view text);
[[nodiscard]] std::string to_text(const Beat& beat);
[[nodiscard]] Result<Beat> parse_beat(std::string_view text);

/// What makes `after` of `before`.
[[nodiscard]] Step step_between(const Standing& before, const Standing& after);
/// `standing` after `step`. Conflict: it begins elsewhere, is not newer, or takes what is not there;
/// `standing` is then as it was.
[[nodiscard]] Result<void> apply(const Step& step, Standing& standing);

/// Policies as their sources. InvalidArgument: one was made by hand and has none.
[[nodiscard]] Result<std::string> policies_part(const std::vector<Policy>& policies);
/// Compiles them: up to a tenth of a second for a thousand rules.
[[nodiscard]] Result<std::vector<Policy>> parse_policies(std::string_view part);

/// One version that agents ask for by label, as VersionSource answers.
struct LabelledVersion {
    std::string family;
    std::string name;
    std::string label;
    std::string body;
    std::string etag;
    friend bool operator==(const LabelledVersion&, const LabelledVersion&) = default;
};
[[nodiscard]] std::string versions_part(const std::vector<LabelledVersion>& versions);
[[nodiscard]] Result<std::vector<LabelledVersion>> parse_versions(std::string_view part);

}  // namespace tagout::contain::fleet
