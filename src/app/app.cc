#include "app/app.h"

#include "app/allocator.h"
#include "app/backtester.h"
#include "app/bypass.h"
#include "app/containment.h"
#include "app/crossings.h"
#include "app/directory.h"
#include "app/evidence_source.h"
#include "app/fleet.h"
#include "app/gate_rooms.h"
#include "app/metrics.h"
#include "app/pipeline.h"
#include "app/policy_answer.h"
#include "app/policy_files.h"
#include "app/prevention.h"
#include "app/profile_keeper.h"
#include "app/recovery.h"
#include "app/response.h"
#include "app/runbook.h"
#include "app/view.h"
#include "base/log.h"
#include "base/mutex.h"
#include "contain/control_json.h"
#include "contain/policy.h"
#include "incident/incident_json.h"
#include "net/grpc_server.h"
#include "net/http_server.h"
#include "notify/notifier.h"
#include "server/admin_token.h"
#include "server/api.h"
#include "server/otlp_endpoint.h"
#include "server/stream_hub.h"
#include "store/segment/segment_log.h"
#include "store/sqlite/journal_store.h"

#include <boost/json.hpp>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <set>

namespace tagout::app {

namespace {

constexpr int keep_alive_ticks = 15;

net::ServerOptions door(
    const server::Settings& settings, const std::string& address, std::uint16_t port
) {
    net::ServerOptions options;
    options.address = address;
    options.port = port;
    options.threads = settings.threads;
    options.header_bytes_max = settings.header_bytes_max;
    options.body_bytes_max = settings.body_bytes_max;
    options.connections_max = settings.connections_max;
    options.body_bytes_in_flight_max = settings.bytes_in_flight_max;
    return options;
}

std::unexpected<Error> with_flag(Error error, std::string_view flag) {
    error.message += " (" + std::string(flag) + " sets another)";
    return std::unexpected(std::move(error));
}

std::vector<std::string> hosts_of(const server::Settings& settings, const std::string& address) {
    std::vector<std::string> hosts{address};
    std::string_view list = settings.hosts;
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        hosts.emplace_back(list.substr(0, comma));
        list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    }
    return hosts;
}

class LiveApp final : public App {
public:
    LiveApp(const ServeOptions& options, const Clock& clock) : options_(options), clock_(clock) {}

    ~LiveApp() override {
        ready_.store(false);
        http_.reset();
        otlp_http_.reset();
        otlp_grpc_.reset();
        hub_.close_all();
        if (api_) {
            api_->stop();
        }
        if (response_) {
            response_->stop();
        }
        if (fleet_) {
            fleet_->hub().stop();
        }
        if (containment_) {
            containment_->agent_tokens().on_change(nullptr);
            containment_->stop();
        }
        if (pipeline_) {
            pipeline_->stop();
        }
        if (profiles_) {
            profiles_->save();
        }
        if (runbook_) {
            runbook_->stop();
        }
        notifier_.reset();
    }

    Result<void> run() {
        TAGOUT_TRY(configure());
        TAGOUT_TRY(open_stores());
        TAGOUT_TRY(fold());
        TAGOUT_TRY(open_doors());
        ready_.store(true);
        return {};
    }

    [[nodiscard]] const Addresses& addresses() const override { return addresses_; }
    [[nodiscard]] const std::string& new_token() const override { return new_token_; }

    void tick() override {
        if (const Result<void> aged = desk_->tick(); !aged) {
            log::warn("desk_tick_failed", {{"error", aged.error().message}});
        }
        prevention_->tick();
        containment_->tick();
        recovery_->tick();
        profiles_->tick();
        view_->sample_rate();
        std::set<std::string> changed;
        {
            const MutexLock lock(changed_mutex_);
            changed.swap(changed_);
        }
        for (const std::string& id : changed) {
            const Result<incident::Incident> now = desk_->get(IncidentId(id));
            if (now) {
                hub_.publish("incident", incident::to_json(*now, incident::Detail::Summary));
            }
        }
        hub_.publish("now", view_->now());
        if (++ticks_ % keep_alive_ticks == 0) {
            hub_.keep_alive();
        }
    }

private:
    Result<void> configure() {
        auto configured = std::make_shared<Configured>();
        if (!options_.config.empty()) {
            *configured = TAGOUT_TRY(load_with_secrets());
        }
        const MutexLock lock(configured_mutex_);
        configured_ = std::move(configured);
        return {};
    }

