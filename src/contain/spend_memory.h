// What was spent at models under each budget (mode budget), by whom it counts: tokens, or millionths
// of a US dollar.
//
// Snapshots are immutable and come anew with every change; this stays, and to_text() and restore()
// carry it over a restart. It belongs to one gateway: two gateways count apart. A request is counted
// when its answer has ended, so those that run side by side may overdraw a budget by what they cost.
//
//   with a period     a window that slides in sixths of it: full again at most a sixth late
//   without           everything since the control was applied
//
// Thread-safe; reading takes no lock. Past keys_max accounts the one that was idle longest is
// forgotten and counted (forgotten()). Memory: nothing before the first spend, then 2 MB. Cost: two
// cache lines a look-up, no allocation after the first spend.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "domain/control.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tagout::contain {

/// What an account may hold.
struct SpendLimit {
    std::uint64_t amount = 0;
    Duration per{};  ///< Zero: as long as the control stands.
};

class SpendMemory {
public:
    static constexpr std::size_t keys_max = 16'384;
    static constexpr std::size_t text_bytes_max = 16 * 1024 * 1024;

    SpendMemory() = default;
    ~SpendMemory();
    SpendMemory(const SpendMemory&) = delete;
    SpendMemory& operator=(const SpendMemory&) = delete;

    [[nodiscard]] std::uint64_t spent(std::uint64_t key, Duration per, Instant now) const noexcept;
    [[nodiscard]] bool is_spent(std::uint64_t key, const SpendLimit& limit, Instant now) const noexcept {
        return spent(key, limit.per, now) >= limit.amount;
    }
    /// When something may be spent again, from `now`; zero if it may, or never will.
    [[nodiscard]] Duration room_after(
        std::uint64_t key, const SpendLimit& limit, Instant now
    ) const noexcept;
    /// Whether some of what the account holds was estimated because nobody told it.
    [[nodiscard]] bool is_estimated(std::uint64_t key) const noexcept;
    /// Without memory for its accounts nothing is counted; that is so only if none is left at all.
    void spend(
        std::uint64_t key, Duration per, std::uint64_t amount, bool estimated, Instant now
    ) noexcept;

    /// Accounts that made room for others.
    [[nodiscard]] std::uint64_t forgotten() const noexcept {
        return forgotten_.load(std::memory_order_relaxed);
    }
    /// Changes with every spend: whoever writes it down sees whether there is something new.
    [[nodiscard]] std::uint64_t changes() const noexcept {
        return changes_.load(std::memory_order_relaxed);
    }

    [[nodiscard]] std::string to_text() const;
    /// Before anything is spent. InvalidArgument, changing nothing, if it is no text of to_text().
    Result<void> restore(std::string_view text);

private:
    static constexpr std::size_t places = 4;  ///< For each hash.
    static constexpr std::size_t parts = 6;   ///< Of a period, beside the present one.

    struct alignas(64) Account {
        std::atomic<std::uint64_t> key{0};
        std::atomic<std::uint64_t> total{0};
        std::atomic<std::uint64_t> seconds{0};  ///< Since 1970, of the newest spend; then one bit:
                                                ///< some of it was estimated.
        /// A part's number and its amount in one word.
        std::array<std::atomic<std::uint64_t>, parts + 1> amounts{};
    };
    using Accounts = std::array<Account, keys_max>;

    [[nodiscard]] static std::uint64_t amount_in(const Account& account, std::uint64_t part) noexcept;
    [[nodiscard]] Account* find(std::uint64_t key) const noexcept;
    [[nodiscard]] Account* claim(std::uint64_t key) noexcept;
    [[nodiscard]] Accounts* accounts() noexcept;

    std::atomic<Accounts*> accounts_{nullptr};  ///< Owned.
    std::atomic<std::uint64_t> forgotten_{0};
    std::atomic<std::uint64_t> changes_{0};
};

}  // namespace tagout::contain
