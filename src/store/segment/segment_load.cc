// Taking stock at open, and index files made and made again.

#include "base/log.h"
#include "store/segment/segment_set.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace tagout::store {

namespace fs = std::filesystem;

Result<void> SegmentSet::load() {
    std::error_code error;
    fs::create_directories(options_.directory, error);
    std::vector<std::uint64_t> numbers;
    std::vector<std::string> leftovers;
    for (fs::directory_iterator each(options_.directory, error), end; !error && each != end;
         each.increment(error)) {
        const std::string name = each->path().filename().string();
        if (const auto number = segment_number(name)) {
            numbers.push_back(*number);
        } else if (name.ends_with(".new")) {
            leftovers.push_back(each->path().string());
        } else if (name == "pins.damaged") {
            retention_suspended_ = true;
        }
    }
    if (error) {
        return fail(
            ErrorCode::Unavailable, "evidence log: cannot read " + options_.directory + ": " +
                                        error.message() + "; it must be a writable directory"
        );
    }
    for (const std::string& leftover : leftovers) {
        TAGOUT_TRY(disk_.remove(leftover));
    }
    std::sort(numbers.begin(), numbers.end());
    TAGOUT_TRY(load_notes());
    for (const std::uint64_t number : numbers) {
        TAGOUT_TRY(load_segment(number, number == numbers.back()));
    }
    {
        const MutexLock pins(pins_mutex_);
        const MutexLock lock(mutex_);
        next_number_ = std::max(numbers.empty() ? 0 : numbers.back(), dropped_.segment) + 1;
        for (Entry& entry : sealed_) {
            entry.pinned = pins_hold(*entry.segment);
        }
    }
    if (retention_suspended_) {
        log::error(
            "evidence_retention_suspended",
            {{"directory", options_.directory},
             {"remedy", "pin what open incidents need, then remove pins.damaged and restart"}}
        );
    }
    maintain();
    return {};
}

Result<void> SegmentSet::load_notes() {
    const MutexLock pins(pins_mutex_);
    const MutexLock lock(mutex_);
    const Result<std::string> pin_bytes = read_file(disk_, options_.directory + "/pins");
    if (pin_bytes) {
        Result<std::set<Pin>> kept = decode_pins(*pin_bytes);
        if (kept) {
            pins_ = std::move(*kept);
        } else {
            TAGOUT_TRY(
                disk_.rename(options_.directory + "/pins", options_.directory + "/pins.damaged")
            );
            retention_suspended_ = true;
        }
    } else if (pin_bytes.error().code != ErrorCode::NotFound) {
        return std::unexpected(pin_bytes.error());
    }
    const Result<std::string> dropped = read_file(disk_, options_.directory + "/retention");
    if (dropped) {
        if (const Result<Dropped> counted = decode_dropped(*dropped)) {
            dropped_ = *counted;
        } else {
            log::error("evidence_dropped_count_lost", {{"directory", options_.directory}});
        }
    } else if (dropped.error().code != ErrorCode::NotFound) {
        return std::unexpected(dropped.error());
    }
    return {};
}

Result<void> SegmentSet::load_segment(std::uint64_t number, bool newest) {
    const std::string path = segment_path(options_.directory, number);
    const std::string index_path = options_.directory + "/" + index_name(number);
    {
        const MutexLock lock(mutex_);
        if (number == dropped_.segment) {  // it was counted as dropped, then the power went
            TAGOUT_TRY(disk_.remove(path));
            return disk_.remove(index_path);
        }
    }
    Result<FileIndex> index = FileIndex::open(disk_, index_path, number);
    if (!index) {
        if (index.error().code == ErrorCode::Corrupt) {
            log::warn("evidence_index_damaged", {{"file", index_path}, {"why", index.error().message}});
        }
        return load_by_reading(number, newest);
    }
    const auto segment = std::make_shared<Sealed>();
    segment->number = number;
    segment->salt = index->salt();
    segment->path = path;
    segment->summary = index->summary();
    segment->file = std::move(*index);
    const MutexLock lock(mutex_);
    sealed_.push_back({segment, false});
    return {};
}

void SegmentSet::note_damages(const std::string& path, const Reading& reading) const {
    for (const Damage& damage : reading.damages) {
        log::error(
            "evidence_damaged",
            {{"segment", path}, {"offset", damage.offset}, {"bytes", damage.bytes},
             {"what", damage.what}}
        );
    }
    if (reading.file_bytes > reading.summary.bytes) {
        log::warn(
            "evidence_tail_cut",
            {{"segment", path}, {"offset", reading.summary.bytes},
             {"bytes", reading.file_bytes - reading.summary.bytes},
             {"why", "half-written when the program ended; it was never acknowledged"}}
        );
    }
}

