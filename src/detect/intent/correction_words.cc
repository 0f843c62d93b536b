#include "detect/intent/correction_words.h"

#include "detect/byte_classes.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <cstring>
#include <string_view>

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
    static constexpr std::size_t copied = 8;  ///< Bytes a step; so many may be written too far.
    std::array<char, text_bytes_max + 2 + 2 * copied> bytes;
    std::size_t size = 0;
    std::array<std::uint16_t, text_bytes_max / 2 + 4> blanks;  ///< That begin a word.
    std::size_t count = 0;

    [[nodiscard]] std::string_view text() const noexcept { return {bytes.data(), size}; }
};

/// Whether text[from, to), where no letter or digit stands, parts two words: apostrophes do not.
bool parts_words(std::string_view text, std::size_t from, std::size_t to) noexcept {
    for (std::size_t i = from; i < to; ++i) {
        if (text[i] == '\xe2' && text.substr(i, 3) == "\xe2\x80\x99") {
            i += 2;  // a typographic one
        } else if (text[i] != '\'') {
            return true;
        }
    }
    return false;
}

/// " lower case words with single blanks "; apostrophes fall away. Word by word, not byte by byte:
/// of a letter or digit, lower case is one bit. Ends after `words_max` words.
void read_words(std::string_view text, Words& words, std::size_t words_max = text_bytes_max) {
    text = text.substr(0, text_bytes_max);
    char* const out = words.bytes.data();
    std::size_t end = 0;
    std::size_t read = 0;
    for_each_run(
        text,
        [](const ByteClasses& classes) { return classes.letters | classes.digits; },
        [&](std::size_t from, std::size_t to) {
            if (end == 0 || parts_words(text, read, from)) {
                words.blanks[words.count++] = static_cast<std::uint16_t>(end);
                out[end++] = ' ';
            }
            for (std::size_t at = from; at < to; at += Words::copied) {
                const bool whole = text.size() - at >= Words::copied;
                const std::uint64_t given = whole ? number_of(text.data() + at, Words::copied)
                                                  : number_of(text.data() + at, to - at);
                const std::uint64_t lower = given | 0x2020202020202020ULL;
                std::memcpy(out + end, &lower, Words::copied);
                end += std::min(Words::copied, to - at);
            }
            read = to;
            return words.count < words_max;
        }
    );
    out[end++] = ' ';
    words.size = end;
    std::memset(out + end, 0, Words::copied);  // heads are read past the end
}

bool is_negated(std::string_view words, std::size_t at, const Cue& cue) {
    if (cue.words.find(" not ") != std::string_view::npos ||
        cue.words.find("nt ") != std::string_view::npos) {
        return false;
    }
    const std::string_view before = words.substr(0, at);
    return std::ranges::any_of(negations, [&](std::string_view word) {
        return before.ends_with(word);
    });
}

enum class CueList : std::uint8_t { Corrections = 0, WrongPlans = 1, Thanks = 2 };

/// All cues by the first bytes of their first word, so that a text is walked once and at most words
/// nothing is compared. Every cue begins with a blank.
class CueIndex {
public:
    struct Entry {
        CueList list{};
        std::uint8_t number = 0;  ///< In all lists together.
        Cue cue{};
        std::uint64_t head = 0;  ///< The first eight bytes of its words, ...
        std::uint64_t mask = 0;  ///< ... and which of them there are.
    };
    static constexpr std::size_t size = corrections.size() + wrong_plans.size() + thanks.size();

    constexpr CueIndex() {
        std::array<Entry, size> all{};
        std::size_t count = 0;
        const auto take = [&](CueList list, const auto& cues) {
            for (const Cue& cue : cues) {
                Entry& entry = all[count];
                entry = {list, static_cast<std::uint8_t>(count), cue};
                for (std::size_t i = 0; i < 8 && i < cue.words.size(); ++i) {
                    entry.head |= std::uint64_t{static_cast<unsigned char>(cue.words[i])}
                                  << (8 * i);
                    entry.mask |= std::uint64_t{0xff} << (8 * i);
                }
                ++count;
            }
        };
        take(CueList::Corrections, corrections);
        take(CueList::WrongPlans, wrong_plans);
        take(CueList::Thanks, thanks);
        for (const Entry& entry : all) {
            ++begin_[bucket(entry.head) + 1];
        }
        for (std::size_t i = 1; i < begin_.size(); ++i) {
            begin_[i] = static_cast<std::uint8_t>(begin_[i] + begin_[i - 1]);
        }
        auto next = begin_;
        for (const Entry& entry : all) {
            ordered_[next[bucket(entry.head)]++] = entry;
        }
    }

