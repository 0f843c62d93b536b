// The segments of one log, as writer and readers share them: what is there, what is found where,
// what is pinned, what retention may drop.
//
// Thread-safe where it says so; the rest is the writer thread's. Readers take a snapshot under the
// lock and read files without it: a sealed segment never changes, and one that is dropped meanwhile
// is simply not found any more. Lock order: pins, then segments.
#pragma once

#include "base/clock.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "journal/evidence_log.h"
#include "store/segment/notes.h"
#include "store/segment/segment_file.h"
#include "store/segment/segment_log.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::store {

/// One block as it was just written, with its keys.
struct WrittenBlock {
    BlockHeader header;
    BlockPlace place;
    std::size_t keys_end = 0;  ///< Its keys end here in the group's list.
};

/// The file that the writer appends to.
struct AppendFile {
    std::shared_ptr<const OpenFile> file;
    SegmentHeader header;
    std::uint64_t bytes = 0;  ///< Durable.
    std::int64_t received_min = 0;
    bool ended = false;  ///< The last block is an end mark.
};

class SegmentSet {
public:
    SegmentSet(
        const SegmentLogOptions& options, const Clock& clock, MetricRegistry& metrics, Disk& disk
    );
    ~SegmentSet();

    /// Takes stock of the directory, cuts a half-written tail, makes missing indexes. Once, first.
    Result<void> load();

    // For the writer thread.
    /// Nothing if there is none to append to: begin() one.
    [[nodiscard]] std::optional<AppendFile> appending() const;
    Result<void> begin();
    /// Makes blocks that are durable on the appended file known to readers.
    void publish(std::span<const WrittenBlock> blocks, std::span<const std::uint64_t> keys);
    void publish_end_mark(std::uint64_t bytes);
    /// No more is appended to it. Its index is written by the next maintain().
    void seal();
    /// Writes index files that are missing, then drops what retention says. Failures wait for the
    /// next call.
    void maintain();

    // Thread-safe.
    Result<std::vector<journal::EvidenceItem>> find(std::string_view correlation, std::size_t limit);
    Result<void> scan(
        Instant from, Instant to, const std::function<bool(const journal::EvidenceItem&)>& visit
    );
    Result<void> pin(std::string_view correlation, std::string_view pin);
    Result<void> unpin(std::string_view pin);
    [[nodiscard]] journal::EvidenceStats stats() const;
    Result<std::vector<journal::EvidenceFault>> verify();

private:
    struct Sealed;
    struct Active;
    struct Source;
    struct Candidate;
    struct Hit;
    struct Search;
    using SealedPtr = std::shared_ptr<const Sealed>;
    struct Entry {
        SealedPtr segment;
        bool pinned = false;
    };

    // segment_load.cc
    Result<void> load_notes();
    Result<void> load_segment(std::uint64_t number, bool newest);
    Result<void> load_by_reading(std::uint64_t number, bool newest);
    Result<bool> continue_with(const std::string& path, OpenFile file, Reading& reading);
    void note_damages(const std::string& path, const Reading& reading) const;
    void write_index(const SealedPtr& segment);
    void make_index_again(const SealedPtr& segment);
    void replace(const SealedPtr& before, SealedPtr after);

    // segment_set.cc
    bool pins_hold(const Sealed& segment) TAGOUT_REQUIRES(pins_mutex_);
    Result<void> keep_pins(std::set<Pin> pins) TAGOUT_REQUIRES(pins_mutex_);
    SealedPtr next_to_drop() TAGOUT_REQUIRES(mutex_);
    void drop(const SealedPtr& segment);
    void update_gauges() const;
    [[nodiscard]] std::vector<SealedPtr> sealed() const;

    // segment_read.cc
    std::vector<Source> sources(std::vector<Candidate>& candidates, std::span<const Wanted> wanted,
                                std::int64_t from, std::int64_t to);
    void blocks_of(const SealedPtr& segment, std::span<const Wanted> wanted,
                   std::vector<std::uint32_t>& blocks);
    void look(Search& search, std::span<const Wanted> wanted,
              const std::function<bool(const ItemTable&, const ItemRow&)>& picks);
    std::vector<journal::EvidenceItem> items_of(Search& search);
    std::optional<OpenedBlock> open_candidate(std::vector<Source>& sources, const Candidate& candidate);
    void passed_over(const Source& source, const BlockPlace& place, const Error& why);
    Result<void> verify_segment(const Sealed& segment, std::vector<journal::EvidenceFault>& faults);

    const SegmentLogOptions options_;
    const Clock& clock_;
    MetricRegistry& metrics_;
    Disk& disk_;

    mutable Mutex pins_mutex_;
    std::set<Pin> pins_ TAGOUT_GUARDED_BY(pins_mutex_);

    mutable Mutex mutex_;
    std::vector<Entry> sealed_ TAGOUT_GUARDED_BY(mutex_);  ///< Oldest first.
    std::unique_ptr<Active> active_ TAGOUT_GUARDED_BY(mutex_);
    Dropped dropped_ TAGOUT_GUARDED_BY(mutex_);
    std::uint64_t next_number_ TAGOUT_GUARDED_BY(mutex_) = 1;

    // Constant after load().
    std::vector<journal::EvidenceFault> unreadable_;  ///< Files that cannot be opened as segments.
    bool retention_suspended_ = false;

    std::atomic<std::uint64_t> damaged_reads_{0};
};

/// Thread-safe: constant, but for the mark that its index should be made again.
struct SegmentSet::Sealed {
    std::uint64_t number = 0;
    std::uint64_t salt = 0;
    std::string path;
    Summary summary;
    std::vector<BlockPlace> own_places;         ///< While there is no index file.
    std::shared_ptr<const MemoryIndex> memory;  ///< The same.
    std::optional<FileIndex> file;
    mutable std::atomic<bool> index_damaged{false};

    [[nodiscard]] const std::vector<BlockPlace>& places() const noexcept {
        return file ? file->places() : own_places;
    }
    [[nodiscard]] std::uint64_t disk_bytes() const noexcept {
        return summary.bytes + (file ? file->file_bytes() : 0);
    }
    /// A damaged index holds everything: a look-up reads on, retention keeps its hands off.
    [[nodiscard]] bool holds(std::string_view correlation) const;
};

struct SegmentSet::Active {
    SegmentHeader header;
    std::string path;
    std::shared_ptr<const OpenFile> file;
    Summary summary;
    std::vector<BlockPlace> places;
    std::shared_ptr<MemoryIndex> index = std::make_shared<MemoryIndex>();
    bool ended = false;
};

}  // namespace tagout::store
