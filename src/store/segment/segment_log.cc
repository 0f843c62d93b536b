#include "store/segment/segment_log.h"

#include "base/log.h"
#include "base/mutex.h"
#include "store/file_lock.h"
#include "store/metrics.h"
#include "store/segment/segment_set.h"

#include <pthread.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <thread>
#include <utility>
#include <vector>

namespace tagout::store {

namespace {

/// Bytes of requests written and synced together: about 30 ms of work, so that no callback waits
/// long behind others.
constexpr std::size_t group_bytes_max = std::size_t{16} << 20;
constexpr auto tick = std::chrono::seconds(1);

struct Pending {
    std::shared_ptr<const EventBatch> batch;
    std::function<void(Result<void>)> done;
    std::size_t bytes = 0;
};

/// Confined to the writer thread. Turns groups of requests into durable blocks.
class GroupWriter {
public:
    GroupWriter(
        const SegmentLogOptions& options, const Clock& clock, MetricRegistry& metrics, Disk& disk,
        SegmentSet& segments
    )
        : options_(options),
          clock_(clock),
          metrics_(metrics),
          disk_(disk),
          segments_(segments),
          packer_(options.block_bytes, options.zstd_level) {}

    void commit(std::span<Pending> group) {
        const Instant begun = clock_.now();
        const Result<void> stored = store(group, begun);
        const Duration took = clock_.now() - begun;
        metrics_.histogram(evidence_commit_seconds).observe(std::chrono::duration<double>(took).count());
        if (!stored) {
            std::size_t items = 0;
            for (const Pending& pending : group) {
                items += pending.batch->items.size();
            }
            const std::string_view reason = "disk";
            metrics_.counter(evidence_refused_items_total, {&reason, 1}).add(items);
        }
        say_if_changed(stored);
        for (Pending& pending : group) {
            pending.done(stored);
        }
        if (sealed_) {
            sealed_ = false;
            segments_.maintain();
        }
    }

    /// Now and then, also without traffic.
    void idle() {
        const std::optional<AppendFile> file = segments_.appending();
        if (file && is_old(*file, clock_.now())) {
            segments_.seal();
        }
        segments_.maintain();
    }

    /// Marks that the log was closed in order, so that damage behind is not taken for a torn tail.
    void close() {
        const std::optional<AppendFile> file = segments_.appending();
        if (!file || file->ended || file->bytes == SegmentHeader::first_block) {
            return;
        }
        BlockHeader mark;
        mark.codec = Codec::EndMark;
        std::string bytes(BlockHeader::bytes, '\0');
        mark.write(bytes.data(), file->header.salt, file->bytes);
        if (disk_.write(*file->file, bytes, file->bytes) && disk_.sync(*file->file)) {
            segments_.publish_end_mark(file->bytes + bytes.size());
        }
    }

private:
    Result<void> store(std::span<const Pending> group, Instant now) {
        const AppendFile file = TAGOUT_TRY(file_to_append(now));
        pack(group, file, now);
        if (blocks_.empty()) {
            return {};
        }
        Result<void> written = disk_.write(*file.file, out_.view(), file.bytes);
        if (!written) {
            if (!disk_.truncate(*file.file, file.bytes)) {
                give_up_on_file();
            }
            return written;
        }
        Result<void> synced = disk_.sync(*file.file);
        if (!synced) {
            // What of this group reached the disk is unknown, and a second sync would not tell.
            static_cast<void>(disk_.truncate(*file.file, file.bytes));
            give_up_on_file();
            return synced;
        }
        segments_.publish(blocks_, keys_);
        std::size_t items = 0;
        std::size_t raw = 0;
        for (const WrittenBlock& block : blocks_) {
            items += block.header.items;
            raw += block.header.raw_bytes;
        }
        metrics_.counter(evidence_stored_items_total).add(items);
        metrics_.counter(evidence_raw_bytes_total).add(raw);
        metrics_.counter(evidence_written_bytes_total).add(out_.size());
        metrics_.counter(evidence_commits_total).add();
        return {};
    }

