// The fields of OTLP/JSON: which name stands for which protobuf field, and how its value is written.
// Numbers: reference/telemetry 3.2; names are their lowerCamelCase forms, as OTLP/JSON demands.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tagout::intake::json {

enum class Form : std::uint8_t {
    Message,        ///< One object.
    Messages,       ///< An array of objects.
    Text,
    Texts,          ///< An array of strings.
    Hex,            ///< bytes as hex digits: ids.
    Base64,         ///< bytes as base64: bytesValue.
    Bool,
    Signed,         ///< A varint of int32 or int64.
    Unsigned,       ///< A varint of uint32.
    ZigZag,         ///< sint32.
    Enum,
    Double,
    Fixed64,        ///< Unsigned.
    SignedFixed64,
    Fixed32,
    PackedDoubles,
    PackedFixed64,
    PackedVarints,
};

/// proto3 leaves out a plain field that is zero; a member of a oneof and an optional one stay.
enum class Zero : std::uint8_t { Omitted, Written };

struct Message;

/// A name of an enum without its prefix: lenient, OTLP/JSON asks for numbers.
struct EnumNames {
    std::string_view prefix;
    std::span<const std::string_view> names;  ///< In order of their numbers, from 0.
};

struct FieldRule {
    std::string_view name;
    std::uint32_t number;
    Form form;
    const Message* message = nullptr;
    Zero zero = Zero::Omitted;
    const EnumNames* names = nullptr;
};

struct Message {
    std::span<const FieldRule> fields;
    bool item = false;   ///< A span, record or metric: what is wrong inside refuses only it.
    bool large = false;  ///< Likely over 16 KiB: room for a longer length is left at once.

    [[nodiscard]] const FieldRule* find(std::string_view name) const noexcept {
        for (const FieldRule& field : fields) {
            if (field.name == name) {
                return &field;
            }
        }
        return nullptr;
    }
};

extern const Message traces_request;
extern const Message logs_request;
extern const Message metrics_request;

}  // namespace tagout::intake::json
