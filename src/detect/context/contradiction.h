// context.contradiction: the agent denies what it had itself reported, or undoes what it has just
// written, and nobody asked for that. To a person on call: one of the two is wrong, and somebody
// may have acted on it.
//
// Three forms:
//   words    two sentences of the agent about the same thing (two thirds of the words of the
//   shorter,
//            three at least) with another number, of which one was read or told and the other was
//            not; or with the same numbers, one saying that it is so and one that it is not, with
//            no write in between that could have changed it
//   undoing  a call that ends what a call of the same request made (delete after create, cancel
//   after
//            book, ...), on the same thing, by an argument or an id that both name, and no word of
//            the user asks for it
//   setting  a call made a second time with another between that set the same thing to something
//   else
//
// Only English sentences are compared; dates and amounts in another notation are other numbers, so
// the second condition (one is known, one is not) keeps them from being told. Memory: Recollection.
// Cost: an answer's words are hashed, some 5 ns a byte of it, at most answer_bytes_max; comparing
// reads 24 claims of 10 words.
#pragma once

#include "detect/context/recollection.h"
#include "detect/session.h"
#include "detect/settings.h"

#include <optional>
#include <string_view>
#include <vector>

namespace tagout::detect {

constexpr std::size_t answer_bytes_max = 2'000;

/// The sentences of `text` that state or ask something, at most Recollection::claims_max.
void read_claims(std::string_view text, std::vector<Claim>& out);

/// Share of the words of the shorter claim that stand in the other; 0 if fewer than three do.
[[nodiscard]] double likeness(const Claim& a, const Claim& b) noexcept;

/// Judges `claim`, which is not in `memory` yet. `values` has been read.
[[nodiscard]] std::optional<Sighting> judge_claim(
    const Recollection& memory, Claim& claim, const ValueIndex& values
);
/// Whether judging it needs the index of values at all: some earlier claim is like it.
[[nodiscard]] bool is_about_known(const Recollection& memory, const Claim& claim) noexcept;

/// What `tool` does to what: made from its name, its arguments and its result.
[[nodiscard]] WriteMark mark_of(
    std::string_view tool, std::string_view arguments, std::string_view result
);
/// "delete"; "" if its name has no such verb.
[[nodiscard]] std::string_view verb_of(const WriteMark& mark) noexcept;
/// The write that `newest` takes back, if there is one.
[[nodiscard]] const WriteMark* undone_by(
    const Recollection& memory, const WriteMark& newest
) noexcept;

/// Set to something else and set back: `newest` stands in `actions`. The step in between, or none.
[[nodiscard]] std::optional<std::uint32_t> set_back(
    const std::vector<Action>& actions, const Action& newest
) noexcept;

}  // namespace tagout::detect
