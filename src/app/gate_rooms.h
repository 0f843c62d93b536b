// What the gate and the cases ask of containment and recovery, in prevent/'s own words.
#pragma once

#include "app/gate_facts.h"
#include "contain/controls.h"
#include "recover/journeys.h"
#include "recover/releases.h"

namespace tagout::app {

/// Fills in controls, journeys, last known good and bundles of `sources`. The rooms must outlive it.
void ask_rooms(
    GateSources& sources, const contain::Controls& controls, const recover::Releases& releases,
    const recover::Journeys& journeys
);

/// The versions that ran when an incident began, as far as its agent's bundles tell.
[[nodiscard]] prevent::VersionsInForce released_at(
    const recover::Releases& releases, const incident::Incident& incident
);

}  // namespace tagout::app
