// What was said in a session before a call, and which values of the call's arguments were not.
//
// A value that neither the user, nor the instructions, nor a tool's answer had named was made up by
// the model. Only values that mean something are looked for: numbers of three digits or more, and
// words with a digit or an '@' in them; keys that programs fill by themselves (idempotency keys,
// times) are left out. Detection has a finer index of the same idea; this one judges a handful of
// calls, long after.
#pragma once

#include "domain/event_batch.h"

#include <string>
#include <string_view>
#include <vector>

namespace tagout::verify {

inline constexpr std::size_t said_bytes_max = std::size_t{1} << 20U;  ///< Of one session.

struct SaidText {
    std::string text;  ///< Lower case.
    /// Somebody's words were captured and none was cut: only then may a value be called unsaid.
    bool complete = false;
};

[[nodiscard]] SaidText said_before(const EventBatch& batch, Instant before);

struct UnsaidValue {
    std::string key;
    std::string value;
};
/// At most eight; nothing for arguments that are no JSON object.
[[nodiscard]] std::vector<UnsaidValue> unsaid_values(std::string_view arguments, const SaidText& said);

}  // namespace tagout::verify