    Result<Configured> load_with_secrets() const {
        Configured configured = TAGOUT_TRY(load_config(options_.config));
        catalog::Contents contents = configured.catalog->contents();
        TAGOUT_TRY(catalog::fill_channel_urls(contents, [](const char* name) {
            return std::getenv(name);
        }));
        const std::string unprovable = gateway::unprovable(
            contents.identity, TAGOUT_TRY(gateway::read_tls_options(options_.gateway_tls))
        );
        if (!unprovable.empty()) {
            return fail(ErrorCode::InvalidArgument, unprovable);
        }
        configured.catalog = std::make_shared<const catalog::Catalog>(std::move(contents));
        return configured;
    }

    [[nodiscard]] std::shared_ptr<const Configured> configured() const {
        const MutexLock lock(configured_mutex_);
        return configured_;
    }

    Result<void> open_stores() {
        std::error_code error;
        std::filesystem::create_directories(options_.data_dir, error);
        if (error) {
            return fail(
                ErrorCode::Unavailable,
                options_.data_dir + ": " + error.message() + " (--data-dir names another folder)"
            );
        }
        std::filesystem::permissions(options_.data_dir, std::filesystem::perms::owner_all, error);
        store::SqliteJournalOptions journal;
        journal.path = options_.data_dir + "/journal.db";
        std::unique_ptr<store::SqliteJournalStore> rows =
            TAGOUT_TRY(store::SqliteJournalStore::open(journal));
        journal_ = TAGOUT_TRY(journal::Journal::open(std::move(rows), clock_));
        store::SegmentLogOptions evidence = configured()->evidence;
        evidence.directory = options_.data_dir + "/evidence";
        evidence_ = TAGOUT_TRY(store::SegmentLog::open(evidence, clock_, &metrics_));
        const server::AdminToken token =
            TAGOUT_TRY(server::load_or_make_admin_token(options_.data_dir + "/admin.token"));
        token_ = std::make_unique<server::TokenVerifier>(token.token);
        new_token_ = token.is_new ? token.token : "";
        return {};
    }

