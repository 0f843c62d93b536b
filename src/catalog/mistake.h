// Mistake: one thing that is wrong in a configuration file, where, and what to write instead.
//
// Configuration is checked whole: a person who mends a file wants every mistake at once and not the
// next one after each run. `what` never repeats a value that may be a secret.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::catalog {

struct Mistake {
    int line = 0;      ///< From 1; 0 when the file as a whole is meant.
    int column = 0;    ///< From 1.
    std::string path;  ///< "tools.payments.refund.effect", "owners[2].channel"
    std::string what;
    std::string remedy;
};

/// "tagout.yaml:12:5: tools.refund.effect: 'wirte' is no tool effect. Write write."
[[nodiscard]] std::string to_text(const Mistake& mistake, std::string_view file_name);

/// By line and column, then by path and words, so that the order is always the same.
void sort_by_place(std::vector<Mistake>& mistakes);

/// The candidate that `word` was probably meant to be, "" if none is near: at most a third of the
/// letters wrong, swapped, missing or too many. Cost: length squared for each candidate.
[[nodiscard]] std::string_view nearest(
    std::string_view word, std::span<const std::string_view> candidates
);

/// `text` in quotes, clipped to 60 bytes, control characters as dots.
[[nodiscard]] std::string quoted(std::string_view text);
/// "a, b or c"
[[nodiscard]] std::string any_of_text(std::span<const std::string_view> choices);

}  // namespace tagout::catalog
