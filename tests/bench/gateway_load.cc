// The two ends of `./dev bench gateway`: a model API that answers from memory, and clients that ask at
// fixed times whatever became of the requests before (open loop), so a proxy that falls behind shows it.
// One thread each, plain epoll, loopback only: little of its own in what is measured.
//
//   gateway_load upstream                       out: "port N"; ends with standard input
//   gateway_load rate  PORT HEAD BODY RATE SECONDS     HEAD, BODY: files; @ in HEAD becomes a number
//   gateway_load paced PORT HEAD BODY STREAMS          streams whose events carry the time they were sent
//   gateway_load idle  PORT HEAD BODY STREAMS          out: "open N"; holds them until standard input ends
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <deque>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t outstanding_max = 2'000;  // Of a rate: what comes due beyond is counted as missed.
constexpr std::size_t received_bytes_max = std::size_t{4} * 1024 * 1024;
constexpr int events_of_stream = 50;
constexpr std::int64_t event_gap_ns = 20'000'000;
constexpr std::int64_t patience_ns = 10'000'000'000;

constexpr std::string_view answer =
    R"({"id":"c-1","object":"chat.completion","created":1,"model":"m-1","choices":[{"index":0,"finish_reason":"tool_calls",)"
    R"("message":{"role":"assistant","content":"One moment, the refund is made.","tool_calls":[{"id":"call_1","type":"function",)"
    R"("function":{"name":"tool_500","arguments":"{\"order\":\"O-1001\",\"amount\":12.5}"}}]}}],)"
    R"("usage":{"prompt_tokens":420,"completion_tokens":24,"total_tokens":444}})";

std::int64_t now_ns() {
    timespec at{};
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1'000'000'000 + at.tv_nsec;
}

[[noreturn]] void give_up(std::string_view why) {
    std::cerr << "gateway_load: " << why << "\n";
    std::exit(1);
}

struct Socket {
    int fd = -1;
    std::string in;
    std::string out;
    std::int64_t due = 0;      ///< Client: when the request should have gone out.
    std::int64_t next = 0;     ///< Upstream: when the stream's next event goes out.
    int events = 0;            ///< Upstream: sent so far.
    bool busy = false;
    bool wants_out = false;
};

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
}

class Poll {
public:
    Poll() : fd_(epoll_create1(0)) {}
    ~Poll() { close(fd_); }
    Poll(const Poll&) = delete;
    Poll& operator=(const Poll&) = delete;
    void add(Socket* socket, int fd) const {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = socket;
        epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event);
    }
    void change(Socket* socket, bool out) const {
        epoll_event event{};
        event.events = out ? EPOLLIN | EPOLLOUT : EPOLLIN;
        event.data.ptr = socket;
        epoll_ctl(fd_, EPOLL_CTL_MOD, socket->fd, &event);
        socket->wants_out = out;
    }
    /// Waits until `until` at most; what happened.
    std::vector<Socket*> wait(std::int64_t until) {
        const std::int64_t left = std::max<std::int64_t>(0, until - now_ns());
        const timespec span{left / 1'000'000'000, left % 1'000'000'000};
        const int count = epoll_pwait2(fd_, events_.data(), static_cast<int>(events_.size()), &span, nullptr);
        std::vector<Socket*> ready;
        for (int i = 0; i < count; ++i) {
            ready.push_back(static_cast<Socket*>(events_[static_cast<std::size_t>(i)].data.ptr));
        }
        return ready;
    }

private:
    int fd_;
    std::array<epoll_event, 512> events_{};
};

void flush(const Poll& poll, Socket& socket) {
    while (!socket.out.empty()) {
        const ssize_t sent = send(socket.fd, socket.out.data(), socket.out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0) {
            break;
        }
        socket.out.erase(0, static_cast<std::size_t>(sent));
    }
    if (socket.out.empty() == socket.wants_out) {
        poll.change(&socket, !socket.out.empty());
    }
}

