// KeyPartials: what one shard's sessions add to the rates of the fleet, since it was last asked.
//
// Sums, sketches and facts with event times. merge() is commutative and associative, so partials of
// any number of shards, or of Kafka workers, may meet in any order. Serialisable: to_bytes() and
// parse_key_partials() are the form on a topic.
//
// Bounds: keys a pane is bounded by what KeyStage keeps (keys_max); facts by facts_max, then
// counted.
#pragma once

#include "base/clock.h"
#include "base/distinct_count.h"
#include "base/result.h"
#include "catalog/workflow_profile.h"
#include "detect/intent/turn_features.h"
#include "detect/signals.h"
#include "detect/sketch/ddsketch.h"
#include "detect/sketch/moments.h"
#include "detect/sketch/space_saving.h"
#include "domain/finding.h"

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::detect {

enum class RateKind : std::uint8_t {
    ClientErrors = 0,       ///< Key: tool.
    Timeouts = 1,           ///< Key: "tool NAME" or "model NAME".
    Corrections = 2,        ///< Key: workflow, else agent.
    ClientErrorShapes = 3,  ///< Key: tool and the shape of its arguments, "pay(to:string)".
    PolicyDenials = 4,      ///< Key: agent.
};
inline constexpr std::size_t rate_kind_count = 5;

/// One step that shows what a rate is about. The earliest bad one is kept, so order does not
/// matter.
struct Exemplar {
    Instant at = Instant::max();
    std::string correlation;
    std::string trace_id;
    std::string span_id;
    std::uint32_t step = 0;
    std::string agent;
    std::string workflow;
    std::string tool;
    std::string model;
    std::string service;
    std::string environment;
    std::string prompt_version;
    std::string text;

    void merge(const Exemplar& other);
};

struct RateKey {
    RateKind kind = RateKind::ClientErrors;
    std::string key;
    friend auto operator<=>(const RateKey&, const RateKey&) = default;
};

struct RatePane {
    std::uint64_t total = 0;
    std::uint64_t bad = 0;
    DistinctCount sessions;  ///< That showed a bad one, by hash of their correlation.
    SpaceSaving<8> agents;   ///< Of the bad ones.
    Exemplar exemplar;

    void merge(const RatePane& other);
};

/// What sessions hit by a rate's bad events came to; signed, because outcomes are revised.
struct AffectedDelta {
    std::int64_t known = 0;
    std::int64_t failed = 0;
    std::int64_t tokens = 0;
    double cost_usd = 0;
    DistinctCount users;

    void merge(const AffectedDelta& other);
};

struct SpendingPane {  ///< Key: agent.
    LogMoments per_call;
    LogMoments per_turn;
    DdSketch turn_tokens;
    std::uint64_t tokens = 0;
    double cost_usd = 0;
    DistinctCount users;
    SpaceSaving<4> models;
    Exemplar exemplar;  ///< The dearest call of the pane.
    std::uint64_t exemplar_tokens = 0;

    void merge(const SpendingPane& other);
};

enum class LoadKind : std::uint8_t {
    Calls = 0,  ///< Key: "tool NAME" or "model NAME".
    Depth = 1,  ///< Key: "METRIC of SERVICE".
};
inline constexpr std::size_t load_kind_count = 2;

struct LoadKey {
    LoadKind kind = LoadKind::Calls;
    std::string key;
    friend auto operator<=>(const LoadKey&, const LoadKey&) = default;
};

struct LoadPane {
    LogMoments durations;   ///< Milliseconds of calls.
    DdSketch millis;        ///< The same.
    LogMoments depths;      ///< One more than what a metric measured.
    SpaceSaving<8> agents;  ///< Of the slow ones.
    Exemplar exemplar;      ///< The slowest call, or the deepest measurement.
    double worst = 0;       ///< Its milliseconds, or depth.

    void merge(const LoadPane& other);
};

/// A telling value of a call that a result named and neither the user nor the system.
struct ForeignValue {
    static constexpr std::size_t shown_bytes_max = 60;

    std::string argument;    ///< "TOOL.a"
    std::string text;        ///< The whole value, clipped; secrets in it are hidden.
    std::uint64_t hash = 0;  ///< Of the atom.
    std::string source;      ///< Tool whose result named it, and its step.
    std::uint32_t source_step = 0;
};

/// A call that changes or sends something and that only the workflow's habits can judge: it is the
/// first of its tool in the session, or carries foreign values, or looks weakly like an obeyed
/// text.
struct CallFact {
    static constexpr std::size_t foreign_max = 4;
    static constexpr std::size_t before_max = 8;

    Finding draft;         ///< All but id, class, signal and numbers.
    bool debut = true;     ///< First use of a tool that changes or sends something.
    bool writes = true;    ///< It does change or send something, and not only perhaps.
    bool asked = false;    ///< The user used a word for it.
    bool orders = false;   ///< Orders stood in an earlier result.
    bool foreign = false;  ///< Some value is a result's and nobody else's;
    bool named = false;    ///< some telling one the user or the system named.
    bool high_risk = false;
    bool explained = false;  ///< The session already has a finding about this call.
    double weak_score = 0;   ///< Of safety.untrusted_value, where it needs the habit's word.
    std::string weak_evidence;
    std::vector<ForeignValue> foreign_values;
    std::vector<std::string> before;  ///< Other tools that the session used before, at a debut.
};

/// A completed write with identifiers that the user did not name.
struct WriteFact {
    struct Value {
        std::string argument;    ///< "TOOL.a"
        std::uint64_t hash = 0;  ///< Of the whole value.
        std::string shown;       ///< Its beginning.
    };
    static constexpr std::size_t values_max = 12;

    Finding draft;  ///< All but id, class, signal and numbers.
    std::vector<Value> values;
};

/// What a session was asked first, told as soon as it is known by whom.
struct RequestFact {
    std::string key;   ///< The workflow that it went to, or the agent where none is told.
    std::string text;  ///< request_text_bytes_max of it.
    Exemplar place;
    std::string leader;  ///< Finding that leads the session, "".
    SessionOutcome outcome = SessionOutcome::Unknown;
};

/// A user corrected an answer. A fact and not a count, because what the session's calls did may yet
/// explain it; corrections that something else explains never reach the rate.
struct CorrectionFact {
    std::string key;  ///< As RateKey::key.
    std::int64_t pane = 0;
    Exemplar exemplar;
};

/// Words of a user that were rated, or that only what ratings taught can judge.
struct RatingFact {
    std::string key;  ///< As RateKey::key.
    std::int64_t pane = 0;
    Exemplar exemplar;
    TurnFeatures features;
    std::int8_t rating = 0;  ///< -1 displeased, +1 content: a lesson; 0: to be judged.
};

/// A session's outcome became known or changed.
struct SessionFact {
    static constexpr std::size_t uses_max = 256;

    Instant at;
    std::string correlation;
    std::string agent;
    std::string workflow;
    SessionOutcome outcome = SessionOutcome::Unknown;
    SessionOutcome before = SessionOutcome::Unknown;
    std::string reason;
    std::string leader;  ///< Finding that leads the session, "".
    bool clean = true;   ///< No finding of safety or tool: fit to learn from.
    std::uint64_t user = 0;
    std::int64_t tokens = 0;
    double cost_usd = 0;
    std::vector<catalog::ProfileUse> uses;  ///< What its workflow's profile learns; each once.
    std::string request = {};  ///< What it was asked first; of those that succeeded alone.
};

inline constexpr std::size_t outcome_count = 5;

struct KeyPartials {
    static constexpr std::size_t facts_max = 100'000;

    Instant newest;  ///< Newest event time seen.
    std::map<std::pair<RateKey, std::int64_t>, RatePane>
        rates;  ///< Second of the key: pane number.
    std::map<std::pair<std::string, std::int64_t>, SpendingPane> spending;
    std::map<std::pair<LoadKey, std::int64_t>, LoadPane> loads;
    std::map<RateKey, AffectedDelta> affected;
    std::map<std::int64_t, std::array<std::int64_t, outcome_count>> outcomes;  ///< By minute.
    std::map<std::int64_t, std::array<std::uint64_t, signal_count>> findings;  ///< By minute.
    std::vector<CallFact> calls;
    std::vector<WriteFact> writes;
    std::vector<RequestFact> requests;
    std::vector<CorrectionFact> corrections;
    std::vector<RatingFact> ratings;
    std::vector<SessionFact> sessions;
    std::uint64_t facts_dropped = 0;

    void merge(const KeyPartials& other);
    [[nodiscard]] bool empty() const noexcept;
};

[[nodiscard]] std::string to_bytes(const KeyPartials& partials);
/// Corrupt: the bytes are not what to_bytes() writes; the message says where they stop making
/// sense.
[[nodiscard]] Result<KeyPartials> parse_key_partials(std::string_view bytes);

}  // namespace tagout::detect
