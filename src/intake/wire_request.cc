#include "intake/wire_request.h"

#include "intake/normalise.h"
#include "intake/texts.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace tagout::intake {

using wire::Field;
using wire::Fields;
using wire::Length;
using wire::tag;

namespace {

/// How far ahead of the outline the request is fetched from memory.
constexpr std::ptrdiff_t prefetch_bytes = 4096;
constexpr std::ptrdiff_t cache_line = 64;

/// Copied whole, which is faster than setting its hundred members one by one.
constinit const AgentEvent blank_event{};
static_assert(std::is_trivially_copyable_v<AgentEvent>);

struct GroupNames {
    std::string_view message;
    std::string_view resources;
    std::string_view scopes;
    std::string_view items;
};

const GroupNames& names_of(Signal signal) noexcept {
    static constexpr GroupNames traces{
        "ExportTraceServiceRequest", "resourceSpans", "scopeSpans", "spans"
    };
    static constexpr GroupNames logs{
        "ExportLogsServiceRequest", "resourceLogs", "scopeLogs", "logRecords"
    };
    static constexpr GroupNames metrics{
        "ExportMetricsServiceRequest", "resourceMetrics", "scopeMetrics", "metrics"
    };
    return signal == Signal::Traces ? traces : signal == Signal::Logs ? logs : metrics;
}

std::string indexed(std::string_view name, std::uint32_t index) {
    return std::string(name) + "[" + std::to_string(index) + "]";
}

/// The end of a span, found among the short fields that encoders write first; 0 if it is not there.
/// Only a hint for the order: items are sorted by what they turn out to say.
std::uint64_t peek_span_end(std::string_view body) noexcept {
    const char* at = body.data();
    const char* const end = at + body.size();
    while (at < end) {
        switch (*at) {
            case 0x0a:  // ids, trace state, name: of less than 128 bytes
            case 0x12:
            case 0x1a:
            case 0x22:
            case 0x2a:
                at += 2 + wire::byte_at(at + 1);
                break;
            case 0x30:
                at += 2;
                break;
            case 0x39:
                at += 9;
                break;
            case 0x41:
                return end - at >= 9 ? wire::load<std::uint64_t>(at + 1) : 0;
            default:
                return 0;
        }
    }
    return 0;
}

std::uint64_t peek_log_time(std::string_view body) noexcept {
    return body.size() >= 9 && body.front() == 0x09 ? wire::load<std::uint64_t>(body.data() + 1)
                                                    : 0;
}

Instant instant_of(std::uint64_t unix_nanos) noexcept {
    constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
    return instant_of_nanos(std::min(unix_nanos, largest));
}

}  // namespace

void RequestReader::start(Signal signal, const DecodeLimits& limits, EventBatch& batch) {
    signal_ = signal;
    limits_ = limits;
    batch_ = &batch;
    reader_.start(limits);
    resources_.clear();
    scopes_.clear();
    items_.clear();
    order_.clear();
    context_attributes_.clear();
    refused_.clear();
    events_in_order_ = true;
}

Result<void> RequestReader::read(Signal signal, const DecodeLimits& limits, EventBatch& batch) {
    start(signal, limits, batch);
    const std::string_view request = batch.bytes.view();
    const std::string_view message = names_of(signal).message;
    if (!outline(request)) {
        return fail(ErrorCode::InvalidArgument, fault_text(request, message));
    }
    order_items();
    batch.items.resize(items_.size());
    if (signal != Signal::Metrics) {
        batch.events.reserve(items_.size());
    }
    if (!read_items()) {
        return fail(ErrorCode::InvalidArgument, fault_text(request, message));
    }
    drop_refused_items();
    if (!events_in_order_) {
        std::sort(
            batch.events.begin(), batch.events.end(),
            [](const AgentEvent& one, const AgentEvent& other) {
                return one.ended_at != other.ended_at ? one.ended_at < other.ended_at
                                                      : one.item < other.item;
            }
        );
    }
    return {};
}

// ---- first pass

bool RequestReader::outline(std::string_view request) {
    Fields fields(request, reader_.fault());
    Field field;
    std::uint32_t position = 0;
    while (fields.next(field)) {
        if (field.tag == tag(1, Length) && !outline_resource(field.bytes, position++)) {
            return false;
        }
    }
    return fields.sound();
}

