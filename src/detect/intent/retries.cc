#include "detect/intent/retries.h"

#include "detect/atoms.h"

#include <algorithm>
#include <array>

namespace tagout::detect {

namespace {

constexpr std::size_t nothing_bytes_max = 120;
constexpr std::size_t request_bytes_max = 1'000;
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

/// A small set of word hashes on the stack: some dozen words are not worth sorting.
class WordSet {
public:
    /// False if it is in already.
    bool add(std::uint32_t word) {
        std::size_t slot = word % slots;
        while (words_[slot] != 0 && words_[slot] != word) {
            slot = (slot + 1) % slots;
        }
        const bool fresh = words_[slot] != word;
        words_[slot] = word;
        return fresh;
    }

private:
    static constexpr std::size_t slots = 128;
    static_assert(slots >= 4 * Trail::words_max, "two texts' words and room to spare");
    std::array<std::uint32_t, slots> words_{};
};

/// Words of four letters and more, each once, by a hash that is blind to case and never 0.
std::vector<std::uint32_t> words_of(std::string_view text, WordSet& set) {
    text = text.substr(0, request_bytes_max);
    std::vector<std::uint32_t> words;
    words.reserve(Trail::words_max);
    std::size_t read = 0;
    for_each_run(
        text,
        [](const ByteClasses& classes) { return classes.letters | classes.digits; },
        [&](std::size_t from, std::size_t to) {
            if (to - from >= 4) {
                const std::size_t size = to - from;
                const std::uint64_t hash =
                    atom_hash(text.substr(from, size), head_at(text, from, size), 0);
                const std::uint32_t word = static_cast<std::uint32_t>(hash) | 1U;
                if (set.add(word)) {
                    words.push_back(word);
                }
                ++read;
            }
            return read < Trail::words_max;
        }
    );
    return words;
}

/// The share of the words of either list that stand in both; `set` holds those of `a`.
double likeness(
    const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b, WordSet& set
) {
    const auto more = static_cast<std::size_t>(std::ranges::count_if(b, [&](std::uint32_t word) {
        return set.add(word);
    }));
    const std::size_t all = a.size() + more;
    const std::size_t both = b.size() - more;
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
    Trail& trail, std::string_view text, const IntentSettings& settings
) {
    constexpr double alike_min = 0.5;
    WordSet set;
    std::vector<std::uint32_t> words = words_of(text, set);
    const bool rephrased = words.size() >= request_words_min && !trail.last_words.empty() &&
                           likeness(words, trail.last_words, set) >= alike_min;
    trail.rephrased = rephrased ? trail.rephrased + 1 : 0;
    trail.last_words = std::move(words);
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
