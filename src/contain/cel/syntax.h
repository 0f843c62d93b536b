// The text of a condition as a tree: words, then grammar, then the macros that are part of the
// language (has, all, exists, exists_one, map, filter) as nodes of their own.
//
// Untrusted input: any text gives a tree or the first mistake with its place, within the bounds below.
// Pure; thread-safe. Internal to contain/cel.
#pragma once

#include "contain/cel/value.h"

#include <cstdint>
#include <deque>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::contain::cel {

inline constexpr std::size_t text_bytes_max = 8'192;  ///< Of one condition.
inline constexpr std::size_t nodes_max = 2'000;
inline constexpr std::size_t nesting_max = 100;  ///< Of parentheses, lists and calls.
inline constexpr std::size_t chain_max = 500;    ///< Of operators and accesses in a row.

/// What is wrong with a condition, and what to write instead.
struct Mistake {
    enum class What : std::uint8_t {
        Syntax,
        Type,         ///< Unknown names, values that do not go together.
        Unsupported,  ///< CEL, but not of the part that is spoken here.
        Limit,
    };
    What what = What::Syntax;
    std::size_t at = 0;  ///< Byte of the text.
    std::string says;
    std::string remedy;
};
template <class T>
using Expected = std::expected<T, Mistake>;

enum class NodeKind : std::uint8_t {
    Literal,
    Name,     ///< text; rooted when it stands behind a dot.
    Select,   ///< Of children[0] the field text; with `tests`, whether it is there.
    Index,    ///< children[0] [children[1]]
    Call,     ///< text of children: a function, or a method whose receiver is children[0]
    List,
    Map,      ///< key, value, key, value, ...
    Message,  ///< A protobuf message, which is not spoken here.
    Choice,   ///< children[0] ? children[1] : children[2]
    And,
    Or,
    Loop,     ///< A macro over children[0] with variable text and body children[1].
};

/// Operators are calls too, by these names.
namespace operators {
inline constexpr std::string_view negate = "-_";
inline constexpr std::string_view is_not = "!_";
inline constexpr std::string_view in = "_in_";
}  // namespace operators

enum class LoopKind : std::uint8_t { All, Exists, ExistsOne, Map, Filter };

struct Node {
    NodeKind kind = NodeKind::Literal;
    std::size_t at = 0;
    std::string text;
    Value literal = null_value();
    std::vector<std::uint32_t> children;
    LoopKind loop = LoopKind::All;
    bool rooted = false;
    bool method = false;
    bool tests = false;
};

struct Tree {
    std::vector<Node> nodes;
    std::uint32_t root = 0;
    std::deque<std::string> texts;  ///< What literals point at; stays where it is when moved.
};

[[nodiscard]] Expected<Tree> parse(std::string_view text);

/// Words of a text.
enum class TokenKind : std::uint8_t { End, Name, Quoted, Literal, Mark };
struct Token {
    TokenKind kind = TokenKind::End;
    std::size_t at = 0;
    std::string text;  ///< Of a name or a mark such as "&&"; of a literal what it holds as text.
    Value literal = null_value();
};
[[nodiscard]] Expected<std::vector<Token>> tokens_of(std::string_view text);

/// Whether `text` is UTF-8.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;
/// Characters of a UTF-8 text.
[[nodiscard]] std::size_t characters_of(std::string_view text) noexcept;

}  // namespace tagout::contain::cel
