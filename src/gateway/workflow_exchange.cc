#include "gateway/workflow_exchange.h"

#include "net/url.h"

#include <algorithm>
#include <utility>

namespace tagout::gateway {

WorkflowExchange::WorkflowExchange(
    std::shared_ptr<Core> core, std::shared_ptr<const catalog::Catalog> catalog,
    const catalog::Workflow& workflow, std::string rest, net::ServerRequest request,
    std::shared_ptr<net::Responder> responder
)
    : Exchange(std::move(core), Road::Workflow, std::move(request), std::move(responder)),
      catalog_(std::move(catalog)),
      workflow_(workflow),
      rest_(std::move(rest)),
      caller_(read_caller(this->request().headers, core_->options.journey_secret)),
      answered_by_(workflow.name.text()) {
    caller_.add_traceparent(caller_.traceparent);
    caller_.workflow = workflow_.name.text();
}

void WorkflowExchange::start(
    std::shared_ptr<Core> core, std::shared_ptr<const catalog::Catalog> catalog,
    const catalog::Workflow& workflow, std::string rest, net::ServerRequest request,
    std::shared_ptr<net::Responder> responder
) {
    const std::shared_ptr<WorkflowExchange> exchange(new WorkflowExchange(
        std::move(core),
        std::move(catalog),
        workflow,
        std::move(rest),
        std::move(request),
        std::move(responder)
    ));
    exchange->begin();
}

ToolCall WorkflowExchange::facts() const {
    return caller_.call(CallKind::Workflow);
}

/// Of who answers.
ToolCall WorkflowExchange::facts_there() const {
    ToolCall call = facts();
    call.workflow = answered_by_;
    return call;
}

void WorkflowExchange::begin() {
    if (leads_out(rest_)) {
        answer(
            error_response(400, "invalid_argument", "the path leads out of the workflow's own"),
            Outcome::Invalid
        );
        return;
    }
    if (net::has_token(request().header("Connection"), "upgrade")) {
        answer(
            error_response(
                400, "invalid_argument", "the gateway passes HTTP on, no WebSocket or other upgrade"
            ),
            Outcome::Invalid
        );
        return;
    }
    ruling_ = is_probe() ? core_->rule(*snapshot(), facts()) : core_->admit(*snapshot(), facts());
    if (!is_probe()) {
        core_->meters.count_decision(CallKind::Workflow, ruling_.verdict);
    }
    if (ruling_.verdict == Verdict::Deny) {
        refuse(Outcome::Refused);
    } else if (is_probe()) {
        net::ServerResponse passed{
            200, {{"Content-Type", "application/json"}}, "{\"probe\":\"passed\"}"};
        passed.headers.emplace_back("tagout-decision", decision_header(ruling_));
        answer(std::move(passed), Outcome::Probe);
    } else {
        send_on();
    }
}

std::string WorkflowExchange::destination() const {
    if (answered_by_ == workflow_.name.text()) {
        return workflow_.url;
    }
    const auto& workflows = catalog_->contents().workflows;
    const auto found = std::ranges::find_if(workflows, [this](const catalog::Workflow& each) {
        return each.name.text() == answered_by_;
    });
    if (found != workflows.end() && !found->url.empty()) {
        return found->url;
    }
    return answered_by_ == workflow_.fallback.text() ? workflow_.fallback_url : "";
}

void WorkflowExchange::send_on() {
    if (ruling_.verdict == Verdict::Modify && !ruling_.route_to.empty()) {
        answered_by_ = ruling_.route_to;
    } else if (!workflow_.fallback.empty() && is_of_share(caller_, workflow_.fallback_percent)) {
        answered_by_ = workflow_.fallback.text();
    }
    if (answered_by_ != workflow_.name.text()) {  // What is stopped is stopped by whatever way.
        Ruling there = core_->rule(*snapshot(), facts_there());
        if (there.verdict == Verdict::Deny) {
            ruling_ = std::move(there);
            refuse(Outcome::Refused);
            return;
        }
    }
    const std::string base = destination();
    auto url = base.empty() ? Result<net::UrlParts>(fail(ErrorCode::NotFound, "no url"))
                            : joined_url(base, path_of(rest_), query_of(rest_));
    if (!url) {
        answer(
            error_response(
                502,
                "unavailable",
                "workflow '" + answered_by_ +
                    "' has no endpoint that is of use: give it a url under workflows in tagout.yaml"
            ),
            Outcome::Failed
        );
        return;
    }
    std::shared_ptr<const PaddedBytes> body;
    if (request().body.size() > 0) {
        body = std::make_shared<const PaddedBytes>(std::move(request().body));
    }
    enter();
    forward(std::move(*url), std::move(body), false);
}

void WorkflowExchange::refuse(Outcome outcome) {
    report(outcome == Outcome::Cancelled);
    const bool later = ruling_.retry_after > Duration{};
    net::ServerResponse response = error_response(
        later ? 429 : 403, later ? "limit_exceeded" : "unauthorized", refusal_text(ruling_)
    );
    if (later) {
        response.headers.emplace_back("Retry-After", retry_after(ruling_));
    } else {
        response.headers.emplace_back("x-should-retry", "false");
    }
    response.headers.emplace_back("tagout-decision", decision_header(ruling_));
    answer(std::move(response), outcome);
}

void WorkflowExchange::on_head(net::UpstreamHead head) {
    net::Headers headers = net::end_to_end(head.headers);
    headers.emplace_back("tagout-route", answered_by_);
    open({head.status, std::move(headers), ""}, head.length);
}

void WorkflowExchange::on_bytes(std::string_view bytes) {
    write(std::string(bytes));
}

void WorkflowExchange::on_upstream_end(const Result<void>& end) {
    if (!end && !has_opened()) {
        trouble_ = "workflow '" + answered_by_ + "' did not answer: " + end.error().message;
        report(false);
        answer(error_response(502, "unavailable", trouble_), Outcome::Failed);
        return;
    }
    report(false);
    end ? finish(Outcome::Forwarded) : cut(Outcome::Failed);
}

void WorkflowExchange::on_client_gone() {
    report(true);
}

void WorkflowExchange::judge_again(const Snapshot&, const Snapshot& now) {
    Ruling ruling = core_->rule(*now, facts());
    if (ruling.verdict != Verdict::Deny && answered_by_ != workflow_.name.text()) {
        ruling = core_->rule(*now, facts_there());
    }
    if (ruling.verdict != Verdict::Deny) {
        return;
    }
    core_->meters.cancelled[static_cast<std::size_t>(Road::Workflow)]->add();
    cancel_upstream();
    ruling_ = std::move(ruling);
    if (!has_opened()) {
        refuse(Outcome::Cancelled);
        return;
    }
    report(true);
    cut(Outcome::Cancelled);
}

void WorkflowExchange::report(bool cancelled) {
    if (is_probe() || std::exchange(reported_, true)) {
        return;
    }
    SeenCall seen = seen_of(caller_, ruling_);
    seen.kind = CallKind::Workflow;
    seen.server = answered_by_;
    const bool refused = ruling_.verdict == Verdict::Deny;
    seen.result = refused ? ruling_.for_model : trouble_;
    seen.is_error = refused || !trouble_.empty() || upstream_status_ >= 400;
    seen.cancelled = cancelled;
    core_->report(std::move(seen));
}

}  // namespace tagout::gateway
