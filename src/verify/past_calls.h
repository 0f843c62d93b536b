// The tool calls of a stretch of time, each once, whoever told of it: what a back-test runs over.
//
//   1  scan the stretch                   -> the sessions that called tools in it
//   2  find each session as a whole       -> its calls, each once (session_calls.h)
//
// Nothing is lost silently: what no longer reads is counted, every bound that cut something says so.
// Pure but for the evidence that is handed in. Cost: decodes the stretch once and each session once
// more, about 0.5 us a span each time; a session at a time is in memory, and the calls.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "domain/control.h"
#include "journal/evidence_log.h"

#include <functional>
#include <string>
#include <vector>

namespace tagout::verify {

/// One call as it was seen, with the decision of then where a gateway made one.
struct PastCall {
    Instant at;
    std::string tool;
    std::string agent;
    std::string workflow;
    std::string session;
    std::string user;
    std::string tenant;
    std::string environment;
    std::string prompt_version;
    std::string arguments;         ///< JSON as it was told; "" if nobody told.
    bool through_gateway = false;  ///< Its wire was seen; else only the agent told of it.
    Verdict verdict = Verdict::None;  ///< Of then; None where no gateway decided.
    std::string decided_by;
};

struct PastCallsSources {
    std::function<Result<void>(
        Instant from, Instant to, const std::function<bool(const journal::EvidenceItem&)>& visit
    )>
        scan;
    std::function<Result<std::vector<journal::EvidenceItem>>(std::string_view correlation, std::size_t)>
        find;
};

struct PastCallsOptions {
    std::size_t items_max = 1'000'000;  ///< Read in the scan.
    std::size_t sessions_max = 5'000;
    std::size_t session_items_max = 5'000;
    std::size_t calls_max = 200'000;
};

struct PastCalls {
    std::vector<PastCall> calls;   ///< In order of time.
    std::uint64_t unreadable = 0;  ///< Stored items that no longer decode.
    std::vector<std::string> cut;  ///< What a bound left out, in words.
};

/// Unavailable or Corrupt when the evidence log does not answer.
[[nodiscard]] Result<PastCalls> read_past_calls(
    const PastCallsSources& sources, Instant from, Instant to, const PastCallsOptions& options = {}
);

}  // namespace tagout::verify
