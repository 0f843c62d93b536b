#include "catalog/mistake.h"

#include <algorithm>
#include <cstddef>
#include <tuple>

namespace tagout::catalog {

namespace {

constexpr std::size_t compared_bytes_max = 128;
constexpr std::size_t quoted_bytes_max = 60;

/// Optimal string alignment distance: insert, delete, change and swap of neighbours cost 1 each
/// (Damerau 1964, restricted form).
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        last[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
        std::swap(before_last, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
    if (word.size() > compared_bytes_max) {
        return {};
    }
    std::string_view best;
    // At least one letter must be right.
    std::size_t best_distance =
        std::min(std::max<std::size_t>(1, word.size() / 3) + 1, word.size());
    for (const std::string_view candidate : candidates) {
        if (candidate.size() > compared_bytes_max) {
            continue;
        }
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

void sort_by_place(std::vector<Mistake>& mistakes) {
    std::ranges::sort(mistakes, [](const Mistake& a, const Mistake& b) {
        return std::tie(a.line, a.column, a.path, a.what) < std::tie(b.line, b.column, b.path, b.what);
    });
}

std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text.substr(0, quoted_bytes_max)) {
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '.' : c;
    }
    return out + (text.size() > quoted_bytes_max ? "...'" : "'");
}

std::string any_of_text(std::span<const std::string_view> choices) {
    std::string out;
    for (std::size_t i = 0; i < choices.size(); ++i) {
        out += i == 0 ? "" : i + 1 == choices.size() ? " or " : ", ";
        out += choices[i];
    }
    return out;
}

std::string to_text(const Mistake& mistake, std::string_view file_name) {
    std::string out(file_name);
    if (mistake.line > 0) {
        out += ":" + std::to_string(mistake.line) + ":" + std::to_string(mistake.column);
    }
    out += ": ";
    if (!mistake.path.empty()) {
        out += mistake.path + ": ";
    }
    out += mistake.what + ".";
    if (!mistake.remedy.empty()) {
        out += " " + mistake.remedy + ".";
    }
    return out;
}

}  // namespace tagout::catalog