    /// Rebuilds what the stores say: incidents, notices, live sessions.
    Result<void> fold() {
        const std::shared_ptr<const Configured> config = configured();
        desk_ = incident::Desk::make(*journal_, clock_, config->catalog, config->incidents);
        notifier_ = std::make_unique<notify::Notifier>(
            *journal_,
            clock_,
            config->catalog,
            config->notices,
            static_cast<std::uint64_t>(unix_nanos(clock_.now())),
            metrics_
        );
        runbook_ = std::make_unique<Runbook>(RunbookParts{
            clock_,
            *desk_,
            *evidence_,
            directory_,
            bypass_,
            metrics_,
            config->pipeline.findings_max,
            [this](std::span<const detect::SessionSummary> sessions) {
                recovery_->sessions_ended(sessions);
            }});
        TAGOUT_TRY(desk_->rebuild());
        TAGOUT_TRY(fold_steps());
        TAGOUT_TRY(notifier_->rebuild());
        desk_->on_change([this](const incident::Change& change) {
            notifier_->on_change(change);
            runbook_->keep_evidence(change);
            recovery_->incident_changed(change.incident);
            if (profiles_) {
                profiles_->incident_changed();
            }
            response_->look_at(change.incident.id);
            const MutexLock lock(changed_mutex_);
            changed_.insert(change.incident.id.text());
        });
        // A crash may have come between a review date and what people were to be told of it.
        for (const contain::ControlView& each : containment_->controls().list(true)) {
            notifier_->on_control(each, owner_of(each.control));
        }
        containment_->controls().on_change([this](const contain::ControlChange& change) {
            response_->look_at(change.view.control.incident);
            notifier_->on_control(change.view, owner_of(change.view.control));
            hub_.publish("control", boost::json::serialize(contain::tree_of(change.view)));
        });
        containment_->controls().on_point([this](const contain::PointChange& change) {
            notifier_->on_point(change.point, change.sentence, change.failing, change.at);
            hub_.publish("point", boost::json::serialize(contain::tree_of(change)));
        });
        containment_->pins().on_changed([this](const contain::PinnedTool& tool) {
            runbook_->take({{finding_of(tool)}, {}}, clock_.now());
        });
        recovery_->journeys().on_run([this](const recover::JourneyRun&) {
            response_->look_at_all();
        });
        notifier_->on_outcome([this](const notify::NoticeView& notice) { tell_timeline(notice); });
        pipeline_ = std::make_unique<Pipeline>(
            PipelineParts{clock_, *evidence_, *runbook_, metrics_},
            config->pipeline,
            config->detection,
            config->catalog
        );
        profiles_ = std::make_unique<ProfileKeeper>(
            ProfileKeeperParts{clock_, recovery_->releases(), *desk_, *pipeline_, metrics_},
            config->releases.profiles_every
        );
        profiles_->restore();
        runbook_->start();
        const std::uint64_t fed = TAGOUT_TRY(pipeline_->catch_up());
        runbook_->drain();
        if (fed > 0) {
            log::info("caught_up", {{"items", fed}});
        }
        pipeline_->start();
        notifier_->start();
        return {};
    }

    /// Steps two, three and five of the runbook, each from the journal; what crosses between them
    /// is handed in here.
    Result<void> fold_steps() {
        const CatalogNow catalog = [this] { return configured()->catalog; };
        containment_ = std::make_unique<Containment>(ContainmentParts{
            *journal_,
            clock_,
            metrics_,
            catalog,
            [this](std::string_view family, std::string_view name, std::string_view label)
                -> Result<gateway::FetchedVersion> {
                recover::Fetched fetched = TAGOUT_TRY(recovery_->fetch(family, name, label));
                return gateway::FetchedVersion{std::move(fetched.body), std::move(fetched.etag)};
            },
            configured()->containment,
            options_.data_dir,
            [this](const gateway::AskedCall& call) {
                bypass_.decided(call.tool, call.session, call.traceparent, clock_.now());
            }});
        TAGOUT_TRY(containment_->rebuild());
        recovery_ = std::make_unique<Recovery>(RecoveryParts{
            *journal_,
            clock_,
            *desk_,
            metrics_,
            [this] { return this->configured(); },
            [this] { return containment_->address(); },
            containment_->journey_secret(),
            [this](std::string_view name, std::string_view yaml) -> Result<void> {
                return may_publish_policy(name, yaml, *configured()->catalog);
            },
            [this] { use_policies(); },
            [this](const std::string& name) {
                if (profiles_) {
                    profiles_->production_moved(name);
                }
            },
            [this] {
                if (fleet_) {
                    fleet_->hub().parts_changed();
                }
            },
            gateway::own_client_tls(TAGOUT_TRY(gateway::read_tls_options(options_.gateway_tls)))});
        TAGOUT_TRY(recovery_->rebuild());
        use_policies();
        contain::Controls& controls = containment_->controls();
        controls.check_release_with(release_check(catalog, recovery_->journeys()));
        GateSources gate{
            .clock = clock_,
            .desk = *desk_,
            .directory = directory_,
            .configured = [this] { return this->configured(); },
            .compile = compile_policies()};
        ask_rooms(gate, controls, recovery_->releases(), recovery_->journeys());
        prevention_ = std::make_unique<Prevention>(PreventionParts{
            *journal_,
            clock_,
            *desk_,
            *evidence_,
            std::move(gate),
            [this](const incident::Incident& incident) {
                return released_at(recovery_->releases(), incident);
            }});
        TAGOUT_TRY(prevention_->rebuild());
        response_ = std::make_unique<Response>(ResponseParts{
            *desk_, controls, recovery_->journeys(), *journal_, catalog});
        return {};
    }

