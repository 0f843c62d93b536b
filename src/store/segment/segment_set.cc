#include "store/segment/segment_set.h"

#include "base/assert.h"
#include "base/log.h"
#include "store/metrics.h"

#include <sys/random.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace tagout::store {

SegmentSet::SegmentSet(
    const SegmentLogOptions& options, const Clock& clock, MetricRegistry& metrics, Disk& disk
)
    : options_(options), clock_(clock), metrics_(metrics), disk_(disk) {}

SegmentSet::~SegmentSet() = default;

bool SegmentSet::Sealed::holds(std::string_view correlation) const {
    const std::uint64_t key = key_of(correlation, salt);
    if (!file) {
        return memory->holds(key);
    }
    std::vector<std::uint32_t> blocks;
    return !file->find(key, blocks) || !blocks.empty();
}

std::optional<AppendFile> SegmentSet::appending() const {
    const MutexLock lock(mutex_);
    if (active_ == nullptr) {
        return std::nullopt;
    }
    return AppendFile{
        active_->file, active_->header, active_->summary.bytes, active_->summary.received_min,
        active_->ended
    };
}

Result<void> SegmentSet::begin() {
    auto active = std::make_unique<Active>();
    {
        const MutexLock lock(mutex_);
        TAGOUT_ASSERT(active_ == nullptr, "the one before was sealed");
        active->header.number = next_number_;
    }
    active->header.created_at = unix_nanos(clock_.now());
    if (::getrandom(&active->header.salt, sizeof(active->header.salt), 0) < 0) {
        return fail(ErrorCode::Unavailable, "evidence log: the system gives no random bytes");
    }
    active->path = segment_path(options_.directory, active->header.number);
    const auto create = [&]() -> Result<void> {
        OpenFile file = TAGOUT_TRY(disk_.open(active->path, OpenMode::CreateNew));
        TAGOUT_TRY(disk_.write(file, active->header.encode(), 0));
        TAGOUT_TRY(disk_.sync(file));
        TAGOUT_TRY(disk_.sync_directory(options_.directory));
        active->file = std::make_shared<const OpenFile>(std::move(file));
        return {};
    };
    if (Result<void> done = create(); !done) {
        static_cast<void>(disk_.remove(active->path));  // an empty file is removed at open as well
        return done;
    }
    active->summary.bytes = SegmentHeader::first_block;
    const MutexLock lock(mutex_);
    ++next_number_;
    active_ = std::move(active);
    return {};
}

void SegmentSet::publish(
    std::span<const WrittenBlock> blocks, std::span<const std::uint64_t> keys
) {
    const MutexLock lock(mutex_);
    TAGOUT_ASSERT(active_ != nullptr, "blocks were written to it");
    std::size_t key = 0;
    for (const WrittenBlock& block : blocks) {
        const auto number = static_cast<std::uint32_t>(active_->places.size());
        active_->places.push_back(block.place);
        active_->summary.include(block.header);
        active_->summary.bytes = block.place.end();
        for (; key < block.keys_end; ++key) {
            active_->index->add(keys[key], number);
        }
    }
    active_->ended = false;
}

void SegmentSet::publish_end_mark(std::uint64_t bytes) {
    const MutexLock lock(mutex_);
    active_->summary.bytes = bytes;
    active_->ended = true;
}

void SegmentSet::seal() {
    const MutexLock pins(pins_mutex_);
    const MutexLock lock(mutex_);
    if (active_ == nullptr) {
        return;
    }
    if (active_->summary.items == 0) {
        static_cast<void>(disk_.remove(active_->path));
        active_.reset();
        return;
    }
    const auto segment = std::make_shared<Sealed>();
    segment->number = active_->header.number;
    segment->salt = active_->header.salt;
    segment->path = active_->path;
    segment->summary = active_->summary;
    segment->own_places = std::move(active_->places);
    segment->memory = std::move(active_->index);
    active_.reset();
    const bool pinned = pins_hold(*segment);
    sealed_.push_back({segment, pinned});
}

std::vector<SegmentSet::SealedPtr> SegmentSet::sealed() const {
    const MutexLock lock(mutex_);
    std::vector<SealedPtr> segments;
    segments.reserve(sealed_.size());
    for (const Entry& entry : sealed_) {
        segments.push_back(entry.segment);
    }
    return segments;
}

void SegmentSet::maintain() {
    for (const SealedPtr& segment : sealed()) {
        if (!segment->file) {
            write_index(segment);
        } else if (segment->index_damaged) {
            make_index_again(segment);
        }
    }
    while (true) {
        SealedPtr segment;
        {
            const MutexLock lock(mutex_);
            segment = next_to_drop();
            if (segment == nullptr) {
                break;
            }
            std::erase_if(sealed_, [&](const Entry& entry) { return entry.segment == segment; });
            dropped_.items += segment->summary.items;
            dropped_.segment = segment->number;
        }
        drop(segment);
    }
    update_gauges();
}

