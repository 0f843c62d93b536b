#include "detect/context/repeated_actions.h"

#include "detect/atoms.h"
#include "detect/word_filter.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tagout::detect {

namespace {

constexpr std::size_t answer_bytes_max = 240;  ///< What is longer is a record and no refusal.
constexpr std::size_t number_bytes_max = 2;    ///< "in 12 parts", and not the year.
constexpr std::uint32_t asked_repeats_factor = 2;
/// One more look at what was read so many other calls ago is no sign of anything: it may have
/// fallen out of sight. Without arguments it looks at how things are, which is done sooner again.
constexpr std::uint32_t second_look_calls_max = 3;
constexpr std::uint32_t glance_calls_max = 2;

constexpr std::array unfinished_words{
    std::string_view{"verif"},
    std::string_view{"requir"},
    std::string_view{"please"},
    std::string_view{"must"},
    std::string_view{"should"},
    std::string_view{"fail"},
    std::string_view{"error"},
    std::string_view{"invalid"},
    std::string_view{"unable"},
    std::string_view{"cannot"},
    std::string_view{"denied"},
    std::string_view{"not found"},
    std::string_view{"exceed"},
    std::string_view{"omitted"},
    std::string_view{"could not"},
    std::string_view{"refused"},
    std::string_view{"try "},
    std::string_view{"not allowed"},
};
constexpr std::array withheld_words{
    std::string_view{"omitted"},
    std::string_view{"redacted"},
    std::string_view{"blocked"},
    std::string_view{"forbidden"},
    std::string_view{"unauthorized"},
    std::string_view{"access denied"},
};
constexpr std::array repeat_words{
    std::string_view{"twice"},
    std::string_view{"thrice"},
    std::string_view{"increments"},
    std::string_view{"instalments"},
    std::string_view{"installments"},
    std::string_view{"repeatedly"},
    std::string_view{"copies"},
};
constexpr std::array count_words{
    std::string_view{"two"},
    std::string_view{"three"},
    std::string_view{"four"},
    std::string_view{"five"},
    std::string_view{"several"},
    std::string_view{"multiple"},
    std::string_view{"many"},
    std::string_view{"separate"},
    std::string_view{"equal"},
};
constexpr std::array deed_words{
    std::string_view{"transfers"},
    std::string_view{"payments"},
    std::string_view{"transactions"},
    std::string_view{"times"},
    std::string_view{"messages"},
    std::string_view{"emails"},
    std::string_view{"parts"},
    std::string_view{"bookings"},
    std::string_view{"tickets"},
    std::string_view{"orders"},
    std::string_view{"reminders"},
    std::string_view{"entries"},
};

/// The words that say so, alone or counted: looked for first, for hardly any text has one.
constexpr WordFilter telling_words = [] {
    WordFilter filter;
    filter.add_all(repeat_words, 1);
    filter.add_all(deed_words, 1);
    return filter;
}();

/// Of a word of one or two bytes: nothing but digits.
bool is_short_number(std::uint64_t head, std::size_t size) noexcept {
    const auto digit = [head](unsigned at) {
        return (head >> (8 * at) & 0xff) - std::uint64_t{'0'} < 10;
    };
    static_assert(number_bytes_max == 2);
    return size <= number_bytes_max && digit(0) && (size == 1 || digit(1));
}

bool is_one_of(const auto& words, std::string_view text) noexcept {
    return std::ranges::find(words, text) != words.end();
}

/// How many members of the shorter list of two calls stand in the other, of how many.
struct Shared {
    std::size_t both = 0;
    std::size_t fewer = 0;
};

Shared shared_fields(const Action& a, const Action& b) noexcept {
    const bool a_is_shorter = a.fields_count <= b.fields_count;
    const Action& fewer = a_is_shorter ? a : b;
    const Action& more = a_is_shorter ? b : a;
    const std::size_t count = std::min<std::size_t>(fewer.fields_count, fewer.fields.size());
    const std::size_t others = std::min<std::size_t>(more.fields_count, more.fields.size());
    Shared shared{.both = 0, .fewer = count};
    for (std::size_t i = 0; i < count; ++i) {
        const auto* const end = more.fields.data() + others;
        shared.both += std::find(more.fields.data(), end, fewer.fields[i]) != end ? 1 : 0;
    }
    return shared;
}

}  // namespace

