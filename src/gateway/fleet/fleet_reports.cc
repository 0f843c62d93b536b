// The reporter and the worker of a link: what the gateway says to its control server.
#include "base/log.h"
#include "gateway/fleet/fleet_link.h"
#include "gateway/metrics.h"

#include <algorithm>

namespace tagout::gateway {

namespace {

namespace fleet = contain::fleet;

constexpr Duration report_timeout = std::chrono::seconds(3);
constexpr Duration records_timeout = std::chrono::seconds(30);
constexpr Duration retry_pause = std::chrono::seconds(1);
constexpr Duration speak_up_pause = std::chrono::seconds(30);
constexpr Duration speak_up_grace = std::chrono::seconds(2);
constexpr std::string_view json_type = "application/json";

}  // namespace

Result<net::HttpResponse> FleetLink::post(
    net::HttpClient& client, std::string_view path, std::string body, std::string_view type
) {
    net::HttpRequest request;
    request.method = "POST";
    request.url = options_.control + std::string(path);
    request.headers = headers();
    request.headers.emplace_back("Content-Type", std::string(type));
    request.body = std::move(body);
    request.timeout = path == "/v1/fleet/records" ? records_timeout : report_timeout;
    return client.send(request);
}

fleet::PointReport FleetLink::report() const {
    const contain::PointContact contact = parts_.gateway.contact();
    fleet::PointReport report;
    report.point = options_.name;
    report.instance = options_.instance;
    report.version = options_.version;
    report.address = options_.address;
    report.rules = contact.rules;
    report.controls = contact.controls;
    report.calls = contact.calls;
    report.calls_denied = contact.calls_denied;
    report.in_flight = contact.in_flight;
    report.local_controls = parts_.local_controls().size();
    report.records_waiting = parts_.spool.waiting();
    report.records_dropped = parts_.spool.dropped_calls();
    const MutexLock lock(mutex_);
    report.edition = edition_;
    report.revision = revision_;
    report.error = trouble_;
    report.lease_over = lease_over_;
    return report;
}

void FleetLink::report_loop() {
    net::HttpClient client;
    while (true) {
        bool connected = false;
        {
            MutexLock lock(mutex_);
            if (!report_due_ && !stopping_) {
                changed_.wait_for(mutex_, terms_.heartbeat, [this] {
                    mutex_.assert_held();
                    return report_due_ || stopping_;
                });
            }
            if (stopping_) {
                return;
            }
            report_due_ = false;
            connected = connected_;
        }
        watch_lease();
        const fleet::PointReport said = report();
        if (connected) {
            const auto answer = post(client, "/v1/fleet/report", fleet::to_text(said), json_type);
            if (!answer || answer->status != 200) {
                log::warn(
                    "report_not_taken",
                    {{"why", answer ? answer->body.substr(0, 200) : answer.error().message}}
                );
            }
        }
        show_metrics(said);
        parts_.approvals.tick();
        speak_up();
    }
}

void FleetLink::watch_lease() {
    std::vector<std::string> closed;
    Instant since;
    {
        const MutexLock lock(mutex_);
        const bool over = holds_ && parts_.clock.now() - last_contact_ > terms_.lease;
        if (!over || lease_over_) {
            return;
        }
        lease_over_ = true;
        closed = terms_.closed;
        since = last_contact_;
    }
    std::string names;
    for (const std::string& name : closed) {
        names += (names.empty() ? "" : ", ") + name;
    }
    log::error(
        "lease_over",
        {{"since", to_rfc3339(since)},
         {"closed", names.empty() ? std::string("nothing, by configuration") : names}}
    );
    parts_.enforcer.use_lease(std::move(closed), since);
}

/// Whoever runs a gateway without anything to enforce hears of it again and again.
void FleetLink::speak_up() {
    const contain::PointContact contact = parts_.gateway.contact();
    const bool ready = parts_.enforcer.is_ready();
    if (ready && contact.rules + contact.controls > 0) {
        return;
    }
    {
        const MutexLock lock(mutex_);
        const Instant now = parts_.clock.now();
        if (now - spoke_up_ < speak_up_pause || now - started_at_ < speak_up_grace) {
            return;
        }
        spoke_up_ = now;
    }
    if (!ready) {
        log::error(
            "gateway_without_snapshot",
            {{"means", "nothing passes: every call is answered 503 until the control server is heard"},
             {"control", options_.control}}
        );
    } else {
        log::warn(
            "gateway_without_policy",
            {{"means", "no policy and no control is loaded: every call passes"}}
        );
    }
}

void FleetLink::show_metrics(const fleet::PointReport& said) {
    const auto show = [this](const MetricInfo& info, double value) {
        parts_.metrics.gauge(info).set(value);
    };
    bool connected = false;
    Instant heard;
    {
        const MutexLock lock(mutex_);
        connected = connected_;
        heard = last_contact_;
    }
    const Instant now = parts_.clock.now();
    show(gateway_link_connected, connected ? 1 : 0);
    show(gateway_link_revision, static_cast<double>(said.revision));
    show(
        gateway_link_silent_seconds,
        heard == Instant{} ? 0 : std::chrono::duration<double>(now - heard).count()
    );
    show(gateway_lease_over, said.lease_over ? 1 : 0);
    show(gateway_policy_rules, static_cast<double>(said.rules));
    show(gateway_local_controls, static_cast<double>(said.local_controls));
    show(gateway_records_waiting, static_cast<double>(said.records_waiting));
    parts_.metrics.counter(gateway_records_dropped_total).advance_to(said.records_dropped);
}

void FleetLink::add_job(Job job) {
    const MutexLock lock(mutex_);
    if (jobs_.size() >= jobs_max) {
        log::error("link_jobs_full", {{"jobs", jobs_.size()}});
        return;  // Probes are asked again, and what else there is is looked for anew.
    }
    jobs_.push_back(std::move(job));
    work_changed_.notify_all();
}

void FleetLink::local_changed() {
    add_job(ReconcileLocal{});
}

void FleetLink::records_waiting() {
    const MutexLock lock(mutex_);
    // One is enough: it sends until nothing waits.
    const bool known = std::ranges::any_of(jobs_, [](const Job& job) {
        return std::holds_alternative<SendRecords>(job);
    });
    if (!known && connected_) {
        jobs_.emplace_back(SendRecords{});
        work_changed_.notify_all();
    }
}

void FleetLink::work_loop() {
    while (true) {
        std::optional<Job> job;
        {
            MutexLock lock(mutex_);
            if (jobs_.empty() && !stopping_) {
                work_changed_.wait_for(mutex_, retry_pause);
            }
            if (stopping_) {
                return;
            }
            if (!jobs_.empty()) {
                // People wait for calls that wait, and for probes; records can.
                const auto urgent = std::ranges::find_if(jobs_, [](const Job& each) {
                    return !std::holds_alternative<SendRecords>(each);
                });
                const auto next = urgent == jobs_.end() ? jobs_.begin() : urgent;
                job = std::move(*next);
                jobs_.erase(next);
            }
        }
        hand_over_what_stands();
        if (!job) {
            if (parts_.spool.waiting() > 0) {
                records_waiting();
            }
            continue;
        }
        if (const auto* const ask = std::get_if<fleet::ApprovalAsk>(&*job)) {
            const auto answer =
                post(worker_client_, "/v1/fleet/approvals", fleet::to_text(*ask), json_type);
            if (!answer || answer->status != 200) {
                log::warn(
                    "approval_not_asked",
                    {{"why", answer ? answer->body.substr(0, 200) : answer.error().message}}
                );
                if (answer && !ask->withdrawn) {  // The server says no: nobody will decide.
                    parts_.approvals.answered(
                        {options_.name, ask->id, contain::ApprovalAnswer::Denied, Actor("tagout"),
                         "the control server could not take the question"}
                    );
                }
            }
        } else if (const auto* const probe = std::get_if<fleet::ProbeAsk>(&*job)) {
            run_probe(*probe);
        } else if (std::holds_alternative<ReconcileLocal>(*job)) {
            reconcile_local();
        } else if (send_records()) {
            records_waiting();
        }
    }
}

void FleetLink::run_probe(const fleet::ProbeAsk& ask) {
    if (!ask.point.empty() && ask.point != options_.name) {
        return;
    }
    const fleet::ProbeSaid said{ask.round, options_.name, parts_.gateway.probe(ask.control)};
    const auto answer = post(worker_client_, "/v1/fleet/probes", fleet::to_text(said), json_type);
    if (!answer || answer->status != 200) {
        log::warn(
            "probes_not_taken",
            {{"why", answer ? answer->body.substr(0, 200) : answer.error().message}}
        );
    }
}

void FleetLink::reconcile_local() {
    fleet::LocalControls local{options_.name, parts_.local_controls()};
    {
        const MutexLock lock(mutex_);
        if (!connected_) {
            return;  // The next contact comes by here again.
        }
        std::erase_if(local.controls, [this](const Control& control) {
            mutex_.assert_held();
            return std::ranges::any_of(adopted_, [&](const fleet::Adopted& each) {
                return each.local == control.id;
            });
        });
    }
    if (local.controls.empty()) {
        return;
    }
    const auto answer = post(worker_client_, "/v1/fleet/controls", fleet::to_text(local), json_type);
    const auto rows = answer && answer->status == 200
                          ? fleet::parse_adopted(answer->body)
                          : fail(
                                ErrorCode::Unavailable,
                                answer ? answer->body.substr(0, 300) : answer.error().message
                            );
    if (!rows) {
        log::warn("local_controls_not_taken", {{"why", rows.error().message}});
        return;
    }
    for (const fleet::Adopted& row : *rows) {
        if (!row.error.empty()) {
            log::error(
                "local_control_not_taken", {{"control", row.local.text()}, {"why", row.error}}
            );
            continue;  // It stays in force here; a person must look.
        }
        const MutexLock lock(mutex_);
        adopted_.push_back(row);
    }
    hand_over_what_stands();
}

void FleetLink::hand_over_what_stands() {
    std::vector<fleet::Adopted> ready;
    {
        const MutexLock lock(mutex_);
        std::erase_if(adopted_, [&](const fleet::Adopted& each) {
            mutex_.assert_held();
            if (each.revision > revision_) {
                return false;  // Not in force here yet: the local one stays until it is.
            }
            ready.push_back(each);
            return true;
        });
    }
    for (const fleet::Adopted& each : ready) {
        parts_.hand_over(each);
    }
}

bool FleetLink::send_records() {
    {
        const MutexLock lock(mutex_);
        if (!connected_) {
            return false;
        }
    }
    const std::optional<RecordSpool::Batch> batch = parts_.spool.oldest();
    if (!batch) {
        return false;
    }
    // What stands in the file lacks only what numbers it.
    std::string body = R"({"point":")" + options_.name + R"(","spool":")" + parts_.spool.name() +
                       R"(","batch":)" + std::to_string(batch->number) + "," + batch->text;
    const auto answer =
        post(worker_client_, "/v1/fleet/records", std::move(body), "application/octet-stream");
    if (answer && answer->status == 200) {
        parts_.spool.done(batch->number);
        return true;
    }
    log::warn(
        "records_not_taken",
        {{"batch", batch->number},
         {"why", answer ? answer->body.substr(0, 200) : answer.error().message}}
    );
    if (answer && answer->status == 400) {
        parts_.spool.done(batch->number);  // The same bytes can never succeed.
        parts_.metrics.counter(gateway_records_refused_total).add();
        return true;
    }
    return false;  // Tried again when nothing else is to be done.
}

}  // namespace tagout::gateway