Result<void> SegmentSet::load_by_reading(std::uint64_t number, bool newest) {
    const std::string path = segment_path(options_.directory, number);
    OpenFile file = TAGOUT_TRY(disk_.open(path, OpenMode::ReadWrite));
    const std::uint64_t size = TAGOUT_TRY(file.size());
    if (size < SegmentHeader::first_block) {
        // It was just being created: its header is durable before anything is acknowledged in it.
        return disk_.remove(path);
    }
    Result<Reading> read = read_through(file, size);
    if (!read) {
        if (read.error().code != ErrorCode::Corrupt) {
            return std::unexpected(read.error());
        }
        log::error("evidence_segment_unreadable", {{"segment", path}, {"why", read.error().message}});
        unreadable_.push_back({path, 0, read.error().message});
        return {};
    }
    note_damages(path, *read);
    if (newest && TAGOUT_TRY(continue_with(path, std::move(file), *read))) {
        return {};
    }
    const auto segment = std::make_shared<Sealed>();
    segment->number = number;
    segment->salt = read->header.salt;
    segment->path = path;
    segment->summary = read->summary;
    segment->own_places = std::move(read->places);
    segment->memory = std::make_shared<MemoryIndex>(std::move(read->index));
    const MutexLock lock(mutex_);
    sealed_.push_back({segment, false});
    return {};
}

/// Goes on with the newest segment if it is whole and small enough.
Result<bool> SegmentSet::continue_with(const std::string& path, OpenFile file, Reading& reading) {
    if (!reading.damages.empty() || reading.summary.bytes >= options_.segment_bytes) {
        return false;
    }
    if (reading.file_bytes > reading.summary.bytes) {
        TAGOUT_TRY(disk_.truncate(file, reading.summary.bytes));
    }
    // What the last process wrote but did not sync may stand here; from now on it is shown to readers.
    if (!disk_.sync(file)) {
        return false;
    }
    auto active = std::make_unique<Active>();
    active->header = reading.header;
    active->path = path;
    active->file = std::make_shared<const OpenFile>(std::move(file));
    active->summary = reading.summary;
    active->places = std::move(reading.places);
    active->index = std::make_shared<MemoryIndex>(std::move(reading.index));
    active->ended = reading.ended;
    const MutexLock lock(mutex_);
    active_ = std::move(active);
    return true;
}

void SegmentSet::replace(const SealedPtr& before, SealedPtr after) {
    const MutexLock lock(mutex_);
    for (Entry& entry : sealed_) {
        if (entry.segment == before) {
            entry.segment = std::move(after);
            return;
        }
    }
}

void SegmentSet::write_index(const SealedPtr& segment) {
    const std::string bytes = FileIndex::encode(
        segment->number, segment->salt, segment->summary, segment->places(),
        segment->memory->sorted()
    );
    const std::string name = index_name(segment->number);
    if (const Result<void> done = disk_.replace(options_.directory, name, bytes); !done) {
        log::debug("evidence_index_waits", {{"why", done.error().message}});
        return;
    }
    Result<FileIndex> index =
        FileIndex::open(disk_, options_.directory + "/" + name, segment->number);
    if (!index) {
        log::warn("evidence_index_waits", {{"why", index.error().message}});
        return;
    }
    const auto indexed = std::make_shared<Sealed>();
    indexed->number = segment->number;
    indexed->salt = segment->salt;
    indexed->path = segment->path;
    indexed->summary = segment->summary;
    indexed->file = std::move(*index);
    replace(segment, indexed);
}

void SegmentSet::make_index_again(const SealedPtr& segment) {
    Result<OpenFile> file = disk_.open(segment->path, OpenMode::Read);
    if (!file) {
        return;
    }
    Result<Reading> read = read_through(*file, segment->summary.bytes);
    if (!read) {
        return;
    }
    const auto again = std::make_shared<Sealed>();
    again->number = segment->number;
    again->salt = segment->salt;
    again->path = segment->path;
    again->summary = read->summary;
    again->summary.bytes = segment->summary.bytes;
    again->own_places = std::move(read->places);
    again->memory = std::make_shared<MemoryIndex>(std::move(read->index));
    replace(segment, again);
    log::warn("evidence_index_made_again", {{"segment", segment->path}});
    write_index(again);
}

}  // namespace tagout::store