/// False once the peer is gone.
bool fill(Socket& socket) {
    std::array<char, 16 * 1024> bytes;
    while (true) {
        const ssize_t got = recv(socket.fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (got > 0) {
            socket.in.append(bytes.data(), static_cast<std::size_t>(got));
            if (socket.in.size() > received_bytes_max) {
                return false;
            }
            continue;
        }
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    }
}

/// Bytes of the message that `in` begins with, its end included; 0 while it is not whole.
std::size_t whole_message(std::string_view in) {
    const std::size_t head = in.find("\r\n\r\n");
    if (head == std::string_view::npos) {
        return 0;
    }
    std::string names(in.substr(0, head));
    std::ranges::transform(names, names.begin(), [](unsigned char c) { return std::tolower(c); });
    if (const std::size_t at = names.find("\r\ncontent-length:"); at != std::string::npos) {
        const std::size_t length = std::strtoull(names.c_str() + at + 17, nullptr, 10);
        return in.size() >= head + 4 + length ? head + 4 + length : 0;
    }
    if (names.find("chunked") != std::string::npos) {
        const std::size_t end = in.find("\r\n0\r\n\r\n", head + 2);
        return end == std::string_view::npos ? 0 : end + 7;
    }
    return head + 4;
}

std::string chunk(std::string_view text) {
    std::array<char, 16> size{};
    const auto [end, fault] = std::to_chars(size.data(), size.data() + size.size(), text.size(), 16);
    static_cast<void>(fault);
    return std::string(size.data(), end) + "\r\n" + std::string(text) + "\r\n";
}

std::string event_at(std::int64_t at) {
    return chunk(
        R"(data: {"id":"c-1","object":"chat.completion.chunk","created":1,"model":"m-1","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}],"sent":)" +
        std::to_string(at) + "}\n\n"
    );
}

class Upstream {
public:
    int run() {
        const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        sockaddr_in address = loopback(0);
        socklen_t size = sizeof address;
        if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener, 4096) != 0) {
            give_up("the upstream cannot listen on the loopback");
        }
        getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
        std::cout << "port " << ntohs(address.sin_port) << std::endl;
        Socket door{.fd = listener, .in = {}, .out = {}};
        Socket input{.fd = 0, .in = {}, .out = {}};
        poll_.add(&door, listener);
        poll_.add(&input, 0);
        while (true) {
            const std::int64_t until = streams_.empty() ? now_ns() + 1'000'000'000 : next_event();
            for (Socket* const each : poll_.wait(until)) {
                if (each == &input) {
                    return 0;
                }
                each == &door ? accept_all(listener) : serve(*each);
            }
            send_events();
        }
    }

private:
    void accept_all(int listener) {
        for (int fd = 0; (fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
            const int on = 1;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            auto* const socket = new Socket{.fd = fd, .in = {}, .out = {}};  // Freed in drop().
            poll_.add(socket, fd);
        }
    }
    void drop(Socket& socket) {
        std::erase(streams_, &socket);
        close(socket.fd);
        delete &socket;
    }
    void serve(Socket& socket) {
        if (!fill(socket)) {
            drop(socket);
            return;
        }
        for (std::size_t size = 0; (size = whole_message(socket.in)) > 0; socket.in.erase(0, size)) {
            const std::string_view asked = std::string_view(socket.in).substr(0, size);
            if (asked.find(R"("stream":true)") == std::string_view::npos) {
                socket.out += "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                              std::to_string(answer.size()) + "\r\n\r\n" + std::string(answer);
                continue;
            }
            socket.out += "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
            socket.out += event_at(now_ns());
            if (asked.find(R"("user":"idle")") == std::string_view::npos) {
                socket.events = 1;
                socket.next = now_ns() + event_gap_ns;
                streams_.push_back(&socket);
            }
        }
        flush(poll_, socket);
    }
    [[nodiscard]] std::int64_t next_event() const {
        return (*std::ranges::min_element(streams_, {}, &Socket::next))->next;
    }
    void send_events() {
        const std::int64_t now = now_ns();
        for (std::size_t i = 0; i < streams_.size();) {
            Socket& each = *streams_[i];
            if (each.next > now) {
                ++i;
                continue;
            }
            each.out += event_at(now_ns());
            each.next += event_gap_ns;
            const bool last = ++each.events >= events_of_stream;
            if (last) {
                each.out += chunk("data: [DONE]\n\n") + "0\r\n\r\n";
                streams_.erase(streams_.begin() + static_cast<std::ptrdiff_t>(i));
            }
            flush(poll_, each);
            i += last ? 0 : 1;
        }
    }

    Poll poll_;
    std::vector<Socket*> streams_;
};

