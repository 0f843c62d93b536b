// What people say to the sample agents, in many words for few wishes.
//
// A phrase holds {order}, {item}, {address}, {email}, {month}, {sender}, {name}; the same
// draws give the same sentence. Texts only; who says what when is script.cc's business.
#pragma once

#include "base/prng.h"
#include "rehearse/script.h"

#include <string>
#include <string_view>

namespace tagout::rehearse {

enum class Wish : std::uint8_t {
    WhereIsOrder = 0,
    WhereIsSomething = 1,  ///< The same without a number: the agent has to ask.
    ChangeAddress = 2,
    CancelOrder = 3,
    Refund = 4,
    RefundStatus = 5,
    SortMail = 6,
    AnswerMail = 7,
    SendInvoice = 8,
    ExplainCharge = 9,
    FollowUp = 10,
    Thanks = 11,
    StillWaiting = 12,
    WrongPlan = 13,       ///< "No, that is not what I asked for": a refund was wanted.
    DidNotAskForThat = 14,
    HereIsTheNumber = 15,
};

[[nodiscard]] std::string say(Wish wish, const World& world, Prng& chance);

/// A person, an address, goods: the nouns of one conversation.
[[nodiscard]] World make_world(std::uint64_t number, std::uint64_t run, Prng& chance);

/// `words` words of a model that thinks aloud.
[[nodiscard]] std::string ramble(std::size_t words, Prng& chance);

}  // namespace tagout::rehearse
