// Anomalies of one series of numbers, point by point: spikes, level shifts, drifts, changes of
// spread.
//
// The same detector reads live series (a pane or a gauge a point) and recorded ones. It forecasts
// from a slow level and, once two days of it have proved to forecast better, from a profile of the
// day; it looks at eight deviations (the newest point, the jump to it, means over short and long
// windows, spread) and asks of each two things: how large is it against its own usual size, and how
// rare is that in the series' own past. Large and rare makes a score; the largest counts, the
// others add a share. Rarity is an empirical tail, so a series whose spikes are its habit is not
// reported for them, and no distribution is assumed (the idea of conformal anomaly detection:
// Laxhammar and Falkman, "Conformal prediction for distribution-independent anomaly detection",
// 2010). After a score was told, a lower one is held back for a time that grows with the history:
// an episode is told once.
//
// Count-aware: a point may carry a weight (how many calls it sums up); means weigh by it, and what
// few calls say is shrunk by the root of how few they are.
//
// The constants were searched on public monitoring series, all sets with one configuration; they
// are not settings, because nobody could tune 30 of them: the one setting is the score that is
// reported.
//
// Deterministic: no clock, no randomness. Thread-compatible value. Memory: 5.4 kB. Cost: about 1 us
// a point.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tagout::detect {

/// Raw: deviations below a share of the series' usual magnitude do not count. Log: the values are
/// logarithms, so the same share is taken of 1.
enum class SeriesScale : std::uint8_t { Raw, Log };

/// Which deviation said most.
enum class SeriesShape : std::uint8_t { None, Point, Level, Jump, Spread, Drift };
[[nodiscard]] std::string_view words_of(SeriesShape shape) noexcept;

struct SeriesReading {
    double score = 0;  ///< 0: nothing to tell. Below about 8 it is everyday.
    double value = 0;
    double usual = 0;  ///< The forecast.
    bool above = false;
    SeriesShape shape = SeriesShape::None;
};

class SeriesDetector {
public:
    explicit SeriesDetector(SeriesScale scale = SeriesScale::Raw) : scale_(scale) {}

    /// The next point, in order of time; `weight` > 0. A value that is not finite is ignored.
    SeriesReading add(double unix_seconds, double value, double weight = 1);
    [[nodiscard]] std::uint64_t points() const noexcept { return points_; }
    /// What is usual now, without the profile of the day.
    [[nodiscard]] double level() const noexcept { return level_.mean; }

private:
    static constexpr std::size_t deviation_count = 8;
    static constexpr std::size_t day_slots = 48;

    /// A mean over about the last `window` points, by weight.
    struct WindowMean {
        double mean = 0;
        double points = 0;
        double weight = 0;
        void add(double value, double window, double point_weight = 1);
    };

    /// How rare a size is: counts by quarter octave, older ones fading.
    class Rarity {
    public:
        struct Tail {
            double score = 0;  ///< -log10 of the share that was as large.
            double share = 0;  ///< Of the highest score that this much history allows; 0 to 1.
        };
        [[nodiscard]] Tail of(double size) const;
        void add(double size);

    private:
        static constexpr std::size_t bins = 64;
        [[nodiscard]] static std::size_t bin_of(double size) noexcept;
        std::array<float, bins> counts_{};
        double total_ = 0;
        double unit_ = 1;  ///< What the newest addition weighs; rises instead of all fading.
        std::size_t top_ = 0;
    };

    struct Deviation {
        std::array<Rarity, 2> rarity;  ///< Above, below.
        double usual_size = 0;
        double seen = 0;
        [[nodiscard]] double judge(double value, double size_min) const;
        void learn(double value, double size_min);
    };

    struct Forecast {
        double expected = 0;
        double by_level = 0;
    };
    [[nodiscard]] Forecast forecast(double unix_seconds, double value);
    void learn_day(double unix_seconds, double value);
    [[nodiscard]] double hold_back(double score);
    void deviate(double value, double expected, double weight, double (&out)[deviation_count]);

    SeriesScale scale_;
    std::array<Deviation, deviation_count> deviations_;
    std::array<float, day_slots> day_{};
    std::array<float, day_slots> day_seen_{};
    WindowMean fast_;
    WindowMean level_;
    WindowMean magnitude_;
    WindowMean residual_short_;
    WindowMean residual_middle_;
    WindowMean residual_long_;
    WindowMean value_short_;
    WindowMean value_middle_;
    WindowMean change_short_;
    WindowMean change_usual_;
    WindowMean error_level_;
    WindowMean error_day_;
    double before_ = 0;
    double weight_before_ = 1;
    double seconds_before_ = 0;
    double step_seconds_ = 0;
    double points_a_slot_ = 1;
    double told_ = 0;
    double told_at_ = -1e9;
    std::uint64_t points_ = 0;
};

}  // namespace tagout::detect
