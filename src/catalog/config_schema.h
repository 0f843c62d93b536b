// The JSON Schema of tagout.yaml (draft 2020-12), for editors: completion, help and early errors.
//
// Made from catalog/config_describe.h, which also drives the reader, so no key can stand in one of
// them alone. api/tagout.schema.json is its output without settings of other rooms; a program that
// links those rooms passes what declare_settings() gives and gets their keys as well. An editor
// checks form only: references between sections are `tagout check`'s. Pure.
#pragma once

#include "catalog/setting_reader.h"

#include <span>
#include <string>

namespace tagout::catalog {

/// Pretty-printed, ending in a line feed. Keys stand in the order of their declaration. Where
/// `settings` has no path of a subtree (detection, incidents, server), the schema leaves it open.
[[nodiscard]] std::string config_schema(std::span<const SettingDeclared> settings = {});

}  // namespace tagout::catalog
