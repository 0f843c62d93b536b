#include "rehearse/sim.h"

#include "base/mutex.h"
#include "base/prng.h"
#include "base/log.h"
#include "rehearse/agent.h"
#include "rehearse/first_prompts.h"
#include "rehearse/fleet_config.h"
#include "rehearse/fleet_desk.h"
#include "rehearse/front_door.h"
#include "rehearse/sample_server.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace tagout::rehearse {

namespace {

constexpr std::size_t waiting_max = 1'000;  ///< Requests that wait for a free agent.
constexpr Duration export_linger = std::chrono::seconds(1);
/// How long running conversations may take to end: at the end of the run, and when it is stopped.
constexpr Duration ending_max = std::chrono::seconds(15);
constexpr Duration stopping_max = std::chrono::seconds(2);

Result<void> check(const SimOptions& options) {
    if (options.agents < 1 || options.agents > agents_max) {
        return fail(ErrorCode::InvalidArgument, "agents: write a number from 1 to 1000");
    }
    if (!(options.rate > 0) || options.rate > rate_max) {
        return fail(
            ErrorCode::InvalidArgument, "rate: write conversations a second, above 0 to 1000"
        );
    }
    if (!(options.pace >= 0) || options.pace > 100) {
        return fail(ErrorCode::InvalidArgument, "pace: write a factor from 0 to 100");
    }
    TAGOUT_TRY(net::parse_url(options.otlp_endpoint));
    if (!options.gateway.empty()) {
        TAGOUT_TRY(net::parse_url(options.gateway));
        if (options.ports == 0) {
            return fail(
                ErrorCode::InvalidArgument,
                "gateway: name the fleet's ports as well (--fleet-ports), as its configuration has them"
            );
        }
    }
    if (options.ports > fleet_ports_max) {
        return fail(ErrorCode::InvalidArgument, "fleet-ports: write a port from 1 to 65531");
    }
    return {};
}

/// An empty request, which every OTLP receiver accepts: is anybody there?
Result<void> knock(const std::string& endpoint) {
    net::HttpClient client;
    const Result<net::HttpResponse> answer = client.send({
        .method = "POST",
        .url = endpoint + "/v1/traces",
        .headers = {{"Content-Type", "application/x-protobuf"}},
        .body = {},
        .timeout = std::chrono::seconds(5),
    });
    if (!answer) {
        return fail(
            ErrorCode::Unavailable, "nothing takes telemetry at " + endpoint + ": " +
                                        answer.error().message +
                                        "; start `tagout serve`, or name another endpoint"
        );
    }
    return {};
}

/// The whole run; members in the order in which they depend on each other.
class Fleet {
public:
    Fleet(const SimOptions& options, const Clock& clock)
        : options_(options), clock_(clock), started_at_(clock.now()),
          run_(static_cast<std::uint64_t>(unix_nanos(started_at_))),
          plan_(options.faults, started_at_) {}
    ~Fleet() { join(); }
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    Result<void> start();
    void run(const std::atomic<bool>& stop);
    SimReport finish(Duration patience);

private:
    struct Request {
        std::uint64_t number = 0;
        std::shared_ptr<const Script> script;
    };

    void serve(std::uint32_t index);
    void arrive();
    void count(const Script& script, const SessionResult& result, bool rerouted);
    void count_closed();
    [[nodiscard]] SimProgress progress() const;
    [[nodiscard]] ExportCounts exported() const;
    void join();

    const SimOptions& options_;
    const Clock& clock_;
    const Instant started_at_;
    const std::uint64_t run_;
    FaultPlan plan_;
    std::unique_ptr<Shop> shop_;
    std::unique_ptr<ModelServer> model_;
    std::array<std::unique_ptr<ToolServer>, 3> tools_;
    std::unique_ptr<FleetDesk> desk_;
    std::array<std::unique_ptr<Exporter>, agent_kinds> exporters_;

