#include "recover/release_fold.h"

#include "recover/entry_text.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace tagout::recover {

namespace json = boost::json;

namespace {

/// Whole names: other rooms write lines of an incident's timeline under the same first words.
constexpr std::array<std::string_view, 9> kinds{
    "version.published", "version.labelled", "bundle.made",    "bundle.in_force", "bundle.evidence",
    "bundle.good",       "bundle.blocked",   "bundle.unblocked", "rollback.done",
};

}  // namespace

std::uint32_t Line::holder(std::string_view label) const {
    if (label == catalog::latest_label) {
        return static_cast<std::uint32_t>(versions.size());
    }
    const auto found = labels.find(label);
    return found == labels.end() || found->second.empty() ? 0 : found->second.back().number;
}

std::uint32_t Line::previous_holder(std::string_view label) const {
    const auto found = labels.find(label);
    if (found == labels.end()) {
        return 0;
    }
    const std::uint32_t now = holder(label);
    const auto before = std::find_if(
        found->second.rbegin(),
        found->second.rend(),
        [now](const LabelMove& move) { return move.number != now; }
    );
    return before == found->second.rend() ? 0 : before->number;
}

bool Line::was_labelled(std::uint32_t number) const {
    return std::ranges::any_of(labels, [number](const auto& label) {
        return std::ranges::any_of(label.second, [number](const LabelMove& move) {
            return move.number == number;
        });
    });
}

catalog::Version Line::version(std::uint32_t number, bool with_content) const {
    catalog::Version found = versions[number - 1];
    found.agent = agent;
    found.workflow = workflow;
    for (const auto& [label, moves] : labels) {
        if (!moves.empty() && moves.back().number == number) {
            found.labels.push_back(label);
        }
    }
    if (with_content) {
        found.content = *contents[number - 1];
    }
    return found;
}

std::uint32_t Line::number_of_hash(std::string_view hash) const {
    const auto found = std::ranges::find(versions, hash, &catalog::Version::hash);
    return found == versions.end() ? 0 : found->number;
}

const Line* ReleaseFold::find(const catalog::VersionKey& key) const {
    const auto found = lines_.find(key);
    return found == lines_.end() ? nullptr : &found->second;
}

bool ReleaseFold::apply(const journal::JournalEntry& entry) {
    const std::string& kind = entry.draft.kind;
    if (std::ranges::find(kinds, kind) == kinds.end()) {
        return false;
    }
    const std::optional<json::object> body = object_of(entry.draft.body);
    bool read = body.has_value();
    if (read && kind == "version.published") {
        read = publish(entry, *body);
    } else if (read && kind == "version.labelled") {
        read = label(entry, *body);
    } else if (read && kind != "rollback.done") {
        read = bundle(entry, *body);
    }
    unreadable_ += read ? 0 : 1;
    return true;
}

bool ReleaseFold::publish(const journal::JournalEntry& entry, const json::object& body) {
    const auto key = key_at(body);
    const std::uint64_t number = number_at(body, "number");
    if (!key) {
        return false;
    }
    const auto known = lines_.find(*key);
    const std::size_t versions = known == lines_.end() ? 0 : known->second.versions.size();
    if (number != versions + 1) {
        return number != 0 && number <= versions;
    }
    Line& line = lines_[*key];
    catalog::Version version;
    version.key = *key;
    version.number = static_cast<std::uint32_t>(number);
    std::string content = text_at(body, "content");
    version.hash = text_at(body, "hash");
    version.author = entry.draft.actor;
    version.message = entry.draft.reason;
    version.created_at = entry.draft.occurred_at;
    version.incident = IncidentId(text_at(body, "incident"));
    if (line.agent.empty()) {
        line.agent = AgentName(text_at(body, "agent"));
    }
    if (line.workflow.empty()) {
        line.workflow = WorkflowName(text_at(body, "workflow"));
    }
    content_bytes_ += content.size();
    line.versions.push_back(std::move(version));
    line.contents.push_back(std::make_shared<const std::string>(std::move(content)));
    return true;
}

bool ReleaseFold::label(const journal::JournalEntry& entry, const json::object& body) {
    const auto key = key_at(body);
    const std::string name = text_at(body, "label");
    const auto found = key ? lines_.find(*key) : lines_.end();
    const std::uint64_t number = number_at(body, "to");
    if (found == lines_.end() || name.empty() || number == 0 ||
        number > found->second.versions.size()) {
        return false;
    }
    Line& line = found->second;
    std::vector<LabelMove>& moves = line.labels[name];
    moves.push_back(
        {static_cast<std::uint32_t>(number), entry.draft.occurred_at, entry.draft.actor}
    );
    if (moves.size() > Line::moves_max) {
        moves.erase(moves.begin());
    }
    if (name == catalog::production_label) {
        line.versions[number - 1].was_production = true;
    }
    return true;
}

bool ReleaseFold::bundle(const journal::JournalEntry& entry, const json::object& body) {
    const std::string& kind = entry.draft.kind;
    const AgentName agent(text_at(body, "agent"));
    const std::string id = text_at(body, "id");
    if (kind == "bundle.unblocked") {
        bundles_.unblock(IncidentId(text_at(body, "incident")));
        return true;
    }
    if (agent.empty() || id.empty()) {
        return false;
    }
    if (kind == "bundle.made") {
        std::optional<catalog::Bundle> made = bundle_of(body);
        if (!made) {
            return false;
        }
        bundles_.make(std::move(*made), entry.draft.occurred_at, entry.draft.actor);
    } else if (kind == "bundle.in_force") {
        bundles_.put_in_force(agent, id, entry.draft.occurred_at);
    } else if (kind == "bundle.evidence") {
        bundles_.add_evidence(agent, id, tally_of(body));
    } else if (kind == "bundle.good") {
        bundles_.set_good(agent, id, entry.draft.occurred_at, entry.draft.reason);
    } else if (kind == "bundle.blocked") {
        bundles_.block(agent, id, IncidentId(text_at(body, "incident")));
    } else {
        return false;
    }
    return true;
}

catalog::Bundle ReleaseFold::present_set(const AgentName& agent, std::vector<std::string> tools)
    const {
    catalog::Bundle bundle;
    bundle.agent = agent;
    for (const auto& [key, line] : lines_) {
        const std::uint32_t number = line.holder(catalog::production_label);
        if (line.agent == agent && number > 0 && key.family != catalog::VersionFamily::Profile) {
            bundle.versions.push_back({key, number, line.versions[number - 1].hash});
        }
    }
    std::ranges::sort(tools);
    bundle.tools = std::move(tools);
    bundle.id = catalog::bundle_id(bundle);
    return bundle;
}

std::vector<AgentName> ReleaseFold::agents() const {
    std::set<AgentName> names;
    for (const auto& [key, line] : lines_) {
        if (!line.agent.empty()) {
            names.insert(line.agent);
        }
    }
    return {names.begin(), names.end()};
}

}  // namespace tagout::recover
