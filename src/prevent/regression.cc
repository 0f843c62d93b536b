#include "prevent/regression.h"

#include "catalog/catalog.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tagout::prevent {

namespace {

namespace json = boost::json;

constexpr std::size_t sentence_arguments_max = 160;
constexpr std::size_t told_max = 3;

bool holds(const ArgumentMatcher& matcher, const json::value& arguments) {
    boost::system::error_code error;
    const json::value* const value = arguments.find_pointer(matcher.at, error);
    if (error || value == nullptr) {
        return false;
    }
    const auto number = [&]() -> std::optional<double> {
        return value->is_number() ? std::optional(value->to_number<double>(error)) : std::nullopt;
    };
    switch (matcher.kind) {
        case ArgumentMatcher::Kind::Equals:
            return *value == json::parse(matcher.text, error) && !error;
        case ArgumentMatcher::Kind::Matches:
            return value->is_string() && catalog::glob_matches(
                                             matcher.text, std::string_view(value->as_string())
                                         );
        case ArgumentMatcher::Kind::Above:
            return number() && *number() > matcher.number;
        case ArgumentMatcher::Kind::Below:
            return number() && *number() < matcher.number;
    }
    return false;
}

std::string_view version_number(std::string_view version) {
    return version.size() > 1 && (version.front() == 'v' || version.front() == 'V') &&
                   version.find_first_not_of("0123456789", 1) == std::string_view::npos
               ? version.substr(1)
               : version;
}

std::string text_of(const std::vector<SelectedVersion>& selected) {
    std::string text;
    for (const SelectedVersion& each : selected) {
        text += (text.empty() ? "" : ", ") + each.name + "@" + each.version;
    }
    return text;
}

/// Why the session would not happen again under `candidate`: it ran under a version that is no
/// longer selected. "" if it would; nothing if that cannot be told.
std::optional<std::string> changed_version(
    const RecordedSession& session, const Candidate& candidate
) {
    const std::optional<bool> prompt = is_selected(session.versions.prompt, candidate.prompts);
    if (prompt && !*prompt) {
        return "made under prompt " + session.versions.prompt + ", and this configuration selects " +
               text_of(candidate.prompts);
    }
    const std::optional<bool> route = is_selected(session.versions.model_route, candidate.model_routes);
    if (route && !*route) {
        return "made under model route " + session.versions.model_route +
               ", and this configuration selects " + text_of(candidate.model_routes);
    }
    return prompt ? std::optional(std::string()) : std::nullopt;
}

std::string shown(const intake::RecordedCall& call) {
    std::string arguments = call.arguments;
    if (arguments.size() > sentence_arguments_max) {
        std::size_t end = sentence_arguments_max;
        while (end > 0 && (static_cast<unsigned char>(arguments[end]) & 0xC0U) == 0x80U) {
            --end;
        }
        arguments = arguments.substr(0, end) + "...";
    }
    return call.name + " " + arguments;
}

struct Findings {
    std::vector<std::string> mended;
    std::vector<std::string> harmful;
    std::vector<std::string> unknown;