    /// visit(entry, where it stands) for each cue in the text, in order of place.
    template <class Visit>
    void each_place(const Words& words, Visit&& visit) const {
        const std::string_view text = words.text();
        for (std::size_t i = 0; i < words.count; ++i) {
            const std::size_t at = words.blanks[i];
            const std::uint64_t head = number_of(text.data() + at, 8);
            const std::size_t own = bucket(head);
            for (std::size_t k = begin_[own]; k < begin_[own + 1]; ++k) {
                const Entry& entry = ordered_[k];
                if ((head & entry.mask) == entry.head &&
                    text.substr(at).starts_with(entry.cue.words)) {
                    visit(entry, at);
                }
            }
        }
    }

    /// visit(entry) for each cue that begins so.
    template <class Visit>
    void each_beginning(std::uint32_t begin, Visit&& visit) const {
        const std::size_t own = bucket(begin);
        for (std::size_t k = begin_[own]; k < begin_[own + 1]; ++k) {
            if (static_cast<std::uint32_t>(ordered_[k].head) == begin) {
                visit(ordered_[k]);
            }
        }
    }

private:
    static constexpr std::size_t bucket_bits = 10;  ///< Many more than cues: most words find none.

    /// By a blank and three bytes, which every cue has at least.
    static constexpr std::size_t bucket(std::uint64_t head) noexcept {
        constexpr std::uint64_t spread = 0x9e3779b97f4a7c15ULL;
        return (head & 0xffffffffU) * spread >> (64 - bucket_bits);
    }

    std::array<std::uint8_t, (1U << bucket_bits) + 1> begin_{};  ///< Of each bucket in ordered_.
    std::array<Entry, size> ordered_{};
};

constexpr CueIndex cue_index;

/// The words that begin cues, so that most words of a text are passed over by one look.
class FirstWords {
public:
    static constexpr std::size_t head_bytes = 8;

    constexpr FirstWords() {
        const auto take_all = [&](const auto& cues) {
            for (const Cue& cue : cues) {
                const std::string_view words = cue.words.substr(1);
                const std::string_view first = words.substr(0, words.find(' '));
                const std::uint64_t head = head_of(first);
                if (first.size() == words.size() && first.size() < head_bytes) {
                    starts_[start_count_] = head;  // longer words may begin with it
                    masks_[start_count_++] = (std::uint64_t{1} << (8 * first.size())) - 1;
                } else {
                    const std::size_t bit = bit_of(head);
                    bits_[bit / 64] |= std::uint64_t{1} << (bit % 64);
                }
            }
        };
        take_all(corrections);
        take_all(wrong_plans);
        take_all(thanks);
    }

    /// `head`: the first eight bytes of a lower-case word, zeros behind its end. False: no cue begins
    /// with it.
    [[nodiscard]] bool may_have(std::uint64_t head) const noexcept {
        const std::size_t bit = bit_of(head);
        bool found = (bits_[bit / 64] >> (bit % 64) & 1) != 0;
        for (std::size_t i = 0; i < start_count_; ++i) {
            found |= (head & masks_[i]) == starts_[i];
        }
        return found;
    }

    static constexpr std::uint64_t head_of(std::string_view word) noexcept {
        std::uint64_t head = 0;
        for (std::size_t i = 0; i < head_bytes && i < word.size(); ++i) {
            head |= std::uint64_t{static_cast<unsigned char>(word[i])} << (8 * i);
        }
        return head;
    }

private:
    static constexpr std::size_t bits_log = 11;  ///< Many more than cues.

    static constexpr std::size_t bit_of(std::uint64_t head) noexcept {
        return head * 0x9e3779b97f4a7c15ULL >> (64 - bits_log);
    }

    std::array<std::uint64_t, (1U << bits_log) / 64> bits_{};
    std::array<std::uint64_t, 4> starts_{};  ///< A fifth does not compile.
    std::array<std::uint64_t, 4> masks_{};
    std::size_t start_count_ = 0;
};

constexpr FirstWords first_words;

bool starts_with_no(std::string_view words) {
    if (!words.starts_with(" no ") && !words.starts_with(" nope ")) {
        return false;
    }
    return words.size() > 12 && std::ranges::none_of(harmless_starts, [&](std::string_view start) {
               return words.starts_with(start);
           });
}

