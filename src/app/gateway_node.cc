#include "app/gateway_node.h"

#include "app/config_file.h"
#include "app/gateway_admin.h"
#include "app/gateway_calls.h"
#include "app/spending.h"
#include "base/log.h"
#include "cli/line_source.h"
#include "contain/controls.h"
#include "gateway/fleet/files.h"
#include "gateway/fleet/fleet_link.h"
#include "net/http_server.h"
#include "server/admin_token.h"
#include "store/sqlite/journal_store.h"

#include <boost/json.hpp>
#include <sodium.h>
#include <sys/utsname.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <utility>

namespace tagout::app {

namespace {

constexpr std::size_t token_bytes_max = 512;
constexpr Duration in_force_patience = std::chrono::seconds(10);

std::string host_name() {
    utsname facts{};
    return uname(&facts) == 0 ? facts.nodename : "";
}

std::string fresh_hex(std::size_t bytes_count) {
    std::string bytes(bytes_count, '\0');
    randombytes_buf(bytes.data(), bytes.size());
    std::string hex(2 * bytes.size() + 1, '\0');
    sodium_bin2hex(
        hex.data(), hex.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()
    );
    hex.pop_back();
    return hex;
}

std::string trimmed(std::string text) {
    text.erase(text.find_last_not_of(" \t\r\n") + 1);
    return text;
}

Result<std::string> gateway_token(const NodeOptions& options) {
    std::string token;
    if (!options.token_file.empty()) {
        token = trimmed(TAGOUT_TRY(cli::read_whole(options.token_file, token_bytes_max)));
    } else if (const char* const given = std::getenv("TAGOUT_GATEWAY_TOKEN")) {
        token = trimmed(given);
    }
    if (token.empty()) {
        return fail(
            ErrorCode::Unauthorized,
            "a gateway comes to its control server with a token: make one there with tagout fleet "
            "token NAME --reason R, and give it in TAGOUT_GATEWAY_TOKEN or --token-file"
        );
    }
    return token;
}

Result<std::optional<verify::PublicKey>> control_key(const std::string& given) {
    if (given.empty()) {
        return std::nullopt;
    }
    if (const auto key = verify::parse_public_key(given)) {
        return *key;
    }
    const std::string text = TAGOUT_TRY(cli::read_whole(given, token_bytes_max));
    return TAGOUT_TRY(verify::parse_public_key(text));
}

/// The book of what was applied at this host, as an enforcement point of it.
class LocalPoint final : public contain::EnforcementPoint {
public:
    LocalPoint(
        std::string name, gateway::FleetEnforcer& enforcer, gateway::Gateway& gateway
    )
        : name_(std::move(name)), enforcer_(enforcer), gateway_(gateway) {}

    [[nodiscard]] std::string name() const override { return name_; }
    void enforce(
        std::shared_ptr<const contain::ControlSnapshot>,
        std::function<void(Result<std::uint64_t>)> done
    ) override {
        done(fail(ErrorCode::Unavailable, "what is applied here goes beside what the server told"));
    }
    void put_in_force(
        const contain::Published& published, std::function<void(Result<std::uint64_t>)> done
    ) override {
        enforcer_.use_local(
            *published.controls,
            [done = std::move(done), revision = published.snapshot->revision()](
                const Result<std::uint64_t>& enforced
            ) {
                done(enforced ? Result<std::uint64_t>(revision)
                              : std::unexpected(enforced.error()));
            }
        );
    }
    [[nodiscard]] std::vector<contain::ProbeResult> probe(const Control& control) override {
        return gateway_.probe(control);
    }
    [[nodiscard]] contain::PointContact contact() const override { return gateway_.contact(); }

private:
    const std::string name_;
    gateway::FleetEnforcer& enforcer_;
    gateway::Gateway& gateway_;
};

class LiveNode final : public GatewayNode {
public:
    LiveNode(const NodeOptions& options, const Clock& clock) : options_(options), clock_(clock) {}

    ~LiveNode() override {
        admin_.reset();
        if (link_) {
            link_->stop();
        }
        if (gateway_) {
            gateway_->stop();
        }
        calls_.reset();
        if (refusals_) {
            refusals_->tick();  // What came in the last second.
            circuits_->tick();
        }
        if (spending_) {
            spending_->save();
        }
        if (book_) {
            book_->stop();
        }
        link_.reset();
    }

    Result<void> run() {
        if (sodium_init() < 0) {
            return fail(ErrorCode::Unavailable, "libsodium found no source of randomness");
        }
        name_ = options_.name.empty() ? host_name() : options_.name;
        if (!contain::fleet::is_point_name(name_)) {
            return fail(
                ErrorCode::InvalidArgument,
                "'" + name_ +
                    "' is no name for a gateway; --name sets one of letters, digits, dots, dashes "
                    "and underscores"
            );
        }
        TAGOUT_TRY(gateway::make_folder(options_.data_dir));
        lock_.emplace(TAGOUT_TRY(gateway::FolderLock::take(options_.data_dir)));
        TAGOUT_TRY(open_folder());
        TAGOUT_TRY(open_gateway());
        TAGOUT_TRY(open_local_book());
        TAGOUT_TRY(open_link());
        return open_admin();
    }

