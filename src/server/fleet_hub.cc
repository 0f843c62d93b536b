#include "server/fleet_hub.h"

#include "base/log.h"
#include "contain/control_json.h"
#include "contain/fleet/report.h"
#include "intake/intake.h"
#include "server/body.h"
#include "server/error_map.h"
#include "server/metrics.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace tagout::server {

namespace {

namespace fleet = contain::fleet;
namespace json = boost::json;

constexpr std::size_t reason_bytes_max = contain::Controls::reason_bytes_max;
constexpr std::size_t instance_bytes_max = 64;
constexpr std::size_t meta_bytes_max = 64 * 1024;
constexpr std::string_view scheme = "Bearer ";

net::ServerResponse json_response(int status, std::string body) {
    return {
        status,
        {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
        std::move(body)};
}

net::ServerResponse error_response(const Error& error) {
    const json::object body{
        {"error", json::object{{"code", name_of(error.code)}, {"message", error.message}}}};
    // A gateway's token is known by now: what it may not do is forbidden, not unauthenticated.
    const int status =
        error.code == ErrorCode::Unauthorized ? 403 : mapping_of(error.code).http_status;
    return json_response(status, json::serialize(body));
}

std::uint64_t number_of(const std::string& text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

/// A gateway may only tighten: what would lead calls elsewhere is for the control server alone.
bool may_be_adopted(ControlMode mode) {
    return mode == ControlMode::Stopped || mode == ControlMode::ReadOnly ||
           mode == ControlMode::Approvals || mode == ControlMode::Allowlist;
}

/// What stands before the telemetry of a batch of records.
struct RecordsMeta {
    std::string point;
    std::string spool;
    std::uint64_t batch = 0;
    std::map<std::string, std::uint64_t> refused;
};

Result<RecordsMeta> parse_meta(std::string_view line) {
    boost::system::error_code error;
    json::value value = line.size() > meta_bytes_max ? json::value() : json::parse(line, error);
    const auto bad = [] {
        return fail(
            ErrorCode::InvalidArgument,
            "records begin with a line of JSON: point, spool, batch and refused"
        );
    };
    if (error || !value.is_object()) {
        return bad();
    }
    const json::object& object = value.as_object();
    const json::value* const point = object.if_contains("point");
    const json::value* const spool = object.if_contains("spool");
    const json::value* const batch = object.if_contains("batch");
    const json::value* const refused = object.if_contains("refused");
    if (point == nullptr || !point->is_string() || spool == nullptr || !spool->is_string() ||
        batch == nullptr || !batch->is_int64() || refused == nullptr || !refused->is_object()) {
        return bad();
    }
    RecordsMeta meta;
    meta.point = point->as_string();
    meta.spool = spool->as_string();
    meta.batch = static_cast<std::uint64_t>(batch->as_int64());
    for (const auto& [id, count] : refused->as_object()) {
        if (!count.is_int64() || count.as_int64() < 0) {
            return bad();
        }
        meta.refused[std::string(id)] = static_cast<std::uint64_t>(count.as_int64());
    }
    return meta;
}

}  // namespace

FleetHub::FleetHub(const FleetParts& parts) : parts_(parts), times_(parts.times) {}

FleetHub::~FleetHub() {
    stop();
}

void FleetHub::start() {
    std::vector<std::shared_ptr<FleetPoint>> expected;
    {
        const MutexLock lock(mutex_);
        for (const fleet::Member& member : parts_.book.members()) {
            auto point = std::make_shared<FleetPoint>(
                member.point, "", parts_.teller, nullptr, parts_.clock
            );
            points_[member.point] = point;
            expected.push_back(std::move(point));
        }
    }
    for (const auto& point : expected) {
        parts_.controls.add_point(point);
    }
    beats_ = std::thread([this] { beat_loop(); });
}

void FleetHub::stop() {
    std::vector<std::shared_ptr<FleetPoint>> points;
    {
        const MutexLock lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
        for (const auto& [name, point] : points_) {
            points.push_back(point);
        }
    }
    if (beats_.joinable()) {
        beats_.join();
    }
    for (const auto& point : points) {
        point->lose("the control server is stopping");
    }
}

void FleetHub::use(const FleetTimes& times) {
    {
        const MutexLock lock(mutex_);
        times_ = times;
        changed_.notify_all();
    }
    parts_changed();
}

void FleetHub::parts_changed() {
    fleet::Terms terms;
    std::vector<std::shared_ptr<FleetPoint>> points;
    {
        const MutexLock lock(mutex_);
        terms = times_.terms;
        for (const auto& [name, point] : points_) {
            points.push_back(point);
        }
    }
    if (const auto told = parts_.teller->refresh(terms)) {
        for (const auto& point : points) {
            point->send_edition(*told);
        }
    }
}

std::optional<contain::IssuedToken> FleetHub::token_of(std::string_view authorization) const {
    return authorization.starts_with(scheme)
               ? parts_.book.find(authorization.substr(scheme.size()))
               : std::nullopt;
}

void FleetHub::beat_loop() {
    for (std::size_t part = 0; true; part = (part + 1) % beat_parts) {
        std::vector<std::shared_ptr<FleetPoint>> points;
        Duration lost_after{};
        std::size_t connected = 0;
        {
            const MutexLock lock(mutex_);
            if (!stopping_) {
                changed_.wait_for(mutex_, times_.terms.heartbeat / beat_parts);
            }
            if (stopping_) {
                return;
            }
            lost_after = times_.lost_after;
            std::size_t place = 0;
            for (const auto& [name, point] : points_) {
                connected += point->is_connected() ? 1 : 0;
                if (place++ % beat_parts == part && point->is_connected()) {
                    points.push_back(point);
                }
            }
        }
        parts_.metrics.gauge(fleet_gateways_connected).set(static_cast<double>(connected));
        if (!points.empty()) {
            beat(points, lost_after);
        }
    }
}

void FleetHub::beat(const std::vector<std::shared_ptr<FleetPoint>>& points, Duration lost_after) {
    const std::string text = parts_.teller->beat();
    const Instant now = parts_.clock.now();
    for (const auto& point : points) {
        const Instant heard = point->last_contact();
        if (!point->send(text)) {
            lose(point, "its stream ended; heard last at " + to_rfc3339(heard));
        } else if (now - heard > lost_after) {
            lose(
                point, "not heard of since " + to_rfc3339(heard) +
                           ", although its stream is open: frozen, or cut off"
            );
        }
    }
}

void FleetHub::lose(const std::shared_ptr<FleetPoint>& point, const std::string& why) {
    point->lose(why);
    log::warn("gateway_lost", {{"point", point->name()}, {"why", why}});
    parts_.metrics.counter(fleet_gateways_lost_total).add();
    std::vector<std::string> withdrawn;
    {
        const MutexLock lock(mutex_);
        std::erase_if(approvals_, [&](const auto& each) {
            if (each.first.first != point->name()) {
                return false;
            }
            withdrawn.push_back(each.second);
            return true;
        });
    }
    for (const std::string& id : withdrawn) {
        parts_.approvals.withdraw(id);  // It asks again when it is back and the call still waits.
    }
    parts_.controls.contact_changed();
}

void FleetHub::handle(
    std::string_view operation, std::string_view argument, net::ServerRequest request,
    const std::shared_ptr<net::Responder>& responder, const Token& token
) {
    if (operation == "fleetStream") {
        open_stream(request, responder, token);
        return;
    }
    if (operation == "fleetRecords") {
        take_records(request, responder, token);
        return;
    }
    Result<net::ServerResponse> response = respond_to(operation, argument, request, token);
    responder->respond(response ? std::move(*response) : error_response(response.error()));
}

void FleetHub::open_stream(
    const net::ServerRequest& request, const std::shared_ptr<net::Responder>& responder,
    const Token& token
) {
    const std::string name = request.query("point");
    const std::string instance = request.query("instance");
    Result<void> joined =
        instance.empty() || instance.size() > instance_bytes_max
            ? fail(ErrorCode::InvalidArgument, "'instance' is missing or too long")
            : parts_.book.join(name, token);
    std::shared_ptr<FleetPoint> before;
    {
        const MutexLock lock(mutex_);
        const auto known = points_.find(name);
        before = known == points_.end() ? nullptr : known->second;
        if (joined && before && before->is_connected() && before->instance() != instance) {
            joined = fail(
                ErrorCode::Conflict,
                "another gateway named " + name +
                    " is connected; give this one another --name, or end that one"
            );
        }
        if (joined && stopping_) {
            joined = fail(ErrorCode::Unavailable, "the control server is stopping");
        }
    }
    if (!joined) {
        log::warn("gateway_refused", {{"point", name}, {"why", joined.error().message}});
        responder->respond(error_response(joined.error()));
        return;
    }
    if (before) {
        before->lose("it has come again");
    }
    parts_.teller->raise(number_of(request.query("edition")));
    net::ServerResponse head;
    head.headers = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}};
    const auto point = std::make_shared<FleetPoint>(
        name, instance, parts_.teller, responder->respond_stream(std::move(head)), parts_.clock
    );
    {
        const MutexLock lock(mutex_);
        points_[name] = point;
    }
    if (point->greet()) {
        parts_.controls.add_point(point);
        log::info("gateway_connected", {{"point", name}, {"instance", instance}});
    } else {
        point->lose("its stream ended at once");
    }
}

