#include "prevent/gate.h"

#include "incident/transitions.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tagout::prevent {

namespace {

namespace json = boost::json;

constexpr std::size_t names_shown_max = 5;

/// "INC-1, INC-2 and 3 more"
template <class Range, class Name>
std::string names_of(const Range& range, Name name) {
    std::string text;
    std::size_t shown = 0;
    const std::size_t all = range.size();
    for (const auto& each : range) {
        if (shown == names_shown_max) {
            return text + " and " + std::to_string(all - shown) + " more";
        }
        text += (shown++ == 0 ? "" : ", ") + std::string(name(each));
    }
    return text;
}

std::string age(Duration duration) {
    return to_text(std::chrono::duration_cast<std::chrono::seconds>(duration));
}

bool is_over(const incident::Incident& incident) {
    return incident.state >= IncidentState::Resolved && incident.state <= IncidentState::Closed;
}

Check open_incidents(const GateFacts& facts, const Settings& settings) {
    std::vector<const incident::Incident*> open;
    for (const incident::Incident& each : facts.incidents) {
        const bool blocks = each.severity == Severity::Sev1 ||
                            (each.severity == Severity::Sev2 && settings.sev2_blocks);
        if (blocks && incident::is_open(each.state)) {
            open.push_back(&each);
        }
    }
    if (open.empty()) {
        return {
            "open_incidents",
            Judgement::Pass,
            settings.sev2_blocks ? "no SEV1 or SEV2 is open" : "no SEV1 is open"};
    }
    return {
        "open_incidents",
        Judgement::Fail,
        names_of(
            open,
            [](const incident::Incident* each) {
                return each->id.text() + " (" + std::string(name_of(each->severity)) + ", " +
                       std::string(name_of(each->state)) + ": " + each->title + ")";
            }
        ) + (open.size() == 1 ? " is open" : " are open") +
            "; resolve first (tagout incidents resolve " + open.front()->id.text() +
            " --reason WHY)"};
}

Check controls(const GateFacts& facts) {
    if (!facts.controls) {
        return {
            "controls",
            Judgement::Inconclusive,
            "it is not known which controls are in force; ask a server that enforces them"};
    }
    std::vector<const ControlFact*> unproved;
    std::vector<const ControlFact*> of_incidents;
    for (const ControlFact& each : *facts.controls) {
        if (each.enforces && !each.proved) {
            unproved.push_back(&each);
        } else if (each.enforces && !each.incident.empty()) {
            of_incidents.push_back(&each);
        }
    }
    const auto name = [](const ControlFact* each) {
        return each->id + " (" + each->scope + " " + each->mode + ")";
    };
    if (!unproved.empty()) {
        return {
            "controls",
            Judgement::Fail,
            names_of(unproved, name) +
                " is in force and not proved; probe it (tagout contain probe " +
                unproved.front()->id + ") or release it"};
    }
    if (!of_incidents.empty()) {
        return {
            "controls",
            Judgement::Fail,
            names_of(of_incidents, name) + " still holds back what " +
                of_incidents.front()->incident.text() +
                " needed; release it once its journeys pass (tagout contain release " +
                of_incidents.front()->id + ")"};
    }
    return {
        "controls",
        Judgement::Pass,
        facts.controls->empty() ? "no control is in force"
                                : "the controls in force are standing ones and proved"};
}

/// Ended SEV1 and SEV2 for which nobody made a case.
std::vector<IncidentId> without_case(const GateFacts& facts) {
    std::vector<IncidentId> missing;
    for (const incident::Incident& each : facts.incidents) {
        if (is_over(each) && std::ranges::find(facts.with_cases, each.id) == facts.with_cases.end()) {
            missing.push_back(each.id);
        }
    }
    return missing;
}

Check regressions(const GateFacts& facts, const Settings& settings) {
    if (!facts.cases) {
        return {
            "regressions",
            Judgement::Inconclusive,
            "the regression cases were not run" +
                (facts.cases_not_run.empty() ? std::string() : ": " + facts.cases_not_run) +
                "; name a candidate (tagout gate --bundle FILE), or run them with tagout "
                "regressions run"};
    }
    const std::vector<Check>& cases = *facts.cases;
    const auto with = [&](Judgement judgement) {
        std::vector<const Check*> found;
        for (const Check& each : cases) {
            if (each.judgement == judgement) {
                found.push_back(&each);
            }
        }
        return found;
    };
    const auto name = [](const Check* check) { return check->name; };
    if (const auto failed = with(Judgement::Fail); !failed.empty()) {
        return {
            "regressions",
            Judgement::Fail,
            names_of(failed, name) + " would happen again: " + failed.front()->sentence};
    }
    if (const auto open = with(Judgement::Inconclusive); !open.empty()) {
        return {
            "regressions",
            Judgement::Inconclusive,
            names_of(open, name) + " could not be judged: " + open.front()->sentence};
    }
    if (const std::vector<IncidentId> missing = without_case(facts);
        settings.cases_required && !missing.empty()) {
        return {
            "regressions",
            Judgement::Inconclusive,
            names_of(missing, [](const IncidentId& id) { return id.text(); }) +
                " has no regression case, so nothing tells whether it would happen again; make one "
                "(tagout regressions create " +
                missing.front().text() + ")"};
    }
    return {
        "regressions",
        Judgement::Pass,
        cases.empty() ? "no incident calls for a case"
                      : std::to_string(cases.size()) + " of " + std::to_string(cases.size()) +
                            " cases pass"};
}

Check recurrence(const GateFacts& facts, const Settings& settings) {
    for (const CauseRecord& row : facts.recurrences) {
        if (row.recurrences <= settings.recurrences_max) {
            continue;
        }
        std::string sentence = "'" + row.cause + "' (" + std::string(name_of(row.failure_class)) +
                               ") came back " + std::to_string(row.recurrences) + " times in " +
                               age(settings.recurrence_window) + ", last as " +
                               row.recurred.back().text();
        if (row.sessions_since) {
            sentence += ", " + std::to_string(*row.sessions_since) + " sessions since it was over";
        }
        return {
            "recurrence",
            Judgement::Fail,
            sentence + "; what was changed after it did not hold: mend the systemic gap, then raise "
                       "gate.recurrences_max or wait until the window has passed"};
    }
    return {
        "recurrence",
        Judgement::Pass,
        settings.recurrences_max == 0
            ? "nothing came back in " + age(settings.recurrence_window)
            : "nothing came back more often than " + std::to_string(settings.recurrences_max) +
                  " times in " + age(settings.recurrence_window)};
}

Check reviews(const GateFacts& facts, const Settings& settings) {
    std::vector<IncidentId> missing;
    std::vector<IncidentId> due;
    for (const incident::Incident& each : facts.incidents) {
        if (!is_over(each) ||
            std::ranges::find(facts.reviewed, each.id) != facts.reviewed.end()) {
            continue;
        }
        const Instant ended = each.anchors.resolved_at.value_or(each.last_finding_at);
        (facts.now - ended > settings.review_within ? missing : due).push_back(each.id);
    }
    const auto name = [](const IncidentId& id) { return id.text(); };
    if (!missing.empty()) {
        return {
            "reviews",
            Judgement::Fail,
            names_of(missing, name) + " was resolved and has no published review; write it (tagout "
                                      "review new " +
                missing.front().text() + ")"};
    }
    return {
        "reviews",
        Judgement::Pass,
        due.empty() ? "every resolved SEV1 and SEV2 has its review"
                    : names_of(due, name) + " still has time for its review (" +
                          age(settings.review_within) + ")"};
}

Check actions(const GateFacts& facts) {
    if (facts.overdue.empty()) {
        return {"actions", Judgement::Pass, "no corrective action is overdue"};
    }
    return {
        "actions",
        Judgement::Fail,
        names_of(
            facts.overdue,
            [](const Action& action) {
                return action.id + " (" + action.title + ", " + action.owner + ", due " +
                       to_rfc3339(action.due).substr(0, 10) + ")";
            }
        ) + (facts.overdue.size() == 1 ? " is overdue" : " are overdue") +
            "; do it and close it (tagout actions close " + facts.overdue.front().id +
            " --evidence TEXT)"};
}

Check journeys(const GateFacts& facts, const Settings& settings) {
    if (!facts.journeys) {
        return {
            "journeys",
            Judgement::Inconclusive,
            "it is not known how the journeys ended; run them (tagout journeys run)"};
    }
    if (facts.journeys->empty()) {
        return {
            "journeys",
            settings.journeys_required ? Judgement::Inconclusive : Judgement::Pass,
            settings.journeys_required
                ? "no journey is configured, so nothing shows that users reach their end; add one "
                  "under journeys in tagout.yaml, or set gate.journeys_required to false"
                : "no journey is configured"};
    }
    std::vector<const JourneyFact*> stale;
    for (const JourneyFact& each : *facts.journeys) {
        if (!each.passed_at && !each.error.empty()) {
            return {
                "journeys",
                Judgement::Fail,
                each.name + " failed: " + each.error + "; mend it and run it again (tagout journeys "
                                                       "run " +
                    each.name + ")"};
        }
        if (!each.passed_at || facts.now - *each.passed_at > settings.journeys_valid) {
            stale.push_back(&each);
        }
    }
    if (!stale.empty()) {
        return {
            "journeys",
            Judgement::Inconclusive,
            names_of(stale, [](const JourneyFact* each) { return each->name; }) +
                " did not pass within " + age(settings.journeys_valid) +
                "; run it (tagout journeys run)"};
    }
    return {
        "journeys", Judgement::Pass, std::to_string(facts.journeys->size()) + " journeys passed"};
}

Check last_known_good(const GateFacts& facts, const Settings& settings) {
    if (facts.last_known_good && !facts.last_known_good->empty()) {
        return {
            "last_known_good", Judgement::Pass, *facts.last_known_good + " is ready to fall back to"};
    }
    if (!settings.fallback_required) {
        return {"last_known_good", Judgement::Pass, "a fallback is not required"};
    }
    return {
        "last_known_good",
        Judgement::Inconclusive,
        std::string(
            facts.last_known_good ? "no bundle has proved itself yet, so there is nothing to fall "
                                    "back to"
                                  : "it is not known whether there is a bundle to fall back to"
        ) + "; publish a bundle and let it earn its good sessions, or set gate.fallback_required to "
            "false for a first release"};
}

Check detection(const GateFacts& facts, const Settings& settings) {
    const std::string who = facts.agent.empty() ? "any agent" : facts.agent.text();
    if (!facts.telemetry_at) {
        return {
            "detection",
            Judgement::Inconclusive,
            "no telemetry of " + who + " was seen; point OTEL_EXPORTER_OTLP_ENDPOINT at Tagout"};
    }
    const Duration quiet = facts.now - *facts.telemetry_at;
    if (quiet > settings.telemetry_within) {
        return {
            "detection",
            Judgement::Inconclusive,
            "the newest telemetry of " + who + " is " + age(quiet) +
                " old, so nobody would notice a failure; send some, or raise gate.telemetry_within"};
    }
    return {"detection", Judgement::Pass, "telemetry of " + who + " is coming in"};
}

std::string sentence_of(const Gate& gate) {
    if (gate.verdict == Judgement::Pass) {
        return "every check passes";
    }
    std::string text;
    std::size_t others = 0;
    for (const Check& check : gate.checks) {
        if (check.judgement != gate.verdict) {
            continue;
        }
        if (text.empty()) {
            text = check.sentence;
        } else {
            ++others;
        }
    }
    return others == 0 ? text : text + " (and " + std::to_string(others) + " more below)";
}

}  // namespace

Gate evaluate(const GateFacts& facts, const Settings& settings) {
    Gate gate;
    gate.agent = facts.agent;
    gate.bundle = facts.bundle;
    gate.checks = {
        open_incidents(facts, settings),
        controls(facts),
        regressions(facts, settings),
        recurrence(facts, settings),
        reviews(facts, settings),
        actions(facts),
        journeys(facts, settings),
        last_known_good(facts, settings),
        detection(facts, settings),
    };
    gate.verdict = worst_of(gate.checks);
    gate.sentence = sentence_of(gate);
    return gate;
}

std::string to_json(const Gate& gate) {
    json::array checks;
    for (const Check& check : gate.checks) {
        checks.push_back(json::object{
            {"name", check.name},
            {"verdict", name_of(check.judgement)},
            {"sentence", check.sentence}});
    }
    return json::serialize(json::object{
        {"verdict", name_of(gate.verdict)},
        {"sentence", gate.sentence},
        {"agent", gate.agent.text()},
        {"bundle", gate.bundle},
        {"checks", std::move(checks)}});
}

}  // namespace tagout::prevent