    [[nodiscard]] const std::string& name() const override { return name_; }
    [[nodiscard]] std::string gateway_address() const override {
        return (options_.tls.certificate.empty() ? "http://" : "https://") + options_.address +
               ":" + std::to_string(gateway_->port());
    }
    [[nodiscard]] std::string admin_address() const override {
        return "http://" + options_.admin_address + ":" + std::to_string(admin_->port());
    }
    [[nodiscard]] bool is_ready() const override { return enforcer_->is_ready(); }

    void tick() override {
        book_->tick();
        refusals_->tick();
        circuits_->tick();
        gateway_->tick();
        spending_->save();
    }

private:
    Result<void> open_folder() {
        store::SqliteJournalOptions rows;
        rows.path = options_.data_dir + "/local.db";
        std::unique_ptr<store::SqliteJournalStore> local =
            TAGOUT_TRY(store::SqliteJournalStore::open(rows));
        journal_ = TAGOUT_TRY(journal::Journal::open(std::move(local), clock_));
        circuits_ = contain::Circuits::make(*journal_, clock_, metrics_);
        refusals_ = contain::Refusals::make(*journal_, clock_, metrics_);
        spending_.emplace(options_.data_dir);
        TAGOUT_TRY(refusals_->rebuild());
        spool_ = TAGOUT_TRY(gateway::RecordSpool::open(options_.data_dir + "/spool"));
        const server::AdminToken token =
            TAGOUT_TRY(server::load_or_make_admin_token(options_.data_dir + "/admin.token"));
        admin_token_ = std::make_unique<server::TokenVerifier>(token.token);
        return {};
    }

    Result<void> open_gateway() {
        instance_ = fresh_hex(8);
        if (!options_.config.empty()) {
            const Configured configured = TAGOUT_TRY(load_config(options_.config));
            catalog_.store(configured.catalog);
        }
        approvals_ = std::make_unique<gateway::RemoteApprovals>(clock_, name_, instance_);
        std::uint64_t seed = 0;
        randombytes_buf(&seed, sizeof seed);
        calls_ = std::make_unique<GatewayCalls>(
            [this](CallRecords records) { keep(std::move(records)); },
            gateway::RecordSpool::batch_bytes_max / 2, metrics_, seed
        );
        gateway::GatewayOptions options;
        options.address = options_.address;
        options.port = options_.gateway_port;
        options.tls = TAGOUT_TRY(gateway::read_tls_options(options_.tls));
        options.authz_port = options_.ext_authz_port;
        options.threads = options_.threads;
        gateway_ = TAGOUT_TRY(gateway::Gateway::start(
            options,
            gateway::GatewayParts{
                clock_,
                metrics_,
                [this] { return catalog_.load(); },
                *approvals_,
                [this](gateway::SeenCall call) { calls_->add(std::move(call)); },
                [this](std::string_view family, std::string_view name, std::string_view label) {
                    return version(family, name, label);
                },
                nullptr,
                [this] { return agents_.load(); },
                refusals_.get(),
                spending_->memory(),
                circuits_.get()}
        ));
        enforcer_ = std::make_unique<gateway::FleetEnforcer>(*gateway_);
        return {};
    }

    /// What was applied at this host is in force before anything passes.
    Result<void> open_local_book() {
        book_ = contain::Controls::make(
            *journal_, clock_, contain::Settings{}, metrics_, name_ + ":CTL-"
        );
        TAGOUT_TRY(book_->rebuild());
        book_->on_change([this](const contain::ControlChange& change) {
            const bool here = change.what == contain::ControlChange::What::Applied;
            if (gateway::FleetLink* const link = told_.load(); link != nullptr && here) {
                link->local_changed();
            }
        });
        book_->add_point(std::make_shared<LocalPoint>(name_, *enforcer_, *gateway_));
        if (!book_->wait_in_force(in_force_patience)) {
            return fail(
                ErrorCode::Unavailable, "what was applied at this host cannot be put in force"
            );
        }
        return {};
    }

    Result<void> open_link() {
        gateway::LinkOptions options;
        options.control = options_.control;
        while (options.control.ends_with('/')) {
            options.control.pop_back();
        }
        TAGOUT_TRY(net::parse_url(options.control));
        options.token = TAGOUT_TRY(gateway_token(options_));
        options.name = name_;
        options.instance = instance_;
        options.version = TAGOUT_VERSION;
        options.address = gateway_address();
        options.folder = options_.data_dir;
        options.key = TAGOUT_TRY(control_key(options_.control_key));
        link_ = TAGOUT_TRY(gateway::FleetLink::open(
            options,
            gateway::LinkParts{
                *gateway_,
                *enforcer_,
                *approvals_,
                *spool_,
                clock_,
                metrics_,
                [this](const gateway::HeldParts& parts) {
                    versions_.store(parts.versions);
                    agents_.store(parts.agents);
                    if (options_.config.empty()) {
                        catalog_.store(parts.catalog);
                        say_if_unprovable();
                    }
                },
                [this] { return local_controls(); },
                [this](const contain::fleet::Adopted& adopted) { hand_over(adopted); }}
        ));
        link_->start();
        told_.store(link_.get());
        return {};
    }

