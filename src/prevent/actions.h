// Corrective actions: what somebody promised to do after an incident, by when, tracked to closure.
//
// Each has an owner and a due date, and is closed with evidence that it was done. One that is
// overdue is told once: tick() writes action.overdue and the observer hears of it, also when the
// server was down on the day.
//
// Journal entries (subject: the action's id): action.added, action.closed, action.overdue.
// Thread-safe. Changes commit (milliseconds) and return when durable; rebuild() folds the journal.
#pragma once

#include "base/result.h"
#include "incident/desk.h"
#include "journal/journal.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::prevent {

using incident::By;

/// What the action does about the next such incident.
enum class ActionKind : std::uint8_t {
    Prevent = 1,   ///< It does not happen.
    Mitigate = 2,  ///< It hurts less or ends sooner.
    Detect = 3,    ///< It is noticed sooner.
};
[[nodiscard]] std::string_view name_of(ActionKind kind) noexcept;
[[nodiscard]] std::optional<ActionKind> parse_action_kind(std::string_view name) noexcept;

struct ActionDraft {
    IncidentId incident;
    std::string title;
    ActionKind kind = ActionKind::Prevent;
    std::string owner;
    Instant due;
};

struct Action {
    std::string id;  ///< "ACT-1"
    IncidentId incident;
    std::string title;
    ActionKind kind = ActionKind::Prevent;
    std::string owner;
    Instant due;
    Instant created_at;
    Actor created_by;
    bool closed = false;
    std::optional<Instant> closed_at;
    Actor closed_by;
    std::string evidence;
    bool told_overdue = false;

    [[nodiscard]] bool is_overdue(Instant now) const noexcept { return !closed && due < now; }
};

struct ActionChange {
    enum class What : std::uint8_t { Added, Closed, Overdue };
    What what = What::Added;
    Action action;
    By by;
};

class Actions {
public:
    static constexpr std::size_t actions_max = 100'000;

    virtual ~Actions() = default;
    /// `exists` says whether there is such an incident.
    static std::unique_ptr<Actions> make(
        journal::Journal& journal, const Clock& clock, std::function<bool(const IncidentId&)> exists
    );

    virtual Result<void> rebuild() = 0;
    virtual void on_change(std::function<void(const ActionChange&)> observer) = 0;
    /// Tells of what became overdue since; about once a minute is enough.
    virtual Result<void> tick() = 0;

    /// InvalidArgument names what is missing; NotFound an incident that is not there. A due date that
    /// is past is taken: the action is overdue at once.
    virtual Result<Action> add(const ActionDraft& draft, const By& by) = 0;
    /// Conflict: it is closed. InvalidArgument: without evidence.
    virtual Result<Action> close(const std::string& id, const std::string& evidence, const By& by) = 0;

    [[nodiscard]] virtual Result<Action> get(const std::string& id) const = 0;
    /// Open ones first, by due date. "" gives those of every incident.
    [[nodiscard]] virtual std::vector<Action> list(const IncidentId& incident) const = 0;
    /// Open and past their due date.
    [[nodiscard]] virtual std::vector<Action> due() const = 0;
};

/// One line of JSON as api/openapi.yaml has it.
[[nodiscard]] std::string to_json(const Action& action, Instant now);

}  // namespace tagout::prevent
