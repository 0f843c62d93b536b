// Places and secrets in a call's arguments: one scan for two signals and for what evidence may
// show.
//
//   safety.sensitive_endpoint  a place where an agent has no business (cloud metadata, /etc/shadow,
//                              .ssh, credential files): options.places, to which a deployment adds
//                              its own internal hosts and admin paths. What the user named is the
//                              user's wish and no sighting.
//   safety.secret_leaving      a secret in a call that sends something, told by its well-known form
//                              (cloud keys, tokens, private keys, passwords in URLs), or a canary
//                              in any call: options.canaries are planted texts that nobody has a
//                              reason to touch. A secret that the user typed may be sent.
//
// A secret is never shown: a sighting names its kind, its length and its argument, and redact()
// takes secrets and canaries out of every evidence.
//
// Thread-compatible (its scratch is its own). Bounds: scan_bytes_max of one text, places and
// canaries list_items_max each (base/settings.h). Cost: about 1 ns a byte of arguments, once a tool call.
#pragma once

#include "detect/settings.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::detect {

enum class GuardedKind : std::uint8_t { Place, Secret, Canary };

struct GuardedMatch {
    GuardedKind kind = GuardedKind::Place;
    std::string_view name;  ///< Of a place the place, of a secret its kind in words.
    std::size_t from = 0;   ///< Bytes [from, to) of the text; a secret's to its very end.
    std::size_t to = 0;
};

class GuardedText {
public:
    static constexpr std::size_t scan_bytes_max = 64 * 1024;
    static constexpr std::size_t matches_max = 16;

    explicit GuardedText(const SafetySettings& settings);
    ~GuardedText();
    GuardedText(GuardedText&&) noexcept;
    GuardedText& operator=(GuardedText&&) noexcept;

    /// What stands in `text`, in order of their ends. Valid until the next call; names are valid as
    /// long as this is.
    [[nodiscard]] const std::vector<GuardedMatch>& scan(std::string_view text);
    /// `text` with every secret and canary replaced by "[kind, n bytes]".
    [[nodiscard]] std::string redact(std::string text);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tagout::detect
