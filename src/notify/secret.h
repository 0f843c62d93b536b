// Secrets of channels: read when they are needed, used, and never kept, logged or shown.
//
// Signing: Standard Webhooks 1.0 (operations reference 5.9): HMAC-SHA256 over `id.timestamp.body`
// with the 24 to 64 bytes behind `whsec_`, written `v1,<base64>`.
#pragma once

#include "base/result.h"
#include "catalog/catalog.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace tagout::notify {

/// The environment variable or the file's first line, "" if the channel names neither.
/// NotFound names the variable or file that is not there; never its content.
[[nodiscard]] Result<std::string> read_secret(const catalog::NoticeChannel& channel);

/// "v1,<base64>" for one message. InvalidArgument says what a secret must look like.
[[nodiscard]] Result<std::string> sign_webhook(
    std::string_view secret, std::string_view id, std::int64_t unix_seconds, std::string_view body
);

/// `text` without any occurrence of the secret or of the URL (a Slack hook's URL is a secret too).
[[nodiscard]] std::string scrub(std::string text, std::string_view secret, std::string_view url);

}  // namespace tagout::notify
