// The data plane alone, for tests with clients of other makes: a gateway whose controls are set by
// lines on standard input. No journal, no control API.
//
//   gateway_stand --server NAME=URL --model NAME=PROTOCOL=URL
//   in:  "control SCOPE MODE" adds one ("approvals_by_user" is a mode here; "told" says who
//   answered), "clear" ends them all, "probe SCOPE MODE", "seen"; before
//        clients come, "offer SERVER TOOL" configures a tool
//   out: "port N", with the port of ext_authz behind it, then an answer a line
#include "gateway/test_world.h"

#include <cstdlib>
#include <iostream>
#include <sstream>

namespace tagout::gateway {
namespace {

class Stand {
public:
    explicit Stand(catalog::Contents contents)
        : catalog_(std::make_shared<const catalog::Catalog>(std::move(contents))) {}

    bool open() {
        GatewayParts parts{
            clock_,
            metrics_,
            [this] { return catalog_; },
            approvals_,
            [this](SeenCall call) {
                const MutexLock lock(mutex_);
                seen_ += call.tool + " " + (call.verdict == Verdict::Deny ? "deny" : "allow") +
                         (call.cancelled ? " cancelled" : "") + "; ";
            },
            nullptr};
        GatewayOptions options;
        options.authz_port = 0;
        auto started = Gateway::start(options, parts);
        if (!started) {
            std::cerr << started.error().message << "\n";
            return false;
        }
        gateway_ = std::move(*started);
        enforce();
        std::cout << "port " << gateway_->port() << " " << gateway_->authz_port() << std::endl;
        return true;
    }
    void serve() {
        for (std::string line; std::getline(std::cin, line);) {
            std::istringstream words(line);
            std::string verb;
            std::string scope;
            std::string mode;
            words >> verb >> scope >> mode;
            if (verb == "control") {
                controls_.push_back(control(scope, mode));
                std::cout << "ok " << enforce() << std::endl;
            } else if (verb == "clear") {
                controls_.clear();
                std::cout << "ok " << enforce() << std::endl;
            } else if (verb == "offer") {
                offer(scope, mode);
                std::cout << "ok" << std::endl;
            } else if (verb == "probe") {
                for (const auto& probe : gateway_->probe(control(scope, mode))) {
                    std::cout << probe.road
                              << (probe.verdict == Verdict::Deny ? " deny; " : " passed; ");
                }
                std::cout << std::endl;
            } else if (verb == "told") {
                for (const std::string& each : approvals_.told()) {
                    std::cout << each << "; ";
                }
                std::cout << std::endl;
            } else if (verb == "seen") {
                const MutexLock lock(mutex_);
                std::cout << seen_ << std::endl;
                seen_.clear();
            }
        }
        gateway_->stop();
    }

private:
    void offer(const std::string& server, const std::string& tool) {
        catalog::Contents contents = catalog_->contents();
        contents.tools.push_back(
            {.name = ToolName(tool), .server = server, .compensating_tool = {}}
        );
        catalog_ = std::make_shared<const catalog::Catalog>(std::move(contents));
    }
    [[nodiscard]] Control control(const std::string& scope, const std::string& mode) const {
        Control made;
        made.id = ControlId("CTL-" + std::to_string(controls_.size() + 1));
        made.scope = parse_scope(scope).value_or(Scope{ScopeKind::Global, ""});
        made.terms.user_approves = mode == "approvals_by_user";
        made.mode = made.terms.user_approves
                        ? ControlMode::Approvals
                        : parse_control_mode(mode).value_or(ControlMode::Stopped);
        made.reason = "stopped by the test";
        made.author = Actor("person:test");
        return made;
    }
    /// Microseconds until it was in force.
    std::int64_t enforce() {
        const Instant from = clock_.now();
        std::promise<void> done;
        auto snapshot = contain::ControlSnapshot::build(controls_, {}, ++revision_);
        gateway_->enforce(*snapshot, [&](const Result<std::uint64_t>&) { done.set_value(); });
        done.get_future().wait();
        return std::chrono::duration_cast<std::chrono::microseconds>(clock_.now() - from).count();
    }

    const SystemClock clock_;
    MetricRegistry metrics_;
    FakeApprovals approvals_;
    std::shared_ptr<const catalog::Catalog> catalog_;  ///< Changed before requests come.
    std::vector<Control> controls_;
    std::uint64_t revision_ = 0;
    Mutex mutex_;
    std::string seen_ TAGOUT_GUARDED_BY(mutex_);
    std::shared_ptr<Gateway> gateway_;
};

}  // namespace
}  // namespace tagout::gateway

int main(int count, char** arguments) {
    tagout::catalog::Contents contents;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string option = arguments[i];
        const std::string value = arguments[i + 1];
        const std::size_t first = value.find('=');
        if (option == "--server") {
            contents.mcp_servers.push_back({value.substr(0, first), value.substr(first + 1)});
        } else if (option == "--model") {
            const std::size_t second = value.find('=', first + 1);
            contents.model_upstreams.push_back(
                {value.substr(0, first),
                 value.substr(first + 1, second - first - 1),
                 value.substr(second + 1),
                 ""}
            );
        }
    }
    tagout::gateway::Stand stand(std::move(contents));
    if (!stand.open()) {
        return 1;
    }
    stand.serve();
    return 0;
}
