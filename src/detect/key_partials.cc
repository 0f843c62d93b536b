#include "detect/key_partials.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <tuple>
#include <utility>

namespace tagout::detect {

void Exemplar::merge(const Exemplar& other) {
    if (std::tie(other.at, other.correlation, other.span_id) < std::tie(at, correlation, span_id)) {
        *this = other;
    }
}

void RatePane::merge(const RatePane& other) {
    total += other.total;
    bad += other.bad;
    sessions.merge(other.sessions);
    agents.merge(other.agents);
    exemplar.merge(other.exemplar);
}

void AffectedDelta::merge(const AffectedDelta& other) {
    known += other.known;
    failed += other.failed;
    tokens += other.tokens;
    cost_usd += other.cost_usd;
    users.merge(other.users);
}

void SpendingPane::merge(const SpendingPane& other) {
    per_call.merge(other.per_call);
    per_turn.merge(other.per_turn);
    turn_tokens.merge(other.turn_tokens);
    tokens += other.tokens;
    cost_usd += other.cost_usd;
    users.merge(other.users);
    models.merge(other.models);
    const bool dearer = other.exemplar_tokens > exemplar_tokens ||
                        (other.exemplar_tokens == exemplar_tokens &&
                         std::tie(other.exemplar.at, other.exemplar.correlation) <
                             std::tie(exemplar.at, exemplar.correlation));
    if (dearer) {
        exemplar = other.exemplar;
        exemplar_tokens = other.exemplar_tokens;
    }
}

void LoadPane::merge(const LoadPane& other) {
    durations.merge(other.durations);
    millis.merge(other.millis);
    depths.merge(other.depths);
    agents.merge(other.agents);
    const bool worse =
        other.worst > worst ||
        (other.worst == worst && std::tie(other.exemplar.at, other.exemplar.correlation) <
                                     std::tie(exemplar.at, exemplar.correlation));
    if (worse) {
        exemplar = other.exemplar;
        worst = other.worst;
    }
}

void KeyPartials::merge(const KeyPartials& other) {
    newest = std::max(newest, other.newest);
    for (const auto& [key, pane] : other.rates) {
        rates[key].merge(pane);
    }
    for (const auto& [key, pane] : other.spending) {
        spending[key].merge(pane);
    }
    for (const auto& [key, pane] : other.loads) {
        loads[key].merge(pane);
    }
    for (const auto& [key, delta] : other.affected) {
        affected[key].merge(delta);
    }
    for (const auto& [minute, counts] : other.outcomes) {
        for (std::size_t i = 0; i < counts.size(); ++i) {
            outcomes[minute][i] += counts[i];
        }
    }
    for (const auto& [minute, counts] : other.findings) {
        for (std::size_t i = 0; i < counts.size(); ++i) {
            findings[minute][i] += counts[i];
        }
    }
    for (const CallFact& fact : other.calls) {
        if (calls.size() < facts_max) {
            calls.push_back(fact);
        } else {
            ++facts_dropped;
        }
    }
    for (const RequestFact& fact : other.requests) {
        if (requests.size() < facts_max) {
            requests.push_back(fact);
        } else {
            ++facts_dropped;
        }
    }
    for (const CorrectionFact& fact : other.corrections) {
        if (corrections.size() < facts_max) {
            corrections.push_back(fact);
        } else {
            ++facts_dropped;
        }
    }
    for (const RatingFact& fact : other.ratings) {
        if (ratings.size() < facts_max) {
            ratings.push_back(fact);
        } else {
            ++facts_dropped;
        }
    }
    for (const SessionFact& fact : other.sessions) {
        if (sessions.size() < facts_max) {
            sessions.push_back(fact);
        } else {
            ++facts_dropped;
        }
    }
    for (const WriteFact& fact : other.writes) {
        if (writes.size() < facts_max) {
            writes.push_back(fact);
        } else {
            ++facts_dropped;
        }
    }
    facts_dropped += other.facts_dropped;
}

bool KeyPartials::empty() const noexcept {
    return rates.empty() && spending.empty() && loads.empty() && affected.empty() &&
           outcomes.empty() && findings.empty() && calls.empty() && writes.empty() &&
           requests.empty() && corrections.empty() && ratings.empty() && sessions.empty() &&
           newest == Instant{};
}

namespace {

constexpr std::uint32_t format_mark = 0x3750'4b54;  // "TKP7"

/// The texts of an Exemplar, or those of a Finding that a draft fills.
template <class E>
auto fields_of(E& e) {
    if constexpr (requires { e.text; }) {
        return std::array{
            &e.correlation,
            &e.trace_id,
            &e.span_id,
            &e.agent,
            &e.workflow,
            &e.tool,
            &e.model,
            &e.service,
            &e.environment,
            &e.prompt_version,
            &e.text};
    } else {
        return std::array{
            &e.trace_id,
            &e.span_id,
            &e.model,
            &e.service,
            &e.environment,
            &e.prompt_version,
            &e.cause,
            &e.evidence,
            &e.outcome_reason,
            &e.explained_by};
    }
}

class Writer {
public:
    void number(std::uint64_t value) {
        do {
            const auto byte = static_cast<char>(value & 0x7f);
            value >>= 7;
            out += value == 0 ? byte : static_cast<char>(byte | static_cast<char>(0x80));
        } while (value != 0);
    }
    void signed_number(std::int64_t value) {
        number((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
    }
    void real(double value) {
        const auto bits = std::bit_cast<std::uint64_t>(value);
        char bytes[8];
        std::memcpy(bytes, &bits, 8);
        out.append(bytes, 8);
    }
    void text(std::string_view value) {
        number(value.size());
        out.append(value);
    }
    void instant(Instant at) { signed_number(unix_nanos(at)); }

    void write(const LogMoments& m) {
        number(m.n);
        real(m.sum);
        real(m.log_sum);
        real(m.log_square_sum);
    }
    void write(const DdSketch& sketch) {
        number(sketch.zeros());
        number(sketch.buckets().size());
        for (const auto& [bucket, times] : sketch.buckets()) {
            signed_number(bucket);
            number(times);
        }
    }
    void write(const DistinctCount& distinct) {
        number(distinct.kept().size());
        for (const std::uint64_t hash : distinct.kept()) {
            number(hash);
        }
    }
    template <std::size_t N>
    void write(const SpaceSaving<N>& top) {
        number(top.entries().size());
        for (const SpaceSavingEntry& entry : top.entries()) {
            text(entry.name);
            number(entry.count);
            number(entry.error);
        }
    }
    void write(const Exemplar& e) {
        instant(e.at);
        number(e.step);
        for (const std::string* field : fields_of(e)) {
            text(*field);
        }
    }
    void write(const Finding& f) {
        for (const std::string* field : fields_of(f)) {
            text(*field);
        }
        number(f.step);
        instant(f.seen_at);
        number(static_cast<std::uint64_t>(f.outcome));
        number(f.write_completed ? 1 : 0);
        real(f.score);
        write(f.users);
        signed_number(f.tokens);
        real(f.cost_usd);
    }
    std::string out;
};

/// Reads what Writer wrote; after the first nonsense everything reads as zero and `broken` holds.
class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    std::uint64_t number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (at_ >= bytes_.size()) {
                break;
            }
            const auto byte = static_cast<std::uint8_t>(bytes_[at_++]);
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if ((byte & 0x80) == 0) {
                return value;
            }
        }
        broken = true;
        return 0;
    }
    std::int64_t signed_number() {
        const std::uint64_t value = number();
        return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
    }
    double real() {
        if (bytes_.size() - at_ < 8) {
            broken = true;
            return 0;
        }
        std::uint64_t bits = 0;
        std::memcpy(&bits, bytes_.data() + at_, 8);
        at_ += 8;
        return std::bit_cast<double>(bits);
    }
    std::string text() {
        const std::uint64_t size = number();
        if (size > bytes_.size() - at_) {
            broken = true;
            return {};
        }
        std::string value(bytes_.substr(at_, size));
        at_ += size;
        return value;
    }
    Instant instant() { return Instant(Duration(signed_number())); }
    /// A count of things that take at least `bytes_each` bytes: one that cannot be true is broken.
    std::size_t count(std::size_t bytes_each) {
        const std::uint64_t value = number();
        if (value > (bytes_.size() - at_) / bytes_each) {
            broken = true;
            return 0;
        }
        return static_cast<std::size_t>(value);
    }
    template <class E>
    E enumerator(std::size_t values) {
        const std::uint64_t value = number();
        broken = broken || value >= values;
        return static_cast<E>(broken ? 0 : value);
    }

