// The generated pages of docs/reference/: made from the one definition of each thing.
#pragma once

#include <string>

namespace tagout::app {

[[nodiscard]] std::string settings_page();  ///< From every room's describe().
[[nodiscard]] std::string metrics_page();   ///< From every room's metric_list.
[[nodiscard]] std::string errors_page();    ///< From server/error_map.
[[nodiscard]] std::string routes_page();    ///< From server/routes.h.

}  // namespace tagout::app
