// A gRPC client of few lines for tests: nghttp2 over a bare socket, unary calls, every header seen.
//
// Confined to the test's thread. It can also send what no honest client sends: unframed data, wrong
// heads, half a call.
#pragma once

#include "net/http_client.h"
#include "net/raw_socket.h"

#include <nghttp2/nghttp2.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::net {

struct GrpcAnswer {
    Headers headers;  ///< Head and trailers in order.
    std::string body;
    bool closed = false;
    std::uint32_t reset = 0;  ///< Error code of the stream's end.

    [[nodiscard]] std::string header(std::string_view name) const {
        for (const auto& [key, value] : headers) {
            if (key == name) {
                return value;
            }
        }
        return {};
    }
    [[nodiscard]] std::string status() const { return header("grpc-status"); }
    [[nodiscard]] std::string message() const {
        return body.size() < 5 ? std::string() : body.substr(5);
    }
};

[[nodiscard]] inline std::string grpc_frame(std::string_view message, bool compressed = false) {
    std::string out(1, compressed ? '\1' : '\0');
    for (int shift = 24; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>((message.size() >> shift) & 0xffU));
    }
    return out += message;
}

class GrpcTestClient {
public:
    explicit GrpcTestClient(std::uint16_t port) : socket(port) {
        nghttp2_session_callbacks* callbacks = nullptr;
        nghttp2_session_callbacks_new(&callbacks);
        nghttp2_session_callbacks_set_on_header_callback(
            callbacks,
            [](nghttp2_session*,
               const nghttp2_frame* frame,
               const std::uint8_t* name,
               std::size_t name_size,
               const std::uint8_t* value,
               std::size_t value_size,
               std::uint8_t,
               void* user) {
                static_cast<GrpcTestClient*>(user)
                    ->answers[frame->hd.stream_id]
                    .headers.emplace_back(
                        std::string(reinterpret_cast<const char*>(name), name_size),
                        std::string(reinterpret_cast<const char*>(value), value_size)
                    );
                return 0;
            }
        );
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
            callbacks,
            [](nghttp2_session*,
               std::uint8_t,
               std::int32_t stream,
               const std::uint8_t* data,
               std::size_t size,
               void* user) {
                static_cast<GrpcTestClient*>(user)->answers[stream].body.append(
                    reinterpret_cast<const char*>(data), size
                );
                return 0;
            }
        );
        nghttp2_session_callbacks_set_on_stream_close_callback(
            callbacks,
            [](nghttp2_session*, std::int32_t stream, std::uint32_t code, void* user) {
                static_cast<GrpcTestClient*>(user)->answers[stream].closed = true;
                static_cast<GrpcTestClient*>(user)->answers[stream].reset = code;
                return 0;
            }
        );
        nghttp2_session_callbacks_set_on_frame_recv_callback(
            callbacks,
            [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
                auto& self = *static_cast<GrpcTestClient*>(user);
                self.pings += frame->hd.type == NGHTTP2_PING ? 1 : 0;
                self.goaways += frame->hd.type == NGHTTP2_GOAWAY ? 1 : 0;
                return 0;
            }
        );
        nghttp2_session_client_new(&session_, callbacks, this);
        nghttp2_session_callbacks_del(callbacks);
        nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
    }
    ~GrpcTestClient() { nghttp2_session_del(session_); }
    GrpcTestClient(const GrpcTestClient&) = delete;
    GrpcTestClient& operator=(const GrpcTestClient&) = delete;

    nghttp2_session* session() { return session_; }

    /// Begins a call with these bytes as its whole body; `ends` false leaves it open.
    std::int32_t begin(
        const std::string& path, std::string body, const Headers& more = {}, bool ends = true
    ) {
        Headers head{
            {":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", "x"}};
        bool typed = false;
        for (const auto& each : more) {
            typed = typed || each.first == "content-type";
            if (each.first == ":method") {
                head[0] = each;
            } else {
                head.push_back(each);
            }
        }
        if (!typed) {
            head.emplace_back("content-type", "application/grpc");
            head.emplace_back("te", "trailers");
        }
        std::vector<nghttp2_nv> fields;
        for (auto& [name, value] : head) {
            fields.push_back(
                {reinterpret_cast<std::uint8_t*>(name.data()),
                 reinterpret_cast<std::uint8_t*>(value.data()),
                 name.size(),
                 value.size(),
                 NGHTTP2_NV_FLAG_NONE}
            );
        }
        bodies_.push_back(std::make_unique<Body>(Body{std::move(body), 0, ends}));
        nghttp2_data_provider source{};
        source.source.ptr = bodies_.back().get();
        source.read_callback = [](nghttp2_session*,
                                  std::int32_t,
                                  std::uint8_t* to,
                                  std::size_t room,
                                  std::uint32_t* flags,
                                  nghttp2_data_source* from,
                                  void*) -> ssize_t {
            Body& of = *static_cast<Body*>(from->ptr);
            const std::size_t count = std::min(room, of.bytes.size() - of.sent);
            if (count == 0 && !of.ends) {
                return NGHTTP2_ERR_DEFERRED;
            }
            of.bytes.copy(reinterpret_cast<char*>(to), count, of.sent);
            of.sent += count;
            if (of.sent == of.bytes.size() && of.ends) {
                *flags |= NGHTTP2_DATA_FLAG_EOF;
            }
            return static_cast<ssize_t>(count);
        };
        return nghttp2_submit_request(
            session_, nullptr, fields.data(), fields.size(), &source, nullptr
        );
    }

    /// One round: sends what is due, reads what is there. False once the peer has closed.
    bool turn(int milliseconds = 20) {
        const std::uint8_t* data = nullptr;
        ssize_t size = 0;
        while ((size = nghttp2_session_mem_send(session_, &data)) > 0) {
            if (!socket.send({reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)}
                )) {
                break;
            }
        }
        socket.received.clear();
        const bool open = socket.read_some(milliseconds);
        nghttp2_session_mem_recv(
            session_,
            reinterpret_cast<const std::uint8_t*>(socket.received.data()),
            socket.received.size()
        );
        return open;
    }
    GrpcAnswer wait(std::int32_t stream, int turns = 300) {
        while (!answers[stream].closed && turns-- > 0 && turn()) {
        }
        return answers[stream];
    }
    GrpcAnswer call(
        const std::string& path, std::string_view message, const Headers& more = {},
        bool compressed = false
    ) {
        return wait(begin(path, grpc_frame(message, compressed), more));
    }

    RawSocket socket;
    std::map<std::int32_t, GrpcAnswer> answers;
    int pings = 0;
    int goaways = 0;

private:
    struct Body {
        std::string bytes;
        std::size_t sent;
        bool ends;
    };
    nghttp2_session* session_ = nullptr;
    std::vector<std::unique_ptr<Body>> bodies_;
};

}  // namespace tagout::net
