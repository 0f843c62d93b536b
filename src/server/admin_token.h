// The administrator's token: made at the first run, kept in a file that only its owner reads.
//
// Form "tagout_" and 43 characters of base64url (32 random bytes). The file holds the token itself,
// because the command line on the same machine uses it; the server keeps only its SHA-256 in memory
// and compares in constant time.
#pragma once

#include "base/result.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tagout::server {

/// Thread-safe: immutable.
class TokenVerifier {
public:
    explicit TokenVerifier(std::string_view token);
    [[nodiscard]] bool accepts(std::string_view token) const noexcept;

private:
    std::array<std::uint8_t, 32> digest_{};
};

struct AdminToken {
    std::string token;
    bool is_new = false;  ///< Made just now: to be shown once.
};

/// Reads `path`, or makes it (mode 0600, never over an existing file). InvalidArgument when others
/// may read it: the message says how to mend that.
[[nodiscard]] Result<AdminToken> load_or_make_admin_token(const std::string& path);

}  // namespace tagout::server
