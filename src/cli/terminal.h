// Where a command writes: answers to standard output, everything else to standard error.
//
// Thread-compatible. Colour and progress only on a terminal, and none when NO_COLOR is set, so that
// pipes get plain text. This is the one place in cli/ that writes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::cli {

enum class Format : std::uint8_t { Table, Json, Yaml };

enum class Tone : std::uint8_t { Plain, Bold, Dim, Red, Yellow, Green };

class Terminal {
public:
    Terminal();

    /// Adds a line end.
    void line(std::string_view text) const;
    void note(std::string_view text) const;
    /// Replaces the progress line on standard error; nothing without a terminal there.
    void progress(std::string_view text);
    void clear_progress();
    [[nodiscard]] std::string toned(std::string_view text, Tone tone) const;
    [[nodiscard]] bool is_terminal() const noexcept { return out_is_terminal_; }
    /// Columns of the terminal, or 100 where there is none.
    [[nodiscard]] std::size_t width() const;

private:
    bool out_is_terminal_;
    bool error_is_terminal_;
    bool colour_;
    bool progress_shown_ = false;
};

/// Rows of equal length under a head, padded to columns; the last column is clipped to `width`.
[[nodiscard]] std::string table(
    const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows,
    std::size_t width
);

/// Code points in valid UTF-8: what a column is counted in.
[[nodiscard]] std::size_t display_width(std::string_view text) noexcept;

}  // namespace tagout::cli
