#include "net/grpc_session.h"

#include "base/assert.h"
#include "net/compression.h"
#include "net/url.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <unordered_map>

namespace tagout::net {

namespace {

constexpr std::size_t prefix_bytes = 5;          // Compressed flag and length of a message.
constexpr std::int32_t stream_window = 4 << 20;  // A message flows without waiting for updates.
constexpr std::int32_t connection_window = 16 << 20;
constexpr std::uint32_t frame_bytes_max = 256 * 1024;
constexpr std::size_t charge_step = 256 * 1024;
constexpr std::string_view accepted_encodings = "gzip,deflate,zstd";

enum class Stage : std::uint8_t { Reading, Called, Answered };

struct Call {
    Stage stage = Stage::Reading;
    bool head_done = false;
    bool ended = false;  ///< The peer has sent all it will.
    std::string method;
    std::string encoding;
    std::string content_type;
    GrpcRequest request;
    std::size_t header_bytes = 0;
    std::array<unsigned char, prefix_bytes> prefix{};
    std::size_t prefix_got = 0;
    std::size_t message_got = 0;
    std::size_t charged = 0;
    std::int64_t ticks = 0;
    std::string out;  ///< The framed answer.
    std::size_t out_sent = 0;
    Headers trailers;
};

std::string lower(std::string_view name) {
    std::string text(name);
    for (char& c : text) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return text;
}

bool is_grpc(std::string_view content_type) {
    constexpr std::string_view name = "application/grpc";
    return content_type.starts_with(name) &&
           (content_type.size() == name.size() || content_type[name.size()] == '+' ||
            content_type[name.size()] == ';');
}

std::vector<nghttp2_nv> as_nv(const Headers& headers) {
    std::vector<nghttp2_nv> fields;
    fields.reserve(headers.size());
    for (const auto& [name, value] : headers) {
        // nghttp2 copies both; its interface is not const.
        fields.push_back(
            {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
             reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())),
             name.size(),
             value.size(),
             NGHTTP2_NV_FLAG_NONE}
        );
    }
    return fields;
}

/// grpc-status, grpc-message and the handler's own, as they go out.
Headers trailers_of(const GrpcResponse& response) {
    Headers trailers{{"grpc-status", std::to_string(static_cast<int>(response.status))}};
    if (!response.status_message.empty()) {
        trailers.emplace_back("grpc-message", grpc_percent_encode(response.status_message));
    }
    for (const auto& [name, value] : response.trailers) {
        std::string text = name.ends_with("-bin") ? base64(value) : value;
        std::replace_if(
            text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' '
        );
        trailers.emplace_back(lower(name), std::move(text));
    }
    return trailers;
}

std::string framed(std::string_view message) {
    std::string out;
    out.reserve(prefix_bytes + message.size());
    out.push_back('\0');
    for (int shift = 24; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>((message.size() >> shift) & 0xffU));
    }
    out += message;
    return out;
}

}  // namespace

struct GrpcSession::State {
    State(const GrpcSessionLimits& session_limits, BodyBudget& body_budget, OnCall call)
        : limits(session_limits), budget(body_budget), on_call(std::move(call)) {}

    const GrpcSessionLimits limits;
    BodyBudget& budget;
    const OnCall on_call;
    nghttp2_session* session = nullptr;
    std::unordered_map<std::int32_t, std::unique_ptr<Call>> calls;
    std::vector<std::int32_t> complete;  ///< To be handed out when nghttp2 is done with its bytes.
    std::uint64_t refused = 0;
    std::uint64_t frames = 0;

