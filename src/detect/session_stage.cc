#include "detect/stage_state.h"

#include <utility>

namespace tagout::detect {

SessionStage::SessionStage(
    const Settings& settings, std::shared_ptr<const catalog::Catalog> catalog
)
    : state_(std::make_unique<State>(settings, std::move(catalog))) {}

SessionStage::~SessionStage() = default;
SessionStage::SessionStage(SessionStage&&) noexcept = default;

void SessionStage::observe(std::span<const AgentEvent> events, Instant now, Output& out) {
    for (const AgentEvent& event : events) {
        state_->fold(event, now, out);
    }
}

void SessionStage::tick(Instant now, Output& out) {
    State& state = *state_;
    state.settle_due(now, out);
    for (Session* idlest = state.sessions.idlest();
         idlest != nullptr && idlest->arrived_at + state.settings.session_idle <= now;
         idlest = state.sessions.idlest()) {
        state.close(*idlest, out);
    }
}

void SessionStage::finish(Output& out) {
    while (Session* const idlest = state_->sessions.idlest()) {
        state_->close(*idlest, out);
    }
    state_->due.clear();
}

std::unique_ptr<KeyPartials, void (*)(KeyPartials*)> SessionStage::take_partials() {
    return {new KeyPartials(state_->sums.take(state_->names)), [](KeyPartials* partials) {
                delete partials;
            }};
}

void SessionStage::use(const Settings& settings, std::shared_ptr<const catalog::Catalog> catalog) {
    if (settings.safety.places != state_->settings.safety.places ||
        settings.safety.canaries != state_->settings.safety.canaries) {
        state_->guarded = GuardedText(settings.safety);
    }
    state_->settings = settings;
    state_->catalog = std::move(catalog);
    state_->tool_facts.clear();
}

StageStats SessionStage::stats() const {
    StageStats stats = state_->stats;
    stats.sessions_live = state_->sessions.size();
    stats.bytes = state_->value_bytes + state_->names.bytes() +
                  state_->sessions.size() * (sizeof(Session) + sizeof(Trail) + 64);
    stats.keys_refused = state_->names.refused();
    stats.sessions_merged = state_->merges;
    stats.sessions_not_merged = state_->merges_missed;
    stats.values_forgotten = state_->values_forgotten;
    return stats;
}

}  // namespace tagout::detect
