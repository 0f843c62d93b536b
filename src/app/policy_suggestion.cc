#include "app/policy_suggestion.h"

#include "intake/texts.h"

#include <boost/json.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace tagout::app {

namespace {

namespace json = boost::json;
using verify::PastCall;

constexpr std::size_t shown_bytes_max = 300;
constexpr std::size_t value_bytes_max = 100;
constexpr std::size_t marked_tools_max = 10;
constexpr std::size_t calls_shown_max = 5;
constexpr std::uint64_t limit_calls_min = 3;

/// Letters, digits, '.', '_' and '-' of a text, for the name of a rule.
std::string name_from(std::string_view text) {
    std::string name;
    for (const char c : text.substr(0, 60)) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
        name += plain ? c : '-';
    }
    return name.empty() ? "incident" : name;
}

/// A text in YAML's double quotes, which are JSON's.
std::string yaml_text(std::string_view text) { return json::serialize(json::string(text)); }

/// A text as a literal of a condition.
std::string literal(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\\' || c == '\'') {
            out += '\\';
        }
        out += c;
    }
    return out + "'";
}

bool is_identifier(std::string_view key) {
    return !key.empty() && !(key[0] >= '0' && key[0] <= '9') && std::ranges::all_of(key, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
}

json::object object_of(const std::string& arguments) {
    boost::system::error_code error;
    json::parse_options options;
    options.max_depth = 64;
    json::value value = json::parse(arguments, error, {}, options);
    return !error && value.is_object() ? std::move(value.as_object()) : json::object{};
}

std::optional<double> number_of(const json::value& value) {
    if (value.is_int64()) {
        return static_cast<double>(value.as_int64());
    }
    if (value.is_uint64()) {
        return static_cast<double>(value.as_uint64());
    }
    return value.is_double() ? std::optional(value.as_double()) : std::nullopt;
}

class Suggester {
public:
    Suggester(const incident::Incident& incident, const verify::PastCalls& past)
        : incident_(incident) {
        std::set<std::string> sessions;
        for (const Finding& finding : incident.findings) {
            if (!finding.rate) {
                sessions.insert(finding.correlation.text());
            }
        }
        tool_ = incident.tool.text();
        for (const PastCall& call : past.calls) {
            const bool of_incident = sessions.contains(call.session);
            if (tool_.empty() && of_incident) {
                tool_ = call.tool;
            }
            (of_incident ? of_sessions_ : others_).push_back(&call);
        }
    }

    Result<PolicySuggestion> run() {
        if (tool_.empty()) {
            return fail(
                ErrorCode::InvalidArgument,
                incident_.id.text() + " names no tool, and no call of its sessions is in this time: widen "
                                      "it with --since, or write the rule by hand (docs of policy)"
            );
        }
        gather();
        std::string ask;
        std::string marks;
        if (speaks_of(incident_, {"untrusted", "injection", "instruction", "foreign"})) {
            by_flow(ask, marks);
        } else if (incident_.failure_class == FailureClass::Cost ||
                   speaks_of(incident_, {"repeat", "circular", "loop", "runaway", "retries"})) {
            by_limit(ask);
        }
        if (ask.empty()) {
            by_arguments(ask);
        }
        if (ask.empty()) {
            made_.why.push_back(
                "Nothing in the arguments sets the incident's calls apart, so the rule asks a person for "
                "each call of " + tool_ + " by this agent."
            );
        }
        write(ask, marks);
        return std::move(made_);
    }

private:
    static bool speaks_of(
        const incident::Incident& incident, std::initializer_list<std::string_view> words
    ) {
        const auto has = [&](const std::string& text) {
            return std::ranges::any_of(words, [&](std::string_view word) {
                return text.find(word) != std::string::npos;
            });
        };
        return has(incident.cause) || std::ranges::any_of(incident.signals, has);
    }

    /// The calls of the tool within the incident's sessions, and all others of it.
    void gather() {
        for (const PastCall* const call : of_sessions_) {
            if (call->tool == tool_) {
                bad_.push_back(call);
                if (made_.calls.size() < calls_shown_max) {
                    made_.calls.push_back(
                        call->tool + " " +
                        std::string(intake::clipped(call->arguments, shown_bytes_max))
                    );
                }
            }
        }
        for (const PastCall* const call : others_) {
            if (call->tool == tool_) {
                good_.push_back(call);
            }
        }
    }

    void by_flow(std::string& ask, std::string& marks) {
        std::set<std::string> before;
        for (const PastCall* const call : of_sessions_) {
            if (call->tool != tool_ && before.size() < marked_tools_max) {
                before.insert(call->tool);
            }
        }
        if (before.empty()) {
            return;
        }
        ask = "    flow: untrusted\n";
        marks = "marks:\n";
        std::string listed;
        for (const std::string& tool : before) {
            marks += "  - match: { tool: " + yaml_text(tool) + " }\n    as: untrusted\n";
            listed += (listed.empty() ? "" : ", ") + tool;
        }
        made_.why.push_back(
            "The cause is foreign text, so the rule holds where a session was shown some: results of " +
            listed + " stood before the call in the incident's sessions. Take out those whose text "
                     "is your own."
        );
    }

    void by_limit(std::string& ask) {
        const auto busiest = [](const std::vector<const PastCall*>& calls) {
            std::map<std::pair<std::string, std::int64_t>, std::uint64_t> minutes;
            std::uint64_t most = 0;
            for (const PastCall* const call : calls) {
                const std::int64_t minute = unix_nanos(call->at) / 60'000'000'000;
                most = std::max(most, ++minutes[{call->session, minute}]);
            }
            return most;
        };
        const std::uint64_t bad = busiest(bad_);
        const std::uint64_t usual = busiest(good_);
        const std::uint64_t bound = std::max(usual + usual / 2, limit_calls_min);
        if (bad <= bound) {
            return;
        }
        ask = "    limit: { calls: " + std::to_string(bound) + ", per: 1m, key: session }\n";
        made_.why.push_back(
            "A session of the incident called " + tool_ + " " + std::to_string(bad) +
            " times in a minute; others at most " + std::to_string(usual) + "."
        );
    }

    /// What every call of the incident has and no other call of the tool.
    void by_arguments(std::string& ask) {
        if (bad_.empty() || bad_.front()->arguments.empty()) {
            return;
        }
        const json::object first = object_of(bad_.front()->arguments);
        for (const auto& member : first) {
            const std::string key(member.key());
            if (!is_identifier(key)) {
                continue;
            }
            const std::string condition = condition_on(key, member.value());
            if (!condition.empty()) {
                ask = "    when: " + yaml_text(condition) + "\n";
                return;
            }
        }
    }

    std::string condition_on(const std::string& key, const json::value& value) {
        if (const auto number = number_of(value)) {
            double least = *number;
            double usual = 0;
            for (const PastCall* const call : bad_) {
                const json::object arguments = object_of(call->arguments);
                const json::value* const other = arguments.if_contains(key);
                const auto had = other == nullptr ? std::nullopt : number_of(*other);
                if (!had) {
                    return "";
                }
                least = std::min(least, *had);
            }
            std::size_t seen = 0;
            for (const PastCall* const call : good_) {
                const json::object arguments = object_of(call->arguments);
                const json::value* const other = arguments.if_contains(key);
                if (const auto had = other == nullptr ? std::nullopt : number_of(*other)) {
                    usual = seen == 0 ? *had : std::max(usual, *had);
                    ++seen;
                }
            }
            if (seen == 0 || least <= usual) {
                return "";
            }
            made_.why.push_back(
                "In the incident's calls " + key + " was at least " + json::serialize(json::value(least)) +
                "; in " + std::to_string(seen) + " others at most " +
                json::serialize(json::value(usual)) + "."
            );
            return "has(args." + key + ") && double(args." + key + ") > " + decimal(usual);
        }
        if (!value.is_string() || value.as_string().size() > value_bytes_max) {
            return "";
        }
        const std::string text(value.as_string());
        const bool plain = std::ranges::none_of(text, [](char c) {
            return static_cast<unsigned char>(c) < 0x20;
        });
        const auto has_it = [&](const PastCall* call) {
            const json::object arguments = object_of(call->arguments);
            const json::value* const other = arguments.if_contains(key);
            return other != nullptr && other->is_string() && other->as_string() == text;
        };
        if (!plain || !std::ranges::all_of(bad_, has_it) || std::ranges::any_of(good_, has_it)) {
            return "";
        }
        made_.why.push_back(
            "The incident's calls had " + key + " " + text + ", which no other of " +
            std::to_string(good_.size()) + " calls had."
        );
        return "has(args." + key + ") && args." + key + " == " + literal(text);
    }

    /// A number that a condition reads as a double.
    static std::string decimal(double number) {
        std::string text = json::serialize(json::value(number));
        if (text.find_first_of(".eE") == std::string::npos) {
            text += ".0";
        }
        // JSON writes 1E3; a condition wants digits on both sides of a point.
        return text;
    }

    void write(const std::string& ask, const std::string& marks) {
        std::string& yaml = made_.yaml;
        yaml = "# Proposed from " + incident_.id.text() + ": " + name_from(incident_.cause) +
               ". A draft: read it, back-test it, then set mode: enforce.\n";
        yaml += "rules:\n  - name: " + name_from(incident_.id.text() + "-" + tool_) + "\n";
        yaml += "    match: { tool: " + yaml_text(tool_);
        if (!incident_.agent.empty()) {
            yaml += ", agent: " + yaml_text(incident_.agent.text());
        }
        yaml += " }\n" + ask;
        yaml += "    effect: ask\n    mode: shadow\n";
        yaml += "    message: " +
                yaml_text(
                    "After " + incident_.id.text() + " such calls of " + tool_ +
                    " need a person's approval. Say so, and go on without it."
                ) +
                "\n";
        yaml += marks;
    }

    const incident::Incident& incident_;
    std::string tool_;
    std::vector<const PastCall*> of_sessions_;
    std::vector<const PastCall*> others_;
    std::vector<const PastCall*> bad_;
    std::vector<const PastCall*> good_;
    PolicySuggestion made_;
};

}  // namespace

Result<PolicySuggestion> suggest_policy(
    const incident::Incident& incident, const verify::PastCalls& past
) {
    return Suggester(incident, past).run();
}

}  // namespace tagout::app
