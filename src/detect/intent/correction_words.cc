#include "detect/intent/correction_words.h"

#include <algorithm>
#include <array>
#include <bit>
#include <bitset>
#include <cstdint>
#include <cstring>
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

constexpr std::array thanks{
    Cue{" thank", 1},
    Cue{" perfect ", 1},
    Cue{" great ", 1},
    Cue{" awesome ", 1},
};

/// A text as cues are compared with it, and where its words begin.
struct Words {
    std::string text;
    std::array<std::uint16_t, text_bytes_max / 2 + 4> blanks;  ///< But the last, which ends it.
    std::size_t count = 0;
};

/// What becomes of a byte: itself in lower case, a blank, or 0 for an apostrophe, which falls away.
constexpr std::array<char, 256> plain_bytes = [] {
    std::array<char, 256> plain{};
    for (std::size_t byte = 0; byte < plain.size(); ++byte) {
        const bool upper = byte >= 'A' && byte <= 'Z';
        const bool stays = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
        plain[byte] = upper          ? static_cast<char>(byte - 'A' + 'a')
                      : stays        ? static_cast<char>(byte)
                      : byte == '\'' ? '\0'
                                     : ' ';
    }
    return plain;
}();

/// " lower case words with single blanks "; apostrophes fall away. Without branches but for the rare
/// byte: where words end cannot be foretold, and a wrong guess costs more than a letter.
Words words_of(std::string_view text) {
    text = text.substr(0, text_bytes_max);
    Words words;
    words.text.resize(text.size() + 2, ' ');
    char* const out = words.text.data();
    std::size_t end = 1;
    words.blanks[0] = 0;  // the blank that begins the text
    words.count = 1;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\xe2' && i + 2 < text.size() && text[i + 1] == '\x80' && text[i + 2] == '\x99') {
            i += 2;  // a typographic apostrophe
            continue;
        }
        const char plain = plain_bytes[static_cast<unsigned char>(text[i])];
        const bool blank = plain == ' ';
        const bool second = blank && out[end - 1] == ' ';
        out[end] = plain;
        words.blanks[words.count] = static_cast<std::uint16_t>(end);
        words.count += static_cast<std::size_t>(blank && !second);
        end += static_cast<std::size_t>(plain != '\0' && !second);
    }
    if (out[end - 1] != ' ') {
        out[end++] = ' ';
    } else {
        --words.count;  // a blank that ends the text begins no word
    }
    words.text.resize(end);
    return words;
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

/// The first eight bytes of a text as one number, zeros behind its end.
constexpr std::size_t head_bytes = 8;
constexpr std::uint64_t head_of(std::string_view text) noexcept {
    std::uint64_t head = 0;
    for (std::size_t i = 0; i < head_bytes && i < text.size(); ++i) {
        head |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
    }
    return head;
}
std::uint64_t loaded_head(std::string_view text) noexcept {
    if (text.size() < head_bytes || std::endian::native != std::endian::little) {
        return head_of(text);
    }
    std::uint64_t head = 0;
    std::memcpy(&head, text.data(), head_bytes);
    return head;
}

/// Cues by the first letter of their first word, so that a text is walked once: at each blank only the
/// few cues that may begin there are compared. Every cue begins with a blank.
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
        for (std::size_t k = 0; k < N; ++k) {
            const std::string_view words = cues[order_[k]].words;
            heads_[k] = head_of(words);
            masks_[k] = words.size() < head_bytes ? (std::uint64_t{1} << (8 * words.size())) - 1
                                                  : ~std::uint64_t{0};
        }
    }

    /// 1 - product of 1 - weight over the cues found; the first place of each counts.
    [[nodiscard]] double weigh(const Words& words) const {
        double doubt = 1;
        std::bitset<128> found;
        each_place(words, [&](std::size_t number, std::size_t at) {
            if (!found[number]) {
                found.set(number);
                if (!is_negated(words.text, at, cues_[number])) {
                    doubt *= 1 - cues_[number].weight;
                }
            }
        });
        return 1 - doubt;
    }

    [[nodiscard]] bool finds_any(const Words& words) const {
        bool found = false;
        each_place(words, [&found](std::size_t, std::size_t) { found = true; });
        return found;
    }

private:
    /// visit(number of a cue, where it stands), in order of place.
    template <class Visit>
    void each_place(const Words& words, Visit&& visit) const {
        const std::string_view all = words.text;
        for (std::size_t i = 0; i < words.count; ++i) {
            const std::size_t at = words.blanks[i];
            const std::size_t letter = bucket(all[at + 1]);
            if (begin_[letter] == begin_[letter + 1]) {
                continue;
            }
            const std::uint64_t head = loaded_head(all.substr(at));
            for (std::size_t k = begin_[letter]; k < begin_[letter + 1]; ++k) {
                if ((head & masks_[k]) != heads_[k]) {
                    continue;  // as nearly always, and without a call
                }
                if (all.substr(at).starts_with(cues_[order_[k]].words)) {
                    visit(std::size_t{order_[k]}, at);
                }
            }
        }
    }

    static constexpr std::size_t bucket(char letter) noexcept {
        return letter >= 'a' && letter <= 'z' ? static_cast<std::size_t>(letter - 'a') : 26;
    }

    const std::array<Cue, N>& cues_;
    std::array<std::uint8_t, 28> begin_{};  ///< Of each bucket in order_, and where the last one ends.
    std::array<std::uint8_t, N> order_{};
    std::array<std::uint64_t, N> heads_{};  ///< In that order: how the cue begins, and of how many
    std::array<std::uint64_t, N> masks_{};  ///< bytes that is.
};

constexpr CueIndex<corrections.size()> correction_index{corrections};
constexpr CueIndex<wrong_plans.size()> wrong_plan_index{wrong_plans};
constexpr CueIndex<thanks.size()> thanks_index{thanks};

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
    const Words words = words_of(text);
    double doubt = 1 - correction_index.weigh(words);
    if (starts_with_no(words.text)) {
        doubt *= 0.5;
    }
    tone.thanks = thanks_index.finds_any(words);
    tone.correction = (1 - doubt) * (tone.thanks ? 0.6 : 1.0);
    tone.wrong_workflow = wrong_plan_index.weigh(words);
    // Only short answers are searched for agreement: a long one is no "yes".
    tone.agrees = words.count <= agreement_words_max && tone.correction < 0.3 &&
                  std::ranges::any_of(agreements, [&](std::string_view word) {
                      return words.text.find(word) != std::string::npos;
                  });
    return tone;
}

}  // namespace tagout::detect
