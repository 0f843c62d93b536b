#include "recover/release_json.h"

#include "recover/entry_text.h"

#include <boost/json.hpp>

namespace tagout::recover {

namespace json = boost::json;

json::object tree_of(const catalog::Version& version) {
    json::object tree = tree_of(catalog::VersionRef{version.key, version.number, version.hash});
    tree["author"] = version.author.text();
    tree["message"] = version.message;
    tree["created_at"] = to_rfc3339(version.created_at);
    tree["labels"] = json::array(version.labels.begin(), version.labels.end());
    tree["was_production"] = version.was_production;
    put_text(tree, "agent", version.agent.text());
    put_text(tree, "workflow", version.workflow.text());
    put_text(tree, "incident", version.incident.text());
    put_text(tree, "content", version.content);
    return tree;
}

json::object tree_of(const BundleView& view, Instant now) {
    const BundleRecord& record = view.record;
    json::object tree = tree_of(record.bundle);
    tree["made_at"] = to_rfc3339(record.made_at);
    tree["made_by"] = record.made_by.text();
    tree["in_force"] = view.in_force;
    if (record.last_in_force_at) {
        tree["last_in_force_at"] = to_rfc3339(view.in_force ? now : *record.last_in_force_at);
    }
    tree["good"] = record.is_good();
    if (record.good_at) {
        tree["good_at"] = to_rfc3339(*record.good_at);
        tree["good_reason"] = record.good_reason;
    }
    tree["last_known_good"] = view.last_known_good;
    json::array blocked_by;
    for (const IncidentId& each : record.blocked_by) {
        blocked_by.emplace_back(each.text());
    }
    tree["blocked_by"] = std::move(blocked_by);
    json::object evidence = tree_of(record.evidence);
    evidence["in_force_seconds"] =
        std::chrono::duration<double>(record.in_force_until(now)).count();
    tree["evidence"] = std::move(evidence);
    tree["sentence"] = view.sentence;
    return tree;
}

json::object tree_of(const BundleContents& contents, Instant now) {
    json::array versions;
    for (const catalog::Version& each : contents.versions) {
        versions.push_back(tree_of(each));
    }
    json::array shared;
    for (const catalog::Version& each : contents.shared) {
        shared.push_back(tree_of(each));
    }
    return json::object{
        {"tagout_bundle", 1},
        {"bundle", tree_of(contents.bundle, now)},
        {"versions", std::move(versions)},
        {"shared", std::move(shared)}};
}

json::object tree_of(const RollbackDone& done) {
    json::array moves;
    for (const LabelMoved& each : done.moves) {
        json::object move;
        put_key(move, each.key);
        move["label"] = each.label;
        move["from"] = each.from;
        move["to"] = each.to;
        move["hash"] = each.hash;
        moves.push_back(std::move(move));
    }
    json::object tree;
    if (done.whole_bundle) {
        tree["family"] = "bundle";
        tree["name"] = done.agent.text();
    } else if (!done.moves.empty()) {
        put_key(tree, done.moves.front().key);
    }
    put_text(tree, "bundle", done.bundle);
    tree["target"] = name_of(done.target);
    tree["sentence"] = done.sentence;
    put_text(tree, "incident", done.incident.text());
    tree["moves"] = std::move(moves);
    return tree;
}

json::object tree_of(const DiffView& view) {
    json::object tree;
    put_key(tree, view.key);
    tree["from"] = view.from;
    tree["to"] = view.to;
    tree["added"] = view.diff.added;
    tree["removed"] = view.diff.removed;
    tree["whole"] = view.diff.whole;
    json::array lines;
    for (const DiffLine& each : view.diff.lines) {
        json::object line{{"kind", name_of(each.kind)}, {"text", each.text}};
        if (each.from_line > 0) {
            line["from_line"] = each.from_line;
        }
        if (each.to_line > 0) {
            line["to_line"] = each.to_line;
        }
        lines.push_back(std::move(line));
    }
    tree["lines"] = std::move(lines);
    const std::string name = catalog::to_text(view.key);
    tree["text"] = unified(
        view.diff, name + " v" + std::to_string(view.from), name + " v" + std::to_string(view.to)
    );
    return tree;
}

json::object tree_of(const Freeze& freeze) {
    json::object tree{
        {"incident", freeze.incident.text()},
        {"severity", name_of(freeze.severity)},
        {"title", freeze.title}};
    put_text(tree, "agent", freeze.agent.text());
    put_text(tree, "workflow", freeze.workflow.text());
    tree["since"] = to_rfc3339(freeze.since);
    tree["sentence"] = freeze.sentence;
    return tree;
}

}  // namespace tagout::recover