    void read(LogMoments& m) {
        m.n = number();
        m.sum = real();
        m.log_sum = real();
        m.log_square_sum = real();
    }
    void read(DdSketch& sketch) {
        sketch.add_zeros(number());
        for (std::size_t left = count(2); left > 0 && !broken; --left) {
            const auto bucket = static_cast<std::int32_t>(signed_number());
            sketch.add_bucket(bucket, number());
        }
    }
    void read(DistinctCount& distinct) {
        for (std::size_t left = count(1); left > 0 && !broken; --left) {
            distinct.add(number());
        }
    }
    template <std::size_t N>
    void read(SpaceSaving<N>& top) {
        for (std::size_t left = count(3); left > 0 && !broken; --left) {
            const std::string name = text();
            const std::uint64_t times = number();
            top.add(name, times, number());
        }
    }
    void read(Exemplar& e) {
        e.at = instant();
        e.step = static_cast<std::uint32_t>(number());
        for (std::string* field : fields_of(e)) {
            *field = text();
        }
    }
    void read(Finding& f) {
        for (std::string* field : fields_of(f)) {
            *field = text();
        }
        f.step = static_cast<std::uint32_t>(number());
        f.seen_at = instant();
        f.outcome = enumerator<SessionOutcome>(outcome_count);
        f.write_completed = number() != 0;
        f.score = real();
        read(f.users);
        f.tokens = signed_number();
        f.cost_usd = real();
    }

