#include "incident/transitions.h"
#include "prevent/review.h"

#include <algorithm>
#include <cctype>
#include <set>

namespace tagout::prevent {

namespace {

constexpr std::size_t shared_words_percent = 90;
constexpr std::size_t answer_words_min = 3;

constexpr std::array<ReviewField, 9> fields_table{{
    {"summary", "Summary", "What happened to whom, in three sentences", &ReviewFields::summary},
    {"impact", "Impact", "Who was hurt, how much and how long", &ReviewFields::impact},
    {"detection",
     "Detection",
     "How it was noticed, and how it could have been noticed sooner",
     &ReviewFields::detection},
    {"proximate_trigger",
     "Proximate trigger",
     "What set it off that day",
     &ReviewFields::proximate_trigger},
    {"systemic_gap",
     "Systemic gap",
     "Why the system let that trigger become an incident",
     &ReviewFields::systemic_gap},
    {"went_well", "What went well", "What made it smaller or shorter", &ReviewFields::went_well},
    {"went_badly", "What went badly", "What made it bigger or longer", &ReviewFields::went_badly},
    {"got_lucky", "Where we got lucky", "What could have made it worse", &ReviewFields::got_lucky},
    {"lessons", "Lessons", "What others should know", &ReviewFields::lessons},
}};

/// Lower-case words, so that case, spaces and points make no difference.
std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || byte >= 0x80) {
            word += static_cast<char>(std::tolower(byte));
        } else if (!word.empty()) {
            words.push_back(std::move(word));
            word.clear();
        }
    }
    if (!word.empty()) {
        words.push_back(std::move(word));
    }
    return words;
}

/// "n/a", "tbd", "unknown" are no answers; nor are one or two words.
bool is_answer(std::string_view text) {
    return words_of(text).size() >= answer_words_min;
}

bool says_the_same(std::string_view a, std::string_view b) {
    const std::vector<std::string> list_a = words_of(a);
    const std::vector<std::string> list_b = words_of(b);
    const std::set<std::string> words_a(list_a.begin(), list_a.end());
    const std::set<std::string> words_b(list_b.begin(), list_b.end());
    std::size_t shared = 0;
    for (const std::string& word : words_a) {
        shared += words_b.contains(word) ? 1 : 0;
    }
    const std::size_t all = words_a.size() + words_b.size() - shared;
    return all > 0 && shared * 100 >= all * shared_words_percent;
}

std::string between(const std::optional<Instant>& from, const std::optional<Instant>& to) {
    if (!from || !to || *to < *from) {
        return "";
    }
    return to_text(std::chrono::duration_cast<Duration>(
        std::chrono::duration_cast<std::chrono::seconds>(*to - *from)
    ));
}

std::string impact_text(const incident::Incident& incident) {
    const incident::Impact& impact = incident.impact;
    std::string text = std::to_string(impact.failed_sessions) + " of " +
                       std::to_string(impact.sessions) + " sessions seen failed; " +
                       std::to_string(impact.writes) + " side effects were completed";
    if (impact.users > 0) {
        text += "; " + std::to_string(impact.users) + " users";
    }
    const std::string lasted =
        between(incident.anchors.onset_at, incident.anchors.impact_ended_at);
    return text + (lasted.empty() ? "." : "; it lasted " + lasted + ".");
}

std::string detection_text(const incident::Incident& incident) {
    std::string text;
    for (const std::string& signal : incident.signals) {
        text += (text.empty() ? "Tagout's signals " : ", ") + signal;
    }
    if (text.empty()) {
        return "Declared by hand" +
               (incident.anchors.declared_at ? " at " + to_rfc3339(*incident.anchors.declared_at)
                                             : std::string()) +
               ".";
    }
    const std::string took = between(incident.anchors.onset_at, incident.anchors.signal_at);
    return text + (took.empty() ? "." : ", " + took + " after the first harm.");
}

/// A text that cannot break out of its paragraph or table cell.
std::string one_line(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|') {
            out += "\\|";
        } else if (c == '<') {
            out += "&lt;";
        } else {
            out += c == '\n' || c == '\r' ? ' ' : c;
        }
    }
    return out;
}

/// People write Markdown into the fields; only HTML and headings of theirs are taken for text.
std::string paragraph(std::string_view text) {
    std::string out;
    bool line_begins = true;
    for (const char c : text) {
        if (c == '<') {
            out += "&lt;";
        } else {
            out += line_begins && c == '#' ? "\\#" : std::string(1, c);
        }
        line_begins = c == '\n';
    }
    return out;
}

std::string times_table(const incident::Anchors& anchors) {
    std::string text = "| time | what |\n| --- | --- |\n";
    const auto row = [&](const std::optional<Instant>& at, const char* what) {
        if (at) {
            text += "| " + to_rfc3339(*at) + " | " + what + " |\n";
        }
    };
    row(anchors.onset_at, "first harm");
    row(anchors.signal_at, "first signal");
    row(anchors.declared_at, "declared");
    row(anchors.paged_at, "people told");
    row(anchors.acked_at, "acknowledged");
    row(anchors.contain_requested_at, "containment asked for");
    row(anchors.contained_at, "contained and proved");
    row(anchors.recovered_at, "recovered");
    row(anchors.verified_at, "integrity verified");
    row(anchors.impact_ended_at, "impact ended");
    row(anchors.resolved_at, "resolved");
    return text;
}

