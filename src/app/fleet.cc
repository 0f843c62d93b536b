#include "app/fleet.h"

#include "app/evidence_key.h"
#include "base/log.h"
#include "catalog/config_write.h"

#include <sodium.h>

#include <array>
#include <map>
#include <set>

namespace tagout::app {

namespace {

namespace fleet = contain::fleet;

constexpr std::size_t versions_max = 5'000;
/// Of one prompt or route: the newest that a gateway of the fleet can be told to pin.
constexpr std::size_t pinnable_versions_max = 10;

std::string fresh_secret() {
    std::array<unsigned char, 32> bytes{};
    randombytes_buf(bytes.data(), bytes.size());
    std::array<char, 65> hex{};
    sodium_bin2hex(hex.data(), hex.size(), bytes.data(), bytes.size());
    return hex.data();
}

std::string_view family_path(catalog::VersionFamily family) {
    switch (family) {
        case catalog::VersionFamily::Prompt:
            return "prompts";
        case catalog::VersionFamily::Policy:
            return "policies";
        case catalog::VersionFamily::ModelRoute:
            return "model-routes";
        case catalog::VersionFamily::Profile:
            break;
    }
    return "";
}

}  // namespace

server::FleetTimes fleet_times(const contain::Settings& settings) {
    server::FleetTimes times;
    times.lost_after = settings.lost_after;
    times.terms.heartbeat = settings.heartbeat;
    times.terms.lease = settings.lease;
    times.terms.closed.clear();
    for (const auto& [closes, name] :
         {std::pair(settings.lease_closes_high_risk, "high_risk"),
          std::pair(settings.lease_closes_write, "write"),
          std::pair(settings.lease_closes_egress, "egress"),
          std::pair(settings.lease_closes_read, "read")}) {
        if (closes) {
            times.terms.closed.emplace_back(name);
        }
    }
    return times;
}

std::string catalog_part(const catalog::Catalog& catalog) {
    return catalog::enforcement_config(catalog.contents());
}

std::string versions_part(const recover::Releases& releases) {
    std::vector<fleet::LabelledVersion> all;
    std::set<catalog::VersionKey> keys;
    std::vector<std::pair<catalog::VersionKey, std::string>> pinnable;
    std::map<catalog::VersionKey, std::size_t> of_key;
    std::set<std::pair<catalog::VersionKey, std::string>> labels;
    std::size_t total = 0;
    for (const catalog::Version& version : releases.list(std::nullopt, "", versions_max, total)) {
        if (!family_path(version.key.family).empty()) {
            labels.emplace(version.key, catalog::latest_label);
            if (++of_key[version.key] <= pinnable_versions_max) {
                pinnable.emplace_back(version.key, "v" + std::to_string(version.number));
            }
            for (const std::string& label : version.labels) {
                labels.emplace(version.key, label);
            }
        }
    }
    std::size_t bytes = 0;
    std::size_t left_out = 0;
    // What agents ask for first: the numbers are there for controls that pin one.
    std::vector<std::pair<catalog::VersionKey, std::string>> wanted(labels.begin(), labels.end());
    wanted.insert(wanted.end(), pinnable.begin(), pinnable.end());
    for (const auto& [key, label] : wanted) {
        Result<recover::Fetched> fetched = releases.fetch(key, label);
        if (!fetched) {
            continue;
        }
        // As JSON in JSON a text grows by its quotes; half of the bound leaves room for that.
        bytes += fetched->body.size();
        if (bytes > fleet::part_bytes_max / 2 || all.size() >= fleet::versions_max) {
            ++left_out;
            continue;
        }
        all.push_back(
            {std::string(family_path(key.family)), key.name, label, std::move(fetched->body),
             std::move(fetched->etag)}
        );
    }
    if (left_out > 0) {
        log::error("versions_not_told", {{"versions", left_out}, {"why", "too long together"}});
    }
    return all.empty() ? "" : fleet::versions_part(all);
}

Result<std::unique_ptr<FleetControl>> FleetControl::make(FleetControlParts parts) {
    std::unique_ptr<FleetControl> control(new FleetControl);
    control->book_ = fleet::FleetBook::make(parts.journal, parts.clock, fresh_secret);
    TAGOUT_TRY(control->book_->rebuild());
    const server::FleetTimes times = fleet_times(parts.settings);
    auto teller = std::make_shared<server::FleetTeller>(
        TAGOUT_TRY(load_or_make_evidence_key(parts.data_dir)),
        parts.clock,
        server::FleetTeller::Sources{
            [catalog = parts.catalog] { return catalog_part(*catalog()); },
            [&releases = parts.releases] { return versions_part(releases); },
            [&agents = parts.agents] { return agents.credentials()->part(); }},
        times.terms
    );
    control->hub_ = std::make_unique<server::FleetHub>(server::FleetParts{
        parts.controls, parts.approvals, *control->book_, std::move(teller), parts.intake,
        parts.clock, parts.metrics, times});
    parts.agents.on_change([hub = control->hub_.get()] { hub->parts_changed(); });
    return control;
}

}  // namespace tagout::app
