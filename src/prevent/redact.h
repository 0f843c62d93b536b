// Redaction: what identifies a person or opens a door is replaced before a recording leaves the
// evidence log for a file that people put into a repository.
//
// E-mail addresses, phone and card numbers, and secrets (known key prefixes, bearer tokens, private
// keys, long random words, members and assignments that are called password, token and the like)
// become [email-1], [phone-1], [card-1], [secret-1]. Equal values get equal placeholders within one
// Redactor, so that where a value came from can still be told. What looks like none of these stays:
// names and postal addresses are not recognised, and whoever shares a case reads it first.
//
// Thread-compatible. Untrusted input: any bytes. Cost: linear in the text, but for the look-ups.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace tagout::prevent {

class Redactor {
public:
    /// Of a plain text.
    [[nodiscard]] std::string text(std::string_view plain);
    /// Of a JSON text: strings, numbers that are cards, and the values of members with a telling
    /// name. What is no JSON is redacted as plain text.
    [[nodiscard]] std::string json(std::string_view text);
    /// How many different values were replaced so far.
    [[nodiscard]] std::size_t replaced() const noexcept { return placeholders_.size(); }
    /// The placeholder of a value, the same for equal ones: placeholder("secret", "hunter2").
    [[nodiscard]] std::string placeholder(std::string_view kind, std::string_view value);

private:
    std::map<std::string, std::string, std::less<>> placeholders_;  ///< "kind value" to text.
    std::map<std::string, std::size_t, std::less<>> counts_;
};

}  // namespace tagout::prevent
