#include "recover/diff.h"

#include <algorithm>
#include <span>

namespace tagout::recover {

namespace {

using Kind = DiffLine::Kind;
using Lines = std::vector<std::string_view>;

/// A last line without its end differs from one with it, and is shown so.
constexpr std::string_view no_end_mark = "\\ No newline at end of file";

Lines lines_of(std::string_view text) {
    Lines lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        // The line end stays with the line: it is part of what is compared.
        const std::size_t length = end == std::string_view::npos ? text.size() : end + 1;
        lines.push_back(text.substr(0, length));
        text.remove_prefix(length);
    }
    return lines;
}

/// True for each line of the longest common subsequence, on both sides.
struct Common {
    std::vector<bool> from;
    std::vector<bool> to;
};

Common common_lines(std::span<const std::string_view> from, std::span<const std::string_view> to) {
    const std::size_t width = to.size() + 1;
    std::vector<std::uint16_t> longest((from.size() + 1) * width, 0);
    static_assert(Diff::lines_max < UINT16_MAX);
    for (std::size_t i = from.size(); i-- > 0;) {
        for (std::size_t j = to.size(); j-- > 0;) {
            longest[i * width + j] =
                from[i] == to[j]
                    ? static_cast<std::uint16_t>(longest[(i + 1) * width + j + 1] + 1)
                    : std::max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
        }
    }
    Common common{std::vector<bool>(from.size()), std::vector<bool>(to.size())};
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < from.size() && j < to.size()) {
        if (from[i] == to[j]) {
            common.from[i++] = true;
            common.to[j++] = true;
        } else if (longest[(i + 1) * width + j] >= longest[i * width + j + 1]) {
            ++i;
        } else {
            ++j;
        }
    }
    return common;
}

class Writer {
public:
    void put(Kind kind, std::string_view line) {
        DiffLine made{kind, std::string(line), 0, 0};
        const bool ends = made.text.ends_with('\n');
        if (ends) {
            made.text.pop_back();
        } else {
            made.text += "\n" + std::string(no_end_mark);
        }
        made.from_line = kind == Kind::Added ? 0 : ++from_line_;
        made.to_line = kind == Kind::Removed ? 0 : ++to_line_;
        added_ += kind == Kind::Added ? 1 : 0;
        removed_ += kind == Kind::Removed ? 1 : 0;
        all_.push_back(std::move(made));
    }

    /// Long runs of same lines become gaps.
    Diff finish(bool whole) {
        Diff diff{{}, added_, removed_, whole};
        std::size_t at = 0;
        while (at < all_.size()) {
            std::size_t end = at;
            while (end < all_.size() && all_[end].kind == Kind::Same) {
                ++end;
            }
            const std::size_t before = at == 0 ? 0 : Diff::context;
            const std::size_t after = end == all_.size() ? 0 : Diff::context;
            if (end - at > before + after + 1) {
                move(diff, at, at + before);
                const std::size_t hidden = end - at - before - after;
                diff.lines.push_back(
                    {Kind::Gap, std::to_string(hidden) + " lines are the same", 0, 0}
                );
                at = end - after;
            }
            move(diff, at, end);
            at = end;
            while (at < all_.size() && all_[at].kind != Kind::Same) {
                move(diff, at, at + 1);
                ++at;
            }
        }
        return diff;
    }

private:
    void move(Diff& diff, std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to; ++i) {
            diff.lines.push_back(std::move(all_[i]));
        }
    }

    std::vector<DiffLine> all_;
    std::size_t from_line_ = 0;
    std::size_t to_line_ = 0;
    std::size_t added_ = 0;
    std::size_t removed_ = 0;
};

std::string range(std::size_t first, std::size_t count) {
    return std::to_string(count == 0 ? first : first + 1) + "," + std::to_string(count);
}

