// What may be applied, asked for and released, and by whom: pure checks with reason and remedy.
#pragma once

#include "contain/controls.h"

#include <span>

namespace tagout::contain {

/// `in_force` oldest first.
[[nodiscard]] Result<void> check_draft(
    const ControlDraft& draft, const By& by, std::span<const Control> in_force, Instant now
);
[[nodiscard]] Result<void> check_release_request(const ControlView& view, const By& by);
/// Without the journeys, which are another room's to ask.
[[nodiscard]] Result<void> check_release(const ControlView& view, const By& by);
[[nodiscard]] Result<void> check_renewal(
    const ControlView& view, Instant review_by, const By& by, Instant now
);

/// "Stopped tool:payments.refund (CTL-1)"
[[nodiscard]] std::string sentence_of(
    ControlChange::What what, const ControlView& view, std::string_view reason
);
/// Whoever changes something of containment says why; `what` begins the refusal: "a release".
[[nodiscard]] Result<void> check_reason(const By& by, std::string_view what);
/// Whether `opening` goes further than the stage that `view` is in.
[[nodiscard]] Result<void> check_opening(const ControlView& view, const Opening& opening);
[[nodiscard]] Result<void> check_put_back(const ControlView& view, const By& by);

}  // namespace tagout::contain
