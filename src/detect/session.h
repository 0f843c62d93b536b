// Session: everything that is kept of one live conversation, or of one trace that belongs to none.
//
// Confined to its shard's thread. A bare session (no tool called, no text said) is this struct
// alone, and a million of those with their names and places in the table are to fit into 400 MiB
// (benchmark LiveSessions); what it needs beyond that hangs on `trail`, made when first needed.
// Every vector in here is bounded by the option that its comment names.
#pragma once

#include "base/clock.h"
#include "detect/arguments.h"
#include "detect/context/recollection.h"
#include "detect/intent/dialogue.h"
#include "detect/names.h"
#include "detect/outcome.h"
#include "detect/session_values.h"
#include "detect/signals.h"
#include "domain/agent_event.h"
#include "domain/finding.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tagout::detect {

/// One tool call as the repetition signals see it.
struct Action {
    std::uint32_t call = 0;    ///< Hash of tool and canonical arguments.
    std::uint32_t near = 0;    ///< The same of the arguments in other words, see ArgumentDigest.
    std::uint32_t result = 0;  ///< Hash of the result's text.
    std::uint32_t span = 0;    ///< Hash of the span's id: the same span again is no second action.
    NameId tool = 0;
    std::uint32_t step = 0;
    Instant began;
    Instant ended;
    std::uint32_t result_bytes = 0;
    std::array<std::uint16_t, ArgumentDigest::fields_max> fields{};
    std::uint8_t fields_count = 0;
    std::uint16_t request = 0;  ///< Trail::requests when it was made.
    bool worked = false;
    bool unfinished = false;   ///< Answered that something is missing or was refused.
    bool withheld = false;     ///< The answer was kept from the agent.
    bool substantial = false;  ///< Its answer is long enough to be equal for a reason.
    bool writes = false;       ///< Changes or sends something.
    bool may_change = false;   ///< That, or nobody knows what it does.
    bool empty = false;        ///< Said that there is nothing, or said nothing.
};

/// A call that changes or sends something, waiting until texts still on their way have arrived.
struct PendingCall {
    StepPlace place;
    Instant began;
    Instant due;  ///< Of arrival time.
    NameId tool = 0;
    bool writes = false;  ///< False: what it does is unknown, or it reads a URL.
    bool worked = false;
    bool confirmed = false;             ///< The user's last words before it agreed.
    bool debut = false;                 ///< First use of this tool in the session.
    bool blind = false;                 ///< Results before it were not captured.
    bool reads = false;                 ///< Its tool is known to change nothing.
    std::vector<ArgumentValue> values;  ///< At most pending_values_max, names dropped.
    std::vector<NameId> arguments;      ///< "TOOL.a" of each value.
};

/// How far a session climbed: what safety.escalation remembers. 0: no such call.
struct LadderMarks {
    NameId changed_tool = 0;   ///< The first that changed or sent something.
    NameId powerful_tool = 0;  ///< The first powerful one that was not asked for.
    NameId denied_tool = 0;    ///< The first whose call was denied.
    std::uint32_t denied_step = 0;
};

/// An identifier that a completed write set.
struct WrittenValue {
    NameId argument = 0;  ///< "TOOL.a"
    std::uint64_t value = 0;
    friend bool operator==(const WrittenValue&, const WrittenValue&) = default;
};

/// A telling value that some call of the session carried: what its workflow's profile learns.
struct ValueUse {
    NameId argument = 0;  ///< "TOOL.a"
    ValueOrigin origin = ValueOrigin::Plain;
    std::uint64_t hash = 0;
};

/// A list of tools that a span of the session carried: its hash in ToolLists.
struct Offer {
    std::uint64_t list = 0;
    NameId agent = 0;
    bool all = false;  ///< All tools of the agent, not those of one server.
    friend bool operator==(const Offer&, const Offer&) = default;
};

struct LiveFinding {
    SignalId signal = SignalId::UserCorrections;
    Finding finding;
    bool told_failed = false;  ///< Sent as a leader with a failed outcome: leads for good.
};

/// A rate's key that this session had a bad event of: told when its outcome is known.
struct AffectedKey {
    std::uint8_t kind = 0;
    NameId key = 0;
    std::int64_t tokens = 0;  ///< Of the session, as told to the rate; cost_usd likewise.
    double cost_usd = 0;
};

/// One request of a conversation; a trace of its own.
struct Turn {
    std::uint64_t trace = 0;
    std::int64_t tokens = 0;
    std::int64_t fresh_tokens = 0;  ///< Without those read from a cache.
    double cost_usd = 0;
    std::uint32_t steps = 0;
    bool root_seen = false;
};

/// One agent gave the request to another, `times` since anybody worked on it.
struct Handoff {
    NameId from = 0;
    NameId to = 0;
    std::uint32_t times = 0;
};

struct Trail {
    static constexpr std::size_t pending_max = 16;
    static constexpr std::size_t pending_values_max = 12;
    static constexpr std::size_t findings_max = signal_count;  ///< One a signal.
    static constexpr std::size_t affected_max = 8;
    static constexpr std::size_t tools_max = 64;
    static constexpr std::size_t words_max = 24;
    static constexpr std::size_t offers_max = 6;
    static constexpr std::size_t written_max = 40;
    static constexpr std::size_t value_uses_max = 64;
    static constexpr std::size_t texts_max = 8;
    static constexpr std::size_t handoffs_max = 16;

