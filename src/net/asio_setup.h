// What must be said before Asio is included, the same in every file that does.
//
// The thread sanitizer does not know memory fences. Asio's own are only needed by loops that lock
// nothing; ours are entered through its mutexes, so under the sanitizer they can go.
#pragma once

#if defined(__SANITIZE_THREAD__)
#define BOOST_ASIO_DISABLE_FENCED_BLOCK 1
#endif
