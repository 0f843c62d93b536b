#include "cli/containment_verbs.h"
#include "cli/fleet_verbs.h"
#include "cli/identity_verbs.h"
#include "cli/policy_verbs.h"
#include "cli/prevent_verbs.h"
#include "cli/release_verbs.h"
#include "cli/verb.h"
#include "cli/verify_verbs.h"

namespace tagout::cli {

const std::vector<VerbGroup>& verb_groups() {
    // Each family's rows stand in its own file and are listed here in the order of the help.
    static const std::vector<VerbGroup> groups{
        contain_verbs(),
        fleet_verbs(),
        identity_verbs(),
        approval_verbs(),
        tool_verbs(),
        policy_verbs(),
        catalog_verbs(),
        release_verbs(),
        journey_verbs(),
        ledger_verbs(),
        evidence_verbs(),
        review_verbs(),
        regression_verbs(),
        action_verbs(),
        suite_verbs()};
    return groups;
}

}  // namespace tagout::cli
