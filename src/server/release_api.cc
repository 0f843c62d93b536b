#include "server/release_api.h"

#include "recover/journey_json.h"
#include "recover/release_json.h"
#include "server/body.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace tagout::server {

namespace {

namespace json = boost::json;
using catalog::VersionFamily;
using catalog::VersionKey;
using recover::By;

constexpr std::size_t reason_bytes_max = 2'000;
constexpr std::size_t actor_bytes_max = 200;
constexpr std::size_t name_bytes_max = 200;
constexpr std::size_t content_bytes_max = 1024 * 1024;  ///< The desk's own limit is lower.
constexpr std::size_t versions_max = 1'000;
constexpr std::size_t versions_default = 200;

By read_by(Body& body, bool reason_required) {
    const std::string actor = body.text("actor", false, actor_bytes_max);
    return {
        Actor(actor.empty() ? std::string("token:admin") : "person:" + actor),
        body.text("reason", reason_required, reason_bytes_max)};
}

recover::Passage read_passage(Body& body) {
    return {
        IncidentId(body.text("incident", false, 40)),
        body.text("emergency", false, reason_bytes_max)};
}

std::optional<VersionFamily> read_family(Body& body) {
    return body.choice(
        "family", true, catalog::version_family_names, catalog::parse_version_family
    );
}

Result<std::optional<VersionFamily>> family_of(const net::ServerRequest& request, bool required) {
    const std::string name = request.query("family");
    if (name.empty() && !required) {
        return std::optional<VersionFamily>();
    }
    const std::optional<VersionFamily> family = catalog::parse_version_family(name);
    if (!family) {
        return fail(
            ErrorCode::InvalidArgument,
            "'family' must be one of " + std::string(catalog::version_family_names)
        );
    }
    return family;
}

Result<ReleaseAnswer> json_of(const json::object& tree, int status = 200) {
    return ReleaseAnswer{status, "", json::serialize(tree)};
}

template <class Rows>
json::array array_of(const Rows& rows) {
    json::array array;
    for (const auto& row : rows) {
        array.push_back(recover::tree_of(row));
    }
    return array;
}

Result<ReleaseAnswer> list_versions(
    const recover::Releases& releases, const net::ServerRequest& request
) {
    const auto family = TAGOUT_TRY(family_of(request, false));
    std::size_t limit = versions_default;
    if (const std::string text = request.query("limit"); !text.empty()) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
        if (error != std::errc{} || end != text.data() + text.size() || limit < 1 ||
            limit > versions_max) {
            return fail(ErrorCode::InvalidArgument, "'limit' must be a number from 1 to 1000");
        }
    }
    std::size_t total = 0;
    json::array rows = array_of(releases.list(family, request.query("name"), limit, total));
    return json_of(json::object{{"versions", std::move(rows)}, {"total", total}});
}

Result<ReleaseAnswer> publish(recover::Releases& releases, Body body) {
    recover::PublishDraft draft;
    const auto family = read_family(body);
    draft.key.name = body.text("name", true, name_bytes_max);
    draft.content = body.text("content", true, content_bytes_max);
    draft.message = body.text("message", true, reason_bytes_max);
    draft.agent = AgentName(body.text("agent", false, name_bytes_max));
    draft.workflow = WorkflowName(body.text("workflow", false, name_bytes_max));
    draft.label = body.text("label", false, catalog::label_bytes_max);
    draft.passage = read_passage(body);
    const std::string actor = body.text("actor", false, actor_bytes_max);
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    draft.key.family = *family;
    const By by{
        Actor(actor.empty() ? std::string("token:admin") : "person:" + actor), draft.message};
    return json_of(recover::tree_of(TAGOUT_TRY(releases.publish(draft, by))), 201);
}