    mutable Mutex mutex_;
    Condition changed_;
    std::deque<Request> waiting_ TAGOUT_GUARDED_BY(mutex_);
    SimReport report_ TAGOUT_GUARDED_BY(mutex_);
    std::uint64_t busy_ TAGOUT_GUARDED_BY(mutex_) = 0;
    std::uint64_t next_number_ TAGOUT_GUARDED_BY(mutex_) = 0;
    bool closing_ TAGOUT_GUARDED_BY(mutex_) = false;
    std::atomic<bool> abort_{false};
    std::vector<std::thread> agents_;
};

Result<void> Fleet::start() {
    const Troubles troubles{.seed = options_.seed, .pace = options_.pace};
    shop_ = TAGOUT_TRY(Shop::open());
    TAGOUT_TRY(shop_->add(journey_world()));
    const FleetPorts ports = ports_from(options_.ports);
    model_ = TAGOUT_TRY(ModelServer::start(clock_, plan_, troubles, ports.model));
    for (std::size_t kind = 0; kind < tools_.size(); ++kind) {
        tools_[kind] = TAGOUT_TRY(ToolServer::start(
            static_cast<ToolServerKind>(kind), *shop_, clock_, plan_, troubles, ports.tools[kind]
        ));
    }
    desk_ = TAGOUT_TRY(FleetDesk::start(plan_, clock_, ports.desk));
    if (options_.control) {
        if (const Result<void> published = publish_first_prompts(*options_.control); !published) {
            log::warn("prompts_not_published", {{"error", published.error().message}});
        }
    }
    for (std::size_t kind = 0; kind < exporters_.size(); ++kind) {
        const auto agent = static_cast<AgentKind>(kind);
        exporters_[kind] = std::make_unique<Exporter>(
            options_.otlp_endpoint, reporter_of(agent, options_.environment), export_linger
        );
        const MutexLock lock(mutex_);
        report_.agents[kind].agent = info_of(agent).agent;
    }
    {
        const MutexLock lock(mutex_);
        for (const Fault& fault : plan_.faults()) {
            const FaultInfo& info = info_of(fault.kind);
            report_.faults.push_back({
                .fault = std::string(info.name),
                .failure_class = std::string(name_of(info.failure_class)),
                .example = {},
            });
        }
    }
    for (std::uint32_t index = 0; index < options_.agents; ++index) {
        agents_.emplace_back([this, index] { serve(index); });
    }
    return {};
}

void Fleet::serve(std::uint32_t index) {
    const bool direct = options_.gateway.empty();
    AgentSetup setup{
        .name = "harbour-agent-" + std::to_string(index),
        .model_url = direct ? model_->url() : model_url_behind(options_.gateway),
        .tool_urls = direct ? std::array{tools_[0]->url(), tools_[1]->url(), tools_[2]->url()}
                            : tool_urls_behind(options_.gateway),
        .gateway = options_.gateway,
        .pace = options_.pace,
        .model_timeout = options_.model_timeout,
    };
    std::array<Exporter*, agent_kinds> exporters{};
    for (std::size_t kind = 0; kind < exporters.size(); ++kind) {
        exporters[kind] = exporters_[kind].get();
    }
    Agent agent(setup, exporters, *shop_, clock_);
    FrontDoor door(options_.gateway);
    for (;;) {
        Request request;
        {
            const MutexLock lock(mutex_);
            while (waiting_.empty() && !closing_) {
                changed_.wait(mutex_);
            }
            if (waiting_.empty()) {
                return;
            }
            request = std::move(waiting_.front());
            waiting_.pop_front();
            ++busy_;
        }
        const Entrance entrance = door.enter(request.script);
        if (entrance.script == nullptr) {
            count_closed();
            continue;
        }
        const Script& script = *entrance.script;
        SessionResult result;
        if (shop_->add(under_prompt(script, meddling_order).world)) {
            model_->learn(entrance.script);
            result = agent.run(script, abort_);
            model_->forget(script.conversation);
            shop_->remove(script.world);
        }
        count(script, result, entrance.rerouted);
    }
}

void Fleet::count_closed() {
    const MutexLock lock(mutex_);
    --busy_;
    report_.sessions_ended += 1;
    report_.sessions_closed += 1;
    changed_.notify_all();
}

void Fleet::count(const Script& script, const SessionResult& result, bool rerouted) {
    const MutexLock lock(mutex_);
    --busy_;
    report_.sessions_ended += 1;
    report_.sessions_rerouted += rerouted ? 1 : 0;
    report_.turns += result.turns;
    report_.model_calls += result.model_calls;
    report_.tool_calls += result.tool_calls;
    report_.tool_errors += result.tool_errors;
    report_.writes += result.writes;
    report_.tokens += result.tokens;
    AgentReport& agent = report_.agents[static_cast<std::size_t>(script.agent)];
    agent.sessions += 1;
    agent.failed += result.failed ? 1 : 0;
    agent.unsatisfied += result.satisfied ? 0 : 1;
    if (script.fault != nullptr) {
        for (FaultReport& fault : report_.faults) {
            if (fault.fault == script.fault->name) {
                fault.sessions += 1;
                fault.unsatisfied += result.satisfied ? 0 : 1;
                fault.example = fault.example.empty() ? script.conversation : fault.example;
            }
        }
    }
    changed_.notify_all();
}

void Fleet::arrive() {
    const MutexLock lock(mutex_);
    const std::uint64_t number = next_number_++;
    if (waiting_.size() >= waiting_max) {
        report_.sessions_refused += 1;
        return;
    }
    report_.sessions_started += 1;
    waiting_.push_back({
        number,
        std::make_shared<const Script>(
            write_script(options_.seed, number, run_, plan_, clock_.now())
        ),
    });
    changed_.notify_one();
}

void Fleet::run(const std::atomic<bool>& stop) {
    Prng arrivals(options_.seed ^ 0x61727269766531ULL);
    Instant next = started_at_;
    Instant next_progress = started_at_ + std::chrono::seconds(1);
    const Instant end = options_.duration > Duration::zero() ? started_at_ + options_.duration
                                                             : Instant::max();
    while (!stop.load(std::memory_order_relaxed)) {
        const Instant now = clock_.now();
        if (now >= end) {
            break;
        }
        if (now >= next) {
            arrive();
            const double gap = -std::log(1.0 - arrivals.unit()) / options_.rate;  // Poisson arrivals.
            next += Duration(static_cast<std::int64_t>(gap * 1e9));
            continue;
        }
        if (now >= next_progress) {
            next_progress += std::chrono::seconds(1);
            if (options_.on_progress) {
                options_.on_progress(progress());
            }
            continue;
        }
        const Duration wait = std::min(next, next_progress) - now;
        std::this_thread::sleep_for(std::min<Duration>(wait, std::chrono::milliseconds(50)));
    }
}

SimReport Fleet::finish(Duration patience) {
    {
        const MutexLock lock(mutex_);
        const Instant until = clock_.now() + patience;
        while ((busy_ > 0 || !waiting_.empty()) && clock_.now() < until) {
            changed_.wait_for(mutex_, std::chrono::milliseconds(100));
        }
        waiting_.clear();
    }
    join();
    for (const std::unique_ptr<Exporter>& exporter : exporters_) {
        exporter->flush();
    }
    const ExportCounts counts = exported();
    const MutexLock lock(mutex_);
    report_.elapsed = clock_.now() - started_at_;
    report_.spans_exported = counts.spans;
    report_.logs_exported = counts.logs;
    report_.export_requests = counts.requests;
    report_.export_retries = counts.retries;
    report_.items_lost = counts.lost;
    report_.export_error = counts.last_error;
    return report_;
}

void Fleet::join() {
    abort_.store(true, std::memory_order_relaxed);
    {
        const MutexLock lock(mutex_);
        closing_ = true;
        waiting_.clear();
        changed_.notify_all();
    }
    for (std::thread& agent : agents_) {
        agent.join();
    }
    agents_.clear();
}

ExportCounts Fleet::exported() const {
    ExportCounts all;
    for (const std::unique_ptr<Exporter>& exporter : exporters_) {
        const ExportCounts one = exporter->counts();
        all.spans += one.spans;
        all.logs += one.logs;
        all.requests += one.requests;
        all.retries += one.retries;
        all.lost += one.lost;
        all.last_error = one.last_error.empty() ? all.last_error : one.last_error;
    }
    return all;
}

SimProgress Fleet::progress() const {
    SimProgress now;
    now.elapsed = clock_.now() - started_at_;
    now.spans_exported = exported().spans;
    for (const Fault& fault : plan_.faults()) {
        if (plan_.active(fault.kind, clock_.now())) {
            now.faults_on += now.faults_on.empty() ? "" : ", ";
            now.faults_on += info_of(fault.kind).name;
        }
    }
    const MutexLock lock(mutex_);
    now.sessions_started = report_.sessions_started;
    now.sessions_ended = report_.sessions_ended;
    for (const AgentReport& agent : report_.agents) {
        now.sessions_failed += agent.failed;
    }
    return now;
}

}  // namespace

Result<SimReport> run_sim(
    const SimOptions& options, const Clock& clock, const std::atomic<bool>& stop
) {
    TAGOUT_TRY(check(options));
    TAGOUT_TRY(knock(options.otlp_endpoint));
    Fleet fleet(options, clock);
    TAGOUT_TRY(fleet.start());
    fleet.run(stop);
    return fleet.finish(stop.load(std::memory_order_relaxed) ? stopping_max : ending_max);
}

}  // namespace tagout::rehearse
