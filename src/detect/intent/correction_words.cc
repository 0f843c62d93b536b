#include "detect/intent/correction_words.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <string>

namespace tagout::detect {

namespace {

constexpr std::size_t text_bytes_max = 600;
constexpr std::size_t agreement_words_max = 8;

struct Cue {
    std::string_view words;  ///< With a blank before; a blank behind ends the last word.
    double weight;
};

/// Stand anywhere in the message.
constexpr std::array corrections{
    Cue{" thats wrong ", 0.9},
    Cue{" that is wrong ", 0.9},
    Cue{" this is wrong ", 0.85},
    Cue{" wrong ", 0.5},
    Cue{" incorrect", 0.75},
    Cue{" not correct ", 0.8},
    Cue{" not right ", 0.75},
    Cue{" isnt right ", 0.75},
    Cue{" isnt correct ", 0.8},
    Cue{" not what i ", 0.9},
    Cue{" isnt what i ", 0.9},
    Cue{" wasnt what i ", 0.9},
    Cue{" i didnt ask ", 0.85},
    Cue{" i did not ask ", 0.85},
    Cue{" i never asked ", 0.9},
    Cue{" i never said ", 0.85},
    Cue{" i didnt say ", 0.8},
    Cue{" i said ", 0.6},
    Cue{" i asked for ", 0.65},
    Cue{" i asked you ", 0.7},
    Cue{" i already ", 0.5},
    Cue{" already told you ", 0.85},
    Cue{" as i said ", 0.6},
    Cue{" like i said ", 0.65},
    Cue{" i meant ", 0.75},
    Cue{" thats not ", 0.7},
    Cue{" that is not ", 0.65},
    Cue{" this is not ", 0.55},
    Cue{" this isnt ", 0.5},
    Cue{" you misunderst", 0.95},
    Cue{" misunderstood ", 0.85},
    Cue{" misunderstanding ", 0.6},
    Cue{" you got it wrong ", 0.95},
    Cue{" you are wrong ", 0.95},
    Cue{" youre wrong ", 0.95},
    Cue{" your mistake ", 0.8},
    Cue{" you made a mistake ", 0.9},
    Cue{" you didnt ", 0.65},
    Cue{" you did not ", 0.65},
    Cue{" you havent ", 0.6},
    Cue{" you forgot ", 0.8},
    Cue{" you missed ", 0.75},
    Cue{" you ignored ", 0.9},
    Cue{" you keep ", 0.75},
    Cue{" you just ", 0.3},
    Cue{" why did you ", 0.8},
    Cue{" why are you ", 0.6},
    Cue{" didnt work ", 0.7},
    Cue{" doesnt work ", 0.6},
    Cue{" not working ", 0.5},
    Cue{" still not ", 0.65},
    Cue{" still doesnt ", 0.65},
    Cue{" still didnt ", 0.7},
    Cue{" still wrong ", 0.95},
    Cue{" try again ", 0.65},
    Cue{" do it again ", 0.5},
    Cue{" undo ", 0.75},
    Cue{" revert ", 0.6},
    Cue{" stop doing ", 0.8},
    Cue{" stop it ", 0.75},
    Cue{" not helpful ", 0.95},
    Cue{" unhelpful ", 0.9},
    Cue{" useless ", 0.95},
    Cue{" ridiculous ", 0.85},
    Cue{" frustrat", 0.8},
    Cue{" terrible ", 0.6},
    Cue{" nonsense ", 0.8},
    Cue{" makes no sense ", 0.8},
    Cue{" doesnt make sense ", 0.75},
    Cue{" annoy", 0.7},
    Cue{" waste of time ", 0.95},
    Cue{" are you sure ", 0.45},
    Cue{" again ", 0.12},
    Cue{" instead ", 0.2},
    Cue{" rather than ", 0.2},
    Cue{" actually ", 0.12},
    Cue{" speak to a human ", 0.7},
    Cue{" talk to a human ", 0.7},
    Cue{" real person ", 0.7},
    Cue{" wrong department ", 0.95},
    Cue{" wrong place ", 0.85},
    Cue{" wrong person ", 0.8},
    Cue{" not answer", 0.6},
    Cue{" didnt answer ", 0.8},
    Cue{" i need you to ", 0.2},
    Cue{" please listen ", 0.8},
    Cue{" read my ", 0.5},
    Cue{" cant you ", 0.4},
    Cue{" correction ", 0.6},
    Cue{" sorry i meant ", 0.3},
    Cue{" not the ", 0.25},
    Cue{" no not ", 0.75},
    Cue{" no no ", 0.75},
};

constexpr std::array wrong_plans{
    Cue{" wrong department ", 0.95},
    Cue{" wrong team ", 0.9},
    Cue{" wrong workflow ", 0.95},
    Cue{" wrong agent ", 0.9},
    Cue{" wrong assistant ", 0.9},
    Cue{" wrong place ", 0.7},
    Cue{" wrong desk ", 0.9},
    Cue{" wrong form ", 0.6},
    Cue{" wrong process ", 0.85},
    Cue{" transferred me to the wrong ", 0.95},
    Cue{" sent me to the wrong ", 0.95},
    Cue{" this is not about ", 0.75},
    Cue{" its not about ", 0.7},
    Cue{" it is not about ", 0.7},
    Cue{" thats not what i asked ", 0.6},
    Cue{" that is not what i asked ", 0.6},
    Cue{" not what i asked for ", 0.4},
    Cue{" not what i am asking ", 0.7},
    Cue{" i didnt ask about ", 0.75},
    Cue{" i did not ask about ", 0.75},
    Cue{" nothing to do with ", 0.6},
    Cue{" you misunderst", 0.6},
    Cue{" misunderstood my ", 0.7},
};

/// At the start, "no" corrects; in these it does not.
constexpr std::array harmless_starts{
    std::string_view{" no thank"},
    std::string_view{" no problem"},
    std::string_view{" no worries"},
    std::string_view{" no thats all"},
    std::string_view{" no that is all"},
    std::string_view{" no need"},
    std::string_view{" no im good"},
    std::string_view{" no i am good"},
    std::string_view{" no that will be all"},
    std::string_view{" no thatll be"},
    std::string_view{" no that would be all"},
    std::string_view{" no nothing"},
    std::string_view{" no i dont have"},
    std::string_view{" no i do not have"},
    std::string_view{" no preference"},
    std::string_view{" no that was all"},
    std::string_view{" no that should"},
    std::string_view{" no that sounds"},
    std::string_view{" no its fine"},
    std::string_view{" no its okay"},
    std::string_view{" no that is fine"},
    std::string_view{" no thats fine"},
    std::string_view{" no thats okay"},
    std::string_view{" no thats it"},
    std::string_view{" no particular"},
    std::string_view{" no specific"},
    std::string_view{" no im all set"},
};

constexpr std::array negations{
    std::string_view{" not"},
    std::string_view{" nothing"},
    std::string_view{" isnt"},
    std::string_view{" no"},
    std::string_view{" never"},
    std::string_view{" wasnt"},
    std::string_view{" dont"},
    std::string_view{" not a"},
    std::string_view{" anything"},
    std::string_view{" whats"},
    std::string_view{" was"},
};

constexpr std::array agreements{
    std::string_view{" yes "},
    std::string_view{" yeah "},
    std::string_view{" yep "},
    std::string_view{" ok "},
    std::string_view{" okay "},
    std::string_view{" sure "},
    std::string_view{" confirm"},
    std::string_view{" go ahead "},
    std::string_view{" proceed "},
    std::string_view{" please do "},
    std::string_view{" sounds good "},
    std::string_view{" correct "},
    std::string_view{" do it "},
    std::string_view{" agree"},
    std::string_view{" absolutely "},
};

/// " lower case words with single blanks "; apostrophes fall away.
std::string plain_words(std::string_view text) {
    text = text.substr(0, text_bytes_max);
    std::string out(text.size() + 2, ' ');
    std::size_t end = 1;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool upper = c >= 'A' && c <= 'Z';
        if (upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            out[end++] = upper ? static_cast<char>(c - 'A' + 'a') : c;
        } else if (c == '\xe2' && i + 2 < text.size() && text[i + 1] == '\x80' && text[i + 2] == '\x99') {
            i += 2;  // a typographic apostrophe
        } else if (c != '\'' && out[end - 1] != ' ') {
            out[end++] = ' ';
        }
    }
    if (out[end - 1] != ' ') {
        out[end++] = ' ';
    }
    out.resize(end);
    return out;
}

bool is_negated(const std::string& words, std::size_t at, const Cue& cue) {
    if (cue.words.find(" not ") != std::string_view::npos ||
        cue.words.find("nt ") != std::string_view::npos) {
        return false;
    }
    const std::string_view before = std::string_view(words).substr(0, at);
    return std::ranges::any_of(negations, [&](std::string_view word) {
        return before.ends_with(word);
    });
}

/// Cues by the first letter of their first word, so that a text is walked once: at each blank only
/// the few cues that may begin there are compared. Every cue begins with a blank.
template <std::size_t N>
class CueIndex {
public:
    explicit constexpr CueIndex(const std::array<Cue, N>& cues) : cues_(cues) {
        static_assert(N <= 128, "found_ has a bit for each cue");
        for (std::size_t i = 0; i < N; ++i) {
            ++begin_[bucket(cues[i].words[1]) + 1];
        }
        for (std::size_t letter = 1; letter < begin_.size(); ++letter) {
            begin_[letter] = static_cast<std::uint8_t>(begin_[letter] + begin_[letter - 1]);
        }
        std::array<std::uint8_t, 28> next = begin_;
        for (std::size_t i = 0; i < N; ++i) {
            order_[next[bucket(cues[i].words[1])]++] = static_cast<std::uint8_t>(i);
        }
    }

