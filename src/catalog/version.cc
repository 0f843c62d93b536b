#include "catalog/version.h"

#include "domain/named_enum.h"

#include <openssl/evp.h>

#include <array>

namespace tagout::catalog {

namespace {

constexpr std::array<EnumName<VersionFamily>, 4> family_names{{
    {VersionFamily::Prompt, "prompt"},
    {VersionFamily::Policy, "policy"},
    {VersionFamily::ModelRoute, "model_route"},
    {VersionFamily::Profile, "profile"},
}};

std::string sha256_hex(std::string_view text, std::size_t digits) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr);
    constexpr std::string_view hex = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 0; i < length && out.size() < digits; ++i) {
        out += hex[digest[i] >> 4U];
        out += hex[digest[i] & 15U];
    }
    return out.substr(0, digits);
}

constexpr bool is_letter_or_digit(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_plain_name(std::string_view text, std::size_t bytes_max) {
    if (text.empty() || text.size() > bytes_max || !is_letter_or_digit(text.front())) {
        return false;
    }
    for (const char c : text) {
        if (!is_letter_or_digit(c) && c != '.' && c != '_' && c != '-') {
            return false;
        }
    }
    return true;
}

}  // namespace

std::string_view name_of(VersionFamily family) noexcept {
    return find_name(family_names, family);
}

std::optional<VersionFamily> parse_version_family(std::string_view name) noexcept {
    return find_value(family_names, name);
}

std::string to_text(const VersionKey& key) {
    return std::string(name_of(key.family)) + ":" + key.name;
}

std::string content_hash(const VersionKey& key, std::string_view content) {
    // A name holds no line end, so no two inputs become the same text.
    std::string text(name_of(key.family));
    text += "\n" + key.name + "\n";
    text += content;
    return sha256_hex(text, 16);
}

std::string bundle_id(const Bundle& bundle) {
    std::string text = bundle.agent.text() + "\n";
    for (const VersionRef& version : bundle.versions) {
        text += to_text(version.key) + "@" + std::to_string(version.number) + "#" + version.hash;
        text += "\n";
    }
    for (const std::string& tool : bundle.tools) {
        text += "tool " + tool + "\n";
    }
    return "bundle-" + sha256_hex(text, 12);
}

Result<void> check_version_name(std::string_view name) {
    if (!is_plain_name(name, version_name_bytes_max)) {
        return fail(
            ErrorCode::InvalidArgument,
            "'" + std::string(name.substr(0, 60)) +
                "' is no name of a version; use letters, digits, '.', '_' and '-', at most 200, "
                "beginning with a letter or digit"
        );
    }
    return {};
}

Result<void> check_label(std::string_view label) {
    bool lower = true;
    for (const char c : label) {
        lower = lower && !(c >= 'A' && c <= 'Z');
    }
    // What reads as a number or as a hash would be taken for one.
    const bool numeric = label.find_first_not_of("v0123456789") == std::string_view::npos;
    const bool hash = label.size() == 16 &&
                      label.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    if (!is_plain_name(label, label_bytes_max) || !lower || numeric || hash) {
        return fail(
            ErrorCode::InvalidArgument,
            "'" + std::string(label.substr(0, 60)) +
                "' is no label; use a word such as production or canary: small letters, digits, "
                "'.', '_' and '-', at most 64"
        );
    }
    if (label == latest_label) {
        return fail(
            ErrorCode::InvalidArgument,
            "the label latest is always the newest version and cannot be moved; choose another"
        );
    }
    return {};
}

}  // namespace tagout::catalog
