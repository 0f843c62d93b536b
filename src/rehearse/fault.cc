#include "rehearse/fault.h"

#include <charconv>
#include <string>

namespace tagout::rehearse {

namespace {

Result<void> set(Fault& fault, std::string_view key, std::string_view value) {
    if (key == "start") {
        fault.start = TAGOUT_TRY(parse_duration(value));
        return {};
    }
    if (key == "for") {
        fault.lasts = TAGOUT_TRY(parse_duration(value));
        return {};
    }
    if (key == "share") {
        const auto [end, error] =
            std::from_chars(value.data(), value.data() + value.size(), fault.share);
        const bool whole = error == std::errc() && end == value.data() + value.size();
        if (whole && fault.share >= 0 && fault.share <= 1) {
            return {};
        }
        return fail(
            ErrorCode::InvalidArgument,
            "share=" + std::string(value) + ": write a share from 0 to 1, such as 0.5"
        );
    }
    return fail(
        ErrorCode::InvalidArgument, "unknown part '" + std::string(key) +
                                        "' of a fault: write NAME:start=30s,for=1m,share=0.5"
    );
}

}  // namespace

FaultPlan::FaultPlan(std::vector<Fault> faults, Instant run_start)
    : state_(std::make_shared<State>(std::move(faults))), run_start_(run_start) {}

std::optional<Fault> FaultPlan::active(FaultKind kind, Instant at) const {
    const MutexLock lock(state_->mutex);
    for (const Fault& fault : state_->faults) {
        const Duration since = at - run_start_ - fault.start;
        const bool ended = fault.lasts > Duration::zero() && since >= fault.lasts;
        if (fault.kind == kind && since >= Duration::zero() && !ended) {
            return fault;
        }
    }
    return std::nullopt;
}

std::vector<Fault> FaultPlan::faults() const {
    const MutexLock lock(state_->mutex);
    return state_->faults;
}

Result<void> FaultPlan::add(Fault fault, Instant at) {
    fault.start += at - run_start_;
    const MutexLock lock(state_->mutex);
    if (state_->faults.size() >= faults_max) {
        return fail(
            ErrorCode::LimitExceeded, "64 faults are planned already; `tagout sim clear` ends them"
        );
    }
    state_->faults.push_back(fault);
    return {};
}

std::size_t FaultPlan::clear() {
    const MutexLock lock(state_->mutex);
    const std::size_t count = state_->faults.size();
    state_->faults.clear();
    return count;
}

Result<Fault> parse_fault(std::string_view text) {
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    const FaultInfo* found = nullptr;
    std::string known;
    for (const FaultInfo& row : fault_table) {
        found = row.name == name ? &row : found;
        known += (known.empty() ? "" : ", ") + std::string(row.name);
    }
    if (name == "timeouts") {  // What people call slow_model when they see its effect.
        found = &info_of(FaultKind::SlowModel);
    }
    if (found == nullptr) {
        return fail(
            ErrorCode::InvalidArgument,
            "unknown fault '" + std::string(name.substr(0, 60)) + "'; there are " + known
        );
    }
    Fault fault;
    fault.kind = found->kind;
    fault.share = found->share;
    std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
    while (!rest.empty()) {
        const std::size_t comma = rest.find(',');
        const std::string_view part = rest.substr(0, comma);
        const std::size_t equals = part.find('=');
        const std::string_view value =
            equals == std::string_view::npos ? "" : part.substr(equals + 1);
        TAGOUT_TRY(set(fault, part.substr(0, equals), value));
        rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    }
    return fault;
}

}  // namespace tagout::rehearse
