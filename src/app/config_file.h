// tagout.yaml as a whole: the catalog and every room's settings, checked together.
//
// The one place that knows which rooms have settings: for_each_settings() below. Reading the file,
// `tagout check`, the settings page and the reference are made from it.
#pragma once

#include "app/settings.h"
#include "catalog/catalog.h"
#include "catalog/config.h"
#include "catalog/setting_reader.h"
#include "contain/settings.h"
#include "detect/settings.h"
#include "incident/settings.h"
#include "notify/settings.h"
#include "prevent/settings.h"
#include "recover/settings.h"
#include "server/settings.h"
#include "store/segment/segment_log.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::app {

/// An immutable value; a reload makes a new one.
struct Configured {
    std::shared_ptr<const catalog::Catalog> catalog = std::make_shared<const catalog::Catalog>();
    detect::Settings detection;
    incident::Settings incidents;
    contain::Settings containment;
    notify::Settings notices;
    server::Settings server;
    store::SegmentLogOptions evidence;
    PipelineSettings pipeline;
    prevent::Settings gate;
    recover::Settings releases;
    std::uint64_t revision = 1;  ///< Raised by each reload.
};

/// visit(settings) for each room's struct; `subtree` is the key of tagout.yaml it stands under.
template <class C, class Visit>
void for_each_settings(C& configured, Visit&& visit) {
    visit("detection", configured.detection);
    visit("incidents", configured.incidents);
    visit("containment", configured.containment);
    visit("notify", configured.notices);
    visit("server", configured.server);
    visit("server", configured.pipeline);
    visit("evidence", configured.evidence);
    visit("gate", configured.gate);
    visit("releases", configured.releases);
}

/// What a file says, or every mistake in it; `mistakes` is empty exactly when `configured` stands.
struct ConfigFile {
    std::optional<Configured> configured;
    std::vector<catalog::Mistake> mistakes;
};

[[nodiscard]] ConfigFile check_text(std::string_view yaml, std::string_view file);

/// Reads and checks `file`. NotFound, or InvalidArgument with every mistake a line.
[[nodiscard]] Result<Configured> load_config(const std::string& file);

/// Every setting there is, with the values of `configured`.
[[nodiscard]] std::vector<catalog::SettingDeclared> settings_of(Configured configured);

}  // namespace tagout::app
