#include "contain/book_fold.h"

#include "contain/control_form.h"
#include "contain/control_json.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

namespace tagout::contain {

namespace {

namespace json = boost::json;

/// Members of an entry's body, with nothing for what is not there or of another type.
class Members {
public:
    explicit Members(const std::string& body) {
        boost::system::error_code error;
        json::value value = json::parse(body, error);
        if (!error && value.is_object()) {
            object_ = std::move(value.as_object());
            readable_ = true;
        }
    }
    explicit Members(json::object object) : object_(std::move(object)), readable_(true) {}

    [[nodiscard]] bool readable() const { return readable_; }
    [[nodiscard]] const json::object& object() const { return object_; }
    [[nodiscard]] std::string text(std::string_view name) const {
        const json::value* const found = object_.if_contains(name);
        return found != nullptr && found->is_string() ? std::string(found->as_string())
                                                      : std::string();
    }
    [[nodiscard]] std::uint64_t number(std::string_view name) const {
        const json::value* const found = object_.if_contains(name);
        return found != nullptr && found->is_number() ? found->to_number<std::uint64_t>() : 0;
    }
    [[nodiscard]] bool flag(std::string_view name) const {
        const json::value* const found = object_.if_contains(name);
        return found != nullptr && found->is_bool() && found->as_bool();
    }
    [[nodiscard]] std::optional<Instant> time(std::string_view name) const {
        // Nanoseconds, so that a fold gives back what was there before it was written.
        const json::value* const found = object_.if_contains(name);
        return found != nullptr && found->is_number()
                   ? std::optional(Instant(Duration(found->to_number<std::int64_t>())))
                   : std::nullopt;
    }
    [[nodiscard]] std::vector<Members> objects(std::string_view name) const {
        std::vector<Members> all;
        const json::value* const found = object_.if_contains(name);
        if (found != nullptr && found->is_array()) {
            for (const json::value& each : found->as_array()) {
                if (each.is_object()) {
                    all.emplace_back(each.as_object());
                }
            }
        }
        return all;
    }

private:
    json::object object_;
    bool readable_ = false;
};

std::optional<BookRow> applied(const journal::EntryDraft& draft, const Members& body) {
    FormReader reader(body.object(), "body");
    BookRow row;
    Control& control = row.view.control;
    control = read_terms(reader);
    if (!reader.is_good()) {
        return std::nullopt;
    }
    control.id = ControlId(draft.subject);
    control.reason = draft.reason;
    control.author = draft.actor;
    control.since = body.time("since").value_or(draft.occurred_at);
    row.view.origin = body.text("origin");
    row.view.requested_at = draft.occurred_at;
    row.view.review_set_at = draft.occurred_at;
    row.view.revision = body.number("revision");
    return row;
}

void acknowledged(const journal::EntryDraft& draft, const Members& body, BookRow& row) {
    ControlView& view = row.view;
    if (const std::string point = body.text("point"); !point.empty()) {
        effect_of(view, point).acknowledged_at = draft.occurred_at;
    }
    for (const Members& each : body.objects("points")) {
        effect_of(view, each.text("point")).acknowledged_at =
            each.time("at").value_or(draft.occurred_at);
    }
    if (const auto published = body.time("published_at")) {
        view.published_at = published;
    }
    if (body.flag("by_all") && !view.acknowledged_at) {
        view.acknowledged_at = draft.occurred_at;
        view.time_to_effect = draft.occurred_at - view.requested_at;
    }
}

void probed(const journal::EntryDraft& draft, const Members& body, BookRow& row) {
    const bool proved = draft.kind == "control.proved";
    for (const Members& each : body.objects("points")) {
        PointEffect& effect = effect_of(row.view, each.text("point"));
        effect.error = each.text("error");
        effect.proved_at =
            effect.error.empty() ? std::optional(draft.occurred_at) : std::nullopt;
        effect.probes.clear();
        effect.roads = each.number("roads");
        for (const Members& probe : each.objects("probes")) {
            effect.probes.push_back(
                {.road = probe.text("road"),
                 .reached = probe.flag("reached"),
                 .verdict = parse_verdict(probe.text("verdict")).value_or(Verdict::None),
                 .decided_by = probe.text("decided_by"),
                 .revision = probe.number("revision"),
                 .detail = probe.text("detail")}
            );
        }
        effect.roads = std::max(effect.roads, effect.probes.size());
    }
    // A round may have been of some points only: what others showed before stands.
    const bool all_good = std::ranges::all_of(row.view.points, [](const PointEffect& effect) {
        return effect.error.empty();
    });
    row.showed = proved && all_good ? ProbeShowed::Proved : ProbeShowed::Unproved;
    row.view.proved_at =
        row.showed == ProbeShowed::Proved ? std::optional(draft.occurred_at) : std::nullopt;
}

/// False, changing nothing, for a body that cannot be read.
bool move_stage(const journal::EntryDraft& draft, const Members& body, BookRow& row) {
    ControlView& view = row.view;
    static const json::object shut;
    const json::value* const member = body.object().if_contains("opening");
    FormReader reader(member != nullptr && member->is_object() ? member->get_object() : shut, "opening");
    Opening opening = read_opening(reader);
    if (!reader.is_good()) {
        return false;
    }
    const bool opened = draft.kind == "control.opened";
    if (opened) {
        view.stages.push_back({opening, draft.occurred_at, {draft.actor, draft.reason}});
    } else {
        while (!view.stages.empty() && view.stages.back().opening != opening) {
            view.stages.pop_back();
        }
    }
    if (!opened) {
        // What closes again is in force once every point said so, and proved when probes were refused.
        view.requested_at = draft.occurred_at;
        view.revision = body.number("revision");
        view.published_at = view.acknowledged_at = view.proved_at = std::nullopt;
        view.time_to_effect = std::nullopt;
        for (PointEffect& effect : view.points) {
            effect.acknowledged_at = effect.proved_at = std::nullopt;
            effect.probes.clear();
            effect.error.clear();
        }
        row.showed = ProbeShowed::Nothing;
    }
    view.put_back = opened ? "" : draft.reason;
    view.control.opening = std::move(opening);
    view.stage_since = draft.occurred_at;
    return true;
}

json::value nanos(Instant at) {
    return unix_nanos(at);
}

}  // namespace

PointEffect& effect_of(ControlView& view, std::string_view point) {
    const auto found = std::ranges::lower_bound(view.points, point, {}, &PointEffect::point);
    if (found != view.points.end() && found->point == point) {
        return *found;
    }
    PointEffect fresh;
    fresh.point = point;
    return *view.points.insert(found, std::move(fresh));
}

const PointEffect* find_effect(const ControlView& view, std::string_view point) {
    const auto found = std::ranges::lower_bound(view.points, point, {}, &PointEffect::point);
    return found != view.points.end() && found->point == point ? &*found : nullptr;
}

void settle(BookRow& row) {
    ControlView& view = row.view;
    const bool enforced =
        !view.points.empty() && std::ranges::all_of(view.points, [](const PointEffect& effect) {
            return effect.acknowledged_at.has_value();
        });
    view.state = view.released_at                           ? ControlState::Released
                 : !enforced                                ? ControlState::Requested
                 : row.showed == ProbeShowed::Proved        ? ControlState::Proved
                 : row.showed == ProbeShowed::Unproved      ? ControlState::Unproved
                                                            : ControlState::Acknowledged;
}

BookRow* BookFold::apply(const journal::JournalEntry& entry) {
    const journal::EntryDraft& draft = entry.draft;
    if (!draft.kind.starts_with("control.")) {
        return nullptr;
    }
    const Members body(draft.body);
    if (!body.readable()) {
        ++unreadable_;
        return nullptr;
    }
    revision_ = std::max(revision_, body.number("revision"));
    if (draft.kind == "control.policies") {
        return nullptr;
    }
    const std::optional<std::uint64_t> number = number_of(draft.subject);
    if (number && draft.kind == "control.applied") {
        if (std::optional<BookRow> row = applied(draft, body)) {
            if (!row->view.origin.empty()) {
                origins_[row->view.origin] = *number;
            }
            return &(rows_[*number] = std::move(*row));
        }
    }
    const auto found = number ? rows_.find(*number) : rows_.end();
    if (found == rows_.end()) {
        ++unreadable_;
        return nullptr;
    }
    BookRow& row = found->second;
    ControlView& view = row.view;
    if (draft.kind == "control.acknowledged") {
        acknowledged(draft, body, row);
    } else if (draft.kind == "control.proved" || draft.kind == "control.unproved") {
        probed(draft, body, row);
    } else if (draft.kind == "control.renewed") {
        view.control.review_by = body.time("review_by").value_or(view.control.review_by);
        view.review_set_at = draft.occurred_at;
        view.review = Review::Ahead;
    } else if (draft.kind == "control.due") {
        view.review = std::max(view.review, Review::Near);
    } else if (draft.kind == "control.overdue") {
        view.review = Review::Passed;
    } else if (draft.kind == "control.release_requested") {
        view.control.validating = true;
        view.release_requested_by = draft.actor;
        view.release_reason = draft.reason;
        view.release_requested_at = draft.occurred_at;
        view.stage_since = draft.occurred_at;
    } else if (draft.kind == "control.opened" || draft.kind == "control.put_back") {
        if (!move_stage(draft, body, row)) {
            ++unreadable_;
            return nullptr;
        }
    } else if (draft.kind == "control.adopted") {
        origins_[body.text("origin")] = *number;
    } else if (draft.kind == "control.released" || draft.kind == "control.handed_over") {
        view.released_by = draft.actor;
        view.released_at = draft.occurred_at;
        view.control.validating = false;
        view.control.opening = {};
    } else {
        ++unreadable_;
        return nullptr;
    }
    settle(row);
    return &row;
}

std::optional<std::uint64_t> BookFold::number_of(std::string_view id) const {
    if (!id.starts_with(prefix_)) {
        return std::nullopt;
    }
    std::uint64_t number = 0;
    const char* const end = id.data() + id.size();
    const auto [at, error] = std::from_chars(id.data() + prefix_.size(), end, number);
    return error == std::errc{} && at == end ? std::optional(number) : std::nullopt;
}

const BookRow* BookFold::find_origin(std::string_view origin) const {
    const auto found = origins_.find(origin);
    const auto row = found == origins_.end() ? rows_.end() : rows_.find(found->second);
    return row == rows_.end() ? nullptr : &row->second;
}

BookRow* BookFold::find(const ControlId& id) {
    const auto number = number_of(id.text());
    const auto found = number ? rows_.find(*number) : rows_.end();
    return found == rows_.end() ? nullptr : &found->second;
}
const BookRow* BookFold::find(const ControlId& id) const {
    const auto number = number_of(id.text());
    const auto found = number ? rows_.find(*number) : rows_.end();
    return found == rows_.end() ? nullptr : &found->second;
}

std::vector<Control> BookFold::in_force() const {
    std::vector<Control> all;
    for (const auto& [number, row] : rows_) {
        if (!row.view.released_at) {
            all.push_back(row.view.control);
        }
    }
    return all;
}

ControlId BookFold::next_id() const {
    return ControlId(prefix_ + std::to_string(rows_.empty() ? 1 : rows_.rbegin()->first + 1));
}

std::string applied_body(
    const Control& control, std::uint64_t revision, std::string_view origin
) {
    json::object body = terms_form(control);
    body["revision"] = revision;
    if (!origin.empty()) {
        body["origin"] = origin;
        body["since"] = nanos(control.since);
    }
    return json::serialize(body);
}

std::string adopted_body(std::string_view origin, const Control& as_it_was) {
    json::object body = terms_form(as_it_was);
    body["origin"] = origin;
    body["since"] = nanos(as_it_was.since);
    return json::serialize(body);
}

std::string acknowledged_body(
    const std::vector<AckedPoint>& points, const ControlView& view, bool by_all
) {
    json::array rows;
    for (const AckedPoint& each : points) {
        rows.push_back(json::object{{"point", each.point}, {"at", nanos(each.at)}});
    }
    json::object body{
        {"points", std::move(rows)}, {"revision", view.revision}, {"by_all", by_all}};
    if (view.published_at) {
        body["published_at"] = nanos(*view.published_at);
    }
    return json::serialize(body);
}

std::string probed_body(const std::vector<ProbedPoint>& points) {
    // Of many points only what went wrong is told road by road.
    constexpr std::size_t points_told_max = 8;
    const bool few = points.size() <= points_told_max;
    json::array rows;
    for (const ProbedPoint& each : points) {
        json::array probes;
        for (const ProbeResult& probe : each.probes) {
            if (!few && each.error.empty()) {
                break;
            }
            json::object one = tree_of(probe);
            one["revision"] = probe.revision;
            probes.push_back(std::move(one));
        }
        rows.push_back(json::object{
            {"point", each.point},
            {"roads", each.probes.size()},
            {"probes", std::move(probes)},
            {"error", each.error}});
    }
    return json::serialize(json::object{{"points", std::move(rows)}});
}

std::string review_body(Instant review_by) {
    return json::serialize(json::object{{"review_by", nanos(review_by)}});
}

std::string revision_body(std::uint64_t revision, std::string_view without_journeys) {
    json::object body{{"revision", revision}};
    if (!without_journeys.empty()) {
        body["without_journeys"] = without_journeys;
    }
    return json::serialize(body);
}

std::string stage_body(
    const Opening& opening, std::uint64_t revision, std::string_view without_journeys
) {
    json::object body{{"revision", revision}, {"opening", opening_form(opening)}};
    if (!without_journeys.empty()) {
        body["without_journeys"] = without_journeys;
    }
    return json::serialize(body);
}

std::string policies_body(std::uint64_t revision, const std::vector<Policy>& policies) {
    json::array names;
    for (const Policy& policy : policies) {
        names.emplace_back(policy.name + "@" + policy.version);
    }
    return json::serialize(json::object{{"revision", revision}, {"policies", std::move(names)}});
}

}  // namespace tagout::contain
