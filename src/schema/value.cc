#include "schema/value.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

namespace tagout::schema {

namespace {

using simdjson::dom::element_type;

Decimal decimal_of_double(double number) noexcept {
    std::array<char, 40> text{};
    const auto end = std::to_chars(
        text.data(), text.data() + text.size(), std::fabs(number), std::chars_format::scientific
    );
    Decimal decimal;
    bool fraction = false;
    const char* at = text.data();
    for (; at != end.ptr && *at != 'e'; ++at) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        decimal.digits = decimal.digits * 10 + static_cast<std::uint64_t>(*at - '0');
        decimal.exponent -= fraction ? 1 : 0;
    }
    if (at != end.ptr) {
        ++at;
        at += *at == '+' ? 1 : 0;
        int exponent = 0;
        std::from_chars(at, end.ptr, exponent);
        decimal.exponent += exponent;
    }
    return decimal;
}

std::uint64_t magnitude(std::int64_t number) noexcept {
    return number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
}

__extension__ using Wide = unsigned __int128;

std::uint64_t times_mod(std::uint64_t a, std::uint64_t b, std::uint64_t mod) noexcept {
    return static_cast<std::uint64_t>(static_cast<Wide>(a) * b % mod);
}

}  // namespace

Value Value::of(simdjson::dom::element element) noexcept {
    Value value;
    switch (element.type()) {
        case element_type::NULL_VALUE:
            break;
        case element_type::BOOL:
            value.type = Type::Bool;
            value.boolean = element.get_bool().value_unsafe();
            break;
        case element_type::INT64:
            value.type = Type::Integer;
            value.integer = element.get_int64().value_unsafe();
            break;
        case element_type::UINT64:
            value.type = Type::Unsigned;
            value.natural = element.get_uint64().value_unsafe();
            break;
        case element_type::DOUBLE:
            value.type = Type::Double;
            value.real = element.get_double().value_unsafe();
            break;
        case element_type::STRING:
            value.type = Type::String;
            value.text = element.get_string().value_unsafe();
            break;
        case element_type::ARRAY:
            value.type = Type::Array;
            value.raw = element;
            break;
        case element_type::OBJECT:
            value.type = Type::Object;
            value.raw = element;
            break;
    }
    return value;
}

std::size_t Value::size() const noexcept {
    if (type == Type::Array) {
        return items().size();
    }
    return type == Type::Object ? members().size() : 0;
}

long double number_of(const boost::json::value& number) noexcept {
    if (number.is_int64()) {
        return static_cast<long double>(number.get_int64());
    }
    if (number.is_uint64()) {
        return static_cast<long double>(number.get_uint64());
    }
    return number.is_double() ? static_cast<long double>(number.get_double()) : 0;
}

bool is_integral(long double number) noexcept {
    return std::trunc(number) == number;
}

Decimal decimal_of(const boost::json::value& number) noexcept {
    if (number.is_int64()) {
        return {magnitude(number.get_int64()), 0};
    }
    return number.is_uint64() ? Decimal{number.get_uint64(), 0}
                              : decimal_of_double(number.get_double());
}

Decimal decimal_of(const Value& number) noexcept {
    if (number.type == Type::Integer) {
        return {magnitude(number.integer), 0};
    }
    return number.type == Type::Unsigned ? Decimal{number.natural, 0}
                                         : decimal_of_double(number.real);
}

bool is_multiple(Decimal number, Decimal of) noexcept {
    if (number.digits == 0) {
        return true;
    }
    if (of.digits == 0) {
        return false;
    }
    int shift = number.exponent - of.exponent;
    // Tens that the divisor has beyond the number must stand in the number's digits.
    while (shift < 0 && number.digits % 10 == 0) {
        number.digits /= 10;
        ++shift;
    }
    while (shift < 0) {
        // 15 * 10^0 by 5 * 10^1: no ten left to give, unless the divisor can take it in.
        Wide grown = static_cast<Wide>(of.digits) * 10;
        if (grown > UINT64_MAX) {
            return false;  // the divisor is larger than any number of 64 bits
        }
        of.digits = static_cast<std::uint64_t>(grown);
        ++shift;
    }
    std::uint64_t power = 1 % of.digits;
    std::uint64_t base = 10 % of.digits;
    for (auto left = static_cast<unsigned>(shift); left != 0; left >>= 1U) {
        if ((left & 1U) != 0) {
            power = times_mod(power, base, of.digits);
        }
        base = times_mod(base, base, of.digits);
    }
    return times_mod(number.digits % of.digits, power, of.digits) == 0;
}

std::size_t length_of(std::string_view utf8) noexcept {
    std::size_t length = 0;
    for (const char c : utf8) {
        length += (static_cast<unsigned char>(c) & 0xc0U) != 0x80U ? 1 : 0;
    }
    return length;
}

bool equal(const boost::json::value& constant, const Value& value, std::uint64_t& walked) {
    ++walked;
    switch (value.type) {
        case Type::Null:
            return constant.is_null();
        case Type::Bool:
            return constant.is_bool() && constant.get_bool() == value.boolean;
        case Type::Integer:
        case Type::Unsigned:
        case Type::Double:
            return constant.is_number() && number_of(constant) == value.number();
        case Type::String:
            return constant.is_string() &&
                   std::string_view(constant.get_string().data(), constant.get_string().size()) ==
                       value.text;
        case Type::Array: {
            if (!constant.is_array() || value.size() != constant.get_array().size()) {
                return false;
            }
            const boost::json::value* other = constant.get_array().data();
            for (const simdjson::dom::element item : value.items()) {
                if (!equal(*other++, Value::of(item), walked)) {
                    return false;
                }
            }
            return true;
        }
        case Type::Object: {
            if (!constant.is_object() || value.size() != constant.get_object().size()) {
                return false;
            }
            for (const auto member : value.members()) {
                const boost::json::value* other = constant.get_object().if_contains(
                    boost::json::string_view(member.key.data(), member.key.size())
                );
                if (other == nullptr || !equal(*other, Value::of(member.value), walked)) {
                    return false;
                }
            }
            return true;
        }
    }
    return false;
}

boost::json::value tree_of(simdjson::dom::element element) {
    const Value value = Value::of(element);
    switch (value.type) {
        case Type::Null:
            return nullptr;
        case Type::Bool:
            return value.boolean;
        case Type::Integer:
            return value.integer;
        case Type::Unsigned:
            return value.natural;
        case Type::Double:
            return value.real;
        case Type::String:
            return boost::json::string(value.text.data(), value.text.size());
        case Type::Array: {
            boost::json::array out;
            for (const simdjson::dom::element item : value.items()) {
                out.push_back(tree_of(item));
            }
            return out;
        }
        case Type::Object: {
            boost::json::object out;
            for (const auto member : value.members()) {
                out.insert_or_assign(
                    boost::json::string_view(member.key.data(), member.key.size()),
                    tree_of(member.value)
                );
            }
            return out;
        }
    }
    return nullptr;
}

}  // namespace tagout::schema
