#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace tagout::cli {

namespace {

constexpr std::size_t width_without_terminal = 100;

std::string_view escape_of(Tone tone) {
    switch (tone) {
        case Tone::Plain:
            return "";
        case Tone::Bold:
            return "\033[1m";
        case Tone::Dim:
            return "\033[2m";
        case Tone::Red:
            return "\033[31m";
        case Tone::Yellow:
            return "\033[33m";
        case Tone::Green:
            return "\033[32m";
    }
    return "";
}

void write_line(std::FILE* to, std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), to);
    std::fputc('\n', to);
}

/// Escape sequences take no room.
std::size_t skip_escape(std::string_view text, std::size_t at) {
    if (text[at] != '\033') {
        return at;
    }
    while (at < text.size() && text[at] != 'm') {
        ++at;
    }
    return at + 1;
}

std::string clipped(std::string_view text, std::size_t width) {
    if (display_width(text) <= width || width < 2) {
        return std::string(text);
    }
    std::string kept;
    std::size_t columns = 0;
    for (std::size_t i = 0; i < text.size() && columns + 1 < width; ++i) {
        kept += text[i];
        while (i + 1 < text.size() && (static_cast<unsigned char>(text[i + 1]) & 0xC0U) == 0x80U) {
            kept += text[++i];
        }
        ++columns;
    }
    return kept + "…";
}

}  // namespace

Terminal::Terminal()
    : out_is_terminal_(isatty(STDOUT_FILENO) == 1),
      error_is_terminal_(isatty(STDERR_FILENO) == 1),
      colour_(out_is_terminal_ && std::getenv("NO_COLOR") == nullptr) {}

void Terminal::line(std::string_view text) const {
    write_line(stdout, text);
}
void Terminal::note(std::string_view text) const {
    write_line(stderr, text);
}

void Terminal::progress(std::string_view text) {
    if (error_is_terminal_) {
        std::fprintf(stderr, "\r\033[K%.*s", static_cast<int>(text.size()), text.data());
        std::fflush(stderr);
        progress_shown_ = true;
    }
}

void Terminal::clear_progress() {
    if (progress_shown_) {
        std::fputs("\r\033[K", stderr);
        progress_shown_ = false;
    }
}

std::string Terminal::toned(std::string_view text, Tone tone) const {
    if (!colour_ || tone == Tone::Plain) {
        return std::string(text);
    }
    return std::string(escape_of(tone)) + std::string(text) + "\033[0m";
}

std::size_t Terminal::width() const {
    winsize size{};
    if (out_is_terminal_ && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40) {
        return size.ws_col;
    }
    return width_without_terminal;
}

std::size_t display_width(std::string_view text) noexcept {
    std::size_t width = 0;
    for (std::size_t i = 0; i < text.size();) {
        if (const std::size_t after = skip_escape(text, i); after != i) {
            i = after;
            continue;
        }
        width += (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U ? 1 : 0;
        ++i;
    }
    return width;
}

std::string table(
    const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows,
    std::size_t width
) {
    std::vector<std::size_t> widths;
    for (const std::string& title : head) {
        widths.push_back(display_width(title));
    }
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < widths.size() && i < row.size(); ++i) {
            widths[i] = std::max(widths[i], display_width(row[i]));
        }
    }
    std::string text;
    const auto append = [&](const std::vector<std::string>& row) {
        std::size_t column = 0;
        for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
            if (i + 1 == widths.size()) {
                text += clipped(
                    row[i], width > column ? std::max<std::size_t>(width - column, 20) : 20
                );
                break;
            }
            text += row[i];
            text.append(widths[i] - display_width(row[i]) + 2, ' ');
            column += widths[i] + 2;
        }
        text += '\n';
    };
    append(head);
    for (const auto& row : rows) {
        append(row);
    }
    if (!text.empty()) {
        text.pop_back();
    }
    return text;
}

}  // namespace tagout::cli
