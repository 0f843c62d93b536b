#include "detect/cost/outcome_cost.h"

#include "detect/sketch/level_watch.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace tagout::detect {

namespace {

constexpr double variance_prior = 0.04;  ///< Of logarithms: a fifth up or down is no news.
constexpr double prior_batches = 5;

bool dearer(const SessionFact& a, const SessionFact& b) {
    return std::tie(a.cost_usd, a.tokens) > std::tie(b.cost_usd, b.tokens);
}

}  // namespace

void OutcomeCostWatch::Usual::learn(double log) {
    const double off = log - mean;
    const auto seen = static_cast<double>(batches);
    if (batches > 0) {
        const double weight = 1 / std::min(usual_batches, seen + prior_batches);
        variance += weight * (off * off - variance);
    } else {
        variance = variance_prior;
    }
    mean += off / std::min(usual_batches, seen + 1);
    ++batches;
}

bool OutcomeCostWatch::judge(const CostSettings& settings, std::size_t workflows) {
    const Batch batch = std::move(batch_);
    batch_ = {};
    ++batches_;
    in_usd_ = batch.priced == batch.sessions;
    const double good = batch.good > 0 ? batch.good : 0.5;
    const double spent = in_usd_ ? batch.cost_usd : static_cast<double>(batch.tokens);
    Usual& usual = in_usd_ ? usd_ : token_;
    if (!(spent > 0)) {
        return false;
    }
    const double log = std::log(spent / good);
    const double off = log - usual.mean;
    const bool known = usual.batches >= usual_batches_min;
    const double z = off / std::sqrt(usual.variance + variance_prior);
    const double ratio = std::exp(off);
    const bool raised = known && ratio >= settings.outcome_ratio &&
                        z >= std::min(z_for(settings.known_z, workflows), settings.known_z + 2);
    calm_ = raised ? 0 : calm_ + 1;
    if (raised) {
        ++raised_;
    } else if (calm_ >= calm_batches || !active_) {
        raised_ = 0;  // one good batch ends no episode
    }
    const bool before = active_;
    if (raised) {
        ratio_ = ratio;
        observed_ = spent / good;
        usual_ = std::exp(usual.mean);
        sessions_ = batch.sessions;
        good_ = batch.good;
        if (raised_ == 1 || dearer(batch.dearest, dearest_)) {
            dearest_ = batch.dearest;
        }
        if (raised_ == 1) {
            tokens_ = 0;
            cost_usd_ = 0;
            users_ = {};
            began_ = batches_;
        }
        tokens_ += batch.tokens;
        cost_usd_ += batch.cost_usd;
        users_.merge(batch.users);
        active_ = raised_ >= raised_batches_min;
    } else {
        active_ = active_ && raised_ > 0;
        ratio_ = known ? ratio : 1;
        if (!active_) {
            usual.learn(log);
        }
    }
    return before != active_;
}

bool OutcomeCostWatch::add(
    const SessionFact& session, const CostSettings& settings, std::size_t workflows
) {
    last_at_ = std::max(last_at_, session.at);
    if (!session.leader.empty() || session.tokens <= 0) {
        return false;
    }
    ++batch_.sessions;
    batch_.good += session.outcome == SessionOutcome::Succeeded ? 1 : 0;
    batch_.priced += session.cost_usd > 0 ? 1 : 0;
    batch_.tokens += session.tokens;
    batch_.cost_usd += session.cost_usd;
    if (session.user != 0) {
        batch_.users.add(session.user);
    }
    if (batch_.sessions == 1 || dearer(session, batch_.dearest)) {
        batch_.dearest = session;
    }
    return batch_.sessions >= settings.outcome_sessions_min && judge(settings, workflows);
}

}  // namespace tagout::detect
