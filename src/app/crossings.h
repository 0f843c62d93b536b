// What one room asks of another, as the functions that each room's ports want. Verbs never include
// each other (src/LAYERS): here, above them, contain answers what prevent, recover and verify ask.
//
// Thread-safe: each function reads what stands when it is called.
#pragma once

#include "contain/controls.h"
#include "contain/tool_pins.h"
#include "domain/finding.h"
#include "incident/incident.h"
#include "prevent/review.h"
#include "recover/journeys.h"
#include "recover/releases.h"
#include "verify/ledger.h"
#include "verify/tar.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tagout::app {

using CatalogNow = std::function<std::shared_ptr<const catalog::Catalog>()>;

/// Why a release in stages goes back to the stage before: a journey that names what the control closes
/// failed since the stage began. "" for not.
[[nodiscard]] std::string journey_against(
    const contain::ControlView& view, const catalog::Catalog& catalog,
    const recover::Journeys& journeys
);
/// The same of findings: of the control's own incident, or about what it closes, seen since.
[[nodiscard]] std::string finding_against(
    const contain::ControlView& view, const catalog::Catalog& catalog,
    const incident::Incident& incident
);
/// A capability is opened again, or a stage further, only when every journey that names what the control
/// closed has passed since its release was asked for, and since its stage began. A control on people,
/// sessions, models or versions closes no capability, and one that only observes closes nothing: they
/// need none.
[[nodiscard]] contain::ReleaseCheck release_check(CatalogNow catalog, recover::Journeys& journeys);

/// A changed definition as the gateway knows it: the same signal that telemetry shows it by.
[[nodiscard]] Finding finding_of(const contain::PinnedTool& tool);

/// Production's policy versions as the snapshot takes them; one that does not read (published before
/// its form changed) is told in the log and left out.
[[nodiscard]] std::vector<contain::Policy> policies_in_force(const recover::Releases& releases);

/// What today's controls and policies say of a call of the past.
[[nodiscard]] std::function<verify::Today(const ToolCall&)> decide_today(
    contain::Controls& controls, CatalogNow catalog
);

/// versions.json, controls.json, and review.json where there is a review.
[[nodiscard]] Result<std::vector<verify::TarFile>> pack_documents(
    const incident::Incident& incident, contain::Controls& controls, recover::Releases& releases,
    prevent::Reviews& reviews, Instant now
);

}  // namespace tagout::app