    [[nodiscard]] bool is_old(const AppendFile& file, Instant now) const {
        // An eighth of the age bounds how much longer than told anything is kept.
        return file.received_min != 0 &&
               now - Instant(Duration(file.received_min)) > options_.retention_age / 8;
    }

    Result<AppendFile> file_to_append(Instant now) {
        std::optional<AppendFile> file = segments_.appending();
        if (file && (file->bytes >= options_.segment_bytes || is_old(*file, now))) {
            segments_.seal();
            sealed_ = true;
            file.reset();
        }
        if (!file) {
            TAGOUT_TRY(segments_.begin());
            file = segments_.appending();
        }
        return *file;
    }

    void pack(std::span<const Pending> group, const AppendFile& file, Instant now) {
        out_.clear();
        blocks_.clear();
        keys_.clear();
        packer_.use_salt(file.header.salt);
        const auto finish = [&] {
            WrittenBlock& block = blocks_.emplace_back();
            block.place.offset = file.bytes + out_.size();
            block.header = packer_.finish(out_, block.place.offset, now, keys_);
            block.place.meta_bytes = block.header.meta_bytes;
            block.place.stored_bytes = block.header.stored_bytes;
            block.keys_end = keys_.size();
        };
        for (const Pending& pending : group) {
            for (const RawItem& item : pending.batch->items) {
                if (!packer_.has_room(item)) {
                    finish();
                }
                packer_.add(item);
            }
        }
        if (!packer_.empty()) {
            finish();
        }
    }

    void give_up_on_file() {
        segments_.seal();
        sealed_ = true;
    }

    void say_if_changed(const Result<void>& stored) {
        if (stored.has_value() == !failing_) {
            return;
        }
        failing_ = !stored;
        if (failing_) {
            log::error("evidence_not_stored", {{"why", stored.error().message}});
        } else {
            log::info("evidence_stored_again", {{"directory", options_.directory}});
        }
    }

    const SegmentLogOptions& options_;
    const Clock& clock_;
    MetricRegistry& metrics_;
    Disk& disk_;
    SegmentSet& segments_;
    BlockPacker packer_;
    ByteBuffer out_;
    std::vector<WrittenBlock> blocks_;
    std::vector<std::uint64_t> keys_;
    bool sealed_ = false;
    bool failing_ = false;
};

class DiskEvidenceLog final : public journal::EvidenceLog {
public:
    DiskEvidenceLog(
        const SegmentLogOptions& options, const Clock& clock, MetricRegistry* metrics, Disk& disk,
        FileLock lock
    )
        : options_(options),
          lock_(std::move(lock)),
          own_metrics_(metrics == nullptr ? std::make_unique<MetricRegistry>() : nullptr),
          metrics_(metrics == nullptr ? *own_metrics_ : *metrics),
          queue_gauge_(metrics_.gauge(evidence_queue_bytes)),
          segments_(options_, clock, metrics_, disk),
          writer_(options_, clock, metrics_, disk, segments_) {}

    ~DiskEvidenceLog() override {
        if (thread_.joinable()) {
            {
                const MutexLock lock(mutex_);
                stopping_ = true;
                changed_.notify_all();
            }
            thread_.join();
        }
    }

    Result<void> start() {
        TAGOUT_TRY(segments_.load());
        thread_ = std::thread([this] { run(); });
        ::pthread_setname_np(thread_.native_handle(), "evidence");
        return {};
    }

