#include "store/memory/evidence_log.h"

#include <algorithm>
#include <array>
#include <optional>

namespace tagout::store {

using journal::EvidenceItem;

MemoryEvidenceLog::MemoryEvidenceLog(const Clock& clock, const MemoryEvidenceOptions& options)
    : clock_(clock), options_(options) {}

Result<void> MemoryEvidenceLog::append(
    std::shared_ptr<const EventBatch> batch, std::function<void(Result<void>)> done
) {
    Result<void> stored;
    {
        const MutexLock lock(mutex_);
        if (kept_.size() + batch->items.size() > options_.items_max) {
            return fail(ErrorCode::LimitExceeded, "evidence in memory: full");
        }
        if (failures_left_ > 0) {
            --failures_left_;
            stored = fail(ErrorCode::Unavailable, "evidence in memory: told to fail");
        } else {
            const Instant now = clock_.now();
            for (const RawItem& raw : batch->items) {
                EvidenceItem item;
                item.signal = raw.signal;
                item.trace_id = raw.trace_id;
                item.at = raw.at;
                item.correlation = raw.correlation;
                item.resource = raw.resource;
                item.scope = raw.scope;
                item.bytes = raw.bytes;
                kept_.push_back({std::move(item), now});
            }
        }
    }
    done(std::move(stored));
    return {};
}

Result<std::vector<EvidenceItem>> MemoryEvidenceLog::find(
    std::string_view correlation, std::size_t limit
) {
    std::optional<TraceId> trace;
    if (correlation.size() == 32) {
        trace = trace_id_of_hex(correlation);
    }
    std::vector<EvidenceItem> items;
    if (correlation.empty()) {
        return items;
    }
    const MutexLock lock(mutex_);
    std::set<std::array<std::uint8_t, 16>> traces;
    for (const Kept& kept : kept_) {
        if (kept.item.correlation == correlation && !kept.item.trace_id.empty() &&
            traces.size() < journal::traces_of_correlation_max) {
            traces.insert(kept.item.trace_id.bytes);
        }
    }
    for (const Kept& kept : kept_) {
        const bool by_trace = trace && !trace->empty() && kept.item.trace_id == *trace;
        const bool before_told = traces.contains(kept.item.trace_id.bytes) &&
            kept.item.correlation == to_hex(kept.item.trace_id);
        if (by_trace || before_told || kept.item.correlation == correlation) {
            items.push_back(kept.item);
        }
    }
    std::stable_sort(items.begin(), items.end(), [](const EvidenceItem& a, const EvidenceItem& b) {
        return a.at < b.at;
    });
    if (items.size() > limit) {
        items.resize(limit);
    }
    return items;
}

Result<void> MemoryEvidenceLog::scan(
    Instant from, Instant to, const std::function<bool(const EvidenceItem&)>& visit
) {
    const auto within = [from, to](Instant at) { return at >= from && at < to; };
    for (std::size_t i = 0;; ++i) {
        std::optional<EvidenceItem> item;
        {
            const MutexLock lock(mutex_);
            if (i >= kept_.size()) {
                return {};
            }
            if (within(kept_[i].received_at) || within(kept_[i].item.at)) {
                item = kept_[i].item;
            }
        }
        if (item && !visit(*item)) {
            return {};
        }
    }
}

Result<void> MemoryEvidenceLog::pin(std::string_view correlation, std::string_view pin) {
    if (correlation.empty() || pin.empty()) {
        return fail(ErrorCode::InvalidArgument, "evidence: a pin needs a name and a correlation");
    }
    const MutexLock lock(mutex_);
    pins_.emplace(pin, correlation);
    return {};
}

Result<void> MemoryEvidenceLog::unpin(std::string_view pin) {
    const MutexLock lock(mutex_);
    std::erase_if(pins_, [pin](const auto& each) { return each.first == pin; });
    return {};
}

journal::EvidenceStats MemoryEvidenceLog::stats() const {
    const MutexLock lock(mutex_);
    journal::EvidenceStats stats;
    stats.items = kept_.size();
    if (!kept_.empty()) {
        stats.oldest = kept_.front().received_at;
        stats.newest = kept_.back().received_at;
    }
    return stats;
}

Result<std::vector<journal::EvidenceFault>> MemoryEvidenceLog::verify() {
    return std::vector<journal::EvidenceFault>{};
}

void MemoryEvidenceLog::fail_appends(std::size_t count) {
    const MutexLock lock(mutex_);
    failures_left_ = count;
}

bool MemoryEvidenceLog::is_pinned(std::string_view correlation) const {
    const MutexLock lock(mutex_);
    return std::any_of(pins_.begin(), pins_.end(), [correlation](const auto& each) {
        return each.second == correlation;
    });
}

}  // namespace tagout::store
