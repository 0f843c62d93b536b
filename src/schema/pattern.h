// Patterns of JSON Schema, which are ECMA-262's, run by RE2, which is linear in the text whatever
// the pattern. What means another thing in RE2 is rewritten (\s, ., \u, [^], named groups, \p long
// names); what RE2 cannot do (look-around, back-references) is an error that names the construct.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace tagout::schema {

/// The same language in RE2's syntax.
[[nodiscard]] Result<std::string> translate_pattern(std::string_view ecma);

/// Thread-safe, cheap to copy.
class Pattern {
public:
    /// `bytes_max` bounds what the compiled pattern may take.
    [[nodiscard]] static Result<Pattern> compile(std::string_view ecma, std::size_t bytes_max);
    /// Whether it matches anywhere in `text`. Linear in its length.
    [[nodiscard]] bool matches(std::string_view text) const noexcept;
    [[nodiscard]] const std::string& source() const noexcept { return source_; }

private:
    std::string source_;
    std::shared_ptr<const re2::RE2> compiled_;
};

}  // namespace tagout::schema