/// A message without apostrophes and characters beyond ASCII: its words are where they stand, so
/// nothing need be copied to see that it has no cues, as most messages have none.
class PlainText {
public:
    explicit PlainText(const MessageWords& text) noexcept
        : text_(text), size_(std::min(text.size(), text_bytes_max)) {
        text.each(text_bytes_max, [&](std::size_t from, std::size_t size) {
            const std::uint64_t head = text.head(from, std::min(size, text_bytes_max - from));
            first_ = words_ == 0 ? head : first_;
            ++words_;
            begins_[count_] = static_cast<std::uint16_t>(from);
            count_ += first_words.may_have(head) ? 1 : 0;
            return true;
        });
    }

    [[nodiscard]] std::size_t words() const noexcept { return words_; }
    [[nodiscard]] bool starts_with_no() const noexcept {
        return first_ == FirstWords::head_of("no") || first_ == FirstWords::head_of("nope");
    }
    [[nodiscard]] bool has_cues() const noexcept {
        bool found = false;
        for (std::size_t i = 0; i < count_ && !found; ++i) {
            cue_index.each_beginning(beginning(begins_[i]), [&](const CueIndex::Entry& entry) {
                found = found || stands_at(entry.cue.words, begins_[i]);
            });
        }
        return found;
    }

private:
    [[nodiscard]] bool in_word(std::size_t at) const noexcept {
        return at < size_ && text_.is_in_word(at);
    }
    void skip_gap(std::size_t& at) const noexcept {
        while (at < size_ && !in_word(at)) {
            ++at;
        }
    }
    /// The first four bytes of " lower case words with single blanks " from a word on.
    [[nodiscard]] std::uint32_t beginning(std::size_t at) const noexcept {
        std::uint32_t bytes = ' ';
        for (unsigned shift = 8; shift < 32; shift += 8) {
            if (in_word(at)) {
                const auto byte = static_cast<unsigned char>(*text_.lower(at++));
                bytes |= std::uint32_t{byte} << shift;
            } else {
                bytes |= std::uint32_t{' '} << shift;
                skip_gap(at);
            }
        }
        return bytes;
    }
    /// Whether `cue`, which begins with a blank, stands there from the word at `at` on.
    [[nodiscard]] bool stands_at(std::string_view cue, std::size_t at) const noexcept {
        for (const char c : cue.substr(1)) {
            if (c == ' ' && !in_word(at)) {
                skip_gap(at);
            } else if (c == ' ' || !in_word(at) || *text_.lower(at) != c) {
                return false;
            } else {
                ++at;
            }
        }
        return true;
    }

    const MessageWords& text_;
    const std::size_t size_;
    std::size_t words_ = 0;
    std::uint64_t first_ = 0;  ///< Head of the first word.
    std::size_t count_ = 0;
    std::array<std::uint16_t, text_bytes_max / 2 + 2> begins_;  ///< Words that may begin cues.
};

}  // namespace

UserTone read_tone(std::string_view text) {
    return read_tone(text, MessageWords(text));
}

UserTone read_tone(std::string_view text, const MessageWords& user_words) {
    if (user_words.is_plain()) {
        const PlainText plain(user_words);
        if (plain.words() > agreement_words_max && !plain.starts_with_no() && !plain.has_cues()) {
            return {};
        }
    }
    UserTone tone;
    Words words;
    read_words(text, words);
    // Of each list 1 - product of 1 - weight over the cues found; the first place of each counts.
    double doubt = 1;
    double plan_doubt = 1;
    std::bitset<CueIndex::size> found;
    cue_index.each_place(words, [&](const CueIndex::Entry& entry, std::size_t at) {
        if (entry.list == CueList::Thanks) {
            tone.thanks = true;
        } else if (!found[entry.number]) {
            found.set(entry.number);
            if (!is_negated(words.text(), at, entry.cue)) {
                (entry.list == CueList::Corrections ? doubt : plan_doubt) *= 1 - entry.cue.weight;
            }
        }
    });
    if (starts_with_no(words.text())) {
        doubt *= 0.5;
    }
    tone.correction = (1 - doubt) * (tone.thanks ? 0.6 : 1.0);
    tone.wrong_workflow = 1 - plan_doubt;
    // Only short answers are searched for agreement: a long one is no "yes".
    tone.agrees = words.count <= agreement_words_max && tone.correction < 0.3 &&
                  std::ranges::any_of(agreements, [&](std::string_view word) {
                      return words.text().find(word) != std::string_view::npos;
                  });
    return tone;
}

bool reads_as_agreement(std::string_view text) {
    Words words;
    read_words(text, words, agreement_words_max + 1);
    return words.count <= agreement_words_max && read_tone(text).agrees;
}

}  // namespace tagout::detect
