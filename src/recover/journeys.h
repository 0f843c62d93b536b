// Journeys: the paths that users must be able to complete, run for real and remembered.
//
// A journey of tagout.yaml is run step by step, each judged by its expectations; the first that does
// not hold ends it. What was seen is journaled (journey.ran), and a control on a tool is released only
// when every journey that names the tool passed after the release was asked for.
//
// Thread-safe. run() waits for the steps, up to journey_timeout each; one run at a time.
#pragma once

#include "base/metrics.h"
#include "catalog/catalog.h"
#include "incident/desk.h"
#include "journal/journal.h"
#include "recover/settings.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::recover {

using By = incident::By;

struct HttpStep {
    std::string method;
    std::string url;
    std::string body;
    Duration timeout{0};
};

struct McpStep {
    std::string tool;       ///< As the configuration calls it.
    std::string server;     ///< Name under mcp_servers, "" when the tool names none.
    std::string arguments;  ///< A JSON object.
    Duration timeout{0};
};

/// What came back, whole; the caller clips.
struct StepAnswer {
    int status = 0;         ///< Of http steps.
    bool is_error = false;  ///< Of mcp steps: the tool's own word, or a protocol error.
    std::string text;       ///< Body, or the tool's text.
    std::string json;       ///< What json lines read: the body, or structured content; "" is `text`.
};

/// The port: sends one step as a user's agent would. Blocks. An Error: no answer came.
class JourneyTransport {
public:
    virtual ~JourneyTransport() = default;
    virtual Result<StepAnswer> http(const HttpStep& step) = 0;
    virtual Result<StepAnswer> mcp(const McpStep& step) = 0;
};

struct JourneyRun {
    std::string journey;
    bool passed = false;
    Instant at;          ///< When it began.
    Duration took{0};
    Actor actor;
    std::size_t steps = 0;        ///< That were run.
    std::size_t failed_step = 0;  ///< From 1; 0 when it passed.
    std::string expected;         ///< The line that did not hold.
    std::string seen;             ///< What was seen instead, clipped.
    std::string sentence;
    std::string definition;  ///< Hash of what the journey was when it ran.
    bool current = false;    ///< It still is that.
};

struct JourneyView {
    catalog::Journey journey;
    std::vector<JourneyRun> runs;  ///< The newest first.
};

/// What is known about a tool's journeys since a time.
struct JourneyProof {
    std::vector<std::string> passed;
    std::vector<std::string> missing;  ///< "NAME has not run since", "NAME failed at step 2: ..."
    [[nodiscard]] bool any() const noexcept { return !passed.empty() || !missing.empty(); }
    [[nodiscard]] bool holds() const noexcept { return missing.empty() && !passed.empty(); }
};

struct JourneyParts {
    journal::Journal& journal;
    const Clock& clock;
    MetricRegistry& metrics;
    JourneyTransport& transport;
};

class Journeys {
public:
    static constexpr std::size_t runs_max = 10;  ///< Remembered of one journey.
    static constexpr std::size_t seen_bytes_max = 500;
    static constexpr std::size_t names_max = 100;  ///< Of one request.

    virtual ~Journeys() = default;
    static std::unique_ptr<Journeys> make(
        const JourneyParts& parts, std::shared_ptr<const catalog::Catalog> catalog,
        const Settings& settings
    );

    /// Folds the journal. Once, before anything else.
    virtual Result<void> rebuild() = 0;
    virtual void use(std::shared_ptr<const catalog::Catalog> catalog, const Settings& settings) = 0;
    /// After each run, durable, on the thread that ran it.
    virtual void on_run(std::function<void(const JourneyRun&)> observer) = 0;

    /// `names` empty: all, or those that name `tool` when it is given. NotFound names the journeys
    /// that exist, or says how to add one. Conflict: a run is going on.
    virtual Result<std::vector<JourneyRun>> run(
        const std::vector<std::string>& names, std::string_view tool, const By& by
    ) = 0;

    [[nodiscard]] virtual std::vector<JourneyView> list() const = 0;
    /// Every journey that names `tool` (exact, with or without its server, or a glob on either
    /// side): its newest run passed, began at `since` or later, and it was as it is now.
    [[nodiscard]] virtual JourneyProof passed_since(std::string_view tool, Instant since) const = 0;
};

/// Whether `line` holds of `answer`: "" or what was seen instead.
[[nodiscard]] std::string judge_answer(
    std::string_view line, std::string_view step_kind, const StepAnswer& answer, Duration took
);

}  // namespace tagout::recover
