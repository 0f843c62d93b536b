// A notice's content as JSON and back: the `data` of a webhook and the body of the journal's entry.
#pragma once

#include "notify/notice.h"

namespace tagout::notify {

[[nodiscard]] std::string to_json(const Content& content);

/// InvalidArgument names the member that is missing or of another type.
[[nodiscard]] Result<Content> parse_content(std::string_view json);

}  // namespace tagout::notify
