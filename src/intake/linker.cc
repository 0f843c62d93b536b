#include "intake/intake.h"
#include "intake/linker_trace.h"
#include "intake/normalise_outcome.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstring>
#include <deque>
#include <xxhash.h>

namespace tagout::intake {

namespace {

constexpr std::uint32_t none = SpanNode::none;
constexpr int nested_hops_max = 4;     // between a call and the call that wraps it
constexpr int nested_looks_max = 64;   // spans looked at below one, while searching

std::uint64_t hash_of(std::string_view text) noexcept {
    return text.empty() ? 0 : XXH3_64bits(text.data(), text.size()) | 1U;
}

struct TraceIdHash {
    using is_avalanching = void;
    std::size_t operator()(const TraceId& id) const noexcept {
        return XXH3_64bits(id.bytes.data(), id.bytes.size());
    }
};

/// A remembered trace and its place in the order of last use.
struct TraceSlot {
    TraceId id;
    TraceMemory memory;
    std::uint32_t newer = none;
    std::uint32_t older = none;
    std::size_t counted_spans = 0;  ///< Its share of the sum of all traces.
};

std::string_view keep_hex(const TraceId& id, EventBatch& batch) {
    return batch.keep(to_hex(id));
}

bool is_call(EventKind kind) noexcept {
    return kind == EventKind::Llm || kind == EventKind::Tool || kind == EventKind::Embedding;
}

/// The id that a span and a log record of one call share.
std::string_view answer_id_of(const AgentEvent& event) noexcept {
    switch (event.kind) {
        case EventKind::Llm:
            return event.response_id;
        case EventKind::Tool:
            return event.tool_call_id;
        default:
            return {};
    }
}

bool counts_tokens(const AgentEvent& event) noexcept {
    return event.tokens.accounting == TokenAccounting::Leaf && event.tokens.counted() > 0;
}

bool counts_cost(const AgentEvent& event) noexcept {
    return event.cost_accounting == TokenAccounting::Leaf;
}

void repeat(AgentEvent& event) noexcept {
    if (event.tokens.accounting != TokenAccounting::None) {
        event.tokens.accounting = TokenAccounting::Duplicate;
    }
    if (event.cost_accounting != TokenAccounting::None) {
        event.cost_accounting = TokenAccounting::Duplicate;
    }
}

void roll_up(AgentEvent& event) noexcept {
    if (event.tokens.accounting == TokenAccounting::Leaf) {
        event.tokens.accounting = TokenAccounting::Rollup;
    }
    if (event.cost_accounting == TokenAccounting::Leaf) {
        event.cost_accounting = TokenAccounting::Rollup;
    }
}

}  // namespace

/// The traces, in order of last use, and what one call of link() works with.
struct Linker::State {
    explicit State(const LinkerOptions& chosen) : options(chosen) {}

    // --- memory ---
    LinkerOptions options;
    LinkerStats stats;
    std::deque<TraceSlot> slots;  ///< References stay valid while it grows.
    std::vector<std::uint32_t> free_slots;
    boost::unordered_flat_map<TraceId, std::uint32_t, TraceIdHash> by_id;
    std::uint32_t newest = none;
    std::uint32_t oldest = none;
    boost::unordered_flat_set<std::uint64_t> records;  ///< Hashes of log records, against resends.
    std::deque<std::uint64_t> records_in_order;
    std::uint64_t batch_number = 0;

    // --- the batch at hand ---
    struct Place {
        TraceSlot* trace = nullptr;
        std::uint32_t node = none;
    };
    EventBatch* batch = nullptr;
    std::vector<Place> places;  ///< Of each event.

    void run(EventBatch& given);

    [[nodiscard]] TraceSlot& touch(const TraceId& id);
    void unhook(std::uint32_t slot) noexcept;
    void hook_newest(std::uint32_t slot) noexcept;
    void forget_over_limits();

    void place(std::uint32_t index);
    void place_span(AgentEvent& event, std::uint32_t index, Place& at);
    void tell_relations(AgentEvent& event, TraceMemory& trace, std::uint32_t node);
    [[nodiscard]] bool is_resent_record(const AgentEvent& event);
    void drop(AgentEvent& event) noexcept;