Result<std::shared_ptr<FleetPoint>> FleetHub::point_of(
    const std::string& name, const Token& token
) const {
    if (!catalog::glob_matches(token.pattern, name)) {
        return fail(
            ErrorCode::Unauthorized,
            "token " + token.id + " is for gateways named " + token.pattern + ", and not for " +
                name.substr(0, 60)
        );
    }
    const MutexLock lock(mutex_);
    const auto found = points_.find(name);
    if (found == points_.end() || !found->second->is_connected()) {
        return fail(
            ErrorCode::NotFound, "gateway " + name.substr(0, 60) + " holds no stream; open one"
        );
    }
    return found->second;
}

Result<net::ServerResponse> FleetHub::respond_to(
    std::string_view operation, std::string_view argument, const net::ServerRequest& request,
    const Token& token
) {
    const std::string_view body = request.body.view();
    if (operation == "fleetSnapshot") {
        auto [signature, text] = parts_.teller->snapshot();
        net::ServerResponse response = json_response(200, std::move(text));
        response.headers.emplace_back("tagout-signature", std::move(signature));
        return response;
    }
    if (operation == "fleetPart") {
        const auto part = TAGOUT_TRY(parts_.teller->part(argument));
        return json_response(200, *part);
    }
    if (operation == "fleetReport") {
        const fleet::PointReport report = TAGOUT_TRY(fleet::parse_report(body));
        const std::shared_ptr<FleetPoint> point = TAGOUT_TRY(point_of(report.point, token));
        if (point->instance() != report.instance) {
            return fail(ErrorCode::Conflict, "another life of this gateway holds the stream");
        }
        point->heard(report);
        return json_response(200, "{}");
    }
    if (operation == "fleetProbes") {
        fleet::ProbeSaid said = TAGOUT_TRY(fleet::parse_probe_said(body));
        const std::shared_ptr<FleetPoint> point = TAGOUT_TRY(point_of(said.point, token));
        point->probed(std::move(said));
        return json_response(200, "{}");
    }
    if (operation == "fleetApproval") {
        const fleet::ApprovalAsk ask = TAGOUT_TRY(fleet::parse_approval_ask(body));
        TAGOUT_TRY(take_approval(ask, token));
        return json_response(200, "{}");
    }
    const fleet::LocalControls local = TAGOUT_TRY(fleet::parse_local_controls(body));
    return json_response(200, TAGOUT_TRY(adopt(local, token)));
}

