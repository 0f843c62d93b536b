// What goes from a control server to a gateway over their one long-lived stream: server-sent events,
// each a kind, a signature and a body of JSON on one line.
//
//   event: step
//   id: 5f0c... (Ed25519 over signed_text(kind, body), 128 hex digits)
//   data: {"form":"step",...}
//
// Every frame is signed, heartbeats and answers to approvals too: nobody between the two can make one
// up, and a body signed as one kind is none of another. A frame that is not of this form ends the
// stream: there is no skipping, because what was skipped might have been a stop.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::contain::fleet {

inline constexpr std::size_t frame_bytes_max = 1024 * 1024;

enum class FrameKind : std::uint8_t {
    Hello = 1,   ///< First of a stream: the server's key and version.
    Beat = 2,    ///< fleet::Beat
    Step = 3,    ///< fleet::Step
    Probe = 4,   ///< Try this control on your roads: ProbeAsk.
    Answer = 5,  ///< A person answered a waiting call: ApprovalSaid.
};
[[nodiscard]] std::string_view name_of(FrameKind kind) noexcept;
[[nodiscard]] std::optional<FrameKind> parse_frame_kind(std::string_view name) noexcept;

struct Frame {
    FrameKind kind = FrameKind::Beat;
    std::string signature;
    std::string body;
};

/// What is signed: purpose, version and kind before the body, so that no other signature of that key
/// fits. `kind` is a frame's, or "standing" for a whole snapshot.
[[nodiscard]] std::string signed_text(std::string_view kind, std::string_view body);

/// `body` has no line ends, as JSON written here never has.
[[nodiscard]] std::string to_text(const Frame& frame);

/// Confined to one thread. Cuts a stream into frames, however its bytes arrive.
class FrameReader {
public:
    /// Adds `bytes`; the frames that are complete now go into `frames`. Corrupt: no frame, or one over
    /// frame_bytes_max; the stream is then of no more use. Comments are passed over.
    [[nodiscard]] Result<void> feed(std::string_view bytes, std::vector<Frame>& frames);

private:
    [[nodiscard]] Result<void> take_line(std::string_view line, std::vector<Frame>& frames);

    std::string pending_;  ///< Of a line that is not complete.
    std::size_t size_ = 0;  ///< Of the frame so far.
    std::optional<FrameKind> kind_;
    std::optional<std::string> signature_;
    std::optional<std::string> body_;
};

}  // namespace tagout::contain::fleet