/// The resource may stand behind its scopes, and in parts: so it is looked for first.
bool RequestReader::outline_resource(std::string_view body, std::uint32_t position) {
    ResourceEntry resource;
    std::size_t parts = 0;
    std::size_t size = 0;
    Fields fields(body, reader_.fault());
    Field field;
    while (fields.next(field)) {
        if (field.tag == tag(1, Length)) {
            resource.body = field.bytes;
            size += field.bytes.size();
            ++parts;
        }
    }
    if (!fields.sound()) {
        return false;
    }
    if (parts > 1) {
        resource.body = join_parts(body, size);
    }
    if (!read_resource(resource)) {
        return false;
    }
    ScopeEntry scope;
    scope.resource = static_cast<std::uint32_t>(resources_.size());
    scope.resource_position = position;
    const std::size_t items_before = items_.size();
    Fields again(body, reader_.fault());
    while (again.next(field)) {
        if (field.tag == tag(2, Length)) {
            if (!outline_scope(field.bytes, scope)) {
                return false;
            }
            ++scope.position;
        }
    }
    if (items_.size() > items_before) {
        resources_.push_back(resource);
    } else {
        context_attributes_.resize(resource.attributes.first);
    }
    return true;
}

bool RequestReader::outline_scope(std::string_view body, ScopeEntry& group) {
    ScopeEntry entry = group;
    std::size_t parts = 0;
    std::size_t size = 0;
    std::uint32_t position = 0;
    const std::size_t items_before = items_.size();
    const char* const end = batch_->bytes.data() + batch_->bytes.size();
    Fields fields(body, reader_.fault());
    Field field;
    while (fields.next(field)) {
        if (field.tag == tag(2, Length)) {
            const char* const ahead = field.bytes.data() + prefetch_bytes;
            const auto length = static_cast<std::ptrdiff_t>(field.bytes.size());
            for (std::ptrdiff_t at = 0; at < std::min(length, end - ahead); at += cache_line) {
                __builtin_prefetch(ahead + at);
            }
            add_item(field.bytes, entry, position++);
        } else if (field.tag == tag(1, Length)) {
            entry.body = field.bytes;
            size += field.bytes.size();
            ++parts;
        }
    }
    if (!fields.sound()) {
        return false;
    }
    if (parts > 1) {
        entry.body = join_parts(body, size);
    }
    if (!read_scope(entry)) {
        return false;
    }
    if (items_.size() > items_before) {
        scopes_.push_back(entry);
    } else {
        context_attributes_.resize(entry.attributes.first);
    }
    return true;
}

void RequestReader::add_item(
    std::string_view body, const ScopeEntry& scope, std::uint32_t position
) {
    if (items_.size() == limits_.items_max) {
        const std::string reason = "more than " + std::to_string(limits_.items_max) +
                                   " items in one request; send smaller batches";
        count_refused(scope, position, {"", reason}, 1);
        return;
    }
    ItemEntry& entry = items_.emplace_back();
    entry.body = body;
    entry.scope = static_cast<std::uint32_t>(scopes_.size());
    entry.position = position;
    if (signal_ == Signal::Traces) {
        entry.end_hint = peek_span_end(body);
    } else if (signal_ == Signal::Logs) {
        entry.end_hint = peek_log_time(body);
    }
}

/// A message field that was sent in parts is their bytes one after the other.
std::string_view RequestReader::join_parts(std::string_view body, std::size_t size) {
    char* const joined =
        static_cast<char*>(batch_->arena.allocate(size + PaddedBytes::padding, 1));
    char* to = joined;
    Fields fields(body, reader_.fault());
    Field field;
    while (fields.next(field)) {
        if (field.tag == tag(1, Length)) {
            to = std::copy(field.bytes.begin(), field.bytes.end(), to);
        }
    }
    std::fill_n(to, PaddedBytes::padding, '\0');
    return {joined, size};
}

bool RequestReader::read_resource(ResourceEntry& entry) {
    entry.attributes.first = context_attributes_.size();
    const Outcome outcome = reader_.read_resource(entry.body, context_attributes_);
    entry.refused = !context_bounded(outcome, entry.attributes);
    return outcome != Outcome::Broken;
}

bool RequestReader::read_scope(ScopeEntry& entry) {
    entry.attributes.first = context_attributes_.size();
    const Outcome outcome = reader_.read_scope(entry.body, entry.view, context_attributes_);
    entry.refused = !context_bounded(outcome, entry.attributes);
    return outcome != Outcome::Broken;
}