    Result<void> append(
        std::shared_ptr<const EventBatch> batch, std::function<void(Result<void>)> done
    ) override {
        std::size_t bytes = 0;
        for (const RawItem& item : batch->items) {
            const std::size_t whole = item.bytes.size() + item.resource.size() + item.scope.size() +
                                      item.correlation.size();
            if (whole > item_bytes_max) {
                return fail(
                    ErrorCode::InvalidArgument, "evidence log: an item of " + std::to_string(whole) +
                                                    " bytes; at most " +
                                                    std::to_string(item_bytes_max)
                );
            }
            bytes += item.bytes.size();
        }
        bytes = std::max(bytes, batch->bytes.size());
        const std::size_t items = batch->items.size();
        const MutexLock lock(mutex_);
        if (bytes_ + bytes > options_.queue_bytes_max) {
            const std::string_view reason = "queue_full";
            metrics_.counter(evidence_refused_items_total, {&reason, 1}).add(items);
            return fail(
                ErrorCode::LimitExceeded,
                "evidence log: " + std::to_string(bytes_) +
                    " bytes wait to be written; send again later, or raise evidence.queue_bytes_max"
            );
        }
        queue_.push_back({std::move(batch), std::move(done), bytes});
        bytes_ += bytes;
        queue_gauge_.set(static_cast<double>(bytes_));
        if (waiting_) {
            changed_.notify_one();
        }
        return {};
    }

    Result<std::vector<journal::EvidenceItem>> find(
        std::string_view correlation, std::size_t limit
    ) override {
        return segments_.find(correlation, limit);
    }
    Result<void> scan(
        Instant from, Instant to, const std::function<bool(const journal::EvidenceItem&)>& visit
    ) override {
        return segments_.scan(from, to, visit);
    }
    Result<void> pin(std::string_view correlation, std::string_view pin) override {
        return segments_.pin(correlation, pin);
    }
    Result<void> unpin(std::string_view pin) override { return segments_.unpin(pin); }
    [[nodiscard]] journal::EvidenceStats stats() const override { return segments_.stats(); }
    Result<std::vector<journal::EvidenceFault>> verify() override { return segments_.verify(); }

private:
    void run() {
        std::vector<Pending> group;
        while (take(group)) {
            if (group.empty()) {
                writer_.idle();
                continue;
            }
            writer_.commit(group);
            std::size_t bytes = 0;
            for (const Pending& pending : group) {
                bytes += pending.bytes;
            }
            group.clear();  // gives the requests' memory back before their bytes are free again
            const MutexLock lock(mutex_);
            bytes_ -= bytes;
            queue_gauge_.set(static_cast<double>(bytes_));
        }
        writer_.close();
    }

    /// Waits for requests and takes a group of them; an empty group after a quiet tick. False: the
    /// log closes and nothing is left.
    bool take(std::vector<Pending>& group) {
        const MutexLock lock(mutex_);
        if (queue_.empty() && !stopping_) {
            waiting_ = true;
            changed_.wait_for(mutex_, tick);
            waiting_ = false;
        }
        std::size_t bytes = 0;
        while (!queue_.empty() && (group.empty() || bytes + queue_.front().bytes <= group_bytes_max)) {
            bytes += queue_.front().bytes;
            group.push_back(std::move(queue_.front()));
            queue_.pop_front();
        }
        return !group.empty() || !stopping_;
    }

    const SegmentLogOptions options_;
    const FileLock lock_;
    const std::unique_ptr<MetricRegistry> own_metrics_;
    MetricRegistry& metrics_;
    Gauge& queue_gauge_;
    SegmentSet segments_;
    GroupWriter writer_;

    Mutex mutex_;
    Condition changed_;
    std::deque<Pending> queue_ TAGOUT_GUARDED_BY(mutex_);
    std::size_t bytes_ TAGOUT_GUARDED_BY(mutex_) = 0;  ///< Queued and being written.
    bool waiting_ TAGOUT_GUARDED_BY(mutex_) = false;
    bool stopping_ TAGOUT_GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<journal::EvidenceLog>> SegmentLog::open(
    const SegmentLogOptions& options, const Clock& clock, MetricRegistry* metrics, Disk* disk
) {
    std::error_code ignored;  // the lock file says it if there is no directory
    std::filesystem::create_directories(options.directory, ignored);
    FileLock lock = TAGOUT_TRY(FileLock::acquire(options.directory + "/lock"));
    auto log = std::make_unique<DiskEvidenceLog>(
        options, clock, metrics, disk == nullptr ? Disk::system() : *disk, std::move(lock)
    );
    TAGOUT_TRY(log->start());
    return log;
}

}  // namespace tagout::store