    Result<void> open_admin() {
        net::ServerOptions door;
        door.address = options_.admin_address;
        door.port = options_.admin_port;
        door.threads = 2;  // One may wait for a stop to be proved.
        door.body_bytes_max = 64 * 1024;
        door.port_setting = "--admin-port";
        admin_ = TAGOUT_TRY(net::HttpServer::start(
            door, admin_handler(AdminParts{
                      name_, *book_, *link_, *gateway_, *enforcer_, *admin_token_, metrics_,
                      {options_.admin_address}})
        ));
        return {};
    }

    /// Nobody can come then: said where somebody looks for why.
    void say_if_unprovable() const {
        const std::string why =
            gateway::unprovable(catalog_.load()->contents().identity, tls_options());
        if (!why.empty()) {
            log::error("gateway_knows_no_agent", {{"why", why}});
        }
    }

    [[nodiscard]] std::optional<net::TlsFiles> tls_options() const {
        return gateway::read_tls_options(options_.tls).value_or(std::nullopt);
    }

    void keep(CallRecords records) {
        boost::json::object refused;
        for (const auto& [by, count] : records.refused) {
            if (by.starts_with(name_ + ":")) {
                book_->count_refused(ControlId(by), count);
            } else {
                refused[by] = count;
            }
        }
        if (records.telemetry.empty() && refused.empty()) {
            return;
        }
        const std::string text =
            R"("refused":)" + boost::json::serialize(refused) + "}\n" + records.telemetry;
        gateway::FleetLink* const link = told_.load();
        if (spool_->put(text, records.calls) && link != nullptr) {
            link->records_waiting();
        }
    }

    Result<gateway::FetchedVersion> version(
        std::string_view family, std::string_view name, std::string_view label
    ) const {
        const std::shared_ptr<const gateway::VersionShelf> shelf = versions_.load();
        const auto found = shelf == nullptr
                               ? gateway::VersionShelf::const_iterator{}
                               : shelf->find({std::string(family), std::string(name),
                                              std::string(label)});
        if (shelf == nullptr || found == shelf->end()) {
            return fail(
                ErrorCode::NotFound,
                "no version of " + std::string(name.substr(0, 60)) + " is labelled " +
                    std::string(label.substr(0, 60)) + " at this gateway's control server"
            );
        }
        return gateway::FetchedVersion{found->second.body, found->second.etag};
    }

    [[nodiscard]] std::vector<Control> local_controls() const {
        std::vector<Control> controls;
        for (const contain::ControlView& view : book_->list(false)) {
            controls.push_back(view.control);
        }
        return controls;
    }

    void hand_over(const contain::fleet::Adopted& adopted) {
        const Result<contain::ControlView> done = book_->hand_over(
            adopted.local,
            {Actor("tagout"), "in force as " + adopted.id.text() + " at the control server"}
        );
        log::write(
            done ? log::Level::Info : log::Level::Warn, "local_control_handed_over",
            {{"control", adopted.local.text()},
             {"as", adopted.id.text()},
             {"error", done ? std::string() : done.error().message}}
        );
    }

    const NodeOptions options_;
    const Clock& clock_;
    MetricRegistry metrics_;
    std::string name_;
    std::string instance_;
    std::optional<gateway::FolderLock> lock_;
    std::atomic<std::shared_ptr<const catalog::Catalog>> catalog_ =
        std::make_shared<const catalog::Catalog>();
    std::atomic<std::shared_ptr<const gateway::VersionShelf>> versions_;
    std::atomic<std::shared_ptr<const contain::AgentCredentials>> agents_ =
        std::make_shared<const contain::AgentCredentials>();
    std::unique_ptr<journal::Journal> journal_;
    std::unique_ptr<contain::Circuits> circuits_;  ///< In this host's own journal, too.
    std::unique_ptr<contain::Refusals> refusals_;  ///< At this host: its own journal and metrics.
    std::unique_ptr<server::TokenVerifier> admin_token_;
    std::unique_ptr<gateway::RecordSpool> spool_;
    std::unique_ptr<gateway::RemoteApprovals> approvals_;
    std::optional<Spending> spending_;
    std::unique_ptr<GatewayCalls> calls_;
    std::shared_ptr<gateway::Gateway> gateway_;
    std::unique_ptr<gateway::FleetEnforcer> enforcer_;
    std::unique_ptr<contain::Controls> book_;
    std::unique_ptr<gateway::FleetLink> link_;
    std::atomic<gateway::FleetLink*> told_ = nullptr;  ///< The same, for other threads.
    std::unique_ptr<net::HttpServer> admin_;
};

}  // namespace

Result<std::unique_ptr<GatewayNode>> GatewayNode::start(
    const NodeOptions& options, const Clock& clock
) {
    auto node = std::make_unique<LiveNode>(options, clock);
    TAGOUT_TRY(node->run());
    return std::unique_ptr<GatewayNode>(std::move(node));
}

}  // namespace tagout::app
