// Recorded numbers through the live detectors: series, and the requests of a model service.
#pragma once

#include "detect/settings.h"
#include "domain/event_batch.h"
#include "domain/finding.h"
#include "intake/recorded_series.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tagout::app {

/// One finding an episode; its step is the point that began it. What a series measures stands in
/// its name at best: latency, tokens or cost are told as such, everything else as depth of a queue.
/// Pure.
[[nodiscard]] std::vector<Finding> findings_of(
    const intake::RecordedSeries& series, const detect::Settings& settings
);

/// Requests as the model calls of one agent, named by their source, in a session of that name.
/// Times are moved so that a source begins when it is first seen: recordings begin in any year.
///
/// Thread-compatible. Memory: a few words a source.
class RequestEvents {
public:
    /// Appends the event; `now` is where the recording stands. Its views live as long as this does.
    void append(const intake::RecordedRequest& request, Instant now, EventBatch& batch);

private:
    struct Source {
        Duration moved{};
        std::uint32_t requests = 0;
    };
    std::map<std::string, Source> sources_;
};

}  // namespace tagout::app
