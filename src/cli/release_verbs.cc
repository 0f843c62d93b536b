#include "cli/release_verbs.h"

#include "cli/json_text.h"

#include <boost/json.hpp>

#include <cstdlib>


namespace tagout::cli {

namespace {

namespace json = boost::json;

/// "a, b" of a list of texts.
std::string joined(const json::array& items) {
    std::string text;
    for (const json::value& item : items) {
        text += (text.empty() ? "" : ", ") +
                (item.is_string() ? std::string(item.as_string()) : json::serialize(item));
    }
    return text;
}

void print_versions(const json::array& versions, Terminal& terminal) {
    const std::string now = now_text();
    std::vector<std::vector<std::string>> rows;
    for (const json::value& each : versions) {
        rows.push_back(
            {field(each, "family"),
             field(each, "name"),
             "v" + field(each, "number"),
             field(each, "hash"),
             joined(array_at(each, "labels")),
             short_time(field(each, "created_at"), now),
             field(each, "author"),
             field(each, "message")}
        );
    }
    terminal.line(table(
        {"FAMILY", "NAME", "V", "HASH", "LABELS", "AT", "BY", "WHY"}, rows, terminal.width()
    ));
}

void render_versions(const json::value& answer, Terminal& terminal) {
    const json::array& versions = array_at(answer, "versions");
    if (versions.empty()) {
        terminal.line("no versions; tagout catalog publish makes the first");
        return;
    }
    print_versions(versions, terminal);
}

void render_version(const json::value& version, Terminal& terminal) {
    print_versions(json::array{version}, terminal);
}

void render_content(const json::value& version, Terminal& terminal) {
    print_versions(json::array{version}, terminal);
    terminal.line("");
    terminal.line(field(version, "content"));
}

void render_diff(const json::value& answer, Terminal& terminal) {
    const std::string text = field(answer, "text");
    if (text.empty()) {
        terminal.line("nothing differs");
        return;
    }
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        const std::string_view line = rest.substr(0, end);
        const Tone tone = line.starts_with('+')    ? Tone::Green
                          : line.starts_with('-')  ? Tone::Red
                          : line.starts_with("@@") ? Tone::Dim
                                                   : Tone::Plain;
        terminal.line(terminal.toned(line, tone));
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
    if (field(answer, "whole") == "true") {
        terminal.note("the texts are too large to be compared line by line; they are shown whole");
    }
}

void render_profile(const json::value& version, Terminal& terminal) {
    const std::string content = field(version, "content");
    terminal.line(content.substr(0, content.find_last_not_of('\n') + 1));
}

void render_profiles(const json::value& answer, Terminal& terminal) {
    std::vector<std::vector<std::string>> rows;
    for (const json::value& each : array_at(answer, "profiles")) {
        std::string keys;
        for (const auto& [facet, count] : each.at("keys").as_object()) {
            if (const std::string text = json::serialize(count); text != "0") {
                keys += (keys.empty() ? "" : ", ") + text + " " + std::string(facet);
            }
        }
        const std::string version = field(each, "version");
        const std::string held = field(each, "held_by");
        rows.push_back(
            {field(each, "workflow"),
             field(each, "good_sessions"),
             version == "0" ? "-" : "v" + version,
             !held.empty()                       ? "stopped by " + held
             : field(each, "unsaved") == "true" ? "learning, more than saved"
                                                 : "learning",
             field(each, "name"),
             keys}
        );
    }
    if (rows.empty()) {
        terminal.line("nothing is known of any workflow yet: good sessions teach it");
        return;
    }
    terminal.line(table(
        {"WORKFLOW", "GOOD SESSIONS", "V", "STATE", "NAME", "KNOWS"}, rows, terminal.width()
    ));
}

std::string versions_of(const json::value& bundle) {
    std::string text;
    for (const json::value& each : array_at(bundle, "versions")) {
        text += (text.empty() ? "" : ", ") + field(each, "family") + ":" + field(each, "name") +
                " v" + field(each, "number");
    }
    return text;
}

void print_bundles(const json::array& bundles, Terminal& terminal) {
    std::vector<std::vector<std::string>> rows;
    for (const json::value& each : bundles) {
        const bool good = field(each, "last_known_good") == "true";
        const std::string state =
            std::string(field(each, "in_force") == "true" ? "in force" : "-") +
            (good ? ", last known good" : "");
        rows.push_back(
            {field(each, "agent"), field(each, "id"), state, versions_of(each),
             field(each, "sentence")}
        );
    }
    terminal.line(
        table({"AGENT", "BUNDLE", "STATE", "VERSIONS", "WHAT IS KNOWN"}, rows, terminal.width())
    );
}

void render_bundles(const json::value& answer, Terminal& terminal) {
    const json::array& bundles = array_at(answer, "bundles");
    if (bundles.empty()) {
        terminal.line(
            "no bundles; one is made when a version with an agent gets the label production"
        );
        return;
    }
    print_bundles(bundles, terminal);
}

void render_bundle(const json::value& bundle, Terminal& terminal) {
    print_bundles(json::array{bundle}, terminal);
}

void render_rollback(const json::value& answer, Terminal& terminal) {
    terminal.line(field(answer, "sentence"));
    if (const std::string bundle = field(answer, "bundle"); !bundle.empty()) {
        terminal.line("in force now: " + bundle);
    }
}

void render_freezes(const json::value& answer, Terminal& terminal) {
    const json::array& freezes = array_at(answer, "freezes");
    if (freezes.empty()) {
        terminal.line("nothing is frozen");
    }
    for (const json::value& each : freezes) {
        terminal.line(field(each, "sentence"));
    }
}

/// "12.5" milliseconds as people read them.
std::string took_text(const std::string& milliseconds) {
    const double value = std::strtod(milliseconds.c_str(), nullptr);
    const Duration took(static_cast<std::int64_t>(value * 1e6));
    return took < std::chrono::milliseconds(1)
               ? "under 1ms"
               : to_text(std::chrono::floor<std::chrono::milliseconds>(took));
}

std::vector<std::string> run_row(const json::value& run, Terminal& terminal, std::string_view now) {
    const bool passed = field(run, "passed") == "true";
    return {
        field(run, "journey"),
        terminal.toned(passed ? "passed" : "failed", passed ? Tone::Green : Tone::Red),
        short_time(field(run, "at"), now),
        took_text(field(run, "duration_ms")),
        field(run, "actor"),
        field(run, "sentence")};
}

void render_runs(const json::value& answer, Terminal& terminal) {
    std::vector<std::vector<std::string>> rows;
    for (const json::value& each : array_at(answer, "runs")) {
        rows.push_back(run_row(each, terminal, now_text()));
    }
    terminal.line(
        table({"JOURNEY", "RESULT", "AT", "TOOK", "BY", "WHAT"}, rows, terminal.width())
    );
}

void render_journeys(const json::value& answer, Terminal& terminal) {
    std::vector<std::vector<std::string>> rows;
    for (const json::value& each : array_at(answer, "journeys")) {
        const json::array& runs = array_at(each, "runs");
        std::vector<std::string> row{
            field(each, "name"), joined(array_at(each, "tools")), "never run", "", ""};
        if (!runs.empty()) {
            const std::vector<std::string> last = run_row(runs.front(), terminal, now_text());
            row = {
                row[0], row[1],
                last[1] + (field(runs.front(), "current") == "true" ? "" : " (changed since)"),
                last[2], last[5]};
        }
        rows.push_back(std::move(row));
    }
    if (rows.empty()) {
        terminal.line("no journeys; add one under journeys in tagout.yaml");
        return;
    }
    terminal.line(table({"JOURNEY", "TOOLS", "LAST RUN", "AT", "WHAT"}, rows, terminal.width()));
}

int passed_or_one(const json::value& answer) {
    return field(answer, "passed") == "true" ? 0 : 1;
}

constexpr VerbArgument family{
    "family", "prompt, policy, model_route or profile", ArgumentKind::Text, true, true};
constexpr VerbArgument name{"name", "Its name", ArgumentKind::Text, true, true};
constexpr VerbArgument incident{"incident", "The incident whose change it is, such as INC-1"};
constexpr VerbArgument emergency{"emergency", "Why it cannot wait for the end of a freeze"};
constexpr VerbArgument from{"from", "What it is expected to be at now; refused when it is not"};

}  // namespace

VerbGroup catalog_verbs() {
    return {
        "catalog",
        "Prompts, policies, model routes and profiles: versions, labels, bundles",
        {
            {"publish",
             "Publish a version; the same content is the version that exists",
             "POST",
             "/v1/versions",
             {family,
              name,
              {"content", "File with the content, - for standard input", ArgumentKind::File, true,
               false, "--file"},
              {"message", "What changed and why", ArgumentKind::Text, true},
              {"label", "Label to point at it, such as production"},
              {"agent", "Whose it is; without one it belongs to all"},
              {"workflow", "The workflow it is for"},
              incident,
              emergency,
              as_argument},
             {},
             render_version},
            {"versions",
             "Versions, newest first",
             "GET",
             "/v1/versions",
             {{"family", "prompt, policy, model_route or profile", ArgumentKind::Text, false, true},
              {"name", "Its name", ArgumentKind::Text, false, true},
              {"limit", "At most so many", ArgumentKind::Number}},
             {},
             render_versions},
            {"show",
             "One version with its content",
             "GET",
             "/v1/versions/{hash}",
             {{"hash", "Its hash, or the beginning of it", ArgumentKind::Text, true, true}},
             {},
             render_content},
            {"diff",
             "What changed between two versions",
             "GET",
             "/v1/diff",
             {family,
              name,
              {"from", "A number, hash or label", ArgumentKind::Text, true, true},
              {"to", "A number, hash or label", ArgumentKind::Text, true, true}},
             {},
             render_diff},
            {"label",
             "Point a label at a version",
             "POST",
             "/v1/labels",
             {family,
              name,
              {"label", "production, canary, ...", ArgumentKind::Text, true, true},
              {"to", "A number, hash or label", ArgumentKind::Text, true, true},
              reason_argument,
              from,
              incident,
              emergency,
              as_argument},
             {},
             render_version},
            {"profiles",
             "What the good sessions of each workflow use, and whether it is being learned",
             "GET",
             "/v1/profiles",
             {},
             {},
             render_profiles},
            {"profile",
             "A workflow's profile in force, as JSON: edit it and publish it with --label production",
             "GET",
             "/v1/profiles/{name}",
             {{"name", "Its name, as catalog profiles shows it", ArgumentKind::Text, true, true},
              {"label", "Another label than production"}},
             {},
             render_profile},
            {"bundles",
             "Bundles and what is known for and against them",
             "GET",
             "/v1/bundles",
             {{"agent", "Of this agent only", ArgumentKind::Text, false, true}},
             {},
             render_bundles},
            {"bundle",
             "The bundle that an agent runs, with the content of every version, as a file for CI",
             "GET",
             "/v1/bundles/{agent}",
             {{"agent", "The agent", ArgumentKind::Text, true, true},
              {"id", "Another bundle of the agent"},
              {"file", "Where to write it; without one it is printed", ArgumentKind::Text, false, false,
               "-o,--out"}},
             {},
             nullptr,
             nullptr,
             "file"},
            {"make-bundle",
             "Name what an agent runs now as a bundle",
             "POST",
             "/v1/bundles",
             {{"agent", "The agent", ArgumentKind::Text, true, true}, reason_argument, as_argument},
             {},
             render_bundle},
        }};
}

VerbGroup release_verbs() {
    return {
        "",
        "",
        {
            {"rollback",
             "Go back: rollback FAMILY NAME, or rollback bundle AGENT",
             "POST",
             "/v1/rollback",
             {{"family", "prompt, policy, model_route, profile, or bundle", ArgumentKind::Text, true, true},
              {"name", "Its name; with bundle the agent", ArgumentKind::Text, true, true},
              {"to", "A number or hash; without it the last known good, else what was before"},
              reason_argument,
              from,
              incident,
              emergency,
              as_argument},
             {},
             render_rollback},
            {"freezes", "Incidents that freeze changes now", "GET", "/v1/freezes", {}, {},
             render_freezes},
        }};
}

VerbGroup journey_verbs() {
    return {
        "journeys",
        "Paths that users must be able to complete",
        {
            {"list", "Journeys with their last run", "GET", "/v1/journeys", {}, {},
             render_journeys},
            {"run",
             "Run journeys; exit 1 when one fails",
             "POST",
             "/v1/journeys/run",
             {{"names", "Which; without names all", ArgumentKind::List, false, true},
              {"tool", "Those that name this tool"},
              {"reason", "Why"},
              as_argument},
             {},
             render_runs,
             passed_or_one},
        }};
}

}  // namespace tagout::cli