std::string actions_text(const std::vector<Action>& actions) {
    if (actions.empty()) {
        return "None yet.\n";
    }
    std::string text = "| action | kind | owner | due | state |\n| --- | --- | --- | --- | --- |\n";
    for (const Action& action : actions) {
        text += "| " + action.id + ": " + one_line(action.title) + " | " +
                std::string(name_of(action.kind)) + " | " + one_line(action.owner) + " | " +
                to_rfc3339(action.due).substr(0, 10) + " | " +
                (action.closed ? "closed: " + one_line(action.evidence) : std::string("open")) + " |\n";
    }
    return text;
}

std::string timeline_text(const incident::Incident& incident) {
    constexpr std::size_t lines_max = 500;
    std::string text;
    std::size_t lines = 0;
    for (const incident::TimelineEntry& entry : incident.timeline) {
        if (++lines > lines_max) {
            text += "- " + std::to_string(incident.timeline.size() - lines_max) +
                    " more stand on the incident and in the journal\n";
            break;
        }
        text += "- " + to_rfc3339(entry.occurred_at) + " " + one_line(entry.actor.text()) + ": " +
                one_line(entry.text) + (entry.reason.empty() ? "" : " (" + one_line(entry.reason) + ")") +
                "\n";
    }
    return text;
}

}  // namespace

const std::array<ReviewField, 9>& review_fields() noexcept { return fields_table; }

std::vector<MissingPart> missing_parts(
    const ReviewFields& fields, const incident::Incident& incident, bool has_evidence,
    const std::vector<Action>& actions
) {
    const std::string& id = incident.id.text();
    std::vector<MissingPart> missing;
    if (incident.state < IncidentState::Resolved || incident.state > IncidentState::Closed) {
        missing.push_back(
            {"resolved",
             "the incident is " + std::string(name_of(incident.state)) +
                 "; resolve it first (tagout incidents resolve " + id + " --reason WHY)"}
        );
    }
    if (incident.timeline.size() < 2 || !incident.anchors.onset_at) {
        missing.push_back(
            {"timeline",
             "say when the harm began and what was done (tagout incidents anchor " + id +
                 " onset TIME, tagout incidents note " + id + " TEXT)"}
        );
    }
    if (!has_evidence) {
        missing.push_back(
            {"evidence", "export what was recorded (tagout evidence export " + id + " -o FILE)"}
        );
    }
    if (!is_answer(fields.proximate_trigger)) {
        missing.push_back(
            {"proximate_trigger",
             "write what set it off, in a sentence (tagout review set " + id +
                 " --proximate-trigger TEXT)"}
        );
    }
    if (!is_answer(fields.systemic_gap)) {
        missing.push_back(
            {"systemic_gap",
             "write why the system let the trigger become an incident (tagout review set " + id +
                 " --systemic-gap TEXT)"}
        );
    } else if (says_the_same(fields.systemic_gap, fields.proximate_trigger)) {
        missing.push_back(
            {"systemic_gap",
             "it says the trigger again; write what would have stopped any such trigger (tagout "
             "review set " +
                 id + " --systemic-gap TEXT)"}
        );
    }
    const bool promised = std::ranges::any_of(actions, [](const Action& action) {
        return !action.owner.empty() && action.due > Instant{};
    });
    if (!promised) {
        missing.push_back(
            {"actions",
             "add an action with owner and due date (tagout actions add " + id +
                 " TITLE --kind prevent --owner WHO --due TIME)"}
        );
    }
    return missing;
}

ReviewFields prefilled(const incident::Incident& incident) {
    ReviewFields fields;
    fields.summary = incident.title + ". Class " + std::string(name_of(incident.failure_class)) + ", " +
                     std::string(name_of(incident.severity)) +
                     (incident.owner.team.empty() ? ", owned by nobody"
                                                  : ", owned by " + incident.owner.team) +
                     (incident.recurrence_of.empty() ? "."
                                                     : ". It recurs: the same as " +
                                                           incident.recurrence_of.text() + ".");
    fields.impact = impact_text(incident);
    fields.detection = detection_text(incident);
    return fields;
}

std::string to_markdown(
    const Review& review, const incident::Incident& incident, const std::vector<Action>& actions
) {
    std::string text = "# Review of " + incident.id.text() + ": " + one_line(incident.title) + "\n\n";
    text += std::string(name_of(incident.severity)) + ", class " +
            std::string(name_of(incident.failure_class));
    text += review.published_at ? ". Published " + to_rfc3339(*review.published_at) + " by " +
                                      one_line(review.published_by.text()) + ".\n"
                                : ". Draft.\n";
    for (const ReviewField& field : fields_table) {
        const std::string& written = review.fields.*field.text;
        text += "\n## " + std::string(field.heading) + "\n\n" +
                (written.empty() ? "_Not written: " + std::string(field.question) + "._"
                                 : paragraph(written)) +
                "\n";
    }
    text += "\n## Actions\n\n" + actions_text(actions);
    text += "\n## Times\n\n" + times_table(incident.anchors);
    text += "\n## Timeline\n\n" + timeline_text(incident);
    return text;
}

}  // namespace tagout::prevent
