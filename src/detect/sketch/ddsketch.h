// DDSketch: quantiles of positive numbers within a relative error, mergeable without loss.
//
// Source: Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with
// relative-error guarantees", VLDB 2019; buckets by the cubic-free variant of its authors' code:
// the exponent of the double and a linear step inside it, so no logarithm is taken. 16 steps an
// octave bound the relative error of a quantile by 1/32 of the value (3.2 %).
//
// Thread-compatible value. Bound: buckets_max buckets; past it the lowest ones collapse into one,
// so high quantiles stay exact to the bound. Numbers below 1e-6 count as zero. Cost: about 5 ns an
// add.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>

namespace tagout::detect {

class DdSketch {
public:
    static constexpr std::size_t buckets_max = 128;
    static constexpr double relative_error = 1.0 / 32;

    void add(double value, std::uint64_t times = 1) {
        count_ += times;
        if (!(value > 1e-6)) {
            zeros_ += times;
            return;
        }
        buckets_[bucket_of(value)] += times;
        collapse();
    }
    void merge(const DdSketch& other) {
        count_ += other.count_;
        zeros_ += other.zeros_;
        for (const auto& [bucket, times] : other.buckets_) {
            buckets_[bucket] += times;
        }
        collapse();
    }
    /// `share` from 0 to 1; 0 when nothing was added.
    [[nodiscard]] double quantile(double share) const {
        if (count_ == 0) {
            return 0;
        }
        const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(count_ - 1));
        std::uint64_t seen = zeros_;
        if (rank < seen) {
            return 0;
        }
        for (const auto& [bucket, times] : buckets_) {
            seen += times;
            if (rank < seen) {
                return middle_of(bucket);
            }
        }
        return middle_of(buckets_.rbegin()->first);
    }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] std::uint64_t zeros() const noexcept { return zeros_; }
    [[nodiscard]] const std::map<std::int32_t, std::uint64_t>& buckets() const noexcept {
        return buckets_;
    }
    /// For reading one back: adds `times` numbers of that bucket.
    void add_bucket(std::int32_t bucket, std::uint64_t times) {
        count_ += times;
        buckets_[std::clamp(bucket, bucket_min, bucket_max)] += times;
        collapse();
    }
    void add_zeros(std::uint64_t times) {
        count_ += times;
        zeros_ += times;
    }

private:
    static constexpr int step_bits = 4;  ///< 16 steps an octave.
    static constexpr std::int32_t bucket_min = 0;
    static constexpr std::int32_t bucket_max = (2046 << step_bits) | 15;

    static std::int32_t bucket_of(double value) noexcept {
        const auto bits = std::bit_cast<std::uint64_t>(std::min(value, 1e300));
        return static_cast<std::int32_t>(bits >> (52 - step_bits));
    }
    static double middle_of(std::int32_t bucket) noexcept {
        const auto low =
            std::bit_cast<double>(static_cast<std::uint64_t>(bucket) << (52 - step_bits));
        const auto high =
            std::bit_cast<double>(static_cast<std::uint64_t>(bucket + 1) << (52 - step_bits));
        return (low + high) / 2;
    }
    void collapse() {
        while (buckets_.size() > buckets_max) {
            const auto lowest = buckets_.begin();
            std::next(lowest)->second += lowest->second;
            buckets_.erase(lowest);
        }
    }

    std::map<std::int32_t, std::uint64_t> buckets_;
    std::uint64_t count_ = 0;
    std::uint64_t zeros_ = 0;
};

}  // namespace tagout::detect
