// Calls made again: duplicates, circles, and what looks like them and is none.
#include "rehearse/splice.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>

namespace tagout::rehearse {

namespace json = boost::json;

namespace {

constexpr std::size_t calls_between_max = 7;

constexpr std::array thoughts{
    "",
    "",
    "",
    "Let me check that again.",
    "I will look this up.",
    "First I need the details.",
    "Let me verify the information before I go on.",
    "Now I need to look at the data once more.",
    "I should make sure that I have the right entry.",
    "Let me retrieve it.",
};

std::string lower_or_upper(std::string_view text, Prng& chance) {
    const bool upper = chance.chance(0.4);
    std::string made(text);
    for (char& c : made) {
        const auto byte = static_cast<unsigned char>(c);
        c = static_cast<char>(upper ? std::toupper(byte) : std::tolower(byte));
    }
    return made == text ? std::string() : made;
}

bool is_address(std::string_view text) {
    return text.starts_with("www.") || text.starts_with("http");
}

std::string other_address(std::string_view text) {
    const std::size_t scheme = text.find("://");
    if (scheme != std::string_view::npos) {
        const std::string rest(text.substr(scheme + 3));
        return text.starts_with("https") ? "http://" + rest : "https://" + rest;
    }
    return "https://" + std::string(text) + "/";
}

/// A string of `arguments` under its name, chosen by chance; null if there is none.
json::string* a_text(json::object& arguments, Prng& chance) {
    std::vector<json::string*> texts;
    for (auto& member : arguments) {
        if (member.value().is_string() && !member.value().as_string().empty()) {
            texts.push_back(&member.value().as_string());
        }
    }
    return texts.empty() ? nullptr : pick(texts, chance);
}

bool change_text(json::object& arguments, std::string_view form, Prng& chance) {
    json::string* const text = a_text(arguments, chance);
    if (text == nullptr) {
        return false;
    }
    std::string made;
    const std::string was(*text);
    if (form == "case") {
        made = lower_or_upper(was, chance);
    } else if (form == "blanks") {
        made = chance.chance(0.5) ? " " + was + " " : was + "  ";
    } else if (form == "full stop") {
        made = was.back() == '.' ? was.substr(0, was.size() - 1) : was + ".";
    } else if (is_address(was)) {
        made = other_address(was);
    }
    if (made.empty()) {
        return false;
    }
    *text = made;
    return true;
}

bool change_number(json::object& arguments) {
    for (auto& member : arguments) {
        if (member.value().is_int64()) {
            member.value() = std::to_string(member.value().as_int64());
            return true;
        }
        if (member.value().is_double()) {
            member.value() = json::serialize(json::value(member.value().as_double()));
            return true;
        }
    }
    return false;
}

void add_field(json::object& arguments, Prng& chance) {
    switch (chance.below(6)) {
        case 0:
            arguments["limit"] = 50;
            break;
        case 1:
            arguments["verbose"] = false;
            break;
        case 2:
            arguments["format"] = "json";
            break;
        case 3:
            arguments["reason"] = "checking the details again";
            break;
        case 4:
            arguments["request_id"] = "r-" + std::to_string(chance.below(100'000));
            break;
        default:
            arguments["include_metadata"] = true;
    }
}

/// The object's members the other way round, as text: boost keeps their order.
std::string turned_round(const json::object& arguments, Prng& chance) {
    std::string made = "{";
    for (std::size_t i = arguments.size(); i-- > 0;) {
        const auto& member = *(arguments.begin() + static_cast<std::ptrdiff_t>(i));
        made += json::serialize(json::value(member.key())) + (chance.chance(0.5) ? ": " : ":") +
                json::serialize(member.value()) + (i > 0 ? ", " : "");
    }
    return made + "}";
}

std::string progressed(std::string_view answer, int round, Prng& chance) {
    constexpr std::array states{"queued", "started", "halfway", "nearly done", "checking", "done"};
    std::string made(answer);
    switch (chance.below(3)) {
        case 0:
            return made + "\nstatus: " + states[static_cast<std::size_t>(round) % states.size()];
        case 1:
            return made + "\nprogress: " + std::to_string(12 * (round + 1)) + " %";
        default:
            return made.substr(0, made.size() / 2) + "\nitems so far: " + std::to_string(round + 3);
    }
}

/// Of another page: nothing of it may be equal by chance.
std::string other_page(std::string_view answer, int page) {
    const std::size_t cut = answer.size() * static_cast<std::size_t>(page) / 7;
    return "page " + std::to_string(page) + "\n" + std::string(answer.substr(cut)) +
           std::string(answer.substr(0, cut));
}

std::vector<const SplicedCall*> those(
    const SpliceBench& bench, const std::function<bool(const SplicedCall&)>& wanted
) {
    std::vector<const SplicedCall*> found;
    for (const SplicedCall& call : bench.calls()) {
        if (wanted(call)) {
            found.push_back(&call);
        }
    }
    return found;
}

/// Gaps behind `call` up to the next call that changes something, unless it is one itself.
std::vector<std::size_t> gaps_of(const SpliceBench& bench, const SplicedCall& call) {
    std::vector<std::size_t> gaps = bench.gaps_after(call.answer_turn + 1, calls_between_max + 1);
    for (const SplicedCall& other : bench.calls()) {
        if (!call.writes() && other.writes() && other.turn > call.turn) {
            std::erase_if(gaps, [&](std::size_t gap) { return gap > other.turn; });
        }
    }
    return gaps;
}

std::optional<Splice> duplicate(SpliceBench& bench, bool near) {
    const auto calls =
        those(bench, [&](const SplicedCall& call) { return !gaps_of(bench, call).empty(); });
    if (calls.empty()) {
        return std::nullopt;
    }
    const SplicedCall& call = *pick(calls, bench.chance);
    const std::vector<std::size_t> gaps = gaps_of(bench, call);
    const double draw = bench.chance.unit();
    const int copies = draw < 0.5 ? 1 : draw < 0.8 ? 2 : 3;
    std::string form =
        std::string(call.writes() ? "write" : "read") + " x" + std::to_string(copies);
    for (int i = 0; i < copies; ++i) {
        std::string arguments = call.arguments;
        if (near) {
            auto reworded = reword_arguments(call.arguments, bench.chance);
            if (!reworded) {
                return std::nullopt;
            }
            arguments = reworded->arguments;
            form = reworded->form;
        }
        bench.plant_call(
            pick(gaps, bench.chance),
            call.name,
            arguments,
            call.answer,
            true,
            pick(thoughts, bench.chance)
        );
    }
    return bench.finish(form);
}

std::optional<Splice> circle(SpliceBench& bench) {
    const std::vector<SplicedCall>& calls = bench.calls();
    const std::size_t length = 2 + bench.chance.below(3);
    std::vector<std::size_t> starts;
    for (std::size_t i = 0; i + length <= calls.size(); ++i) {
        const SplicedCall& last = calls[i + length - 1];
        bool different = false;
        bool writes = false;
        for (std::size_t k = i; k < i + length; ++k) {
            different = different ||
                        calls[k].name + calls[k].arguments != calls[i].name + calls[i].arguments;
            writes = writes || calls[k].writes();
        }
        if (different && !writes && calls[i].request == last.request &&
            !bench.gaps_after(last.answer_turn + 1, 1).empty()) {
            starts.push_back(i);
        }
    }
    if (starts.empty()) {
        return std::nullopt;
    }
    const std::size_t start = pick(starts, bench.chance);
    const std::size_t gap = bench.gaps_after(calls[start + length - 1].answer_turn + 1, 1).front();
    const bool near = bench.chance.chance(0.4);
    const std::size_t rounds = 1 + bench.chance.below(3);
    for (std::size_t round = 0; round < rounds; ++round) {
        for (std::size_t k = start; k < start + length; ++k) {
            std::string arguments = calls[k].arguments;
            if (near && bench.chance.chance(0.5)) {
                if (auto reworded = reword_arguments(arguments, bench.chance)) {
                    arguments = reworded->arguments;
                }
            }
            bench.plant_call(
                gap, calls[k].name, arguments, calls[k].answer, true, pick(thoughts, bench.chance)
            );
        }
    }
    return bench.finish(
        std::to_string(length) + " calls, " + std::to_string(rounds) + " more" +
        (near ? ", reworded" : "")
    );
}

std::optional<Splice> look_alike(SpliceBench& bench, SpliceKind kind) {
    const bool fresh = kind == SpliceKind::FreshRead;
    const auto calls = those(bench, [&](const SplicedCall& call) {
        return !call.writes() && !bench.gaps_after(call.answer_turn + 1, 1).empty();
    });
    const auto writes = those(bench, [&](const SplicedCall& call) {
        return call.writes() && !bench.gaps_after(call.answer_turn + 1, 1).empty();
    });
    if (calls.empty() || (fresh && writes.empty())) {
        return std::nullopt;
    }
    const SplicedCall& call = *pick(calls, bench.chance);
    const std::size_t gap = bench.gaps_after(call.answer_turn + 1, 1).front();
    if (fresh) {
        const SplicedCall& write = *pick(writes, bench.chance);
        if (write.turn <= call.answer_turn) {
            return std::nullopt;
        }
        bench.plant_call(
            bench.gaps_after(write.answer_turn + 1, 1).front(),
            call.name,
            call.arguments,
            bench.chance.chance(0.5) ? call.answer : progressed(call.answer, 1, bench.chance),
            true,
            "Let me verify that it worked."
        );
        return bench.finish("after " + std::string(name_of(write.effect)));
    }
    if (kind == SpliceKind::AskedAgain) {
        constexpr std::array wishes{
            "Could you please check that again? I think it may have changed.",
            "Are you sure? Have another look.",
            "Please look it up once more and tell me what it says now.",
        };
        bench.plant_words(gap, intake::TurnRole::Assistant, "Here is what I found.", false);
        bench.plant_words(gap, intake::TurnRole::User, pick(wishes, bench.chance), false);
        bench.plant_call(gap, call.name, call.arguments, call.answer, true);
        return bench.finish("user asks");
    }
    const int rounds = static_cast<int>(bench.chance.between(3, 7));
    for (int i = 0; i < rounds; ++i) {
        std::string arguments = call.arguments;
        std::string answer = progressed(call.answer, i, bench.chance);
        if (kind == SpliceKind::Pagination) {
            boost::system::error_code error;
            json::value parsed = json::parse(arguments, error);
            if (error || !parsed.is_object()) {
                return std::nullopt;
            }
            parsed.as_object()["page"] = i + 2;
            arguments = json::serialize(parsed);
            answer = other_page(call.answer, i + 1);
        }
        bench.plant_call(
            gap, call.name, arguments, answer, true, i == 0 ? "I will wait for it." : ""
        );
    }
    return bench.finish(std::to_string(rounds) + " times");
}

}  // namespace

std::optional<Reworded> reword_arguments(std::string_view arguments, Prng& chance) {
    boost::system::error_code error;
    const json::value parsed = json::parse(arguments, error);
    if (error || !parsed.is_object()) {
        return std::nullopt;
    }
    constexpr std::array forms{
        "order", "case", "blanks", "full stop", "address", "number", "field"};
    for (int tries = 0; tries < 8; ++tries) {
        json::object changed = parsed.as_object();
        const std::string_view form = pick(forms, chance);
        bool done = false;
        if (form == "order" && changed.size() >= 2) {
            return Reworded{turned_round(changed, chance), "order"};
        }
        if (form == "number") {
            done = change_number(changed);
        } else if (form == "field") {
            add_field(changed, chance);
            done = true;
        } else if (form != "order") {
            done = change_text(changed, form, chance);
        }
        if (done) {
            return Reworded{json::serialize(changed), std::string(form)};
        }
    }
    json::object changed = parsed.as_object();
    add_field(changed, chance);
    return Reworded{json::serialize(changed), "field"};
}

std::optional<Splice> splice_repetition(SpliceBench& bench, SpliceKind kind) {
    switch (kind) {
        case SpliceKind::Duplicate:
            return duplicate(bench, false);
        case SpliceKind::NearDuplicate:
            return duplicate(bench, true);
        case SpliceKind::Circle:
            return circle(bench);
        default:
            return look_alike(bench, kind);
    }
}

}  // namespace tagout::rehearse
