#include "verify/decision_words.h"

#include "intake/wire_items.h"

namespace tagout::verify {

namespace {

Verdict verdict_of(std::string_view name) noexcept {
    for (const Verdict verdict :
         {Verdict::Allow, Verdict::Deny, Verdict::Modify, Verdict::Warn, Verdict::Escalate}) {
        if (verdict_name(verdict) == name) {
            return verdict;
        }
    }
    return Verdict::None;
}

void apply(const intake::Attribute& attribute, DecisionWords& words) {
    using intake::ValueType;
    const std::string_view key = attribute.key;
    if (key == decision_key::verdict) {
        words.verdict = verdict_of(attribute.value.text());
    } else if (key == decision_key::by) {
        words.by = attribute.value.text();
    } else if (key == decision_key::reason) {
        words.reason = attribute.value.text();
    } else if (key == decision_key::shadow) {
        words.shadow = attribute.value.text();
    } else if (key == decision_key::revision && attribute.value.type() == ValueType::Int) {
        words.revision = static_cast<std::uint64_t>(attribute.value.integer());
    } else if (key == decision_key::cancelled && attribute.value.type() == ValueType::Bool) {
        words.cancelled = attribute.value.boolean();
    }
}

}  // namespace

std::string_view verdict_name(Verdict verdict) noexcept {
    return verdict == Verdict::None ? "unknown" : name_of(verdict);
}

std::optional<DecisionWords> decision_of(const RawItem& item) {
    if (item.signal != Signal::Traces || item.bytes.find(decision_key::prefix) == item.bytes.npos) {
        return std::nullopt;
    }
    // The reader loads a few bytes past a body.
    const PaddedBytes bytes = PaddedBytes::copy_of(item.bytes);
    thread_local intake::ItemReader reader;
    reader.start(intake::DecodeLimits{});
    intake::SpanView span;
    if (reader.read_span(bytes.view(), span) != intake::ItemReader::Outcome::Read) {
        return std::nullopt;
    }
    bool found = false;
    DecisionWords words;
    for (const intake::Attribute& attribute : span.attributes) {
        if (attribute.key.starts_with(decision_key::prefix)) {
            found = true;
            apply(attribute, words);
        }
    }
    return found ? std::optional(std::move(words)) : std::nullopt;
}

}  // namespace tagout::verify
