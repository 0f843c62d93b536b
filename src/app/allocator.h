// How the process's allocator deals with memory that falls free.
#pragma once

namespace tagout::app {

/// A server under load frees a request's memory and wants it again at once. mimalloc gives it back
/// to the kernel after 25 ms, and to touch a page anew costs 2 to 5 us: a twentieth of all that a
/// span costs. From here on it waits two seconds, so memory goes back after a burst and not in it.
/// Nothing happens where another allocator is linked. Thread-safe, for the whole process.
void keep_memory_through_bursts() noexcept;

}  // namespace tagout::app
