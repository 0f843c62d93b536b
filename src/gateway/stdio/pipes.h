// The two ends of `tagout mcp`: lines of a bounded length, and the server as a child process.
#pragma once

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::gateway {

/// Longer messages are refused: a call and its answer go to the gateway in one body of 16 MiB.
inline constexpr std::size_t stdio_message_bytes_max = 7 * 1024 * 1024;

/// Cuts bytes into lines. A line past the bound is told once, and skipped to its end; memory stays
/// below twice the bound. Confined to its thread.
class LineSplitter {
public:
    explicit LineSplitter(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}
    /// `line` sees each complete line without its end, empty ones not; `too_long` one that is not.
    void feed(
        std::string_view bytes, const std::function<void(std::string_view)>& line,
        const std::function<void()>& too_long
    );

private:
    const std::size_t line_bytes_max_;
    std::string held_;
    bool skips_ = false;
};

/// Writes whole lines to a file descriptor. Thread-safe; blocks while the reader does not read.
class LineWriter {
public:
    explicit LineWriter(int descriptor) : descriptor_(descriptor) {}
    /// False when the reader is gone.
    bool write(std::string_view line);
    /// Lets go of the descriptor; what is written later is lost.
    void close();

private:
    Mutex mutex_;
    int descriptor_ TAGOUT_GUARDED_BY(mutex_);
};

/// A process with pipes at its standard input and output; its standard error is ours. It leads a
/// process group of its own, so that what a launcher (npx, uvx) started ends too, and it is told to
/// end when the thread that started it is gone, however that came. Confined to one thread.
class ChildProcess {
public:
    /// InvalidArgument: it cannot be started, and why. `command` is looked up in PATH.
    static Result<ChildProcess> start(const std::vector<std::string>& command);

    [[nodiscard]] int input() const noexcept { return input_; }
    [[nodiscard]] int output() const noexcept { return output_; }
    void signal(int number) const;
    /// Whether it has ended within `patience`.
    bool wait_for(Duration patience);
    /// As a shell tells it: 128 and the signal for one that was killed.
    [[nodiscard]] int exit_code() const noexcept { return exit_code_; }

private:
    pid_t process_ = -1;
    int input_ = -1;
    int output_ = -1;
    bool ended_ = false;
    int exit_code_ = 0;
};

}  // namespace tagout::gateway