double quantile(std::vector<std::int64_t>& sorted, double at) {
    return sorted.empty() ? 0
                          : static_cast<double>(sorted[static_cast<std::size_t>(
                                at * static_cast<double>(sorted.size() - 1)
                            )]) /
                                1e6;
}

class Clients {
public:
    Clients(int port, std::string head, std::string body)
        : port_(port), head_(std::move(head)), body_(std::move(body)) {}

    /// Whether one answer is whole and the upstream's own, before any clock runs.
    void check() {
        Socket& one = idle_one();
        ask(one, now_ns());
        const std::int64_t until = now_ns() + patience_ns;
        while (one.busy && now_ns() < until) {
            poll_.wait(now_ns() + 10'000'000);
            if (!fill(one)) {
                give_up("the connection was closed before an answer: " + one.in);
            }
            take(one);
        }
        if (one.busy || good_ != 1) {
            give_up("wrong answer: " + (failed_.empty() ? one.in : failed_));
        }
        times_.clear();
        good_ = 0;
    }

    void rate(int per_second, int seconds) {
        const std::int64_t gap = 1'000'000'000 / per_second;
        const std::int64_t begin = now_ns();
        const std::int64_t end = begin + std::int64_t{seconds} * 1'000'000'000;
        std::int64_t due = begin;
        std::int64_t missed = 0;
        while (due < end || (outstanding_ > 0 && now_ns() < end + patience_ns)) {
            for (; due < end && due <= now_ns(); due += gap) {
                if (outstanding_ >= outstanding_max) {
                    ++missed;
                    continue;
                }
                ask(idle_one(), due);
            }
            hear(due < end ? due : now_ns() + 10'000'000);
        }
        std::ranges::sort(times_);
        std::cout << R"({"asked":)" << asked_ << R"(,"good":)" << good_ << R"(,"bad":)" << bad_
                  << R"(,"unanswered":)" << outstanding_ << R"(,"missed":)" << missed << R"(,"connections":)"
                  << sockets_.size() << R"(,"p50_ms":)" << quantile(times_, .5) << R"(,"p99_ms":)"
                  << quantile(times_, .99) << "}" << std::endl;
    }

    /// Streams begin a little apart, so that their events do not come in one burst.
    void paced(int streams) {
        const std::int64_t apart = event_gap_ns / streams;
        for (int i = 0; i < streams; ++i) {
            ask(idle_one(), now_ns());
            hear_stamps(now_ns() + apart);
        }
        const std::int64_t until = now_ns() + events_of_stream * event_gap_ns + patience_ns;
        while (outstanding_ > 0 && now_ns() < until) {
            hear_stamps(now_ns() + 10'000'000);
        }
        std::ranges::sort(times_);
        std::cout << R"({"streams":)" << streams << R"(,"events":)" << times_.size() << R"(,"unfinished":)"
                  << outstanding_ << R"(,"p50_ms":)" << quantile(times_, .5) << R"(,"p99_ms":)"
                  << quantile(times_, .99) << "}" << std::endl;
    }

