// What a Linker remembers of one trace: its spans as a tree that grows in any order, the answers
// and tool calls by id, and the conversation it belongs to.
//
// A child that comes before its parent makes a place for it; the place is filled when the parent
// comes. Confined to the Linker's shard. About 80 bytes a span.
#pragma once

#include "domain/agent_event.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tagout::intake {

/// One span, or the place of a parent that has not come yet.
struct SpanNode {
    static constexpr std::uint32_t none = 0xffffffff;

    SpanId id;
    std::int64_t started = 0;  ///< Unix nanoseconds; so the end.
    std::int64_t ended = 0;
    std::uint64_t answer = 0;  ///< Hash of the response id or tool call id; 0 without one.
    std::uint32_t name = 0;    ///< Hash of the tool's name or of the model.
    std::uint32_t parent = none;
    std::uint32_t first_child = none;
    std::uint32_t next_sibling = none;
    std::uint32_t event = none;  ///< Its event in the batch at hand.
    std::int16_t http_status_below = -1;  ///< The last 4xx or 5xx of an HTTP child.
    EventKind kind = EventKind::Other;
    std::uint8_t below = 0;  ///< Which of model calls, tools and agents are among its descendants.
    bool seen : 1 = false;
    bool emitted : 1 = false;  ///< Went out with an earlier batch: cannot be changed any more.
    bool has_tokens : 1 = false;
    bool tokens_counted : 1 = false;
    bool cost_counted : 1 = false;
    bool wrapper : 1 = false;
    bool denied : 1 = false;      ///< A guardrail below it said no.
    bool inner_failed : 1 = false;  ///< The execution below this tool failed.
};

/// A call that a log record told of.
struct LoggedCall {
    std::uint64_t answer = 0;
    EventKind kind = EventKind::Llm;
    bool tokens_counted = false;
    bool cost_counted = false;
};

class TraceMemory {
public:
    /// The node of that span, made if there is room for one more; SpanNode::none if there is not.
    [[nodiscard]] std::uint32_t find_or_add(SpanId id, std::size_t spans_max);
    [[nodiscard]] SpanNode& operator[](std::uint32_t index) noexcept { return nodes_[index]; }
    [[nodiscard]] const SpanNode& operator[](std::uint32_t index) const noexcept {
        return nodes_[index];
    }
    [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }

    /// Hangs `child` under `parent`, unless it hangs somewhere already, and tells all above what is
    /// below them.
    void connect(std::uint32_t child, std::uint32_t parent) noexcept;

    /// Says that `index` is an agent, a tool or a model call, to all above it.
    void tell_above(std::uint32_t index) noexcept;

    /// The other span of that kind with that answer or call id, else none.
    [[nodiscard]] std::uint32_t other_with_answer(
        EventKind kind, std::uint64_t answer, std::uint32_t except
    ) const noexcept;
    /// The model call with that model during which `at` lies, else none.
    [[nodiscard]] std::uint32_t call_around(std::uint32_t model, std::int64_t at) const noexcept;

    void remember_answer(std::uint32_t index);
    void remember_logged(const LoggedCall& call, std::size_t calls_max);
    [[nodiscard]] const LoggedCall* logged(EventKind kind, std::uint64_t answer) const noexcept;

    [[nodiscard]] std::span<SpanNode> nodes() noexcept { return nodes_; }

    std::string conversation;          ///< "" while nobody told it.
    bool filed_under_trace_id = false; ///< An earlier batch had events without a conversation.
    bool reveals = false;              ///< Its conversation came with the batch at hand.
    std::string_view shared;           ///< Correlation as the batch at hand keeps it.
    std::uint64_t shared_in = 0;       ///< Which batch that is.

private:
    static constexpr std::size_t scanned_max = 12;  ///< More spans get an index.
    void rebuild_index();
    [[nodiscard]] std::size_t slot_of(SpanId id) const noexcept;

    std::vector<SpanNode> nodes_;
    std::vector<std::uint32_t> index_;  ///< Open addressing; SpanNode::none where free.
    std::vector<std::uint32_t> answers_;  ///< Nodes with an answer.
    std::vector<LoggedCall> logged_;
};

/// Bits of SpanNode::below.
enum Below : std::uint8_t { BelowLlm = 1, BelowTool = 2, BelowAgent = 4 };

/// Whether a call of the same kind may lie under a span of that kind as if it were not there.
[[nodiscard]] constexpr bool is_transparent(EventKind kind) noexcept {
    return kind == EventKind::Http || kind == EventKind::Other || kind == EventKind::Mcp
        || kind == EventKind::Drop;
}

}  // namespace tagout::intake
