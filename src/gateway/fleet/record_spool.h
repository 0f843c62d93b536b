// Records of calls on their way to the control server: batches in files, oldest first, until the server
// said that it has them.
//
// A batch survives the death of the process. Bounded: past bytes_max or batches_max the oldest go, and
// what was lost is counted. Batches are numbered; together with the spool's own name a number is sent
// twice at most in case an answer got lost, and the server stores it once.
//
// Thread-safe.
#pragma once

#include "base/mutex.h"
#include "base/result.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace tagout::gateway {

class RecordSpool {
public:
    static constexpr std::size_t batch_bytes_max = 900 * 1024;  ///< Of one: below the API's limit.
    static constexpr std::size_t batches_max = 20'000;
    static constexpr std::uint64_t bytes_max = 256ULL * 1024 * 1024;

    /// Reads what an earlier life left in `folder`.
    [[nodiscard]] static Result<std::unique_ptr<RecordSpool>> open(
        const std::string& folder, std::uint64_t bytes_most = bytes_max
    );

    struct Batch {
        std::uint64_t number = 0;
        std::string text;
    };

    /// `calls` is what is counted as lost should it ever be dropped. LimitExceeded past batch_bytes_max,
    /// Unavailable: the disk; both are counted as dropped.
    Result<void> put(std::string_view text, std::uint64_t calls);
    /// The oldest, which stays until done(). A file that cannot be read is dropped and counted.
    [[nodiscard]] std::optional<Batch> oldest();
    void done(std::uint64_t number);

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] std::size_t waiting() const;
    [[nodiscard]] std::uint64_t dropped_calls() const;

private:
    struct Row {
        std::uint64_t number = 0;
        std::uint64_t bytes = 0;
        std::uint64_t calls = 0;
    };

    RecordSpool(std::string folder, std::uint64_t bytes_most)
        : folder_(std::move(folder)), bytes_most_(bytes_most) {}
    [[nodiscard]] std::string path_of(const Row& row) const;
    void drop_front(std::string_view why) TAGOUT_REQUIRES(mutex_);

    const std::string folder_;
    const std::uint64_t bytes_most_;
    std::string name_;
    mutable Mutex mutex_;
    std::deque<Row> rows_ TAGOUT_GUARDED_BY(mutex_);
    std::uint64_t bytes_ TAGOUT_GUARDED_BY(mutex_) = 0;
    std::uint64_t next_ TAGOUT_GUARDED_BY(mutex_) = 1;
    std::uint64_t dropped_ TAGOUT_GUARDED_BY(mutex_) = 0;
};

}  // namespace tagout::gateway