    Call* find(std::int32_t stream) {
        const auto found = calls.find(stream);
        return found == calls.end() ? nullptr : found->second.get();
    }
    bool begin(std::int32_t stream);
    void add_header(Call& call, std::string_view name, std::string_view value);
    void end_head(std::int32_t stream, Call& call);
    void add_data(std::int32_t stream, Call& call, std::string_view data);
    void begin_message(std::int32_t stream, Call& call);
    [[nodiscard]] bool charge(std::int32_t stream, Call& call, std::size_t upto);
    void end(std::int32_t stream, Call& call);
    void forget(std::int32_t stream);
    void hand_out(std::int32_t stream);
    void answer(std::int32_t stream, Call& call, GrpcResponse response);
    void refuse(
        std::int32_t stream, Call& call, GrpcStatus status, std::string message,
        Headers trailers = {}
    );
    void refuse_http(std::int32_t stream, Call& call, std::string status);
    void after_answer(std::int32_t stream);
};

bool GrpcSession::State::begin(std::int32_t stream) {
    calls.emplace(stream, std::make_unique<Call>());
    return true;
}

void GrpcSession::State::add_header(Call& call, std::string_view name, std::string_view value) {
    call.header_bytes += name.size() + value.size() + 32;  // RFC 9113 6.5.2
    if (call.header_bytes > limits.header_bytes_max) {
        return;
    }
    if (name == ":path") {
        call.request.path = value;
    } else if (name == ":method") {
        call.method = value;
    } else if (name == "content-type") {
        call.content_type = value;
    } else if (name == "grpc-encoding") {
        call.encoding = value;
    } else if (!name.starts_with(':')) {
        call.request.metadata.emplace_back(name, value);
    }
}

void GrpcSession::State::end_head(std::int32_t stream, Call& call) {
    if (call.head_done) {
        return;  // Trailers of a request: nothing in them matters here.
    }
    call.head_done = true;
    if (call.header_bytes > limits.header_bytes_max) {
        refuse(
            stream,
            call,
            GrpcStatus::ResourceExhausted,
            "the metadata is larger than " + std::to_string(limits.header_bytes_max) + " bytes"
        );
    } else if (call.method != "POST") {
        refuse_http(stream, call, "405");
    } else if (!is_grpc(call.content_type)) {
        refuse_http(stream, call, "415");
    } else if (!is_known_encoding(call.encoding)) {
        refuse(
            stream,
            call,
            GrpcStatus::Unimplemented,
            "grpc-encoding '" + call.encoding.substr(0, 40) + "' is not known; send one of " +
                std::string(accepted_encodings),
            {{"grpc-accept-encoding", std::string(accepted_encodings)}}
        );
    }
}

void GrpcSession::State::add_data(std::int32_t stream, Call& call, std::string_view data) {
    if (call.stage != Stage::Reading) {
        return;
    }
    while (call.prefix_got < prefix_bytes && !data.empty()) {
        call.prefix[call.prefix_got++] = static_cast<unsigned char>(data.front());
        data.remove_prefix(1);
        if (call.prefix_got == prefix_bytes) {
            begin_message(stream, call);
            if (call.stage != Stage::Reading) {
                return;
            }
        }
    }
    if (data.empty()) {
        return;
    }
    if (data.size() > call.request.message.size() - call.message_got) {
        refuse(
            stream,
            call,
            GrpcStatus::InvalidArgument,
            "a unary call has one message, and this one more"
        );
        return;
    }
    if (!charge(stream, call, call.message_got + data.size())) {
        return;
    }
    std::memcpy(call.request.message.data() + call.message_got, data.data(), data.size());
    call.message_got += data.size();
}

void GrpcSession::State::begin_message(std::int32_t stream, Call& call) {
    if (call.prefix[0] > 1) {
        refuse(
            stream,
            call,
            GrpcStatus::Internal,
            "the compressed flag of the message is neither 0 nor 1"
        );
        return;
    }
    std::size_t size = 0;
    for (std::size_t i = 1; i < prefix_bytes; ++i) {
        size = size << 8 | call.prefix[i];
    }
    if (size > limits.message_bytes_max) {
        refuse(
            stream,
            call,
            GrpcStatus::ResourceExhausted,
            "the message is larger than " + std::to_string(limits.message_bytes_max) +
                " bytes; send smaller batches"
        );
        return;
    }
    try {
        call.request.message = PaddedBytes(size);
    } catch (const std::bad_alloc&) {
        refuse(
            stream,
            call,
            GrpcStatus::Unavailable,
            "no memory for the message; try again in a second"
        );
    }
}

