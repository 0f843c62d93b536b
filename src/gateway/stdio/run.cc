#include "gateway/stdio/wrapper.h"

#include <sodium.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <future>

namespace tagout::gateway {

namespace {

constexpr Duration server_end_max = std::chrono::seconds(5);  ///< After the end of its input.
constexpr Duration server_term_max = std::chrono::seconds(2);
constexpr Duration records_max = std::chrono::seconds(2);
constexpr Duration output_rest_max = std::chrono::seconds(1);
constexpr std::size_t read_bytes = 64 * 1024;

std::string random_session() {
    std::array<unsigned char, 8> bytes{};
    randombytes_buf(bytes.data(), bytes.size());
    std::string text = "mcp-";
    constexpr std::string_view hex = "0123456789abcdef";
    for (const unsigned char byte : bytes) {
        text += {hex[byte >> 4], hex[byte & 15]};
    }
    return text;
}

/// One read; nothing at the end of the file.
std::string_view read_some(int descriptor, std::string& buffer) {
    ssize_t got = 0;
    do {
        got = ::read(descriptor, buffer.data(), buffer.size());
    } while (got < 0 && errno == EINTR);
    return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

void read_server(StdioWrapper& wrapper, int output) {
    LineSplitter lines(stdio_message_bytes_max);
    std::string buffer(read_bytes, '\0');
    for (auto bytes = read_some(output, buffer); !bytes.empty();
         bytes = read_some(output, buffer)) {
        lines.feed(
            bytes,
            [&](std::string_view line) { wrapper.on_server_line(line); },
            [&] { wrapper.on_server_overlong(); }
        );
    }
}

/// Until the client or the server ends, or somebody says that it should end: the signal, or 0.
int read_client(StdioWrapper& wrapper, int signals, int server_ended) {
    LineSplitter lines(stdio_message_bytes_max);
    std::string buffer(read_bytes, '\0');
    std::array<pollfd, 3> waits{
        pollfd{STDIN_FILENO, POLLIN, 0}, {signals, POLLIN, 0}, {server_ended, POLLIN, 0}};
    while (true) {
        if (::poll(waits.data(), waits.size(), -1) < 0) {
            if (errno == EINTR) {
                continue;
            }
            return 0;
        }
        if (waits[1].revents != 0) {
            signalfd_siginfo told{};
            (void)!::read(signals, &told, sizeof told);
            return static_cast<int>(told.ssi_signo);
        }
        if (waits[2].revents != 0) {
            return 0;
        }
        if (waits[0].revents == 0) {
            continue;
        }
        const auto bytes = read_some(STDIN_FILENO, buffer);
        if (bytes.empty()) {
            return 0;
        }
        lines.feed(
            bytes,
            [&](std::string_view line) { wrapper.on_client_line(line); },
            [&] { wrapper.on_client_overlong(); }
        );
    }
}

void end_server(ChildProcess& server) {
    if (server.wait_for(server_end_max)) {
        return;
    }
    server.signal(SIGTERM);
    if (!server.wait_for(server_term_max)) {
        server.signal(SIGKILL);
        (void)server.wait_for(server_term_max);
    }
}

/// A thread that tells when it is done, and that nobody waits for longer than he likes.
std::future<void> start(std::function<void()> work) {
    auto done = std::make_shared<std::promise<void>>();
    auto future = done->get_future();
    std::thread([work = std::move(work), done] {
        work();
        done->set_value();
    }).detach();
    return future;
}

}  // namespace

Result<int> run_wrapper(const WrapperOptions& options, const Clock& clock) {
    if (options.command.empty()) {
        return fail(
            ErrorCode::InvalidArgument, "no command; write: tagout mcp --server NAME -- COMMAND..."
        );
    }
    if (sodium_init() < 0) {
        return fail(ErrorCode::Unavailable, "the system gives no random bytes");
    }
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        sigaddset(&set, number);
    }
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    const int signals = signalfd(-1, &set, SFD_CLOEXEC);
    std::array<int, 2> ended{};
    if (signals < 0 || pipe2(ended.data(), O_CLOEXEC) != 0) {
        return fail(ErrorCode::Unavailable, "the system gives no more file descriptors");
    }
    auto server = TAGOUT_TRY(ChildProcess::start(options.command));

    WrapperOptions own = options;
    if (own.judge.session.empty()) {
        own.judge.session = random_session();
    }
    const auto errors = std::make_shared<LineWriter>(STDERR_FILENO);
    const auto wrapper = std::make_shared<StdioWrapper>(
        std::move(own),
        clock,
        STDOUT_FILENO,
        server.input(),
        [errors](const std::string& what) { errors->write("tagout mcp: " + what); }
    );
    const auto output = start([wrapper, from = server.output(), tell = ended[1]] {
        read_server(*wrapper, from);
        ::close(tell);
    });
    const auto records = start([wrapper] { wrapper->tell_results(); });
    const auto follower = start([wrapper] { wrapper->follow_controls(); });

    const int signal = read_client(*wrapper, signals, ended[0]);
    wrapper->close_server();
    if (signal != 0) {
        server.signal(signal);
    }
    end_server(server);
    (void)output.wait_for(output_rest_max);  // A grandchild may hold the pipe open.
    server.signal(SIGTERM);
    wrapper->end();
    (void)records.wait_for(records_max);
    // Threads may still wait for a person's answer or on a dead connection: nothing here is theirs.
    std::_Exit(server.exit_code());
}

}  // namespace tagout::gateway
