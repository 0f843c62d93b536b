#include "detect/outcome.h"

namespace tagout::detect {

namespace {

JudgedOutcome judged(SessionOutcome outcome, std::string reason) {
    return {outcome, std::move(reason)};
}

std::string with(const char* sentence, const Names& names, NameId detail) {
    return detail == 0 ? std::string(sentence) : std::string(sentence) + ": " + names.text(detail);
}

JudgedOutcome judge_root(const OutcomeMarks& marks, const Names& names) {
    switch (marks.root) {
        case RootEnd::Failed:
            return judged(
                SessionOutcome::Failed, with("its root step failed", names, marks.root_detail)
            );
        case RootEnd::Denied:
            return judged(
                SessionOutcome::Denied, with("its root step was denied", names, marks.root_detail)
            );
        case RootEnd::Cancelled:
            return judged(SessionOutcome::Abandoned, "its root step was cancelled");
        case RootEnd::Ok:
            if (marks.denied_at > marks.success_at) {
                return judged(
                    SessionOutcome::Denied, "its last call was denied and none worked after it"
                );
            }
            return judged(SessionOutcome::Succeeded, "its root step ended well");
        case RootEnd::NotSeen:
            break;
    }
    return {};
}

}  // namespace

JudgedOutcome judge_outcome(
    const OutcomeMarks& marks, std::uint32_t corrections_max, const Names& names
) {
    using enum SessionOutcome;
    if (marks.verdict < 0) {
        return judged(Failed, with("judged as failed", names, marks.verdict_detail));
    }
    if (marks.harm) {
        return judged(
            Failed, with("a write completed that nobody asked for", names, marks.harm_detail)
        );
    }
    if (marks.verdict > 0) {
        return judged(Succeeded, with("judged as succeeded", names, marks.verdict_detail));
    }
    if (marks.wrong_plan) {
        return judged(Failed, "the request went to the wrong workflow");
    }
    if (marks.over_budget) {
        return judged(Failed, "its budget of steps, tokens or money is exhausted");
    }
    if (marks.stuck) {
        return judged(Failed, with("it is stuck", names, marks.stuck_detail));
    }
    if (marks.corrections_in_a_row >= corrections_max) {
        return judged(
            Failed,
            "the user corrected it " + std::to_string(marks.corrections_in_a_row) +
                " times in a row"
        );
    }
    if (marks.root != RootEnd::NotSeen) {
        return judge_root(marks, names);
    }
    if (!marks.ended) {
        return {};
    }
    if (marks.denied_at > marks.success_at && marks.denied_at >= marks.error_at) {
        return judged(Denied, "it went silent after a call was denied");
    }
    if (marks.error_at > marks.success_at) {
        return judged(Failed, "it went silent after an error that nothing mended");
    }
    if (marks.log_only) {
        return judged(Unknown, "it went silent; its source tells no end");
    }
    return judged(Abandoned, "it went silent and its root step never came");
}

}  // namespace tagout::detect
