#include "app/allocator.h"

#if __has_include(<mimalloc.h>)
#include <mimalloc.h>

// Weak: only the program itself is linked with mimalloc, tests and tools are not.
#pragma weak mi_option_set
#pragma weak mi_version
#endif

namespace tagout::app {

void keep_memory_through_bursts() noexcept {
#if __has_include(<mimalloc.h>)
    constexpr long milliseconds = 2'000;
    const bool linked = mi_option_set != nullptr && mi_version != nullptr;
    if (linked && mi_version() == MI_MALLOC_VERSION) {  // others may number options otherwise
        mi_option_set(mi_option_decommit_delay, milliseconds);
    }
#endif
}

}  // namespace tagout::app
