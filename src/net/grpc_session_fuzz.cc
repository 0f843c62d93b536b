// Any bytes as one HTTP/2 connection: no crash, no message past its limit, the budget given back.
// The first byte says how the bytes are cut into reads.
#include "net/grpc_session.h"

#include "base/assert.h"

#include <algorithm>
#include <cstdint>

namespace {

constexpr std::size_t message_bytes_max = 64 * 1024;

class Budget final : public tagout::net::BodyBudget {
public:
    bool take(std::size_t bytes) override {
        if (taken_ + bytes > 4 * message_bytes_max) {
            return false;
        }
        taken_ += bytes;
        return true;
    }
    void give_back(std::size_t bytes) override {
        TAGOUT_ASSERT(bytes <= taken_, "only what was taken is given back");
        taken_ -= bytes;
    }
    [[nodiscard]] std::size_t taken() const { return taken_; }

private:
    std::size_t taken_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::size_t step = std::max<std::size_t>(data[0], 1);
    std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
    Budget budget;
    {
        tagout::net::GrpcSession* self = nullptr;
        int calls = 0;
        tagout::net::GrpcSession session(
            {.header_bytes_max = 4096, .message_bytes_max = message_bytes_max},
            budget,
            [&](std::int32_t stream, tagout::net::GrpcRequest request) {
                TAGOUT_ASSERT(request.message.size() <= message_bytes_max, "limits hold");
                if (++calls % 3 != 0) {
                    self->respond(
                        stream,
                        {tagout::net::GrpcStatus::Ok, "", std::string(request.message.view()), {}}
                    );
                }
            }
        );
        self = &session;
        std::string out;
        while (!bytes.empty() && session.receive(bytes.substr(0, step))) {
            bytes.remove_prefix(std::min(step, bytes.size()));
            session.tick(100);
            out.clear();
            session.take_output(out, 64 * 1024);
        }
        session.wind_down();
        session.take_output(out, 64 * 1024);
    }
    TAGOUT_ASSERT(budget.taken() == 0, "a session that ends gives everything back");
    return 0;
}
