#include "contain/cel/value.h"

#include <algorithm>
#include <cmath>
#include <compare>
#include <cstring>

namespace tagout::contain::cel {

namespace {

constexpr double two_to_63 = 9223372036854775808.0;
constexpr double two_to_64 = 18446744073709551616.0;

template <class T>
Order order(T left, T right) noexcept {
    return left < right ? Order::Less : left == right ? Order::Equal : Order::Greater;
}

Order reversed(Order order) noexcept {
    return order == Order::Less      ? Order::Greater
           : order == Order::Greater ? Order::Less
                                     : order;
}

// Within its range an integer is compared as the double next to it: so CEL has it.
Order order_int_double(std::int64_t left, double right) noexcept {
    if (std::isnan(right)) {
        return Order::Unordered;
    }
    if (right > two_to_63) {
        return Order::Less;
    }
    return right < -two_to_63 ? Order::Greater : order(static_cast<double>(left), right);
}

Order order_uint_double(std::uint64_t left, double right) noexcept {
    if (std::isnan(right)) {
        return Order::Unordered;
    }
    if (right > two_to_64) {
        return Order::Less;
    }
    return right < 0 ? Order::Greater : order(static_cast<double>(left), right);
}

Order order_int_uint(std::int64_t left, std::uint64_t right) noexcept {
    return left < 0 ? Order::Less : order(static_cast<std::uint64_t>(left), right);
}

Order order_numbers(const Value& left, const Value& right) noexcept {
    if (left.kind == right.kind) {
        if (left.kind == Kind::Int) {
            return order(left.integer, right.integer);
        }
        if (left.kind == Kind::Uint) {
            return order(left.whole, right.whole);
        }
        return std::isnan(left.real) || std::isnan(right.real) ? Order::Unordered
                                                               : order(left.real, right.real);
    }
    if (left.kind == Kind::Double || (left.kind == Kind::Uint && right.kind == Kind::Int)) {
        return reversed(order_numbers(right, left));
    }
    if (right.kind == Kind::Double) {
        return left.kind == Kind::Int ? order_int_double(left.integer, right.real)
                                      : order_uint_double(left.whole, right.real);
    }
    return order_int_uint(left.integer, right.whole);
}

bool same_bytes(const Value& left, const Value& right, Budget& budget) noexcept {
    if (left.size != right.size) {
        return false;
    }
    budget -= left.size / 64;
    return left.size == 0 || std::memcmp(left.bytes, right.bytes, left.size) == 0;
}

bool equal_lists(const Value& left, const Value& right, Budget& budget) noexcept {
    if (left.size != right.size) {
        return false;
    }
    for (std::uint32_t i = 0; i < left.size; ++i) {
        if (budget < 0 || !equals(left.items[i], right.items[i], budget)) {
            return false;
        }
    }
    return true;
}

bool equal_maps(const Value& left, const Value& right, Budget& budget) noexcept {
    if (left.size != right.size) {
        return false;
    }
    for (std::uint32_t i = 0; i < left.size; ++i) {
        const Value* const other = find(right, left.items[std::size_t{2} * i], budget);
        if (budget < 0 || other == nullptr ||
            !equals(left.items[std::size_t{2} * i + 1], *other, budget)) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::string_view name_of(Kind kind) noexcept {
    switch (kind) {
        case Kind::Null:
            return "null_type";
        case Kind::Bool:
            return "bool";
        case Kind::Int:
            return "int";
        case Kind::Uint:
            return "uint";
        case Kind::Double:
            return "double";
        case Kind::String:
            return "string";
        case Kind::Bytes:
            return "bytes";
        case Kind::Timestamp:
            return "google.protobuf.Timestamp";
        case Kind::Duration:
            return "google.protobuf.Duration";
        case Kind::List:
            return "list";
        case Kind::Map:
            return "map";
        case Kind::Type:
            return "type";
        case Kind::Error:
            return "error";
        case Kind::Dyn:
            return "dyn";
    }
    return "dyn";
}

std::string_view name_of(Fault fault) noexcept {
    switch (fault) {
        case Fault::None:
            return "no fault";
        case Fault::NoSuchKey:
            return "no such key";
        case Fault::NoSuchOverload:
            return "values of these types do not go together";
        case Fault::IndexOutOfRange:
            return "index out of range";
        case Fault::DivideByZero:
            return "division by zero";
        case Fault::Overflow:
            return "number or time out of range";
        case Fault::BadConversion:
            return "the text is no such value";
        case Fault::BadKey:
            return "a map with this key cannot be";
        case Fault::UnknownName:
            return "unknown name";
        case Fault::TooMuchWork:
            return "more work than a condition may make";
        case Fault::TooMuchSpace:
            return "more space than a condition may take";
        case Fault::Unreadable:
            return "the arguments are no JSON object, hold a key twice, or are too long";
    }
    return "unknown";
}

bool equals(const Value& left, const Value& right, Budget& budget) noexcept {
    --budget;
    if (left.is_number() && right.is_number()) {
        return order_numbers(left, right) == Order::Equal;
    }
    if (left.kind != right.kind) {
        return false;
    }
    switch (left.kind) {
        case Kind::Null:
            return true;
        case Kind::Bool:
            return left.flag == right.flag;
        case Kind::String:
        case Kind::Bytes:
            return same_bytes(left, right, budget);
        case Kind::Timestamp:
        case Kind::Duration:
            return left.integer == right.integer && left.size == right.size;
        case Kind::List:
            return equal_lists(left, right, budget);
        case Kind::Map:
            return equal_maps(left, right, budget);
        case Kind::Type:
            return left.named == right.named;
        case Kind::Int:
        case Kind::Uint:
        case Kind::Double:
        case Kind::Error:
        case Kind::Dyn:
            break;
    }
    return false;
}

Order order_of(const Value& left, const Value& right, Budget& budget) noexcept {
    if (left.is_number() && right.is_number()) {
        return order_numbers(left, right);
    }
    if (left.kind != right.kind) {
        return Order::NoSuchOverload;
    }
    switch (left.kind) {
        case Kind::Bool:
            return order(static_cast<int>(left.flag), static_cast<int>(right.flag));
        case Kind::String:
        case Kind::Bytes: {
            budget -= std::min(left.size, right.size) / 64;
            const int sign = left.text().compare(right.text());
            return order(sign, 0);
        }
        case Kind::Timestamp:
        case Kind::Duration:
            return left.integer != right.integer ? order(left.integer, right.integer)
                                                 : order(left.size, right.size);
        default:
            return Order::NoSuchOverload;
    }
}

const Value* find(const Value& map, const Value& key, Budget& budget) noexcept {
    for (std::uint32_t i = 0; i < map.size; ++i) {
        if (budget < 0) {
            return nullptr;
        }
        if (equals(map.items[std::size_t{2} * i], key, budget)) {
            return &map.items[std::size_t{2} * i + 1];
        }
    }
    return nullptr;
}

}  // namespace tagout::contain::cel
