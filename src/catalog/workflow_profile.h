// WorkflowProfile: what the good sessions of one workflow use, counted. A value.
//
// Eight facets, each a bounded table from a key to the number of good sessions that showed it. What
// a new session does is judged against the table: a key that many good sessions never showed is
// news. A facet that is full learns no new key, and then what it does not know is not news either
// (knows()): a bound must never make a finding.
//
// Profiles add and subtract exactly while no facet is full, so what all agents but one showed is
// the sum less that one's (take_away). As JSON a profile is a version's content in the catalog:
// shown, compared, edited and rolled back like a prompt. Every bound together keeps that JSON below
// content_bytes_max.
//
// To add a facet: a row in profile_facet_table. Keys longer than its key_bytes_max are cut and end
// in a hash.
//
// Values of arguments are kept by hash, for who was paid and mailed is nobody's business here. An
// argument that takes ever new values (order ids) is open: past values_max it becomes one key,
// "TOOL.a=*", and none of its values is news. A person may write that key, too.
//
// Thread-compatible. Cost: one ordered look-up a key; about 100 bytes a key.
#pragma once

#include "base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::catalog {

/// Append, never renumber: facets travel in partial sums and stand in profiles.
enum class ProfileFacet : std::uint8_t {
    Tools = 0,
    Hosts = 1,
    Pairs = 2,
    ArgumentShapes = 3,
    ArgumentSources = 4,
    RequestWords = 5,
    WrittenValues = 6,
    Values = 7,
};
inline constexpr std::size_t profile_facet_count = 8;

struct ProfileFacetInfo {
    ProfileFacet facet;
    std::string_view name;     ///< In JSON.
    std::string_view meaning;  ///< Of a key, for people who edit one.
    std::size_t keys_max;
    std::size_t key_bytes_max;
};

inline constexpr std::array<ProfileFacetInfo, profile_facet_count> profile_facet_table{{
    {ProfileFacet::Tools, "tools", "a tool that was called", 256, 80},
    {ProfileFacet::Hosts, "hosts", "a host that a call named", 256, 64},
    {ProfileFacet::Pairs,
     "pairs",
     "two tools, the second somewhen after the first: A > B",
     256,
     80},
    {ProfileFacet::ArgumentShapes,
     "argument_shapes",
     "the arguments that a tool was called with: TOOL(a,b)",
     128,
     80},
    {ProfileFacet::ArgumentSources,
     "argument_sources",
     "where an argument's value came from: TOOL.a SOURCE",
     512,
     48},
    {ProfileFacet::RequestWords,
     "request_words",
     "a word of the user's request, as a hash",
     1'500,
     16},
    {ProfileFacet::WrittenValues,
     "written_values",
     "an argument with an identifier that a completed write set, and its value as a hash: TOOL.a "
     "HASH",
     384,
     80},
    {ProfileFacet::Values,
     "values",
     "what an argument was, as a hash: TOOL.a=HASH; TOOL.a=* for anything",
     700,
     48},
}};

[[nodiscard]] constexpr const ProfileFacetInfo& info_of(ProfileFacet facet) noexcept {
    return profile_facet_table[static_cast<std::size_t>(facet)];
}

/// One key of one facet: what a session tells its workflow's profile.
struct ProfileUse {
    ProfileFacet facet = ProfileFacet::Tools;
    std::string key;
    friend auto operator<=>(const ProfileUse&, const ProfileUse&) = default;
};

class WorkflowProfile {
public:
    using Counts = std::map<std::string, std::uint64_t, std::less<>>;
    /// Of Values: an argument with more of them is open.
    static constexpr std::size_t values_max = 40;
    /// Of WrittenValues: an argument with more values is open, and which they are is no matter.
    static constexpr std::size_t values_per_argument_max = 4;
    static constexpr std::size_t content_bytes_max = 256 * 1024;

    /// A good session ended; learn() its uses, each once.
    void begin_session() noexcept { ++sessions_; }
    void learn(ProfileFacet facet, std::string_view key);
    void merge(const WorkflowProfile& other);
    /// The opposite of merge(): `part` was merged before. Keys that nobody else showed go.
    void take_away(const WorkflowProfile& part);

    [[nodiscard]] std::uint64_t sessions() const noexcept { return sessions_; }
    /// Good sessions that showed `key`; 0 for none.
    [[nodiscard]] std::uint64_t count(ProfileFacet facet, std::string_view key) const;
    /// Whether `key` is no news: it was shown, or the facet is full and might have forgotten it.
    [[nodiscard]] bool knows(ProfileFacet facet, std::string_view key) const;
    /// Whether an argument, written TOOL.a, takes any value.
    [[nodiscard]] bool is_open(std::string_view argument) const;
    [[nodiscard]] const Counts& counts(ProfileFacet facet) const noexcept {
        return facets_[static_cast<std::size_t>(facet)].counts;
    }
    /// Uses of keys that found no room, since the profile began.
    [[nodiscard]] std::uint64_t refused(ProfileFacet facet) const noexcept {
        return facets_[static_cast<std::size_t>(facet)].refused;
    }
    [[nodiscard]] std::size_t bytes() const noexcept;

    /// What good sessions were asked, a request a line, in the form of who learned it (letters and
    /// digits; no words of users). merge() and take_away() leave it alone. Kept are the first
    /// requests_max lines that fit into requests_bytes_max; to_json() writes those of them that fit
    /// into content_bytes_max behind the facets.
    static constexpr std::size_t requests_max = 192;
    static constexpr std::size_t requests_bytes_max = 96 * 1024;
    void set_requests(std::vector<std::string> lines);
    [[nodiscard]] const std::vector<std::string>& requests() const noexcept { return requests_; }

    friend bool operator==(const WorkflowProfile&, const WorkflowProfile&) = default;

private:
    friend Result<WorkflowProfile> parse_workflow_profile(std::string_view json);
    struct Facet {
        Counts counts;
        std::uint64_t refused = 0;
        friend bool operator==(const Facet&, const Facet&) = default;
    };
    /// Whether the argument of a key of Values is open, or becomes so by this key.
    [[nodiscard]] bool opens(std::string_view key);

    std::uint64_t sessions_ = 0;
    std::array<Facet, profile_facet_count> facets_;
    std::vector<std::string> requests_;
};

/// Indented, a key a line in order, so that versions compare line by line; ends in a line end.
[[nodiscard]] std::string to_json(const WorkflowProfile& profile);
/// InvalidArgument names the member and what was expected: "tools.refund: a whole number ...".
/// LimitExceeded: more keys than the facet holds. An unknown member is a mistake, not ignored.
[[nodiscard]] Result<WorkflowProfile> parse_workflow_profile(std::string_view json);

/// The name under which a workflow's profile stands in the catalog: the workflow's own where names
/// may be so written, else with '-' for what may not stand and a hash at the end.
[[nodiscard]] std::string profile_name(std::string_view workflow);

}  // namespace tagout::catalog