/// Takes bytes of the budget as they come: a claim alone costs the others nothing.
bool GrpcSession::State::charge(std::int32_t stream, Call& call, std::size_t upto) {
    if (upto <= call.charged) {
        return true;
    }
    const std::size_t more = std::max(
        upto - call.charged, std::min(charge_step, call.request.message.size() - call.charged)
    );
    if (!budget.take(more)) {
        refuse(
            stream,
            call,
            GrpcStatus::Unavailable,
            "too many request bodies at one time; try again in a second"
        );
        return false;
    }
    call.charged += more;
    return true;
}

void GrpcSession::State::end(std::int32_t stream, Call& call) {
    call.ended = true;
    if (call.stage != Stage::Reading) {
        return;
    }
    if (call.prefix_got < prefix_bytes || call.message_got < call.request.message.size()) {
        refuse(
            stream,
            call,
            GrpcStatus::InvalidArgument,
            "the call ended before its message was complete"
        );
        return;
    }
    call.stage = Stage::Called;
    complete.push_back(stream);
}

void GrpcSession::State::forget(std::int32_t stream) {
    if (Call* const call = find(stream)) {
        budget.give_back(call->charged);
        calls.erase(stream);
    }
}

void GrpcSession::State::hand_out(std::int32_t stream) {
    Call* const call = find(stream);
    if (call == nullptr || call->stage != Stage::Called) {
        return;
    }
    if (call->prefix[0] == 1) {
        if (call->encoding.empty() || equal_ignoring_case(call->encoding, "identity")) {
            refuse(
                stream,
                *call,
                GrpcStatus::Internal,
                "the message says it is compressed, but not how"
            );
            return;
        }
        Result<PaddedBytes> message =
            decompress(std::move(call->request.message), call->encoding, limits.message_bytes_max);
        if (!message) {
            const bool too_large = message.error().code == ErrorCode::LimitExceeded;
            refuse(
                stream,
                *call,
                too_large ? GrpcStatus::ResourceExhausted : GrpcStatus::InvalidArgument,
                std::move(message).error().message
            );
            return;
        }
        call->request.message = std::move(*message);
    }
    on_call(stream, std::move(call->request));
}

void GrpcSession::State::answer(std::int32_t stream, Call& call, GrpcResponse response) {
    call.stage = Stage::Answered;
    budget.give_back(std::exchange(call.charged, 0));
    call.request = {};
    Headers head{{":status", "200"}, {"content-type", "application/grpc"}};
    call.trailers = trailers_of(response);
    if (response.status != GrpcStatus::Ok) {
        head.insert(head.end(), call.trailers.begin(), call.trailers.end());
        const std::vector<nghttp2_nv> fields = as_nv(head);
        nghttp2_submit_response(session, stream, fields.data(), fields.size(), nullptr);
        return;
    }
    call.out = framed(response.message);
    nghttp2_data_provider source{};
    source.source.ptr = &call;
    source.read_callback = [](nghttp2_session* on,
                              std::int32_t id,
                              std::uint8_t* to,
                              std::size_t room,
                              std::uint32_t* flags,
                              nghttp2_data_source* from,
                              void*) -> ssize_t {
        Call& of = *static_cast<Call*>(from->ptr);
        const std::size_t count = std::min(room, of.out.size() - of.out_sent);
        std::memcpy(to, of.out.data() + of.out_sent, count);
        of.out_sent += count;
        if (of.out_sent == of.out.size()) {
            *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
            const std::vector<nghttp2_nv> fields = as_nv(of.trailers);
            nghttp2_submit_trailer(on, id, fields.data(), fields.size());
        }
        return static_cast<ssize_t>(count);
    };
    const std::vector<nghttp2_nv> fields = as_nv(head);
    nghttp2_submit_response(session, stream, fields.data(), fields.size(), &source);
}

