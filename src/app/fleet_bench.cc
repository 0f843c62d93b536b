// Time to effect of a stop over a whole fleet: one control server and 200 gateways, each with its own
// stream, disk and tables, over loopback sockets.
//
// A stop's time runs from before the request is sent until the last gateway said that it enforces it; both
// are read from this machine's one clock. The answer is checked first, for every stop: all gateways
// acknowledged it, a probe was refused by it on every road of each, and a call that is sent to one of them
// is refused. Goal: p99 <= 50 ms. All of them share this machine's processors, which a fleet does not:
// `cpu_ms` says how much of the time is that.
//
// In trouble the same is measured of the others while one gateway is a frozen process, one is cut off from
// the network and one was started again. At the end page, API and metrics must say so of each, or the
// benchmark fails.
#include "app/app.h"
#include "app/gateway_node.h"

#include "base/log.h"
#include "gateway/fleet/files.h"
#include "net/http_client.h"
#include "net/http_server.h"

#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <boost/json.hpp>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <stop_token>
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

/// The network of one gateway, which can be cut: a proxy on loopback.
class Network {
public:
    explicit Network(std::uint16_t to) : to_(to) {
        listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address = at(0);
        socklen_t size = sizeof address;
        if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
            listen(listener_, 64) != 0 ||
            getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
            give_up("no socket for the proxy");
        }
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { run(); });
    }
    ~Network() { cut(); }
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    void cut() {
        cut_ = true;
        if (thread_.joinable()) {
            thread_.join();
        }
    }

