// One whole OTLP request: which items it has, in what order they become events, what is refused.
//
// Two passes. The outline finds the bodies of all items and peeks at the end of each span, while the
// next bytes are already on their way from memory; then each item is read, normalised and settled in
// order of its end, so that no AgentEvent is ever moved. Traces, logs and metrics have one shape:
// request{1 resource group{1 Resource, 2 scope group{1 Scope, 2 item}}}.
//
// Thread-compatible; keep one a thread: its scratch is reused. Bounds: DecodeLimits, and
// `context_attributes_max` attributes of all resources and scopes of a request together.
// Cost: a few allocations a request, none an item.
#pragma once

#include "intake/wire_items.h"

#include <string>
#include <string_view>
#include <vector>

namespace tagout::intake {

class RequestReader {
public:
    static constexpr std::size_t context_attributes_max = 1'000'000;

    /// Reads batch.bytes, a request of `signal`, into the rest of `batch`.
    /// InvalidArgument: no such message; the text names the byte.
    [[nodiscard]] Result<void> read(
        Signal signal, const DecodeLimits& limits, EventBatch& batch
    );
    /// Appends one stored item and its events. Corrupt: no such message.
    [[nodiscard]] Result<void> read_item(
        const RawItem& item, const DecodeLimits& limits, EventBatch& batch
    );

private:
    struct Extent {
        std::size_t first = 0;
        std::size_t count = 0;
    };
    struct ResourceEntry {
        std::string_view body;
        Extent attributes;
        bool refused = false;
    };
    struct ScopeEntry {
        std::string_view body;
        ScopeView view;
        Extent attributes;
        std::uint32_t resource = 0;           ///< Index into resources_.
        std::uint32_t resource_position = 0;  ///< Among the request's resource groups.
        std::uint32_t position = 0;           ///< Among its resource's scope groups.
        bool refused = false;
    };
    struct ItemEntry {
        std::string_view body;
        std::uint64_t end_hint = 0;
        std::uint32_t scope = 0;     ///< Index into scopes_.
        std::uint32_t position = 0;  ///< Among its scope's items.
    };
    /// What an item is read under.
    struct Context {
        ScopeView scope;
        ResourceView resource;
    };
    using Outcome = ItemReader::Outcome;

    void start(Signal signal, const DecodeLimits& limits, EventBatch& batch);
    [[nodiscard]] bool outline(std::string_view request);
    [[nodiscard]] bool outline_resource(std::string_view body, std::uint32_t position);
    [[nodiscard]] bool outline_scope(std::string_view body, ScopeEntry& entry);
    void add_item(std::string_view body, const ScopeEntry& scope, std::uint32_t position);
    [[nodiscard]] bool read_resource(ResourceEntry& entry);
    [[nodiscard]] bool read_scope(ScopeEntry& entry);
    [[nodiscard]] bool context_bounded(Outcome outcome, Extent& extent);
    [[nodiscard]] std::string_view join_parts(std::string_view body, std::size_t size);

    void order_items();
    [[nodiscard]] bool read_items();
    [[nodiscard]] Outcome read_one(const Context& context, std::uint32_t index, bool wanted);
    void settle_event(std::uint32_t index);
    [[nodiscard]] Context context_of(const ScopeEntry& entry) const;
    void drop_refused_items();

    void count_refused(
        const ScopeEntry& scope, std::uint32_t position, const Refusal& refusal,
        std::uint64_t count
    );
    [[nodiscard]] std::string fault_text(std::string_view bytes, std::string_view remedy);

    Signal signal_ = Signal::Traces;
    DecodeLimits limits_;
    EventBatch* batch_ = nullptr;

    ItemReader reader_;
    std::vector<ResourceEntry> resources_;
    std::vector<ScopeEntry> scopes_;
    std::vector<ItemEntry> items_;
    std::vector<std::uint32_t> order_;  ///< Of items_, if it is not the request's.
    std::vector<Attribute> context_attributes_;
    std::vector<bool> refused_;  ///< Of items_, if any is.
    std::uint64_t points_ = 0;  ///< Of the item just read, if it is a metric.
    bool events_in_order_ = true;
};

}  // namespace tagout::intake
