// The key that evidence packs are signed with: evidence.key in the data directory, and beside it
// evidence.pub for whoever checks packs.
#pragma once

#include "base/result.h"
#include "verify/signing.h"

#include <string>

namespace tagout::app {

/// Reads the key, or makes one (mode 0600) where there is none. A key is on disk as a whole or not at
/// all, whenever the process dies and whoever else makes one at the same time; evidence.pub is
/// written anew if it is missing. InvalidArgument: others can read the file, it holds no key, or
/// evidence.pub is of another key; the message says what to do.
[[nodiscard]] Result<verify::SigningKey> load_or_make_evidence_key(const std::string& data_dir);

}  // namespace tagout::app
