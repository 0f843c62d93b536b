#include "gateway/exchange.h"

#include "gateway/json_scan.h"
#include "net/url.h"

#include <utility>

namespace tagout::gateway {

namespace {

constexpr std::size_t queued_bytes_max = 256 * 1024;  // Then the upstream waits for the client.

double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

Exchange::Exchange(
    std::shared_ptr<Core> core, Road road, net::ServerRequest request,
    std::shared_ptr<net::Responder> responder
)
    : core_(std::move(core)),
      loop_(responder->loop()),
      received_at_(core_->now()),
      road_(road),
      probe_(is_same_secret(request.header("tagout-probe"), core_->probe_secret)),
      request_(std::move(request)),
      responder_(std::move(responder)) {}

void Exchange::enter() {
    core_->enter(*loop_, *this);
    responder_->on_gone([self = shared_from_this()] {
        if (!self->has_ended()) {
            self->on_client_gone();
            self->cancel_upstream();
            self->end(Outcome::Gone);
        }
    });
}

void Exchange::forward(
    net::UrlParts url, std::shared_ptr<const PaddedBytes> body, bool may_repeat
) {
    forwarded_at_ = core_->now();
    core_->meters.added_seconds.observe(seconds(forwarded_at_ - received_at_));
    net::UpstreamRequest out{
        request_.method,
        std::move(url),
        upstream_headers(request_.headers),
        std::move(body),
        may_repeat};
    net::UpstreamEvents events;
    events.on_head = [self = shared_from_this()](net::UpstreamHead head) {
        self->upstream_status_ = head.status;
        self->on_head(std::move(head));
    };
    events.on_chunk = [self = shared_from_this()](std::string_view bytes) {
        self->on_bytes(bytes);
    };
    events.on_end = [self = shared_from_this()](const Result<void>& ended) {
        self->core_->meters.upstream_seconds[static_cast<std::size_t>(self->road_)]->observe(
            seconds(self->core_->now() - self->forwarded_at_)
        );
        if (!self->has_ended()) {
            self->on_upstream_end(ended);
        }
    };
    upstream_ = core_->upstreams->send(loop_, std::move(out), std::move(events));
}

void Exchange::cancel_upstream() {
    if (const auto call = upstream_.lock()) {
        call->cancel();
    }
}

void Exchange::answer(net::ServerResponse response, Outcome outcome) {
    const auto responder = responder_;
    end(outcome);
    responder->respond(std::move(response));
}

void Exchange::open(net::ServerResponse head, std::optional<std::uint64_t> length) {
    stream_ = responder_->respond_body(std::move(head), length);
    stream_->on_drained([weak = upstream_] {
        if (const auto call = weak.lock()) {
            call->resume();
        }
    });
}

void Exchange::write(std::string bytes) {
    if (bytes.empty() || !stream_ || !stream_->send(std::move(bytes))) {
        return;  // A client that is gone is told of by its own event.
    }
    if (stream_->queued() > queued_bytes_max) {
        if (const auto call = upstream_.lock()) {
            call->pause();
        }
    }
}

void Exchange::finish(Outcome outcome) {
    const auto stream = stream_;
    end(outcome);
    stream->close();
}

void Exchange::cut(Outcome outcome) {
    const auto stream = stream_;
    end(outcome);
    stream->abort();
}

SeenCall Exchange::seen_of(const Caller& caller, const Ruling& ruling) const {
    SeenCall seen;
    seen.agent = caller.agent;
    seen.workflow = caller.workflow;
    seen.session = caller.session;
    seen.tenant = caller.tenant;
    seen.environment = caller.environment;
    seen.user = caller.user;
    seen.prompt_version = caller.prompt;
    seen.traceparent = caller.traceparent;
    seen.verdict = ruling.verdict;
    seen.decided_by = ruling.by;
    seen.reason = ruling.for_person;
    seen.shadow = ruling.shadow;
    seen.revision = ruling.revision;
    seen.http_status = upstream_status_;
    seen.started_at = received_at_;
    seen.ended_at = core_->now();
    return seen;
}

void Exchange::shut_down() {
    cancel_upstream();
    if (has_opened()) {
        cut(Outcome::Failed);
    } else {
        answer(
            error_response(503, "unavailable", "the gateway is stopping; try again"),
            Outcome::Failed
        );
    }
}

void Exchange::end(Outcome outcome) {
    core_->meters.request(road_, probe_ ? Outcome::Probe : outcome).add();
    core_->leave(*loop_, *this);
    responder_.reset();
}

net::ServerResponse error_response(int status, std::string_view code, std::string_view message) {
    std::string body =
        R"({"error":{"code":)" + quoted(code) + R"(,"message":)" + quoted(message) + "}}\n";
    return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

std::string decision_header(const Ruling& ruling) {
    return R"({"verdict":)" + quoted(name_of(ruling.verdict)) + R"(,"decided_by":)" +
           quoted(ruling.by) + R"(,"shadow":)" + quoted(ruling.shadow) + R"(,"revision":)" +
           std::to_string(ruling.revision) + "}";
}

std::string retry_after(const Ruling& ruling) {
    return std::to_string(std::chrono::ceil<std::chrono::seconds>(ruling.retry_after).count());
}

bool is_of_share(const Caller& caller, std::uint64_t percent) {
    const std::string& key = !caller.session.empty() ? caller.session
                             : !caller.user.empty()  ? caller.user
                                                     : caller.agent;
    return place_of_session(key) < percent;
}

bool leads_out(std::string_view rest) {
    const std::string path = net::percent_decode(rest.substr(0, rest.find('?')));
    return path.find("/../") != std::string::npos || path.ends_with("/..") ||
           path.find("/./") != std::string::npos || path.find('\\') != std::string::npos;
}

std::string path_of(std::string_view target) {
    return std::string(target.substr(0, target.find('?')));
}

std::string query_of(std::string_view target) {
    const std::size_t mark = target.find('?');
    return mark == std::string_view::npos
               ? ""
               : std::string(target.substr(mark, target.find('#') - mark));
}

Result<net::UrlParts> joined_url(
    const std::string& base, std::string_view path, std::string_view query
) {
    net::UrlParts url = TAGOUT_TRY(net::parse_url(base));
    std::string own_query;
    if (const std::size_t mark = url.target.find('?'); mark != std::string::npos) {
        own_query = url.target.substr(mark);
        url.target.erase(mark);
    }
    if (!path.empty()) {
        if (url.target.ends_with('/')) {
            url.target.pop_back();
        }
        url.target += path;
    }
    if (own_query.empty()) {
        url.target += query;
    } else {
        url.target += own_query;
        if (query.size() > 1) {
            url.target += "&" + std::string(query.substr(1));
        }
    }
    return url;
}

}  // namespace tagout::gateway
