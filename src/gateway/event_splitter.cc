#include "gateway/event_splitter.h"

#include <utility>

namespace tagout::gateway {

namespace {

/// Calls `visit(line, ending)` for each line of `block`.
template <class Visit>
void for_each_line(std::string_view block, Visit&& visit) {
    while (!block.empty()) {
        const std::size_t end = block.find_first_of("\r\n");
        if (end == std::string_view::npos) {
            visit(block, std::string_view());
            return;
        }
        const std::size_t width = block.substr(end, 2) == "\r\n" ? 2 : 1;
        visit(block.substr(0, end), block.substr(end, width));
        block.remove_prefix(end + width);
    }
}

/// The value of a `data` line; false if `line` is none.
bool is_data(std::string_view line, std::string_view& value) {
    if (line == "data") {
        value = {};
        return true;
    }
    if (!line.starts_with("data:")) {
        return false;
    }
    value = line.substr(line.starts_with("data: ") ? 6 : 5);
    return true;
}

}  // namespace

std::size_t EventSplitter::find_end(std::string_view bytes) {
    while (scanned_ < bytes.size()) {
        const char c = bytes[scanned_];
        if (std::exchange(skip_newline_, false) && c == '\n') {
            ++scanned_;
            line_start_ = scanned_;
            continue;
        }
        if (c != '\n' && c != '\r') {
            const std::size_t end = bytes.find_first_of("\r\n", scanned_);
            scanned_ = end == std::string_view::npos ? bytes.size() : end;
            continue;
        }
        const std::string_view line = bytes.substr(line_start_, scanned_ - line_start_);
        ++scanned_;
        skip_newline_ = c == '\r';
        if (skip_newline_ && scanned_ < bytes.size() && bytes[scanned_] == '\n') {
            ++scanned_;
            skip_newline_ = false;
        }
        line_start_ = scanned_;
        has_field_ = has_field_ || (!line.empty() && !line.starts_with(':'));
        if (line.empty() || !has_field_) {
            return scanned_;
        }
    }
    return std::string_view::npos;
}

bool EventSplitter::feed(std::string_view bytes, const Take& take) {
    if (overflowed_) {
        held_ += bytes;
        return false;
    }
    const bool holds = !held_.empty();
    if (holds) {
        held_ += bytes;
    }
    std::string_view left = holds ? std::string_view(held_) : bytes;
    for (std::size_t end = find_end(left); end != std::string_view::npos; end = find_end(left)) {
        scanned_ = 0;
        line_start_ = 0;
        has_field_ = false;
        take(left.substr(0, end));
        left.remove_prefix(end);
    }
    if (!holds) {
        held_ = left;
    } else if (left.size() < held_.size()) {
        held_.erase(0, held_.size() - left.size());
    }
    overflowed_ = held_.size() > event_bytes_max;
    return !overflowed_;
}

std::string event_data(std::string_view block) {
    std::string data;
    bool first = true;
    for_each_line(block, [&](std::string_view line, std::string_view) {
        std::string_view value;
        if (is_data(line, value)) {
            if (!std::exchange(first, false)) {
                data += '\n';
            }
            data += value;
        }
    });
    return data;
}

std::string with_data(std::string_view block, std::string_view data) {
    std::string out;
    out.reserve(block.size());
    bool written = false;
    for_each_line(block, [&](std::string_view line, std::string_view ending) {
        std::string_view value;
        if (!is_data(line, value)) {
            out += line;
            out += ending;
            return;
        }
        if (std::exchange(written, true)) {
            return;
        }
        for (std::string_view left = data;;) {
            const std::size_t end = left.find_first_of("\r\n");
            out += "data: ";
            out += left.substr(0, end);
            out += ending;
            if (end == std::string_view::npos) {
                break;
            }
            left.remove_prefix(end + (left.substr(end, 2) == "\r\n" ? 2 : 1));
        }
    });
    return out;
}

std::string message_event(std::string_view data) {
    return "event: message\ndata: " + std::string(data) + "\n\n";
}

}  // namespace tagout::gateway
