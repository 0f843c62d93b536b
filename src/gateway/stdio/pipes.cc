#include "gateway/stdio/pipes.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

namespace tagout::gateway {

namespace {

constexpr int not_started = 127;

/// In the child, between fork and exec: calls that are safe there only.
[[noreturn]] void become(
    const std::array<int, 2>& in, const std::array<int, 2>& out, int tell, pid_t parent,
    char* const* arguments
) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    std::signal(SIGPIPE, SIG_DFL);
    std::signal(SIGXFSZ, SIG_DFL);
    if (getppid() == parent && dup2(in[0], STDIN_FILENO) >= 0 && dup2(out[1], STDOUT_FILENO) >= 0) {
        execvp(arguments[0], arguments);
    }
    const int why = errno;
    (void)!::write(tell, &why, sizeof why);
    _exit(not_started);
}

}  // namespace

void LineSplitter::feed(
    std::string_view bytes, const std::function<void(std::string_view)>& line,
    const std::function<void()>& too_long
) {
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const bool complete = end != std::string_view::npos;
        const std::string_view part = bytes.substr(0, end);
        bytes = complete ? bytes.substr(end + 1) : std::string_view();
        if (!skips_ && held_.size() + part.size() > line_bytes_max_) {
            skips_ = true;
            held_ = {};
            too_long();
        }
        if (!skips_) {
            held_ += part;
        }
        if (!complete) {
            return;
        }
        if (!std::exchange(skips_, false)) {
            std::string whole = std::exchange(held_, {});
            if (whole.find_first_not_of(" \t\r") != std::string::npos) {
                line(whole);
            }
        }
    }
}

bool LineWriter::write(std::string_view line) {
    std::string text(line);
    text += '\n';
    std::string_view rest = text;
    const MutexLock lock(mutex_);
    while (!rest.empty() && descriptor_ >= 0) {
        const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
        if (written < 0 && errno != EINTR) {
            return false;
        }
        rest.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    return rest.empty();
}

void LineWriter::close() {
    const MutexLock lock(mutex_);
    if (descriptor_ >= 0) {
        ::close(std::exchange(descriptor_, -1));
    }
}

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& command) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    std::array<int, 2> tell{};
    if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0 ||
        pipe2(tell.data(), O_CLOEXEC) != 0) {
        return fail(
            ErrorCode::Unavailable, "no pipes for the server: " + std::string(std::strerror(errno))
        );
    }
    std::vector<std::string> texts = command;
    std::vector<char*> arguments;
    for (std::string& each : texts) {
        arguments.push_back(each.data());
    }
    arguments.push_back(nullptr);
    const pid_t parent = getpid();
    const pid_t process = fork();
    if (process == 0) {
        become(in, out, tell[1], parent, arguments.data());
    }
    ::close(in[0]);
    ::close(out[1]);
    ::close(tell[1]);
    if (process < 0) {
        return fail(
            ErrorCode::Unavailable,
            "the server cannot be started: " + std::string(std::strerror(errno))
        );
    }
    int why = 0;
    ssize_t told = 0;
    do {
        told = ::read(tell[0], &why, sizeof why);
    } while (told < 0 && errno == EINTR);
    ::close(tell[0]);
    ChildProcess child;
    child.process_ = process;
    child.input_ = in[1];
    child.output_ = out[0];
    if (told > 0) {
        (void)child.wait_for(std::chrono::seconds(1));
        return fail(
            ErrorCode::InvalidArgument,
            "the server '" + command.front() + "' cannot be started: " + std::strerror(why)
        );
    }
    return child;
}

void ChildProcess::signal(int number) const {
    if (process_ > 0 && (kill(-process_, number) == 0 || ended_)) {
        return;
    }
    if (process_ > 0) {
        (void)kill(process_, number);
    }
}

bool ChildProcess::wait_for(Duration patience) {
    constexpr auto step = std::chrono::milliseconds(10);
    for (Duration waited{}; !ended_; waited += step) {
        int status = 0;
        if (waitpid(process_, &status, WNOHANG) == process_) {
            ended_ = true;
            exit_code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        } else if (waited >= patience) {
            return false;
        } else {
            std::this_thread::sleep_for(step);
        }
    }
    return true;
}

}  // namespace tagout::gateway