bool asks_the_same(const Action& a, const Action& b) noexcept {
    if (a.near == b.near) {
        return true;
    }
    if (a.tool != b.tool) {
        return false;
    }
    const Shared shared = shared_fields(a, b);
    const bool contained = shared.both == shared.fewer;
    const bool little_more = std::max(a.fields_count, b.fields_count) <= shared.fewer + 1U;
    if (a.writes) {
        return contained && (shared.fewer >= 2 || (shared.fewer == 1 && little_more));
    }
    if (!a.substantial) {
        return contained && (shared.fewer >= 1 || little_more);
    }
    return shared.both * 2 >= shared.fewer && (shared.both > 0 || shared.fewer == 0);
}

namespace {

bool is_same(const Action& a, const Action& b) noexcept {
    // Who found nothing and asks in other words has not lost its place: those are tries
    // (intent.retries_without_convergence).
    const bool same_question = a.empty ? a.call == b.call : asks_the_same(a, b);
    return a.result == b.result && a.worked && b.worked && same_question && !a.withheld;
}

struct Circle {
    std::size_t length = 0;
    std::uint32_t rounds = 0;
};

/// The shortest circle of at least two different calls that the newest actions went round.
Circle find_circle(const Trail& trail, const ContextSettings& settings, std::uint32_t rounds_min) {
    const std::vector<Action>& actions = trail.actions;
    const std::size_t size = actions.size();
    for (std::size_t length = 2; length <= settings.circle_max && length * 2 <= size; ++length) {
        const auto* const last = actions.data() + size - length;
        const bool moves = std::any_of(last, last + length, [&](const Action& action) {
            return !asks_the_same(action, *last);
        });
        if (!moves) {
            continue;
        }
        std::size_t equal = 0;
        while (equal + length < size) {
            const Action& later = actions[size - 1 - equal];
            const Action& earlier = actions[size - 1 - equal - length];
            if (!is_same(later, earlier) || later.request != earlier.request ||
                earlier.ended > later.began) {
                break;
            }
            ++equal;
        }
        const auto rounds = static_cast<std::uint32_t>(equal / length + 1);
        if (rounds >= rounds_min) {
            return {length, rounds};
        }
    }
    return {};
}

struct Equals {
    std::uint32_t calls = 0;  ///< `newest` counts.
    bool reworded = false;    ///< Some of them in other words.
    std::uint32_t first_step = 0;
    std::uint32_t between = 0;  ///< Calls since the one before `newest` that is equal.
};

/// Equal calls up to `newest`. Looking again after something may have changed is no repetition,
/// even if it had not: tests are run after every edit. So reads count since the last other call of
/// that kind.
Equals count_equal(const std::vector<Action>& actions, const Action& newest) {
    Equals equal;
    for (const Action& action : actions) {
        if (&action == &newest) {
            ++equal.calls;
            break;  // what is later is in the same order of beginning
        }
        if (action.request != newest.request) {
            continue;
        }
        ++equal.between;
        if (is_same(action, newest) && !(newest.writes && newest.unfinished && equal.between > 1)) {
            if (action.ended <= newest.began) {
                equal.first_step = equal.calls == 0 ? action.step : equal.first_step;
                equal.reworded = equal.reworded || action.call != newest.call;
                equal.between = 0;
                ++equal.calls;
            }
        } else if (!newest.writes && action.worked && (action.may_change || action.near == newest.near)) {
            equal = {};  // something may have changed, or did: the same call brought something else
        }
    }
    return equal;
}

/// The tools of a circle in order of name: the same fault found at another point has the same
/// cause.
std::string circle_cause(
    const std::vector<Action>& actions, std::size_t length, const Names& names
) {
    std::vector<std::string> tools;
    for (std::size_t i = actions.size() - length; i < actions.size(); ++i) {
        tools.push_back(names.text(actions[i].tool));
    }
    std::ranges::sort(tools);
    tools.erase(std::unique(tools.begin(), tools.end()), tools.end());
    std::string cause;
    for (std::size_t i = 0; i < std::min<std::size_t>(tools.size(), 3); ++i) {
        cause += (i == 0 ? "" : "+") + tools[i];
    }
    return cause;
}

Sighting sighting_of(
    const Circle& circle, const Trail& trail, std::uint32_t bound, const Names& names
) {
    Sighting sighting{.signal = SignalId::CircularActions};
    sighting.observed = circle.rounds;
    sighting.threshold = bound;
    sighting.score = std::min(0.97, 0.55 + 0.1 * circle.rounds);
    sighting.cause = circle_cause(trail.actions, circle.length, names);
    sighting.evidence = "went round the same " + std::to_string(circle.length) + " calls " +
                        std::to_string(circle.rounds) +
                        " times with the same results: " + sighting.cause;
    return sighting;
}

Sighting sighting_of(
    const Equals& equal, const Action& newest, std::uint32_t bound, const Names& names
) {
    Sighting sighting{.signal = SignalId::DuplicateAction};
    sighting.observed = equal.calls;
    sighting.threshold = bound;
    sighting.score = std::min(0.97, 0.5 + 0.1 * (equal.calls - bound + 1));
    sighting.cause = names.text(newest.tool);
    sighting.evidence =
        "called " + names.text(newest.tool) + " " + std::to_string(equal.calls) +
        " times with the same arguments" + (equal.reworded ? ", in other words," : "") +
        " and got the same result each time, first at step " + std::to_string(equal.first_step);
    return sighting;
}

}  // namespace