    void idle(int streams) {
        const std::int64_t until = now_ns() + 6 * patience_ns;
        std::size_t open = 0;
        for (int i = 0; open < static_cast<std::size_t>(streams) && now_ns() < until;) {
            for (int burst = 0; burst < 50 && i < streams; ++burst, ++i) {
                ask(idle_one(), now_ns());
            }
            for (Socket* const each : poll_.wait(now_ns() + 10'000'000)) {
                if (each->wants_out) {
                    flush(poll_, *each);
                }
                const bool had = each->in.find("\"sent\"") != std::string::npos;
                if (!fill(*each)) {
                    give_up("a stream was closed: " + each->in);
                }
                open += !had && each->in.find("\"sent\"") != std::string::npos ? 1 : 0;
            }
        }
        std::cout << "open " << open << std::endl;
        std::cin.get();
    }

private:
    Socket& idle_one() {
        if (!free_.empty()) {
            Socket& one = *free_.back();
            free_.pop_back();
            return one;
        }
        sockets_.push_back(std::make_unique<Socket>());
        Socket& one = *sockets_.back();
        connect_anew(one);
        return one;
    }
    void connect_anew(Socket& one) {
        one = Socket{.fd = socket(AF_INET, SOCK_STREAM, 0), .in = {}, .out = {}};
        const sockaddr_in address = loopback(port_);
        if (connect(one.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            give_up("cannot connect to port " + std::to_string(port_));
        }
        const int on = 1;
        setsockopt(one.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        poll_.add(&one, one.fd);
    }
    void ask(Socket& one, std::int64_t due) {
        std::string head = head_;
        for (std::size_t at = 0; (at = head.find('@', at)) != std::string::npos;) {
            head.replace(at, 1, std::to_string(asked_ / 5));
        }
        one.due = due;
        one.busy = true;
        one.out = head + "Content-Length: " + std::to_string(body_.size()) + "\r\n\r\n" + body_;
        ++asked_;
        ++outstanding_;
        flush(poll_, one);
    }
    void take(Socket& one) {
        const std::size_t size = whole_message(one.in);
        if (!one.busy || size == 0) {
            return;
        }
        const std::string_view got = std::string_view(one.in).substr(0, size);
        const bool good = got.starts_with("HTTP/1.1 200") && got.find("the refund is made") != std::string_view::npos &&
                          got.find("tool_500") != std::string_view::npos;
        good ? ++good_ : ++bad_;
        if (!good && failed_.empty()) {
            failed_ = got;
        }
        times_.push_back(now_ns() - one.due);
        rest(one);
    }
    void rest(Socket& one) {
        one.in.clear();
        one.busy = false;
        --outstanding_;
        free_.push_back(&one);
    }
    /// A connection that the other side closed: what it owed is a bad answer, and it is opened anew.
    void lost(Socket& one) {
        close(one.fd);
        const bool owed = one.busy;
        std::erase(free_, &one);
        connect_anew(one);
        if (owed) {
            ++bad_;
            --outstanding_;
        }
        free_.push_back(&one);
    }
    void hear(std::int64_t until) {
        for (Socket* const each : poll_.wait(until)) {
            if (each->wants_out) {
                flush(poll_, *each);
            }
            fill(*each) ? take(*each) : lost(*each);
        }
    }
    void hear_stamps(std::int64_t until) {
        do {
            for (Socket* const each : poll_.wait(until)) {
                if (!fill(*each)) {
                    give_up("a stream was closed: " + each->in);
                }
                const std::int64_t at = now_ns();
                std::size_t done = 0;
                constexpr std::string_view key = "\"sent\":";
                for (std::size_t i = 0; (i = each->in.find(key, done)) != std::string::npos;) {
                    if (each->in.find('}', i) == std::string::npos) {
                        break;
                    }
                    times_.push_back(at - std::strtoll(each->in.c_str() + i + key.size(), nullptr, 10));
                    done = i + key.size();
                }
                each->in.erase(0, done);
                if (each->busy && each->in.find("[DONE]") != std::string::npos && each->in.ends_with("0\r\n\r\n")) {
                    rest(*each);
                }
            }
        } while (now_ns() < until);
    }

    const int port_;
    const std::string head_;
    const std::string body_;
    Poll poll_;
    std::vector<std::unique_ptr<Socket>> sockets_;
    std::vector<Socket*> free_;
    std::vector<std::int64_t> times_;
    std::size_t outstanding_ = 0;
    std::int64_t asked_ = 0;
    std::int64_t good_ = 0;
    std::int64_t bad_ = 0;
    std::string failed_;
};

std::string content_of(const char* path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        give_up(std::string("cannot read ") + path);
    }
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int count, char** words) {
    const std::string_view what = count > 1 ? words[1] : "";
    if (what == "upstream") {
        return Upstream().run();
    }
    if (count < 6) {
        give_up("upstream | rate PORT HEAD BODY RATE SECONDS | paced|idle PORT HEAD BODY STREAMS");
    }
    Clients clients(std::atoi(words[2]), content_of(words[3]), content_of(words[4]));
    const int number = std::max(1, std::atoi(words[5]));
    if (what == "rate" && count > 6) {
        clients.check();
        clients.rate(number, std::atoi(words[6]));
    } else if (what == "paced") {
        clients.paced(number);
    } else if (what == "idle") {
        clients.idle(number);
    } else {
        give_up("what is '" + std::string(what) + "'?");
    }
    return 0;
}
