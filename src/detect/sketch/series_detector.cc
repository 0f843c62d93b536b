#include "detect/sketch/series_detector.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace tagout::detect {

namespace {

constexpr double day_seconds = 86'400;
constexpr double memory = 5'700;  ///< Points that matter for what is usual.
constexpr double fast_window = 1.7;
constexpr double level_window = 370;
constexpr double short_window = 16;
constexpr double middle_window = 18;
constexpr double long_times = 4;    ///< Of the middle window.
constexpr double learn_first = 10;  ///< Points before anything is judged.
constexpr double size_cap = 3.5;    ///< Times the usual size; more teaches no more.
constexpr double size_share_min =
    0.08;  ///< Of the usual magnitude: smaller deviations do not count.
constexpr double spread_size_min = 0.02;
constexpr double day_rate = 0.3;     ///< What one day tells of its slots.
constexpr double day_better = 0.95;  ///< The profile forecasts once its error is so much smaller.
constexpr double day_visits_min = 1.5;
constexpr double day_cap = 4;
constexpr double error_window = 500;
constexpr double size_weight = 3;
constexpr double rarity_power = 1.1;
constexpr double below_weight = 1;
constexpr double above_weight = 0.95;  ///< Most series jump up more readily than down.
constexpr double others_share = 0.2;
constexpr double prior = 0.7;          ///< Larger ones that are thought to have been.
constexpr double beyond_slope = 0.75;  ///< Score a decade beyond the largest seen.
constexpr double beyond_history = 400;
constexpr double told_min = 0.2;
constexpr double hold_points = 20;
constexpr double hold_share = 0.1;   ///< Of the points so far.
constexpr double hold_first = 1.33;  ///< Times the told score that is told at once ...
constexpr double hold_last = 0.65;   ///< ... and at the end of the hold.

// Point, short mean, middle mean, jump, spread, short against fast, short against middle, long
// mean.
constexpr double deviation_weights[] = {0.55, 1, 1, 1.4, 0.12, 0.75, 0.54, 1.2};
constexpr SeriesShape shapes[] = {
    SeriesShape::Point,
    SeriesShape::Level,
    SeriesShape::Level,
    SeriesShape::Jump,
    SeriesShape::Spread,
    SeriesShape::Point,
    SeriesShape::Level,
    SeriesShape::Drift,
};

/// log2 as straight lines between powers of two: monotone, the same on every machine.
double rough_log2(double value) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
    const int exponent = static_cast<int>(bits >> 23U) - 127;
    const float mantissa = std::bit_cast<float>((bits & 0x7fffffU) | 0x3f800000U);
    return exponent + static_cast<double>(mantissa) - 1;
}

}  // namespace

std::string_view words_of(SeriesShape shape) noexcept {
    switch (shape) {
        case SeriesShape::None:
            return "as usual";
        case SeriesShape::Point:
            return "a spike";
        case SeriesShape::Level:
            return "a new level";
        case SeriesShape::Jump:
            return "a jump";
        case SeriesShape::Spread:
            return "a change of spread";
        case SeriesShape::Drift:
            return "a drift";
    }
    return "?";
}

void SeriesDetector::WindowMean::add(double value, double window, double point_weight) {
    points = std::min(points + 1, window);
    weight += (point_weight - weight) / points;
    mean += (value - mean) * std::min(1.0, point_weight / (points * weight));
}

std::size_t SeriesDetector::Rarity::bin_of(double size) noexcept {
    constexpr double smallest = 1e-2;
    constexpr double smallest_octaves = 6.6439;  // -log2(smallest)
    if (!(size >= smallest)) {
        return 0;
    }
    const double bin = (rough_log2(size) + smallest_octaves) * 4 + 1;
    return static_cast<std::size_t>(std::clamp(bin, 0.0, static_cast<double>(bins - 1)));
}

