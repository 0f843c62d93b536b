// A condition in CEL, the Common Expression Language that gateway users know: compiled once, then
// evaluated in bounded time and without allocating.
//
// Spoken here: literals, field access, indexes, comparison, `in`, logic, ?:, arithmetic, has, size,
// contains, startsWith, endsWith, matches (RE2), the macros all, exists, exists_one, map and filter,
// durations, timestamps and their parts in time zones, conversions, type(). Not spoken: protobuf
// messages, functions of extension libraries, patterns and zones that are not literals (they are
// compiled with the condition). docs/reference/cel.md lists the cases of the public suite that this
// leaves out.
//
// && and || absorb errors on either side as CEL asks: false && (1/0 > 0) is false from both ends.
//
//   text --parse--> Tree --compile: names, types, constants--> Program (flat) --evaluate--> Value
//
// Untrusted input: any text gives a program or its first mistake, within the bounds of syntax.h. An
// evaluation takes at most steps_max steps, each of which is a handful of nanoseconds or 64 bytes of
// text looked at, and answers TooMuchWork past them. Cost: contain_bench; about 10 ns an operator.
#pragma once

#include "contain/cel/syntax.h"
#include "contain/cel/time.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace tagout::contain::cel {

inline constexpr Budget steps_max = 20'000;
inline constexpr std::size_t stack_max = 256;       ///< Values at a time; checked when compiled.
inline constexpr std::size_t loops_max = 8;         ///< Macros within macros.
inline constexpr std::size_t variables_max = 64;
inline constexpr std::size_t pattern_bytes_max = 1'000;
inline constexpr std::size_t scratch_values_max = 1'024;
inline constexpr std::size_t scratch_bytes_max = 4'096;

/// What the checker knows of an expression. `of`: the item of a list, key and value of a map.
struct Type {
    Kind kind = Kind::Dyn;
    std::vector<Type> of = {};
    friend bool operator==(const Type&, const Type&) = default;
};
[[nodiscard]] std::string to_text(const Type& type);  ///< "map(string, dyn)"

struct Variable {
    std::string name;  ///< May have dots.
    Type type;
};

/// What a condition may name. The place of a variable is the place of its value in evaluate().
struct Environment {
    std::vector<Variable> variables;  ///< At most variables_max.
    std::string container;            ///< Names are looked for within it first; "" for none.
    /// Unchecked, unknown names and ill-matched types are errors of the evaluation.
    bool checked = true;
};

/// What an evaluation builds lists and texts in. Reused; nothing of it is cleared.
struct Scratch {
    Value values[scratch_values_max];
    char bytes[scratch_bytes_max];
};

struct Instruction;

/// Thread-safe: immutable.
class Program {
public:
    [[nodiscard]] static Expected<std::shared_ptr<const Program>> compile(
        std::string_view text, const Environment& environment
    );
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    /// `variables` as the environment has them; those that uses() does not name are not looked at.
    [[nodiscard]] Value evaluate(std::span<const Value> variables, Scratch& scratch) const noexcept;
    /// The same for one of many: what it takes is taken from `left`, and no more than is there.
    [[nodiscard]] Value evaluate(
        std::span<const Value> variables, Scratch& scratch, Budget& left
    ) const noexcept;

    [[nodiscard]] const Type& type() const noexcept { return type_; }
    [[nodiscard]] bool uses(std::size_t variable) const noexcept {
        return (used_ >> variable & 1U) != 0;
    }
    /// It names no variable: its value is always the same.
    [[nodiscard]] bool is_constant() const noexcept { return used_ == 0; }

private:
    friend class Compiler;
    friend class Evaluation;
    Program();

    std::vector<Instruction> code_;
    std::vector<Value> constants_;
    std::deque<std::string> texts_;
    std::deque<std::vector<Value>> items_;
    std::vector<std::unique_ptr<re2::RE2>> patterns_;
    std::vector<Zone> zones_;
    Type type_;
    std::uint64_t used_ = 0;
};

}  // namespace tagout::contain::cel
