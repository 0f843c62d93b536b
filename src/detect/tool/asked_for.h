// Did the user ask for what a tool does? Told from words: the tool's name is cut into words, each
// verb in it has a family of words that people use for it (refund: refund, money back, reimburse),
// and one of the family among the user's words is enough. A name without a known verb asks for any
// of its words. A weak witness on purpose leaning to yes: it only ever adds to other evidence.
// Pure. Cost: about 1 us, once for each call that changes or sends something.
#pragma once

#include "detect/value_index.h"

#include <string_view>

namespace tagout::detect {

[[nodiscard]] bool asked_for(const ValueIndex& said, std::string_view tool_name);
/// The same without words that may name a mere thing ("read the last email") or ask to be told
/// something ("give me the details").
[[nodiscard]] bool asked_for_act(const ValueIndex& said, std::string_view tool_name);
/// The same of a result's orders or requests: does foreign text ask for this tool?
[[nodiscard]] bool requested_by_result(const ValueIndex& said, std::string_view tool_name);

}  // namespace tagout::detect