SeriesDetector::Rarity::Tail SeriesDetector::Rarity::of(double size) const {
    double above = 0;
    for (std::size_t i = bin_of(size); i <= top_; ++i) {
        above += counts_[i];
    }
    const double share = (above + prior * unit_) / (total_ + 2 * prior * unit_);
    Tail tail;
    tail.score = -std::log10(std::min(1.0, share));
    const double highest = std::log10((total_ / unit_ + 2 * prior) / prior);
    tail.share = highest > 0 ? std::clamp(tail.score / highest, 0.01, 1.0) : 0.01;
    if (above < unit_ / 2) {
        double cumulated = 0;
        std::size_t edge_bin = top_;
        for (; edge_bin > 0; --edge_bin) {
            cumulated += counts_[edge_bin];
            if (cumulated >= unit_) {
                break;
            }
        }
        const double edge = 1e-2 * std::exp2(static_cast<double>(edge_bin) / 4);
        if (size > edge) {
            tail.score += beyond_slope * std::log10(size / edge) *
                          std::min(1.0, total_ / unit_ / beyond_history);
        }
    }
    return tail;
}

void SeriesDetector::Rarity::add(double size) {
    constexpr double unit_max = 1e4;
    constexpr double growth = 1 / (1 - 1 / memory);
    unit_ *= growth;
    const std::size_t bin = bin_of(size);
    counts_[bin] += static_cast<float>(unit_);
    top_ = std::max(top_, bin);
    total_ += unit_;
    if (unit_ > unit_max) {
        for (float& count : counts_) {
            count /= static_cast<float>(unit_);
        }
        total_ /= unit_;
        unit_ = 1;
    }
}

double SeriesDetector::Deviation::judge(double value, double size_min) const {
    const double scale = std::max(usual_size, size_min);
    if (seen < learn_first || scale <= 0) {
        return 0;
    }
    const bool below = value < 0;
    const double size = std::abs(value) / scale;
    const Rarity::Tail tail = rarity[below ? 1 : 0].of(size);
    constexpr double log10_of_2 = 0.30103;
    const double large = size_weight * log10_of_2 * rough_log2(1 + size);
    const double score = tail.score + large * std::exp2(rarity_power * rough_log2(tail.share));
    return score * (below ? below_weight : above_weight);
}

void SeriesDetector::Deviation::learn(double value, double size_min) {
    const double size = std::abs(value);
    seen = std::min(seen + 1, memory);
    const bool known = seen > 10 && usual_size > 0;
    const double cap =
        known ? size_cap * std::max(usual_size, size_min) : std::numeric_limits<double>::infinity();
    usual_size += (std::min(size, cap) - usual_size) / seen;
    const double scale = std::max(usual_size, size_min);
    if (seen >= 5 && scale > 0) {
        const bool below = value < 0;
        rarity[below ? 1 : 0].add(size / scale);
        rarity[below ? 0 : 1].add(0);
    }
}

SeriesDetector::Forecast SeriesDetector::forecast(double unix_seconds, double value) {
    constexpr double slot_seconds = day_seconds / day_slots;
    const double second = std::fmod(unix_seconds, day_seconds);
    double profile = 0;
    double visits = 0;
    if (step_seconds_ >= 0.95 * slot_seconds) {
        const std::size_t slot = static_cast<std::size_t>(second / slot_seconds) % day_slots;
        profile = day_[slot];
        visits = day_seen_[slot];
    } else {  // between the middles of two slots
        const double place = second / slot_seconds + day_slots - 0.5;
        const auto whole = static_cast<std::size_t>(place);
        const double part = place - static_cast<double>(whole);
        const std::size_t first = whole % day_slots;
        const std::size_t second_slot = (whole + 1) % day_slots;
        profile = day_[first] * (1 - part) + day_[second_slot] * part;
        visits = std::min(day_seen_[first], day_seen_[second_slot]);
    }
    Forecast result{level_.mean, level_.mean};
    if (visits >= day_visits_min) {
        const double usual = deviations_[0].usual_size;
        const double cap = usual > 0 ? size_cap * usual : std::numeric_limits<double>::infinity();
        if (error_day_.mean < day_better * error_level_.mean) {
            result.expected += profile;
        }
        error_level_.add(std::min(std::abs(value - level_.mean), cap), error_window);
        error_day_.add(std::min(std::abs(value - level_.mean - profile), cap), error_window);
    }
    return result;
}

void SeriesDetector::learn_day(double unix_seconds, double value) {
    constexpr double slot_seconds = day_seconds / day_slots;
    const double second = std::fmod(unix_seconds, day_seconds);
    const std::size_t slot = static_cast<std::size_t>(second / slot_seconds) % day_slots;
    float& profile = day_[slot];
    float& seen = day_seen_[slot];
    double off = value - level_.mean;
    const double usual = deviations_[0].usual_size;
    if (usual > 0 && seen > 2) {
        off = std::clamp(off, profile - day_cap * usual, profile + day_cap * usual);
    }
    const double rate = std::max(day_rate, 1.0 / (seen + 1)) / points_a_slot_;
    profile += static_cast<float>(std::min(1.0, rate) * (off - profile));
    seen += static_cast<float>(1 / points_a_slot_);
}

