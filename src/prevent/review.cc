#include "prevent/review.h"

#include "base/log.h"
#include "incident/incident_json.h"
#include "prevent/json_read.h"
#include "prevent/teller.h"

#include <boost/json.hpp>

#include <algorithm>
#include <map>

namespace tagout::prevent {

namespace {

namespace json = boost::json;

constexpr std::string_view incident_prefix = "INC-";
/// A journal entry's limit less what stands around the text.
constexpr std::size_t markdown_bytes_max = 512 * 1024;
static_assert(
    markdown_bytes_max * 3 / 2 + 9 * review_text_bytes_max < journal::Journal::entry_bytes_max
);

json::object tree_of(const ReviewFields& fields) {
    json::object out;
    for (const ReviewField& field : review_fields()) {
        put(out, field.name, fields.*field.text);
    }
    return out;
}

ReviewFields fields_of(const json::object& tree) {
    ReviewFields fields;
    for (const ReviewField& field : review_fields()) {
        fields.*field.text = text_at(tree, field.name);
    }
    return fields;
}

Result<void> apply_edit(const ReviewEdit& edit, ReviewFields& fields) {
    for (const auto& [name, text] : edit) {
        const auto field = std::ranges::find(review_fields(), name, &ReviewField::name);
        if (field == review_fields().end()) {
            std::string names;
            for (const ReviewField& each : review_fields()) {
                names += (names.empty() ? "" : ", ") + std::string(each.name);
            }
            return fail(
                ErrorCode::InvalidArgument,
                "'" + name.substr(0, 60) + "' is no field of a review; use " + names
            );
        }
        if (text.size() > review_text_bytes_max) {
            return fail(ErrorCode::InvalidArgument, "'" + name + "' is over 20000 bytes");
        }
        fields.*field->text = text;
    }
    return {};
}

std::string refusal_of(const IncidentId& id, const std::vector<MissingPart>& missing) {
    std::string text = "the review of " + id.text() + " cannot be published; missing:";
    for (const MissingPart& part : missing) {
        text += "\n" + part.what + ": " + part.remedy;
    }
    return text;
}

void put_state(json::object& out, const Review& review) {
    out["state"] = name_of(review.state);
    if (review.state == ReviewState::None) {
        return;
    }
    out["drafted_at"] = to_rfc3339(review.drafted_at);
    out["drafted_by"] = review.drafted_by.text();
    put(out, "published_at", review.published_at);
    put(out, "published_by", review.published_by.text());
}

/// Thread-safe.
class LiveReviews final : public Reviews {
public:
    explicit LiveReviews(ReviewParts parts) : parts_(std::move(parts)) {}

    Result<void> rebuild() override {
        const MutexLock lock(mutex_);
        return parts_.journal.read(
            1,
            [this](const journal::JournalEntry& entry) TAGOUT_REQUIRES(mutex_) {
                apply(entry);
                return true;
            }
        );
    }

    void on_change(std::function<void(const ReviewChange&)> observer) override {
        teller_.on_change(std::move(observer));
    }

    Result<Review> draft(
        const IncidentId& id, const ReviewEdit& edit, const incident::By& by
    ) override {
        const incident::Incident incident = TAGOUT_TRY(parts_.incident(id));
        Result<Review> changed = fail(ErrorCode::Conflict, "");
        {
            const MutexLock lock(mutex_);
            const Review* const known = find(id);
            if (known != nullptr && known->state == ReviewState::Published) {
                return fail(
                    ErrorCode::Conflict,
                    "the review of " + id.text() + " was published by " +
                        known->published_by.text() +
                        " and does not change; put what was learned since on the timeline as a note"
                );
            }
            ReviewFields fields = known == nullptr ? prefilled(incident) : known->fields;
            const ReviewFields before = fields;
            TAGOUT_TRY(apply_edit(edit, fields));
            if (known != nullptr && fields == before) {
                return *known;
            }
            changed = commit("review.drafted", id, by, json::serialize(tree_of(fields)));
        }
        teller_.tell();
        return changed;
    }

    Result<Review> publish(const IncidentId& id, const incident::By& by) override {
        const incident::Incident incident = TAGOUT_TRY(parts_.incident(id));
        const std::vector<Action> actions = parts_.actions(id);
        const bool has_evidence = parts_.has_evidence(id);
        Result<Review> changed = fail(ErrorCode::Conflict, "");
        {
            const MutexLock lock(mutex_);
            const Review* const known = find(id);
            if (known != nullptr && known->state == ReviewState::Published) {
                return fail(
                    ErrorCode::Conflict,
                    "the review of " + id.text() + " was published by " + known->published_by.text()
                );
            }
            Review next = known == nullptr ? begun(incident) : *known;
            const std::vector<MissingPart> missing =
                missing_parts(next.fields, incident, has_evidence, actions);
            if (!missing.empty()) {
                return fail(ErrorCode::Conflict, refusal_of(id, missing));
            }
            next.published_at = parts_.clock.now();
            next.published_by = by.actor;
            std::string markdown = to_markdown(next, incident, actions);
            if (markdown.size() > markdown_bytes_max) {
                markdown.resize(markdown.rfind('\n', markdown_bytes_max) + 1);
                markdown += "- what follows stands on the incident and in the journal\n";
            }
            json::object body = tree_of(next.fields);
            body["markdown"] = std::move(markdown);
            changed = commit("review.published", id, by, json::serialize(body));
        }
        teller_.tell();
        return changed;
    }

