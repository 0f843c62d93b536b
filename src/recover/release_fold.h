// Versions, labels and bundles as a fold over journal entries: the one place that knows what an
// entry means.
//
//   version.published  a version with its content      version.labelled  a label points elsewhere
//   bundle.made        a set of versions and tools     bundle.in_force   an agent runs that set now
//   bundle.evidence    outcomes seen since the last    bundle.good       evidence was enough
//   bundle.blocked     an incident began under it      bundle.unblocked  it was none, or moved
//   rollback.done      which label moves were one rollback
//
// Thread-compatible. An entry that does not read is counted and passed over; applied twice it
// changes nothing more than once, except evidence, which adds.
#pragma once

#include "catalog/version.h"
#include "journal/journal_entry.h"
#include "recover/bundle_book.h"

#include <boost/json/object.hpp>

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace tagout::recover {

struct LabelMove {
    std::uint32_t number = 0;
    Instant at;
    Actor by;
};

/// One family and name.
struct Line {
    AgentName agent;
    WorkflowName workflow;
    std::vector<catalog::Version> versions;  ///< By number, from 1; without content and labels.
    std::vector<std::shared_ptr<const std::string>> contents;  ///< As `versions`.
    std::map<std::string, std::vector<LabelMove>, std::less<>> labels;  ///< The newest move last.

    static constexpr std::size_t moves_max = 1'000;  ///< Remembered of one label.

    /// 0 when the label stands nowhere.
    [[nodiscard]] std::uint32_t holder(std::string_view label) const;
    /// The holder before the present one that is another version; 0 for none.
    [[nodiscard]] std::uint32_t previous_holder(std::string_view label) const;
    [[nodiscard]] bool was_labelled(std::uint32_t number) const;
    /// With its labels; content when `with_content`.
    [[nodiscard]] catalog::Version version(std::uint32_t number, bool with_content) const;
    [[nodiscard]] std::uint32_t number_of_hash(std::string_view hash) const;
};

class ReleaseFold {
public:
    explicit ReleaseFold(std::size_t bundles_max) : bundles_(bundles_max) {}

    /// Whether the entry was one of these.
    bool apply(const journal::JournalEntry& entry);

    [[nodiscard]] const std::map<catalog::VersionKey, Line>& lines() const noexcept {
        return lines_;
    }
    [[nodiscard]] const Line* find(const catalog::VersionKey& key) const;
    [[nodiscard]] const BundleBook& bundles() const noexcept { return bundles_; }
    [[nodiscard]] std::size_t content_bytes() const noexcept { return content_bytes_; }
    [[nodiscard]] std::uint64_t unreadable() const noexcept { return unreadable_; }
    /// What `agent` is by its production labels, with `tools`; without versions if it has none.
    [[nodiscard]] catalog::Bundle present_set(
        const AgentName& agent, std::vector<std::string> tools
    ) const;
    [[nodiscard]] std::vector<AgentName> agents() const;  ///< That a version belongs to.

private:
    bool publish(const journal::JournalEntry& entry, const boost::json::object& body);
    bool label(const journal::JournalEntry& entry, const boost::json::object& body);
    bool bundle(const journal::JournalEntry& entry, const boost::json::object& body);

    std::map<catalog::VersionKey, Line> lines_;
    BundleBook bundles_;
    std::size_t content_bytes_ = 0;
    std::uint64_t unreadable_ = 0;
};

}  // namespace tagout::recover
