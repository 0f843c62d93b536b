#include "intake/linker_trace.h"

#include <bit>
#include <cstring>

namespace tagout::intake {

namespace {

constexpr int hops_max = 64;  // deeper traces keep their spans, their relations end there

std::uint64_t bits_of(SpanId id) noexcept {
    std::uint64_t bits = 0;
    std::memcpy(&bits, id.bytes.data(), sizeof bits);
    return bits;
}

std::uint8_t own_bit(const SpanNode& node) noexcept {
    if (!node.seen) {
        return 0;
    }
    switch (node.kind) {
        case EventKind::Llm:
            return BelowLlm;
        case EventKind::Tool:
            return BelowTool;
        case EventKind::Agent:
            return BelowAgent;
        default:
            return 0;
    }
}

}  // namespace

std::size_t TraceMemory::slot_of(SpanId id) const noexcept {
    const std::uint64_t mixed = bits_of(id) * 0x9E3779B97F4A7C15U;
    return static_cast<std::size_t>(mixed ^ mixed >> 32U) & (index_.size() - 1);
}

void TraceMemory::rebuild_index() {
    index_.assign(std::bit_ceil(nodes_.size() * 4), SpanNode::none);
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
        std::size_t slot = slot_of(nodes_[i].id);
        while (index_[slot] != SpanNode::none) {
            slot = (slot + 1) & (index_.size() - 1);
        }
        index_[slot] = i;
    }
}

std::uint32_t TraceMemory::find_or_add(SpanId id, std::size_t spans_max) {
    std::size_t slot = 0;
    if (index_.empty()) {
        for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
            if (nodes_[i].id == id) {
                return i;
            }
        }
    } else {
        for (slot = slot_of(id); index_[slot] != SpanNode::none;
             slot = (slot + 1) & (index_.size() - 1)) {
            if (nodes_[index_[slot]].id == id) {
                return index_[slot];
            }
        }
    }
    if (nodes_.size() >= spans_max) {
        return SpanNode::none;
    }
    const auto added = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back().id = id;
    if (index_.empty() ? nodes_.size() > scanned_max : nodes_.size() * 2 > index_.size()) {
        rebuild_index();
    } else if (!index_.empty()) {
        index_[slot] = added;
    }
    return added;
}

void TraceMemory::connect(std::uint32_t child, std::uint32_t parent) noexcept {
    if (child == parent || nodes_[child].parent != SpanNode::none) {
        return;
    }
    std::uint32_t above = parent;  // a circle of parents is the sender's mistake
    for (int hops = 0; above != SpanNode::none && hops < hops_max; ++hops) {
        if (above == child) {
            return;
        }
        above = nodes_[above].parent;
    }
    nodes_[child].parent = parent;
    nodes_[child].next_sibling = nodes_[parent].first_child;
    nodes_[parent].first_child = child;
}

void TraceMemory::tell_above(std::uint32_t index) noexcept {
    const auto told = static_cast<std::uint8_t>(nodes_[index].below | own_bit(nodes_[index]));
    std::uint32_t above = nodes_[index].parent;
    for (int hops = 0; above != SpanNode::none && hops < hops_max; ++hops) {
        SpanNode& node = nodes_[above];
        if ((node.below & told) == told) {
            return;
        }
        node.below |= told;
        above = node.parent;
    }
}

std::uint32_t TraceMemory::other_with_answer(
    EventKind kind, std::uint64_t answer, std::uint32_t except
) const noexcept {
    for (const std::uint32_t index : answers_) {
        if (nodes_[index].answer == answer && nodes_[index].kind == kind && index != except) {
            return index;
        }
    }
    return SpanNode::none;
}

std::uint32_t TraceMemory::call_around(std::uint32_t model, std::int64_t at) const noexcept {
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
        const SpanNode& node = nodes_[i];
        if (node.seen && node.kind == EventKind::Llm && node.name == model && node.started <= at
            && at <= node.ended) {
            return i;
        }
    }
    return SpanNode::none;
}

void TraceMemory::remember_answer(std::uint32_t index) {
    answers_.push_back(index);
}

void TraceMemory::remember_logged(const LoggedCall& call, std::size_t calls_max) {
    if (logged_.size() < calls_max) {
        logged_.push_back(call);
    }
}

const LoggedCall* TraceMemory::logged(EventKind kind, std::uint64_t answer) const noexcept {
    for (const LoggedCall& call : logged_) {
        if (call.kind == kind && call.answer == answer) {
            return &call;
        }
    }
    return nullptr;
}

}  // namespace tagout::intake