    /// What production's policy labels point at is what every point enforces.
    void use_policies() {
        std::vector<contain::Policy> policies = policies_in_force(recovery_->releases());
        const std::size_t count = policies.size();
        const Result<void> used = containment_->controls().use_policies(std::move(policies));
        if (!used) {
            log::error("policies_not_in_force", {{"error", used.error().message}});
            return;
        }
        metrics_.gauge(policy_count).set(static_cast<double>(count));
        if (count == 0) {
            log::warn(
                "gateway_without_policy",
                {{"meaning", "every call passes that no control stops"},
                 {"remedy",
                  "tagout catalog publish policy NAME --file FILE --message WHY --label "
                  "production"}}
            );
        }
    }

    /// Gateways of the fleet may come once the API is open.
    Result<void> make_fleet() {
        fleet_ = TAGOUT_TRY(FleetControl::make(FleetControlParts{
            *journal_,
            clock_,
            metrics_,
            containment_->controls(),
            containment_->approvals(),
            *pipeline_,
            [this] { return configured()->catalog; },
            recovery_->releases(),
            containment_->agent_tokens(),
            options_.data_dir,
            configured()->containment}));
        fleet_->hub().start();
        return {};
    }

    /// Calls may pass once this returns, and not before: the gateway enforces what is in force.
    Result<void> open_gateway() {
        const std::shared_ptr<const Configured> config = configured();
        gateway::GatewayOptions options;
        options.address = options_.address;
        options.port = options_.gateway_port;
        options.tls = TAGOUT_TRY(gateway::read_tls_options(options_.gateway_tls));
        options.authz_port = options_.ext_authz_port;
        options.threads = config->server.threads;
        Result<void> opened = containment_->open(std::move(options), *pipeline_);
        if (!opened) {
            return with_flag(std::move(opened.error()), "--gateway-port");
        }
        addresses_.gateway = containment_->address();
        return response_->start();
    }

    /// Whoever owns the incident that it belongs to, else what it closes.
    [[nodiscard]] incident::Owner owner_of(const Control& control) const {
        if (!control.incident.empty()) {
            if (const Result<incident::Incident> incident = desk_->get(control.incident)) {
                return incident->owner;
            }
        }
        const auto named = [&](ScopeKind kind) {
            return control.scope.kind == kind ? std::string_view(control.scope.name)
                                              : std::string_view();
        };
        const std::shared_ptr<const Configured> config = configured();
        const catalog::OwnerRule* const rule = config->catalog->owner_of(
            named(ScopeKind::Tool), named(ScopeKind::Agent), named(ScopeKind::Workflow), ""
        );
        return rule == nullptr
                   ? incident::Owner{}
                   : incident::Owner{rule->team, rule->contact, rule->channel, rule->match};
    }

    void tell_timeline(const notify::NoticeView& notice) {
        if (notice.incident.empty() || notice.incident.starts_with("point:") ||
            notice.incident.starts_with("control:") ||
            notice.state == notify::NoticeState::Pending) {
            return;
        }
        const bool delivered = notice.state == notify::NoticeState::Delivered;
        const std::string text = std::string(delivered ? "Told " : "Could not tell ") +
                                 notice.channel + " (" + notice.type + "): " + notice.event +
                                 (delivered ? "" : ": " + notice.last_error);
        const Result<incident::Incident> recorded = desk_->record(
            IncidentId(notice.incident),
            delivered ? "notice.told" : "notice.lost",
            text,
            incident::By{Actor("tagout"), ""}
        );
        if (!recorded) {
            log::warn(
                "timeline_refused",
                {{"incident", notice.incident}, {"error", recorded.error().message}}
            );
        }
    }

