// Writes that are taken back, and writes from a reading that something has changed since.
#include "rehearse/splice.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>

namespace tagout::rehearse {

namespace json = boost::json;

namespace {

struct Opposite {
    std::string_view verb;
    std::array<std::string_view, 2> undoes;
};
constexpr std::array opposites{
    Opposite{"create", {"delete", "cancel"}},
    Opposite{"add", {"remove", "delete"}},
    Opposite{"book", {"cancel", "release"}},
    Opposite{"reserve", {"cancel", "release"}},
    Opposite{"send", {"unsend", "delete"}},
    Opposite{"post", {"delete", "retract"}},
    Opposite{"schedule", {"cancel", "delete"}},
    Opposite{"invite", {"uninvite", "remove"}},
    Opposite{"append", {"remove", "delete"}},
    Opposite{"share", {"unshare", "revoke"}},
    Opposite{"upload", {"delete", "remove"}},
    Opposite{"write", {"delete", "remove"}},
    Opposite{"exchange", {"cancel", "undo"}},
    Opposite{"return", {"cancel", "undo"}},
    Opposite{"cancel", {"restore", "reopen"}},
    Opposite{"delete", {"restore", "create"}},
};
constexpr std::array answers_of_undoing{
    R"({"status": "ok"})",
    "Done.",
    "Removed successfully.",
    R"({"success": true})",
    "None",
};

/// Whether `part` stands in `text` with no letter or digit on either side.
bool stands_in(std::string_view text, std::string_view part) {
    const auto joined = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
    for (std::size_t at = text.find(part); at != std::string_view::npos;
         at = text.find(part, at + 1)) {
        const std::size_t end = at + part.size();
        if ((at == 0 || !joined(text[at - 1])) && (end == text.size() || !joined(text[end]))) {
            return true;
        }
    }
    return false;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos;
         at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return text;
}

void leaves(const json::value& value, std::vector<std::string>& out) {
    if (value.is_object()) {
        for (const auto& member : value.as_object()) {
            leaves(member.value(), out);
        }
    } else if (value.is_array()) {
        for (const json::value& item : value.as_array()) {
            leaves(item, out);
        }
    } else if (value.is_string()) {
        out.emplace_back(value.as_string());
    } else if (value.is_number()) {
        out.push_back(json::serialize(value));
    }
}

std::vector<std::string> values_of(std::string_view arguments) {
    std::vector<std::string> values;
    boost::system::error_code error;
    const json::value parsed = json::parse(arguments, error);
    if (!error) {
        leaves(parsed, values);
    }
    return values;
}

/// What is left of a write's arguments in the call that takes it back: the thing and not its text.
std::string target_arguments(const SplicedCall& write, Prng& chance) {
    boost::system::error_code error;
    const json::value parsed = json::parse(write.arguments, error);
    json::object kept;
    if (!error && parsed.is_object()) {
        for (const auto& member : parsed.as_object()) {
            const bool is_short = json::serialize(member.value()).size() <= 60;
            if (is_short && kept.size() < 2) {
                kept[member.key()] = member.value();
            }
        }
    }
    if (kept.empty() || chance.chance(0.1)) {
        kept["id"] = 1 + static_cast<std::int64_t>(chance.below(50));
    }
    return json::serialize(kept);
}

std::optional<Splice> taken_back(SpliceBench& bench, const SplicedCall& write) {
    const auto gaps = bench.gaps_after(write.answer_turn + 1, 3);
    for (const Opposite& opposite : opposites) {
        const std::size_t at = write.name.find(opposite.verb);
        if (at == std::string::npos) {
            continue;
        }
        std::string name = write.name;
        const std::string_view undo = pick(opposite.undoes, bench.chance);
        name.replace(at, opposite.verb.size(), undo);
        bench.plant_call(
            pick(gaps, bench.chance),
            name,
            target_arguments(write, bench.chance),
            pick(answers_of_undoing, bench.chance),
            true
        );
        return bench.finish(std::string(opposite.verb) + ", " + std::string(undo));
    }
    return std::nullopt;
}

/// Set to something else, then set back: the write stands there twice with another in between.
std::optional<Splice> set_back(SpliceBench& bench, const SplicedCall& write) {
    boost::system::error_code error;
    json::value parsed = json::parse(write.arguments, error);
    if (error || !parsed.is_object() || parsed.as_object().size() < 2) {
        return std::nullopt;
    }
    json::object other = parsed.as_object();
    json::value& last = (other.end() - 1)->value();
    if (!last.is_string() && !last.is_number()) {
        return std::nullopt;
    }
    const std::string was =
        last.is_string() ? std::string(last.as_string()) : json::serialize(last);
    if (was.empty()) {
        return std::nullopt;
    }
    last = altered(was, bench.chance);
    const std::size_t gap = bench.gaps_after(write.answer_turn + 1, 1).front();
    bench.plant_call(gap, write.name, json::serialize(other), write.answer, false);
    bench.plant_call(gap, write.name, write.arguments, write.answer, true);
    return bench.finish("set and set back");
}

std::optional<Splice> undone(SpliceBench& bench) {
    std::vector<const SplicedCall*> writes;
    for (const SplicedCall& call : bench.calls()) {
        if (call.writes() && !bench.gaps_after(call.answer_turn + 1, 1).empty()) {
            writes.push_back(&call);
        }
    }
    if (writes.empty()) {
        return std::nullopt;
    }
    const SplicedCall& write = *pick(writes, bench.chance);
    if (bench.chance.chance(0.7)) {
        if (auto made = taken_back(bench, write)) {
            return made;
        }
    }
    return set_back(bench, write);
}

struct OldValue {
    const SplicedCall* read = nullptr;
    const SplicedCall* write = nullptr;
    std::string value;
};

/// Values of writes that exactly one earlier reading told, and nobody else.
std::vector<OldValue> old_values(const SpliceBench& bench) {
    std::vector<OldValue> found;
    const std::string user = bench.user_text();
    for (const SplicedCall& write : bench.calls()) {
        if (!write.writes()) {
            continue;
        }
        for (const std::string& value : values_of(write.arguments)) {
            const bool digits =
                std::ranges::any_of(value, [](char c) { return c >= '0' && c <= '9'; });
            if (value.size() < (digits ? 3 : 4) || value.size() > 80 || stands_in(user, value)) {
                continue;
            }
            const SplicedCall* read = nullptr;
            std::size_t told = 0;
            for (const SplicedCall& call : bench.calls()) {
                if (call.answer_turn < write.turn && stands_in(call.answer, value)) {
                    read = call.writes() ? nullptr : &call;
                    ++told;
                }
            }
            if (told == 1 && read != nullptr) {
                found.push_back({read, &write, value});
            }
        }
    }
    return found;
}

/// The line or the member of `answer` in which `value` stands.
std::string line_with(std::string_view answer, std::string_view value) {
    const std::size_t at = answer.find(value);
    std::size_t from = answer.find_last_of("\n{[", at);
    from = from == std::string_view::npos ? 0 : from + 1;
    std::size_t to = answer.find_first_of("\n}]", at + value.size());
    to = to == std::string_view::npos ? answer.size() : to;
    return std::string(answer.substr(from, std::min<std::size_t>(to - from, 400)));
}

std::optional<Splice> stale(SpliceBench& bench) {
    const std::vector<OldValue> olds = old_values(bench);
    if (olds.empty()) {
        return std::nullopt;
    }
    const OldValue& old = pick(olds, bench.chance);
    std::vector<std::size_t> gaps;
    for (std::size_t at = old.read->answer_turn + 1; at <= old.write->turn; ++at) {
        if (bench.is_gap(at) && bench.run().turns[at - 1].role != intake::TurnRole::User) {
            gaps.push_back(at);
        }
    }
    if (gaps.empty()) {
        return std::nullopt;
    }
    const std::size_t gap = pick(gaps, bench.chance);
    const std::string now = altered(old.value, bench.chance);
    for (const SplicedCall& call : bench.calls()) {
        if (call.writes() && call.turn >= gap && stands_in(call.arguments, old.value)) {
            bench.blame(call.turn);  // whatever writes it from here on writes what is out of date
        }
    }
    const double draw = bench.chance.unit();
    if (draw < 0.65) {
        std::string arguments = old.read->arguments;
        if (draw > 0.4) {
            if (auto reworded = reword_arguments(arguments, bench.chance)) {
                arguments = reworded->arguments;
            }
        }
        bench.plant_call(
            gap,
            old.read->name,
            arguments,
            replaced(old.read->answer, old.value, now),
            false,
            "Let me look whether anything has changed."
        );
        return bench.finish(draw > 0.4 ? "read again in other words" : "read again");
    }
    if (draw < 0.85) {
        constexpr std::array names{"list_notifications", "get_recent_changes", "read_updates"};
        bench.plant_call(
            gap,
            pick(names, bench.chance),
            "{}",
            "1 change: " + replaced(line_with(old.read->answer, old.value), old.value, now),
            false
        );
        return bench.finish("told by another tool");
    }
    json::object update;
    update["old_value"] = old.value;
    update["new_value"] = now;
    bench.plant_call(
        gap, "update_record", json::serialize(update), R"({"status": "updated"})", false
    );
    return bench.finish("changed by the agent itself");
}

}  // namespace

std::optional<Splice> splice_write(SpliceBench& bench, SpliceKind kind) {
    return kind == SpliceKind::UndoneWrite ? undone(bench) : stale(bench);
}

}  // namespace tagout::rehearse
