#include "detect/safety/instruction_text.h"

#include "detect/pattern_database.h"
#include "detect/safety/order_patterns.h"
#include "detect/safety/unmasked_text.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace tagout::detect {

namespace {

constexpr double sure = 0.6;  ///< Past it nothing hidden is looked for.
constexpr std::size_t slips_before = 160;
constexpr std::size_t slips_bytes = 200;
constexpr std::size_t region_before = 240;
constexpr std::size_t region_after = 700;

struct Match {
    std::uint32_t to = 0;
    std::uint32_t pattern = 0;
};

}  // namespace

struct InstructionText::State {
    static constexpr std::size_t matches_max = 4'096;  ///< Past them a text is not read on.

    PatternScratch scratch;
    std::vector<Match> matches;
    std::vector<std::size_t> ends;
    std::vector<std::size_t> plain_ends;  ///< Of the text as it stands, while the other is read.
    std::string unmasked;

    static int on_match(
        unsigned id, unsigned long long, unsigned long long to, unsigned, void* context
    ) {
        State& state = *static_cast<State*>(context);
        state.matches.push_back({static_cast<std::uint32_t>(to), id});
        return state.matches.size() >= matches_max ? 1 : 0;
    }

    /// All matches, in order of their ends; and whether the text may be masked.
    bool find_matches(std::string_view text) {
        const OrderPatterns& patterns = OrderPatterns::instance();
        OpenGates gates(patterns.gates());
        MaskSigns signs;
        for_each_piece(text, [&](std::string_view piece) {
            const MessageWords words(piece);
            gates.read(words);
            signs.read(piece, words);
        });
        matches.clear();
        std::size_t searches = 0;
        std::uint64_t worth = patterns.worth_searching(gates.rules(), text);
        for (; worth != 0; worth &= worth - 1, ++searches) {
            const auto pattern = static_cast<std::size_t>(std::countr_zero(worth));
            scratch.search(patterns.database(pattern), text, &State::on_match, this);
        }
        if (searches > 1) {
            std::ranges::stable_sort(matches, {}, &Match::to);
        }
        return signs.found();
    }

    /// Weighs the matches and fills `ends`, until there are regions_max of them.
    [[nodiscard]] Reading weigh() {
        Reading reading;
        std::uint64_t seen = 0;
        double strongest = 0;
        double doubt = 1;
        ends.clear();
        for (const Match& match : matches) {
            const std::uint64_t bit = std::uint64_t{1} << match.pattern;
            if ((seen & bit) == 0) {
                seen |= bit;
                const double weight = OrderPatterns::weight(match.pattern);
                doubt *= 1 - weight;
                if (weight > strongest) {
                    strongest = weight;
                    reading.at = match.to;
                }
            }
            if (ends.empty() || match.to > ends.back() + region_before) {
                ends.push_back(match.to);
            }
            if (ends.size() >= regions_max) {
                break;
            }
        }
        reading.score = 1 - doubt;
        return reading;
    }
};

InstructionText::InstructionText() : state_(std::make_unique<State>()) {
    for (std::size_t i = 0; i < OrderPatterns::size(); ++i) {
        state_->scratch.make_room_for(OrderPatterns::instance().database(i));
    }
}

InstructionText::~InstructionText() = default;
InstructionText::InstructionText(InstructionText&&) noexcept = default;
InstructionText& InstructionText::operator=(InstructionText&&) noexcept = default;

InstructionText::Reading InstructionText::scan(
    std::string_view text, std::vector<TextRegion>& regions
) {
    regions.clear();
    State& state = *state_;
    const bool may_be_masked = state.find_matches(text.substr(0, scan_bytes_max));
    const Reading reading = state.weigh();
    // Misspelt orders are looked for about some sign of a request, masked ones everywhere.
    const std::size_t near = reading.at > slips_before ? reading.at - slips_before : 0;
    const std::string_view doubtful = reading.score >= sure ? std::string_view()
                                      : may_be_masked       ? text
                                      : reading.score > 0   ? text.substr(near, slips_bytes)
                                                            : std::string_view();
    if (!doubtful.empty() && unmask(doubtful, state.unmasked)) {
        // Where something hides, all of it is suspect: places in the unmasked text are no places.
        state.ends.swap(state.plain_ends);
        (void)state.find_matches(state.unmasked);
        const Reading hidden = state.weigh();
        if (hidden.score > reading.score) {
            regions.push_back({0, text.size()});
            return {.score = hidden.score, .at = 0, .hidden = true};
        }
        state.ends.swap(state.plain_ends);
    }
    for (const std::size_t end : state.ends) {
        const TextRegion region{end > region_before ? end - region_before : 0, end + region_after};
        if (!regions.empty() && regions.back().to >= region.from) {
            regions.back().to = region.to;
        } else {
            regions.push_back(region);
        }
    }
    return reading;
}

}  // namespace tagout::detect
