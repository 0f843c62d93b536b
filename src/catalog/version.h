// Version, Label and Bundle: what an agent was told to be, as values.
//
// Prompts, policies and model routes are three families, versioned each on its own; profiles of
// workflows are a fourth, which agents do not run, so no bundle has one. A Version never
// changes once it is published; a label such as "production" points at one and is moved. A Bundle
// names one version of each that is an agent's, and its tools: what the agent was at a time.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "domain/vocabulary.h"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::catalog {

/// Append, never renumber.
enum class VersionFamily : std::uint8_t { Prompt = 1, Policy = 2, ModelRoute = 3, Profile = 4 };
[[nodiscard]] std::string_view name_of(VersionFamily family) noexcept;  ///< prompt, policy, ...
[[nodiscard]] std::optional<VersionFamily> parse_version_family(std::string_view name) noexcept;
inline constexpr std::string_view version_family_names = "prompt, policy, model_route, profile";

/// What agents run; the label that bundles, freezes and rollbacks are about.
inline constexpr std::string_view production_label = "production";
/// Always the newest version; nobody moves it.
inline constexpr std::string_view latest_label = "latest";

inline constexpr std::size_t version_name_bytes_max = 200;
inline constexpr std::size_t label_bytes_max = 64;

/// What versions are counted in: "prompt:refund-system".
struct VersionKey {
    VersionFamily family = VersionFamily::Prompt;
    std::string name;
    friend auto operator<=>(const VersionKey&, const VersionKey&) = default;
};
[[nodiscard]] std::string to_text(const VersionKey& key);

struct Version {
    VersionKey key;
    std::uint32_t number = 0;  ///< From 1 in its family and name.
    std::string hash;          ///< content_hash(): what it is, wherever it is published.
    Actor author;
    std::string message;
    Instant created_at;
    AgentName agent;        ///< "" when it belongs to every agent.
    WorkflowName workflow;  ///< "" when it belongs to every workflow.
    IncidentId incident;    ///< Whose change it was, "" for none.
    std::vector<std::string> labels;  ///< That point at it now.
    bool was_production = false;      ///< At some time.
    std::string content;              ///< "" in lists.
};

/// One version, without what it says.
struct VersionRef {
    VersionKey key;
    std::uint32_t number = 0;
    std::string hash;
    friend auto operator<=>(const VersionRef&, const VersionRef&) = default;
};

/// The same set is the same bundle, and has the same id.
struct Bundle {
    std::string id;  ///< "bundle-" and 12 hex digits.
    AgentName agent;
    std::vector<VersionRef> versions;  ///< In order of family and name.
    std::vector<std::string> tools;    ///< In order of name.
};

/// First 16 hex digits of SHA-256 over family, name and content.
[[nodiscard]] std::string content_hash(const VersionKey& key, std::string_view content);
/// The id of a bundle of these; versions and tools in order.
[[nodiscard]] std::string bundle_id(const Bundle& bundle);

/// InvalidArgument says what a name or label may be.
[[nodiscard]] Result<void> check_version_name(std::string_view name);
[[nodiscard]] Result<void> check_label(std::string_view label);

}  // namespace tagout::catalog
