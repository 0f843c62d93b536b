// What a learner sees of a request: which of 65,536 buckets its words, pairs of words and runs of
// three and four characters hash to. No word is kept, only buckets.
//
// Words are runs of letters, digits and bytes beyond ASCII; case and apostrophes do not count, each
// digit counts as 0, so that numbers of orders and accounts are alike and teach nothing. The first
// and the last word also make a pair with the edge of the text, since how a request begins tells
// much. Characters are taken inside words with a blank at either end: misspelt and inflected words
// stay near. Pure. Cost: about 1.5 us a request of ten words; at most text_bytes_max bytes are
// read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tagout::detect {

inline constexpr std::size_t request_text_bytes_max = 400;
inline constexpr std::size_t request_features_max = 512;
inline constexpr std::size_t request_buckets = 65'536;
/// Buckets below are of words and pairs, from here on of characters.
inline constexpr std::uint16_t request_characters_from = 32'768;

/// Sorted, each once.
using RequestFeatures = std::vector<std::uint16_t>;

[[nodiscard]] RequestFeatures request_features(std::string_view text);

}  // namespace tagout::detect