Result<void> FleetHub::take_approval(const fleet::ApprovalAsk& ask, const Token& token) {
    const std::shared_ptr<FleetPoint> point = TAGOUT_TRY(point_of(ask.point, token));
    const std::pair key(ask.point, ask.id);
    std::string known;
    {
        const MutexLock lock(mutex_);
        const auto found = approvals_.find(key);
        known = found == approvals_.end() ? "" : found->second;
    }
    if (ask.withdrawn) {
        if (!known.empty()) {
            parts_.approvals.withdraw(known);
            const MutexLock lock(mutex_);
            approvals_.erase(key);
        }
        return {};
    }
    if (!known.empty()) {
        return {};  // Asked again after a break; it still waits.
    }
    ToolCall call;
    call.tool = ask.tool;
    call.server = ask.server;
    call.agent = ask.agent;
    call.workflow = ask.workflow;
    call.session = ask.session;
    const std::string id = TAGOUT_TRY(parts_.approvals.ask(
        call, ask.arguments, ask.control,
        [this, key, point](contain::ApprovalAnswer answer, const contain::By& by) {
            {
                const MutexLock lock(mutex_);
                approvals_.erase(key);
            }
            if (answer != contain::ApprovalAnswer::Withdrawn) {
                const fleet::ApprovalSaid said{
                    key.first, key.second, answer, by.actor, by.reason};
                point->send(
                    parts_.teller->frame(fleet::FrameKind::Answer, fleet::to_text(said))
                );
            }
        }
    ));
    const MutexLock lock(mutex_);
    approvals_[key] = id;
    return {};
}

Result<std::string> FleetHub::adopt(const fleet::LocalControls& local, const Token& token) {
    TAGOUT_TRY(point_of(local.point, token));
    std::vector<fleet::Adopted> rows;
    for (const Control& control : local.controls) {
        fleet::Adopted row;
        row.local = control.id;
        if (!control.id.text().starts_with(local.point + ":")) {
            row.error = "the id of a local control begins with its gateway's name";
        } else if (!may_be_adopted(control.mode)) {
            row.error = "a gateway's host may stop and restrict; mode " +
                        std::string(name_of(control.mode)) + " is for the control server";
        } else {
            const auto adopted = parts_.controls.adopt({control, control.id.text()});
            if (adopted) {
                row.id = adopted->control.id;
                row.revision = adopted->released_at ? parts_.controls.snapshot()->revision()
                                                    : adopted->revision;
                log::info(
                    "local_control_adopted",
                    {{"point", local.point}, {"local", control.id.text()}, {"as", row.id.text()}}
                );
            } else {
                row.error = adopted.error().message;
            }
        }
        rows.push_back(std::move(row));
    }
    return fleet::to_text(rows);
}