Repetition find_repetition(
    const Trail& trail, const Action& newest, const ContextSettings& settings, const Names& names
) {
    Repetition found;
    if (!newest.worked || newest.call == 0) {
        return found;
    }
    const bool heard = trail.user_texts.back() != 0;
    const std::uint32_t unheard =
        std::max(settings.duplicates_unheard_min, settings.duplicates_min);
    const Circle circle = find_circle(trail, settings, settings.rounds_min + (heard ? 0 : 1));
    if (circle.rounds > 0) {
        found.wasted_calls = static_cast<std::uint32_t>((circle.rounds - 1) * circle.length);
        found.sighting = sighting_of(circle, trail, settings.rounds_min, names);
    } else {
        const Equals equal = count_equal(trail.actions, newest);
        found.wasted_calls = equal.calls > 0 ? equal.calls - 1 : 0;
        const std::uint32_t factor = trail.asked_repeats ? asked_repeats_factor : 1;
        const std::uint32_t not_done = newest.unfinished ? 1 : 0;  // one more try is fair
        const std::uint32_t bound = newest.writes
                                        ? settings.duplicate_writes_min * factor + not_done
                                    : heard ? settings.duplicates_min
                                            : unheard;
        const std::uint32_t near_enough =
            newest.fields_count == 0 ? glance_calls_max : second_look_calls_max;
        const bool glance = equal.calls == 2 && !newest.writes && equal.between > near_enough;
        if (equal.calls >= bound && !glance) {
            found.sighting = sighting_of(equal, newest, bound, names);
        }
    }
    if (found.sighting) {
        found.sighting->tool = newest.tool;
        found.sighting->write_completed = newest.writes;
    }
    return found;
}

AnswerTone read_answer(std::string_view result) noexcept {
    std::array<char, answer_bytes_max> lower;
    const std::size_t size = result.size();
    if (size > lower.size()) {
        return {};
    }
    for (std::size_t i = 0; i < size; ++i) {
        const char c = result[i];
        lower[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    }
    const std::string_view text(lower.data(), size);
    const auto says = [text](std::string_view word) {
        return text.find(word) != std::string_view::npos;
    };
    return {
        .unfinished = std::ranges::any_of(unfinished_words, says),
        .withheld = std::ranges::any_of(withheld_words, says)};
}

bool wants_repeats(const MessageWords& words) noexcept {
    bool found = false;
    std::size_t before = 0;  // where the word before stands, and how long it is
    std::size_t before_size = 0;
    const auto word_at = [&](std::size_t from, std::size_t size) {
        return std::string_view(words.lower(from), std::min(size, MessageWords::word_bytes_max));
    };
    words.each(MessageWords::bytes_max, [&](std::size_t from, std::size_t size) {
        if (telling_words.of(words.head(from, size)) != 0) {
            const std::string_view word = word_at(from, size);
            found = is_one_of(repeat_words, word) ||
                    (is_one_of(deed_words, word) && before_size > 0 &&
                     (is_short_number(words.head(before, before_size), before_size) ||
                      is_one_of(count_words, word_at(before, before_size))));
        }
        before = from;
        before_size = size;
        return !found;
    });
    return found;
}

}  // namespace tagout::detect
