// The reader: what comes over the stream. fleet_reports.cc has the reporter and the worker.
#include "gateway/fleet/fleet_link.h"

#include "base/log.h"
#include "gateway/metrics.h"
#include "net/url.h"

#include <algorithm>
#include <future>

namespace tagout::gateway {

namespace {

namespace fleet = contain::fleet;

constexpr Duration first_byte_timeout = std::chrono::seconds(10);
constexpr Duration fetch_timeout = std::chrono::seconds(30);
constexpr Duration silence_min = std::chrono::seconds(3);
constexpr Duration pause_min = std::chrono::milliseconds(100);
constexpr Duration pause_max = std::chrono::seconds(2);
constexpr Duration in_force_patience = std::chrono::seconds(10);
constexpr std::size_t refusal_bytes_max = 2'000;

}  // namespace

FleetLink::FleetLink(const LinkOptions& options, const LinkParts& parts)
    : options_(options), parts_(parts), held_(options.folder), started_at_(parts.clock.now()) {}

Result<std::unique_ptr<FleetLink>> FleetLink::open(
    const LinkOptions& options, const LinkParts& parts
) {
    std::unique_ptr<FleetLink> link(new FleetLink(options, parts));
    if (const Result<void> opened = link->held_.open(options.key); !opened) {
        if (opened.error().code != ErrorCode::Corrupt) {
            return std::unexpected(opened.error());
        }
        log::error("kept_snapshot_unusable", {{"why", opened.error().message}});
        const MutexLock lock(link->mutex_);
        link->trouble_ = opened.error().message;
    }
    if (!link->held_.empty()) {
        {
            const MutexLock lock(link->mutex_);
            link->last_contact_ = std::max(
                link->held_.last_heard(), link->held_.standing().made_at
            );
        }
        link->enforce_held();
        MutexLock lock(link->mutex_);
        const bool enforced = link->changed_.wait_for(link->mutex_, in_force_patience, [&] {
            link->mutex_.assert_held();
            return link->edition_ != 0 || !link->trouble_.empty();
        });
        if (!enforced || link->edition_ == 0) {
            return fail(
                ErrorCode::Unavailable,
                "the kept snapshot cannot be enforced: " +
                    (link->trouble_.empty() ? "the gateway does not answer" : link->trouble_)
            );
        }
        lock.unlock();
        link->watch_lease();
        log::info(
            "kept_snapshot_in_force",
            {{"edition", link->held_.standing().edition},
             {"revision", link->held_.standing().revision},
             {"controls", link->held_.standing().controls.size()}}
        );
    }
    return link;
}

FleetLink::~FleetLink() {
    stop();
}

void FleetLink::start() {
    parts_.approvals.send_with([this](fleet::ApprovalAsk ask) {
        {
            const MutexLock lock(mutex_);
            if (!connected_ && !ask.withdrawn) {
                return false;
            }
        }
        add_job(std::move(ask));
        return true;
    });
    reader_ = std::thread([this] { read_loop(); });
    reporter_ = std::thread([this] { report_loop(); });
    worker_ = std::thread([this] { work_loop(); });
}

void FleetLink::stop() {
    {
        const MutexLock lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
        work_changed_.notify_all();
        pause_.notify_all();
    }
    parts_.approvals.send_with(nullptr);
    for (std::thread* const thread : {&reader_, &reporter_, &worker_}) {
        if (thread->joinable()) {
            thread->join();
        }
    }
}

net::Headers FleetLink::headers() const {
    return {{"Authorization", "Bearer " + options_.token}};
}

void FleetLink::read_loop() {
    Duration pause = pause_min;
    while (true) {
        const Result<void> ended = hold_stream();
        MutexLock lock(mutex_);
        const bool was_connected = std::exchange(connected_, false);
        const std::string why = ended ? "the control server ended the stream" : ended.error().message;
        if (!stopping_ && (was_connected || why != link_trouble_)) {
            log::warn("control_server_away", {{"why", why}, {"control", options_.control}});
        }
        link_trouble_ = why;
        pause = was_connected ? pause_min : std::min(pause * 2, pause_max);
        if (!stopping_) {
            pause_.wait_for(mutex_, pause);
        }
        if (stopping_) {
            return;
        }
    }
}

Result<void> FleetLink::hold_stream() {
    Duration silence = silence_min;
    {
        const MutexLock lock(mutex_);
        silence = std::max(silence, 3 * terms_.heartbeat);
    }
    net::HttpRequest request;
    request.url = options_.control + "/v1/fleet/stream?point=" + options_.name +
                  "&instance=" + options_.instance +
                  "&edition=" + std::to_string(held_.standing().edition);
    request.headers = headers();
    request.timeout = first_byte_timeout;
    request.silence_max = silence;
    greeted_ = false;
    fleet::FrameReader reader;
    std::vector<fleet::Frame> frames;
    std::string beginning;
    Result<void> taken;
    net::HttpClient client;
    const Result<net::HttpResponse> response =
        client.stream(request, [&](std::string_view bytes) {
            if (beginning.size() < refusal_bytes_max) {
                beginning += bytes.substr(0, refusal_bytes_max - beginning.size());
            }
            frames.clear();
            taken = reader.feed(bytes, frames);
            for (std::size_t i = 0; taken && i < frames.size(); ++i) {
                taken = take(frames[i]);
            }
            const MutexLock lock(mutex_);
            return taken.has_value() && !stopping_;
        });
    if (!response) {
        return std::unexpected(response.error());
    }
    if (response->status != 200) {
        return fail(
            ErrorCode::Unauthorized,
            "the control server refuses this gateway (HTTP " + std::to_string(response->status) +
                "): " + beginning
        );
    }
    return taken;
}

Result<void> FleetLink::take(const fleet::Frame& frame) {
    if (!greeted_) {
        return take_hello(frame);
    }
    if (frame.kind != fleet::FrameKind::Step) {  // A step is checked by who keeps it, once.
        TAGOUT_TRY(held_.check(name_of(frame.kind), frame.body, frame.signature));
    }
    switch (frame.kind) {
        case fleet::FrameKind::Hello:
            return fail(ErrorCode::Corrupt, "the control server greets twice");
        case fleet::FrameKind::Beat:
            return take_beat(TAGOUT_TRY(fleet::parse_beat(frame.body)));
        case fleet::FrameKind::Step:
            return take_step(frame);
        case fleet::FrameKind::Probe:
            add_job(TAGOUT_TRY(fleet::parse_probe_ask(frame.body)));
            return {};
        case fleet::FrameKind::Answer:
            parts_.approvals.answered(TAGOUT_TRY(fleet::parse_approval_said(frame.body)));
            return {};
    }
    return {};
}

Result<void> FleetLink::take_hello(const fleet::Frame& frame) {
    if (frame.kind != fleet::FrameKind::Hello) {
        return fail(ErrorCode::Corrupt, "the control server does not say who it is");
    }
    const fleet::Hello hello = TAGOUT_TRY(fleet::parse_hello(frame.body));
    const verify::PublicKey key = TAGOUT_TRY(verify::parse_public_key(hello.key));
    if (!verify::is_signed_by(
            key, fleet::signed_text(name_of(frame.kind), frame.body), frame.signature
        )) {
        return fail(ErrorCode::Unauthorized, "the control server's greeting is not signed by it");
    }
    TAGOUT_TRY(held_.meet(key));
    greeted_ = true;
    return {};
}

Result<void> FleetLink::take_beat(const fleet::Beat& beat) {
    // One that is no newer than another was played back: it says nothing of now.
    if (beat.at <= newest_beat_ || beat.at < held_.standing().made_at) {
        log::warn("beat_out_of_order", {{"at", to_rfc3339(beat.at)}});
        return {};
    }
    newest_beat_ = beat.at;
    bool first = false;
    {
        const MutexLock lock(mutex_);
        first = !std::exchange(connected_, true);
        link_trouble_.clear();
        report_due_ = report_due_ || first;
        changed_.notify_all();
    }
    if (first) {
        log::info("control_server_reached", {{"control", options_.control}});
        parts_.approvals.ask_again();
        add_job(ReconcileLocal{});
        add_job(SendRecords{});
    }
    if (beat.edition > held_.standing().edition || held_.is_long()) {
        TAGOUT_TRY(fetch_snapshot());
    }
    if (beat.edition == held_.standing().edition) {
        in_contact();
    }
    return {};
}

void FleetLink::in_contact() {
    const Instant now = parts_.clock.now();
    held_.heard(now);
    bool renewed = false;
    {
        const MutexLock lock(mutex_);
        last_contact_ = now;
        renewed = std::exchange(lease_over_, false);
        report_due_ = report_due_ || renewed;
    }
    if (renewed) {
        log::info("lease_renewed", {});
        parts_.enforcer.use_lease({}, now);
    }
}

Result<void> FleetLink::take_step(const fleet::Frame& frame) {
    const auto fetch = [this](const std::string& hash) { return fetch_part(hash); };
    const Result<bool> taken = held_.take_step(frame.body, frame.signature, fetch);
    if (!taken) {
        const MutexLock lock(mutex_);
        trouble_ = taken.error().message;
        report_due_ = true;
        changed_.notify_all();
        return std::unexpected(taken.error());
    }
    if (*taken) {
        enforce_held();
        held_.sync();
        in_contact();
        return {};
    }
    const fleet::Step step = TAGOUT_TRY(fleet::parse_step(frame.body));
    return step.edition > held_.standing().edition ? fetch_snapshot() : Result<void>{};
}

Result<void> FleetLink::fetch_snapshot() {
    net::HttpRequest request;
    request.url = options_.control + "/v1/fleet/snapshot";
    request.headers = headers();
    request.timeout = fetch_timeout;
    request.response_bytes_max = fleet::standing_bytes_max;
    const net::HttpResponse response = TAGOUT_TRY(fetcher_.send(request));
    if (response.status != 200) {
        return fail(
            ErrorCode::Unavailable,
            "the snapshot was refused with HTTP " + std::to_string(response.status)
        );
    }
    const auto fetch = [this](const std::string& hash) { return fetch_part(hash); };
    const Result<bool> taken =
        held_.take_standing(response.body, response.header("tagout-signature"), fetch);
    if (!taken) {
        const MutexLock lock(mutex_);
        trouble_ = taken.error().message;
        report_due_ = true;
        changed_.notify_all();
        return std::unexpected(taken.error());
    }
    if (*taken) {
        enforce_held();
        held_.sync();
    }
    return {};
}

Result<std::string> FleetLink::fetch_part(const std::string& hash) {
    net::HttpRequest request;
    request.url = options_.control + "/v1/fleet/parts/" + hash;
    request.headers = headers();
    request.timeout = fetch_timeout;
    request.response_bytes_max = fleet::part_bytes_max;
    net::HttpResponse response = TAGOUT_TRY(fetcher_.send(request));
    if (response.status != 200) {
        return fail(
            ErrorCode::Unavailable,
            "part " + hash.substr(0, 12) + " was refused with HTTP " +
                std::to_string(response.status)
        );
    }
    return std::move(response.body);
}

void FleetLink::enforce_held() {
    const fleet::Standing& standing = held_.standing();
    parts_.use_parts(held_.parts());
    {
        const MutexLock lock(mutex_);
        terms_ = standing.terms;
        holds_ = true;
        if (last_contact_ == Instant{}) {
            last_contact_ = parts_.clock.now();  // It came a moment ago: its beat is being worked on.
        }
    }
    parts_.enforcer.use_server(
        std::make_shared<const std::vector<Control>>(standing.controls), held_.parts().policies,
        standing.revision,
        [this, edition = standing.edition](Result<std::uint64_t> enforced) {
            const MutexLock lock(mutex_);
            if (!enforced) {
                trouble_ = enforced.error().message;
            } else if (edition >= edition_) {
                edition_ = edition;
                revision_ = *enforced;
                trouble_.clear();
            }
            report_due_ = true;
            changed_.notify_all();
            if (!adopted_.empty()) {
                work_changed_.notify_all();
            }
        }
    );
}

LinkStatus FleetLink::status() const {
    const MutexLock lock(mutex_);
    LinkStatus status;
    status.connected = connected_;
    status.lease_over = lease_over_;
    status.edition = edition_;
    status.revision = revision_;
    if (last_contact_ != Instant{}) {
        status.last_contact = last_contact_;
    }
    status.trouble = !trouble_.empty() ? trouble_ : connected_ ? "" : link_trouble_;
    return status;
}

}  // namespace tagout::gateway
