// Lines of a file, plain or gzip (also several gzip members in a row), one at a time.
//
// Thread-compatible. Memory is bounded by the longest line, at most line_bytes_max; a longer one is
// skipped and told as such, so that one broken record never ends a replay.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <memory>
#include <string>

namespace tagout::cli {

class LineSource {
public:
    static constexpr std::size_t line_bytes_max = 64 * 1024 * 1024;

    struct Line {
        std::uint64_t number = 0;  ///< From 1.
        std::string text;
        bool too_long = false;  ///< `text` is empty then.
    };

    static Result<LineSource> open(const std::string& path);
    ~LineSource();
    LineSource(LineSource&&) noexcept;
    LineSource& operator=(LineSource&&) noexcept;

    /// False at the end. Corrupt: the compressed data is damaged from here on.
    Result<bool> next(Line& line);
    /// Bytes of the file read so far and its size, for progress.
    [[nodiscard]] std::uint64_t consumed() const;
    [[nodiscard]] std::uint64_t size() const;

private:
    struct State;
    explicit LineSource(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// A whole file of at most `bytes_max`, gunzipped if it is gzip.
[[nodiscard]] Result<std::string> read_whole(const std::string& path, std::size_t bytes_max);

}  // namespace tagout::cli