    Result<void> open_doors() {
        const std::shared_ptr<const Configured> config = configured();
        view_ = std::make_unique<LiveView>(ViewParts{
            clock_,
            metrics_,
            *desk_,
            *journal_,
            *evidence_,
            directory_,
            bypass_,
            *pipeline_,
            *notifier_,
            [this] { return configured(); },
            [this](const Actor& by) { return reload(by); },
            [this] { return std::string(ready_.load() ? "" : "starting or stopping"); }});
        verify::PackSources sources = evidence_sources(EvidenceSourceParts{
            clock_,
            *desk_,
            *journal_,
            *evidence_,
            [this] { return configured()->catalog; },
            options_.data_dir});
        sources.decide_today = decide_today(containment_->controls(), sources.catalog);
        sources.documents = [this](const incident::Incident& incident) {
            return pack_documents(
                incident,
                containment_->controls(),
                recovery_->releases(),
                prevention_->reviews(),
                clock_.now()
            );
        };
        verifier_ = std::make_unique<verify::Verifier>(std::move(sources));
        backtester_ = std::make_unique<LiveBacktester>(BacktesterParts{
            clock_, *desk_, *evidence_, [this] { return configured()->catalog; }});
        TAGOUT_TRY(make_fleet());
        api_ = std::make_unique<server::Api>(server::ApiParts{
            *desk_,
            *view_,
            *verifier_,
            hub_,
            *token_,
            metrics_,
            hosts_of(config->server, options_.address),
            prevention_->desks(),
            {&containment_->controls(),
             &containment_->approvals(),
             [this] { return configured()->catalog; },
             &clock_,
             backtester_.get(),
             &containment_->pins(),
             [this](const PinnedVersion& asked) -> Result<void> {
                 TAGOUT_TRY(recovery_->fetch(asked.family, asked.name, asked.version));
                 return {};
             }},
            server::ReleaseDesks{
                &recovery_->releases(),
                &recovery_->journeys(),
                &clock_,
                [this](std::size_t limit) { return profiles_->list(limit); }},
            pipeline_.get(),
            &clock_,
            &fleet_->hub(),
            server::AgentsDesk{&containment_->agent_tokens(), &containment_->refusals()}});
        for (const MetricInfo& info : metric_list) {
            touch(info);
        }
        const intake::DecodeLimits limits{
            .attributes_max = config->server.attributes_max,
            .value_bytes_max = config->server.value_bytes_max,
            .depth_max = config->server.depth_max,
        };
        const server::OtlpOptions otlp{limits, config->server.body_bytes_max};

        net::ServerOptions otlp_door =
            door(config->server, options_.address, options_.otlp_http_port);
        otlp_door.refuse = server::otlp_http_refuse(metrics_);
        Result<std::unique_ptr<net::HttpServer>> otlp_http = net::HttpServer::start(
            otlp_door, server::otlp_http_handler(*pipeline_, otlp, metrics_)
        );
        if (!otlp_http) {
            return with_flag(std::move(otlp_http.error()), "--otlp-http-port");
        }
        otlp_http_ = std::move(*otlp_http);
        Result<std::unique_ptr<net::GrpcServer>> otlp_grpc = net::GrpcServer::start(
            door(config->server, options_.address, options_.otlp_grpc_port),
            server::otlp_grpc_handler(*pipeline_, otlp, metrics_)
        );
        if (!otlp_grpc) {
            return with_flag(std::move(otlp_grpc.error()), "--otlp-grpc-port");
        }
        otlp_grpc_ = std::move(*otlp_grpc);
        TAGOUT_TRY(open_gateway());
        net::ServerOptions api = door(config->server, options_.address, options_.http_port);
        api.threads = 1;
        api.body_bytes_max = server::Api::body_bytes_max;
        api.refuse = [](const net::ServerRequest&, int status, std::string message) {
            return server::api_refusal(status, std::move(message));
        };
        Result<std::unique_ptr<net::HttpServer>> http = net::HttpServer::start(
            api,
            [this](net::ServerRequest request, std::shared_ptr<net::Responder> responder) {
                api_->handle(std::move(request), std::move(responder));
            }
        );
        if (!http) {
            return with_flag(std::move(http.error()), "--http-port");
        }
        http_ = std::move(*http);
        addresses_.http = "http://" + options_.address + ":" + std::to_string(http_->port());
        addresses_.otlp_http =
            "http://" + options_.address + ":" + std::to_string(otlp_http_->port());
        addresses_.otlp_grpc = options_.address + ":" + std::to_string(otlp_grpc_->port());
        return {};
    }

