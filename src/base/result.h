// Result<T>: a value, or an Error that says which kind of failure it was and what was being done.
//
// Three kinds of "no" are never mixed. What the domain knows (a denied call, no finding) is a plain
// value. An operating error (bad bytes, full disk, dead peer) is a Result. A mistake of ours is a
// TAGOUT_ASSERT. Callers branch on ErrorCode alone; the message is for people, and for untrusted
// input it names the place and the remedy.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tagout {

/// Closed on purpose: a code exists only where some caller must act differently on it. The one table
/// from codes to HTTP, gRPC and exit statuses is server/error_map.cc.
enum class ErrorCode : std::uint8_t {
    InvalidArgument,  ///< The caller's fault: the same bytes can never succeed.
    NotFound,
    Conflict,       ///< The state moved on: read again, decide again.
    Unavailable,    ///< Ours or a peer's fault: a later retry may succeed.
    LimitExceeded,  ///< A declared bound would be passed.
    Unauthorized,   ///< No credential, or one that may not do this.
    Corrupt,        ///< Stored data failed its check. Never retried, always reported.
};

[[nodiscard]] constexpr std::string_view name_of(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::InvalidArgument:
            return "invalid_argument";
        case ErrorCode::NotFound:
            return "not_found";
        case ErrorCode::Conflict:
            return "conflict";
        case ErrorCode::Unavailable:
            return "unavailable";
        case ErrorCode::LimitExceeded:
            return "limit_exceeded";
        case ErrorCode::Unauthorized:
            return "unauthorized";
        case ErrorCode::Corrupt:
            return "corrupt";
    }
    return "?";
}

struct Error {
    ErrorCode code;
    std::string message;
};

template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
public:
    using std::expected<T, Error>::expected;

    /// Moves the value out; only for TAGOUT_TRY, which has just looked.
    T take() && {
        if constexpr (!std::is_void_v<T>) {
            return std::move(**this);
        }
    }
};

[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
    return std::unexpected(Error{code, std::move(message)});
}

}  // namespace tagout

/// auto row = TAGOUT_TRY(store.load(id));  // returns the Error from this function, or goes on
#define TAGOUT_TRY(expression)                                           \
    __extension__({                                                      \
        auto tagout_try_ = (expression);                                 \
        if (!tagout_try_) [[unlikely]] {                                 \
            return std::unexpected(std::move(tagout_try_).error());      \
        }                                                                \
        std::move(tagout_try_).take();                                   \
    })
