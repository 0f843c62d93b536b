#include "detect/intent/retries.h"

#include "detect/hash.h"

#include <algorithm>
#include <array>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace tagout::detect {

namespace {

constexpr std::size_t nothing_bytes_max = 120;
constexpr std::size_t request_words_min = 4;

constexpr std::array nothing_words{
    std::string_view{"no results"},
    std::string_view{"not found"},
    std::string_view{"no matches"},
    std::string_view{"no match"},
    std::string_view{"no records"},
    std::string_view{"nothing found"},
    std::string_view{"0 results"},
    std::string_view{"no entries"},
    std::string_view{"no data"},
    std::string_view{"could not find"},
};

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return out;
}

/// A small set of word hashes on the stack. Whether a word is in it cannot be foretold, so all of
/// them are compared: some dozen comparisons, four at a time, cost less than a wrong guess.
struct WordSet {
    static constexpr std::size_t places = (Trail::words_max + 7) / 8 * 8;

    alignas(16) std::array<std::uint32_t, places> words{};  ///< In order, then zeros.
    std::size_t size = 0;

    [[nodiscard]] bool has(std::uint32_t word) const noexcept {
#ifdef __SSE2__
        const __m128i wanted = _mm_set1_epi32(static_cast<int>(word));
        __m128i found = _mm_setzero_si128();
        for (std::size_t i = 0; i < places; i += 4) {
            const __m128i four = _mm_load_si128(reinterpret_cast<const __m128i*>(&words[i]));
            found = _mm_or_si128(found, _mm_cmpeq_epi32(four, wanted));
        }
        return _mm_movemask_epi8(found) != 0;
#else
        std::uint32_t found = 0;
        for (const std::uint32_t each : words) {
            found |= each == word ? 1U : 0U;
        }
        return found != 0;
#endif
    }
    /// There must be room.
    void add(std::uint32_t word) noexcept {
        const bool fresh = !has(word);
        words[size] = fresh ? word : 0;
        size += fresh ? 1 : 0;
    }
};

/// Words of four letters and more, each once, by a hash that is never 0.
WordSet words_of(const MessageWords& text) {
    constexpr std::size_t letters_min = 4;
    struct Place {
        std::uint16_t from;
        std::uint16_t size;
    };
    // Which words are long enough cannot be foretold: each is taken down, the long ones counted.
    std::array<Place, Trail::words_max + 1> chosen;
    std::size_t count = 0;
    text.each(MessageWords::bytes_max, [&](std::size_t from, std::size_t size) {
        chosen[count] = {static_cast<std::uint16_t>(from), static_cast<std::uint16_t>(size)};
        count += size >= letters_min ? 1 : 0;
        return count < Trail::words_max;
    });
    WordSet words;
    for (std::size_t i = 0; i < count; ++i) {
        std::uint64_t hash = combine(text.head(chosen[i].from, chosen[i].size), chosen[i].size);
        for (std::size_t read = 8; read < chosen[i].size; read += 8) {
            hash = combine(hash, text.head(chosen[i].from + read, chosen[i].size - read));
        }
        words.add(static_cast<std::uint32_t>(hash) | 1U);
    }
    return words;
}

/// The share of the words of either list that stand in both.
double likeness(const WordSet& a, const std::vector<std::uint32_t>& b) {
    std::size_t both = 0;
    for (const std::uint32_t word : b) {
        both += a.has(word) ? 1 : 0;
    }
    const std::size_t all = a.size + b.size() - both;
    return all == 0 ? 0 : static_cast<double>(both) / static_cast<double>(all);
}

Sighting sighting_of(double observed, double threshold, std::string evidence) {
    Sighting sighting{.signal = SignalId::RetriesWithoutConvergence};
    sighting.observed = observed;
    sighting.threshold = threshold;
    sighting.score = std::min(0.95, 0.5 + 0.08 * (observed - threshold + 1));
    sighting.evidence = std::move(evidence);
    return sighting;
}

}  // namespace

