// A gateway that is a process of its own, as the book of controls sees it: told over its stream, heard
// by its reports.
//
// One object a connection: a gateway that comes back is a new one, of which nothing is claimed yet.
// Thread-safe.
#pragma once

#include "base/mutex.h"
#include "contain/fleet/report.h"
#include "contain/point.h"
#include "net/http_server.h"
#include "server/fleet_teller.h"

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tagout::server {

class FleetPoint final : public contain::EnforcementPoint {
public:
    /// Without a stream it is one that is expected and has not come yet.
    FleetPoint(
        std::string name, std::string instance, std::shared_ptr<FleetTeller> teller,
        std::shared_ptr<net::EventStream> stream, const Clock& clock
    );

    [[nodiscard]] std::string name() const override { return name_; }
    [[nodiscard]] const std::string& instance() const noexcept { return instance_; }
    void enforce(
        std::shared_ptr<const contain::ControlSnapshot> snapshot,
        std::function<void(Result<std::uint64_t>)> done
    ) override;
    void put_in_force(
        const contain::Published& published, std::function<void(Result<std::uint64_t>)> done
    ) override;
    /// Nothing: its roads are elsewhere. start_probe() asks it.
    [[nodiscard]] std::vector<contain::ProbeResult> probe(const Control& control) override;
    void start_probe(
        const Control& control, std::function<void(std::vector<contain::ProbeResult>)> done
    ) override;
    [[nodiscard]] bool is_connected() const override { return connected_.load(); }
    [[nodiscard]] contain::PointContact contact() const override;

    /// First of a stream: who the server is, and which edition is the newest.
    bool greet();
    /// Sends a step where it fits what was sent before, else the beat that makes it fetch the snapshot.
    void send_edition(const ToldEdition& told);
    /// False when its stream has ended.
    bool send(std::string frame);
    /// What it says of itself; whoever waited for that edition hears of it.
    void heard(const contain::fleet::PointReport& report);
    void probed(contain::fleet::ProbeSaid said);
    [[nodiscard]] Instant last_contact() const;
    /// It is away from now on: `why` is shown. Its stream is cut.
    void lose(std::string why);

private:
    static constexpr std::size_t probes_max = 256;  ///< Rounds that it owes an answer.

    struct Awaited {
        std::uint64_t edition = 0;
        std::function<void(Result<std::uint64_t>)> done;
    };

    const std::string name_;
    const std::string instance_;
    const std::shared_ptr<FleetTeller> teller_;
    const Clock& clock_;
    std::atomic<bool> connected_;

    mutable Mutex mutex_;
    std::shared_ptr<net::EventStream> stream_ TAGOUT_GUARDED_BY(mutex_);
    std::uint64_t sent_ TAGOUT_GUARDED_BY(mutex_) = 0;  ///< Edition.
    std::optional<Instant> last_contact_ TAGOUT_GUARDED_BY(mutex_);
    std::string away_ TAGOUT_GUARDED_BY(mutex_);
    contain::fleet::PointReport report_ TAGOUT_GUARDED_BY(mutex_);
    std::vector<Awaited> awaited_ TAGOUT_GUARDED_BY(mutex_);
    std::uint64_t last_round_ TAGOUT_GUARDED_BY(mutex_) = 0;
    std::map<std::uint64_t, std::function<void(std::vector<contain::ProbeResult>)>> probes_
        TAGOUT_GUARDED_BY(mutex_);
};

}  // namespace tagout::server