    std::vector<Action> actions;           ///< In order of beginning; newest actions_max.
    std::unique_ptr<Recollection> memory;  ///< Of the context class, made when first needed.
    std::unique_ptr<Dialogue> dialogue;    ///< Made when the user first speaks.
    std::int8_t rating_waiting = 0;        ///< For the words that reply to what was rated.
    SessionValues values;
    std::vector<PendingCall> pending;
    std::vector<LiveFinding> findings;
    std::vector<AffectedKey> affected;
    std::vector<NameId> tools;      ///< Distinct ones used.
    std::uint8_t tools_told = 0;    ///< So many of them stand in a SessionFact,
    std::uint8_t written_told = 0;  ///< so many of `written`,
    std::uint8_t values_told = 0;   ///< and so many of value_uses.
    std::array<std::uint64_t, texts_max>
        user_texts{};                       ///< Hashes of what the user said, newest last.
    std::vector<std::uint32_t> last_words;  ///< Of the user's newest request.
    std::uint64_t said_trace = 0;           ///< In which the newest of them was said.
    std::uint16_t requests = 0;             ///< How often the user spoke, the same words again too.
    std::uint32_t calls_worked = 0;
    std::uint32_t changes_worked = 0;  ///< Of them those that may have changed something.
    bool actions_forgotten = false;    ///< The first actions are not there any more.
    bool asked_repeats = false;        ///< For something twice, in parts, several times.
    std::uint64_t system_text = 0;     ///< Hash of the instructions indexed last.
    std::uint64_t last_output = 0;     ///< Hash of the newest answer of the model.
    std::uint32_t equal_outputs = 0;
    std::uint32_t stuck_call = 0;       ///< Action::call that the session is stuck on, else 0.
    std::uint32_t fruitless_tries = 0;  ///< In a row: same tool, nothing new.
    std::uint32_t rephrased = 0;
    std::vector<Handoff> handoffs;  ///< Since somebody worked on the request.
    std::string request;            ///< What the user said first; request_text_bytes_max of it.
    StepPlace request_place;
    bool request_told = false;  ///< Its RequestFact went out.
    double orders_score = 0;    ///< Of the result that reads most like orders.
    StepPlace orders_place;
    NameId orders_tool = 0;
    LadderMarks ladder;
    std::vector<WrittenValue> written;  ///< Distinct; the first written_max.
    std::vector<ValueUse> value_uses;   ///< Distinct; the first value_uses_max.
    std::vector<Offer> offers;          ///< Newest offers_max.
    bool offers_forgotten = false;      ///< There were more.
    bool user_agreed = false;
    bool calls_answered = false;  ///< A tool worked, so there was a result ...
    bool results_seen = false;    ///< ... and some result was captured.
    bool due_noted = false;       ///< Stands in the stage's list of due sessions.

    [[nodiscard]] Recollection& own_memory() {
        if (!memory) {
            memory = std::make_unique<Recollection>();
        }
        return *memory;
    }
    [[nodiscard]] Dialogue& own_dialogue() {
        if (!dialogue) {
            dialogue = std::make_unique<Dialogue>();
        }
        return *dialogue;
    }
};

struct Session {
    std::string correlation;
    std::uint64_t key = 0;             ///< Hash of correlation, its place in the table.
    std::uint32_t newer = 0xffffffff;  ///< Neighbours in the list by last arrival.
    std::uint32_t older = 0xffffffff;
    Instant first_at;
    Instant last_at;
    Instant arrived_at;
    NameId agent = 0;
    NameId workflow = 0;
    NameId service = 0;
    NameId environment = 0;
    NameId model = 0;
    NameId prompt_name = 0;
    NameId prompt_version = 0;
    std::uint32_t steps = 0;
    std::uint32_t tool_calls = 0;
    std::uint32_t writes = 0;
    std::uint32_t errors = 0;
    std::uint32_t user_turns = 0;
    std::uint32_t corrections = 0;
    SessionOutcome told = SessionOutcome::Unknown;
    bool told_once = false;
    std::int64_t tokens = 0;
    double cost_usd = 0;
    std::uint64_t user = 0;  ///< Hash of the user's id, 0 if telemetry names none.
    std::array<Turn, 2> turns{};
    OutcomeMarks marks;
    Instant
        errors_since_user_at;  ///< Newest failed step: a complaint after it is not about the plan.
    std::unique_ptr<Trail> trail;

    /// Who acts: the agent, or the service where telemetry names no agent.
    [[nodiscard]] NameId actor() const noexcept { return agent != 0 ? agent : service; }
    [[nodiscard]] Trail& own_trail() {
        if (!trail) {
            trail = std::make_unique<Trail>();
        }
        return *trail;
    }
    [[nodiscard]] std::size_t bytes() const noexcept;
};

/// What one signal saw in one session; the stage makes or renews the Finding from it.
struct Sighting {
    SignalId signal = SignalId::UserCorrections;
    StepPlace place{};
    NameId tool = 0;
    double score = 0;
    double observed = 0;
    double threshold = 0;
    bool write_completed = false;
    std::string cause{};
    std::string evidence{};
};

}  // namespace tagout::detect
