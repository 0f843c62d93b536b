#include "server/prevent_api.h"

#include "server/body.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace tagout::server {

namespace {

namespace json = boost::json;

constexpr std::size_t reason_bytes_max = 2'000;
constexpr std::size_t actor_bytes_max = 200;
constexpr std::size_t name_bytes_max = 300;
constexpr std::size_t id_bytes_max = 40;

constexpr std::array<std::string_view, 12> operations{
    "createRegression", "listRegressions", "getRegression", "getReview",
    "draftReview",      "publishReview",   "listReviews",   "listActions",
    "addAction",        "closeAction",     "getGate",       "evaluateGate",
};

incident::By read_by(Body& body, bool reason_required) {
    Actor actor = read_actor(body);
    return {std::move(actor), body.text("reason", reason_required, reason_bytes_max)};
}

std::string with_rows(std::string_view name, const std::vector<std::string>& rows) {
    std::string text = "{\"" + std::string(name) + "\":[";
    for (std::size_t i = 0; i < rows.size(); ++i) {
        text += (i == 0 ? "" : ",") + rows[i];
    }
    return text + "]}";
}

Result<std::string> create_regression(
    prevent::RegressionBook& book, std::string_view incident, Body body
) {
    const std::string text = body.json("must_not", false);
    const incident::By by = read_by(body, true);
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    std::optional<prevent::MustNot> must_not;
    if (!text.empty()) {
        must_not = TAGOUT_TRY(prevent::parse_must_not(text));
    }
    const prevent::CasePtr made = TAGOUT_TRY(book.create(IncidentId(incident), must_not, by));
    return prevent::to_json(*made);
}

Result<std::string> list_regressions(
    const prevent::RegressionBook& book, const net::ServerRequest& request
) {
    std::vector<std::string> rows;
    for (const prevent::CasePtr& each : book.list(
             AgentName(request.query("agent").substr(0, name_bytes_max)),
             IncidentId(request.query("incident").substr(0, id_bytes_max))
         )) {
        rows.push_back(prevent::summary_json(*each));
    }
    return with_rows("regressions", rows);
}

Result<std::string> draft_review(prevent::Reviews& reviews, std::string_view incident, Body body) {
    prevent::ReviewEdit edit;
    for (const prevent::ReviewField& field : prevent::review_fields()) {
        if (body.has(field.name)) {
            edit.emplace_back(
                field.name, body.text(field.name, false, prevent::review_text_bytes_max)
            );
        }
    }
    const incident::By by = read_by(body, false);
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    TAGOUT_TRY(reviews.draft(IncidentId(incident), edit, by));
    return reviews.json(IncidentId(incident));
}

Result<std::string> publish_review(prevent::Reviews& reviews, std::string_view incident, Body body) {
    const incident::By by = read_by(body, false);
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    TAGOUT_TRY(reviews.publish(IncidentId(incident), by));
    return reviews.json(IncidentId(incident));
}

Result<std::string> list_actions(const PreventDesks& desks, const net::ServerRequest& request) {
    const std::string state = request.query("state");
    constexpr std::array<std::string_view, 5> states{"", "all", "open", "closed", "overdue"};
    if (std::ranges::find(states, std::string_view(state)) == states.end()) {
        return fail(
            ErrorCode::InvalidArgument,
            "'" + state.substr(0, 60) + "' is no state; use one of open, closed, overdue, all"
        );
    }
    const Instant now = desks.clock->now();
    std::vector<std::string> rows;
    for (const prevent::Action& each :
         desks.actions->list(IncidentId(request.query("incident").substr(0, id_bytes_max)))) {
        const bool wanted = state.empty() || state == "all" || (state == "open" && !each.closed) ||
                            (state == "closed" && each.closed) ||
                            (state == "overdue" && each.is_overdue(now));
        if (wanted) {
            rows.push_back(prevent::to_json(each, now));
        }
    }
    return with_rows("actions", rows);
}

Result<std::string> add_action(const PreventDesks& desks, Body body) {
    prevent::ActionDraft draft;
    draft.incident = IncidentId(body.text("incident", true, id_bytes_max));
    draft.title = body.text("title", true, name_bytes_max);
    const auto kind =
        body.choice("kind", true, "prevent, mitigate, detect", prevent::parse_action_kind);
    draft.owner = body.text("owner", true, actor_bytes_max);
    const std::optional<Instant> due = body.deadline("due", true);
    const incident::By by = read_by(body, false);
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    draft.kind = *kind;
    draft.due = *due;
    return prevent::to_json(TAGOUT_TRY(desks.actions->add(draft, by)), desks.clock->now());
}

Result<std::string> close_action(const PreventDesks& desks, std::string_view id, Body body) {
    const std::string evidence = body.text("evidence", true, reason_bytes_max);
    const incident::By by = read_by(body, false);
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    const prevent::Action closed =
        TAGOUT_TRY(desks.actions->close(std::string(id), evidence, by));
    return prevent::to_json(closed, desks.clock->now());
}

Result<std::string> evaluate_gate(const PreventDesks& desks, Body body) {
    GateQuestion question;
    question.agent = AgentName(body.text("agent", false, name_bytes_max));
    question.bundle_file = body.json("bundle", true);
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    return prevent::to_json(TAGOUT_TRY(desks.gate(question)));
}

Result<std::string> read(
    const PreventDesks& desks, std::string_view operation, std::string_view argument,
    const net::ServerRequest& request
) {
    if (operation == "listRegressions") {
        return list_regressions(*desks.regressions, request);
    }
    if (operation == "getRegression") {
        const prevent::CasePtr found = TAGOUT_TRY(desks.regressions->get(std::string(argument)));
        return prevent::to_json(*found);
    }
    if (operation == "getReview") {
        return desks.reviews->json(IncidentId(argument));
    }
    if (operation == "listReviews") {
        return desks.reviews->list_json();
    }
    if (operation == "listActions") {
        return list_actions(desks, request);
    }
    return prevent::to_json(TAGOUT_TRY(desks.gate(GateQuestion{
        AgentName(request.query("agent").substr(0, name_bytes_max)),
        request.query("bundle").substr(0, name_bytes_max),
        ""})));
}

}  // namespace

bool is_prevent_operation(std::string_view operation) noexcept {
    return std::ranges::find(operations, operation) != operations.end();
}

Result<std::string> answer_prevent(
    const PreventDesks& desks, std::string_view operation, std::string_view argument,
    const net::ServerRequest& request
) {
    if (desks.regressions == nullptr || desks.reviews == nullptr || desks.actions == nullptr ||
        desks.clock == nullptr || !desks.gate) {
        return fail(ErrorCode::Unavailable, "this server keeps no reviews, actions and cases");
    }
    if (request.method != "POST") {
        return read(desks, operation, argument, request);
    }
    const std::string_view text = request.body.view();
    Body body = TAGOUT_TRY(Body::parse(text.empty() ? "{}" : text));
    if (operation == "createRegression") {
        return create_regression(*desks.regressions, argument, std::move(body));
    }
    if (operation == "draftReview") {
        return draft_review(*desks.reviews, argument, std::move(body));
    }
    if (operation == "publishReview") {
        return publish_review(*desks.reviews, argument, std::move(body));
    }
    if (operation == "addAction") {
        return add_action(desks, std::move(body));
    }
    if (operation == "closeAction") {
        return close_action(desks, argument, std::move(body));
    }
    return evaluate_gate(desks, std::move(body));
}

}  // namespace tagout::server
