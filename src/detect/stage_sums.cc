#include "detect/stage_sums.h"

#include "detect/hash.h"
#include "intake/texts.h"

#include <algorithm>

namespace tagout::detect {

namespace {

constexpr std::size_t exemplar_text_bytes_max = 160;

}  // namespace

RateKey rate_key(SumKind kind, NameId key, const Names& names) {
    switch (kind) {
        case SumKind::ClientErrors:
            return {RateKind::ClientErrors, names.text(key)};
        case SumKind::ToolTimeouts:
            return {RateKind::Timeouts, "tool " + names.text(key)};
        case SumKind::ModelTimeouts:
            return {RateKind::Timeouts, "model " + names.text(key)};
        case SumKind::Corrections:
            return {RateKind::Corrections, names.text(key)};
        case SumKind::ClientErrorShapes:
            return {RateKind::ClientErrorShapes, names.text(key)};
        case SumKind::PolicyDenials:
            return {RateKind::PolicyDenials, names.text(key)};
    }
    return {};
}

Exemplar exemplar_of(
    const Session& session, const StepPlace& place, NameId tool, std::string_view text,
    const Names& names
) {
    return {
        .at = place.at,
        .correlation = session.correlation,
        .trace_id = to_hex(place.trace_id),
        .span_id = to_hex(place.span_id),
        .step = place.step,
        .agent = names.text(session.actor()),
        .workflow = names.text(session.workflow),
        .tool = names.text(tool),
        .model = names.text(session.model),
        .service = names.text(session.service),
        .environment = names.text(session.environment),
        .prompt_version = names.text(session.prompt_version),
        .text = std::string(intake::clipped(text, exemplar_text_bytes_max)),
    };
}

StageSums::Rate& StageSums::rate(SumKind kind, NameId key, std::int64_t pane) {
    const std::uint64_t hash = combine(
        combine(static_cast<std::uint64_t>(kind) + 1, key), static_cast<std::uint64_t>(pane)
    );
    Rate& rate = rates_[hash];
    rate.kind = kind;
    rate.key = key;
    rate.pane = pane;
    return rate;
}

StageSums::Spending& StageSums::spending(NameId agent, std::int64_t pane) {
    Spending& spending = spending_[combine(agent, static_cast<std::uint64_t>(pane))];
    spending.agent = agent;
    spending.pane = pane;
    return spending;
}

void StageSums::count_timed(
    SumKind kind, NameId key, std::int64_t pane, double millis, const Session& session,
    const StepPlace& place, NameId tool, const Names& names
) {
    Rate& timed = rate(kind, key, pane);
    timed.sums.total += 1;
    if (!timed.load) {
        timed.load = std::make_unique<LoadPane>();
    }
    LoadPane& load = *timed.load;
    load.durations.add(millis);
    load.millis.add(millis);
    if (millis >= slow_millis_min) {
        load.agents.add(names.text(session.actor()));
        if (millis > load.worst) {
            load.worst = millis;
            load.exemplar = exemplar_of(session, place, tool, "", names);
        }
    }
}

void StageSums::count_bad(
    SumKind kind, NameId key, std::int64_t pane, const Session& session, const StepPlace& place,
    NameId tool, std::string_view text, const Names& names
) {
    RatePane& sums = rate(kind, key, pane).sums;
    sums.bad += 1;
    sums.sessions.add(hash_of(session.correlation));
    sums.agents.add(names.text(session.actor()));
    if (std::tie(place.at, session.correlation) <
        std::tie(sums.exemplar.at, sums.exemplar.correlation)) {
        sums.exemplar = exemplar_of(session, place, tool, text, names);
    }
}

void StageSums::spend(
    const Session& session, const StepPlace& place, std::int64_t pane, std::int64_t tokens,
    double cost_usd, const Names& names
) {
    Spending& all = spending(session.actor(), pane);
    all.sums.per_call.add(static_cast<double>(tokens));
    all.sums.tokens += static_cast<std::uint64_t>(tokens);
    all.sums.cost_usd += cost_usd;
    if (session.user != 0) {
        all.sums.users.add(session.user);
    }
    all.models[session.model] += 1;
    if (static_cast<std::uint64_t>(tokens) > all.sums.exemplar_tokens) {
        all.sums.exemplar_tokens = static_cast<std::uint64_t>(tokens);
        all.sums.exemplar = exemplar_of(session, place, 0, "", names);
    }
}

void StageSums::end_turn(NameId agent, std::int64_t pane, std::int64_t tokens) {
    SpendingPane& sums = spending(agent, pane).sums;
    sums.per_turn.add(static_cast<double>(tokens));
    sums.turn_tokens.add(static_cast<double>(tokens));
}

KeyPartials StageSums::take(const Names& names) {
    KeyPartials out = std::move(rest_);
    rest_ = {};
    for (auto& [hash, rate] : rates_) {
        RateKey key = rate_key(rate.kind, rate.key, names);
        if (rate.load) {
            out.loads[{{LoadKind::Calls, key.key}, rate.pane}].merge(*rate.load);
        }
        out.rates[{std::move(key), rate.pane}].merge(rate.sums);
    }
    rates_.clear();
    for (auto& [hash, spending] : spending_) {
        std::vector<std::pair<NameId, std::uint64_t>> models(
            spending.models.begin(), spending.models.end()
        );
        std::ranges::sort(models, [&](const auto& a, const auto& b) {
            return names.text(a.first) < names.text(b.first);
        });
        for (const auto& [model, calls] : models) {
            spending.sums.models.add(names.text(model), calls);
        }
        out.spending[{names.text(spending.agent), spending.pane}].merge(spending.sums);
    }
    spending_.clear();
    return out;
}

}  // namespace tagout::detect
