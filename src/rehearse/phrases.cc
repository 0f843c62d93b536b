#include "rehearse/phrases.h"

#include <array>
#include <span>
#include <utility>

namespace tagout::rehearse {

namespace {

using Phrases = std::span<const std::string_view>;

constexpr std::array<std::string_view, 8> where_is_order{
    "Where is my order {order}?",
    "I'm still waiting for the {item} from order {order}. Where is it?",
    "Can you tell me where {order} is right now?",
    "My parcel has not come. The order number is {order}.",
    "Could you track {order} for me?",
    "What's the delivery status of {order}, the {item}?",
    "When will the {item} arrive? Order {order}.",
    "Order {order} was placed last week. Has it been shipped?",
};
constexpr std::array<std::string_view, 4> where_is_something{
    "Where is my parcel?",
    "I ordered a {item} and nothing has come yet.",
    "Can you check when my delivery arrives?",
    "What happened to my {item}?",
};
constexpr std::array<std::string_view, 6> change_address{
    "Please send order {order} to {address} instead.",
    "I moved. The new delivery address for {order} is {address}.",
    "Can you change the address of {order} to {address}?",
    "The address on {order} is wrong, it must be {address}.",
    "Ship {order} to {address}, not to my old flat.",
    "Update the delivery address for order {order}: {address}.",
};
constexpr std::array<std::string_view, 5> cancel_order{
    "Please cancel order {order}.",
    "I don't need the {item} any more, cancel {order} please.",
    "Can you still cancel {order}?",
    "Cancel my order {order}, I bought the {item} elsewhere.",
    "I want to cancel {order} before it ships.",
};
constexpr std::array<std::string_view, 7> refund{
    "I want my money back for order {order}, the {item} arrived broken.",
    "Please refund {order}.",
    "The {item} from {order} does not work. I'd like a refund.",
    "Can I get a refund for {order}? I sent it back on Monday.",
    "You received my return of the {item}. Please refund order {order} to my card.",
    "Refund order {order} in full, please. It's the wrong size.",
    "How do I get my money back for {order}? The {item} came twice.",
};
constexpr std::array<std::string_view, 4> refund_status{
    "Has my refund for {order} been paid out?",
    "What's the state of the payment for order {order}?",
    "Did the payment for {order} go through?",
    "Was {order} charged to my card already?",
};
constexpr std::array<std::string_view, 5> sort_mail{
    "Sort today's mail for me and tell me what matters.",
    "Go through my inbox, label what is from {sender} and give me a summary.",
    "What's new in my inbox? Please label it too.",
    "Triage my inbox, please, and label what needs an answer.",
    "Read my new mail and label it by topic.",
};
constexpr std::array<std::string_view, 4> answer_mail{
    "Write to {email} that we confirm the appointment on Thursday.",
    "Please answer {sender}: send a short yes to {email}.",
    "Find the mail from {sender} and send a reply to {email} that the {item} is in stock.",
    "Tell {email} that the documents about the {item} follow tomorrow.",
};
constexpr std::array<std::string_view, 6> send_invoice{
    "Please send me the {month} invoice to {email}.",
    "I need a copy of my invoice for {month}. My address is {email}.",
    "Can you mail the invoice of {month} to {email}?",
    "Our bookkeeping misses the {month} invoice, send it to {email} please.",
    "Could I have the {month} bill again, at {email}?",
    "The invoice for {month} never came. Send it to {email}.",
};
constexpr std::array<std::string_view, 5> explain_charge{
    "What are the charges on my account in {month}?",
    "I see a charge I don't recognise. Can you list my payments?",
    "Why was I charged in {month}?",
    "Please explain my {month} charges.",
    "Which payments did I make for the {item}?",
};
constexpr std::array<std::string_view, 5> follow_up{
    "And when will it be there?",
    "Good. Which carrier has it?",
    "Can you send it faster?",
    "OK. Is there anything I need to do?",
    "Is a signature needed?",
};
constexpr std::array<std::string_view, 6> thanks{
    "Thanks!", "Great, thank you.", "Perfect, that's all.", "Thank you for the quick help!",
    "Cheers, bye.", "Lovely. That is all I needed.",
};
constexpr std::array<std::string_view, 4> still_waiting{
    "That does not help me. I still need it. Can you try again?",
    "It has to work somehow. Please try once more.",
    "I still don't have an answer. Can you look again?",
    "That's not good enough. Is there no other way?",
};
constexpr std::array<std::string_view, 6> wrong_plan{
    "No, that's not what I asked for. I want a refund for {order}, not a tracking number.",
    "You misunderstood me. I asked for my money back, not where {order} is.",
    "No, I wanted a refund for {order}. I don't care where it is.",
    "Wrong. I did not ask for the delivery status, I want {order} refunded.",
    "That is not my question. I need a refund for the {item}.",
    "No! Refund. I want a refund for order {order}.",
};
constexpr std::array<std::string_view, 4> did_not_ask_for_that{
    "I did not ask you to change the address of {order}! I only wanted to know where it is.",
    "Wait, why did you change the address? I never asked for that. It was right.",
    "No, I didn't want another address for {order}! I only asked where it was.",
    "You changed where it goes? Nobody asked you to do that. Undo it.",
};
constexpr std::array<std::string_view, 4> here_is_the_number{
    "It's {order}.", "The number is {order}.", "Sorry, here it is: {order}.", "{order}",
};

constexpr std::array<Phrases, 16> phrases{
    where_is_order, where_is_something, change_address, cancel_order,  refund,
    refund_status,  sort_mail,          answer_mail,    send_invoice,  explain_charge,
    follow_up,      thanks,             still_waiting,  wrong_plan,    did_not_ask_for_that,
    here_is_the_number,
};

constexpr std::array<std::string_view, 8> openings{
    "", "", "", "Hi, ", "Hello! ", "Good morning. ", "Hey there, ", "Hi team. ",
};
constexpr std::array<std::string_view, 8> closings{
    "", "", "", "", " Thanks in advance.", " It's a bit urgent.", " Regards, {name}", " Thank you!",
};

constexpr std::array<std::string_view, 24> first_names{
    "Ann",   "Bilal", "Chen",  "Dora",  "Emil",  "Fatima", "Goran", "Hanna",
    "Ines",  "Jonas", "Kira",  "Luca",  "Mira",  "Noah",   "Olga",  "Pavel",
    "Quinn", "Rosa",  "Sami",  "Tilda", "Umut",  "Vera",   "Wim",   "Yara",
};
constexpr std::array<std::string_view, 24> last_names{
    "Abbott", "Berg",   "Castro", "Dietz",  "Eriksen", "Fuchs",  "Greco",  "Haddad",
    "Ito",    "Jansen", "Kovac",  "Larsen", "Moreau",  "Novak",  "Okafor", "Petrov",
    "Quist",  "Rossi",  "Silva",  "Tanaka", "Ueda",    "Vargas", "Weber",  "Zhang",
};
constexpr std::array<std::string_view, 16> goods{
    "garden hose",   "desk lamp",    "rain jacket", "kettle",      "bicycle pump", "office chair",
    "wool blanket",  "bread knife",  "backpack",    "wall clock",  "tent",         "coffee grinder",
    "running shoes", "water filter", "bookshelf",   "toolbox",
};
constexpr std::array<std::string_view, 12> streets{
    "Mill Lane",   "Harbour Road", "Oak Street", "Station Square", "Church Hill", "Kings Avenue",
    "Garden Walk", "Bridge Street", "Elm Close",  "Market Place",   "Quay Side",   "North Parade",
};
constexpr std::array<std::string_view, 10> towns{
    "Leeds", "Bristol", "Cardiff", "York", "Derby", "Exeter", "Lincoln", "Norwich", "Oxford", "Perth",
};
constexpr std::array<std::string_view, 12> months{
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December",
};
constexpr std::array<std::string_view, 8> mail_hosts{
    "mail.example", "post.example", "fastmail.example", "letters.example",
    "inbox.example", "home.example", "works.example",   "studio.example",
};
constexpr std::array<std::string_view, 3> carriers{"NorthPost", "SwiftLine", "Parcelbird"};
constexpr std::array<std::string_view, 3> statuses{"processing", "shipped", "shipped"};
constexpr std::array<std::string_view, 10> subjects{
    "Delivery slot for pallet", "Question about the quote", "Meeting on Thursday",
    "Samples have arrived",     "Price list for autumn",    "Missing delivery note",
    "Visit next week",          "Return of two boxes",      "New contact in our team",
    "Opening hours in December",
};
constexpr std::array<std::string_view, 10> bodies{
    "Could you let us know which slot suits you? We can do Tuesday or Friday morning.",
    "The quote looks fine to us, only the discount for larger amounts is missing.",
    "Shall we say Thursday at ten? I would bring the drawings and stay for an hour.",
    "The samples came this morning and are in good order. We decide by the end of the month.",
    "Attached is the list for autumn. Prices for lamps have gone up by three per cent.",
    "We received the goods but no delivery note. Can you send one, please?",
    "Two colleagues and I are in town next week and would like to see the warehouse.",
    "Two boxes were damaged in transit. Our driver takes them back on Monday.",
    "From next month on Ms Weber looks after your account. She will call to say hello.",
    "We close at noon between Christmas and New Year and are back on the second of January.",
};
constexpr std::array<std::string_view, 40> thought_words{
    "first",   "the",     "customer", "account",  "again",   "consider", "whether", "payment",
    "list",    "next",    "page",     "perhaps",  "however", "check",    "amount",  "earlier",
    "ledger",  "entry",   "compare",  "invoice",  "because", "maybe",    "detail",  "carefully",
    "history", "another", "look",     "total",    "line",    "item",     "still",   "unclear",
    "so",      "let",     "me",       "think",    "about",   "this",     "once",    "more",
};

template <std::size_t N>
std::string_view pick(const std::array<std::string_view, N>& from, Prng& chance) {
    return from[chance.below(N)];
}

std::string fill(std::string_view phrase, const World& world) {
    const std::pair<std::string_view, std::string_view> values[] = {
        {"{order}", world.order_id},
        {"{item}", world.item},
        {"{address}", world.address},
        {"{email}", world.email},
        {"{month}", world.month},
        {"{sender}", world.mails.empty() ? std::string_view() : world.mails.front().sender},
        {"{name}", world.name},
    };
    std::string out(phrase);
    for (const auto& [mark, value] : values) {
        for (std::size_t at = out.find(mark); at != std::string::npos; at = out.find(mark, at)) {
            out.replace(at, mark.size(), value);
            at += value.size();
        }
    }
    return out;
}

std::string lower_letters(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return out;
}

/// Six digits that differ from number to number and look like no counter.
std::string digits(std::uint64_t number, std::uint64_t salt) {
    constexpr std::uint64_t span = 900'000;
    constexpr std::uint64_t stride = 390'593;  // Coprime to the span: no number repeats before it.
    return std::to_string(100'000 + (number * stride + salt) % span);
}

}  // namespace

std::string say(Wish wish, const World& world, Prng& chance) {
    const Phrases& choices = phrases[static_cast<std::size_t>(wish)];
    std::string text(choices[chance.below(choices.size())]);
    if (wish < Wish::FollowUp) {
        text = std::string(pick(openings, chance)) + text + std::string(pick(closings, chance));
    }
    return fill(text, world);
}

World make_world(std::uint64_t number, std::uint64_t run, Prng& chance) {
    World world;
    const std::string first(pick(first_names, chance));
    const std::string last(pick(last_names, chance));
    world.user_id = "cust-" + digits(number, run % 900'000);
    world.name = first + " " + last;
    world.email = lower_letters(first) + "." + lower_letters(last) +
                  std::to_string(chance.between(10, 99)) + "@" + std::string(pick(mail_hosts, chance));
    world.order_id = "ORD-" + digits(number, 17);
    world.item = pick(goods, chance);
    world.cents = chance.between(990, 24'900);
    world.status = pick(statuses, chance);
    world.address = std::to_string(chance.between(1, 180)) + " " + std::string(pick(streets, chance)) +
                    ", " + std::string(pick(towns, chance));
    world.carrier = pick(carriers, chance);
    world.tracking = world.carrier.substr(0, 2) + digits(number, 4711);
    world.payment_id = "PAY-" + digits(number, 99);
    world.invoice_id = "INV-" + digits(number, 3);
    world.month = pick(months, chance);
    const std::size_t mails = 2 + chance.below(3);
    for (std::size_t i = 0; i < mails; ++i) {
        const std::size_t topic = chance.below(subjects.size());
        const std::string sender =
            std::string(pick(first_names, chance)) + " " + std::string(pick(last_names, chance));
        world.mails.push_back({
            .id = "M-" + digits(number * 8 + i, 5),
            .sender = sender,
            .subject = std::string(subjects[topic]),
            .body = "Hello " + first + ",\n\n" + std::string(bodies[topic]) + "\n\nBest regards\n" +
                    sender,
        });
    }
    return world;
}

std::string ramble(std::size_t words, Prng& chance) {
    std::string out;
    for (std::size_t i = 0; i < words; ++i) {
        out += pick(thought_words, chance);
        out += i % 14 == 13 ? ". " : " ";
    }
    return out;
}

}  // namespace tagout::rehearse