    [[nodiscard]] Result<Review> get(const IncidentId& id) const override {
        {
            const MutexLock lock(mutex_);
            if (const Review* const known = find(id); known != nullptr) {
                return *known;
            }
        }
        return begun(TAGOUT_TRY(parts_.incident(id)));
    }

    [[nodiscard]] std::vector<Review> list() const override {
        const MutexLock lock(mutex_);
        std::vector<Review> all;
        for (auto each = reviews_.rbegin(); each != reviews_.rend(); ++each) {
            all.push_back(each->second);
        }
        return all;
    }

    [[nodiscard]] Result<std::string> json(const IncidentId& id) const override {
        const incident::Incident incident = TAGOUT_TRY(parts_.incident(id));
        const Review review = TAGOUT_TRY(get(id));
        const std::vector<Action> actions = parts_.actions(id);
        const json::object tree = incident::tree_of(incident, incident::Detail::Full);
        json::array rows;
        for (const Action& action : actions) {
            rows.push_back(json::parse(to_json(action, parts_.clock.now())));
        }
        json::array missing;
        if (review.state != ReviewState::Published) {
            for (const MissingPart& part :
                 missing_parts(review.fields, incident, parts_.has_evidence(id), actions)) {
                missing.push_back(json::object{{"what", part.what}, {"remedy", part.remedy}});
            }
        }
        json::object out{
            {"incident", id.text()},
            {"title", incident.title},
            {"severity", name_of(incident.severity)},
            {"fields", tree_of(review.fields)},
            {"timeline", tree.at("timeline")},
            {"anchors", tree.at("anchors")},
            {"impact", tree.at("impact")},
            {"actions", std::move(rows)},
            {"missing", std::move(missing)},
            {"markdown",
             review.markdown.empty() ? to_markdown(review, incident, actions) : review.markdown},
        };
        put_state(out, review);
        if (review.state == ReviewState::Draft) {
            out["changed_at"] = to_rfc3339(review.changed_at);
        }
        return json::serialize(out);
    }

    [[nodiscard]] std::string list_json() const override {
        json::array rows;
        for (const Review& review : list()) {
            json::object row{{"incident", review.incident.text()}};
            const Result<incident::Incident> incident = parts_.incident(review.incident);
            row["title"] = incident ? incident->title : "";
            row["severity"] = name_of(incident ? incident->severity : Severity::Sev3);
            put_state(row, review);
            rows.push_back(std::move(row));
        }
        return json::serialize(json::object{{"reviews", std::move(rows)}});
    }

private:
    static Review begun(const incident::Incident& incident) {
        Review review;
        review.incident = incident.id;
        review.fields = prefilled(incident);
        return review;
    }

    [[nodiscard]] const Review* find(const IncidentId& id) const TAGOUT_REQUIRES(mutex_) {
        const auto found = reviews_.find(number_in(id.text(), incident_prefix));
        return found == reviews_.end() ? nullptr : &found->second;
    }

    Result<Review> commit(
        std::string_view kind, const IncidentId& id, const incident::By& by, std::string body
    ) TAGOUT_REQUIRES(mutex_) {
        const journal::EntryDraft draft{
            std::string(kind), id.text(), by.actor, by.reason, parts_.clock.now(), std::move(body)};
        const auto entries = TAGOUT_TRY(parts_.journal.append(std::span(&draft, 1)));
        apply(entries.front());
        teller_.add(ReviewChange{*find(id), by});
        return *find(id);
    }

    void apply(const journal::JournalEntry& entry) TAGOUT_REQUIRES(mutex_) {
        const std::uint64_t number = number_in(entry.draft.subject, incident_prefix);
        const bool published = entry.draft.kind == "review.published";
        if (number == 0 || (!published && entry.draft.kind != "review.drafted")) {
            return;
        }
        boost::system::error_code error;
        const json::value body = json::parse(entry.draft.body, error);
        if (error || !body.is_object()) {
            log::warn("review_entry_unreadable", {{"sequence", entry.sequence}});
            return;
        }
        Review& review = reviews_[number];
        if (review.state == ReviewState::None) {
            review.incident = IncidentId(entry.draft.subject);
            review.drafted_at = entry.draft.occurred_at;
            review.drafted_by = entry.draft.actor;
        }
        review.fields = fields_of(body.as_object());
        review.changed_at = entry.draft.occurred_at;
        review.state = published ? ReviewState::Published : ReviewState::Draft;
        if (published) {
            review.published_at = entry.draft.occurred_at;
            review.published_by = entry.draft.actor;
            review.markdown = text_at(body.as_object(), "markdown");
        }
    }

    const ReviewParts parts_;
    Teller<ReviewChange> teller_;

    mutable Mutex mutex_;
    std::map<std::uint64_t, Review> reviews_ TAGOUT_GUARDED_BY(mutex_);
};

}  // namespace

std::string_view name_of(ReviewState state) noexcept {
    switch (state) {
        case ReviewState::None:
            return "none";
        case ReviewState::Draft:
            return "draft";
        case ReviewState::Published:
            return "published";
    }
    return "?";
}

std::unique_ptr<Reviews> Reviews::make(ReviewParts parts) {
    return std::make_unique<LiveReviews>(std::move(parts));
}

}  // namespace tagout::prevent
