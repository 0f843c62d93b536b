// Requests of three workflows, made of wishes and things: for tests of this room only.
#pragma once

#include <string_view>
#include <vector>

namespace tagout::detect {

struct RequestKind {
    std::string_view workflow;
    std::vector<std::string_view> wishes;
    std::vector<std::string_view> things;
};

inline const std::vector<RequestKind>& request_kinds() {
    static const std::vector<RequestKind> all{
        {"refunds",
         {"I want my money back for",
          "please refund",
          "can I return",
          "send back and refund",
          "I would like a refund for",
          "reimburse me for"},
         {"the blue shoes",
          "order 4711",
          "a broken lamp",
          "my last order",
          "the jacket I bought",
          "two chairs",
          "these headphones",
          "the wrong size",
          "a late parcel",
          "the garden table",
          "what I never got",
          "the torn book"}},
        {"passwords",
         {"I forgot my password for",
          "please reset my login to",
          "I cannot sign in to",
          "I am locked out of",
          "my password does not work for",
          "unlock my access to"},
         {"the shop",
          "my account",
          "the mail server",
          "the portal",
          "your app",
          "the web site",
          "the intranet",
          "my laptop",
          "the calendar",
          "the wiki",
          "our drive",
          "the console"}},
        {"travel",
         {"book a flight to",
          "find me a train to",
          "I need a hotel in",
          "what does a ticket cost to",
          "when does the next bus leave for",
          "reserve two seats to"},
         {"Lisbon",
          "the capital",
          "Rome on Friday",
          "Oslo next week",
          "the airport",
          "Madrid",
          "the north",
          "Vienna",
          "the coast in June",
          "Paris tomorrow",
          "Bergen",
          "the lake"}},
    };
    return all;
}

}  // namespace tagout::detect
