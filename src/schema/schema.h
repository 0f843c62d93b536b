// Schema: a JSON Schema, compiled once and then asked as often as one likes.
//
// Tools publish the form of their arguments as JSON Schema and policies demand one; both come from
// strangers, and the arguments come from a model. So this is a validator that cannot be made to
// hang or crash by either: compiling is bounded in bytes, depth and subschemas, checking (check.h)
// in steps and depth, patterns run on RE2 in linear time, and nothing is ever fetched: a schema
// that refers to another document finds it among the Remotes handed in, or is refused.
//
// Draft 2020-12 and draft-07, every required case of the public test suite. `format` says nothing
// unless asked to (as the standard has it), unknown keywords say nothing. A compiled schema is a
// table of subschemas, each with the rules that it has, fused by the type that they judge: members
// of an object are walked once, however many keywords look at them.
//
// Deliberately absent: drafts 3 to 6 and 2019-09 (refused by name, draft-06 is read as draft-07),
// annotations as output, numbers beyond 64 bits and double.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace tagout::schema {

struct Program;

enum class Draft : std::uint8_t { Draft7 = 7, Draft2020 = 20 };

/// Documents that `$ref`, `$dynamicRef` and `$schema` may name: absolute URI to JSON text.
using Remotes = std::map<std::string, std::string, std::less<>>;

/// What to do with a pattern that RE2 cannot run (look-around, back-references, sheer size).
enum class UnsupportedPatterns : std::uint8_t {
    Refuse,  ///< The schema is refused: who writes a rule must know that it holds.
    Skip,    ///< That pattern alone says nothing: for schemas that somebody else published.
};

struct CompileOptions {
    Draft draft = Draft::Draft2020;  ///< Of documents that name none in `$schema`.
    bool assert_formats = false;     ///< `format` is checked and not only noted.
    UnsupportedPatterns unsupported_patterns = UnsupportedPatterns::Refuse;
    std::size_t bytes_max = 1 << 20;  ///< Of one document.
    std::size_t documents_max = 64;
    std::size_t subschemas_max = 20'000;       ///< Of all documents together.
    std::size_t depth_max = 128;               ///< Of nesting in one document.
    std::size_t pattern_bytes_max = 64 << 10;  ///< Memory of one compiled pattern.
};

/// Thread-safe: immutable once compiled, cheap to copy. A moved-from Schema may only be assigned
/// to.
class Schema {
public:
    /// Compiles `text`. `uri` is where the document was got, the base of its relative references.
    /// Errors name the place inside the schema and the remedy: InvalidArgument for what no
    /// validator could read, LimitExceeded for what is larger than `options` allow.
    [[nodiscard]] static Result<Schema> compile(
        std::string_view text, const CompileOptions& options = {}, const Remotes& remotes = {},
        std::string_view uri = ""
    );

    /// Roughly what it holds in memory, for caches that count.
    [[nodiscard]] std::size_t bytes() const noexcept;
    /// How many patterns say nothing because RE2 cannot run them (UnsupportedPatterns::Skip).
    [[nodiscard]] std::size_t skipped_patterns() const noexcept;
    [[nodiscard]] const Program& program() const noexcept { return *program_; }

private:
    explicit Schema(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
    std::shared_ptr<const Program> program_;
};

}  // namespace tagout::schema
