// Value: one JSON value of an instance while it is being judged, a view into the parsed text.
//
// Numbers are compared as the numbers that they denote: 64-bit integers and doubles all fit into
// the 64 bits of mantissa of x86's long double (and into the 113 of others'), so 1, 1.0 and 1e0 are
// equal and 2^53+1 is not 2^53. Multiples are reckoned in decimal, as people wrote them: 0.0075 is
// a multiple of 0.0001.
#pragma once

#include <simdjson.h>
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace tagout::schema {

enum class Type : std::uint8_t { Null, Bool, Integer, Unsigned, Double, String, Array, Object };

static_assert(std::numeric_limits<long double>::digits >= 64, "64-bit integers must be exact");

struct Value {
    Type type = Type::Null;
    bool boolean = false;
    std::int64_t integer = 0;
    std::uint64_t natural = 0;
    double real = 0;
    std::string_view text;
    simdjson::dom::element raw;  ///< Of arrays and objects alone.

    [[nodiscard]] static Value of(simdjson::dom::element element) noexcept;
    [[nodiscard]] static Value of_key(std::string_view key) noexcept {
        Value value;
        value.type = Type::String;
        value.text = key;
        return value;
    }
    [[nodiscard]] bool is_number() const noexcept {
        return type == Type::Integer || type == Type::Unsigned || type == Type::Double;
    }
    [[nodiscard]] long double number() const noexcept {
        if (type == Type::Integer) {
            return static_cast<long double>(integer);
        }
        return type == Type::Unsigned ? static_cast<long double>(natural)
                                      : static_cast<long double>(real);
    }
    /// Of an array, and of an object; of nothing else.
    [[nodiscard]] simdjson::dom::array items() const noexcept {
        return raw.get_array().value_unsafe();
    }
    [[nodiscard]] simdjson::dom::object members() const noexcept {
        return raw.get_object().value_unsafe();
    }
    /// Of an array or object. simdjson counts up to 2^24 - 1 and then stops.
    [[nodiscard]] std::size_t size() const noexcept;
};

[[nodiscard]] long double number_of(const boost::json::value& number) noexcept;
[[nodiscard]] bool is_integral(long double number) noexcept;

/// A positive decimal number: digits times ten to the exponent.
struct Decimal {
    std::uint64_t digits = 0;
    int exponent = 0;
};
[[nodiscard]] Decimal decimal_of(const boost::json::value& number) noexcept;
[[nodiscard]] Decimal decimal_of(const Value& number) noexcept;
[[nodiscard]] bool is_multiple(Decimal number, Decimal of) noexcept;

/// Unicode code points of valid UTF-8.
[[nodiscard]] std::size_t length_of(std::string_view utf8) noexcept;

/// Adds to `walked` the values that it had to compare, at most those of the constant.
[[nodiscard]] bool equal(
    const boost::json::value& constant, const Value& value, std::uint64_t& walked
);

/// Exact copy of a parsed document as a tree with stable addresses.
[[nodiscard]] boost::json::value tree_of(simdjson::dom::element element);

}  // namespace tagout::schema