    [[nodiscard]] std::size_t at() const noexcept { return at_; }
    [[nodiscard]] bool done() const noexcept { return at_ == bytes_.size(); }
    bool broken = false;

private:
    std::string_view bytes_;
    std::size_t at_ = 0;
};

void write_panes(const KeyPartials& partials, Writer& writer) {
    writer.number(partials.rates.size());
    for (const auto& [key, pane] : partials.rates) {
        writer.number(static_cast<std::uint64_t>(key.first.kind));
        writer.text(key.first.key);
        writer.signed_number(key.second);
        writer.number(pane.total);
        writer.number(pane.bad);
        writer.write(pane.sessions);
        writer.write(pane.agents);
        writer.write(pane.exemplar);
    }
    writer.number(partials.spending.size());
    for (const auto& [key, pane] : partials.spending) {
        writer.text(key.first);
        writer.signed_number(key.second);
        writer.write(pane.per_call);
        writer.write(pane.per_turn);
        writer.write(pane.turn_tokens);
        writer.number(pane.tokens);
        writer.real(pane.cost_usd);
        writer.write(pane.users);
        writer.write(pane.models);
        writer.write(pane.exemplar);
        writer.number(pane.exemplar_tokens);
    }
    writer.number(partials.loads.size());
    for (const auto& [key, pane] : partials.loads) {
        writer.number(static_cast<std::uint64_t>(key.first.kind));
        writer.text(key.first.key);
        writer.signed_number(key.second);
        writer.write(pane.durations);
        writer.write(pane.millis);
        writer.write(pane.depths);
        writer.write(pane.agents);
        writer.write(pane.exemplar);
        writer.real(pane.worst);
    }
    writer.number(partials.affected.size());
    for (const auto& [key, delta] : partials.affected) {
        writer.number(static_cast<std::uint64_t>(key.kind));
        writer.text(key.key);
        writer.signed_number(delta.known);
        writer.signed_number(delta.failed);
        writer.signed_number(delta.tokens);
        writer.real(delta.cost_usd);
        writer.write(delta.users);
    }
}

void read_panes(Reader& reader, KeyPartials& partials) {
    for (std::size_t left = reader.count(6); left > 0 && !reader.broken; --left) {
        const auto kind = reader.enumerator<RateKind>(rate_kind_count);
        std::string key = reader.text();
        const std::int64_t number = reader.signed_number();
        RatePane& pane = partials.rates[{{kind, std::move(key)}, number}];
        pane.total = reader.number();
        pane.bad = reader.number();
        reader.read(pane.sessions);
        reader.read(pane.agents);
        reader.read(pane.exemplar);
    }
    for (std::size_t left = reader.count(6); left > 0 && !reader.broken; --left) {
        std::string key = reader.text();
        const std::int64_t number = reader.signed_number();
        SpendingPane& pane = partials.spending[{std::move(key), number}];
        reader.read(pane.per_call);
        reader.read(pane.per_turn);
        reader.read(pane.turn_tokens);
        pane.tokens = reader.number();
        pane.cost_usd = reader.real();
        reader.read(pane.users);
        reader.read(pane.models);
        reader.read(pane.exemplar);
        pane.exemplar_tokens = reader.number();
    }
    for (std::size_t left = reader.count(6); left > 0 && !reader.broken; --left) {
        const auto kind = reader.enumerator<LoadKind>(load_kind_count);
        std::string key = reader.text();
        const std::int64_t number = reader.signed_number();
        LoadPane& pane = partials.loads[{{kind, std::move(key)}, number}];
        reader.read(pane.durations);
        reader.read(pane.millis);
        reader.read(pane.depths);
        reader.read(pane.agents);
        reader.read(pane.exemplar);
        pane.worst = reader.real();
    }
    for (std::size_t left = reader.count(4); left > 0 && !reader.broken; --left) {
        const auto kind = reader.enumerator<RateKind>(rate_kind_count);
        AffectedDelta& delta = partials.affected[{kind, reader.text()}];
        delta.known = reader.signed_number();
        delta.failed = reader.signed_number();
        delta.tokens = reader.signed_number();
        delta.cost_usd = reader.real();
        reader.read(delta.users);
    }
}

void write_draft(const Finding& draft, Writer& writer) {
    writer.write(draft);
    writer.text(draft.correlation.text());
    writer.text(draft.agent.text());
    writer.text(draft.workflow.text());
    writer.text(draft.tool.text());
}

void read_draft(Reader& reader, Finding& draft) {
    reader.read(draft);
    draft.correlation = CorrelationId(reader.text());
    draft.agent = AgentName(reader.text());
    draft.workflow = WorkflowName(reader.text());
    draft.tool = ToolName(reader.text());
}

void write_writes(const KeyPartials& partials, Writer& writer) {
    writer.number(partials.writes.size());
    for (const WriteFact& fact : partials.writes) {
        write_draft(fact.draft, writer);
        writer.number(fact.values.size());
        for (const WriteFact::Value& value : fact.values) {
            writer.text(value.argument);
            writer.number(value.hash);
            writer.text(value.shown);
        }
    }
}

void read_writes(Reader& reader, KeyPartials& partials) {
    for (std::size_t left = reader.count(8); left > 0 && !reader.broken; --left) {
        WriteFact fact;
        read_draft(reader, fact.draft);
        for (std::size_t values = reader.count(3); values > 0 && !reader.broken; --values) {
            std::string argument = reader.text();
            const std::uint64_t hash = reader.number();
            fact.values.push_back({std::move(argument), hash, reader.text()});
        }
        partials.writes.push_back(std::move(fact));
    }
}

void write_calls(const KeyPartials& partials, Writer& writer) {
    writer.number(partials.calls.size());
    for (const CallFact& fact : partials.calls) {
        write_draft(fact.draft, writer);
        writer.number(
            (fact.asked ? 1U : 0U) | (fact.foreign ? 2U : 0U) | (fact.high_risk ? 4U : 0U) |
            (fact.explained ? 8U : 0U) | (fact.debut ? 16U : 0U) | (fact.orders ? 32U : 0U) |
            (fact.writes ? 64U : 0U) | (fact.named ? 128U : 0U)
        );
        writer.real(fact.weak_score);
        writer.text(fact.weak_evidence);
        writer.number(fact.foreign_values.size());
        for (const ForeignValue& value : fact.foreign_values) {
            writer.text(value.argument);
            writer.text(value.text);
            writer.number(value.hash);
            writer.text(value.source);
            writer.number(value.source_step);
        }
        writer.number(fact.before.size());
        for (const std::string& tool : fact.before) {
            writer.text(tool);
        }
    }
}

void read_calls(Reader& reader, KeyPartials& partials) {
    for (std::size_t left = reader.count(8); left > 0 && !reader.broken; --left) {
        CallFact fact;
        read_draft(reader, fact.draft);
        const std::uint64_t flags = reader.number();
        fact.asked = (flags & 1) != 0;
        fact.foreign = (flags & 2) != 0;
        fact.high_risk = (flags & 4) != 0;
        fact.explained = (flags & 8) != 0;
        fact.debut = (flags & 16) != 0;
        fact.orders = (flags & 32) != 0;
        fact.writes = (flags & 64) != 0;
        fact.named = (flags & 128) != 0;
        fact.weak_score = reader.real();
        fact.weak_evidence = reader.text();
        for (std::size_t values = reader.count(5); values > 0 && !reader.broken; --values) {
            ForeignValue value;
            value.argument = reader.text();
            value.text = reader.text();
            value.hash = reader.number();
            value.source = reader.text();
            value.source_step = static_cast<std::uint32_t>(reader.number());
            fact.foreign_values.push_back(std::move(value));
        }
        for (std::size_t tools = reader.count(1); tools > 0 && !reader.broken; --tools) {
            fact.before.push_back(reader.text());
        }
        partials.calls.push_back(std::move(fact));
    }
}

void write_ratings(const KeyPartials& partials, Writer& writer) {
    writer.number(partials.ratings.size());
    for (const RatingFact& fact : partials.ratings) {
        writer.text(fact.key);
        writer.signed_number(fact.pane);
        writer.write(fact.exemplar);
        writer.signed_number(fact.rating);
        writer.number(fact.features.size());
        std::uint64_t before = 0;
        for (const std::uint16_t feature : fact.features) {
            writer.number(feature - before);
            before = feature;
        }
    }
}

void read_ratings(Reader& reader, KeyPartials& partials) {
    for (std::size_t left = reader.count(8); left > 0 && !reader.broken; --left) {
        RatingFact fact;
        fact.key = reader.text();
        fact.pane = reader.signed_number();
        reader.read(fact.exemplar);
        const std::int64_t rating = reader.signed_number();
        std::size_t features = reader.count(1);
        reader.broken = reader.broken || rating < -1 || rating > 1 || features > turn_features_max;
        fact.rating = static_cast<std::int8_t>(rating);
        for (std::uint64_t feature = 0; features > 0 && !reader.broken; --features) {
            const std::uint64_t step = reader.number();
            reader.broken = reader.broken || step >= TurnBuckets::end - feature ||
                            (step == 0 && !fact.features.empty());
            feature += step;
            fact.features.push_back(static_cast<std::uint16_t>(feature));
        }
        if (!reader.broken) {
            partials.ratings.push_back(std::move(fact));
        }
    }
}

void write_facts(const KeyPartials& partials, Writer& writer) {
    write_writes(partials, writer);
    write_calls(partials, writer);
    writer.number(partials.requests.size());
    for (const RequestFact& fact : partials.requests) {
        writer.text(fact.key);
        writer.text(fact.text);
        writer.write(fact.place);
        writer.text(fact.leader);
        writer.number(static_cast<std::uint64_t>(fact.outcome));
    }
    writer.number(partials.corrections.size());
    for (const CorrectionFact& fact : partials.corrections) {
        writer.text(fact.key);
        writer.signed_number(fact.pane);
        writer.write(fact.exemplar);
    }
    write_ratings(partials, writer);
    writer.number(partials.sessions.size());
    for (const SessionFact& fact : partials.sessions) {
        writer.instant(fact.at);
        writer.text(fact.correlation);
        writer.text(fact.agent);
        writer.text(fact.workflow);
        writer.number(static_cast<std::uint64_t>(fact.outcome));
        writer.number(static_cast<std::uint64_t>(fact.before));
        writer.text(fact.reason);
        writer.text(fact.leader);
        writer.number(fact.clean ? 1 : 0);
        writer.number(fact.user);
        writer.signed_number(fact.tokens);
        writer.real(fact.cost_usd);
        writer.number(fact.uses.size());
        for (const catalog::ProfileUse& use : fact.uses) {
            writer.number(static_cast<std::uint64_t>(use.facet));
            writer.text(use.key);
        }
        writer.text(fact.request);
    }
}

void read_facts(Reader& reader, KeyPartials& partials) {
    read_writes(reader, partials);
    read_calls(reader, partials);
    for (std::size_t left = reader.count(8); left > 0 && !reader.broken; --left) {
        RequestFact fact;
        fact.key = reader.text();
        fact.text = reader.text();
        reader.read(fact.place);
        fact.leader = reader.text();
        fact.outcome = reader.enumerator<SessionOutcome>(outcome_count);
        partials.requests.push_back(std::move(fact));
    }
    for (std::size_t left = reader.count(8); left > 0 && !reader.broken; --left) {
        CorrectionFact fact;
        fact.key = reader.text();
        fact.pane = reader.signed_number();
        reader.read(fact.exemplar);
        partials.corrections.push_back(std::move(fact));
    }
    read_ratings(reader, partials);
    for (std::size_t left = reader.count(8); left > 0 && !reader.broken; --left) {
        SessionFact fact;
        fact.at = reader.instant();
        fact.correlation = reader.text();
        fact.agent = reader.text();
        fact.workflow = reader.text();
        fact.outcome = reader.enumerator<SessionOutcome>(outcome_count);
        fact.before = reader.enumerator<SessionOutcome>(outcome_count);
        fact.reason = reader.text();
        fact.leader = reader.text();
        fact.clean = reader.number() != 0;
        fact.user = reader.number();
        fact.tokens = reader.signed_number();
        fact.cost_usd = reader.real();
        for (std::size_t uses = reader.count(2); uses > 0 && !reader.broken; --uses) {
            const auto facet =
                reader.enumerator<catalog::ProfileFacet>(catalog::profile_facet_count);
            fact.uses.push_back({facet, reader.text()});
        }
        fact.request = reader.text();
        partials.sessions.push_back(std::move(fact));
    }
}

}  // namespace