    static std::string joined(const std::vector<std::string>& sentences) {
        std::string text;
        for (std::size_t i = 0; i < sentences.size() && i < told_max; ++i) {
            text += (i == 0 ? "" : "; ") + sentences[i];
        }
        if (sentences.size() > told_max) {
            text += "; and " + std::to_string(sentences.size() - told_max) + " more";
        }
        return text;
    }
};

void judge_call(const JudgedCall& judged, const Candidate& candidate, Findings& found) {
    const std::string what = shown(judged.call);
    const std::optional<std::string> changed = changed_version(judged.session, candidate);
    if (changed && !changed->empty()) {
        found.mended.push_back(what + ": " + *changed);
        return;
    }
    if (!candidate.decide) {
        if (changed) {
            found.harmful.push_back(
                what + " would happen again: this configuration still selects prompt " +
                judged.session.versions.prompt +
                " and has no policy against the call; select another version, or deny it"
            );
        } else {
            found.unknown.push_back(
                what + " cannot be judged: " +
                (judged.session.versions.prompt.empty()
                     ? "the recording does not tell the prompt's version"
                     : "this configuration does not say which prompt it selects") +
                " and there is no policy; hand in a bundle or a policy (--bundle, --policy)"
            );
        }
        return;
    }
    const CallAnswer answer = candidate.decide(judged);
    if (answer.verdict == Verdict::Deny || answer.verdict == Verdict::Escalate) {
        found.mended.push_back(
            what + " would be " + (answer.verdict == Verdict::Deny ? "denied" : "held for a person") +
            (answer.by.empty() ? "" : " by " + answer.by)
        );
        return;
    }
    found.harmful.push_back(
        what + " would be let through" +
        (answer.by.empty() ? ": no rule is against it" : " by " + answer.by) +
        (answer.shadow.empty() ? "" : " (" + answer.shadow + " only observes it; enforce it)") +
        (changed ? ", and prompt " + judged.session.versions.prompt + " is still selected" : "")
    );
}

void judge_calls(const RegressionCase& regression, const Candidate& candidate, Findings& found) {
    for (const HarmfulCall& harmful : regression.must_not.calls) {
        bool recorded = false;
        for (const RecordedSession& session : regression.sessions) {
            for (const intake::RecordedTurn& turn : session.run.turns) {
                for (const intake::RecordedCall& call : turn.tool_calls) {
                    if (matches(harmful, call)) {
                        recorded = true;
                        judge_call(JudgedCall{regression, session, call}, candidate, found);
                    }
                }
            }
        }
        if (!recorded) {
            found.unknown.push_back(
                "no recorded call matches must_not " + harmful.tool +
                "; correct its tool or arguments in the case"
            );
        }
    }
}

void judge_signals(const RegressionCase& regression, const Candidate& candidate, Findings& found) {
    if (regression.must_not.signals.empty()) {
        return;
    }
    std::vector<RecordedSession> same;  // Would happen again, as far as is known.
    std::string changed_why;
    for (const RecordedSession& session : regression.sessions) {
        const std::optional<std::string> changed = changed_version(session, candidate);
        if (changed && !changed->empty()) {
            changed_why = *changed;
        } else {
            same.push_back(session);
        }
    }
    if (same.empty() && !regression.sessions.empty()) {
        found.mended.push_back("every recorded session was " + changed_why);
        return;
    }
    if (!candidate.replay) {
        found.unknown.push_back("signals cannot be judged without thresholds; hand in --config");
        return;
    }
    const Result<std::vector<std::string>> fired = candidate.replay(same);
    if (!fired) {
        found.unknown.push_back("the recording could not be replayed: " + fired.error().message);
        return;
    }
    for (const std::string& signal : regression.must_not.signals) {
        if (std::ranges::find(*fired, signal) != fired->end()) {
            found.harmful.push_back(
                signal + " still fires on the recording, and nothing says that the versions it was "
                         "made under are no longer selected"
            );
        } else {
            found.mended.push_back(signal + " no longer fires on the recording");
        }
    }
}

}  // namespace

const RecordedTool* RegressionCase::tool(std::string_view name) const noexcept {
    const auto found = std::ranges::find(tools, name, &RecordedTool::name);
    return found == tools.end() ? nullptr : &*found;
}

bool matches(const HarmfulCall& harmful, const intake::RecordedCall& call) {
    if (!catalog::glob_matches(harmful.tool, call.name)) {
        return false;
    }
    if (harmful.arguments.empty()) {
        return true;
    }
    boost::system::error_code error;
    const json::value arguments = json::parse(call.arguments, error);
    return !error && std::ranges::all_of(harmful.arguments, [&](const ArgumentMatcher& matcher) {
        return holds(matcher, arguments);
    });
}

std::optional<bool> is_selected(
    std::string_view told, std::span<const SelectedVersion> selected
) {
    const std::size_t at = told.rfind('@');
    const std::string_view name = at == std::string_view::npos ? std::string_view{} : told.substr(0, at);
    const std::string_view version = at == std::string_view::npos ? told : told.substr(at + 1);
    if (version.empty() || selected.empty()) {
        return std::nullopt;
    }
    return std::ranges::any_of(selected, [&](const SelectedVersion& each) {
        return (name.empty() || each.name.empty() || name == each.name) &&
               (version_number(version) == version_number(each.version) ||
                (!each.hash.empty() && version == each.hash));
    });
}

Check run_case(const RegressionCase& regression, const Candidate& candidate) {
    Check check{regression.id, Judgement::Inconclusive, ""};
    if (candidate.says_nothing()) {
        check.sentence = "there is nothing to run it against; name a configuration, a policy or a "
                         "bundle (--config, --policy, --bundle)";
        return check;
    }
    if (regression.must_not.empty() || regression.sessions.empty()) {
        check.sentence = "the case says nothing that must not happen, or holds no recorded session; "
                         "make it anew from its incident";
        return check;
    }
    Findings found;
    judge_calls(regression, candidate, found);
    judge_signals(regression, candidate, found);
    if (!found.harmful.empty()) {
        check.judgement = Judgement::Fail;
        check.sentence = Findings::joined(found.harmful);
    } else if (!found.unknown.empty()) {
        check.sentence = Findings::joined(found.unknown);
    } else {
        check.judgement = Judgement::Pass;
        check.sentence = Findings::joined(found.mended);
    }
    check.sentence = regression.incident.text() + " against " + candidate.name + ": " + check.sentence;
    return check;
}

}  // namespace tagout::prevent