    void relate(std::uint32_t index);
    void relate_call(AgentEvent& event, TraceMemory& trace, std::uint32_t node);
    struct Nested {
        bool found = false;
        bool tokens = false;
        std::uint32_t first = none;
    };
    void look_below(
        TraceMemory& trace, std::uint32_t node, std::uint32_t outer, int hops, int& looks,
        Nested& nested
    ) const;
    [[nodiscard]] std::uint32_t wrapper_above(TraceMemory& trace, std::uint32_t node) const;
    void relate_http(AgentEvent& event, TraceMemory& trace, std::uint32_t node);
    void relate_tool(AgentEvent& event, TraceMemory& trace, std::uint32_t node) const;
    void relate_root(AgentEvent& event, TraceMemory& trace, std::uint32_t node) const;
    void relate_record(AgentEvent& event, TraceMemory& trace);
    void merge_into_span(AgentEvent& record, TraceMemory& trace, std::uint32_t node, bool same_id);
    void settle(std::uint32_t index);
    void correlate(std::uint32_t index);
    void finish();
};

// --- memory ---

TraceSlot& Linker::State::touch(const TraceId& id) {
    const auto [found, added] = by_id.try_emplace(id, none);
    if (!added) {
        const std::uint32_t slot = found->second;
        if (slot != newest) {
            unhook(slot);
            hook_newest(slot);
        }
        return slots[slot];
    }
    std::uint32_t slot = 0;
    if (free_slots.empty()) {
        slot = static_cast<std::uint32_t>(slots.size());
        slots.emplace_back();
    } else {
        slot = free_slots.back();
        free_slots.pop_back();
    }
    found->second = slot;
    slots[slot].id = id;
    hook_newest(slot);
    return slots[slot];
}

void Linker::State::unhook(std::uint32_t slot) noexcept {
    const TraceSlot& trace = slots[slot];
    (trace.newer == none ? newest : slots[trace.newer].older) = trace.older;
    (trace.older == none ? oldest : slots[trace.older].newer) = trace.newer;
}

void Linker::State::hook_newest(std::uint32_t slot) noexcept {
    slots[slot].newer = none;
    slots[slot].older = newest;
    (newest == none ? oldest : slots[newest].newer) = slot;
    newest = slot;
}

void Linker::State::forget_over_limits() {
    while (oldest != none
           && (by_id.size() > options.traces_max || stats.spans > options.spans_max)) {
        const std::uint32_t slot = oldest;
        unhook(slot);
        by_id.erase(slots[slot].id);
        stats.spans -= slots[slot].counted_spans;
        slots[slot] = TraceSlot{};
        free_slots.push_back(slot);
        ++stats.traces_forgotten;
    }
}

// --- first pass: every event takes its place in its trace ---

void Linker::State::drop(AgentEvent& event) noexcept {
    event.kind = EventKind::Drop;
    repeat(event);
    ++stats.duplicates;
}

/// A sender that missed the answer sends a record again, byte by byte.
bool Linker::State::is_resent_record(const AgentEvent& event) {
    if (event.item >= batch->items.size() || batch->items[event.item].bytes.empty()) {
        return false;
    }
    const std::string_view bytes = batch->items[event.item].bytes;
    const std::uint64_t hash = XXH3_64bits(bytes.data(), bytes.size());
    if (!records.insert(hash).second) {
        return true;
    }
    records_in_order.push_back(hash);
    if (records_in_order.size() > options.records_max) {
        records.erase(records_in_order.front());
        records_in_order.pop_front();
    }
    return false;
}

void Linker::State::place(std::uint32_t index) {
    AgentEvent& event = batch->events[index];
    Place& at = places[index];
    if (!event.trace_id.empty()) {
        at.trace = &touch(event.trace_id);
        TraceMemory& trace = at.trace->memory;
        if (trace.conversation.empty() && !event.conversation_id.empty()) {
            trace.conversation = event.conversation_id;
            trace.reveals = trace.filed_under_trace_id;
        }
    }
    if (event.signal == Signal::Logs) {
        if (is_resent_record(event)) {
            drop(event);
        }
    } else if (at.trace != nullptr && !event.span_id.empty()) {
        place_span(event, index, at);
    }
}

void Linker::State::place_span(AgentEvent& event, std::uint32_t index, Place& at) {
    TraceMemory& trace = at.trace->memory;
    const std::uint32_t node = trace.find_or_add(event.span_id, options.spans_per_trace_max);
    if (node == none) {
        ++stats.spans_unrelated;
        return;
    }
    const std::int64_t ended = unix_nanos(event.ended_at);
    if (trace[node].seen) {
        if (trace[node].ended == ended) {
            drop(event);
            return;
        }
        if (trace[node].has_tokens) {  // the span goes on living: its tokens are counted once
            repeat(event);
        }
    }
    at.node = node;
    const bool known = trace[node].seen;
    SpanNode& span = trace[node];
    span.seen = true;
    span.event = index;
    span.kind = event.kind;
    span.started = unix_nanos(event.started_at);
    span.ended = ended;
    span.has_tokens = span.has_tokens || counts_tokens(event);
    span.answer = hash_of(answer_id_of(event));
    span.name = static_cast<std::uint32_t>(
        hash_of(event.kind == EventKind::Tool ? event.tool_name : event.model_request)
    );
    if (span.answer != 0 && !known) {
        trace.remember_answer(node);
    }
    tell_relations(event, trace, node);
}

/// `event` may be read before its relatives: they find what it says on the nodes.
void Linker::State::tell_relations(AgentEvent& event, TraceMemory& trace, std::uint32_t node) {
    if (!event.parent_span_id.empty() && event.parent_span_id != event.span_id) {
        const std::uint32_t parent =
            trace.find_or_add(event.parent_span_id, options.spans_per_trace_max);
        if (parent == none) {
            ++stats.spans_unrelated;
        } else {
            trace.connect(node, parent);
            SpanNode& above = trace[parent];
            if (event.kind == EventKind::Guardrail && event.guardrail_verdict == Verdict::Deny) {
                above.denied = true;
            }
            if (event.kind == EventKind::ToolInner && event.status == SpanStatus::Error) {
                above.inner_failed = true;
            }
            if (event.kind == EventKind::Http && event.http_status >= 400
                && event.status == SpanStatus::Error) {
                above.http_status_below = static_cast<std::int16_t>(event.http_status);
            }
        }
    }
    trace.tell_above(node);
}

// --- second pass: what the neighbours say about each event ---

void Linker::State::relate(std::uint32_t index) {
    AgentEvent& event = batch->events[index];
    const Place at = places[index];
    if (at.trace == nullptr || event.kind == EventKind::Drop) {
        return;
    }
    TraceMemory& trace = at.trace->memory;
    if (event.signal == Signal::Logs) {
        relate_record(event, trace);
        return;
    }
    if (at.node == none) {
        event.root = event.parent_span_id.empty();
        return;
    }
    if (is_call(event.kind)) {
        relate_call(event, trace, at.node);
    }
    if (event.kind == EventKind::Llm || event.kind == EventKind::Tool) {
        const SpanNode& node = trace[at.node];
        if (event.status == SpanStatus::Error && event.http_status < 0
            && node.http_status_below > 0) {
            event.http_status = node.http_status_below;
            event.outcome = outcome_of(event);
        }
    }
    if (event.kind == EventKind::Tool) {
        relate_tool(event, trace, at.node);
    } else if (event.kind == EventKind::Http) {
        relate_http(event, trace, at.node);
    }
    relate_root(event, trace, at.node);
}

/// Calls of `outer`'s kind below `node`, through spans that are no calls of their own.
void Linker::State::look_below(
    TraceMemory& trace, std::uint32_t node, std::uint32_t outer, int hops, int& looks,
    Nested& nested
) const {
    for (std::uint32_t child = trace[node].first_child; child != none && looks < nested_looks_max;
         child = trace[child].next_sibling) {
        ++looks;
        const SpanNode& span = trace[child];
        if (!span.seen) {
            continue;
        }
        const bool same = span.kind == trace[outer].kind
            && (span.kind != EventKind::Tool || span.name == trace[outer].name);
        if (same) {
            nested.first = nested.found ? nested.first : child;
            nested.found = true;
            nested.tokens = nested.tokens || span.has_tokens;
        }
        if ((same || is_transparent(span.kind)) && hops + 1 < nested_hops_max) {
            look_below(trace, child, outer, hops + 1, looks, nested);
        }
    }
}

/// The nearest call of the same kind above, through spans that are no calls, else none.
std::uint32_t Linker::State::wrapper_above(TraceMemory& trace, std::uint32_t node) const {
    std::uint32_t above = trace[node].parent;
    for (int hops = 0; above != none && hops < nested_hops_max; ++hops) {
        const SpanNode& span = trace[above];
        if (!span.seen) {
            return none;
        }
        if (span.kind == trace[node].kind) {
            return span.kind != EventKind::Tool || span.name == trace[node].name ? above : none;
        }
        if (!is_transparent(span.kind)) {
            return none;
        }
        above = span.parent;
    }
    return none;
}

/// One call that several instrumentations report: the innermost counts, or whichever came first.
void Linker::State::relate_call(AgentEvent& event, TraceMemory& trace, std::uint32_t node) {
    Nested nested;
    int looks = 0;
    look_below(trace, node, node, 0, looks, nested);
    if (nested.found) {
        event.wrapper = true;
        if (nested.tokens) {
            roll_up(event);
        }
        AgentEvent* const inner =
            trace[nested.first].event != none ? &batch->events[trace[nested.first].event] : nullptr;
        if (event.kind == EventKind::Tool && inner != nullptr && inner->tool_args.empty()) {
            inner->tool_args = event.tool_args;
        }
        return;
    }
    if (const std::uint32_t above = wrapper_above(trace, node);
        above != none && trace[above].emitted && !trace[above].wrapper) {
        event.wrapper = true;
        if (trace[above].tokens_counted) {
            repeat(event);
        }
        return;
    }
    const std::uint64_t answer = trace[node].answer;
    if (answer == 0) {
        return;
    }
    if (event.kind == EventKind::Llm) {
        const std::uint32_t other = trace.other_with_answer(EventKind::Llm, answer, node);
        if (other != none && trace[other].tokens_counted) {
            event.wrapper = true;
            repeat(event);
            return;
        }
    }
    if (const LoggedCall* const call = trace.logged(event.kind, answer)) {
        event.wrapper = true;
        if (call->tokens_counted && event.tokens.accounting != TokenAccounting::None) {
            event.tokens.accounting = TokenAccounting::Duplicate;
        }
        if (call->cost_counted && event.cost_accounting != TokenAccounting::None) {
            event.cost_accounting = TokenAccounting::Duplicate;
        }
    }
}

void Linker::State::relate_http(AgentEvent& event, TraceMemory& trace, std::uint32_t node) {
    const std::uint32_t parent = trace[node].parent;
    if (parent == none || !trace[parent].seen) {
        return;
    }
    const EventKind kind = trace[parent].kind;
    event.absorbed = kind == EventKind::Llm || kind == EventKind::Tool;
    const bool get = event.name == "GET" || event.name.starts_with("GET ");
    if (kind == EventKind::Mcp && event.http_status == 405 && get) {
        event.status = SpanStatus::Unset;  // a server that does not push says so
        event.outcome = StepOutcome::Ok;
    }
}

void Linker::State::relate_tool(AgentEvent& event, TraceMemory& trace, std::uint32_t node) const {
    if (trace[node].inner_failed && event.status == SpanStatus::Unset) {
        event.status = SpanStatus::Error;
        event.outcome = outcome_of(event);
    }
    if (trace[node].denied) {
        event.outcome = StepOutcome::Denied;
    }
}

void Linker::State::relate_root(AgentEvent& event, TraceMemory& trace, std::uint32_t node) const {
    const SpanNode& span = trace[node];
    const bool parent_known = span.parent != none && trace[span.parent].seen;
    event.root = event.parent_span_id.empty()
        || (options.batches == BatchScope::WholeTraces && !parent_known);
    if (!event.root) {
        return;
    }
    const bool nameless = event.kind == EventKind::Step || event.kind == EventKind::Other;
    if ((nameless && span.below != 0)
        || (event.kind == EventKind::Agent && event.convention == Convention::OpenInference
            && (span.below & BelowAgent) != 0)) {
        event.kind = EventKind::Workflow;
        if (event.workflow_name.empty()) {
            event.workflow_name = event.name;
        }
    }
}

void Linker::State::relate_record(AgentEvent& event, TraceMemory& trace) {
    if (event.kind != EventKind::Llm && event.kind != EventKind::Tool) {
        return;
    }
    const std::uint64_t answer = hash_of(answer_id_of(event));
    if (answer != 0) {
        const std::uint32_t node = trace.other_with_answer(event.kind, answer, none);
        if (node != none) {
            merge_into_span(event, trace, node, true);
            return;
        }
    }
    if (event.kind == EventKind::Llm && event.status == SpanStatus::Error) {
        const std::uint32_t node = trace.call_around(
            static_cast<std::uint32_t>(hash_of(event.model_request)), unix_nanos(event.ended_at)
        );
        if (node != none) {
            merge_into_span(event, trace, node, false);
            return;
        }
    }
    if (answer != 0) {
        trace.remember_logged(
            {answer, event.kind, counts_tokens(event), counts_cost(event)},
            options.spans_per_trace_max
        );
    }
}

void Linker::State::merge_into_span(
    AgentEvent& record, TraceMemory& trace, std::uint32_t node, bool same_id
) {
    SpanNode& span = trace[node];
    record.merged = true;
    record.merged_into = span.id;
    if (span.has_tokens && record.tokens.accounting != TokenAccounting::None) {
        record.tokens.accounting = TokenAccounting::Duplicate;
    }
    if (span.event == none) {  // the span is gone; a cost that it had not is counted here
        if (span.cost_counted && record.cost_accounting != TokenAccounting::None) {
            record.cost_accounting = TokenAccounting::Duplicate;
        }
        span.cost_counted = span.cost_counted || counts_cost(record);
        span.has_tokens = span.has_tokens || counts_tokens(record);
        return;
    }
    AgentEvent& event = batch->events[span.event];
    if (record.cost_accounting != TokenAccounting::None) {
        if (event.cost_usd < 0) {
            event.cost_usd = record.cost_usd;
            event.cost_accounting =
                event.wrapper ? TokenAccounting::Rollup : TokenAccounting::Leaf;
        }
        record.cost_accounting = event.cost_accounting == TokenAccounting::Leaf
            ? TokenAccounting::Duplicate
            : record.cost_accounting;
    }
    if (event.tool_args.empty()) {
        event.tool_args = record.tool_args;
    }
    if (same_id && record.status == SpanStatus::Error && event.status != SpanStatus::Error) {
        event.status = SpanStatus::Error;
        if (event.outcome == StepOutcome::Ok) {
            event.outcome = outcome_of(event);
        }
    }
}

// --- third pass: correlation, and what later batches must know ---

void Linker::State::correlate(std::uint32_t index) {
    AgentEvent& event = batch->events[index];
    TraceSlot* const slot = places[index].trace;
    if (!event.conversation_id.empty()) {
        event.correlation = event.conversation_id;
    } else if (slot == nullptr) {
        std::string own = "service:";
        own += event.service_name;
        event.correlation = batch->keep(own);
    } else {
        TraceMemory& trace = slot->memory;
        if (trace.shared_in != batch_number) {
            trace.shared_in = batch_number;
            trace.shared = trace.conversation.empty() ? keep_hex(slot->id, *batch)
                                                      : batch->keep(trace.conversation);
        }
        event.correlation = trace.shared;
        trace.filed_under_trace_id = trace.filed_under_trace_id || trace.conversation.empty();
    }
    if (slot != nullptr && slot->memory.reveals && event.correlation == slot->memory.conversation) {
        slot->memory.reveals = false;
        slot->memory.filed_under_trace_id = false;
        event.formerly = keep_hex(slot->id, *batch);
    }
    if (event.item < batch->items.size()) {
        batch->items[event.item].correlation = event.correlation;
    }
}

void Linker::State::settle(std::uint32_t index) {
    const AgentEvent& event = batch->events[index];
    const Place at = places[index];
    if (at.node == none) {
        return;
    }
    SpanNode& node = at.trace->memory[at.node];
    node.tokens_counted = node.tokens_counted || counts_tokens(event);
    node.cost_counted = node.cost_counted || counts_cost(event);
    node.wrapper = event.wrapper;
}

void Linker::State::finish() {
    for (Place& at : places) {
        if (at.trace == nullptr) {
            continue;
        }
        if (at.node != none) {
            SpanNode& node = at.trace->memory[at.node];
            node.event = none;
            node.emitted = true;
        }
        stats.spans += at.trace->memory.size() - at.trace->counted_spans;
        at.trace->counted_spans = at.trace->memory.size();
    }
    forget_over_limits();
    stats.traces = by_id.size();
}

void Linker::State::run(EventBatch& given) {
    batch = &given;
    ++batch_number;
    const auto count = static_cast<std::uint32_t>(given.events.size());
    places.assign(count, Place{});
    for (std::uint32_t i = 0; i < count; ++i) {
        place(i);
    }
    // Spans before records: a record looks for the span that tells the same.
    for (std::uint32_t i = 0; i < count; ++i) {
        if (given.events[i].signal != Signal::Logs) {
            relate(i);
            settle(i);
        }
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        if (given.events[i].signal == Signal::Logs) {
            relate(i);
        }
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        settle(i);
        correlate(i);
    }
    finish();
    batch = nullptr;
}

Linker::Linker(const LinkerOptions& options) : state_(std::make_unique<State>(options)) {}
Linker::~Linker() = default;
Linker::Linker(Linker&&) noexcept = default;
Linker& Linker::operator=(Linker&&) noexcept = default;

void Linker::link(EventBatch& batch) {
    state_->run(batch);
}

LinkerStats Linker::stats() const {
    return state_->stats;
}

}  // namespace tagout::intake
