#include "catalog/config_check.h"

#include "catalog/config.h"
#include "catalog/expectation.h"

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>

namespace tagout::catalog {

namespace {

template <class T>
std::vector<std::string_view> names_of(const std::vector<T>& items) {
    std::vector<std::string_view> names;
    names.reserve(items.size());
    for (const T& item : items) {
        if constexpr (requires { item.name.text(); }) {
            names.push_back(item.name.text());
        } else {
            names.push_back(item.name);
        }
    }
    return names;
}

std::string join(std::string_view parent, std::string_view name, std::string_view field) {
    return std::string(parent) + "." + std::string(name) + "." + std::string(field);
}

std::string item(std::string_view parent, std::size_t index, std::string_view field) {
    return std::string(parent) + "[" + std::to_string(index) + "]." + std::string(field);
}

bool is_failure_status(std::string_view text) {
    if (text == "5xx" || text == "4xx") {
        return true;
    }
    return text.size() == 3 && (text[0] == '4' || text[0] == '5') && text[1] >= '0' &&
           text[1] <= '9' && text[2] >= '0' && text[2] <= '9';
}

class Checker {
public:
    Checker(const Contents& contents, const Places& places, std::span<const Mistake> misread)
        : contents_(contents), catalog_(contents), places_(places), misread_(misread) {}

    std::vector<Mistake> run() {
        agents();
        workflows();
        tools();
        model_upstreams();
        owners();
        channels();
        severity_rules();
        playbooks();
        journeys();
        identity();
        return std::move(mistakes_);
    }

private:
    void add(std::string path, std::string what, std::string remedy) {
        mistakes_.push_back(places_.mistake(std::move(path), std::move(what), std::move(remedy)));
    }

    /// A key of the entry at `path` has a mistake, so what seems to be missing may stand there.
    [[nodiscard]] bool is_misread(const std::string& path) const {
        return std::ranges::any_of(misread_, [&](const Mistake& mistake) {
            return mistake.path.starts_with(path) && mistake.path.size() > path.size() &&
                   mistake.path[path.size()] == '.';
        });
    }

    /// `name` must stand in `section`, whose names are `known`.
    void must_exist(
        std::string path, std::string_view name, std::string_view section,
        const std::vector<std::string_view>& known
    ) {
        if (std::ranges::find(known, name) != known.end()) {
            return;
        }
        // Past the mistakes that are shown, searching for near names is wasted work.
        const std::string_view near =
            mistakes_.size() < mistakes_max ? nearest(name, known) : std::string_view();
        std::string remedy = near.empty() ? "" : "Write " + std::string(near) + ", or add ";
        remedy += (near.empty() ? "Add " : "") + quoted(name) + " under " + std::string(section);
        add(std::move(path),
            quoted(name) + " is not under " + std::string(section),
            std::move(remedy));
    }

    void tool_must_exist(std::string path, std::string_view name) {
        if (catalog_.configured_tool(name) == nullptr) {
            must_exist(std::move(path), name, "tools", names_of(contents_.tools));
        }
    }

    void model_upstreams() {
        const auto names = names_of(contents_.model_upstreams);
        for (const ModelUpstream& upstream : contents_.model_upstreams) {
            const std::string path = join("model_upstreams", upstream.name, "fallback");
            if (upstream.fallback.empty()) {
                if (upstream.fallback_percent > 0 || !upstream.fallback_on.empty()) {
                    add(path + (upstream.fallback_percent > 0 ? "_percent" : "_on"),
                        "there is no fallback that it could be of",
                        "Add fallback beside it, or remove it");
                }
                continue;
            }
            for (const std::string& status : upstream.fallback_on) {
                if (!is_failure_status(status)) {
                    add(path + "_on",
                        quoted(status) + " is no status of a failure",
                        "Write 5xx, 4xx or a status from 400 to 599, such as 429");
                }
            }
            const std::size_t slash = upstream.fallback.find('/');
            if (slash == std::string::npos) {
                continue;  // Another model of the same upstream.
            }
            const std::string_view to = std::string_view(upstream.fallback).substr(0, slash);
            must_exist(path, to, "model_upstreams", names);
            const auto other =
                std::ranges::find(contents_.model_upstreams, to, &ModelUpstream::name);
            if (other == contents_.model_upstreams.end()) {
                continue;
            }
            if (other->name == upstream.name && slash + 1 == upstream.fallback.size()) {
                add(path, "it falls back to itself", "Write another upstream, or another model");
            } else if (other->protocol != upstream.protocol) {
                add(path,
                    quoted(to) + " speaks " + other->protocol + " and not " + upstream.protocol,
                    "Write an upstream of the same protocol");
            }
        }
    }

