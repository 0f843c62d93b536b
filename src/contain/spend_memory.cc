#include "contain/spend_memory.h"

#include "contain/form_reader.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <new>
#include <vector>

namespace tagout::contain {

namespace {

namespace json = boost::json;

constexpr std::uint64_t amount_bits = 40;
constexpr std::uint64_t amount_mask = (std::uint64_t{1} << amount_bits) - 1;
constexpr std::uint64_t part_mask = (std::uint64_t{1} << (64 - amount_bits)) - 1;
static_assert(EffectTerms::budget_max < amount_mask);
// Parts are compared by what of them is kept: the shortest comes round after years.
static_assert(EffectTerms::budget_per_min >= std::chrono::minutes(1));

std::uint64_t nanos(Instant now) noexcept {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(unix_nanos(now), 0));
}
std::uint64_t length_of(Duration per, std::size_t parts) noexcept {
    return static_cast<std::uint64_t>(
        std::max<std::int64_t>(per.count() / static_cast<std::int64_t>(parts), 1)
    );
}
constexpr std::uint64_t never_zero(std::uint64_t key) noexcept { return key == 0 ? 1 : key; }

}  // namespace

SpendMemory::~SpendMemory() {
    delete accounts_.load();
}

SpendMemory::Accounts* SpendMemory::accounts() noexcept {
    Accounts* known = accounts_.load(std::memory_order_acquire);
    if (known != nullptr) {
        return known;
    }
    Accounts* const made = new (std::nothrow) Accounts();
    if (made != nullptr && !accounts_.compare_exchange_strong(known, made, std::memory_order_acq_rel)) {
        delete made;
        return known;
    }
    return made;
}

SpendMemory::Account* SpendMemory::find(std::uint64_t key) const noexcept {
    Accounts* const all = accounts_.load(std::memory_order_acquire);
    if (all == nullptr) {
        return nullptr;
    }
    const std::size_t begin = key % (keys_max / places) * places;
    for (std::size_t i = begin; i < begin + places; ++i) {
        if ((*all)[i].key.load(std::memory_order_acquire) == key) {
            return &(*all)[i];
        }
    }
    return nullptr;
}

SpendMemory::Account* SpendMemory::claim(std::uint64_t key) noexcept {
    Accounts* const all = accounts();
    if (all == nullptr) {
        return nullptr;
    }
    const std::size_t begin = key % (keys_max / places) * places;
    while (true) {
        Account* oldest = nullptr;
        std::uint64_t oldest_seconds = UINT64_MAX;
        std::uint64_t oldest_key = 0;
        for (std::size_t i = begin; i < begin + places; ++i) {
            Account& each = (*all)[i];
            const std::uint64_t held = each.key.load(std::memory_order_acquire);
            if (held == key) {
                return &each;
            }
            const std::uint64_t at = held == 0 ? 0 : each.seconds.load(std::memory_order_relaxed);
            if (at < oldest_seconds) {
                oldest = &each;
                oldest_seconds = at;
                oldest_key = held;
            }
        }
        if (oldest->key.compare_exchange_strong(oldest_key, key, std::memory_order_acq_rel)) {
            if (oldest_key != 0) {
                forgotten_.fetch_add(1, std::memory_order_relaxed);
            }
            oldest->total.store(0, std::memory_order_relaxed);
            oldest->seconds.store(0, std::memory_order_relaxed);
            for (auto& each : oldest->amounts) {
                each.store(0, std::memory_order_relaxed);
            }
            return oldest;
        }
    }
}

std::uint64_t SpendMemory::amount_in(const Account& account, std::uint64_t part) noexcept {
    std::uint64_t amount = 0;
    for (const auto& each : account.amounts) {
        const std::uint64_t word = each.load(std::memory_order_relaxed);
        const std::uint64_t age = (part - (word >> amount_bits)) & part_mask;
        amount += age <= parts ? word & amount_mask : 0;
    }
    return amount;
}

std::uint64_t SpendMemory::spent(std::uint64_t key, Duration per, Instant now) const noexcept {
    const Account* const account = find(never_zero(key));
    if (account == nullptr) {
        return 0;
    }
    return per == Duration{} ? account->total.load(std::memory_order_relaxed)
                             : amount_in(*account, nanos(now) / length_of(per, parts));
}

Duration SpendMemory::room_after(
    std::uint64_t key, const SpendLimit& limit, Instant now
) const noexcept {
    const Account* const account = find(never_zero(key));
    if (account == nullptr || limit.per == Duration{}) {
        return Duration{};
    }
    const std::uint64_t length = length_of(limit.per, parts);
    const std::uint64_t part = nanos(now) / length;
    std::uint64_t later = 0;
    while (later <= parts && amount_in(*account, part + later) >= limit.amount) {
        ++later;
    }
    return later == 0 ? Duration{}
                      : Duration(static_cast<std::int64_t>((part + later) * length - nanos(now)));
}

