#include "contain/fleet/frame.h"

#include "base/assert.h"

#include <array>

namespace tagout::contain::fleet {

namespace {

constexpr std::array<std::string_view, 5> kind_names{"hello", "beat", "step", "probe", "answer"};
constexpr std::string_view event_prefix = "event: ";
constexpr std::string_view id_prefix = "id: ";
constexpr std::string_view data_prefix = "data: ";
constexpr std::size_t signature_digits = 128;

std::unexpected<Error> broken(std::string_view why) {
    return fail(
        ErrorCode::Corrupt, "the control server's stream cannot be read: " + std::string(why)
    );
}

}  // namespace

std::string_view name_of(FrameKind kind) noexcept {
    return kind_names[static_cast<std::size_t>(kind) - 1];
}

std::optional<FrameKind> parse_frame_kind(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kind_names.size(); ++i) {
        if (kind_names[i] == name) {
            return static_cast<FrameKind>(i + 1);
        }
    }
    return std::nullopt;
}

std::string signed_text(std::string_view kind, std::string_view body) {
    std::string text = "tagout-fleet-1 ";
    text += kind;
    text += '\n';
    text += body;
    return text;
}

std::string to_text(const Frame& frame) {
    TAGOUT_ASSERT(
        frame.body.find_first_of("\r\n") == frame.body.npos, "a frame's body is one line"
    );
    std::string text;
    text.reserve(frame.body.size() + frame.signature.size() + 40);
    text += event_prefix;
    text += name_of(frame.kind);
    text += '\n';
    text += id_prefix;
    text += frame.signature;
    text += '\n';
    text += data_prefix;
    text += frame.body;
    text += "\n\n";
    return text;
}

Result<void> FrameReader::feed(std::string_view bytes, std::vector<Frame>& frames) {
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view part = bytes.substr(0, end);
        size_ += part.size() + 1;
        if (size_ > frame_bytes_max) {
            return broken("a frame is longer than " + std::to_string(frame_bytes_max) + " bytes");
        }
        if (end == std::string_view::npos) {
            pending_ += part;
            return {};
        }
        if (pending_.empty()) {
            TAGOUT_TRY(take_line(part, frames));
        } else {
            pending_ += part;
            const std::string line = std::exchange(pending_, {});
            TAGOUT_TRY(take_line(line, frames));
        }
        bytes.remove_prefix(end + 1);
    }
    return {};
}

Result<void> FrameReader::take_line(std::string_view line, std::vector<Frame>& frames) {
    if (line.starts_with(':')) {
        return {};
    }
    if (line.empty()) {
        size_ = 0;
        if (!kind_ && !signature_ && !body_) {
            return {};  // Behind a comment.
        }
        if (!kind_ || !signature_ || !body_) {
            return broken("a frame lacks its event, id or data line");
        }
        frames.push_back({*kind_, std::move(*signature_), std::move(*body_)});
        kind_.reset();
        signature_.reset();
        body_.reset();
        return {};
    }
    if (line.starts_with(event_prefix) && !kind_) {
        kind_ = parse_frame_kind(line.substr(event_prefix.size()));
        return kind_ ? Result<void>{}
                     : broken("a frame of a kind that this version does not know");
    }
    if (line.starts_with(id_prefix) && !signature_) {
        const std::string_view digits = line.substr(id_prefix.size());
        if (digits.size() != signature_digits) {
            return broken("a signature of the wrong length");
        }
        signature_ = digits;
        return {};
    }
    if (line.starts_with(data_prefix) && !body_) {
        body_ = line.substr(data_prefix.size());
        return {};
    }
    return broken("a line that is none of event, id and data, or one of them twice");
}

}  // namespace tagout::contain::fleet
