// Assertions for mistakes of ours. They stay on in release builds.
//
// A false assertion says that the program is wrong, never that its input is: bad bytes, a full disk
// and a dead peer are operating errors and travel as Result (base/result.h). It prints where and
// why and aborts; a supervisor restarts the process and the journal restores its state.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace tagout {

[[noreturn]] inline void assertion_failed(
    const char* file, int line, const char* condition, const char* reason
) noexcept {
    std::fprintf(stderr, "%s:%d: assertion failed: %s (%s)\n", file, line, condition, reason);
    std::abort();
}

}  // namespace tagout

/// TAGOUT_ASSERT(condition, "why it must hold here")
#define TAGOUT_ASSERT(condition, reason)                                        \
    do {                                                                        \
        if (!(condition)) [[unlikely]] {                                        \
            ::tagout::assertion_failed(__FILE__, __LINE__, #condition, reason); \
        }                                                                       \
    } while (false)
