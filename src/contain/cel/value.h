// A value of CEL as evaluation handles it: sixteen bytes that own nothing.
//
// Texts, lists and maps are views into the program (literals), into what the caller handed in (the
// call's arguments), or into the Scratch of the evaluation. So an evaluation allocates nothing, and a
// value is good for as long as these three are.
//
// Numbers compare across int, uint and double as on the number line; equality of values of different
// types is false and no error. Thread-safe: values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tagout::contain::cel {

/// Types of values; Dyn is known to the checker only: any of the others.
enum class Kind : std::uint8_t {
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Timestamp,
    Duration,
    List,
    Map,
    Type,
    Error,
    Dyn,
};
[[nodiscard]] std::string_view name_of(Kind kind) noexcept;  ///< "string", "google.protobuf.Timestamp"

/// Why an evaluation has no answer.
enum class Fault : std::uint8_t {
    None,
    NoSuchKey,
    NoSuchOverload,  ///< An operation that these types do not have.
    IndexOutOfRange,
    DivideByZero,
    Overflow,
    BadConversion,
    BadKey,  ///< A map literal with a key twice, or of a type that is none.
    UnknownName,
    TooMuchWork,   ///< The step budget is used up.
    TooMuchSpace,  ///< Scratch is used up.
    Unreadable,    ///< What the variable stands for could not be read.
};
[[nodiscard]] std::string_view name_of(Fault fault) noexcept;  ///< "no such key"

struct Value {
    Kind kind;
    Kind named;   ///< Of kind Type: the type.
    Fault fault;  ///< Of kind Error.
    /// String, Bytes: bytes. List: items. Map: pairs. Timestamp, Duration: nanoseconds, never negative.
    std::uint32_t size;
    union {
        bool flag;
        std::int64_t integer;  ///< Int; of Timestamp and Duration the seconds, rounded down.
        std::uint64_t whole;
        double real;
        const char* bytes;
        const Value* items;  ///< Of a map key, value, key, value, ...
    };

    [[nodiscard]] bool is_error() const noexcept { return kind == Kind::Error; }
    [[nodiscard]] bool is(bool expected) const noexcept {
        return kind == Kind::Bool && flag == expected;
    }
    [[nodiscard]] bool is_number() const noexcept {
        return kind == Kind::Int || kind == Kind::Uint || kind == Kind::Double;
    }
    [[nodiscard]] std::string_view text() const noexcept { return {bytes, size}; }
};
static_assert(sizeof(Value) == 16);

[[nodiscard]] inline Value null_value() noexcept {
    Value value{Kind::Null, Kind::Null, Fault::None, 0, {}};
    value.whole = 0;
    return value;
}
[[nodiscard]] inline Value value_of(bool flag) noexcept {
    Value value = null_value();
    value.kind = Kind::Bool;
    value.flag = flag;
    return value;
}
[[nodiscard]] inline Value value_of(std::int64_t integer) noexcept {
    Value value = null_value();
    value.kind = Kind::Int;
    value.integer = integer;
    return value;
}
[[nodiscard]] inline Value value_of(std::uint64_t whole) noexcept {
    Value value = null_value();
    value.kind = Kind::Uint;
    value.whole = whole;
    return value;
}
[[nodiscard]] inline Value value_of(double real) noexcept {
    Value value = null_value();
    value.kind = Kind::Double;
    value.real = real;
    return value;
}
[[nodiscard]] inline Value value_of(std::string_view text, Kind kind = Kind::String) noexcept {
    Value value = null_value();
    value.kind = kind;
    value.size = static_cast<std::uint32_t>(text.size());
    value.bytes = text.data();
    return value;
}
[[nodiscard]] inline Value value_of(const char* text) noexcept {
    return value_of(std::string_view(text));
}
/// `size` items, or pairs of a map.
[[nodiscard]] inline Value container_of(Kind kind, const Value* items, std::size_t size) noexcept {
    Value value = null_value();
    value.kind = kind;
    value.size = static_cast<std::uint32_t>(size);
    value.items = items;
    return value;
}
[[nodiscard]] inline Value time_value(Kind kind, std::int64_t seconds, std::uint32_t nanos) noexcept {
    Value value = null_value();
    value.kind = kind;
    value.size = nanos;
    value.integer = seconds;
    return value;
}
[[nodiscard]] inline Value type_value(Kind named) noexcept {
    Value value = null_value();
    value.kind = Kind::Type;
    value.named = named;
    return value;
}
[[nodiscard]] inline Value error_of(Fault fault) noexcept {
    Value value = null_value();
    value.kind = Kind::Error;
    value.fault = fault;
    return value;
}

/// What is left of an evaluation's budget; below zero it is used up and answers mean nothing.
using Budget = std::int64_t;

/// Deep, across number types; costs a step for each pair of parts and for each 64 bytes.
[[nodiscard]] bool equals(const Value& left, const Value& right, Budget& budget) noexcept;

enum class Order : std::uint8_t { Less, Equal, Greater, Unordered, NoSuchOverload };
[[nodiscard]] Order order_of(const Value& left, const Value& right, Budget& budget) noexcept;

/// The value under `key`, or null.
[[nodiscard]] const Value* find(const Value& map, const Value& key, Budget& budget) noexcept;

}  // namespace tagout::contain::cel