bool says_nothing(std::string_view result) noexcept {
    while (!result.empty() && static_cast<unsigned char>(result.front()) <= ' ') {
        result.remove_prefix(1);
    }
    while (!result.empty() && static_cast<unsigned char>(result.back()) <= ' ') {
        result.remove_suffix(1);
    }
    if (result.empty() || result == "[]" || result == "{}" || result == "null" ||
        result == "None" || result == "\"\"" || result == "false") {
        return true;
    }
    constexpr std::array nothing_in_it{
        std::string_view{"[]}"}, std::string_view{"{}}"}, std::string_view{"null}"}};
    if (result.starts_with('{') && std::ranges::count(result, ':') == 1 &&
        std::ranges::any_of(nothing_in_it, [result](std::string_view end) {
            return result.ends_with(end);
        })) {
        return true;  // One list, and nothing stands in it.
    }
    if (result.size() > nothing_bytes_max) {
        return false;
    }
    const std::string folded = lower(result);
    return std::ranges::any_of(nothing_words, [&](std::string_view words) {
        return folded.find(words) != std::string::npos;
    });
}

std::optional<Sighting> note_try(
    Trail& trail, const Action& newest, const IntentSettings& settings, const Names& names
) {
    if (!newest.worked || newest.call == 0 || newest.writes) {
        return std::nullopt;  // a write did something, whatever it answers
    }
    const std::vector<Action>& actions = trail.actions;
    bool same_tool = false;
    bool same_call = false;
    bool known_result = newest.empty;
    for (const Action& action : actions) {
        if (&action == &newest || action.began >= newest.began) {
            continue;
        }
        same_tool = same_tool || action.tool == newest.tool;
        same_call = same_call || (action.call == newest.call && action.worked);
        known_result = known_result || (action.worked && action.result == newest.result);
    }
    if (newest.may_change) {  // nobody knows what it does: "" and "ok" may be all that it ever says
        known_result = newest.empty && newest.result != static_cast<std::uint32_t>(hash_of(""));
    }
    if (!same_tool || same_call || !known_result) {
        trail.fruitless_tries = same_call ? trail.fruitless_tries : (newest.empty ? 1 : 0);
        return std::nullopt;
    }
    ++trail.fruitless_tries;
    if (trail.fruitless_tries < settings.retries_min) {
        return std::nullopt;
    }
    Sighting sighting = sighting_of(
        trail.fruitless_tries,
        settings.retries_min,
        "called " + names.text(newest.tool) + " " + std::to_string(trail.fruitless_tries) +
            " times with changing arguments and learned nothing new"
    );
    sighting.tool = newest.tool;
    return sighting;
}

std::optional<Sighting> note_answer(
    Trail& trail, std::uint64_t answer, const IntentSettings& settings
) {
    if (answer == 0) {
        return std::nullopt;
    }
    trail.equal_outputs = trail.last_output == answer ? trail.equal_outputs + 1 : 1;
    trail.last_output = answer;
    if (trail.equal_outputs < settings.retries_min) {
        return std::nullopt;
    }
    return sighting_of(
        trail.equal_outputs,
        settings.retries_min,
        "the model gave the same answer " + std::to_string(trail.equal_outputs) + " times in a row"
    );
}

std::optional<Sighting> note_request(
    Trail& trail, const MessageWords& text, const IntentSettings& settings
) {
    constexpr double alike_min = 0.5;
    const WordSet words = words_of(text);
    const bool rephrased = words.size >= request_words_min && !trail.last_words.empty() &&
                           likeness(words, trail.last_words) >= alike_min;
    trail.rephrased = rephrased ? trail.rephrased + 1 : 0;
    trail.last_words.assign(
        words.words.begin(), words.words.begin() + static_cast<std::ptrdiff_t>(words.size)
    );
    if (trail.rephrased < settings.rephrased_min) {
        return std::nullopt;
    }
    return sighting_of(
        trail.rephrased,
        settings.rephrased_min,
        "the user asked for the same thing again in other words, " +
            std::to_string(trail.rephrased + 1) + " times in all"
    );
}

}  // namespace tagout::detect