    /// Counters that nothing has touched yet stand at zero, so that rates have a beginning.
    void touch(const MetricInfo& info) {
        if (!info.labels.empty()) {
            return;
        }
        switch (info.type) {
            case MetricType::Counter:
                metrics_.counter(info);
                return;
            case MetricType::Gauge:
                metrics_.gauge(info);
                return;
            case MetricType::Histogram:
                metrics_.histogram(info);
                return;
        }
    }

    Result<std::uint64_t> reload(const Actor& by) {
        if (options_.config.empty()) {
            return fail(
                ErrorCode::InvalidArgument,
                "the server was started without --config; there is nothing to read"
            );
        }
        Configured read = TAGOUT_TRY(load_with_secrets());
        std::shared_ptr<const Configured> next;
        {
            const MutexLock lock(configured_mutex_);
            read.revision = configured_->revision + 1;
            configured_ = std::make_shared<const Configured>(std::move(read));
            next = configured_;
        }
        journal::EntryDraft draft{
            "config.reloaded",
            "config",
            by,
            "reload",
            clock_.now(),
            "{\"revision\":" + std::to_string(next->revision) + "}"};
        TAGOUT_TRY(journal_->append(std::span(&draft, 1)));
        desk_->use(next->catalog, next->incidents);
        containment_->use(next->containment);
        fleet_->hub().use(fleet_times(next->containment));
        notifier_->use(next->catalog);
        recovery_->use(*next);
        response_->look_at_all();
        pipeline_->use(next->detection, next->catalog);
        profiles_->use(next->releases.profiles_every);
        return next->revision;
    }

    const ServeOptions options_;
    const Clock& clock_;
    MetricRegistry metrics_;
    Addresses addresses_;
    std::string new_token_;
    std::atomic<bool> ready_{false};
    int ticks_ = 0;

    mutable Mutex configured_mutex_;
    std::shared_ptr<const Configured> configured_ TAGOUT_GUARDED_BY(configured_mutex_);
    Mutex changed_mutex_;
    std::set<std::string> changed_ TAGOUT_GUARDED_BY(changed_mutex_);

    std::unique_ptr<journal::Journal> journal_;
    std::unique_ptr<journal::EvidenceLog> evidence_;
    std::unique_ptr<server::TokenVerifier> token_;
    Directory directory_;
    Bypass bypass_{metrics_};
    server::StreamHub hub_{metrics_};
    std::unique_ptr<incident::Desk> desk_;
    std::unique_ptr<Containment> containment_;
    std::unique_ptr<Recovery> recovery_;
    std::unique_ptr<Prevention> prevention_;
    std::unique_ptr<Response> response_;
    std::unique_ptr<notify::Notifier> notifier_;
    std::unique_ptr<Runbook> runbook_;
    std::unique_ptr<Pipeline> pipeline_;
    std::unique_ptr<ProfileKeeper> profiles_;
    std::unique_ptr<LiveView> view_;
    std::unique_ptr<LiveBacktester> backtester_;
    std::unique_ptr<verify::Verifier> verifier_;
    std::unique_ptr<FleetControl> fleet_;
    std::unique_ptr<server::Api> api_;
    std::unique_ptr<net::HttpServer> otlp_http_;
    std::unique_ptr<net::GrpcServer> otlp_grpc_;
    std::unique_ptr<net::HttpServer> http_;
};

}  // namespace

Result<std::unique_ptr<App>> App::start(const ServeOptions& options, const Clock& clock) {
    keep_memory_through_bursts();
    auto app = std::make_unique<LiveApp>(options, clock);
    TAGOUT_TRY(app->run());
    return std::unique_ptr<App>(std::move(app));
}

}  // namespace tagout::app