Result<ReleaseAnswer> move_label(recover::Releases& releases, Body body) {
    recover::LabelDraft draft;
    const auto family = read_family(body);
    draft.key.name = body.text("name", true, name_bytes_max);
    draft.label = body.text("label", true, catalog::label_bytes_max);
    draft.to = body.text("to", true, catalog::label_bytes_max);
    draft.from = body.text("from", false, catalog::label_bytes_max);
    draft.passage = read_passage(body);
    const By by = read_by(body, true);
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    draft.key.family = *family;
    catalog::Version version = TAGOUT_TRY(releases.label(draft, by));
    version.content.clear();
    return json_of(recover::tree_of(version));
}

Result<ReleaseAnswer> roll_back(recover::Releases& releases, Body body) {
    const std::string family = body.text("family", true, 40);
    const std::string name = body.text("name", true, name_bytes_max);
    const std::string to = body.text("to", false, catalog::label_bytes_max);
    const std::string from = body.text("from", false, catalog::label_bytes_max);
    const recover::Passage passage = read_passage(body);
    const By by = read_by(body, true);
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    if (family == "bundle") {
        return json_of(recover::tree_of(
            TAGOUT_TRY(releases.rollback_bundle({AgentName(name), to, from, passage}, by))
        ));
    }
    const std::optional<VersionFamily> known = catalog::parse_version_family(family);
    if (!known) {
        return fail(
            ErrorCode::InvalidArgument,
            "'family' must be one of " + std::string(catalog::version_family_names) + ", bundle"
        );
    }
    return json_of(recover::tree_of(
        TAGOUT_TRY(releases.rollback({VersionKey{*known, name}, to, from, passage}, by))
    ));
}

Result<ReleaseAnswer> diff(const recover::Releases& releases, const net::ServerRequest& request) {
    const auto family = TAGOUT_TRY(family_of(request, true));
    const VersionKey key{*family, request.query("name")};
    const std::string from = request.query("from");
    const std::string to = request.query("to");
    if (key.name.empty() || from.empty() || to.empty()) {
        return fail(
            ErrorCode::InvalidArgument, "'name', 'from' and 'to' say which two versions to compare"
        );
    }
    return json_of(recover::tree_of(TAGOUT_TRY(releases.diff(key, from, to))));
}

Result<ReleaseAnswer> fetch(
    const recover::Releases& releases, VersionFamily family, std::string_view name,
    const net::ServerRequest& request
) {
    recover::Fetched fetched =
        TAGOUT_TRY(releases.fetch({family, std::string(name)}, request.query("label")));
    const bool held = request.header("If-None-Match").find(fetched.etag) != std::string_view::npos;
    return ReleaseAnswer{held ? 304 : 200, std::move(fetched.etag),
                         held ? std::string() : std::move(fetched.body)};
}

Result<ReleaseAnswer> list_bundles(
    const ReleaseDesks& desks, const net::ServerRequest& request
) {
    json::array rows;
    for (const recover::BundleView& each :
         desks.releases->bundles(AgentName(request.query("agent")))) {
        rows.push_back(recover::tree_of(each, desks.clock->now()));
    }
    return json_of(json::object{{"bundles", std::move(rows)}});
}

Result<ReleaseAnswer> make_bundle(const ReleaseDesks& desks, Body body) {
    const AgentName agent(body.text("agent", true, name_bytes_max));
    const By by = read_by(body, true);
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    const recover::BundleView made = TAGOUT_TRY(desks.releases->make_bundle(agent, by));
    return json_of(recover::tree_of(made, desks.clock->now()), 201);
}

Result<ReleaseAnswer> list_profiles(const ReleaseDesks& desks) {
    constexpr std::size_t profiles_max = 1'000;
    json::array rows;
    if (desks.profiles) {
        for (const ProfileView& each : desks.profiles(profiles_max)) {
            json::object keys;
            for (const auto& [facet, count] : each.keys) {
                keys[facet] = count;
            }
            rows.push_back(json::object{
                {"workflow", each.workflow},
                {"name", each.name},
                {"good_sessions", each.good_sessions},
                {"keys", std::move(keys)},
                {"version", each.version},
                {"unsaved", each.unsaved},
                {"held_by", each.held_by}});
        }
    }
    return json_of(json::object{{"profiles", std::move(rows)}});
}

