// What changed between two texts, line by line.
//
// The lines that both begin and end with are set aside; what is left is compared by the longest
// common subsequence while it is at most lines_max lines on either side, and shown whole otherwise
// (Diff::whole says so). Pure. Cost: at most lines_max squared steps and 2 bytes each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::recover {

struct DiffLine {
    enum class Kind : std::uint8_t { Same, Added, Removed, Gap };
    Kind kind = Kind::Same;
    std::string text;           ///< Without its line end. Of a gap: "12 lines are the same".
    std::size_t from_line = 0;  ///< From 1; 0 where it has none.
    std::size_t to_line = 0;
};
[[nodiscard]] std::string_view name_of(DiffLine::Kind kind) noexcept;

struct Diff {
    static constexpr std::size_t lines_max = 2'000;
    static constexpr std::size_t context = 3;  ///< Same lines that are kept around a change.

    std::vector<DiffLine> lines;
    std::size_t added = 0;
    std::size_t removed = 0;
    bool whole = false;
};

[[nodiscard]] Diff diff(std::string_view from, std::string_view to);
/// As `diff -u` prints it; "" when nothing differs.
[[nodiscard]] std::string unified(
    const Diff& diff, std::string_view from_name, std::string_view to_name
);

}  // namespace tagout::recover
