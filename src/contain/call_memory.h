// What a place that calls pass remembers of earlier calls: how many there were (rules with `limit`),
// and what a session has met (rules with `flow`).
//
// A snapshot is immutable and comes anew with every change; this stays, so that a reload gives no
// agent a fresh allowance. It belongs to one gateway: two gateways count apart.
//
//   limit   a window that slides in sixths of its period: never more than `calls` in any period, and
//           after a full one at most a sixth of it later than need be
//   marks   untrusted, sensitive, changed: set when a call is let through, never taken back
//
// Thread-safe without locks: tables of fixed size, four places for each hash. Past calls_max keys and
// sessions_max sessions the one that was idle longest is forgotten and counted (forgotten()). Two
// threads that count in the same nanosecond at the edge of a sixth may let one call more pass.
// Memory: about 2.5 MB, taken when it is made. Cost: one cache line a look-up, no allocation.
#pragma once

#include "base/clock.h"
#include "contain/decide.h"
#include "contain/spend_memory.h"

#include <array>
#include <atomic>
#include <memory>

namespace tagout::contain {

class CallMemory {
public:
    static constexpr std::size_t keys_max = 16'384;
    static constexpr std::size_t sessions_max = 65'536;

    /// `spending` is shared with whoever carries it over a restart; one of its own without.
    explicit CallMemory(std::shared_ptr<SpendMemory> spending = nullptr);
    ~CallMemory();
    CallMemory(const CallMemory&) = delete;
    CallMemory& operator=(const CallMemory&) = delete;

    /// Whether one call more would be over the limit; `key` is of the rule and of whom it counts.
    [[nodiscard]] bool is_full(std::uint64_t key, const RuleLimit& limit, Instant now) const noexcept;
    /// When one call more would have room, from `now`; zero if it has.
    [[nodiscard]] Duration room_after(std::uint64_t key, const RuleLimit& limit, Instant now) const noexcept;
    /// Counts a call; false, counting nothing, if it is over the limit.
    bool take(std::uint64_t key, const RuleLimit& limit, Instant now) noexcept;

    /// What was spent under budgets.
    [[nodiscard]] SpendMemory& spending() noexcept { return *spending_; }
    [[nodiscard]] const SpendMemory& spending() const noexcept { return *spending_; }

    [[nodiscard]] Marks marks_of(std::uint64_t session) const noexcept;
    void mark(std::uint64_t session, Marks marks, Instant now) noexcept;

    /// Keys and sessions that made room for others while they still mattered.
    [[nodiscard]] std::uint64_t forgotten() const noexcept {
        return forgotten_.load(std::memory_order_relaxed);
    }

private:
    static constexpr std::size_t places = 4;  ///< For each hash.
    static constexpr std::size_t parts = 6;   ///< Of a period, beside the present one.

    /// A part's number and its count in one word.
    struct alignas(64) Window {
        std::atomic<std::uint64_t> key{0};
        std::array<std::atomic<std::uint64_t>, parts + 1> counts{};
    };
    struct Session {
        std::atomic<std::uint64_t> key{0};
        std::atomic<std::uint64_t> state{0};  ///< Seconds since 1970, then a byte of marks.
    };

    [[nodiscard]] static std::uint64_t calls_in(const Window& window, std::uint64_t part) noexcept;
    [[nodiscard]] Window* find(std::uint64_t key) const noexcept;
    Window& claim(std::uint64_t key, std::uint64_t part) noexcept;

    const std::shared_ptr<SpendMemory> spending_;
    std::unique_ptr<std::array<Window, keys_max>> windows_;
    std::unique_ptr<std::array<Session, sessions_max>> sessions_;
    std::atomic<std::uint64_t> forgotten_{0};
};

}  // namespace tagout::contain