SegmentSet::SealedPtr SegmentSet::next_to_drop() {
    if (retention_suspended_) {
        return nullptr;
    }
    std::uint64_t bytes = active_ != nullptr ? active_->summary.bytes : 0;
    for (const Entry& entry : sealed_) {
        bytes += entry.segment->disk_bytes();
    }
    const std::int64_t oldest_kept = unix_nanos(clock_.now() - options_.retention_age);
    for (const Entry& entry : sealed_) {
        const bool expired = entry.segment->summary.received_max < oldest_kept;
        if (!entry.pinned && (expired || bytes > options_.retention_bytes)) {
            return entry.segment;
        }
    }
    return nullptr;
}

void SegmentSet::drop(const SealedPtr& segment) {
    std::string note;
    {
        const MutexLock lock(mutex_);
        note = encode_dropped(dropped_);
    }
    // Counted before it is removed; on a full disk the removal must come first.
    const bool noted = disk_.replace(options_.directory, "retention", note).has_value();
    const Result<void> removed = disk_.remove(segment->path);
    if (const Result<void> index =
            disk_.remove(options_.directory + "/" + index_name(segment->number));
        !removed || !index) {
        log::warn("evidence_not_removed", {{"segment", segment->path}});
    }
    if (!noted && !disk_.replace(options_.directory, "retention", note)) {
        log::error(
            "evidence_dropped_count_lost",
            {{"segment", segment->path}, {"items", segment->summary.items}}
        );
    }
    metrics_.counter(evidence_retention_items_total).add(segment->summary.items);
    log::info(
        "evidence_dropped",
        {{"segment", segment->path}, {"items", segment->summary.items},
         {"newest", to_rfc3339(Instant(Duration(segment->summary.received_max)))}}
    );
}

void SegmentSet::update_gauges() const {
    const journal::EvidenceStats now = stats();
    metrics_.gauge(evidence_disk_bytes).set(static_cast<double>(now.bytes_on_disk));
    metrics_.gauge(evidence_segments).set(static_cast<double>(now.segments));
    metrics_.gauge(evidence_pinned_segments).set(static_cast<double>(now.pinned_segments));
}

bool SegmentSet::pins_hold(const Sealed& segment) {
    return std::any_of(pins_.begin(), pins_.end(), [&segment](const Pin& pin) {
        return segment.holds(pin.correlation);
    });
}

Result<void> SegmentSet::keep_pins(std::set<Pin> pins) {
    TAGOUT_TRY(disk_.replace(options_.directory, "pins", encode_pins(pins)));
    pins_ = std::move(pins);
    return {};
}

Result<void> SegmentSet::pin(std::string_view correlation, std::string_view pin) {
    if (correlation.empty() || pin.empty() || correlation.size() > pin_text_bytes_max ||
        pin.size() > pin_text_bytes_max) {
        return fail(ErrorCode::InvalidArgument, "evidence log: a pin needs a name and a correlation");
    }
    const MutexLock lock_pins(pins_mutex_);
    std::set<Pin> pins = pins_;
    if (!pins.insert({std::string(pin), std::string(correlation)}).second) {
        return {};
    }
    if (pins.size() > pins_max) {
        return fail(
            ErrorCode::LimitExceeded, "evidence log: " + std::to_string(pins_max) +
                                          " correlations are pinned; close incidents to release some"
        );
    }
    TAGOUT_TRY(keep_pins(std::move(pins)));
    for (const SealedPtr& segment : sealed()) {
        if (!segment->holds(correlation)) {
            continue;
        }
        const MutexLock lock(mutex_);
        for (Entry& entry : sealed_) {
            entry.pinned = entry.pinned || entry.segment->number == segment->number;
        }
    }
    return {};
}

Result<void> SegmentSet::unpin(std::string_view pin) {
    const MutexLock lock_pins(pins_mutex_);
    std::set<Pin> pins = pins_;
    if (std::erase_if(pins, [pin](const Pin& each) { return each.name == pin; }) == 0) {
        return {};
    }
    TAGOUT_TRY(keep_pins(std::move(pins)));
    for (const SealedPtr& segment : sealed()) {
        const bool held = pins_hold(*segment);
        const MutexLock lock(mutex_);
        for (Entry& entry : sealed_) {
            if (entry.segment->number == segment->number) {
                entry.pinned = held;
            }
        }
    }
    return {};
}

journal::EvidenceStats SegmentSet::stats() const {
    const MutexLock lock(mutex_);
    journal::EvidenceStats stats;
    std::int64_t oldest = std::numeric_limits<std::int64_t>::max();
    std::int64_t newest = 0;
    const auto include = [&](const Summary& summary, std::uint64_t disk_bytes) {
        ++stats.segments;
        stats.items += summary.items;
        stats.bytes_on_disk += disk_bytes;
        if (summary.items > 0) {
            oldest = std::min(oldest, summary.received_min);
            newest = std::max(newest, summary.received_max);
        }
    };
    for (const Entry& entry : sealed_) {
        include(entry.segment->summary, entry.segment->disk_bytes());
        stats.pinned_segments += entry.pinned ? 1 : 0;
    }
    if (active_ != nullptr) {
        include(active_->summary, active_->summary.bytes);
    }
    if (newest > 0) {
        stats.oldest = Instant(Duration(oldest));
        stats.newest = Instant(Duration(newest));
    }
    stats.dropped_by_retention = dropped_.items;
    stats.unreadable_blocks = damaged_reads_;
    return stats;
}

}  // namespace tagout::store
