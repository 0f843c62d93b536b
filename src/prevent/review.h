// Reviews: what an incident taught, written down so that it is not taught again.
//
// A draft begins filled in from the incident; people write the trigger and, apart from it, the
// systemic gap: why the system let one trigger become an incident. publish() is refused, naming every
// missing thing with its remedy at once, until there are: an incident that is over, a timeline,
// evidence (an exported pack or a pinned trace), the proximate trigger, a systemic gap that is not
// the trigger said again, and an action with owner and due date.
//
// Journal entries (subject: the incident's id): review.drafted (the fields as they are then),
// review.published (the whole text as Markdown beside the fields). A published review does not change.
// Thread-safe; changes commit (milliseconds). rebuild() folds the journal.
#pragma once

#include "base/result.h"
#include "incident/desk.h"
#include "journal/journal.h"
#include "prevent/actions.h"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::prevent {

struct ReviewFields {
    std::string summary;
    std::string impact;
    std::string detection;
    std::string proximate_trigger;
    std::string systemic_gap;
    std::string went_well;
    std::string went_badly;
    std::string got_lucky;
    std::string lessons;
    friend bool operator==(const ReviewFields&, const ReviewFields&) = default;
};

struct ReviewField {
    std::string_view name;
    std::string_view heading;
    std::string_view question;  ///< What the writer answers there.
    std::string ReviewFields::*text;
};
/// In the order in which they are read.
[[nodiscard]] const std::array<ReviewField, 9>& review_fields() noexcept;
inline constexpr std::size_t review_text_bytes_max = 20'000;

/// What a person changes: those of the fields that are set.
using ReviewEdit = std::vector<std::pair<std::string, std::string>>;  ///< Name of a field, its text.

enum class ReviewState : std::uint8_t { None = 0, Draft = 1, Published = 2 };
[[nodiscard]] std::string_view name_of(ReviewState state) noexcept;

struct Review {
    IncidentId incident;
    ReviewState state = ReviewState::None;
    ReviewFields fields;
    Instant drafted_at;
    Actor drafted_by;
    Instant changed_at;
    std::optional<Instant> published_at;
    Actor published_by;
    std::string markdown;  ///< Of a published one: as it was published.
};

struct MissingPart {
    std::string what;    ///< resolved, timeline, evidence, proximate_trigger, systemic_gap, actions
    std::string remedy;  ///< "write why ... (tagout review set INC-7 ...)"
};

/// What publishing needs, from what is known. Empty: it may be published.
[[nodiscard]] std::vector<MissingPart> missing_parts(
    const ReviewFields& fields, const incident::Incident& incident, bool has_evidence,
    const std::vector<Action>& actions
);
/// Fields as far as the incident itself tells them; trigger and gap are people's to write.
[[nodiscard]] ReviewFields prefilled(const incident::Incident& incident);
[[nodiscard]] std::string to_markdown(
    const Review& review, const incident::Incident& incident, const std::vector<Action>& actions
);

struct ReviewChange {
    Review review;
    incident::By by;
};

struct ReviewParts {
    journal::Journal& journal;
    const Clock& clock;
    std::function<Result<incident::Incident>(const IncidentId&)> incident;
    /// Whether at least one evidence pack was exported or trace is pinned.
    std::function<bool(const IncidentId&)> has_evidence;
    std::function<std::vector<Action>(const IncidentId&)> actions;
};

class Reviews {
public:
    virtual ~Reviews() = default;
    static std::unique_ptr<Reviews> make(ReviewParts parts);

    virtual Result<void> rebuild() = 0;
    virtual void on_change(std::function<void(const ReviewChange&)> observer) = 0;

    /// Begins a draft, or changes one. InvalidArgument names an unknown or too long field; Conflict:
    /// it is published.
    virtual Result<Review> draft(const IncidentId& id, const ReviewEdit& edit, const incident::By& by) = 0;
    /// Conflict with everything that is missing, a line each.
    virtual Result<Review> publish(const IncidentId& id, const incident::By& by) = 0;

    /// Without a draft: state None with what it would begin with. NotFound: no such incident.
    [[nodiscard]] virtual Result<Review> get(const IncidentId& id) const = 0;
    [[nodiscard]] virtual std::vector<Review> list() const = 0;  ///< Newest first.
    /// Review of api/openapi.yaml, with what is missing and as Markdown.
    [[nodiscard]] virtual Result<std::string> json(const IncidentId& id) const = 0;
    [[nodiscard]] virtual std::string list_json() const = 0;
};

}  // namespace tagout::prevent
