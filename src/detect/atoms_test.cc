#include "detect/atoms.h"

#include "base/prng.h"
#include "detect/intent/correction_words.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace tagout::detect {
namespace {

struct Cut {
    std::string text;
    std::size_t at = 0;
    bool digits = false;
    bool letters = false;
    bool joined = false;
    friend bool operator==(const Cut&, const Cut&) = default;
};

bool is_letter(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || byte >= 0x80;
}

/// What atoms.h says of atoms, byte by byte.
std::vector<Cut> plainly_cut(const std::string& text) {
    std::vector<Cut> cuts;
    std::size_t i = 0;
    while (i < text.size()) {
        if (!is_letter(text[i]) && !is_digit(text[i])) {
            ++i;
            continue;
        }
        Cut cut{.text = "", .at = i};
        for (; i < text.size() && (is_letter(text[i]) || is_digit(text[i]) || is_joiner(text[i]));
             ++i) {
            cut.text += text[i];
            cut.digits = cut.digits || is_digit(text[i]);
            cut.letters = cut.letters || is_letter(text[i]);
            cut.joined = cut.joined || is_joiner(text[i]);
        }
        while (is_joiner(cut.text.back())) {
            cut.text.pop_back();
        }
        cuts.push_back(cut);
    }
    return cuts;
}

std::string random_text(Prng& prng) {
    static constexpr std::string_view signs = "abzAZ019@._-+ \t\n\"'/:[`{^\x01\x7f\x80\xc3\xff";
    std::string text;
    const bool long_words = prng.chance(0.3);
    for (std::size_t left = prng.below(300); left > 0; --left) {
        text += long_words && !prng.chance(0.02) ? 'x' : signs[prng.below(signs.size())];
    }
    return text;
}

TEST(Atoms, AreThoseOfAPlainCutWhateverTheTextAndItsLength) {
    Prng prng(7);
    for (int round = 0; round < 3'000; ++round) {
        const std::string text = random_text(prng);
        std::vector<Cut> cuts;
        for_each_atom(text, [&](const Atom& atom) {
            cuts.push_back({std::string(atom.text), atom.at, atom.digits, atom.letters, atom.joined}
            );
            EXPECT_EQ(atom.head, number_of(atom.text.data(), atom.text.size()));
        });
        ASSERT_EQ(cuts, plainly_cut(text)) << text;
    }
}

TEST(Atoms, RunsOfAClassComeWholeAndInOrder) {
    Prng prng(8);
    for (int round = 0; round < 1'000; ++round) {
        const std::string text = random_text(prng);
        std::string kept;
        std::size_t last = 0;
        for_each_run(
            text,
            [](const ByteClasses& classes) { return classes.digits | classes.joiners; },
            [&](std::size_t from, std::size_t to) {
                EXPECT_TRUE(from < to && (last < from || last == 0)) << text;
                kept += text.substr(from, to - from);
                last = to;
                return true;
            }
        );
        std::string expected;
        for (const char c : text) {
            expected += is_digit(c) || is_joiner(c) ? std::string(1, c) : "";
        }
        ASSERT_EQ(kept, expected);
    }
}

TEST(Atoms, HashesAreBlindToCaseAndToNothingElse) {
    const std::string text = "Abcdefghijklmnopqrstuvwxyz";
    for (std::size_t size = 1; size <= text.size(); ++size) {
        const std::string given = text.substr(0, size);
        std::string upper = given;
        for (char& c : upper) {
            c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        }
        EXPECT_EQ(atom_hash(given), atom_hash(upper));
        std::string other = given;
        other.back() = '7';
        EXPECT_NE(atom_hash(given), atom_hash(other));
        EXPECT_NE(atom_hash(given), atom_hash(given, 1));
    }
}

TEST(Tone, IsTheSameWhereverTheWordsStand) {
    const char* const texts[] = {
        "that's wrong, you didn't ask",
        "No, that\xe2\x80\x99s not what I asked for",
        "this went to the WRONG department...",
        "nothing wrong here, thanks",
    };
    for (const char* const text : texts) {
        const UserTone tone = read_tone(text);
        for (std::size_t shift = 1; shift < 130; ++shift) {
            const UserTone shifted = read_tone(std::string(shift, ' ') + text + " . ");
            EXPECT_EQ(shifted.correction, tone.correction) << text;
            EXPECT_EQ(shifted.wrong_workflow, tone.wrong_workflow) << text;
            EXPECT_EQ(shifted.thanks, tone.thanks) << text;
        }
    }
    EXPECT_GT(read_tone(texts[0]).correction, 0.9);
    EXPECT_GT(read_tone(texts[1]).correction, 0.9);
    EXPECT_GT(read_tone(texts[2]).wrong_workflow, 0.9);
    EXPECT_LT(read_tone(texts[3]).correction, 0.1);
}

/// An apostrophe within a word falls away; with one in it, a text is read by the long way.
std::string by_the_long_way(std::string text) {
    const std::size_t at = text.find("zebra");
    return text.replace(at, 5, "ze'bra");
}

TEST(Tone, TextsInWhichNothingNeedBeCopiedAreReadAlike) {
    constexpr std::array pieces{
        "thats", "that", "is", "wrong", "not", "right", "i", "what", "didnt", "did", "ask", "said",
        "you", "still", "doesnt", "work", "try", "again", "no", "nope", "thank", "perfect", "the",
        "department", "sent", "me", "to", "it", "its", "about", "order", "please", "listen", "a",
        "incorrectly", "misunderst", "misunderstood", "frustrating", "are", "sure", "nothing", "7",
        "actually", "instead", "rather", "than", "undo", "correction", "number", "shipped", "of"};
    constexpr std::array gaps{" ", " ", " ", " ", ", ", ". ", "\n", "-", "  ", "\"", " : "};
    Prng bits(11);
    int with_cues = 0;
    for (int round = 0; round < 4'000; ++round) {
        std::string text = round % 3 == 0 ? "" : "zebra ";
        for (std::uint64_t left = 1 + bits.below(round % 10 == 0 ? 80 : 24); left > 0; --left) {
            std::string word = pieces[bits.below(pieces.size())];
            if (bits.below(6) == 0) {
                word[0] = static_cast<char>(word[0] & (word[0] >= 'a' ? 0xdf : 0xff));
            }
            text += word + gaps[bits.below(gaps.size())];
        }
        if (round % 3 == 0) {
            text += "zebra";
        }
        if (text.size() > 590) {
            continue;  // an apostrophe more would move what is read of it
        }
        const UserTone plain = read_tone(text);
        const UserTone other = read_tone(by_the_long_way(text));
        with_cues += plain.correction > 0 ? 1 : 0;
        ASSERT_EQ(plain.correction, other.correction) << text;
        ASSERT_EQ(plain.wrong_workflow, other.wrong_workflow) << text;
        ASSERT_EQ(plain.agrees, other.agrees) << text;
        ASSERT_EQ(plain.thanks, other.thanks) << text;
    }
    EXPECT_GT(with_cues, 1'000);
    EXPECT_LT(with_cues, 3'500);
}

TEST(Tone, AgreementAloneIsReadAsItIsWithEverythingElse) {
    const char* const texts[] = {
        "",
        "yes",
        "Yes, please do",
        "ok, go ahead and don't wait",
        "no",
        "that's wrong, ok?",
        "one two three four five six seven ok",
        "one two three four five six seven eight ok",
        "sure, and then tell me everything that you know about the parcel"};
    for (const char* const text : texts) {
        EXPECT_EQ(reads_as_agreement(text), read_tone(text).agrees) << text;
    }
    EXPECT_TRUE(reads_as_agreement("Yes, please do"));
    EXPECT_FALSE(reads_as_agreement("one two three four five six seven eight ok"));
}

}  // namespace
}  // namespace tagout::detect
