#include "rehearse/splice.h"

#include <boost/json.hpp>

#include <xxhash.h>
#include <algorithm>
#include <cctype>

namespace tagout::rehearse {

namespace json = boost::json;
using detect::SignalId;
using intake::RecordedCall;
using intake::RecordedRun;
using intake::RecordedTurn;
using intake::TurnRole;

const std::vector<SpliceInfo>& splice_table() {
    static const std::vector<SignalId> repeats{
        SignalId::DuplicateAction, SignalId::CircularActions};
    static const std::vector<SpliceInfo> table{
        {SpliceKind::Duplicate, "duplicate", true, repeats},
        {SpliceKind::NearDuplicate, "near_duplicate", true, repeats},
        {SpliceKind::Circle, "circle", true, repeats},
        {SpliceKind::Contradiction, "contradiction", true, {SignalId::Contradiction}},
        {SpliceKind::UndoneWrite, "undone_write", true, {SignalId::Contradiction}},
        {SpliceKind::StaleRead, "stale_read", true, {SignalId::StaleRead}},
        {SpliceKind::LostContext, "lost_context", true, {SignalId::LostContext}},
        {SpliceKind::Incoherent, "incoherent", true, {SignalId::IncoherentStep}},
        {SpliceKind::Polling, "polling", false, repeats},
        {SpliceKind::Pagination, "pagination", false, repeats},
        {SpliceKind::FreshRead, "fresh_read", false, repeats},
        {SpliceKind::AskedAgain, "asked_again", false, repeats},
    };
    return table;
}

SpliceBench::SpliceBench(
    const RecordedRun& run, const catalog::Catalog& catalog, std::uint64_t seed
)
    : chance(seed), run_(run), gaps_(run.turns.size() + 1, false), end_(run.turns.size()) {
    std::vector<SplicedCall> waiting;
    std::vector<std::string> ids;
    std::size_t requests = 0;
    for (std::size_t i = 0; i < run.turns.size(); ++i) {
        gaps_[i] = waiting.empty();
        const RecordedTurn& turn = run.turns[i];
        requests += turn.role == TurnRole::User ? 1 : 0;
        for (std::size_t c = 0; c < turn.tool_calls.size(); ++c) {
            const RecordedCall& call = turn.tool_calls[c];
            waiting.push_back(
                {.turn = i,
                 .index = c,
                 .request = requests,
                 .name = call.name,
                 .arguments = call.arguments,
                 .answer = {},
                 .effect = catalog.tool(call.name).effect}
            );
            ids.push_back(call.id);
            has_ids_ = has_ids_ || !call.id.empty();
        }
        if (turn.role != TurnRole::Tool || waiting.empty()) {
            continue;
        }
        const auto id =
            turn.tool_call_id.empty() ? ids.begin() : std::ranges::find(ids, turn.tool_call_id);
        const auto at = id == ids.end() ? 0 : id - ids.begin();
        SplicedCall call = std::move(waiting[static_cast<std::size_t>(at)]);
        waiting.erase(waiting.begin() + at);
        ids.erase(ids.begin() + at);
        call.answer_turn = i;
        call.answer = turn.content;
        if (!turn.error && turn.content.size() >= 2 && !turn.content.starts_with("Error")) {
            calls_.push_back(std::move(call));
        }
    }
    gaps_[run.turns.size()] = waiting.empty();
}

std::vector<std::size_t> SpliceBench::gaps_after(std::size_t from, std::size_t max) const {
    std::vector<std::size_t> found;
    for (std::size_t at = from; at < run_.turns.size() && found.size() < max; ++at) {
        if (gaps_[at] && (at == 0 || run_.turns[at - 1].role != TurnRole::User)) {
            found.push_back(at);
        }
        if (run_.turns[at].role == TurnRole::User) {
            break;
        }
    }
    return found;
}

std::string SpliceBench::user_text() const {
    std::string text;
    for (const RecordedTurn& turn : run_.turns) {
        text += turn.role == TurnRole::User ? turn.content + "\n" : "";
    }
    return text;
}

std::string SpliceBench::known_text(std::size_t end) const {
    std::string text;
    for (std::size_t i = 0; i < end; ++i) {
        text += run_.turns[i].role != TurnRole::Assistant ? run_.turns[i].content + "\n" : "";
    }
    return text;
}

void SpliceBench::plant_call(
    std::size_t at, std::string name, std::string arguments, std::string answer, bool faulty,
    std::string thought
) {
    const std::string id = has_ids_ ? "spliced-" + std::to_string(planted_.size() + 1) : "";
    Planted planted{.at = at, .faulty = faulty, .turns = {}};
    RecordedTurn call;
    call.role = TurnRole::Assistant;
    call.content = std::move(thought);
    call.tool_calls.push_back({id, name, std::move(arguments)});
    RecordedTurn result;
    result.role = TurnRole::Tool;
    result.content = std::move(answer);
    result.name = std::move(name);
    result.tool_call_id = id;
    planted.turns = {std::move(call), std::move(result)};
    planted_.push_back(std::move(planted));
}

void SpliceBench::plant_words(std::size_t at, TurnRole role, std::string words, bool faulty) {
    RecordedTurn turn;
    turn.role = role;
    turn.content = std::move(words);
    planted_.push_back({.at = at, .faulty = faulty, .turns = {std::move(turn)}});
}

Splice SpliceBench::finish(std::string form) {
    std::ranges::stable_sort(planted_, {}, &Planted::at);
    Splice made{.run = run_, .form = std::move(form), .steps = {}};
    made.run.turns.clear();
    auto next = planted_.begin();
    for (std::size_t i = 0; i <= end_; ++i) {
        for (; next != planted_.end() && next->at == i; ++next) {
            if (next->faulty) {
                made.steps.insert(static_cast<std::uint32_t>(made.run.turns.size()));
            }
            for (RecordedTurn& turn : next->turns) {
                made.run.turns.push_back(std::move(turn));
            }
        }
        if (i < end_) {
            if (blamed_.contains(i)) {
                made.steps.insert(static_cast<std::uint32_t>(made.run.turns.size()));
            }
            made.run.turns.push_back(run_.turns[i]);
        }
    }
    return made;
}

std::string altered(std::string_view value, Prng& chance) {
    std::string made(value);
    std::vector<std::size_t> digits;
    std::vector<std::size_t> letters;
    for (std::size_t i = 0; i < made.size(); ++i) {
        const auto byte = static_cast<unsigned char>(made[i]);
        if (std::isdigit(byte) != 0) {
            digits.push_back(i);
        } else if (std::isalpha(byte) != 0) {
            letters.push_back(i);
        }
    }
    if (!digits.empty()) {
        for (int changes = 0; changes < 2; ++changes) {
            char& digit = made[pick(digits, chance)];
            digit = static_cast<char>('1' + (digit - '0' + static_cast<int>(chance.below(8))) % 9);
        }
        if (made == value) {
            char& digit = made[digits.back()];
            digit = digit == '7' ? '4' : '7';
        }
        return made;
    }
    if (!letters.empty()) {
        char& letter = made[pick(letters, chance)];
        letter = letter == 'q' ? 'k' : 'q';
    }
    return made + (letters.empty() ? "x" : "");
}

std::optional<Splice> splice(
    const RecordedRun& run, SpliceKind kind, const catalog::Catalog& catalog, std::uint64_t seed
) {
    const std::uint64_t own = XXH3_64bits_withSeed(
        run.id.data(), run.id.size(), seed * splice_kinds + static_cast<std::uint64_t>(kind)
    );
    SpliceBench bench(run, catalog, own);
    std::optional<Splice> made;
    switch (kind) {
        case SpliceKind::Contradiction:
        case SpliceKind::LostContext:
        case SpliceKind::Incoherent:
            made = splice_words(bench, kind);
            break;
        case SpliceKind::UndoneWrite:
        case SpliceKind::StaleRead:
            made = splice_write(bench, kind);
            break;
        default:
            made = splice_repetition(bench, kind);
    }
    if (made) {
        made->run.id += "+";
        made->run.id += splice_table()[static_cast<std::size_t>(kind)].name;
    }
    return made;
}

}  // namespace tagout::rehearse
