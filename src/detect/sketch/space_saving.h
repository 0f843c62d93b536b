// SpaceSaving: the most frequent names of a stream in a fixed number of counters.
//
// Source: Metwally, Agrawal, El Abbadi: "Efficient computation of frequent and top-k elements in
// data streams", ICDT 2005; merging as in Agarwal et al.: "Mergeable summaries", PODS 2012. Every
// name with more than total/capacity occurrences is kept; a count is too high by at most `error`.
//
// Thread-compatible value. Bound: Capacity counters. Deterministic: ties go to the smaller name.
// Cost: a scan of the counters, about 15 ns at 8.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::detect {

struct SpaceSavingEntry {
    std::string name;
    std::uint64_t count = 0;
    std::uint64_t error = 0;
};

template <std::size_t Capacity>
class SpaceSaving {
public:
    void add(std::string_view name, std::uint64_t times = 1) { add(name, times, 0); }
    void add(std::string_view name, std::uint64_t times, std::uint64_t error) {
        total_ += times;
        for (SpaceSavingEntry& entry : entries_) {
            if (entry.name == name) {
                entry.count += times;
                entry.error += error;
                return;
            }
        }
        if (entries_.size() < Capacity) {
            entries_.push_back({std::string(name), times, error});
            return;
        }
        SpaceSavingEntry& least = *std::ranges::min_element(entries_, less);
        least.error = least.count + error;
        least.count += times;
        least.name = name;
    }
    void merge(const SpaceSaving& other) {
        const std::uint64_t total = total_ + other.total_;
        std::vector<SpaceSavingEntry> sorted = other.entries_;
        std::ranges::sort(sorted, [](const auto& a, const auto& b) { return less(b, a); });
        for (const SpaceSavingEntry& entry : sorted) {
            add(entry.name, entry.count, entry.error);
        }
        total_ = total;
    }
    /// Most frequent first.
    [[nodiscard]] std::vector<SpaceSavingEntry> top() const {
        std::vector<SpaceSavingEntry> sorted = entries_;
        std::ranges::sort(sorted, [](const auto& a, const auto& b) { return less(b, a); });
        return sorted;
    }
    [[nodiscard]] const std::vector<SpaceSavingEntry>& entries() const noexcept { return entries_; }
    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }

private:
    static bool less(const SpaceSavingEntry& a, const SpaceSavingEntry& b) {
        return a.count != b.count ? a.count < b.count : a.name > b.name;
    }

    std::vector<SpaceSavingEntry> entries_;
    std::uint64_t total_ = 0;
};

}  // namespace tagout::detect