/// False if the items under this resource or scope are to be refused with it.
bool RequestReader::context_bounded(Outcome outcome, Extent& extent) {
    extent.count = context_attributes_.size() - extent.first;
    if (outcome == Outcome::Read && context_attributes_.size() <= context_attributes_max) {
        return true;
    }
    context_attributes_.resize(extent.first);
    extent.count = 0;
    return false;
}

// ---- second pass

void RequestReader::order_items() {
    const auto later = [](const ItemEntry& one, const ItemEntry& other) {
        return one.end_hint < other.end_hint;
    };
    if (signal_ == Signal::Metrics || std::is_sorted(items_.begin(), items_.end(), later)) {
        return;
    }
    order_.resize(items_.size());
    std::iota(order_.begin(), order_.end(), 0U);
    std::sort(order_.begin(), order_.end(), [this](std::uint32_t one, std::uint32_t other) {
        const std::uint64_t end = items_[one].end_hint;
        const std::uint64_t other_end = items_[other].end_hint;
        return end != other_end ? end < other_end : one < other;
    });
}

bool RequestReader::read_items() {
    static const Refusal refused_context{
        "", "its resource or scope breaks a limit: too many attributes, a value nested too deep or "
            "set twice; send less of it"
    };
    std::uint32_t scope_read = static_cast<std::uint32_t>(scopes_.size());
    Context context;
    for (std::size_t turn = 0; turn < items_.size(); ++turn) {
        const std::uint32_t index = order_.empty() ? static_cast<std::uint32_t>(turn) : order_[turn];
        const ItemEntry& entry = items_[index];
        const ScopeEntry& scope = scopes_[entry.scope];
        if (entry.scope != scope_read) {
            scope_read = entry.scope;
            context = context_of(scope);
        }
        RawItem& item = batch_->items[index];
        item.signal = signal_;
        item.resource = resources_[scope.resource].body;
        item.scope = scope.body;
        item.bytes = entry.body;
        const bool context_refused = scope.refused || resources_[scope.resource].refused;
        const Outcome outcome = read_one(context, index, !context_refused);
        if (outcome == Outcome::Broken) {
            return false;
        }
        if (outcome == Outcome::Refused || context_refused) [[unlikely]] {
            refused_.resize(items_.size());
            refused_[index] = true;
            const Refusal& refusal = context_refused ? refused_context : reader_.refusal();
            count_refused(scope, entry.position, refusal, std::max<std::uint64_t>(1, points_));
        }
    }
    return true;
}

/// `wanted`: otherwise the item is only walked, to see whether it is sound.
RequestReader::Outcome RequestReader::read_one(
    const Context& context, std::uint32_t index, bool wanted
) {
    RawItem& item = batch_->items[index];
    points_ = 0;
    if (signal_ == Signal::Traces) {
        SpanView span;
        const Outcome outcome = reader_.read_span(item.bytes, span);
        if (outcome == Outcome::Read && wanted) [[likely]] {
            item.trace_id = span.trace_id;
            item.at = instant_of(span.end_unix_nanos);
            AgentEvent& event = batch_->events.emplace_back(blank_event);
            normalise_span(span, context.scope, context.resource, *batch_, event);
            settle_event(index);
        }
        return outcome;
    }
    if (signal_ == Signal::Logs) {
        LogView log;
        const Outcome outcome = reader_.read_log(item.bytes, log);
        if (outcome == Outcome::Read && wanted) {
            item.trace_id = log.trace_id;
            item.at = instant_of(log.unix_nanos != 0 ? log.unix_nanos : log.observed_unix_nanos);
            AgentEvent& event = batch_->events.emplace_back(blank_event);
            normalise_log(log, context.scope, context.resource, *batch_, event);
            settle_event(index);
        }
        return outcome;
    }
    MetricView metric;
    const Outcome outcome = reader_.read_metric(item.bytes, metric);
    points_ = metric.points;
    if (outcome == Outcome::Read && wanted) {
        item.at = instant_of(metric.newest_unix_nanos);
        batch_->metric_points += metric.points;
    }
    return outcome;
}

void RequestReader::settle_event(std::uint32_t index) {
    std::vector<AgentEvent>& events = batch_->events;
    AgentEvent& event = events.back();
    event.item = index;
    settle_texts(event, limits_.value_bytes_max, *batch_);
    if (events.size() > 1 && event.ended_at < events[events.size() - 2].ended_at) [[unlikely]] {
        events_in_order_ = false;
    }
}