private:
    static constexpr int look_every_ms = 20;

    static sockaddr_in at(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }

    void run() {
        std::vector<pollfd> ends{{listener_, POLLIN, 0}};  // Then two of each connection.
        while (!cut_) {
            poll(ends.data(), ends.size(), look_every_ms);
            for (std::size_t i = 1; i < ends.size(); ++i) {
                if (ends[i].revents != 0 && !pass_on(ends[i].fd, ends[i % 2 == 1 ? i + 1 : i - 1].fd)) {
                    const std::size_t first = i % 2 == 1 ? i : i - 1;
                    close(ends[first].fd);
                    close(ends[first + 1].fd);
                    const auto begin = ends.begin() + static_cast<std::ptrdiff_t>(first);
                    ends.erase(begin, begin + 2);
                    break;  // The rest at the next look.
                }
            }
            if ((ends[0].revents & POLLIN) != 0) {
                const int near = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
                const int far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                const sockaddr_in address = at(to_);
                if (connect(far, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
                    close(near);
                    close(far);
                    continue;
                }
                ends.push_back({near, POLLIN, 0});
                ends.push_back({far, POLLIN, 0});
            }
        }
        for (const pollfd& each : ends) {
            close(each.fd);
        }
    }

    static bool pass_on(int from, int to) {
        char bytes[64 * 1024];
        const ssize_t got = recv(from, bytes, sizeof bytes, 0);
        ssize_t sent = 0;
        while (sent < got) {
            const ssize_t more =
                send(to, bytes + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
            if (more <= 0) {
                return false;
            }
            sent += more;
        }
        return got > 0;
    }

    const std::uint16_t to_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> cut_ = false;
    std::thread thread_;
};

/// Whoever is paged: keeps what it was told.
class Pager {
public:
    Pager() {
        auto server = net::HttpServer::start(
            net::ServerOptions{},
            [this](net::ServerRequest request, const std::shared_ptr<net::Responder>& responder) {
                const MutexLock lock(mutex_);
                told_.emplace_back(request.body.view());
                responder->respond(net::ServerResponse{});
            }
        );
        if (!server) {
            give_up(server.error().message);
        }
        server_ = std::move(*server);
    }
    [[nodiscard]] std::uint16_t port() const { return server_->port(); }
    /// Times that `point` was told to fail.
    [[nodiscard]] std::size_t failing(const std::string& point) const {
        const MutexLock lock(mutex_);
        return static_cast<std::size_t>(std::ranges::count_if(told_, [&](const std::string& body) {
            return body.find(R"("type":"point.failing")") != std::string::npos &&
                   body.find("\"point:" + point + "\"") != std::string::npos;
        }));
    }

private:
    mutable Mutex mutex_;
    std::vector<std::string> told_ TAGOUT_GUARDED_BY(mutex_);
    std::unique_ptr<net::HttpServer> server_;
};

class Fleet {
public:
    enum class Troubled : bool { No, Yes };

    Fleet(std::size_t gateways, Troubled troubled)
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
        write(
            folder_ + "/tagout.yaml",
            std::string(config) + "notices:\n  default_channel: pager\n  channels:\n    pager: { type: "
                                  "webhook, url: \"http://127.0.0.1:" +
                std::to_string(pager_.port()) + "/\" }\n"
        );
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
        if (troubled == Troubled::Yes) {
            network_ = std::make_unique<Network>(
                static_cast<std::uint16_t>(std::stoi(control_.substr(control_.rfind(':') + 1)))
            );
            start_process(--gateways);
        }
        for (std::size_t i = 0; i < gateways; ++i) {
            NodeOptions own = node_options(i);
            if (i == cut_off && network_) {
                own.control = network_->url();
            }
            nodes_.push_back(started(GatewayNode::start(own, clock_)));
        }
        ticking_ = std::jthread([this](const std::stop_token& over) { tick(over); });
        wait_for("all gateways to come", [&] { return all_enforce(0); });
    }
    ~Fleet() {
        ticking_ = {};
        if (process_ > 0) {
            kill(process_, SIGKILL);
            waitpid(process_, nullptr, 0);
        }
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

    /// One is frozen, one cut off, one started again, and nobody waits for it to be known.
    void make_trouble() {
        kill(process_, SIGSTOP);
        network_->cut();
        const MutexLock lock(nodes_mutex_);
        nodes_[restarted].reset();
        nodes_[restarted] = started(GatewayNode::start(node_options(restarted), clock_));
        in_trouble_ = {name_of(cut_off), name_of(restarted), process_name_};
    }

    /// Applies it and gives the time until the last of those that are not in trouble enforced it.
    Duration stop_at_others(const std::string& tool) {
        const Instant asked = clock_.now();
        const json::value made = post(
            "/v1/controls", {{"scope", "tool:shop." + tool},
                             {"mode", "stopped"},
                             {"reason", "benchmark"},
                             {"actor", "ann"}}
        );
        const std::string id(made.at("id").as_string());
        Instant last = asked;
        wait_for(id + " to be enforced by the others", [&] {
            const json::value control = get("/v1/controls/" + id);
            std::size_t enforcing = 0;
            for (const json::value& each : control.at("points").as_array()) {
                const json::object& point = each.as_object();
                if (is_in_trouble(point.at("point").as_string()) || !point.contains("acknowledged_at")) {
                    continue;
                }
                ++enforcing;
                const std::string at(point.at("acknowledged_at").as_string());
                last = std::max(last, parse_rfc3339(at).value() + cut_off_max);
            }
            return enforcing == nodes_.size() + 1 + (process_ > 0 ? 1 : 0) - in_trouble_.size();
        });
        in_force_.push_back(id);
        return last - asked;
    }

    /// What page, API and metrics say of each, once it had time to be known.
    void check_trouble() {
        const auto point = [&](const std::string& name) {
            const json::value fleet = get("/v1/fleet");
            for (const json::value& each : fleet.at("points").as_array()) {
                if (each.at("name") == json::string(name)) {
                    return each;
                }
            }
            give_up(name + " is not shown at all");
        };
        const std::string id = in_force_.back();
        for (const std::string& name : {process_name_, name_of(cut_off)}) {
            wait_for(name + " to be red and paged", [&] {
                const json::value shown = point(name);
                return !shown.at("connected").as_bool() && shown.as_object().contains("error") &&
                       pager_.failing(name) == 1 && metrics_say(name, "0");
            });
        }
        const std::string back = name_of(restarted);
        wait_for(back + " to be back and to acknowledge", [&] {
            const json::value control = get("/v1/controls/" + id);
            const json::array& points = control.at("points").as_array();
            const auto own = std::ranges::find_if(points, [&](const json::value& each) {
                return each.at("point") == json::string(back);
            });
            return point(back).at("connected").as_bool() && own != points.end() &&
                   own->as_object().contains("acknowledged_at") && metrics_say(back, "1") &&
                   control.at("state") == "proved" &&
                   control.at("acknowledged").at("away").to_number<int>() == 2;
        });
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

    /// What the programs do once a second.
    void tick(const std::stop_token& over) {
        while (!over.stop_requested()) {
            server_->tick();
            {
                const MutexLock lock(nodes_mutex_);
                for (const std::unique_ptr<GatewayNode>& node : nodes_) {
                    node->tick();
                }
            }
            std::this_thread::sleep_for(std::chrono::seconds(1));
        }
    }

    static std::string name_of(std::size_t number) { return "edge-" + std::to_string(number); }
    [[nodiscard]] bool is_in_trouble(std::string_view name) const {
        return std::ranges::find(in_trouble_, name) != in_trouble_.end();
    }
    bool metrics_say(const std::string& point, const std::string& connected) {
        const auto answer = client_.send({"GET", control_ + "/metrics", {}, "", patience});
        return answer && answer->body.find(
                             "\ntagout_point_connected{point=\"" + point + "\"} " + connected + "\n"
                         ) != std::string::npos;
    }

    /// A gateway that can be frozen: the program, which lies beside this one.
    void start_process(std::size_t number) {
        process_name_ = name_of(number);
        const std::string program =
            (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "tagout").string();
        if (!std::filesystem::exists(program)) {
            give_up("build tagout first: a process of it is frozen (" + program + ")");
        }
        const NodeOptions options = node_options(number);
        const std::vector<std::string> words{
            program, "gateway", "--control", options.control, "--name", options.name, "--data-dir",
            options.data_dir, "--token-file", options.token_file, "--gateway-port", "0",
            "--admin-port", "0"};
        std::vector<char*> arguments;
        for (const std::string& word : words) {
            arguments.push_back(const_cast<char*>(word.c_str()));
        }
        arguments.push_back(nullptr);
        process_ = fork();
        if (process_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);  // A frozen one would outlive whoever is killed.
            const int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
            dup2(quiet, STDOUT_FILENO);
            dup2(quiet, STDERR_FILENO);
            execv(program.c_str(), arguments.data());
            _exit(127);
        }
    }

    [[nodiscard]] NodeOptions node_options(std::size_t number) const {
        NodeOptions options;
        options.control = control_;
        options.name = name_of(number);
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
        return points.size() == nodes_.size() + 1 + (process_ > 0 ? 1 : 0) &&
               std::ranges::all_of(points, [&](const json::value& point) {
                   return is_in_trouble(point.at("name").as_string()) ||
                          (point.at("connected").as_bool() &&
                          point.as_object().contains("acknowledged_at") &&
                          point.at("revision").to_number<std::uint64_t>() >= revision);
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

    static constexpr std::size_t cut_off = 7;     ///< Of nodes_.
    static constexpr std::size_t restarted = 11;

    const SystemClock clock_;
    Pager pager_;
    std::unique_ptr<Network> network_;
    pid_t process_ = -1;
    std::string process_name_;
    std::vector<std::string> in_trouble_;
    const std::string folder_;
    std::string disks_;  ///< Of the gateways.
    std::unique_ptr<App> server_;
    std::string control_;
    std::string admin_;
    net::HttpClient client_;
    Mutex nodes_mutex_;  ///< One is replaced while they tick.
    std::vector<std::unique_ptr<GatewayNode>> nodes_;
    std::deque<std::string> in_force_;
    std::size_t checked_ = 0;
    std::jthread ticking_;
};

void run_stops(benchmark::State& state, Fleet::Troubled troubled) {
    constexpr std::size_t calm_stops = 20;  // Before the trouble.
    try {
        Fleet fleet(static_cast<std::size_t>(state.range(0)), troubled);
        std::vector<double> times;
        std::size_t number = 0;
        Duration cpu{};
        for (auto _ : state) {
            if (troubled == Fleet::Troubled::Yes && number == calm_stops) {
                fleet.make_trouble();
            }
            const Duration cpu_before = cpu_of_process();
            const std::string tool = "tool_" + std::to_string(number++);
            const Duration took =
                troubled == Fleet::Troubled::Yes ? fleet.stop_at_others(tool) : fleet.stop(tool);
            cpu += cpu_of_process() - cpu_before;
            fleet.release_oldest();
            times.push_back(std::chrono::duration<double, std::milli>(took).count());
            state.SetIterationTime(std::chrono::duration<double>(took).count());
        }
        if (troubled == Fleet::Troubled::Yes) {
            fleet.check_trouble();
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
void BM_StopAtFleet(benchmark::State& state) {
    run_stops(state, Fleet::Troubled::No);
}
void BM_StopAtFleetInTrouble(benchmark::State& state) {
    run_stops(state, Fleet::Troubled::Yes);
}
BENCHMARK(BM_StopAtFleetInTrouble)
    ->Arg(200)
    ->Iterations(1'000)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(BM_StopAtFleet)
    ->Arg(200)
    ->Iterations(1'000)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tagout::app