void SeriesDetector::deviate(
    double value, double expected, double weight, double (&out)[deviation_count]
) {
    const double residual = value - expected;
    residual_short_.add(residual, short_window, weight);
    residual_middle_.add(residual, middle_window, weight);
    residual_long_.add(residual, middle_window * long_times, weight);
    const double change = std::abs(value - before_);
    change_short_.add(change, short_window);
    change_usual_.add(change, level_window);
    value_short_.add(value, short_window, weight);
    value_middle_.add(value, middle_window, weight);
    const double usual_weight = level_.weight > 0 ? level_.weight : 1;
    const auto shrunk = [&](double deviation, double by) {
        return deviation * std::min(1.0, std::sqrt(by / usual_weight));
    };
    constexpr double ln_2 = 0.6931;
    const double usual_change = change_usual_.mean;
    out[0] = shrunk(residual, weight);
    out[1] = shrunk(residual_short_.mean, residual_short_.weight);
    out[2] = shrunk(residual_middle_.mean, residual_middle_.weight);
    out[3] = shrunk(value - before_, std::min(weight, weight_before_));
    out[4] =
        usual_change > 0
            ? ln_2 * rough_log2((change_short_.mean + 0.05 * usual_change) / (1.05 * usual_change))
            : 0;
    out[5] = shrunk(value_short_.mean - fast_.mean, std::min(value_short_.weight, fast_.weight));
    out[6] = shrunk(value_short_.mean - value_middle_.mean, value_short_.weight);
    out[7] = shrunk(residual_long_.mean, residual_long_.weight);
}

double SeriesDetector::hold_back(double score) {
    const auto at = static_cast<double>(points_);
    const double held = hold_points + hold_share * at;
    const double since = at - told_at_;
    const double bar =
        since < held ? told_ * (hold_last + (hold_first - hold_last) * (1 - since / held)) : 0;
    if (score <= bar || score <= told_min) {
        return 0;
    }
    told_ = score;
    told_at_ = at;
    return score;
}

SeriesReading SeriesDetector::add(double unix_seconds, double value, double weight) {
    SeriesReading reading;
    if (!std::isfinite(value) || !std::isfinite(unix_seconds) || !(weight > 0)) {
        return reading;
    }
    unix_seconds = std::max(unix_seconds, 0.0);
    const double gap = std::max(unix_seconds - seconds_before_, 0.0);
    if (points_ == 1) {
        step_seconds_ = gap;
    } else if (points_ > 1) {
        step_seconds_ +=
            0.1 * (std::clamp(gap, step_seconds_ * 0.2, step_seconds_ * 5) - step_seconds_);
    }
    points_a_slot_ = step_seconds_ > 0 ? std::max(1.0, day_seconds / day_slots / step_seconds_) : 1;
    double sum = 0;
    double most = 0;
    if (points_ > 0) {
        magnitude_.add(std::abs(value), memory);
        const Forecast expected = forecast(unix_seconds, value);
        double now[deviation_count] = {};
        deviate(value, expected.expected, weight, now);
        const double size_min = size_share_min * (scale_ == SeriesScale::Log ? 1 : magnitude_.mean);
        std::size_t leading = 0;
        for (std::size_t i = 0; i < deviation_count; ++i) {
            const double least = shapes[i] == SeriesShape::Spread ? spread_size_min : size_min;
            const double score = deviation_weights[i] * deviations_[i].judge(now[i], least);
            deviations_[i].learn(now[i], least);
            sum += score;
            if (score > most) {
                most = score;
                leading = i;
            }
        }
        learn_day(unix_seconds, value);
        reading.usual = expected.expected;
        reading.above = now[leading] > 0;
        reading.shape = shapes[leading];
    }
    seconds_before_ = unix_seconds;
    fast_.add(value, fast_window, weight);
    level_.add(value, level_window, weight);
    before_ = value;
    weight_before_ = weight;
    ++points_;
    reading.value = value;
    reading.score = hold_back(most + others_share * (sum - most));
    return reading;
}

}  // namespace tagout::detect
