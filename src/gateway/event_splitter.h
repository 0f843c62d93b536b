// Where one server-sent event ends and the next begins, in bytes that come in any pieces.
//
// Blocks go out as they came, byte for byte; together they are the stream. What is not yet a whole
// event is held until it is, so that whoever stands between can stop or add something there without
// breaking one. A comment is passed at the end of its line: it is what keeps connections alive.
//
// Confined to its thread. Holds event_bytes_max at most.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace tagout::gateway {

class EventSplitter {
public:
    static constexpr std::size_t event_bytes_max = 16 * 1024 * 1024;

    using Take = std::function<void(std::string_view block)>;

    /// False once an event is larger than event_bytes_max: nothing is split any more, and what was
    /// held comes out of rest().
    [[nodiscard]] bool feed(std::string_view bytes, const Take& take);
    /// What is held of an event that has not ended; "" at a boundary.
    [[nodiscard]] std::string_view held() const noexcept { return held_; }
    [[nodiscard]] std::string rest() { return std::exchange(held_, {}); }

private:
    /// Place behind the end of the first block of `bytes` from `scanned_` on, or npos.
    [[nodiscard]] std::size_t find_end(std::string_view bytes);

    std::string held_;
    std::size_t scanned_ = 0;     ///< Of the current block: looked at already.
    std::size_t line_start_ = 0;  ///< Of the current block.
    bool has_field_ = false;      ///< A line of it is no comment.
    bool skip_newline_ = false;   ///< The last line ended in CR: a LF belongs to it.
    bool overflowed_ = false;
};

/// The data of an event, its lines joined; "" if it has none.
[[nodiscard]] std::string event_data(std::string_view block);
/// `block` with other data; its other lines stay as they are.
[[nodiscard]] std::string with_data(std::string_view block, std::string_view data);
/// "event: message" with that data, which must hold no line break.
[[nodiscard]] std::string message_event(std::string_view data);

}  // namespace tagout::gateway
