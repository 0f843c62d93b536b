// What the functions of a condition do.
#include "contain/cel/code.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

namespace tagout::contain::cel {

namespace {

constexpr Kind B = Kind::Bool;
constexpr Kind I = Kind::Int;
constexpr Kind U = Kind::Uint;
constexpr Kind D = Kind::Double;
constexpr Kind S = Kind::String;
constexpr Kind Y = Kind::Bytes;
constexpr Kind T = Kind::Timestamp;
constexpr Kind P = Kind::Duration;
constexpr Kind L = Kind::List;
constexpr Kind M = Kind::Map;
constexpr Kind Any = Kind::Dyn;
using F = Function;

constexpr std::array all_overloads = std::to_array<Overload>({
    {"_+_", F::Add, false, I, {I, I}, 2},
    {"_+_", F::Add, false, U, {U, U}, 2},
    {"_+_", F::Add, false, D, {D, D}, 2},
    {"_+_", F::Add, false, S, {S, S}, 2},
    {"_+_", F::Add, false, Y, {Y, Y}, 2},
    {"_+_", F::Add, false, L, {L, L}, 2},
    {"_+_", F::Add, false, T, {T, P}, 2},
    {"_+_", F::Add, false, T, {P, T}, 2},
    {"_+_", F::Add, false, P, {P, P}, 2},
    {"_-_", F::Subtract, false, I, {I, I}, 2},
    {"_-_", F::Subtract, false, U, {U, U}, 2},
    {"_-_", F::Subtract, false, D, {D, D}, 2},
    {"_-_", F::Subtract, false, P, {T, T}, 2},
    {"_-_", F::Subtract, false, T, {T, P}, 2},
    {"_-_", F::Subtract, false, P, {P, P}, 2},
    {"_*_", F::Multiply, false, I, {I, I}, 2},
    {"_*_", F::Multiply, false, U, {U, U}, 2},
    {"_*_", F::Multiply, false, D, {D, D}, 2},
    {"_/_", F::Divide, false, I, {I, I}, 2},
    {"_/_", F::Divide, false, U, {U, U}, 2},
    {"_/_", F::Divide, false, D, {D, D}, 2},
    {"_%_", F::Modulo, false, I, {I, I}, 2},
    {"_%_", F::Modulo, false, U, {U, U}, 2},
    {operators::negate, F::Negate, false, I, {I}, 1},
    {operators::negate, F::Negate, false, D, {D}, 1},
    {operators::is_not, F::Not, false, B, {B}, 1},
    {"_==_", F::Equal, false, B, {Any, Any}, 2},
    {"_!=_", F::NotEqual, false, B, {Any, Any}, 2},
    {operators::in, F::In, false, B, {Any, L}, 2},
    {operators::in, F::In, false, B, {Any, M}, 2},
    {"size", F::Size, false, I, {S}, 1},
    {"size", F::Size, false, I, {Y}, 1},
    {"size", F::Size, false, I, {L}, 1},
    {"size", F::Size, false, I, {M}, 1},
    {"size", F::Size, true, I, {S}, 1},
    {"size", F::Size, true, I, {Y}, 1},
    {"size", F::Size, true, I, {L}, 1},
    {"size", F::Size, true, I, {M}, 1},
    {"contains", F::Contains, true, B, {S, S}, 2},
    {"startsWith", F::StartsWith, true, B, {S, S}, 2},
    {"endsWith", F::EndsWith, true, B, {S, S}, 2},
    {"matches", F::Matches, true, B, {S, S}, 2},
    {"matches", F::Matches, false, B, {S, S}, 2},
    {"int", F::ToInt, false, I, {I}, 1},
    {"int", F::ToInt, false, I, {U}, 1},
    {"int", F::ToInt, false, I, {D}, 1},
    {"int", F::ToInt, false, I, {S}, 1},
    {"int", F::ToInt, false, I, {T}, 1},
    {"uint", F::ToUint, false, U, {I}, 1},
    {"uint", F::ToUint, false, U, {U}, 1},
    {"uint", F::ToUint, false, U, {D}, 1},
    {"uint", F::ToUint, false, U, {S}, 1},
    {"double", F::ToDouble, false, D, {I}, 1},
    {"double", F::ToDouble, false, D, {U}, 1},
    {"double", F::ToDouble, false, D, {D}, 1},
    {"double", F::ToDouble, false, D, {S}, 1},
    {"string", F::ToString, false, S, {S}, 1},
    {"string", F::ToString, false, S, {Y}, 1},
    {"string", F::ToString, false, S, {B}, 1},
    {"string", F::ToString, false, S, {I}, 1},
    {"string", F::ToString, false, S, {U}, 1},
    {"string", F::ToString, false, S, {D}, 1},
    {"string", F::ToString, false, S, {T}, 1},
    {"string", F::ToString, false, S, {P}, 1},
    {"bytes", F::ToBytes, false, Y, {S}, 1},
    {"bytes", F::ToBytes, false, Y, {Y}, 1},
    {"bool", F::ToBool, false, B, {B}, 1},
    {"bool", F::ToBool, false, B, {S}, 1},
    {"dyn", F::ToDyn, false, Any, {Any}, 1},
    {"type", F::TypeOf, false, Kind::Type, {Any}, 1},
    {"timestamp", F::ToTimestamp, false, T, {S}, 1},
    {"timestamp", F::ToTimestamp, false, T, {I}, 1},
    {"timestamp", F::ToTimestamp, false, T, {T}, 1},
    {"duration", F::ToDuration, false, P, {S}, 1},
    {"duration", F::ToDuration, false, P, {P}, 1},
    {"getFullYear", F::TimePart, true, I, {T}, 1, TimePart::FullYear},
    {"getFullYear", F::TimePart, true, I, {T, S}, 2, TimePart::FullYear},
    {"getMonth", F::TimePart, true, I, {T}, 1, TimePart::Month},
    {"getMonth", F::TimePart, true, I, {T, S}, 2, TimePart::Month},
    {"getDate", F::TimePart, true, I, {T}, 1, TimePart::Date},
    {"getDate", F::TimePart, true, I, {T, S}, 2, TimePart::Date},
    {"getDayOfMonth", F::TimePart, true, I, {T}, 1, TimePart::DayOfMonth},
    {"getDayOfMonth", F::TimePart, true, I, {T, S}, 2, TimePart::DayOfMonth},
    {"getDayOfWeek", F::TimePart, true, I, {T}, 1, TimePart::DayOfWeek},
    {"getDayOfWeek", F::TimePart, true, I, {T, S}, 2, TimePart::DayOfWeek},
    {"getDayOfYear", F::TimePart, true, I, {T}, 1, TimePart::DayOfYear},
    {"getDayOfYear", F::TimePart, true, I, {T, S}, 2, TimePart::DayOfYear},
    {"getHours", F::TimePart, true, I, {T}, 1, TimePart::Hours},
    {"getHours", F::TimePart, true, I, {T, S}, 2, TimePart::Hours},
    {"getHours", F::TimePart, true, I, {P}, 1, TimePart::Hours},
    {"getMinutes", F::TimePart, true, I, {T}, 1, TimePart::Minutes},
    {"getMinutes", F::TimePart, true, I, {T, S}, 2, TimePart::Minutes},
    {"getMinutes", F::TimePart, true, I, {P}, 1, TimePart::Minutes},
    {"getSeconds", F::TimePart, true, I, {T}, 1, TimePart::Seconds},
    {"getSeconds", F::TimePart, true, I, {T, S}, 2, TimePart::Seconds},
    {"getSeconds", F::TimePart, true, I, {P}, 1, TimePart::Seconds},
    {"getMilliseconds", F::TimePart, true, I, {T}, 1, TimePart::Milliseconds},
    {"getMilliseconds", F::TimePart, true, I, {T, S}, 2, TimePart::Milliseconds},
    {"getMilliseconds", F::TimePart, true, I, {P}, 1, TimePart::Milliseconds},
});

/// The four orders, each for every pair of types that has one.
constexpr auto make_orders() {
    constexpr std::array<std::pair<Kind, Kind>, 14> pairs{{
        {B, B}, {I, I}, {U, U}, {D, D}, {S, S}, {Y, Y}, {T, T}, {P, P},
        {I, U}, {U, I}, {I, D}, {D, I}, {U, D}, {D, U}}};
    constexpr std::array<std::pair<std::string_view, F>, 4> names{{
        {"_<_", F::Less}, {"_<=_", F::LessEqual}, {"_>_", F::Greater}, {"_>=_", F::GreaterEqual}}};
    std::array<Overload, pairs.size() * names.size()> orders{};
    std::size_t at = 0;
    for (const auto& [name, function] : names) {
        for (const auto& [left, right] : pairs) {
            orders[at++] = {name, function, false, B, {left, right}, 2};
        }
    }
    return orders;
}

constexpr auto joined = [] {
    constexpr auto orders = make_orders();
    std::array<Overload, all_overloads.size() + orders.size()> all{};
    std::size_t at = 0;
    for (const Overload& each : all_overloads) {
        all[at++] = each;
    }
    for (const Overload& each : orders) {
        all[at++] = each;
    }
    return all;
}();

const Value no_overload = error_of(Fault::NoSuchOverload);
const Value overflow = error_of(Fault::Overflow);
const Value bad_conversion = error_of(Fault::BadConversion);

Value joined_texts(const Value& left, const Value& right, Workspace& workspace) noexcept {
    const std::size_t size = std::size_t{left.size} + right.size;
    char* const room = workspace.bytes(size);
    if (room == nullptr) {
        return error_of(Fault::TooMuchSpace);
    }
    std::copy_n(left.bytes, left.size, room);
    std::copy_n(right.bytes, right.size, room + left.size);
    return value_of(std::string_view(room, size), left.kind);
}

Value joined_lists(const Value& left, const Value& right, Workspace& workspace) noexcept {
    const std::size_t size = std::size_t{left.size} + right.size;
    Value* const room = workspace.values(size);
    if (room == nullptr) {
        return error_of(Fault::TooMuchSpace);
    }
    std::copy_n(left.items, left.size, room);
    std::copy_n(right.items, right.size, room + left.size);
    workspace.budget -= static_cast<Budget>(size);
    return container_of(Kind::List, room, size);
}

Value add(const Value& left, const Value& right, Workspace& workspace) noexcept {
    if (left.kind == Kind::Timestamp || left.kind == Kind::Duration) {
        const std::int64_t nanos = std::int64_t{left.size} + right.size;
        std::int64_t seconds = 0;
        if ((right.kind != Kind::Timestamp && right.kind != Kind::Duration) ||
            (left.kind == Kind::Timestamp && right.kind == Kind::Timestamp)) {
            return no_overload;
        }
        if (__builtin_add_overflow(left.integer, right.integer, &seconds)) {
            return overflow;
        }
        return left.kind == right.kind ? duration_of(seconds, nanos) : timestamp_of(seconds, nanos);
    }
    if (left.kind != right.kind) {
        return no_overload;
    }
    std::int64_t integer = 0;
    std::uint64_t whole = 0;
    switch (left.kind) {
        case Kind::Int:
            return __builtin_add_overflow(left.integer, right.integer, &integer) ? overflow
                                                                                 : value_of(integer);
        case Kind::Uint:
            return __builtin_add_overflow(left.whole, right.whole, &whole) ? overflow
                                                                           : value_of(whole);
        case Kind::Double:
            return value_of(left.real + right.real);
        case Kind::String:
        case Kind::Bytes:
            return joined_texts(left, right, workspace);
        case Kind::List:
            return joined_lists(left, right, workspace);
        default:
            return no_overload;
    }
}

Value subtract(const Value& left, const Value& right) noexcept {
    std::int64_t integer = 0;
    std::uint64_t whole = 0;
    const bool time = left.kind == Kind::Timestamp || left.kind == Kind::Duration;
    if (time && (right.kind == Kind::Duration || right.kind == left.kind)) {
        const std::int64_t nanos = std::int64_t{left.size} - std::int64_t{right.size};
        if (__builtin_sub_overflow(left.integer, right.integer, &integer)) {
            return overflow;
        }
        return left.kind == right.kind ? duration_of(integer, nanos) : timestamp_of(integer, nanos);
    }
    if (left.kind != right.kind) {
        return no_overload;
    }
    switch (left.kind) {
        case Kind::Int:
            return __builtin_sub_overflow(left.integer, right.integer, &integer) ? overflow
                                                                                 : value_of(integer);
        case Kind::Uint:
            return __builtin_sub_overflow(left.whole, right.whole, &whole) ? overflow
                                                                           : value_of(whole);
        case Kind::Double:
            return value_of(left.real - right.real);
        default:
            return no_overload;
    }
}

Value multiply(const Value& left, const Value& right) noexcept {
    std::int64_t integer = 0;
    std::uint64_t whole = 0;
    if (left.kind != right.kind) {
        return no_overload;
    }
    switch (left.kind) {
        case Kind::Int:
            return __builtin_mul_overflow(left.integer, right.integer, &integer) ? overflow
                                                                                 : value_of(integer);
        case Kind::Uint:
            return __builtin_mul_overflow(left.whole, right.whole, &whole) ? overflow
                                                                           : value_of(whole);
        case Kind::Double:
            return value_of(left.real * right.real);
        default:
            return no_overload;
    }
}

Value divide(const Value& left, const Value& right, bool remainder) noexcept {
    if (left.kind != right.kind) {
        return no_overload;
    }
    switch (left.kind) {
        case Kind::Int:
            if (right.integer == 0) {
                return error_of(Fault::DivideByZero);
            }
            if (right.integer == -1) {  // The least number has no opposite.
                return remainder ? value_of(std::int64_t{0}) : subtract(value_of(std::int64_t{0}), left);
            }
            return value_of(remainder ? left.integer % right.integer : left.integer / right.integer);
        case Kind::Uint:
            if (right.whole == 0) {
                return error_of(Fault::DivideByZero);
            }
            return value_of(remainder ? left.whole % right.whole : left.whole / right.whole);
        case Kind::Double:
            return remainder ? no_overload : value_of(left.real / right.real);
        default:
            return no_overload;
    }
}

Value compare(Function function, const Value& left, const Value& right, Budget& budget) noexcept {
    const Order order = order_of(left, right, budget);
    if (order == Order::NoSuchOverload) {
        return no_overload;
    }
    switch (function) {
        case F::Less:
            return value_of(order == Order::Less);
        case F::LessEqual:
            return value_of(order == Order::Less || order == Order::Equal);
        case F::Greater:
            return value_of(order == Order::Greater);
        default:
            return value_of(order == Order::Greater || order == Order::Equal);
    }
}

Value is_in(const Value& item, const Value& range, Budget& budget) noexcept {
    if (range.kind == Kind::Map) {
        return value_of(find(range, item, budget) != nullptr);
    }
    if (range.kind != Kind::List) {
        return no_overload;
    }
    for (std::uint32_t i = 0; i < range.size && budget >= 0; ++i) {
        if (equals(range.items[i], item, budget)) {
            return value_of(true);
        }
    }
    return value_of(false);
}

Value index(const Value& from, const Value& place, Budget& budget) noexcept {
    if (from.kind == Kind::Map) {
        if (place.kind != Kind::String && place.kind != Kind::Bool && !place.is_number()) {
            return no_overload;
        }
        const Value* const found = find(from, place, budget);
        return found == nullptr ? error_of(Fault::NoSuchKey) : *found;
    }
    if (from.kind != Kind::List || !place.is_number()) {
        return no_overload;
    }
    std::int64_t at = place.integer;
    if (place.kind == Kind::Double) {
        if (place.real != std::floor(place.real) || std::abs(place.real) > 1e9) {
            return error_of(Fault::IndexOutOfRange);
        }
        at = static_cast<std::int64_t>(place.real);
    }
    if (at < 0 || at >= std::int64_t{from.size}) {
        return error_of(Fault::IndexOutOfRange);
    }
    return from.items[at];
}

Value size_of(const Value& value, Budget& budget) noexcept {
    switch (value.kind) {
        case Kind::String:
            budget -= value.size / 64;
            return value_of(static_cast<std::int64_t>(characters_of(value.text())));
        case Kind::Bytes:
        case Kind::List:
        case Kind::Map:
            return value_of(std::int64_t{value.size});
        default:
            return no_overload;
    }
}

Value text_test(Function function, const Value& text, const Value& part, Budget& budget) noexcept {
    if (text.kind != Kind::String || part.kind != Kind::String) {
        return no_overload;
    }
    switch (function) {
        case F::StartsWith:
            budget -= part.size / 64;
            return value_of(text.text().starts_with(part.text()));
        case F::EndsWith:
            budget -= part.size / 64;
            return value_of(text.text().ends_with(part.text()));
        default:  // Linear in both, whatever they hold.
            budget -= (text.size + part.size) / 64;
            return value_of(
                part.size == 0 || memmem(text.bytes, text.size, part.bytes, part.size) != nullptr
            );
    }
}

template <class Number>
Value parsed(std::string_view text) noexcept {
    Number number{};
    if (text.starts_with('+')) {
        text.remove_prefix(1);
    }
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    return fault == std::errc() && end == text.data() + text.size() ? value_of(number)
                                                                    : bad_conversion;
}

Value to_int(const Value& value) noexcept {
    switch (value.kind) {
        case Kind::Int:
            return value;
        case Kind::Uint:
            return value.whole > static_cast<std::uint64_t>(INT64_MAX)
                       ? overflow
                       : value_of(static_cast<std::int64_t>(value.whole));
        case Kind::Double:
            return value.real > -0x1p63 && value.real < 0x1p63
                       ? value_of(static_cast<std::int64_t>(value.real))
                       : overflow;
        case Kind::String:
            return parsed<std::int64_t>(value.text());
        case Kind::Timestamp:
            return value_of(value.integer);
        default:
            return no_overload;
    }
}

Value to_uint(const Value& value) noexcept {
    switch (value.kind) {
        case Kind::Uint:
            return value;
        case Kind::Int:
            return value.integer < 0 ? overflow : value_of(static_cast<std::uint64_t>(value.integer));
        case Kind::Double:
            return value.real >= 0 && value.real < 0x1p64
                       ? value_of(static_cast<std::uint64_t>(value.real))
                       : overflow;
        case Kind::String:
            return parsed<std::uint64_t>(value.text());
        default:
            return no_overload;
    }
}

Value to_double(const Value& value) noexcept {
    switch (value.kind) {
        case Kind::Double:
            return value;
        case Kind::Int:
            return value_of(static_cast<double>(value.integer));
        case Kind::Uint:
            return value_of(static_cast<double>(value.whole));
        case Kind::String:
            return parsed<double>(value.text());
        default:
            return no_overload;
    }
}

template <class Number>
Value written(Number number, Workspace& workspace) noexcept {
    constexpr std::size_t most = 32;
    char* const room = workspace.bytes(most);
    if (room == nullptr) {
        return error_of(Fault::TooMuchSpace);
    }
    const auto [end, fault] = std::to_chars(room, room + most, number);
    return value_of(std::string_view(room, static_cast<std::size_t>(end - room)));
}

Value to_string(const Value& value, Workspace& workspace) noexcept {
    switch (value.kind) {
        case Kind::String:
            return value;
        case Kind::Bytes:
            workspace.budget -= value.size / 64;
            return is_utf8(value.text()) ? value_of(value.text()) : bad_conversion;
        case Kind::Bool:
            return value_of(value.flag ? "true" : "false");
        case Kind::Int:
            return written(value.integer, workspace);
        case Kind::Uint:
            return written(value.whole, workspace);
        case Kind::Double:
            return written(value.real, workspace);
        case Kind::Timestamp:
        case Kind::Duration: {
            char* const room = workspace.bytes(time_text_max);
            return room == nullptr ? error_of(Fault::TooMuchSpace)
                                   : value_of(std::string_view(room, write_time(value, room)));
        }
        default:
            return no_overload;
    }
}

Value to_bool(const Value& value) noexcept {
    if (value.kind == Kind::Bool) {
        return value;
    }
    if (value.kind != Kind::String) {
        return no_overload;
    }
    for (const std::string_view yes : {"1", "t", "true", "TRUE", "True"}) {
        if (value.text() == yes) {
            return value_of(true);
        }
    }
    for (const std::string_view no : {"0", "f", "false", "FALSE", "False"}) {
        if (value.text() == no) {
            return value_of(false);
        }
    }
    return bad_conversion;
}

Value to_time(Function function, const Value& value) noexcept {
    const Kind kind = function == F::ToTimestamp ? Kind::Timestamp : Kind::Duration;
    if (value.kind == kind) {
        return value;
    }
    if (value.kind == Kind::String) {
        return kind == Kind::Timestamp ? parse_timestamp(value.text()) : parse_duration(value.text());
    }
    return value.kind == Kind::Int && kind == Kind::Timestamp ? timestamp_of(value.integer, 0)
                                                              : no_overload;
}

Value negated(const Value& value) noexcept {
    if (value.kind == Kind::Double) {
        return value_of(-value.real);
    }
    return value.kind == Kind::Int ? subtract(value_of(std::int64_t{0}), value) : no_overload;
}

}  // namespace

std::span<const Overload> overloads() noexcept { return joined; }

Value call(
    Function function, const Value* with, std::size_t count, Workspace& workspace
) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        if (with[i].is_error()) {
            return with[i];
        }
    }
    const Value& first = with[0];
    const Value& second = with[count - 1];
    switch (function) {
        case F::Add:
            return add(first, second, workspace);
        case F::Subtract:
            return subtract(first, second);
        case F::Multiply:
            return multiply(first, second);
        case F::Divide:
        case F::Modulo:
            return divide(first, second, function == F::Modulo);
        case F::Negate:
            return negated(first);
        case F::Equal:
        case F::NotEqual:
            return value_of(equals(first, second, workspace.budget) == (function == F::Equal));
        case F::Less:
        case F::LessEqual:
        case F::Greater:
        case F::GreaterEqual:
            return compare(function, first, second, workspace.budget);
        case F::Not:
            return first.kind == Kind::Bool ? value_of(!first.flag) : no_overload;
        case F::In:
            return is_in(first, second, workspace.budget);
        case F::Index:
            return index(first, second, workspace.budget);
        case F::Size:
            return size_of(first, workspace.budget);
        case F::Contains:
        case F::StartsWith:
        case F::EndsWith:
            return text_test(function, first, second, workspace.budget);
        case F::ToInt:
            return to_int(first);
        case F::ToUint:
            return to_uint(first);
        case F::ToDouble:
            return to_double(first);
        case F::ToString:
            return to_string(first, workspace);
        case F::ToBytes:
            return first.kind == Kind::String || first.kind == Kind::Bytes
                       ? value_of(first.text(), Kind::Bytes)
                       : no_overload;
        case F::ToBool:
            return to_bool(first);
        case F::ToDyn:
            return first;
        case F::TypeOf:
            return type_value(first.kind);
        case F::ToTimestamp:
        case F::ToDuration:
            return to_time(function, first);
        case F::Matches:
        case F::TimePart:
            break;
    }
    return no_overload;
}

}  // namespace tagout::contain::cel