/// A peer that still sends is told that nobody reads it any more (RFC 9113 8.1). Only once its
/// answer is out: nghttp2 drops what is queued for a stream that is reset.
void GrpcSession::State::after_answer(std::int32_t stream) {
    const Call* const call = find(stream);
    if (call != nullptr && !call->ended) {
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_NO_ERROR);
    }
}

void GrpcSession::State::refuse(
    std::int32_t stream, Call& call, GrpcStatus status, std::string message, Headers trailers
) {
    ++refused;
    answer(stream, call, {status, std::move(message), {}, std::move(trailers)});
}

void GrpcSession::State::refuse_http(std::int32_t stream, Call& call, std::string status) {
    ++refused;
    call.stage = Stage::Answered;
    const Headers head{{":status", std::move(status)}};
    const std::vector<nghttp2_nv> fields = as_nv(head);
    nghttp2_submit_response(session, stream, fields.data(), fields.size(), nullptr);
}

namespace {

/// Nothing may be thrown through nghttp2's C frames: out of memory ends the connection.
template <class Work>
int guarded(Work&& work) {
    try {
        work();
        return 0;
    } catch (const std::exception&) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
}

std::string_view view(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

struct CallbacksEnd {
    void operator()(nghttp2_session_callbacks* each) const { nghttp2_session_callbacks_del(each); }
};

}  // namespace

GrpcSession::GrpcSession(const GrpcSessionLimits& limits, BodyBudget& budget, OnCall on_call)
    : state_(std::make_unique<State>(limits, budget, std::move(on_call))) {
    nghttp2_session_callbacks* made = nullptr;
    TAGOUT_ASSERT(nghttp2_session_callbacks_new(&made) == 0, "only out of memory makes this fail");
    const std::unique_ptr<nghttp2_session_callbacks, CallbacksEnd> callbacks(made);
    nghttp2_session_callbacks_set_on_begin_headers_callback(
        made,
        [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
            return guarded([&] {
                if (frame->hd.type == NGHTTP2_HEADERS &&
                    frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
                    static_cast<State*>(user)->begin(frame->hd.stream_id);
                }
            });
        }
    );
    nghttp2_session_callbacks_set_on_header_callback(
        made,
        [](nghttp2_session*,
           const nghttp2_frame* frame,
           const std::uint8_t* name,
           std::size_t name_size,
           const std::uint8_t* value,
           std::size_t value_size,
           std::uint8_t,
           void* user) {
            return guarded([&] {
                Call* const call = static_cast<State*>(user)->find(frame->hd.stream_id);
                if (call != nullptr && !call->head_done) {
                    static_cast<State*>(user)->add_header(
                        *call, view(name, name_size), view(value, value_size)
                    );
                }
            });
        }
    );
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        made,
        [](nghttp2_session*,
           std::uint8_t,
           std::int32_t stream,
           const std::uint8_t* data,
           std::size_t size,
           void* user) {
            return guarded([&] {
                if (Call* const call = static_cast<State*>(user)->find(stream)) {
                    static_cast<State*>(user)->add_data(stream, *call, view(data, size));
                }
            });
        }
    );
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        made,
        [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
            return guarded([&] {
                State& state = *static_cast<State*>(user);
                ++state.frames;
                const bool ours =
                    frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
                Call* const call = ours ? state.find(frame->hd.stream_id) : nullptr;
                if (call == nullptr) {
                    return;
                }
                if (frame->hd.type == NGHTTP2_HEADERS) {
                    state.end_head(frame->hd.stream_id, *call);
                }
                if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
                    state.end(frame->hd.stream_id, *call);
                }
            });
        }
    );
    nghttp2_session_callbacks_set_on_frame_send_callback(
        made,
        [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
            return guarded([&] {
                if (frame->hd.type == NGHTTP2_HEADERS &&
                    (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
                    static_cast<State*>(user)->after_answer(frame->hd.stream_id);
                }
            });
        }
    );
    nghttp2_session_callbacks_set_on_stream_close_callback(
        made,
        [](nghttp2_session*, std::int32_t stream, std::uint32_t, void* user) {
            return guarded([&] { static_cast<State*>(user)->forget(stream); });
        }
    );
    TAGOUT_ASSERT(
        nghttp2_session_server_new(&state_->session, made, state_.get()) == 0,
        "only out of memory makes this fail"
    );
    const std::array<nghttp2_settings_entry, 4> settings{{
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.calls_max},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, stream_window},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, frame_bytes_max},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
         static_cast<std::uint32_t>(limits.header_bytes_max)},
    }};
    nghttp2_submit_settings(state_->session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    nghttp2_session_set_local_window_size(state_->session, NGHTTP2_FLAG_NONE, 0, connection_window);
}

