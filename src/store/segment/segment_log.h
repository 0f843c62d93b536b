// The evidence log on disk: append-only segments of compressed blocks.
//
//   append() -> queue -> writer thread: pack blocks (block.h), one write, one fdatasync for all
//   requests that wait -> their callbacks.
//
// An item is acknowledged after its bytes are synced, and not found before. What the disk does:
//   full          the group is cut off the file again, its requests answer Unavailable, and the next
//                 group simply tries again: nothing needs to be restarted when there is space.
//   sync fails    the file is abandoned at its last durable byte and a new segment begun; a second
//                 sync that claims success is never believed (segment_file.h, disk.h).
//   kill -9       the half-written tail is cut at the next open, and said in the program's log.
//   flipped bits  verify() names segment and offset; look-ups pass over the block and count it; a
//                 damaged index is made again from its segment.
// Retention drops whole sealed segments, oldest first, by total bytes and by age since receipt;
// segments that hold a pinned correlation stay. Nothing is forgotten silently: what was dropped is
// counted on disk.
//
// One process at a time (file `lock`). Files: <number>.seg, <number>.idx, `pins`, `retention`.
//
// Sketch, spans of 1.3 KB in requests of 512: 2.2 us of CPU an item with zstd level 1, everything
// included; 310 B an item on disk; a trace is found in 0.1 ms. Small requests that come one by one
// make small blocks, which compress less; under load group commit joins them. Each sealed segment
// costs a look-up 1 us: raise segment_bytes with retention_bytes.
#pragma once

#include "base/clock.h"
#include "base/metrics.h"
#include "base/settings.h"
#include "journal/evidence_log.h"

#include <cstdint>
#include <memory>
#include <string>

namespace tagout::store {

class Disk;

struct SegmentLogOptions {
    std::string directory;  ///< Created if need be; one log's own.
    std::uint64_t segment_bytes = std::uint64_t{128} << 20;
    std::uint64_t block_bytes = std::uint64_t{256} << 10;
    std::uint64_t retention_bytes = std::uint64_t{20} << 30;
    Duration retention_age = std::chrono::hours(30 * 24);
    std::uint64_t queue_bytes_max = std::uint64_t{256} << 20;
    int zstd_level = 1;
};

/// visit(SettingInfo, member) for each; the directory is the server's to choose.
template <class Options, class Visit>
void describe(Options& options, Visit&& visit) {
    visit(
        SettingInfo{
            "evidence.segment_bytes", 65'536, 2'147'483'648.0, "bytes",
            "Size at which a segment is sealed and the next begun. Raising it makes retention coarser "
            "and look-ups in a large log faster."
        },
        options.segment_bytes
    );
    visit(
        SettingInfo{
            "evidence.block_bytes", 4'096, 4'194'304, "bytes",
            "Bytes compressed together. Raising it saves disk and makes look-ups slower."
        },
        options.block_bytes
    );
    visit(
        SettingInfo{
            "evidence.retention_bytes", 1'048'576, 1e15, "bytes",
            "Disk space of the log; past it the oldest segments that no incident pins are dropped."
        },
        options.retention_bytes
    );
    visit(
        SettingInfo{
            "evidence.retention_age", 60, 315'360'000, "",
            "How long telemetry is kept after it was received, unless an incident pins it."
        },
        options.retention_age
    );
    visit(
        SettingInfo{
            "evidence.queue_bytes_max", 1'048'576, 17'179'869'184.0, "bytes",
            "Requests waiting to be written; past it intake answers 429. Raising it costs memory."
        },
        options.queue_bytes_max
    );
    visit(
        SettingInfo{
            "evidence.zstd_level", 0, 19, "",
            "Compression: 0 stores as it came (4 times the disk, a third of the CPU), 1 is fast; "
            "levels above 3 cost several times the CPU for a few percent of disk."
        },
        options.zstd_level
    );
}

/// Opens or creates the log and starts its writer thread, which ends with the object after writing
/// what is queued. `clock` must outlive the log; so must `metrics`, if given. `disk` is for tests.
/// Unavailable: another process holds the directory, or the disk says no; the message has the remedy.
class SegmentLog {
public:
    static Result<std::unique_ptr<journal::EvidenceLog>> open(
        const SegmentLogOptions& options, const Clock& clock, MetricRegistry* metrics = nullptr,
        Disk* disk = nullptr
    );
};

}  // namespace tagout::store
