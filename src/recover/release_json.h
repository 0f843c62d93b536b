// Versions, bundles, rollbacks and freezes as the JSON of api/openapi.yaml.
#pragma once

#include "recover/releases.h"

#include <boost/json/object.hpp>

namespace tagout::recover {

[[nodiscard]] boost::json::object tree_of(const catalog::Version& version);
[[nodiscard]] boost::json::object tree_of(const BundleView& bundle, Instant now);
[[nodiscard]] boost::json::object tree_of(const BundleContents& contents, Instant now);
[[nodiscard]] boost::json::object tree_of(const RollbackDone& done);
[[nodiscard]] boost::json::object tree_of(const DiffView& view);
[[nodiscard]] boost::json::object tree_of(const Freeze& freeze);

}  // namespace tagout::recover
