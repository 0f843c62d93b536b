// Episodes of one series: what sketch/series_detector.h scores high, told once while it lasts. To a
// person on call: this number left what is usual for it.
//
// Scores from `score_min` begin an episode; further ones within quiet_points points belong to it.
// Why 8.7: on public monitoring series (a minute to an hour a point) it raises a false alarm in
// five thousand points and finds half of what people marked; on pure noise, one in about a
// thousand.
//
// Thread-compatible. Memory and cost: the detector's.
#pragma once

#include "detect/sketch/series_detector.h"

#include <optional>

namespace tagout::detect {

class SeriesWatch {
public:
    static constexpr std::uint64_t quiet_points = 6;

    explicit SeriesWatch(SeriesScale scale = SeriesScale::Raw) : detector_(scale) {}

    struct Step {
        SeriesReading reading;
        bool alarm = false;   ///< Its score passed.
        bool begins = false;  ///< ... and no episode lasted.
    };
    Step add(double unix_seconds, double value, double score_min, double weight = 1) {
        Step step;
        step.reading = detector_.add(unix_seconds, value, weight);
        step.alarm = step.reading.score >= score_min;
        if (step.alarm) {
            step.begins = !active();
            last_alarm_ = detector_.points();
        }
        return step;
    }
    /// An episode lasts, as far as the newest point tells.
    [[nodiscard]] bool active() const noexcept {
        return last_alarm_ > 0 && detector_.points() - last_alarm_ <= quiet_points;
    }
    [[nodiscard]] const SeriesDetector& detector() const noexcept { return detector_; }

private:
    SeriesDetector detector_;
    std::uint64_t last_alarm_ = 0;  ///< Points up to and with it.
};

}  // namespace tagout::detect
