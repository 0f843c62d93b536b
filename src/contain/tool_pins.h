// Pins: what each tool of each MCP server was defined as when it was first seen or approved. A tool that
// is offered with another definition later is no longer what somebody agreed to, whatever its name.
//
// The hash is over the definition as the gateway canonicalises it, so order of keys and white space
// change nothing. First seen is pinned by Tagout itself; after that only a person moves a pin, and only
// to the definition that they name by its hash. Journalled: tool_definition.pinned, .changed, .approved;
// a change outlives a restart, so a changed tool stays refused where changed tools are.
//
// Thread-safe. offered() and refuses() wait for no disk: offered() takes one short lock, and what it
// learned is journalled by tick(). refuses() reads one pointer while nothing is refused.
#pragma once

#include "base/metrics.h"
#include "contain/controls.h"
#include "contain/settings.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::contain {

struct Definition {
    std::string hash;  ///< SHA-256 of all of it, 64 hex digits.
    std::string text;  ///< Canonical JSON, clipped to shown_bytes_max for showing.
    Instant at;        ///< When it was first seen, or approved.
};

struct PinnedTool {
    std::string server;
    std::string tool;
    Definition pinned;
    By by;                              ///< Who pinned it: Tagout when it was first seen.
    std::optional<Definition> offered;  ///< What is offered instead; nothing while it is the pinned.
    std::string offered_to;             ///< Agent that was first offered it, "" if it is not known.
    bool refused = false;               ///< Calls of it are refused, by containment.changed_tools_denied.
};

class ToolPins {
public:
    static constexpr std::size_t tools_max = 10'000;  ///< Tools past it are not pinned, and it is told.
    static constexpr std::size_t shown_bytes_max = 8 * 1024;
    static constexpr std::size_t hashes_told_max = 16;   ///< Of one tool: more are told no more.
    static constexpr std::size_t hash_prefix_min = 12;  ///< Of a hash that a person names.

    virtual ~ToolPins() = default;
    static std::unique_ptr<ToolPins> make(
        journal::Journal& journal, const Clock& clock, const Settings& settings, MetricRegistry& metrics
    );

    /// Folds the journal. Once, before anything else.
    virtual Result<void> rebuild() = 0;
    virtual void use(const Settings& settings) = 0;
    /// Told of each definition that differs from the pin, once, after it was journalled; on the thread
    /// of tick(), with no lock held.
    virtual void on_changed(std::function<void(const PinnedTool&)> observer) = 0;

    /// `server` offers `tool` as `definition` (canonical) to `agent`.
    virtual void offered(
        std::string_view server, std::string_view tool, std::string_view definition,
        std::string_view agent
    ) = 0;
    /// Whether calls of it are refused because its definition changed. Without a server the tool may
    /// carry it: "SERVER.TOOL", "mcp__SERVER__TOOL"; a bare name is refused if any server's is.
    [[nodiscard]] virtual bool refuses(std::string_view server, std::string_view tool) const = 0;

    /// The definition of that hash (or its first hash_prefix_min digits at least) is the pinned one from
    /// now on. NotFound: no such tool. Conflict: another one is offered, or nothing changed.
    virtual Result<PinnedTool> approve(
        const std::string& server, const std::string& tool, const std::string& hash, const By& by
    ) = 0;
    [[nodiscard]] virtual std::vector<PinnedTool> list(bool changed_only) const = 0;
    /// Journals what was learned since; what cannot be written is tried again. About once a second.
    virtual void tick() = 0;
};

}  // namespace tagout::contain
