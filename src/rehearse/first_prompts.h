// The fleet's prompts as its release engineers published them: the first version of each, labelled
// `production`, unless there is one already.
#pragma once

#include "base/result.h"
#include "cli/api_client.h"

namespace tagout::rehearse {

Result<void> publish_first_prompts(const cli::Connection& control);

}  // namespace tagout::rehearse
