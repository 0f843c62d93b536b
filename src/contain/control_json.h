// Values of this room as the JSON of api/openapi.yaml. Times in RFC 3339; what does not apply is absent.
#pragma once

#include "contain/approvals.h"
#include "contain/controls.h"
#include "contain/playbook.h"
#include "contain/token_rows.h"
#include "contain/tool_pins.h"

#include <boost/json/object.hpp>

namespace tagout::contain {

[[nodiscard]] boost::json::object tree_of(const ProbeResult& probe);
[[nodiscard]] boost::json::object tree_of(const ControlView& view);
[[nodiscard]] boost::json::object tree_of(const PointStatus& point);
[[nodiscard]] boost::json::object tree_of(const PointChange& change);
[[nodiscard]] boost::json::object tree_of(const PendingApproval& approval);
[[nodiscard]] boost::json::object tree_of(const PinnedTool& tool);
[[nodiscard]] boost::json::object tree_of(const IssuedToken& token);
[[nodiscard]] boost::json::object tree_of(const Proposal& proposal);
/// What effects need, as members of a control: rate or budget and key, redact and where.
void put_terms(boost::json::object& object, const Control& control);
/// As POST /v1/decide answers.
[[nodiscard]] boost::json::object tree_of(const Decision& decision);

}  // namespace tagout::contain
