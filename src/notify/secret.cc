#include "notify/secret.h"

#include <sodium.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <vector>

namespace tagout::notify {

namespace {

constexpr std::string_view secret_prefix = "whsec_";
constexpr std::size_t key_bytes_min = 24;
constexpr std::size_t key_bytes_max = 64;
constexpr std::size_t secret_bytes_max = 4096;

std::string trimmed(std::string_view text) {
    constexpr std::string_view blank = " \t\r\n";
    const std::size_t first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) {
        return {};
    }
    return std::string(text.substr(first, text.find_last_not_of(blank) - first + 1));
}

void remove_all(std::string& text, std::string_view needle) {
    constexpr std::size_t needle_bytes_min = 6;  // Shorter is no secret, and would tear words apart.
    if (needle.size() < needle_bytes_min) {
        return;
    }
    constexpr std::string_view instead = "[secret]";
    std::size_t at = text.find(needle);
    while (at != std::string::npos) {
        text.replace(at, needle.size(), instead);
        at = text.find(needle, at + instead.size());
    }
}

}  // namespace

Result<std::string> read_secret(const catalog::NoticeChannel& channel) {
    if (!channel.secret_env.empty()) {
        const char* const value = std::getenv(channel.secret_env.c_str());
        if (value == nullptr || *value == '\0') {
            return fail(
                ErrorCode::NotFound, "channel " + channel.name + ": environment variable " +
                                         channel.secret_env + " is not set; set it and restart"
            );
        }
        return trimmed(std::string_view(value).substr(0, secret_bytes_max));
    }
    if (!channel.secret_file.empty()) {
        std::ifstream file(channel.secret_file);
        std::string line;
        if (!file || !std::getline(file, line) || trimmed(line).empty()) {
            return fail(
                ErrorCode::NotFound, "channel " + channel.name + ": file " + channel.secret_file +
                                         " cannot be read or its first line is empty"
            );
        }
        return trimmed(std::string_view(line).substr(0, secret_bytes_max));
    }
    return std::string();
}

Result<std::string> sign_webhook(
    std::string_view secret, std::string_view id, std::int64_t unix_seconds, std::string_view body
) {
    if (secret.starts_with(secret_prefix)) {
        secret.remove_prefix(secret_prefix.size());
    }
    std::array<unsigned char, key_bytes_max> key{};
    std::size_t key_bytes = 0;
    const int decoded = sodium_base642bin(
        key.data(), key.size(), secret.data(), secret.size(), nullptr, &key_bytes, nullptr,
        sodium_base64_VARIANT_ORIGINAL
    );
    if (decoded != 0 || key_bytes < key_bytes_min) {
        return fail(
            ErrorCode::InvalidArgument,
            "the signing secret must be whsec_ and the base64 of 24 to 64 random bytes; "
            "`echo whsec_$(openssl rand -base64 32)` makes one"
        );
    }
    const std::string head = std::string(id) + "." + std::to_string(unix_seconds) + ".";
    const auto bytes = [](std::string_view text) {
        return reinterpret_cast<const unsigned char*>(text.data());
    };
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key.data(), key_bytes);
    crypto_auth_hmacsha256_update(&state, bytes(head), head.size());
    crypto_auth_hmacsha256_update(&state, bytes(body), body.size());
    std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac{};
    crypto_auth_hmacsha256_final(&state, mac.data());
    sodium_memzero(key.data(), key.size());

    std::array<char, sodium_base64_ENCODED_LEN(
                         crypto_auth_hmacsha256_BYTES, sodium_base64_VARIANT_ORIGINAL
                     )>
        text{};
    sodium_bin2base64(
        text.data(), text.size(), mac.data(), mac.size(), sodium_base64_VARIANT_ORIGINAL
    );
    return "v1," + std::string(text.data());
}

std::string scrub(std::string text, std::string_view secret, std::string_view url) {
    remove_all(text, url);
    const std::size_t authority = url.find("://");
    const std::size_t path = authority == std::string_view::npos ? authority : url.find('/', authority + 3);
    if (path != std::string_view::npos) {
        remove_all(text, url.substr(path));
    }
    remove_all(text, secret);
    if (secret.starts_with(secret_prefix)) {
        remove_all(text, secret.substr(secret_prefix.size()));
    }
    return text;
}

}  // namespace tagout::notify