RequestReader::Context RequestReader::context_of(const ScopeEntry& entry) const {
    const std::span<const Attribute> all(context_attributes_);
    const Extent& of_resource = resources_[entry.resource].attributes;
    Context context{.scope = entry.view, .resource = {}};
    context.scope.attributes = all.subspan(entry.attributes.first, entry.attributes.count);
    context.resource.attributes = all.subspan(of_resource.first, of_resource.count);
    return context;
}

/// Items close up over the refused ones, and events follow them.
void RequestReader::drop_refused_items() {
    if (refused_.empty()) {
        return;
    }
    std::vector<std::uint32_t> moved_to(items_.size());
    std::uint32_t kept = 0;
    for (std::size_t index = 0; index < items_.size(); ++index) {
        moved_to[index] = kept;
        if (!refused_[index]) {
            batch_->items[kept++] = batch_->items[index];
        }
    }
    batch_->items.resize(kept);
    for (AgentEvent& event : batch_->events) {
        event.item = moved_to[event.item];
    }
}

// ---- stored items

Result<void> RequestReader::read_item(
    const RawItem& stored, const DecodeLimits& limits, EventBatch& batch
) {
    start(stored.signal, limits, batch);
    // The reader may read a few bytes past a body, so each is given padding.
    const auto padded = [&batch](std::string_view bytes) {
        const std::size_t size = bytes.size() + PaddedBytes::padding;
        char* const copy = static_cast<char*>(batch.arena.allocate(size, 1));
        std::fill_n(
            std::copy(bytes.begin(), bytes.end(), copy), std::size_t{PaddedBytes::padding}, '\0'
        );
        return std::string_view(copy, bytes.size());
    };
    ResourceEntry resource{.body = padded(stored.resource), .attributes = {}};
    ScopeEntry scope;
    scope.body = padded(stored.scope);
    const std::string_view bytes = padded(stored.bytes);
    std::string_view part = resource.body;
    bool sound = read_resource(resource);
    if (sound) {
        part = scope.body;
        sound = read_scope(scope);
    }
    if (sound) {
        part = bytes;
        resources_.push_back(resource);
        scopes_.push_back(scope);
        RawItem& item = batch.items.emplace_back(stored);
        item.bytes = bytes;
        const bool wanted = !resource.refused && !scope.refused;
        const auto index = static_cast<std::uint32_t>(batch.items.size() - 1);
        const Outcome outcome = read_one(context_of(scope), index, wanted);
        item.bytes = stored.bytes;
        if (outcome != Outcome::Read || !wanted) {
            batch.items.pop_back();
        }
        if (outcome == Outcome::Refused || (outcome == Outcome::Read && !wanted)) {
            count_refused(scope, 0, reader_.refusal(), std::max<std::uint64_t>(1, points_));
        }
        sound = outcome != Outcome::Broken;
    }
    if (!sound) {
        return fail(ErrorCode::Corrupt, fault_text(part, "stored item"));
    }
    return {};
}

// ---- what is said of refused items and broken bytes

void RequestReader::count_refused(
    const ScopeEntry& scope, std::uint32_t position, const Refusal& refusal, std::uint64_t count
) {
    batch_->rejected += count;
    if (!batch_->rejected_reason.empty()) {
        return;
    }
    const GroupNames& names = names_of(signal_);
    std::string path = indexed(names.resources, scope.resource_position) + "." +
                       indexed(names.scopes, scope.position) + "." +
                       indexed(names.items, position);
    if (!refusal.field.empty()) {
        path.append(".").append(refusal.field);
    }
    batch_->rejected_reason = path + ": " + refusal.reason;
}

std::string RequestReader::fault_text(std::string_view bytes, std::string_view message) {
    const wire::Fault& fault = reader_.fault();
    TAGOUT_ASSERT(fault.at != nullptr, "whoever gives up says where");
    std::string text = "no protobuf " + std::string(message) + ": ";
    const auto offset = fault.at - bytes.data();
    if (offset >= 0 && static_cast<std::size_t>(offset) <= bytes.size()) {
        text += "byte " + std::to_string(offset) + ": ";
    }
    return text.append(fault.what) + "; send one whole message, decompressed";
}

}  // namespace tagout::intake
