// The splicer: plants one fault of the context class into a good recording, so that it is known
// what is wrong and at which step. People have labelled too few such faults to measure a detector
// by.
//
// Each kind is planted in several forms, at a place and in words that chance chooses: an argument
// in another order or spelling, a sentence said anew in other words, other calls in between. It
// knows nothing of how the detectors look for a fault. Four kinds are look-alikes that are no fault
// and must not be told.
//
// What it is not: a faulty agent. The agent's later steps go on as if nothing had happened, and the
// words are made from patterns, so a figure won here bounds what is caught live from above.
//
// Pure and thread-safe: the same run, kind and seed give the same splice.
#pragma once

#include "base/prng.h"
#include "catalog/catalog.h"
#include "detect/signals.h"
#include "intake/recorded_run.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::rehearse {

enum class SpliceKind : std::uint8_t {
    Duplicate = 0,      ///< A call made again, one to three times, in the same words.
    NearDuplicate = 1,  ///< The same in other words: order, case, blanks, a field more.
    Circle = 2,         ///< Two to four calls gone through again, one to three times.
    Contradiction = 3,  ///< A number, an id or a state that was reported is denied.
    UndoneWrite = 4,    ///< A write is taken back, or set back, and nobody asked for it.
    StaleRead = 5,      ///< A value that has changed since is written nevertheless.
    LostContext = 6,    ///< Asks for what it was told, begins again, forgets an id.
    Incoherent = 7,     ///< A result ignored, an answered question asked again, a plan dropped.
    Polling = 8,        ///< No fault: the same call again, and something moves.
    Pagination = 9,     ///< No fault: page after page.
    FreshRead = 10,     ///< No fault: looked at again after a write.
    AskedAgain = 11,    ///< No fault: the user wants it looked at again.
};
inline constexpr std::size_t splice_kinds = 12;

struct SpliceInfo {
    SpliceKind kind;
    std::string_view name;
    bool fault;
    std::vector<detect::SignalId> signals;  ///< Any of these tells it; of a look-alike: none may.
};
[[nodiscard]] const std::vector<SpliceInfo>& splice_table();

struct Splice {
    intake::RecordedRun run;
    std::string form;               ///< Which of its kind's forms was planted.
    std::set<std::uint32_t> steps;  ///< Turns that are faulty, by their index in `run`.
};

/// Nothing where `run` has no place for this kind: no calls, no write, no number to deny.
[[nodiscard]] std::optional<Splice> splice(
    const intake::RecordedRun& run, SpliceKind kind, const catalog::Catalog& catalog,
    std::uint64_t seed
);

// --- what the kinds are made of; for splice*.cc

/// A call of a recording with its answer.
struct SplicedCall {
    std::size_t turn = 0;
    std::size_t index = 0;        ///< Within the turn's calls.
    std::size_t answer_turn = 0;  ///< Later than `turn`.
    std::size_t request = 0;      ///< How many user turns came before.
    std::string name;
    std::string arguments;
    std::string answer;
    ToolEffect effect = ToolEffect::Unknown;
    [[nodiscard]] bool writes() const noexcept {
        return effect == ToolEffect::Write || effect == ToolEffect::Egress;
    }
};

/// A recording being spliced.
///
/// Thread-compatible.
class SpliceBench {
public:
    SpliceBench(
        const intake::RecordedRun& run, const catalog::Catalog& catalog, std::uint64_t seed
    );

    /// Calls that worked and were answered with something, in order.
    [[nodiscard]] const std::vector<SplicedCall>& calls() const noexcept { return calls_; }
    [[nodiscard]] const intake::RecordedRun& run() const noexcept { return run_; }
    /// True where no call waits for its answer before turn `at`: turns may be put there.
    [[nodiscard]] bool is_gap(std::size_t at) const noexcept { return gaps_[at]; }
    /// Gaps from `from` on that lie in the same request, at most `max` of them.
    [[nodiscard]] std::vector<std::size_t> gaps_after(std::size_t from, std::size_t max) const;
    [[nodiscard]] std::string user_text() const;
    /// Texts of turns [0, end) but the agent's own: what it can know.
    [[nodiscard]] std::string known_text(std::size_t end) const;

    /// Plans a call and its answer, or words, before turn `at`; those of one gap keep their order.
    void plant_call(
        std::size_t at, std::string name, std::string arguments, std::string answer, bool faulty,
        std::string thought = ""
    );
    void plant_words(std::size_t at, intake::TurnRole role, std::string words, bool faulty);
    /// Marks a turn that is there already, or changes its words.
    void blame(std::size_t turn) { blamed_.insert(turn); }
    void rewrite(std::size_t turn, std::string words) {
        run_.turns[turn].content = std::move(words);
    }
    void cut_after(std::size_t turn) { end_ = turn + 1; }
    [[nodiscard]] Splice finish(std::string form);

    Prng chance;

private:
    struct Planted {
        std::size_t at = 0;
        bool faulty = false;
        std::vector<intake::RecordedTurn> turns;
    };
    intake::RecordedRun run_;
    std::vector<SplicedCall> calls_;
    std::vector<bool> gaps_;
    std::vector<Planted> planted_;
    std::set<std::size_t> blamed_;
    std::size_t end_ = 0;
    bool has_ids_ = false;
};

/// One of `choices`, by chance.
template <class List>
[[nodiscard]] const auto& pick(const List& choices, Prng& chance) {
    return choices[chance.below(std::size(choices))];
}

/// The same arguments in other words, and what was changed; nothing if `arguments` is no object.
struct Reworded {
    std::string arguments;
    std::string form;
};
[[nodiscard]] std::optional<Reworded> reword_arguments(std::string_view arguments, Prng& chance);
/// A value with one of its digits changed, or its words with one replaced; never what it was.
[[nodiscard]] std::string altered(std::string_view value, Prng& chance);

[[nodiscard]] std::optional<Splice> splice_repetition(SpliceBench& bench, SpliceKind kind);
[[nodiscard]] std::optional<Splice> splice_write(SpliceBench& bench, SpliceKind kind);
[[nodiscard]] std::optional<Splice> splice_words(SpliceBench& bench, SpliceKind kind);

}  // namespace tagout::rehearse