void FleetHub::take_records(
    const net::ServerRequest& request, const std::shared_ptr<net::Responder>& responder,
    const Token& token
) {
    const std::string_view body = request.body.view();
    const std::size_t line_end = body.find('\n');
    const Result<RecordsMeta> meta = parse_meta(body.substr(0, line_end));
    const auto refuse = [&](const Error& error) { responder->respond(error_response(error)); };
    if (!meta || line_end == std::string_view::npos) {
        refuse({ErrorCode::InvalidArgument, meta ? "records have no telemetry" : meta.error().message});
        return;
    }
    if (const auto point = point_of(meta->point, token); !point) {
        refuse(point.error());
        return;
    }
    const std::string spool = meta->point + "/" + meta->spool;
    {
        const MutexLock lock(mutex_);
        const auto known = batches_.find(spool);
        if (known != batches_.end() && meta->batch <= known->second) {
            responder->respond(json_response(200, "{}"));  // Stored; the answer got lost.
            return;
        }
        if (batches_.size() >= batches_known_max && known == batches_.end()) {
            batches_.erase(batches_.begin());
        }
    }
    const auto done = [this, responder, spool, meta = *meta](const Result<void>& stored) {
        if (!stored) {
            responder->respond(error_response(stored.error()));
            return;
        }
        {
            const MutexLock lock(mutex_);
            std::uint64_t& newest = batches_[spool];
            newest = std::max(newest, meta.batch);
        }
        for (const auto& [id, count] : meta.refused) {
            parts_.controls.count_refused(ControlId(id), count);
        }
        responder->respond(json_response(200, "{}"));
    };
    const std::string_view telemetry = body.substr(line_end + 1);
    if (telemetry.empty()) {
        done({});
        return;
    }
    Result<std::shared_ptr<EventBatch>> batch = intake::decode(
        PaddedBytes::copy_of(telemetry), Signal::Traces, intake::Encoding::Protobuf,
        intake::DecodeLimits{}
    );
    if (!batch) {
        refuse(batch.error());
        return;
    }
    parts_.intake.accept(*std::move(batch), done);
}

Result<std::string> FleetHub::answer(
    std::string_view operation, std::string_view argument, std::string_view text
) {
    if (operation == "listFleet") {
        json::array points;
        for (const contain::PointStatus& point : parts_.controls.points()) {
            points.push_back(contain::tree_of(point));
        }
        json::array tokens;
        for (const contain::IssuedToken& token : parts_.book.tokens()) {
            tokens.push_back(contain::tree_of(token));
        }
        return json::serialize(json::object{
            {"points", std::move(points)},
            {"tokens", std::move(tokens)},
            {"revision", parts_.controls.snapshot()->revision()},
            {"edition", parts_.teller->newest()->edition}});
    }
    Body body = TAGOUT_TRY(Body::parse(text.empty() ? "{}" : text));
    std::string pattern;
    if (operation == "makeFleetToken") {
        pattern = body.text("pattern", true, fleet::point_name_bytes_max);
    }
    Actor actor = read_actor(body);
    const contain::By by{std::move(actor), body.text("reason", true, reason_bytes_max)};
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    if (operation == "makeFleetToken") {
        contain::MadeToken made = TAGOUT_TRY(parts_.book.make_token(pattern, by));
        json::object row = contain::tree_of(made.facts);
        row["token"] = made.token;
        return json::serialize(row);
    }
    const std::string name(argument);
    if (operation == "revokeFleetToken") {
        const contain::IssuedToken revoked = TAGOUT_TRY(parts_.book.revoke(name, by));
        std::vector<std::shared_ptr<FleetPoint>> points;
        {
            const MutexLock lock(mutex_);
            for (const auto& [point, each] : points_) {
                if (catalog::glob_matches(revoked.pattern, point) && each->is_connected()) {
                    points.push_back(each);
                }
            }
        }
        // They come again with a token that holds, or not at all.
        for (const auto& point : points) {
            lose(point, "token " + revoked.id + " was revoked");
        }
        return json::serialize(contain::tree_of(revoked));
    }
    TAGOUT_TRY(parts_.book.retire(name, by));
    std::shared_ptr<FleetPoint> gone;
    {
        const MutexLock lock(mutex_);
        if (const auto found = points_.find(name); found != points_.end()) {
            gone = std::move(found->second);
            points_.erase(found);
        }
    }
    if (gone) {
        gone->lose("it is retired");
    }
    TAGOUT_TRY(parts_.controls.remove_point(name));
    return json::serialize(json::object{{"retired", name}});
}

}  // namespace tagout::server
