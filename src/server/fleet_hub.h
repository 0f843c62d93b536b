// The control server's side of the fleet: gateways come with their tokens, hold one stream each, and
// report over short requests.
//
//   GET  /v1/fleet/stream         hello, beats, steps, probes, answers: contain/fleet/frame.h
//   GET  /v1/fleet/snapshot       what stands as a whole, its signature in the header tagout-signature
//   GET  /v1/fleet/parts/{hash}   policies, catalog, versions: whatever a snapshot names
//   POST /v1/fleet/report         heartbeat and acknowledgement
//   POST /v1/fleet/probes, /approvals, /controls, /records
//                                 what was asked of a gateway, or happened there
//
// Each of these takes a gateway's token and nothing else takes one. Thread-safe. Heartbeats go out on a
// thread of its own, which also sees who is not heard of any more.
#pragma once

#include "base/metrics.h"
#include "contain/approvals.h"
#include "contain/controls.h"
#include "contain/fleet/fleet_book.h"
#include "net/http_server.h"
#include "server/fleet_point.h"
#include "server/fleet_teller.h"
#include "server/ports.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace tagout::server {

/// Values that an operator sets, as contain::Settings has them.
struct FleetTimes {
    contain::fleet::Terms terms;
    Duration lost_after = std::chrono::seconds(3);
};

struct FleetParts {
    contain::Controls& controls;
    contain::Approvals& approvals;
    contain::fleet::FleetBook& book;
    std::shared_ptr<FleetTeller> teller;
    IntakeSink& intake;
    const Clock& clock;
    MetricRegistry& metrics;
    FleetTimes times;
};

class FleetHub {
public:
    static constexpr std::size_t batches_known_max = 10'000;  ///< Spools whose last number is kept.
    /// Parts of the fleet that are beaten one after the other within a heartbeat, so that beats and the
    /// reports that answer them are never all at once in the way of a stop.
    static constexpr std::size_t beat_parts = 20;

    explicit FleetHub(const FleetParts& parts);
    ~FleetHub();
    FleetHub(const FleetHub&) = delete;
    FleetHub& operator=(const FleetHub&) = delete;

    /// Every member is expected from here on; heartbeats begin.
    void start();
    /// Streams end, nobody is told anything any more. The destructor does it too.
    void stop();
    void use(const FleetTimes& times);
    /// Catalog or versions may have changed.
    void parts_changed();

    /// Whether `authorization` is a gateway's token, and whose.
    [[nodiscard]] std::optional<contain::IssuedToken> token_of(
        std::string_view authorization
    ) const;
    /// A request of a gateway. Reports are answered on the caller's thread, cheap enough for an event
    /// loop; everything else may wait for disks.
    void handle(
        std::string_view operation, std::string_view argument, net::ServerRequest request,
        const std::shared_ptr<net::Responder>& responder,
        const contain::IssuedToken& token
    );
    /// What people ask of the fleet: listFleet, makeFleetToken, revokeFleetToken, retirePoint.
    [[nodiscard]] Result<std::string> answer(
        std::string_view operation, std::string_view argument, std::string_view body
    );

private:
    using Token = contain::IssuedToken;

    void open_stream(
        const net::ServerRequest& request, const std::shared_ptr<net::Responder>& responder,
        const Token& token
    );
    [[nodiscard]] Result<net::ServerResponse> respond_to(
        std::string_view operation, std::string_view argument, const net::ServerRequest& request,
        const Token& token
    );
    void take_records(
        const net::ServerRequest& request, const std::shared_ptr<net::Responder>& responder,
        const Token& token
    );
    /// The connected point of that name, if the token is for it. NotFound: it holds no stream.
    [[nodiscard]] Result<std::shared_ptr<FleetPoint>> point_of(
        const std::string& name, const Token& token
    ) const;
    Result<void> take_approval(const contain::fleet::ApprovalAsk& ask, const Token& token);
    [[nodiscard]] Result<std::string> adopt(
        const contain::fleet::LocalControls& local, const Token& token
    );
    void lose(const std::shared_ptr<FleetPoint>& point, const std::string& why);
    void beat_loop();
    void beat(const std::vector<std::shared_ptr<FleetPoint>>& points, Duration lost_after);

    const FleetParts parts_;
    mutable Mutex mutex_;
    Condition changed_;
    FleetTimes times_ TAGOUT_GUARDED_BY(mutex_);
    bool stopping_ TAGOUT_GUARDED_BY(mutex_) = false;
    std::map<std::string, std::shared_ptr<FleetPoint>, std::less<>> points_
        TAGOUT_GUARDED_BY(mutex_);
    /// The book's number of a gateway's waiting call, by point and the gateway's number.
    std::map<std::pair<std::string, std::string>, std::string> approvals_
        TAGOUT_GUARDED_BY(mutex_);
    /// Newest batch of records that was stored, by point and spool.
    std::map<std::string, std::uint64_t> batches_ TAGOUT_GUARDED_BY(mutex_);
    std::thread beats_;
};

}  // namespace tagout::server
