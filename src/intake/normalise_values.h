// Attribute values as the texts and numbers that fields want, whatever type the sender chose.
//
// Types lie (reference/telemetry 0.5): whole numbers arrive as doubles and digits as texts, lists as
// JSON texts. So a number is whatever reads as one, and a text is whatever can be written as one.
#pragma once

#include "domain/event_batch.h"
#include "intake/normalise_json.h"
#include "intake/wire_view.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tagout::intake {

/// True for null, "", empty lists, "<not specified>" and "N/A": the sender had nothing to say.
[[nodiscard]] bool is_missing(const AnyValue& value) noexcept;

/// The first value of a list, else the value itself.
[[nodiscard]] AnyValue first_of(const AnyValue& value) noexcept;

/// A text as it came; anything else as JSON in the arena, spaced as append_spaced says.
[[nodiscard]] std::string_view text_of(const AnyValue& value, EventBatch& batch);

/// Ints, doubles and texts that are one finite number; bools are no numbers.
[[nodiscard]] std::optional<double> number_of(const AnyValue& value) noexcept;

/// Likewise, exact for ints; fractions are cut. -1 for what is no number or is negative.
[[nodiscard]] std::int64_t count_of(const AnyValue& value) noexcept;

/// A JSON value in the form that attributes have. Lists and objects become their JSON text.
[[nodiscard]] AnyValue value_of(const JsonView& json, EventBatch& batch);

/// Appends `value` as JSON.
void append_json(const AnyValue& value, std::string& out);

/// The attribute's text as JSON, or the attribute written as JSON into `scratch` if it is a list.
/// None if it is a text that is no object and no list.
[[nodiscard]] JsonView container_of(const AnyValue& value, std::string& scratch);

/// The arguments by name in what is recorded of a call: of decorators `{"args": [], "kwargs": {...}}`,
/// of LangChain's callbacks `{"input_str": "...", "inputs": {...}}` with metadata that differs at every
/// call. The text as it is where it is none such, or has arguments by position only.
[[nodiscard]] std::string_view arguments_of_call(std::string_view recorded, EventBatch& batch);

/// `number` as Python's repr() writes it, whole numbers without a point if `whole` says so.
enum class WholeNumbers : std::uint8_t { AsInts, WithPoint };
void append_number(double number, WholeNumbers whole, std::string& out);

}  // namespace tagout::intake
