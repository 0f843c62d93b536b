// Releases in stages: what opens further, and what is put back.
#include "contain/book.h"

#include <algorithm>

namespace tagout::contain {

Result<ControlView> LiveControls::open_stage(
    const ControlId& id, const Opening& opening, const By& by, std::string_view without_journeys
) {
    TAGOUT_TRY(may_release(id, by, without_journeys, &opening));
    Result<ControlView> answer = fail(ErrorCode::NotFound, "");
    {
        const MutexLock lock(mutex_);
        const BookRow& row = *fold_.find(id);
        TAGOUT_TRY(check_release(row.view, by));
        TAGOUT_TRY(check_opening(row.view, opening));
        answer = shown(*TAGOUT_TRY(
            move_stage(id, opening, by, ControlChange::What::Opened, without_journeys)
        ));
    }
    tell_observer();
    return answer;
}

Result<ControlView> LiveControls::put_back(const ControlId& id, const By& by, bool to_shadow) {
    Result<ControlView> answer = fail(ErrorCode::NotFound, "");
    {
        const MutexLock lock(mutex_);
        const BookRow* const row = fold_.find(id);
        if (row == nullptr) {
            return not_found(id);
        }
        TAGOUT_TRY(check_put_back(row->view, by));
        const std::vector<StageRow>& stages = row->view.stages;
        const Opening before = to_shadow || stages.size() < 2 ? Opening{} : stages.end()[-2].opening;
        answer = shown(*TAGOUT_TRY(move_stage(id, before, by, ControlChange::What::PutBack, "")));
        ask_for_probe(id);
    }
    tell_observer();
    return answer;
}

Result<BookRow*> LiveControls::move_stage(
    const ControlId& id, const Opening& to, const By& by, ControlChange::What what,
    std::string_view without_journeys
) {
    std::vector<Control> controls = fold_.in_force();
    std::ranges::find(controls, id, &Control::id)->opening = to;
    const std::uint64_t revision = revision_ + 1;
    Published next = TAGOUT_TRY(build(std::move(controls), revision));
    return commit(
        {what == ControlChange::What::Opened ? "control.opened" : "control.put_back", id.text(),
         by.actor, by.reason, clock_.now(), stage_body(to, revision, without_journeys)},
        what, std::move(next)
    );
}

}  // namespace tagout::contain
