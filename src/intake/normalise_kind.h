// What kind of thing a span or log record tells, and which convention tells it.
//
// The first rule of reference/telemetry 5.1 that matches decides. Attributes go before names: the
// operation is the one reliable discriminator, span names differ from SDK to SDK.
#pragma once

#include "intake/normalise_item.h"

#include <span>
#include <string_view>

namespace tagout::intake {

[[nodiscard]] Convention convention_of(
    const AttributeIndex& attributes, std::string_view scope
) noexcept;

[[nodiscard]] EventKind kind_of_span(
    const AttributeIndex& attributes, const SpanView& span, Convention convention
) noexcept;

/// The record's event name: its own field, else the attribute, else Claude Code's body.
[[nodiscard]] std::string_view event_name_of(
    const LogView& log, const AttributeIndex& attributes
) noexcept;

[[nodiscard]] EventKind kind_of_log(std::string_view event_name, Convention convention) noexcept;

/// One word of one convention and the kind it means; the reference page prints these tables.
struct KindWord {
    std::string_view word;
    EventKind kind;
};
struct KindTable {
    std::string_view source;  ///< The attribute, or what else is compared.
    std::span<const KindWord> words;
};
[[nodiscard]] std::span<const KindTable> kind_tables() noexcept;

}  // namespace tagout::intake
