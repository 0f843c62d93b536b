#include "contain/call_memory.h"

#include <algorithm>

namespace tagout::contain {

namespace {

constexpr std::uint64_t count_bits = 24;
constexpr std::uint64_t count_mask = (std::uint64_t{1} << count_bits) - 1;
static_assert(RuleLimit::calls_max < count_mask);

/// Which part of a period it is, counted since 1970; 0 is kept for none.
std::uint64_t part_at(const RuleLimit& limit, std::size_t parts, Instant now) noexcept {
    const std::int64_t length =
        std::max<std::int64_t>(limit.per.count() / static_cast<std::int64_t>(parts), 1);
    return static_cast<std::uint64_t>(std::max<std::int64_t>(unix_nanos(now), 0) / length) + 1;
}

constexpr std::uint64_t packed(std::uint64_t part, std::uint64_t count) noexcept {
    return part << count_bits | count;
}
/// Parts are compared by what of them is kept.
constexpr std::uint64_t part_of(std::uint64_t word) noexcept { return word >> count_bits; }
constexpr std::uint64_t kept(std::uint64_t part) noexcept { return part_of(packed(part, 0)); }

constexpr std::uint64_t never_zero(std::uint64_t key) noexcept { return key == 0 ? 1 : key; }

std::uint64_t state_of(Instant now, Marks marks) noexcept {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(unix_nanos(now), 0)) / 1'000'000'000 << 8 |
           marks;
}

}  // namespace

CallMemory::CallMemory(std::shared_ptr<SpendMemory> spending)
    : spending_(spending ? std::move(spending) : std::make_shared<SpendMemory>()),
      windows_(std::make_unique<std::array<Window, keys_max>>()),
      sessions_(std::make_unique<std::array<Session, sessions_max>>()) {}
CallMemory::~CallMemory() = default;

std::uint64_t CallMemory::calls_in(const Window& window, std::uint64_t part) noexcept {
    std::uint64_t calls = 0;
    for (const auto& each : window.counts) {
        const std::uint64_t word = each.load(std::memory_order_relaxed);
        const std::uint64_t age = kept(part) - part_of(word);
        calls += age <= parts && part_of(word) != 0 ? word & count_mask : 0;
    }
    return calls;
}

CallMemory::Window* CallMemory::find(std::uint64_t key) const noexcept {
    const std::size_t begin = key % (keys_max / places) * places;
    for (std::size_t i = begin; i < begin + places; ++i) {
        if ((*windows_)[i].key.load(std::memory_order_acquire) == key) {
            return &(*windows_)[i];
        }
    }
    return nullptr;
}

CallMemory::Window& CallMemory::claim(std::uint64_t key, std::uint64_t part) noexcept {
    const std::size_t begin = key % (keys_max / places) * places;
    while (true) {
        Window* oldest = nullptr;
        std::uint64_t oldest_part = UINT64_MAX;
        std::uint64_t oldest_key = 0;
        for (std::size_t i = begin; i < begin + places; ++i) {
            Window& window = (*windows_)[i];
            const std::uint64_t held = window.key.load(std::memory_order_acquire);
            if (held == key) {
                return window;
            }
            std::uint64_t newest = 0;
            for (const auto& each : window.counts) {
                newest = std::max(newest, part_of(each.load(std::memory_order_relaxed)));
            }
            newest = held == 0 ? 0 : newest;
            if (newest < oldest_part) {
                oldest = &window;
                oldest_part = newest;
                oldest_key = held;
            }
        }
        if (oldest->key.compare_exchange_strong(oldest_key, key, std::memory_order_acq_rel)) {
            if (oldest_key != 0 && kept(part) - oldest_part <= parts) {
                forgotten_.fetch_add(1, std::memory_order_relaxed);
            }
            for (auto& each : oldest->counts) {
                each.store(0, std::memory_order_relaxed);
            }
            return *oldest;
        }
    }
}

bool CallMemory::is_full(
    std::uint64_t key, const RuleLimit& limit, Instant now
) const noexcept {
    const Window* const window = find(never_zero(key));
    return window != nullptr && calls_in(*window, part_at(limit, parts, now)) >= limit.calls;
}

Duration CallMemory::room_after(
    std::uint64_t key, const RuleLimit& limit, Instant now
) const noexcept {
    const Window* const window = find(never_zero(key));
    if (window == nullptr) {
        return Duration{};
    }
    const std::uint64_t part = part_at(limit, parts, now);
    const std::int64_t length =
        std::max<std::int64_t>(limit.per.count() / static_cast<std::int64_t>(parts), 1);
    std::uint64_t later = 0;
    while (later <= parts && calls_in(*window, part + later) >= limit.calls) {
        ++later;
    }
    if (later == 0) {
        return Duration{};
    }
    // Part p begins at (p - 1) times its length.
    const auto begins = static_cast<std::int64_t>(part + later - 1) * length;
    return Duration(begins - std::max<std::int64_t>(unix_nanos(now), 0));
}

bool CallMemory::take(std::uint64_t key, const RuleLimit& limit, Instant now) noexcept {
    const std::uint64_t part = part_at(limit, parts, now);
    Window& window = claim(never_zero(key), part);
    std::atomic<std::uint64_t>& present = window.counts[part % (parts + 1)];
    while (true) {
        std::uint64_t word = present.load(std::memory_order_relaxed);
        if (calls_in(window, part) >= limit.calls) {
            return false;
        }
        const std::uint64_t count = part_of(word) == kept(part) ? word & count_mask : 0;
        if (present.compare_exchange_weak(
                word, packed(part, count + 1), std::memory_order_relaxed
            )) {
            return true;
        }
    }
}

Marks CallMemory::marks_of(std::uint64_t session) const noexcept {
    const std::uint64_t key = never_zero(session);
    const std::size_t begin = key % (sessions_max / places) * places;
    for (std::size_t i = begin; i < begin + places; ++i) {
        const Session& each = (*sessions_)[i];
        if (each.key.load(std::memory_order_acquire) == key) {
            return static_cast<Marks>(each.state.load(std::memory_order_relaxed) & 0xff);
        }
    }
    return 0;
}

void CallMemory::mark(std::uint64_t session, Marks marks, Instant now) noexcept {
    const std::uint64_t key = never_zero(session);
    const std::size_t begin = key % (sessions_max / places) * places;
    while (true) {
        Session* oldest = nullptr;
        std::uint64_t oldest_state = UINT64_MAX;
        std::uint64_t oldest_key = 0;
        for (std::size_t i = begin; i < begin + places; ++i) {
            Session& each = (*sessions_)[i];
            const std::uint64_t held = each.key.load(std::memory_order_acquire);
            std::uint64_t state = each.state.load(std::memory_order_relaxed);
            if (held == key) {
                while (!each.state.compare_exchange_weak(
                    state, state_of(now, static_cast<Marks>((state & 0xff) | marks)),
                    std::memory_order_relaxed
                )) {
                }
                return;
            }
            state = held == 0 ? 0 : state;
            if (state < oldest_state) {
                oldest = &each;
                oldest_state = state;
                oldest_key = held;
            }
        }
        if (oldest->key.compare_exchange_strong(oldest_key, key, std::memory_order_acq_rel)) {
            // What the session before it had met must not stick to this one.
            oldest->state.store(state_of(now, marks), std::memory_order_relaxed);
            if (oldest_key != 0) {
                forgotten_.fetch_add(1, std::memory_order_relaxed);
            }
            return;
        }
    }
}

}  // namespace tagout::contain
