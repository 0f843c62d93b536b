#include "server/fleet_point.h"

#include <algorithm>

namespace tagout::server {

namespace {
namespace fleet = contain::fleet;
}  // namespace

FleetPoint::FleetPoint(
    std::string name, std::string instance, std::shared_ptr<FleetTeller> teller,
    std::shared_ptr<net::EventStream> stream, const Clock& clock
)
    : name_(std::move(name)),
      instance_(std::move(instance)),
      teller_(std::move(teller)),
      clock_(clock),
      connected_(stream != nullptr),
      stream_(std::move(stream)) {
    const MutexLock lock(mutex_);
    if (stream_) {
        last_contact_ = clock_.now();
    } else {
        away_ = "it has not come back since the control server's start at " +
                to_rfc3339(clock_.now());
    }
}

void FleetPoint::enforce(
    std::shared_ptr<const contain::ControlSnapshot>, std::function<void(Result<std::uint64_t>)> done
) {
    done(fail(ErrorCode::Unavailable, "a gateway elsewhere makes its own tables"));
}

void FleetPoint::put_in_force(
    const contain::Published& published, std::function<void(Result<std::uint64_t>)> done
) {
    const std::shared_ptr<const ToldEdition> told = teller_->tell(published);
    {
        const MutexLock lock(mutex_);
        if (report_.edition >= told->edition && report_.error.empty()) {
            done = [done = std::move(done), revision = report_.revision](auto) { done(revision); };
        } else {
            awaited_.push_back({told->edition, std::exchange(done, nullptr)});
        }
    }
    if (done) {
        done(std::uint64_t{0});
        return;
    }
    send_edition(*told);
}

void FleetPoint::send_edition(const ToldEdition& told) {
    bool leads_on = false;
    {
        const MutexLock lock(mutex_);
        leads_on = told.from != 0 && told.from == sent_;
        sent_ = std::max(sent_, told.edition);
    }
    send(leads_on ? told.step : teller_->beat());
}

bool FleetPoint::greet() {
    {
        const MutexLock lock(mutex_);
        sent_ = teller_->newest()->edition;
    }
    return send(teller_->hello()) && send(teller_->beat());
}

bool FleetPoint::send(std::string frame) {
    std::shared_ptr<net::EventStream> stream;
    {
        const MutexLock lock(mutex_);
        stream = stream_;
    }
    return stream && stream->send(std::move(frame));
}

std::vector<contain::ProbeResult> FleetPoint::probe(const Control&) {
    return {};
}

void FleetPoint::start_probe(
    const Control& control, std::function<void(std::vector<contain::ProbeResult>)> done
) {
    fleet::ProbeAsk ask{0, name_, control};
    {
        const MutexLock lock(mutex_);
        if (probes_.size() >= probes_max) {
            probes_.erase(probes_.begin());  // The book has given that round up long ago.
        }
        ask.round = ++last_round_;
        probes_.emplace(ask.round, std::move(done));
    }
    send(teller_->frame(fleet::FrameKind::Probe, fleet::to_text(ask)));
}

void FleetPoint::probed(fleet::ProbeSaid said) {
    std::function<void(std::vector<contain::ProbeResult>)> done;
    {
        const MutexLock lock(mutex_);
        const auto found = probes_.find(said.round);
        if (found == probes_.end()) {
            return;
        }
        done = std::move(found->second);
        probes_.erase(found);
        last_contact_ = clock_.now();
    }
    done(std::move(said.probes));
}

void FleetPoint::heard(const fleet::PointReport& report) {
    std::vector<Awaited> ready;
    {
        const MutexLock lock(mutex_);
        last_contact_ = clock_.now();
        report_ = report;
        const auto waits = std::ranges::partition(awaited_, [&](const Awaited& each) {
            return each.edition > report.edition && report.error.empty();
        });
        std::ranges::move(waits, std::back_inserter(ready));
        awaited_.erase(waits.begin(), awaited_.end());
    }
    for (const Awaited& each : ready) {
        if (report.edition >= each.edition) {
            each.done(report.revision);
        } else {
            each.done(fail(ErrorCode::Unavailable, report.error));
        }
    }
}

contain::PointContact FleetPoint::contact() const {
    const MutexLock lock(mutex_);
    contain::PointContact contact;
    contact.remote = true;
    contact.connected = connected_.load();
    contact.away = away_;
    contact.last_contact = last_contact_;
    contact.version = report_.version;
    contact.address = report_.address;
    contact.error = report_.error;
    contact.lease_over = report_.lease_over;
    contact.rules = report_.rules;
    contact.controls = report_.controls;
    contact.local_controls = report_.local_controls;
    contact.calls = report_.calls;
    contact.calls_denied = report_.calls_denied;
    contact.in_flight = report_.in_flight;
    contact.records_waiting = report_.records_waiting;
    contact.records_dropped = report_.records_dropped;
    return contact;
}

Instant FleetPoint::last_contact() const {
    const MutexLock lock(mutex_);
    return last_contact_.value_or(Instant{});
}

void FleetPoint::lose(std::string why) {
    std::shared_ptr<net::EventStream> stream;
    std::vector<Awaited> awaited;
    {
        const MutexLock lock(mutex_);
        connected_.store(false);
        away_ = std::move(why);
        stream = std::exchange(stream_, nullptr);
        awaited.swap(awaited_);
        probes_.clear();
    }
    if (stream) {
        stream->abort();
    }
}

}  // namespace tagout::server