    void agents() {
        const auto workflows = names_of(contents_.workflows);
        for (const Agent& agent : contents_.agents) {
            const std::string path = "agents." + agent.name.text();
            for (std::size_t i = 0; i < agent.workflows.size(); ++i) {
                must_exist(
                    path + ".workflows[" + std::to_string(i) + "]",
                    agent.workflows[i].text(),
                    "workflows",
                    workflows
                );
            }
            for (std::size_t i = 0; i < agent.tools.size(); ++i) {
                tool_must_exist(path + ".tools[" + std::to_string(i) + "]", agent.tools[i].text());
            }
        }
    }

    void identity() {
        const Identity& identity = contents_.identity;
        const std::string path = "gateway.identity.certificate_prefix";
        if (identity.certificate_prefix.empty() || is_misread("gateway.identity")) {
            return;
        }
        if (identity.mode != IdentityMode::Mtls) {
            add(path,
                "no certificate is looked at in mode " + std::string(name_of(identity.mode)),
                "Write mode: mtls beside it, or remove it");
        } else if (identity.certificate_name == CertificateName::Uri &&
                   identity.certificate_prefix.find(':') == std::string::npos) {
            add(path,
                "no URI begins with " + quoted(identity.certificate_prefix),
                "Write what the URIs begin with, such as spiffe://example.org/agent/, or "
                "certificate_name: common_name");
        }
    }

    void workflows() {
        const auto names = names_of(contents_.workflows);
        std::unordered_map<std::string_view, std::size_t> index;
        for (std::size_t i = 0; i < names.size(); ++i) {
            index.emplace(names[i], i);
        }
        // Each workflow has one fallback, so a walk that meets itself has found a circle, once.
        constexpr std::size_t never = 0;
        std::vector<std::size_t> walked_by(names.size(), never);
        for (std::size_t start = 0; start < names.size(); ++start) {
            const std::string& fallback = contents_.workflows[start].fallback.text();
            if (fallback.empty() && contents_.workflows[start].fallback_percent > 0) {
                add(join("workflows", names[start], "fallback_percent"),
                    "there is no fallback that it could be of",
                    "Add fallback beside it, or remove it");
            }
            if (!fallback.empty()) {
                must_exist(
                    join("workflows", names[start], "fallback"), fallback, "workflows", names
                );
            }
            std::size_t at = start;
            while (walked_by[at] == never) {
                walked_by[at] = start + 1;
                const auto next = index.find(contents_.workflows[at].fallback.text());
                if (next == index.end()) {
                    break;
                }
                at = next->second;
                if (walked_by[at] == start + 1) {
                    add(join("workflows", names[at], "fallback"),
                        "the fallbacks go round in a circle",
                        "Let one of them end at a workflow without a fallback");
                }
            }
        }
    }

    void tools() {
        const auto servers = names_of(contents_.mcp_servers);
        for (const Tool& tool : contents_.tools) {
            const std::string& name = tool.name.text();
            if (!tool.server.empty()) {
                must_exist(join("tools", name, "server"), tool.server, "mcp_servers", servers);
            }
            const bool changes =
                tool.effect == ToolEffect::Write || tool.effect == ToolEffect::Egress;
            if (tool.effect == ToolEffect::Read && tool.reversibility > Reversibility::ReadOnly) {
                add(join("tools", name, "reversibility"),
                    "a tool that only reads has nothing to reverse",
                    "Write read_only, or another effect");
            }
            if (changes && tool.reversibility == Reversibility::ReadOnly) {
                add(join("tools", name, "reversibility"),
                    "a tool that writes is not read_only",
                    "Write reversible, externally_reversible or irreversible");
            }
            compensation(tool, join("tools", name, "compensating_tool"));
        }
    }