Result<ReleaseAnswer> run_journeys(recover::Journeys& journeys, Body body) {
    const std::vector<std::string> names =
        body.texts("names", recover::Journeys::names_max, name_bytes_max);
    const std::string tool = body.text("tool", false, name_bytes_max);
    const By by = read_by(body, false);
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    const std::vector<recover::JourneyRun> runs = TAGOUT_TRY(journeys.run(names, tool, by));
    bool passed = true;
    for (const recover::JourneyRun& each : runs) {
        passed = passed && each.passed;
    }
    return json_of(json::object{{"passed", passed}, {"runs", array_of(runs)}});
}

constexpr std::array<std::string_view, 17> operations{
    "listVersions", "publishVersion", "getVersion",   "moveLabel",   "diffVersions",
    "fetchPrompt",  "fetchPolicy",    "fetchModelRoute", "listBundles", "makeBundle",
    "exportBundle", "rollback",       "listFreezes",  "listJourneys", "runJourneys",
    "listProfiles", "fetchProfile",
};

Result<ReleaseAnswer> answer_change(
    const ReleaseDesks& desks, std::string_view operation, Body body
) {
    if (operation == "publishVersion") {
        return publish(*desks.releases, std::move(body));
    }
    if (operation == "moveLabel") {
        return move_label(*desks.releases, std::move(body));
    }
    if (operation == "makeBundle") {
        return make_bundle(desks, std::move(body));
    }
    if (operation == "rollback") {
        return roll_back(*desks.releases, std::move(body));
    }
    return run_journeys(*desks.journeys, std::move(body));
}

}  // namespace

bool is_release_operation(std::string_view operation) noexcept {
    return std::ranges::find(operations, operation) != operations.end();
}

Result<ReleaseAnswer> answer_release(
    const ReleaseDesks& desks, std::string_view operation, std::string_view argument,
    const net::ServerRequest& request
) {
    if (desks.releases == nullptr || desks.journeys == nullptr || desks.clock == nullptr) {
        return fail(ErrorCode::Unavailable, "versions are not ready yet");
    }
    recover::Releases& releases = *desks.releases;
    if (operation == "listVersions") {
        return list_versions(releases, request);
    }
    if (operation == "getVersion") {
        return json_of(recover::tree_of(TAGOUT_TRY(releases.by_hash(argument))));
    }
    if (operation == "diffVersions") {
        return diff(releases, request);
    }
    if (operation == "fetchPrompt") {
        return fetch(releases, VersionFamily::Prompt, argument, request);
    }
    if (operation == "fetchPolicy") {
        return fetch(releases, VersionFamily::Policy, argument, request);
    }
    if (operation == "fetchModelRoute") {
        return fetch(releases, VersionFamily::ModelRoute, argument, request);
    }
    if (operation == "fetchProfile") {
        return fetch(releases, VersionFamily::Profile, argument, request);
    }
    if (operation == "listProfiles") {
        return list_profiles(desks);
    }
    if (operation == "listBundles") {
        return list_bundles(desks, request);
    }
    if (operation == "exportBundle") {
        const recover::BundleContents contents =
            TAGOUT_TRY(releases.bundle(AgentName(argument), request.query("id")));
        return json_of(recover::tree_of(contents, desks.clock->now()));
    }
    if (operation == "listFreezes") {
        return json_of(json::object{{"freezes", array_of(releases.freezes())}});
    }
    if (operation == "listJourneys") {
        return json_of(json::object{{"journeys", array_of(desks.journeys->list())}});
    }
    Body body = TAGOUT_TRY(Body::parse(request.body.view().empty() ? "{}" : request.body.view()));
    return answer_change(desks, operation, std::move(body));
}

}  // namespace tagout::server