bool SpendMemory::is_estimated(std::uint64_t key) const noexcept {
    const Account* const account = find(never_zero(key));
    return account != nullptr && (account->seconds.load(std::memory_order_relaxed) & 1) != 0;
}

void SpendMemory::spend(
    std::uint64_t key, Duration per, std::uint64_t amount, bool estimated, Instant now
) noexcept {
    Account* const account = claim(never_zero(key));
    if (account == nullptr) {
        return;
    }
    account->total.fetch_add(amount, std::memory_order_relaxed);
    const std::uint64_t before = account->seconds.load(std::memory_order_relaxed);
    account->seconds.store(
        nanos(now) / 1'000'000'000 << 1 | (before & 1) | (estimated ? 1 : 0), std::memory_order_relaxed
    );
    if (per != Duration{}) {
        const std::uint64_t part = nanos(now) / length_of(per, parts);
        std::atomic<std::uint64_t>& present = account->amounts[part % (parts + 1)];
        std::uint64_t word = present.load(std::memory_order_relaxed);
        std::uint64_t next = 0;
        do {
            const bool same = word >> amount_bits == (part & part_mask);
            const std::uint64_t held = same ? word & amount_mask : 0;
            const std::uint64_t sum = std::min(held + std::min(amount, amount_mask), amount_mask);
            next = (part & part_mask) << amount_bits | sum;
        } while (!present.compare_exchange_weak(word, next, std::memory_order_relaxed));
    }
    changes_.fetch_add(1, std::memory_order_release);
}

std::string SpendMemory::to_text() const {
    json::array list;
    if (const Accounts* const all = accounts_.load(std::memory_order_acquire)) {
        for (const Account& each : *all) {
            const std::uint64_t key = each.key.load(std::memory_order_acquire);
            if (key == 0) {
                continue;
            }
            json::array amounts;
            for (const auto& amount : each.amounts) {
                amounts.emplace_back(std::to_string(amount.load(std::memory_order_relaxed)));
            }
            list.push_back(json::object{
                {"key", std::to_string(key)},
                {"total", std::to_string(each.total.load(std::memory_order_relaxed))},
                {"seconds", std::to_string(each.seconds.load(std::memory_order_relaxed))},
                {"amounts", std::move(amounts)}});
        }
    }
    return json::serialize(json::object{{"form", "spent"}, {"accounts", std::move(list)}});
}

Result<void> SpendMemory::restore(std::string_view text) {
    const json::object form = TAGOUT_TRY(object_of(text, "spent", text_bytes_max));
    FormReader reader(form, "spent");
    if (reader.text("form", 40, Needed::Yes) != "spent") {
        reader.wrong("form", "is not 'spent'");
    }
    struct Row {
        std::uint64_t key = 0;
        std::uint64_t total = 0;
        std::uint64_t seconds = 0;
        std::array<std::uint64_t, parts + 1> amounts{};
    };
    std::vector<Row> rows;
    constexpr std::size_t digits_max = 20;
    const auto number = [](FormReader& from, std::string_view name, const std::string& digits) {
        std::uint64_t value = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (error != std::errc{} || end != digits.data() + digits.size()) {
            from.wrong(name, "is no whole number");
        }
        return value;
    };
    for (const json::object* const each : reader.objects("accounts", keys_max)) {
        FormReader inner(*each, "spent.accounts[" + std::to_string(rows.size()) + "]");
        Row row;
        row.key = never_zero(number(inner, "key", inner.text("key", digits_max, Needed::Yes)));
        row.total = number(inner, "total", inner.text("total", digits_max, Needed::Yes));
        row.seconds = number(inner, "seconds", inner.text("seconds", digits_max, Needed::Yes));
        const std::vector<std::string> amounts = inner.texts("amounts", parts + 1, digits_max);
        if (amounts.size() != row.amounts.size()) {
            inner.wrong("amounts", "is not of the length that this version writes");
        } else {
            for (std::size_t i = 0; i < amounts.size(); ++i) {
                row.amounts[i] = number(inner, "amounts", amounts[i]);
            }
        }
        TAGOUT_TRY(inner.end());
        rows.push_back(row);
    }
    TAGOUT_TRY(reader.end());
    for (const Row& row : rows) {
        Account* const account = claim(row.key);
        if (account == nullptr) {
            return fail(ErrorCode::LimitExceeded, "there is no memory for what was spent");
        }
        account->total.store(row.total);
        account->seconds.store(row.seconds);
        for (std::size_t i = 0; i < row.amounts.size(); ++i) {
            account->amounts[i].store(row.amounts[i]);
        }
    }
    return {};
}

}  // namespace tagout::contain
