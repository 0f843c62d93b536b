#include "gateway/core.h"

#include "base/log.h"

#include <algorithm>

namespace tagout::gateway {

namespace {

constexpr std::array<std::string_view, 6> road_names{
    "mcp", "model", "decide", "versions", "other", "workflow"};
constexpr std::array<std::string_view, 8> outcome_names{
    "forwarded", "refused", "invalid", "failed", "cancelled", "gone", "answered", "probe"};
constexpr std::int64_t log_gap_ns = 1'000'000'000;

/// Calls `done` once, when the last loop has let go of it.
class Acknowledgement {
public:
    Acknowledgement(
        std::uint64_t revision, std::size_t loops, std::function<void(Result<std::uint64_t>)> done
    )
        : revision_(revision), waiting_(loops), done_(std::move(done)) {}
    ~Acknowledgement() {
        if (waiting_.load() == 0) {
            done_(revision_);
        } else {
            done_(fail(ErrorCode::Unavailable, "the gateway is stopping"));
        }
    }
    Acknowledgement(const Acknowledgement&) = delete;
    Acknowledgement& operator=(const Acknowledgement&) = delete;
    void one_loop() noexcept { waiting_.fetch_sub(1); }

private:
    const std::uint64_t revision_;
    std::atomic<std::size_t> waiting_;
    const std::function<void(Result<std::uint64_t>)> done_;
};

}  // namespace

Meters::Meters(MetricRegistry& metrics)
    : in_flight(metrics.gauge(gateway_in_flight)),
      added_seconds(metrics.histogram(gateway_added_seconds)),
      hidden_tools(metrics.counter(gateway_hidden_tools_total)),
      condition_faults(metrics.counter(gateway_condition_faults_total)),
      forgotten(metrics.counter(gateway_memory_forgotten_total)),
      registry(metrics) {
    for (std::size_t by = 0; by < shadow.size(); ++by) {
        const std::array value{by == 0 ? std::string_view("control") : std::string_view("rule")};
        shadow[by] = &metrics.counter(gateway_shadow_total, value);
    }
    for (std::size_t by = 0; by < spent_tokens.size(); ++by) {
        const std::array value{by == 0 ? std::string_view("told") : std::string_view("estimated")};
        spent_tokens[by] = &metrics.counter(gateway_budget_tokens_total, value);
    }
    for (std::size_t road = 0; road < road_names.size(); ++road) {
        for (std::size_t outcome = 0; outcome < outcome_names.size(); ++outcome) {
            const std::array values{road_names[road], outcome_names[outcome]};
            requests[road][outcome] = &metrics.counter(gateway_requests_total, values);
        }
        const std::array value{road_names[road]};
        cancelled[road] = &metrics.counter(gateway_cancelled_total, value);
        upstream_seconds[road] = &metrics.histogram(gateway_upstream_seconds, value);
    }
    for (const CallKind kind : {CallKind::Tool, CallKind::Model, CallKind::Workflow}) {
        for (const Verdict verdict :
             {Verdict::Allow, Verdict::Deny, Verdict::Modify, Verdict::Escalate}) {
            const std::array values{name_of(kind), name_of(verdict)};
            decisions[static_cast<std::size_t>(kind)][static_cast<std::size_t>(verdict)] =
                &metrics.counter(gateway_decisions_total, values);
        }
    }
}

void Meters::count_decision(CallKind kind, Verdict verdict) const {
    if (Counter* const counter =
            decisions[static_cast<std::size_t>(kind)][static_cast<std::size_t>(verdict)]) {
        counter->add();
    }
}

Core::Core(const GatewayOptions& given, const GatewayParts& with, std::string secret)
    : options(given),
      parts(with),
      probe_secret(std::move(secret)),
      meters(with.metrics),
      upstreams(net::UpstreamClient::make({.connect_timeout = given.connect_timeout})),
      user_approvals(UserApprovals::fresh() + UserApprovals::fresh()),
      memory_(with.spending) {}

contain::PointContact Core::contact() const {
    contain::PointContact contact;
    for (const auto& kind : meters.decisions) {
        for (std::size_t verdict = 0; verdict < kind.size(); ++verdict) {
            const std::uint64_t count = kind[verdict] == nullptr ? 0 : kind[verdict]->value();
            contact.calls += count;
            contact.calls_denied += static_cast<Verdict>(verdict) == Verdict::Deny ? count : 0;
        }
    }
    if (const Snapshot snapshot = newest()) {
        contact.rules = snapshot->rules();
        contact.controls = snapshot->controls();
    }
    contact.in_flight = in_flight();
    return contact;
}

void Core::use_loops(std::vector<std::shared_ptr<net::EventLoop>> loops) {
    loops_.resize(loops.size());
    for (std::size_t i = 0; i < loops.size(); ++i) {
        const unsigned place = loops[i]->index();
        loops_[place].loop = std::move(loops[i]);
    }
    ready_.store(true, std::memory_order_release);
}

void Core::enforce(Snapshot snapshot, std::function<void(Result<std::uint64_t>)> done) {
    const auto all =
        std::make_shared<Acknowledgement>(snapshot->revision(), loops_.size(), std::move(done));
    for (Snapshot known = newest_.load();
         (!known || known->revision() <= snapshot->revision()) &&
         !newest_.compare_exchange_weak(known, snapshot);) {
    }
    for (PerLoop& each : loops_) {
        each.loop->schedule([self = shared_from_this(), &each, snapshot, all] {
            self->replace(each, snapshot);
            all->one_loop();
        });
    }
}

void Core::replace(PerLoop& own, const Snapshot& snapshot) {
    // Two changes may overtake one another on their way here; the newer one stands.
    if (own.snapshot && own.snapshot->revision() > snapshot->revision()) {
        return;
    }
    const Snapshot before = std::exchange(own.snapshot, snapshot);
    const std::vector<InFlight*> calls(own.calls.begin(), own.calls.end());
    for (InFlight* const call : calls) {
        if (own.calls.contains(call)) {  // Not ended by one before it.
            call->judge_again(before, snapshot);
        }
    }
}

void Core::shut_down() {
    clerk.stop();
    for (PerLoop& each : loops_) {
        each.loop->schedule([self = shared_from_this(), &each] {
            const std::vector<InFlight*> calls(each.calls.begin(), each.calls.end());
            for (InFlight* const call : calls) {
                if (each.calls.contains(call)) {
                    call->shut_down();
                }
            }
        });
    }
}

void Core::enter(const net::EventLoop& loop, InFlight& call) {
    if (loops_[loop.index()].calls.insert(&call).second) {
        in_flight_.fetch_add(1);
        meters.in_flight.add(1);
    }
}

void Core::leave(const net::EventLoop& loop, InFlight& call) {
    if (loops_[loop.index()].calls.erase(&call) > 0) {
        in_flight_.fetch_sub(1);
        meters.in_flight.add(-1);
    }
}

std::string refusal_text(const Ruling& ruling) {
    return ruling.by.empty() ? ruling.for_model : ruling.for_model + " [Tagout " + ruling.by + "]";
}

Ruling Core::admit(const contain::ControlSnapshot& snapshot, ToolCall call) const {
    call.now = now();
    // It will not pass, so it takes nothing from a limit and leaves no mark on its session.
    const bool changed = is_changed(call);
    const Decision decision =
        changed ? contain::decide(snapshot, call) : contain::admit(snapshot, call, memory_);
    if (decision.shadow != nullptr) {
        meters.shadow[decision.shadow->id.starts_with("policy:") ? 1 : 0]->add();
    }
    if (decision.faulted) {
        meters.condition_faults.add();
    }
    const std::uint64_t forgotten = memory_.forgotten() + memory_.spending().forgotten();
    const std::uint64_t told = forgotten_told_.exchange(forgotten, std::memory_order_relaxed);
    if (forgotten > told) {
        meters.forgotten.add(forgotten - told);
    }
    Ruling ruling = ruling_of(decision);
    if (changed) {
        refuse_changed(ruling);
    }
    return ruling;
}

Ruling Core::rule(const contain::ControlSnapshot& snapshot, ToolCall call) const {
    call.now = now();
    Ruling ruling = ruling_of(contain::decide(snapshot, call));
    if (is_changed(call)) {
        refuse_changed(ruling);
    }
    return ruling;
}

Ruling Core::probe(const contain::ControlSnapshot& snapshot, ToolCall call) const {
    call.now = now();
    return ruling_of(contain::decide(snapshot, call));
}

bool Core::is_changed(const ToolCall& call) const {
    return parts.pins != nullptr && call.kind == CallKind::Tool &&
           parts.pins->refuses(call.server, call.tool);
}

void Core::refuse_changed(Ruling& ruling) {
    if (ruling.verdict == Verdict::Deny) {
        return;
    }
    ruling.verdict = Verdict::Deny;
    ruling.by = "tool_definition";
    ruling.for_model =
        "The definition of this tool is no longer the one that was approved. It was not run; say that "
        "somebody has to look at it (tagout tools list), and go on without it.";
    ruling.for_person = "its definition is no longer the pinned one";
    ruling.incident.clear();
    ruling.retry_after = {};
}

void Core::let_through(const contain::ControlSnapshot& snapshot, ToolCall call) const {
    call.now = now();
    contain::let_through(snapshot, call, memory_);
}

void Core::spend(
    const contain::ControlSnapshot& snapshot, ToolCall call, const contain::Spent& spent
) const {
    call.now = now();
    meters.spent_tokens[spent.estimated ? 1 : 0]->add(spent.tokens);
    contain::spend(snapshot, call, spent, memory_);
}

Result<FetchedVersion> Core::version(
    const Snapshot& snapshot, const Caller& caller, std::string_view family, std::string_view name,
    std::string_view label, std::string& pinned_by
) const {
    if (!parts.versions) {
        return fail(ErrorCode::NotFound, "this gateway serves no versions");
    }
    const auto pin = snapshot == nullptr
                         ? std::nullopt
                         : contain::pinned(*snapshot, caller.call(CallKind::Workflow), family, name);
    if (pin) {
        pinned_by = pin->by->id;
    }
    return parts.versions(family, name, pin ? pin->version : label);
}

Ruling Core::ruling_of(const Decision& decision) const {
    Ruling ruling;
    ruling.verdict = decision.verdict;
    ruling.revision = decision.revision;
    ruling.redactions = decision.redactions;
    ruling.retry_after = decision.retry_after;
    ruling.budgets = decision.budgets;
    if (decision.by != nullptr) {
        ruling.by = decision.by->id;
        ruling.for_model = decision.by->reason_for_model;
        ruling.for_person = decision.by->reason_for_person;
        ruling.incident = decision.by->incident.text();
        ruling.route_to = decision.by->route_to.text();
        ruling.user_approves = decision.by->user_approves;
        if (ruling.retry_after > Duration{}) {
            const auto wait = std::chrono::ceil<std::chrono::seconds>(ruling.retry_after);
            ruling.for_model += " There is room again in " + to_text(wait) + ".";
        }
        if (decision.spent_estimated) {
            constexpr std::string_view note = "; in part estimated, where the model API did not say";
            ruling.for_model += " Some of what was counted is estimated.";
            ruling.for_person += note;
        }
        if (decision.by->mode == ControlMode::Budget) {
            ruling.retry_after = {};  // Clients would wait for minutes and ask again and again.
        }
    }
    if (decision.shadow != nullptr) {
        ruling.shadow = decision.shadow->id;
    }
    return ruling;
}

void Core::report(SeenCall seen) const {
    if (parts.seen) {
        parts.seen(std::move(seen));
    }
}

void Core::met_limit(std::string_view limit) {
    const std::array values{limit};
    meters.registry.counter(gateway_limits_total, values).add();
    const std::int64_t at = unix_nanos(now());
    std::int64_t last = limit_logged_at_.load();
    if (at - last >= log_gap_ns && limit_logged_at_.compare_exchange_strong(last, at)) {
        log::warn("gateway_limit_met", {{"limit", limit}});
    }
}

void Core::learn_tools(const std::string& server, const std::vector<std::string>& tools) {
    const MutexLock lock(mutex_);
    std::set<std::string>& known = tools_[server];
    for (const std::string& tool : tools) {
        if (tools_count_ < known_tools_max && known.insert(tool).second) {
            ++tools_count_;
        }
    }
}

std::vector<std::string> Core::servers_of(std::string_view tool) const {
    std::vector<std::string> servers;
    const MutexLock lock(mutex_);
    for (const auto& [server, tools] : tools_) {
        const std::string prefix = "mcp__" + server + "__";
        const bool qualified = tool.starts_with(prefix);
        if (tools.contains(std::string(qualified ? tool.substr(prefix.size()) : tool))) {
            servers.push_back(server);
        }
    }
    return servers;
}

std::vector<std::string> Core::tools_of(const std::string& server) const {
    const MutexLock lock(mutex_);
    const auto found = tools_.find(server);
    return found == tools_.end()
               ? std::vector<std::string>()
               : std::vector<std::string>(found->second.begin(), found->second.end());
}

void Core::learn_client(const std::string& session, Client client) {
    const MutexLock lock(mutex_);
    if (!clients_.insert_or_assign(session, std::move(client)).second) {
        return;
    }
    client_order_.push_back(session);
    if (client_order_.size() > client_names_max) {
        clients_.erase(client_order_.front());
        client_order_.pop_front();
    }
}

std::string Core::client_of(const std::string& session) const {
    const MutexLock lock(mutex_);
    const auto found = clients_.find(session);
    return found == clients_.end() ? "" : found->second.name;
}

bool Core::client_elicits(const std::string& session) const {
    const MutexLock lock(mutex_);
    const auto found = clients_.find(session);
    return found != clients_.end() && found->second.elicits;
}

std::string clipped(std::string_view text) {
    if (text.size() <= call_text_bytes_max) {
        return std::string(text);
    }
    std::size_t end = call_text_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
        --end;  // Not within a character.
    }
    return std::string(text.substr(0, end));
}

}  // namespace tagout::gateway