/// The lines of one hunk, between gaps; `from` and `to` are the lines that came before it.
void print_hunk(
    std::span<const DiffLine> lines, std::size_t from, std::size_t to, std::string& out
) {
    std::size_t from_count = 0;
    std::size_t to_count = 0;
    std::string body;
    for (const DiffLine& line : lines) {
        from_count += line.kind == Kind::Added ? 0 : 1;
        to_count += line.kind == Kind::Removed ? 0 : 1;
        body += line.kind == Kind::Added ? '+' : line.kind == Kind::Removed ? '-' : ' ';
        body += line.text + "\n";
    }
    out += "@@ -" + range(from, from_count) + " +" + range(to, to_count) + " @@\n" + body;
}

}  // namespace

std::string_view name_of(DiffLine::Kind kind) noexcept {
    switch (kind) {
        case Kind::Same:
            return "same";
        case Kind::Added:
            return "added";
        case Kind::Removed:
            return "removed";
        case Kind::Gap:
            return "gap";
    }
    return "?";
}

Diff diff(std::string_view from, std::string_view to) {
    const Lines old_lines = lines_of(from);
    const Lines new_lines = lines_of(to);
    const std::size_t shorter = std::min(old_lines.size(), new_lines.size());
    std::size_t head = 0;
    while (head < shorter && old_lines[head] == new_lines[head]) {
        ++head;
    }
    std::size_t tail = 0;
    while (tail < shorter - head &&
           old_lines[old_lines.size() - 1 - tail] == new_lines[new_lines.size() - 1 - tail]) {
        ++tail;
    }
    const std::span old_middle(old_lines.begin() + static_cast<std::ptrdiff_t>(head),
                               old_lines.size() - head - tail);
    const std::span new_middle(new_lines.begin() + static_cast<std::ptrdiff_t>(head),
                               new_lines.size() - head - tail);
    const bool whole = std::max(old_middle.size(), new_middle.size()) > Diff::lines_max;
    const Common common = whole ? Common{std::vector<bool>(old_middle.size()),
                                         std::vector<bool>(new_middle.size())}
                                : common_lines(old_middle, new_middle);
    Writer writer;
    for (std::size_t i = 0; i < head; ++i) {
        writer.put(Kind::Same, old_lines[i]);
    }
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < old_middle.size() || j < new_middle.size()) {
        if (i < old_middle.size() && !common.from[i]) {
            writer.put(Kind::Removed, old_middle[i++]);
        } else if (j < new_middle.size() && !common.to[j]) {
            writer.put(Kind::Added, new_middle[j++]);
        } else {
            writer.put(Kind::Same, old_middle[i]);
            ++i;
            ++j;
        }
    }
    for (std::size_t k = old_lines.size() - tail; k < old_lines.size(); ++k) {
        writer.put(Kind::Same, old_lines[k]);
    }
    return writer.finish(whole);
}

std::string unified(const Diff& diff, std::string_view from_name, std::string_view to_name) {
    if (diff.added == 0 && diff.removed == 0) {
        return "";
    }
    std::string out = "--- " + std::string(from_name) + "\n+++ " + std::string(to_name) + "\n";
    const std::span<const DiffLine> lines(diff.lines);
    std::size_t at = 0;
    // What a hunk begins behind is known from its first line of either side.
    std::size_t from_before = 0;
    std::size_t to_before = 0;
    while (at < lines.size()) {
        if (lines[at].kind == Kind::Gap) {
            const std::size_t next = at + 1;
            if (next < lines.size()) {
                from_before = lines[next].from_line > 0 ? lines[next].from_line - 1 : from_before;
                to_before = lines[next].to_line > 0 ? lines[next].to_line - 1 : to_before;
            }
            at = next;
            continue;
        }
        std::size_t end = at;
        while (end < lines.size() && lines[end].kind != Kind::Gap) {
            ++end;
        }
        print_hunk(lines.subspan(at, end - at), from_before, to_before, out);
        at = end;
    }
    return out;
}

}  // namespace tagout::recover
