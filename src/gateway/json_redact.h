// What mode redact takes out of a JSON text on its way: every text value is undone of its escapes,
// redacted and written again, so that no escape is cut in two; JSON within a text is redacted as
// JSON.
//
// Keys stay. Numbers of nine digits and more that are taken out become texts. Values of data, blob,
// signature and encrypted_content that look like base64 stay, as do thinking blocks of models: they
// are signed. Pure; `json` need not be JSON: then it is redacted as one text.
#pragma once

#include "contain/redactor.h"
#include "gateway/core.h"

namespace tagout::gateway {

/// The redactors that a ruling asks for on one side of a call. Holds the snapshot that they are of.
class Redaction {
public:
    Redaction() = default;
    Redaction(Snapshot snapshot, std::uint64_t redactions);

    /// Adds what another call of the same request, or a newer snapshot, asks for.
    void add(const Snapshot& snapshot, std::uint64_t redactions);
    [[nodiscard]] bool has(RedactWhere side) const noexcept;
    /// Nothing if nothing is to be taken out. `side`: Arguments or Results.
    [[nodiscard]] std::optional<std::string> redacted(RedactWhere side, std::string_view json)
        const;
    /// The same of a JSON-RPC message, whose envelope stays: by its id a client knows the answer.
    [[nodiscard]] std::optional<std::string> redacted_message(
        RedactWhere side, std::string_view json
    ) const;

private:
    [[nodiscard]] std::optional<std::string> text(RedactWhere side, std::string_view plain) const;
    [[nodiscard]] std::optional<std::string> value(
        RedactWhere side, std::string_view json, std::size_t depth
    ) const;

    struct Part {
        Snapshot snapshot;
        std::uint64_t redactions;
    };
    std::vector<Part> parts_;
};

}  // namespace tagout::gateway