    void compensation(const Tool& tool, const std::string& path) {
        const std::string& name = tool.compensating_tool.text();
        if (name.empty()) {
            return;
        }
        tool_must_exist(path, name);
        const Tool* const undo = catalog_.configured_tool(name);
        if (tool.compensating_tool == tool.name) {
            add(path, "a tool cannot undo itself", "Name the tool that undoes its calls");
        } else if (tool.effect == ToolEffect::Read) {
            add(path, "a tool that only reads leaves nothing to undo", "Remove the line");
        } else if (undo != nullptr && undo->effect == ToolEffect::Read) {
            add(path,
                quoted(name) + " only reads, so it can undo nothing",
                "Name a tool that writes, or mend its effect");
        }
    }

    void channel_must_exist(std::string path, const std::string& name) {
        if (!name.empty()) {
            must_exist(std::move(path), name, "notices.channels", names_of(contents_.channels));
        }
    }

    void owners() {
        std::set<std::string_view> seen;
        for (std::size_t i = 0; i < contents_.owners.size(); ++i) {
            const OwnerRule& rule = contents_.owners[i];
            channel_must_exist(item("owners", i, "channel"), rule.channel);
            if (!rule.match.empty() && !seen.insert(rule.match).second) {
                add(item("owners", i, "match"),
                    quoted(rule.match) + " has an owner already",
                    "Remove one of the two entries: the first one counts");
            }
        }
    }

    void channels() {
        channel_must_exist("notices.default_channel", contents_.default_channel);
        for (const NoticeChannel& channel : contents_.channels) {
            const std::string path = "notices.channels." + channel.name;
            if (is_misread(path)) {
                continue;
            }
            const bool has_url = !channel.url.empty() || !channel.url_env.empty();
            const bool has_secret = !channel.secret_env.empty() || !channel.secret_file.empty();
            if (channel.type == "pagerduty" && !has_secret) {
                add(path,
                    "pagerduty needs the integration's routing key",
                    "Add secret_env with the name of the variable that holds it");
            }
            if (!channel.type.empty() && channel.type != "pagerduty" && !has_url) {
                add(path,
                    channel.type + " needs an address",
                    "Add url, or url_env where it is a secret");
            }
            if (!channel.url.empty() && !channel.url_env.empty()) {
                add(path + ".url_env", "url is given as well", "Keep one of the two");
            }
            if (!channel.secret_env.empty() && !channel.secret_file.empty()) {
                add(path + ".secret_file", "secret_env is given as well", "Keep one of the two");
            }
        }
    }

    void severity_rules() {
        for (std::size_t i = 0; i < contents_.severity_rules.size(); ++i) {
            const SeverityRule& rule = contents_.severity_rules[i];
            const bool bounded = rule.failed_sessions_min > 0 || rule.users_min > 0 ||
                                 rule.writes_min > 0 || rule.cost_usd_min > 0 ||
                                 rule.high_risk_tool || rule.irreversible_write;
            if (!bounded && !rule.failure_class && rule.severity != Severity::Sev3 &&
                !is_misread("severity_rules[" + std::to_string(i) + "]")) {
                add(item("severity_rules", i, "severity"),
                    "the rule has no bound, so every incident would be " +
                        std::string(name_of(rule.severity)),
                    "Add class, failed_sessions_min, users_min, writes_min, cost_usd_min, "
                    "high_risk_tool or irreversible_write");
            }
        }
    }