    /// 1 - product of 1 - weight over the cues found; the first place of each counts.
    [[nodiscard]] double weigh(const std::string& words) const {
        double doubt = 1;
        std::bitset<128> found;
        const std::string_view all = words;
        for (std::size_t at = 0; at + 1 < all.size(); at = all.find(' ', at + 1)) {
            const std::size_t letter = bucket(all[at + 1]);
            for (std::size_t k = begin_[letter]; k < begin_[letter + 1]; ++k) {
                const Cue& cue = cues_[order_[k]];
                if (found[order_[k]] || !all.substr(at).starts_with(cue.words)) {
                    continue;
                }
                found.set(order_[k]);
                if (!is_negated(words, at, cue)) {
                    doubt *= 1 - cue.weight;
                }
            }
        }
        return 1 - doubt;
    }

private:
    static constexpr std::size_t bucket(char letter) noexcept {
        return letter >= 'a' && letter <= 'z' ? static_cast<std::size_t>(letter - 'a') : 26;
    }

    const std::array<Cue, N>& cues_;
    std::array<std::uint8_t, 28>
        begin_{};  ///< Of each bucket in order_, and where the last one ends.
    std::array<std::uint8_t, N> order_{};
};

constexpr CueIndex<corrections.size()> correction_index{corrections};
constexpr CueIndex<wrong_plans.size()> wrong_plan_index{wrong_plans};

bool starts_with_no(const std::string& words) {
    if (!words.starts_with(" no ") && !words.starts_with(" nope ")) {
        return false;
    }
    return words.size() > 12 && std::ranges::none_of(harmless_starts, [&](std::string_view start) {
               return words.starts_with(start);
           });
}

}  // namespace

UserTone read_tone(std::string_view text) {
    UserTone tone;
    const std::string words = plain_words(text);
    const auto count = static_cast<std::size_t>(std::ranges::count(words, ' ')) - 1;
    double doubt = 1 - correction_index.weigh(words);
    if (starts_with_no(words)) {
        doubt *= 0.5;
    }
    tone.thanks =
        words.find(" thank") != std::string::npos || words.find(" perfect ") != std::string::npos ||
        words.find(" great ") != std::string::npos || words.find(" awesome ") != std::string::npos;
    tone.correction = (1 - doubt) * (tone.thanks ? 0.6 : 1.0);
    tone.wrong_workflow = wrong_plan_index.weigh(words);
    // Only short answers are searched for agreement: a long one is no "yes".
    tone.agrees = count <= agreement_words_max && tone.correction < 0.3 &&
                  std::ranges::any_of(agreements, [&](std::string_view word) {
                      return words.find(word) != std::string::npos;
                  });
    return tone;
}

}  // namespace tagout::detect