std::string to_bytes(const KeyPartials& partials) {
    Writer writer;
    writer.number(format_mark);
    writer.instant(partials.newest);
    write_panes(partials, writer);
    writer.number(partials.outcomes.size());
    for (const auto& [minute, counts] : partials.outcomes) {
        writer.signed_number(minute);
        for (const std::int64_t count : counts) {
            writer.signed_number(count);
        }
    }
    writer.number(partials.findings.size());
    for (const auto& [minute, counts] : partials.findings) {
        writer.signed_number(minute);
        for (const std::uint64_t count : counts) {
            writer.number(count);
        }
    }
    write_facts(partials, writer);
    writer.number(partials.facts_dropped);
    return std::move(writer.out);
}

Result<KeyPartials> parse_key_partials(std::string_view bytes) {
    Reader reader(bytes);
    if (reader.number() != format_mark) {
        return fail(
            ErrorCode::Corrupt, "key partials do not begin with their mark: not of this version"
        );
    }
    KeyPartials partials;
    partials.newest = reader.instant();
    read_panes(reader, partials);
    for (std::size_t left = reader.count(6); left > 0 && !reader.broken; --left) {
        auto& counts = partials.outcomes[reader.signed_number()];
        for (std::int64_t& count : counts) {
            count = reader.signed_number();
        }
    }
    for (std::size_t left = reader.count(1 + signal_count); left > 0 && !reader.broken; --left) {
        auto& counts = partials.findings[reader.signed_number()];
        for (std::uint64_t& count : counts) {
            count = reader.number();
        }
    }
    read_facts(reader, partials);
    partials.facts_dropped = reader.number();
    if (reader.broken || !reader.done()) {
        return fail(
            ErrorCode::Corrupt,
            "key partials stop making sense at byte " + std::to_string(reader.at()) + " of " +
                std::to_string(bytes.size()) + ": the sender and this program differ in version"
        );
    }
    return partials;
}

}  // namespace tagout::detect
