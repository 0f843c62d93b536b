#include "verify/signing.h"

#include "base/assert.h"
#include "journal/chain.h"

#include <sodium.h>

#include <optional>

namespace tagout::verify {

namespace {

template <std::size_t Size>
std::string hex_of(const std::array<std::uint8_t, Size>& bytes) {
    std::array<char, Size * 2 + 1> text{};
    sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
    return text.data();
}

/// Lower-case digits of exactly that many bytes: one value has one spelling.
template <std::size_t Size>
std::optional<std::array<std::uint8_t, Size>> bytes_of(std::string_view hex) {
    std::array<std::uint8_t, Size> bytes{};
    if (hex.size() != Size * 2 || hex.find_first_not_of("0123456789abcdef") != hex.npos) {
        return std::nullopt;
    }
    std::size_t count = 0;
    const int failed = sodium_hex2bin(
        bytes.data(), bytes.size(), hex.data(), hex.size(), nullptr, &count, nullptr
    );
    return failed == 0 && count == Size ? std::optional(bytes) : std::nullopt;
}

std::string_view without_line_end(std::string_view text) {
    return text.ends_with('\n') ? text.substr(0, text.size() - 1) : text;
}

const unsigned char* data_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

void start_sodium() {
    static const int started = sodium_init();
    TAGOUT_ASSERT(started >= 0, "libsodium found no source of random bytes");
}

}  // namespace

SigningKey::SigningKey(const std::array<std::uint8_t, seed_bytes>& seed) : seed_(seed) {
    static_assert(seed_bytes == crypto_sign_SEEDBYTES);
    static_assert(sizeof secret_ == crypto_sign_SECRETKEYBYTES);
    static_assert(sizeof public_.bytes == crypto_sign_PUBLICKEYBYTES);
    crypto_sign_seed_keypair(public_.bytes.data(), secret_.data(), seed_.data());
}

SigningKey::~SigningKey() {
    sodium_memzero(seed_.data(), seed_.size());
    sodium_memzero(secret_.data(), secret_.size());
}

SigningKey SigningKey::make() {
    start_sodium();
    std::array<std::uint8_t, seed_bytes> seed{};
    randombytes_buf(seed.data(), seed.size());
    return SigningKey(seed);
}

Result<SigningKey> SigningKey::parse(std::string_view text) {
    start_sodium();
    const auto seed = bytes_of<seed_bytes>(without_line_end(text));
    if (!seed) {
        return fail(ErrorCode::InvalidArgument, "no signing key: 64 lower-case hex digits are wanted");
    }
    return SigningKey(*seed);
}

std::string SigningKey::to_text() const {
    return hex_of(seed_);
}

std::string SigningKey::sign(std::string_view message) const {
    std::array<std::uint8_t, crypto_sign_BYTES> signature{};
    crypto_sign_detached(
        signature.data(), nullptr, data_of(message), message.size(), secret_.data()
    );
    return hex_of(signature);
}

std::string to_text(const PublicKey& key) {
    return hex_of(key.bytes);
}

Result<PublicKey> parse_public_key(std::string_view text) {
    const auto bytes = bytes_of<32>(without_line_end(text));
    if (!bytes) {
        return fail(ErrorCode::InvalidArgument, "no public key: 64 lower-case hex digits are wanted");
    }
    return PublicKey{*bytes};
}

std::string fingerprint(const PublicKey& key) {
    const std::string_view bytes(
        reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()
    );
    return journal::to_hex(sha256(bytes)).substr(0, 16);
}

bool is_signed_by(const PublicKey& key, std::string_view message, std::string_view signature_hex) {
    start_sodium();
    const auto signature = bytes_of<crypto_sign_BYTES>(signature_hex);
    return signature && crypto_sign_verify_detached(
                            signature->data(), data_of(message), message.size(), key.bytes.data()
                        ) == 0;
}

journal::Digest sha256(std::string_view bytes) {
    journal::Digest digest{};
    crypto_hash_sha256(digest.data(), data_of(bytes), bytes.size());
    return digest;
}

}  // namespace tagout::verify