GrpcSession::~GrpcSession() {
    nghttp2_session_del(state_->session);
    for (const auto& [stream, call] : state_->calls) {
        state_->budget.give_back(call->charged);
    }
}

bool GrpcSession::receive(std::string_view bytes) {
    const ssize_t eaten = nghttp2_session_mem_recv(
        state_->session, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()
    );
    const std::vector<std::int32_t> complete = std::exchange(state_->complete, {});
    for (const std::int32_t stream : complete) {
        state_->hand_out(stream);
    }
    return eaten == static_cast<ssize_t>(bytes.size());
}

void GrpcSession::respond(std::int32_t stream, GrpcResponse response) {
    Call* const call = state_->find(stream);
    if (call != nullptr && call->stage == Stage::Called) {
        state_->answer(stream, *call, std::move(response));
    }
}

void GrpcSession::take_output(std::string& out, std::size_t bytes_max) {
    while (out.size() < bytes_max) {
        const std::uint8_t* data = nullptr;
        const ssize_t size = nghttp2_session_mem_send(state_->session, &data);
        if (size <= 0) {
            return;
        }
        out.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    }
}

void GrpcSession::wind_down() {
    nghttp2_submit_goaway(
        state_->session,
        NGHTTP2_FLAG_NONE,
        nghttp2_session_get_last_proc_stream_id(state_->session),
        NGHTTP2_NO_ERROR,
        nullptr,
        0
    );
}

void GrpcSession::tick(std::int64_t ticks_max) {
    for (const auto& [stream, call] : state_->calls) {
        if (call->stage == Stage::Reading && ++call->ticks > ticks_max) {
            state_->refuse(
                stream, *call, GrpcStatus::DeadlineExceeded, "the request was not complete in time"
            );
        }
    }
}

std::size_t GrpcSession::calls() const noexcept {
    return state_->calls.size();
}

std::uint64_t GrpcSession::refused() const noexcept {
    return state_->refused;
}

std::uint64_t GrpcSession::frames() const noexcept {
    return state_->frames;
}

bool GrpcSession::is_over() const noexcept {
    return nghttp2_session_want_read(state_->session) == 0 &&
           nghttp2_session_want_write(state_->session) == 0;
}

std::string base64(std::string_view bytes) {
    static constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char byte : bytes) {
        bits = bits << 8 | static_cast<unsigned char>(byte);
        count += 8;
        while (count >= 6) {
            count -= 6;
            text.push_back(digits[(bits >> count) & 63U]);
        }
    }
    if (count > 0) {
        text.push_back(digits[(bits << (6 - count)) & 63U]);
    }
    return text;
}

std::string grpc_percent_encode(std::string_view text) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte > 0x7e || c == '%') {
            encoded.push_back('%');
            encoded.push_back(digits[byte >> 4]);
            encoded.push_back(digits[byte & 15U]);
        } else {
            encoded.push_back(c);
        }
    }
    return encoded;
}

}  // namespace tagout::net
