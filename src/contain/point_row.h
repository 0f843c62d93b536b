// What the book knows of one enforcement point: what it was handed, what it answered and when, and how
// long its answers took. Internal to contain/.
#pragma once

#include "contain/controls.h"

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace tagout::contain {

/// Confined to whoever locks it. Times of the newest 256 stops at one point.
class EffectRing {
public:
    void add(Duration time) {
        times_[count_ % times_.size()] = time;
        ++count_;
    }
    [[nodiscard]] EffectTimes times() const;

private:
    std::array<Duration, 256> times_{};
    std::uint64_t count_ = 0;
};

struct PointRow {
    static constexpr std::size_t acks_max = 4'096;

    /// One answer: everything up to `revision` was in force at `at`.
    struct Ack {
        std::uint64_t revision = 0;
        Instant at;
    };

    std::shared_ptr<EnforcementPoint> point;
    PointStatus status;
    std::optional<std::uint64_t> sent;  ///< Newest revision that it was handed.
    Instant sent_at;
    Instant joined_at;
    bool awaited = false;  ///< It has not answered yet.
    bool heard = false;    ///< It answered since it joined.
    unsigned failures = 0;
    Instant retry_at;
    std::uint64_t recorded = 0;  ///< Acknowledgements up to here are journaled.
    std::deque<Ack> acks;        ///< Since then, oldest first.
    EffectRing effects;
    bool alarmed = false;  ///< People were told that it is away or behind.

    [[nodiscard]] bool enforces(std::uint64_t revision) const {
        return status.acknowledged_at && status.revision >= revision;
    }
    /// When it said so first, as far as that is kept.
    [[nodiscard]] Instant acknowledged(std::uint64_t revision) const;
    void answered(std::uint64_t revision, Instant at);
    /// Acknowledgements up to what it enforces now stand in the journal.
    void record_all() {
        recorded = status.revision;
        acks.clear();
    }
};

}  // namespace tagout::contain