    void playbooks() {
        std::set<std::pair<FailureClass, Severity>> seen;
        const bool has_fallback = std::ranges::any_of(contents_.workflows, [](const Workflow& w) {
            return !w.fallback.empty() || !w.fallback_url.empty();
        });
        for (std::size_t i = 0; i < contents_.playbooks.size(); ++i) {
            const Playbook& playbook = contents_.playbooks[i];
            if (!seen.emplace(playbook.failure_class, playbook.severity).second) {
                add(item("playbooks", i, "class"),
                    "there is a playbook for " + std::string(name_of(playbook.failure_class)) +
                        " " + std::string(name_of(playbook.severity)) + " already",
                    "Remove one of the two: the first one counts");
            }
            if (playbook.mode != "route") {
                continue;
            }
            if (playbook.contain != "workflow" && !playbook.contain.empty()) {
                add(item("playbooks", i, "contain"),
                    "only a workflow can be routed elsewhere, not " + quoted(playbook.contain),
                    "Write contain: workflow, or another mode");
            }
            if (!has_fallback) {
                add(item("playbooks", i, "mode"),
                    "no workflow has a fallback to route to",
                    "Add fallback to a workflow, or write another mode");
            }
        }
    }

    void journeys() {
        for (const Journey& journey : contents_.journeys) {
            const std::string path = "journeys." + journey.name;
            for (std::size_t i = 0; i < journey.tools.size(); ++i) {
                tool_must_exist(
                    path + ".tools[" + std::to_string(i) + "]", journey.tools[i].text()
                );
            }
            for (std::size_t i = 0; i < journey.steps.size(); ++i) {
                const std::string step = path + ".steps[" + std::to_string(i) + "]";
                journey_step(journey.steps[i], step + ".request");
                expectations(journey.steps[i], step + ".expect");
            }
        }
    }

    void expectations(const JourneyStep& step, const std::string& path) {
        for (std::size_t i = 0; i < step.expect.size(); ++i) {
            if (auto read = parse_expectation(step.expect[i], step.kind); !read) {
                add(path + "[" + std::to_string(i) + "]",
                    std::move(read.error().what),
                    std::move(read.error().remedy));
            }
        }
    }

    void journey_step(const JourneyStep& step, const std::string& path) {
        const std::size_t blank = step.request.find_first_of(" \n");
        const std::string first = step.request.substr(0, blank);
        if (step.request.empty()) {
            return;
        }
        if (step.kind == "mcp") {
            tool_must_exist(path, first);
            const std::size_t at = step.request.find_first_not_of(" \n\t", first.size());
            if (at != std::string::npos && step.request[at] != '{') {
                add(path,
                    "behind the tool's name stands no JSON object",
                    "Write the arguments as one, such as " + first + " {\"id\":\"7\"}");
            }
            return;
        }
        constexpr std::array<std::string_view, 5> methods{"GET", "POST", "PUT", "PATCH", "DELETE"};
        const std::string rest = blank == std::string::npos ? "" : step.request.substr(blank + 1);
        const std::string url = rest.substr(0, rest.find_first_of(" \n"));
        if (step.kind == "http" && std::ranges::find(methods, first) == methods.end()) {
            add(path, quoted(first) + " is no method", "Begin with GET, POST, PUT, PATCH or DELETE"
            );
        } else if (auto problem = check_format(url, Format::Url); step.kind == "http" && problem) {
            add(path, problem->what, problem->remedy);
        }
    }

    const Contents& contents_;
    const Catalog catalog_;
    const Places& places_;
    const std::span<const Mistake> misread_;
    std::vector<Mistake> mistakes_;
};

}  // namespace

Mistake Places::mistake(std::string path, std::string what, std::string remedy) const {
    const auto found = places_.find(path);
    const Place place = found == places_.end() ? Place{} : found->second;
    return {
        .line = place.line,
        .column = place.column,
        .path = std::move(path),
        .what = std::move(what),
        .remedy = std::move(remedy)};
}

std::vector<Mistake> check_contents(
    const Contents& contents, const Places& places, std::span<const Mistake> misread
) {
    return Checker(contents, places, misread).run();
}

}  // namespace tagout::catalog
