// Ed25519 keys and signatures of evidence packs, and the SHA-256 that everything in one hangs on.
//
// Values and functions; where keys are kept is app/evidence_key's. libsodium signs (RFC 8032), and
// refuses the other spellings of a signature that the curve allows.
#pragma once

#include "base/result.h"
#include "journal/journal_entry.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tagout::verify {

struct PublicKey {
    std::array<std::uint8_t, 32> bytes{};
    friend bool operator==(const PublicKey&, const PublicKey&) = default;
};

/// Thread-safe: immutable. The secret is wiped when it goes.
class SigningKey {
public:
    static constexpr std::size_t seed_bytes = 32;

    [[nodiscard]] static SigningKey make();
    /// `text` is what to_text() gave. InvalidArgument if it is anything else.
    [[nodiscard]] static Result<SigningKey> parse(std::string_view text);
    SigningKey(const SigningKey&) = default;
    SigningKey& operator=(const SigningKey&) = delete;
    ~SigningKey();

    /// The seed as 64 hex digits: a secret, for a file that only its owner reads.
    [[nodiscard]] std::string to_text() const;
    [[nodiscard]] const PublicKey& public_key() const noexcept { return public_; }
    /// 128 hex digits.
    [[nodiscard]] std::string sign(std::string_view message) const;

private:
    explicit SigningKey(const std::array<std::uint8_t, seed_bytes>& seed);

    std::array<std::uint8_t, seed_bytes> seed_{};
    std::array<std::uint8_t, 64> secret_{};
    PublicKey public_;
};

/// 64 lower-case hex digits.
[[nodiscard]] std::string to_text(const PublicKey& key);
/// Of those digits, with or without one line end behind them.
[[nodiscard]] Result<PublicKey> parse_public_key(std::string_view text);
/// First 16 hex digits of the key's SHA-256: short enough to be read aloud.
[[nodiscard]] std::string fingerprint(const PublicKey& key);
[[nodiscard]] bool is_signed_by(
    const PublicKey& key, std::string_view message, std::string_view signature_hex
);

[[nodiscard]] journal::Digest sha256(std::string_view bytes);

}  // namespace tagout::verify
