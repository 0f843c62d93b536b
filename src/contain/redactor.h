// What mode redact takes out of arguments and results.
//
// A kind is named (redact_kinds) or is "re:" and a pattern of RE2. Each match becomes "[redacted:KIND]",
// of an operator's own pattern "[redacted]"; so a marker can stand within any JSON string.
//
//   email   jane@example.com                  iban    DE89 3704 0044 0532 0130 00, checked by its sum
//   phone   +49 30 1234567                    ssn     123-45-6789
//   card    4111 1111 1111 1111, by its sum   ip      192.0.2.7
//   secret  what domain/secrets.h finds: keys by their prefixes, bearer tokens, private keys
//
// Thread-safe: immutable. Cost: linear in the text, some 10 ns a byte for all kinds together.
#pragma once

#include "base/result.h"
#include "domain/control.h"

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::contain {

inline constexpr std::array<std::string_view, 7> redact_kinds{
    "email", "phone", "card", "iban", "ssn", "ip", "secret"};
inline constexpr std::size_t redact_kinds_max = 20;       ///< Of one control.
inline constexpr std::size_t redact_pattern_bytes_max = 500;

class Redactor {
public:
    /// InvalidArgument names the entry: unknown kind, a pattern that RE2 does not take or that matches
    /// the empty text. LimitExceeded: too many.
    [[nodiscard]] static Result<std::shared_ptr<const Redactor>> make(
        std::span<const std::string> what, RedactWhere where
    );
    ~Redactor();
    Redactor(const Redactor&) = delete;
    Redactor& operator=(const Redactor&) = delete;

    [[nodiscard]] RedactWhere where() const noexcept { return where_; }
    /// `text` without what is to be taken out; nothing if it holds none of it.
    [[nodiscard]] std::optional<std::string> redacted(std::string_view text) const;

private:
    struct Kind;
    explicit Redactor(RedactWhere where);
    const RedactWhere where_;
    std::vector<Kind> kinds_;
};

}  // namespace tagout::contain
