#include "app/containment.h"

#include "base/log.h"

#include <sodium.h>

#include <array>
#include <cstring>

namespace tagout::app {

namespace {

std::string fresh_secret() {
    std::array<unsigned char, 32> bytes{};
    randombytes_buf(bytes.data(), bytes.size());
    std::string hex(2 * bytes.size() + 1, '\0');
    sodium_bin2hex(hex.data(), hex.size(), bytes.data(), bytes.size());
    hex.pop_back();
    return hex;
}

std::uint64_t fresh_seed() {
    std::uint64_t seed = 0;
    randombytes_buf(&seed, sizeof seed);
    return seed;
}

}  // namespace

Containment::Containment(ContainmentParts parts)
    : parts_(std::move(parts)),
      journey_secret_(fresh_secret()),
      controls_(
          contain::Controls::make(parts_.journal, parts_.clock, parts_.settings, parts_.metrics)
      ),
      approvals_(
          contain::Approvals::make(parts_.journal, parts_.clock, parts_.settings, parts_.metrics)
      ),
      pins_(contain::ToolPins::make(parts_.journal, parts_.clock, parts_.settings, parts_.metrics)),
      agent_tokens_(contain::AgentTokens::make(parts_.journal, parts_.clock, fresh_secret)),
      refusals_(contain::Refusals::make(parts_.journal, parts_.clock, parts_.metrics)),
      spending_(parts_.data_dir),
      circuits_(contain::Circuits::make(parts_.journal, parts_.clock, parts_.metrics)) {}

Containment::~Containment() {
    stop();
}

Result<void> Containment::rebuild() {
    TAGOUT_TRY(controls_->rebuild());
    TAGOUT_TRY(approvals_->rebuild());
    TAGOUT_TRY(agent_tokens_->rebuild());
    TAGOUT_TRY(refusals_->rebuild());
    return pins_->rebuild();
}

Result<void> Containment::open(gateway::GatewayOptions options, server::IntakeSink& intake) {
    calls_ = std::make_unique<GatewayCalls>(
        intake,
        parts_.metrics,
        [this](const ControlId& id, std::uint64_t calls) { controls_->count_refused(id, calls); },
        fresh_seed()
    );
    options.journey_secret = journey_secret_;
    const bool secure = options.tls.has_value();
    gateway_ = TAGOUT_TRY(gateway::Gateway::start(
        options,
        gateway::GatewayParts{
            parts_.clock,
            parts_.metrics,
            parts_.catalog,
            *approvals_,
            [this](gateway::SeenCall call) { calls_->add(std::move(call)); },
            parts_.versions,
            pins_.get(),
            [this] { return agent_tokens_->credentials(); },
            refusals_.get(),
            spending_.memory(),
            circuits_.get(),
            parts_.asked}
    ));
    address_ = (secure ? "https://" : "http://") + options.address + ":" +
               std::to_string(gateway_->port());
    controls_->add_point(gateway_);
    if (!controls_->wait_in_force(in_force_patience)) {
        return fail(
            ErrorCode::Unavailable,
            "the gateway does not enforce the controls in force; no call may pass it"
        );
    }
    return {};
}

void Containment::use(const contain::Settings& settings) {
    controls_->use(settings);
    approvals_->use(settings);
    pins_->use(settings);
}

void Containment::tick() {
    controls_->tick();
    approvals_->tick();
    pins_->tick();
    refusals_->tick();
    circuits_->tick();
    if (gateway_) {
        gateway_->tick();
    }
    spending_.save();
}

void Containment::stop() {
    if (gateway_) {
        gateway_->stop();
    }
    controls_->stop();
    calls_.reset();
    refusals_->tick();  // What came in the last second.
    spending_.save();
    circuits_->tick();
}

std::string Containment::address() const {
    return address_;
}

}  // namespace tagout::app
