// What a program is made of, and the functions that it can call. Internal to contain/cel.
#pragma once

#include "contain/cel/program.h"

#include <array>
#include <span>

namespace tagout::contain::cel {

enum class Op : std::uint8_t {
    Constant,      ///< c: place in constants
    Variable,      ///< c: place in the environment
    Item,          ///< a: loop whose present item it is
    Select,        ///< c: constant with the field's name
    Has,           ///< the same, whether it is there
    Call,          ///< a: Function, b: arguments
    Matches,       ///< c: pattern
    TimePart,      ///< a: TimePart, c: zone
    MakeList,      ///< c: items
    MakeMap,       ///< c: entries
    Branch,        ///< pops; false goes to c, an error stays and goes to c + b
    Jump,          ///< c: where to
    AndShort,      ///< false stays and goes to c
    OrShort,       ///< true stays and goes to c
    AndJoin,
    OrJoin,
    LoopBegin,     ///< a: LoopKind; pops the range; nothing to do goes to c
    LoopStep,      ///< pops the body's value; once more goes to c
};

struct Instruction {
    Op op;
    std::uint8_t a = 0;
    std::uint16_t b = 0;
    std::uint32_t c = 0;
};

enum class Function : std::uint8_t {
    Add, Subtract, Multiply, Divide, Modulo, Negate,
    Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, Not,
    In, Index, Size, Contains, StartsWith, EndsWith,
    ToInt, ToUint, ToDouble, ToString, ToBytes, ToBool, ToDyn, TypeOf, ToTimestamp, ToDuration,
    Matches, TimePart,
};

/// One way to call a function. Dyn takes any type.
struct Overload {
    std::string_view name;
    Function function;
    bool method = false;  ///< receiver.name(...), where the receiver is the first of `takes`.
    Kind result = Kind::Dyn;
    std::array<Kind, 2> takes{};
    std::uint8_t count = 1;
    TimePart part = TimePart::FullYear;
};
[[nodiscard]] std::span<const Overload> overloads() noexcept;

/// The value of a call of one or two arguments that are no errors. Never Matches or TimePart.
class Workspace;
[[nodiscard]] Value call(
    Function function, const Value* arguments, std::size_t count, Workspace& workspace
) noexcept;

/// Scratch as one evaluation uses it up.
class Workspace {
public:
    explicit Workspace(Scratch& scratch) noexcept : scratch_(scratch) {}

    Budget budget = steps_max;

    /// Null when there is no room left.
    [[nodiscard]] Value* values(std::size_t count) noexcept {
        if (count > scratch_values_max - values_) {
            return nullptr;
        }
        Value* const begin = scratch_.values + values_;
        values_ += count;
        return begin;
    }
    [[nodiscard]] char* bytes(std::size_t count) noexcept {
        if (count > scratch_bytes_max - bytes_) {
            return nullptr;
        }
        char* const begin = scratch_.bytes + bytes_;
        bytes_ += count;
        return begin;
    }

private:
    Scratch& scratch_;
    std::size_t values_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace tagout::contain::cel
