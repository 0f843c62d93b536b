// The containment routes: from parsed requests to the book of controls, approvals and decide().
#pragma once

#include "base/result.h"
#include "catalog/catalog.h"
#include "contain/approvals.h"
#include "contain/controls.h"
#include "contain/tool_pins.h"
#include "incident/desk.h"
#include "net/http_server.h"
#include "server/ports.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tagout::server {

struct ContainmentParts {
    contain::Controls* controls = nullptr;  ///< Null: the routes answer that there is none.
    contain::Approvals* approvals = nullptr;
    std::function<std::shared_ptr<const catalog::Catalog>()> catalog = {};
    const Clock* clock = nullptr;  ///< For conditions that ask for the time.
    Backtester* backtester = nullptr;
    contain::ToolPins* pins = nullptr;
    /// Whether a version that is to be pinned was ever published; its error says what there is.
    std::function<Result<void>(const PinnedVersion&)> check_version = {};
};

/// `applied` as it stands once points acknowledged and probes came back, or after a second as it is.
[[nodiscard]] contain::ControlView settled(
    contain::Controls& controls, const contain::ControlView& applied
);
[[nodiscard]] Result<Scope> read_scope(const std::string& text);

/// Whether `operation` is answered here.
[[nodiscard]] bool is_containment(std::string_view operation) noexcept;

/// `argument` is the segment of the path. Answers JSON.
[[nodiscard]] Result<std::string> answer_containment(
    const ContainmentParts& parts, const incident::Desk& desk, std::string_view operation,
    std::string_view argument, const net::ServerRequest& request
);

}  // namespace tagout::server
