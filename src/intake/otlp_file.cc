#include "intake/otlp_file.h"

#include "intake/event_json.h"
#include "intake/normalise_json.h"
#include "intake/wire.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tagout::intake {

namespace {

struct SignalMember {
    Signal signal;
    std::string_view member;
};
constexpr std::array signal_members{
    SignalMember{Signal::Traces, "resourceSpans"},
    SignalMember{Signal::Logs, "resourceLogs"},
    SignalMember{Signal::Metrics, "resourceMetrics"},
};

/// The requests of all files and what they became together.
struct LoadedFiles {
    std::vector<std::shared_ptr<EventBatch>> requests;
    EventBatch joined;
};

std::unexpected<Error> fail_in(const OtlpFile& file, std::string_view place, const Error& error) {
    std::string message(file.name);
    message += ": ";
    message += place;
    message += error.message;
    return fail(error.code, std::move(message));
}

bool is_space(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

std::string_view without_leading_space(std::string_view text) noexcept {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text.starts_with(byte_order_mark)) {
        text.remove_prefix(byte_order_mark.size());
    }
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    return text;
}

/// The first length-delimited field `number` of a message, "" if there is none.
std::string_view first_field(std::string_view message, std::uint32_t number) noexcept {
    wire::Fault fault;
    wire::Fields fields(message, fault);
    for (wire::Field field; fields.next(field);) {
        if (field.tag == wire::tag(number, wire::Length)) {
            return field.bytes;
        }
    }
    return {};
}

/// Traces, logs and metrics have the same two outer levels; an item tells which it is. Spans have
/// fixed times in fields 7 and 8 and a trace id in front, records a fixed time in field 1 or 11;
/// in metrics all of these are messages or a name.
Signal signal_of(std::string_view request) noexcept {
    const std::string_view item = first_field(first_field(first_field(request, 1), 2), 2);
    wire::Fault fault;
    wire::Fields fields(item, fault);
    bool trace_id = false;
    for (wire::Field field; fields.next(field);) {
        switch (field.tag) {
            case wire::tag(1, wire::Fixed64):
            case wire::tag(11, wire::Fixed64):
                return Signal::Logs;
            case wire::tag(7, wire::Fixed64):
            case wire::tag(8, wire::Fixed64):
                return Signal::Traces;
            case wire::tag(1, wire::Length):
                trace_id = field.bytes.size() == 16;
                break;
            case wire::tag(2, wire::Length):
                if (trace_id && field.bytes.size() == 8) {
                    return Signal::Traces;
                }
                break;
            case wire::tag(2, wire::Varint):
                return Signal::Logs;  // severity: a record without any time
            default:
                break;
        }
    }
    return Signal::Metrics;
}

Result<void> add_request(
    std::string_view bytes, Signal signal, Encoding encoding, const DecodeLimits& limits,
    LoadedFiles& loaded
) {
    loaded.requests.push_back(
        TAGOUT_TRY(decode(PaddedBytes::copy_of(bytes), signal, encoding, limits))
    );
    const EventBatch& request = *loaded.requests.back();
    EventBatch& joined = loaded.joined;
    // Files are read for what lies in them: their order, not the order of the ends.
    std::vector<AgentEvent> events = request.events;
    std::ranges::sort(events, {}, &AgentEvent::item);
    const auto before = static_cast<std::uint32_t>(joined.items.size());
    for (AgentEvent& event : events) {
        event.item += before;
        joined.events.push_back(event);
    }
    joined.items.insert(joined.items.end(), request.items.begin(), request.items.end());
    joined.metric_points += request.metric_points;
    joined.rejected += request.rejected;
    if (joined.rejected_reason.empty()) {
        joined.rejected_reason = request.rejected_reason;
    }
    return {};
}

/// One JSON document: a request, or a recording of one with the request as its `body`.
Result<void> add_json(
    const JsonView& document, const DecodeLimits& limits, LoadedFiles& loaded
) {
    bool any = false;
    for (const SignalMember& row : signal_members) {
        if (member(document, row.member).type != JsonType::None) {
            any = true;
            TAGOUT_TRY(add_request(document.raw, row.signal, Encoding::Json, limits, loaded));
        }
    }
    if (any) {
        return {};
    }
    if (const JsonView body = member(document, "body"); body.type == JsonType::Object) {
        for (const SignalMember& row : signal_members) {
            if (member(body, row.member).type != JsonType::None) {
                return add_json(body, limits, loaded);
            }
        }
    }
    return fail(
        ErrorCode::InvalidArgument,
        "neither resourceSpans nor resourceLogs nor resourceMetrics at the top: "
        "an OTLP export request was expected"
    );
}

Result<void> add_json_file(
    const OtlpFile& file, std::string_view text, const DecodeLimits& limits, LoadedFiles& loaded
) {
    for (std::size_t number = 1; !text.empty(); ++number) {
        const JsonView document = json_of(text);
        const std::string place = "request " + std::to_string(number) + ": ";
        if (document.type != JsonType::Object) {
            return fail_in(
                file, place,
                {ErrorCode::InvalidArgument, "a JSON object was expected where this begins: "
                     + std::string(text.substr(0, 20))}
            );
        }
        if (const Result<void> added = add_json(document, limits, loaded); !added) {
            return fail_in(file, place, added.error());
        }
        text = without_leading_space(text.substr(document.raw.size()));
    }
    return {};
}

Result<std::shared_ptr<LoadedFiles>> load(
    std::span<const OtlpFile> files, const DecodeLimits& limits
) {
    auto loaded = std::make_shared<LoadedFiles>();
    for (const OtlpFile& file : files) {
        const std::string_view text = without_leading_space(file.content);
        if (text.empty()) {
            return fail_in(
                file, "",
                {ErrorCode::InvalidArgument, "empty: an OTLP request in JSON or protobuf was expected"}
            );
        }
        if (text.starts_with('{')) {
            TAGOUT_TRY(add_json_file(file, text, limits, *loaded));
            continue;
        }
        const PaddedBytes padded = PaddedBytes::copy_of(file.content);
        const Result<void> added = add_request(
            file.content, signal_of(padded.view()), Encoding::Protobuf, limits, *loaded
        );
        if (!added) {
            return fail_in(file, "", added.error());
        }
    }
    Linker linker({
        .spans_per_trace_max = std::max<std::size_t>(4'096, loaded->joined.events.size() + 1),
        .batches = BatchScope::WholeTraces,
    });
    linker.link(loaded->joined);
    return loaded;
}

}  // namespace

Result<std::shared_ptr<EventBatch>> read_otlp_files(
    std::span<const OtlpFile> files, const DecodeLimits& limits
) {
    const std::shared_ptr<LoadedFiles> loaded = TAGOUT_TRY(load(files, limits));
    std::ranges::sort(loaded->joined.events, {}, [](const AgentEvent& event) {
        return std::pair(event.ended_at, event.item);
    });
    return std::shared_ptr<EventBatch>(loaded, &loaded->joined);
}

Result<std::vector<std::string>> event_lines_of_files(
    std::span<const OtlpFile> files, const DecodeLimits& limits
) {
    const std::shared_ptr<LoadedFiles> loaded = TAGOUT_TRY(load(files, limits));
    std::vector<std::string> lines;
    lines.reserve(loaded->joined.events.size());
    for (const AgentEvent& event : loaded->joined.events) {
        lines.push_back(to_json_line(event));
    }
    return lines;
}

}  // namespace tagout::intake
