// Time to effect of a stop over a whole fleet: one control server and 200 gateways, each with its own
// stream, disk and tables, over loopback sockets.
//
// A stop's time runs from before the request is sent until the last gateway said that it enforces it; both
// are read from this machine's one clock. The answer is checked first, for every stop: all gateways
// acknowledged it, a probe was refused by it on every road of each, and a call that is sent to one of them
// is refused. Goal: p99 <= 50 ms. All of them share this machine's processors, which a fleet does not:
// `cpu_ms` says how much of the time is that.
#include "app/app.h"
#include "app/gateway_node.h"

#include "base/log.h"
#include "gateway/fleet/files.h"
#include "net/http_client.h"

#include <benchmark/benchmark.h>
#include <boost/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace tagout::app {
namespace {

namespace json = boost::json;

constexpr std::size_t in_force_max = 100;  ///< Earlier stops that stand; then the oldest is released.
constexpr Duration patience = std::chrono::seconds(30);
constexpr Duration pause_between_looks = std::chrono::milliseconds(5);
constexpr Duration cut_off_max = std::chrono::milliseconds(1);  ///< Times in answers are so coarse.

/// Ends the benchmark with its message.
[[noreturn]] void give_up(const std::string& why) {
    throw std::runtime_error(why);
}

Duration cpu_of_process() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return std::chrono::seconds(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           std::chrono::microseconds(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

class Fleet {
public:
    explicit Fleet(std::size_t gateways)
        : folder_(
              (std::filesystem::temp_directory_path() / ("fleet-bench-" + std::to_string(getpid())))
                  .string()
          ) {
        log::set_level(log::Level::Error);
        const std::string memory = "/dev/shm";
        disks_ = std::filesystem::is_directory(memory)
                     ? memory + "/fleet-bench-" + std::to_string(getpid())
                     : folder_;
        std::filesystem::create_directories(folder_);
        write(folder_ + "/tagout.yaml", config);
        ServeOptions options;
        options.data_dir = folder_ + "/server";
        options.config = folder_ + "/tagout.yaml";
        options.http_port = 0;
        options.otlp_http_port = 0;
        options.otlp_grpc_port = 0;
        options.gateway_port = 0;
        server_ = started(App::start(options, clock_));
        control_ = server_->addresses().http;
        admin_ = **gateway::read_file(options.data_dir + "/admin.token", 500);
        admin_.erase(admin_.find_last_not_of('\n') + 1);
        const json::value token =
            post("/v1/fleet/tokens", {{"pattern", "edge-*"}, {"reason", "benchmark"}});
        write(folder_ + "/token", std::string(token.at("token").as_string()));
        for (std::size_t i = 0; i < gateways; ++i) {
            nodes_.push_back(started(GatewayNode::start(node_options(i), clock_)));
        }
        wait_for("all gateways to come", [&] { return all_enforce(0); });
    }
    ~Fleet() {
        server_.reset();  // Ends all streams, so that no gateway waits for its own to end.
        nodes_.clear();
        std::filesystem::remove_all(folder_);
        std::filesystem::remove_all(disks_);
    }

    /// Applies it, checks it at every gateway, and gives its time to effect.
    Duration stop(const std::string& tool) {
        const Instant asked = clock_.now();
        json::value control = post(
            "/v1/controls", {{"scope", "tool:shop." + tool},
                             {"mode", "stopped"},
                             {"reason", "benchmark"},
                             {"actor", "ann"}}
        );
        const std::string id(control.at("id").as_string());
        wait_for(id + " to be proved", [&] {
            control = get("/v1/controls/" + id);
            return control.at("state") == "proved";
        });
        check(control, id);
        const GatewayNode& one = *nodes_[checked_++ % nodes_.size()];
        const json::value decision = send(
            "POST", one.gateway_address() + "/v1/decide", {{"tool", tool}, {"server", "shop"}}
        );
        if (decision.at("verdict") != "deny" || decision.at("decided_by") != json::string(id)) {
            give_up("wrong answer: " + one.name() + " lets " + tool + " pass");
        }
        in_force_.push_back(id);
        const std::string at(control.at("acknowledged_at").as_string());
        return parse_rfc3339(at).value() + cut_off_max - asked;
    }

    /// Two people release the oldest of more than in_force_max; not timed.
    void release_oldest() {
        if (in_force_.size() <= in_force_max) {
            return;
        }
        const std::string path = "/v1/controls/" + in_force_.front();
        in_force_.pop_front();
        post(path + "/request-release", {{"reason", "benchmark"}, {"actor", "bob"}});
        post(
            path + "/release", {{"reason", "benchmark"},
                                {"actor", "cleo"},
                                {"without_journeys", "there are none"}}
        );
        const auto revision = get("/v1/controls").at("revision").to_number<std::uint64_t>();
        wait_for("the release", [&] { return all_enforce(revision); });
    }

private:
    static constexpr std::string_view config =
        "mcp_servers:\n  shop: { url: \"http://127.0.0.1:9/mcp\" }\n";

    template <class Part>
    static Part started(Result<Part> part) {
        if (!part) {
            give_up(part.error().message);
        }
        return std::move(*part);
    }
    static void write(const std::string& path, const std::string_view text) {
        if (const Result<void> written = gateway::write_file(path, text); !written) {
            give_up(written.error().message);
        }
    }

    [[nodiscard]] NodeOptions node_options(std::size_t number) const {
        NodeOptions options;
        options.control = control_;
        options.name = "edge-" + std::to_string(number);
        options.token_file = folder_ + "/token";
        options.data_dir = disks_ + "/" + options.name;
        options.gateway_port = 0;
        options.admin_port = 0;
        options.threads = 1;
        return options;
    }

    json::value send(const std::string& method, const std::string& url, const json::object& body) {
        const auto answer = client_.send(
            {method,
             url,
             {{"Authorization", "Bearer " + admin_}, {"Content-Type", "application/json"}},
             method == "GET" ? std::string() : json::serialize(body),
             patience}
        );
        if (!answer || answer->status >= 300) {
            give_up(url + ": " + (answer ? answer->body : answer.error().message));
        }
        return json::parse(answer->body);
    }
    json::value get(const std::string& path) { return send("GET", control_ + path, {}); }
    json::value post(const std::string& path, const json::object& body) {
        return send("POST", control_ + path, body);
    }

    template <class Holds>
    void wait_for(const std::string& what, Holds holds) {
        const Instant begun = clock_.now();
        while (!holds()) {
            if (clock_.now() - begun > patience) {
                give_up("waited in vain for " + what);
            }
            std::this_thread::sleep_for(pause_between_looks);
        }
    }

    bool all_enforce(std::uint64_t revision) {
        const json::value fleet = get("/v1/fleet");
        const json::array& points = fleet.at("points").as_array();
        return points.size() == nodes_.size() + 1 &&
               std::ranges::all_of(points, [&](const json::value& point) {
                   return point.at("connected").as_bool() &&
                          point.as_object().contains("acknowledged_at") &&
                          point.at("revision").to_number<std::uint64_t>() >= revision;
               });
    }

    /// Every gateway and the server's own road said that they enforce it, and refused a probe by it on
    /// each of their roads: a control is proved at a point only then.
    void check(const json::value& control, const std::string& id) const {
        const json::array& points = control.at("points").as_array();
        std::size_t right = 0;
        for (const json::value& each : points) {
            const json::object& point = each.as_object();
            const bool refused = point.contains("acknowledged_at") && point.contains("proved_at") &&
                                 point.at("roads").to_number<int>() > 0 && !point.contains("error");
            right += refused ? 1 : 0;
        }
        if (points.size() != nodes_.size() + 1 || right != points.size()) {
            give_up(
                "wrong answer: " + id + " is proved at " + std::to_string(right) + " points of " +
                std::to_string(points.size())
            );
        }
    }

    const SystemClock clock_;
    const std::string folder_;
    std::string disks_;  ///< Of the gateways.
    std::unique_ptr<App> server_;
    std::string control_;
    std::string admin_;
    net::HttpClient client_;
    std::vector<std::unique_ptr<GatewayNode>> nodes_;
    std::deque<std::string> in_force_;
    std::size_t checked_ = 0;
};

void BM_StopAtFleet(benchmark::State& state) {
    try {
        Fleet fleet(static_cast<std::size_t>(state.range(0)));
        std::vector<double> times;
        std::size_t number = 0;
        Duration cpu{};
        for (auto _ : state) {
            const Duration cpu_before = cpu_of_process();
            const Duration took = fleet.stop("tool_" + std::to_string(number++));
            cpu += cpu_of_process() - cpu_before;
            fleet.release_oldest();
            times.push_back(std::chrono::duration<double, std::milli>(took).count());
            state.SetIterationTime(std::chrono::duration<double>(took).count());
        }
        std::ranges::sort(times);
        // The smallest that so many are not above.
        const auto at = [&](std::size_t percent) {
            return times[(times.size() * percent + 99) / 100 - 1];
        };
        state.counters["p50_ms"] = at(50);
        state.counters["p90_ms"] = at(90);
        state.counters["p99_ms"] = at(99);
        state.counters["max_ms"] = times.back();
        state.counters["stops"] = static_cast<double>(times.size());
        state.counters["cpu_ms"] = std::chrono::duration<double, std::milli>(cpu).count() /
                                   static_cast<double>(times.size());
    } catch (const std::exception& error) {
        state.SkipWithError(error.what());
    }
}
BENCHMARK(BM_StopAtFleet)
    ->Arg(200)
    ->Iterations(1'000)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tagout::app
