#include "detect/key_boards.h"

#include <algorithm>

namespace tagout::detect {

namespace {

constexpr Duration minute_length = std::chrono::minutes(1);

std::int64_t minute_number(Instant at) {
    return unix_nanos(at) / minute_length.count();
}

bool is_rate(SignalId signal) {
    return signal == SignalId::UserCorrections || signal == SignalId::ClientErrorSpike ||
           signal == SignalId::TokenSpike || signal == SignalId::TimeoutRate;
}

std::uint64_t not_negative(std::int64_t count) {
    return count > 0 ? static_cast<std::uint64_t>(count) : 0;
}

}  // namespace

KeyBoards::Minute* KeyBoards::minute_of(std::int64_t minute) {
    if (!minutes_.empty() && minute + minutes_max <= minutes_.rbegin()->first) {
        return nullptr;
    }
    Minute& found = minutes_[minute];
    while (minutes_.size() > static_cast<std::size_t>(minutes_max) ||
           minutes_.begin()->first + minutes_max <= minutes_.rbegin()->first) {
        minutes_.erase(minutes_.begin());
    }
    return &found;
}

void KeyBoards::add(const KeyPartials& partials) {
    for (const auto& [number, counts] : partials.outcomes) {
        if (Minute* const minute = minute_of(number)) {
            for (std::size_t i = 0; i < counts.size(); ++i) {
                minute->outcomes[i] += counts[i];
            }
        }
    }
    for (const auto& [number, counts] : partials.findings) {
        if (Minute* const minute = minute_of(number)) {
            for (std::size_t i = 0; i < counts.size(); ++i) {
                minute->signals[i].findings += counts[i];
            }
        }
    }
}

void KeyBoards::count_finding(SignalId signal, Instant at) {
    if (Minute* const minute = minute_of(minute_number(at))) {
        minute->signals[static_cast<std::size_t>(signal)].findings += 1;
    }
}

void KeyBoards::observe(SignalId signal, Instant at, double observed, double threshold) {
    Minute* const minute = minute_of(minute_number(at));
    if (minute == nullptr) {
        return;
    }
    Point& point = minute->signals[static_cast<std::size_t>(signal)];
    const bool closer = point.threshold <= 0 || threshold <= 0 ||
                        observed / threshold > point.observed / point.threshold;
    if (closer) {
        point.observed = observed;
        point.threshold = threshold;
    }
}

std::vector<ClassBoard> KeyBoards::boards() const {
    std::vector<ClassBoard> boards;
    for (const FailureClass failure_class : failure_classes) {
        ClassBoard board;
        board.failure_class = failure_class;
        for (const SignalInfo& info : signal_table) {
            if (info.failure_class != failure_class) {
                continue;
            }
            const bool rate = is_rate(info.id);
            SignalBoard& signal = board.signals.emplace_back();
            signal.signal = info.name;
            signal.meaning = info.meaning;
            signal.unit = rate ? std::string(info.unit) : "findings a minute";
            for (const auto& [number, minute] : minutes_) {
                const Point& point = minute.signals[static_cast<std::size_t>(info.id)];
                const double findings = static_cast<double>(point.findings);
                signal.points.push_back(
                    {Instant(minute_length * number),
                     rate ? point.observed : findings,
                     rate ? point.threshold : 1,
                     point.findings}
                );
                signal.threshold = rate && point.threshold > 0 ? point.threshold : signal.threshold;
            }
            signal.threshold = rate ? signal.threshold : 1;
        }
        for (const auto& [number, minute] : minutes_) {
            const auto& counts = minute.outcomes;
            board.outcomes.push_back(
                {Instant(minute_length * number),
                 not_negative(counts[1]),
                 not_negative(counts[2]),
                 not_negative(counts[3]),
                 not_negative(counts[4]),
                 not_negative(counts[0])}
            );
        }
        boards.push_back(std::move(board));
    }
    return boards;
}

}  // namespace tagout::detect
