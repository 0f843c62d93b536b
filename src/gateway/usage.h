// What one request to a model API cost in tokens: as its answer says, else estimated.
//
//   told       `usage` of a whole answer, of a chat stream's last chunk, of response.completed, of
//              message_start and message_delta; of other endpoints, where it ends a JSON answer
//   estimated  four bytes are a token: of the request's body, and of the words and arguments in the
//              answer, each event of a stream at least one. Images in a request are overestimated.
//
// Made only where a budget covers the call. Confined to its thread. Cost: a scan of each event.
#pragma once

#include "gateway/model_api.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace tagout::gateway {

struct Usage {
    std::int64_t input = 0;   ///< Those from a cache too.
    std::int64_t output = 0;
    std::int64_t cached = 0;  ///< Of the input.
    bool estimated = true;
};

class UsageMeter {
public:
    static constexpr std::size_t tail_bytes_max = 4 * 1024;

    explicit UsageMeter(std::size_t request_bytes) : request_bytes_(request_bytes) {}

    /// One event of a stream as the upstream sent it (EventSplitter).
    void event(std::string_view block);
    /// A whole JSON answer.
    void whole(std::string_view body);
    /// Bytes of an answer that is passed on as it comes.
    void unread(std::string_view bytes);

    [[nodiscard]] Usage usage() const;

private:
    /// What begins a stream knows its input alone.
    enum class Says : std::uint8_t { Input, All };
    void read(RawJson usage, Says says);
    void read_tail();

    const std::size_t request_bytes_;
    std::uint64_t guessed_ = 0;  ///< Output.
    Usage told_;
    bool is_told_ = false;
    bool tells_output_ = false;
    std::string tail_;
};

}  // namespace tagout::gateway
