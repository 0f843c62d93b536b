#include "gateway/stdio/wrapper.h"

#include "gateway/mcp_exchange.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace tagout::gateway {

namespace {

constexpr int no_json = -32700;
constexpr int no_request = -32600;
constexpr std::size_t answered_max = 4'096;
constexpr std::size_t lists_max = 1'000;
constexpr std::size_t listens_max = 100;
constexpr std::size_t kept_result_bytes_max = 1024 * 1024;
constexpr Duration reconnect_after = std::chrono::seconds(1);
constexpr std::string_view legacy_tools_changed =
    R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})";

std::string rpc_error(int code, std::string_view message, std::string_view id) {
    return R"({"jsonrpc":"2.0","id":)" + std::string(id.empty() ? "null" : id) +
           R"(,"error":{"code":)" + std::to_string(code) + R"(,"message":)" + quoted(message) +
           "}}";
}

/// Whether it asks something, so that somebody waits for an answer.
bool is_asked(const RpcMessage& message) {
    return !message.method.empty() && !message.id.empty() && message.id != "null";
}

}  // namespace

std::string id_key(RawJson id) {
    if (auto text = string_of(id)) {
        return std::move(*text);
    }
    double number = 0;
    const auto read = std::from_chars(id.data(), id.data() + id.size(), number);
    if (read.ec == std::errc{} && std::abs(number) < 9e15 && number == std::floor(number)) {
        return std::to_string(static_cast<std::int64_t>(number));
    }
    return std::string(id);
}

StdioWrapper::StdioWrapper(
    WrapperOptions options, const Clock& clock, int to_client, int to_server,
    std::function<void(const std::string&)> note
)
    : options_(std::move(options)),
      clock_(clock),
      note_(std::move(note)),
      client_(to_client),
      server_(to_server),
      client_judge_(options_.judge),
      server_judge_(options_.judge) {}

std::string StdioWrapper::agent() {
    const MutexLock lock(mutex_);
    return agent_;
}

void StdioWrapper::answer_error(int code, std::string_view message, std::string_view id) {
    client_.write(rpc_error(code, message, id));
}

/// As the gateway refuses, for a reason of the wrapper's own.
void StdioWrapper::refuse(const RpcMessage& message, const std::string& why) {
    Ruling ruling;
    ruling.verdict = Verdict::Deny;
    ruling.for_model = why;
    client_.write(refusal_result(message, ruling));
}

void StdioWrapper::on_client_overlong() {
    const std::string why = "a message is longer than " + std::to_string(stdio_message_bytes_max) +
                            " bytes and was not sent; send less at a time";
    note_("from the client: " + why);
    answer_error(no_request, why, "null");
}

/// Nobody knows whose answer it was: every call in flight is told, so that none waits for ever.
void StdioWrapper::on_server_overlong() {
    const std::string why = "The server sent a message longer than " +
                            std::to_string(stdio_message_bytes_max) +
                            " bytes, which is dropped; it may have been the answer to this call. "
                            "The tool was run; ask for less.";
    note_("from the server: " + why);
    std::vector<std::shared_ptr<Call>> told;
    {
        const MutexLock lock(mutex_);
        for (auto each = calls_.begin(); each != calls_.end();) {
            if (each->second->waits) {
                ++each;
                continue;
            }
            forget_answer(each->first);
            told.push_back(std::move(each->second));
            each = calls_.erase(each);
        }
    }
    for (const auto& call : told) {
        refuse(call->message, why);
    }
}

void StdioWrapper::on_client_line(std::string_view line) {
    const auto body = std::make_shared<const PaddedBytes>(PaddedBytes::copy_of(line));
    auto rpc = read_rpc_body(*body);
    if (!rpc) {
        const RpcFault& fault = rpc.error();
        note_("from the client, not sent: " + fault.message);
        answer_error(
            fault.code == no_json ? no_json : fault.code,
            "a line must be one JSON-RPC message: " + fault.message,
            fault.id
        );
        return;
    }
    if (rpc->batch) {
        pass_batch(*rpc, line);
    } else if (!rpc->messages.empty()) {
        on_request(std::move(rpc->messages.front()), body, line);
    }
}

/// As the HTTP road: what must be judged is not hidden among others.
void StdioWrapper::pass_batch(const RpcBody& rpc, std::string_view line) {
    if (!rpc.has("tools/call")) {
        for (const RpcMessage& message : rpc.messages) {
            const MutexLock lock(mutex_);
            if (message.method == "tools/list" && lists_.size() < lists_max) {
                lists_.insert(id_key(message.id));
            }
        }
        server_.write(line);
        return;
    }
    for (const RpcMessage& message : rpc.messages) {
        if (is_asked(message)) {
            answer_error(
                no_request,
                "not sent: this batch holds a tools/call; send its messages one by one",
                message.id
            );
        }
    }
}

void StdioWrapper::on_request(
    RpcMessage message, std::shared_ptr<const PaddedBytes> body, std::string_view line
) {
    {
        const MutexLock lock(mutex_);
        if (!message.client_name.empty()) {
            agent_ = message.client_name;
        }
        initialized_ = initialized_ || message.method == "notifications/initialized";
        if (message.method == "tools/list" && lists_.size() < lists_max) {
            lists_.insert(id_key(message.id));
        }
        if (message.wants_tool_changes && is_asked(message)) {
            listens_.emplace_back(message.id);
            if (listens_.size() > listens_max) {
                listens_.pop_front();
            }
        }
    }
    if (message.is_tool_call()) {
        on_call(std::move(message), std::move(body));
    } else if (message.method == "notifications/cancelled") {
        on_client_cancels(member(member(trimmed(line), "params"), "requestId"), line);
    } else {
        server_.write(line);
    }
}

void StdioWrapper::on_client_cancels(RawJson id, std::string_view line) {
    const std::string key = id_key(id);
    std::shared_ptr<Call> call;
    {
        const MutexLock lock(mutex_);
        std::erase(listens_, std::string(id));
        const auto found = calls_.find(key);
        if (found != calls_.end()) {
            call = std::move(found->second);
            calls_.erase(found);
            if (call->asks != nullptr) {
                call->asks->cut();
            }
            if (!call->waits) {
                forget_answer(key);
            }
        }
    }
    if (call && !call->waits) {
        keep_result({call->line, "", clock_.now() - call->started_at});
    }
    if (!call || !call->waits) {
        server_.write(line);  // A call that waits for a person is not there yet.
    }
}

void StdioWrapper::on_call(RpcMessage message, std::shared_ptr<const PaddedBytes> body) {
    const auto call = std::make_shared<Call>();
    call->line = trimmed(body->view());
    call->body = std::move(body);
    call->message = std::move(message);
    call->started_at = clock_.now();
    const std::string key = id_key(call->message.id);
    bool known = false;
    bool full = false;
    {
        const MutexLock lock(mutex_);
        known = calls_.contains(key);
        full = calls_.size() >= stdio_calls_max;
        if (!known && !full) {
            std::erase(answered_, key);
            calls_.emplace(key, call);
        }
    }
    if (known) {
        answer_error(
            no_request,
            "a call of id " + std::string(call->message.id) +
                " is in flight; give each request an id of its own",
            call->message.id
        );
    } else if (full) {
        note_("stdio_calls_max met: a call of " + call->message.target + " is refused");
        refuse(
            call->message,
            std::to_string(stdio_calls_max) +
                " calls are in flight, which is as many as can be. This one was not run; try later."
        );
    } else {
        act(key, call, client_judge_.call(call->line, agent()), client_judge_);
    }
}

void StdioWrapper::act(
    const std::string& key, const std::shared_ptr<Call>& call, Judged judged, Judge& judge
) {
    if (!judged.away.empty() && may_go_on(call->message.target)) {
        note_("the gateway cannot be asked; " + call->message.target + " reads only and goes on");
        pass(key, call, call->line);
    } else if (!judged.away.empty()) {
        if (take(key, call)) {
            note_("a call of " + call->message.target + " is refused: " + judged.away);
            refuse(
                call->message,
                "Nobody could be asked whether this call may run (Tagout at " +
                    options_.judge.gateway + ": " + judged.away +
                    "), so it was not run. Say that the tool is unavailable for now."
            );
        }
    } else if (judged.hold) {
        hold(key, call);
    } else if (!judged.answer.empty()) {
        if (take(key, call)) {
            client_.write(judged.answer);
        }
    } else {
        send(key, call, std::move(judged), judge);
    }
}

/// Unless it was stopped by what changed since it was judged: follow_controls passes over calls
/// that are not with the server yet.
void StdioWrapper::send(
    const std::string& key, const std::shared_ptr<Call>& call, Judged judged, Judge& judge
) {
    const std::string line = std::move(judged.send);
    bool redact = judged.redact;
    std::uint64_t revision = 0;
    while (true) {
        {
            const MutexLock lock(mutex_);
            revision = revision_;
            if (judged.revision >= revision) {
                call->redact = redact;
                break;
            }
        }
        judged = judge.again(call->line, agent(), revision);
        redact = redact || judged.redact;
        if (!judged.away.empty() || !judged.answer.empty()) {
            act(key, call, std::move(judged), judge);
            return;
        }
    }
    pass(key, call, line);
}

/// Unless it was cancelled meanwhile. The lock is not held while writing, so a cancellation may
/// overtake the call at the server; its answer is then dropped.
void StdioWrapper::pass(
    const std::string& key, const std::shared_ptr<Call>& call, std::string_view line
) {
    {
        const MutexLock lock(mutex_);
        const auto found = calls_.find(key);
        if (found == calls_.end() || found->second != call) {
            return;
        }
        call->waits = false;
    }
    server_.write(line);
}

/// A thread each, because a person takes as long as a person takes.
void StdioWrapper::hold(const std::string& key, const std::shared_ptr<Call>& call) {
    {
        const MutexLock lock(mutex_);
        if (held_ < stdio_held_max) {
            ++held_;
            std::thread([self = shared_from_this(), key, call, caller = agent_] {
                Judge judge(self->options_.judge);
                const auto waits_by = [&](Judge* asks) {
                    const MutexLock own(self->mutex_);
                    call->asks = asks;
                };
                waits_by(&judge);
                Judged judged = judge.hold(call->line, caller);
                waits_by(nullptr);
                self->act(key, call, std::move(judged), judge);
                const MutexLock held(self->mutex_);
                --self->held_;
            }).detach();
            return;
        }
    }
    note_("stdio_held_max met: a call of " + call->message.target + " is refused");
    if (take(key, call)) {
        refuse(
            call->message,
            "This call needs a person's approval, and no more can be asked for now (" +
                std::to_string(stdio_held_max) +
                " wait already). It was not run; say that it needs approval."
        );
    }
}

bool StdioWrapper::may_go_on(const std::string& tool) {
    const MutexLock lock(mutex_);
    return options_.reads_go_on && judged_tools_.reads.contains(tool);
}

std::shared_ptr<StdioWrapper::Call> StdioWrapper::take(const std::string& key) {
    const MutexLock lock(mutex_);
    const auto found = calls_.find(key);
    if (found == calls_.end()) {
        return nullptr;
    }
    auto call = std::move(found->second);
    calls_.erase(found);
    return call;
}

bool StdioWrapper::take(const std::string& key, const std::shared_ptr<Call>& call) {
    const MutexLock lock(mutex_);
    const auto found = calls_.find(key);
    const bool here = found != calls_.end() && found->second == call;
    if (here) {
        calls_.erase(found);
    }
    return here;
}

void StdioWrapper::forget_answer(const std::string& key) {
    answered_.push_back(key);
    if (answered_.size() > answered_max) {
        answered_.pop_front();
    }
}

void StdioWrapper::on_server_line(std::string_view line) {
    const PaddedBytes body = PaddedBytes::copy_of(line);
    auto rpc = read_rpc_body(body);
    if (!rpc) {
        const RpcFault& fault = rpc.error();
        note_("from the server, not passed on: " + fault.message);
        if (const auto call = fault.id == "null" ? nullptr : take(id_key(fault.id))) {
            refuse(
                call->message,
                "The tool was run, but its answer cannot be read (" + fault.message +
                    ") and is withheld."
            );
        }
        return;
    }
    if (!rpc->batch) {
        on_server_message(rpc->messages.front(), line);
        return;
    }
    std::size_t at = 0;
    for_each_element(trimmed(body.view()), [&](RawJson each) {
        on_server_message(rpc->messages[at++], each);
        return Walk::GoOn;
    });
}

void StdioWrapper::on_server_message(const RpcMessage& message, std::string_view line) {
    if (!message.method.empty() || message.id.empty()) {
        client_.write(line);
        return;
    }
    const std::string key = id_key(message.id);
    bool dropped = false;
    bool is_list = false;
    std::shared_ptr<Call> call;
    {
        const MutexLock lock(mutex_);
        const auto found = calls_.find(key);
        if (found != calls_.end() && !found->second->waits) {
            call = std::move(found->second);
            calls_.erase(found);
        } else {
            dropped = found != calls_.end() || std::ranges::find(answered_, key) != answered_.end();
            is_list = lists_.erase(key) > 0;
            std::erase_if(listens_, [&](const std::string& id) { return id_key(id) == key; });
        }
    }
    if (call) {
        on_result(*call, line);
    } else if (dropped) {
        note_("the answer to a call that was stopped or cancelled is dropped");
    } else if (is_list) {
        on_list(line);
    } else {
        client_.write(line);
    }
}

void StdioWrapper::on_result(const Call& call, std::string_view line) {
    const Duration took = clock_.now() - call.started_at;
    if (call.redact) {
        const Judged judged = server_judge_.result(call.line, line, took, agent());
        if (judged.away.empty() && is_object(judged.answer)) {
            client_.write(judged.answer);
            return;
        }
        note_("an answer of " + call.message.target + " is withheld: " + judged.away);
        refuse(
            call.message,
            "The tool was run, but what its answer holds must be redacted and could not be (" +
                judged.away + "). It is withheld."
        );
        return;
    }
    client_.write(line);
    std::string kept(line);
    if (line.size() > kept_result_bytes_max) {
        kept = R"({"result":"longer than is kept"})";
    }
    keep_result({call.line, std::move(kept), took});
}

void StdioWrapper::keep_result(Told told) {
    bool full = false;
    {
        const MutexLock lock(mutex_);
        full = results_.size() >= stdio_records_max;
        if (!full) {
            results_.push_back(std::move(told));
        }
    }
    changed_.notify_all();
    if (full) {
        note_("stdio_records_max met: the result of a call is not recorded");
    }
}

void StdioWrapper::on_list(std::string_view line) {
    const auto offered = edit_tool_list(line, [](std::string_view) { return false; });
    if (!offered) {
        client_.write(line);
        return;
    }
    std::uint64_t revision = 0;
    {
        const MutexLock lock(mutex_);
        revision = revision_;
        for (const std::string& tool : offered->tools) {
            if (tools_.size() < Core::known_tools_max) {
                tools_.insert(tool);
            }
        }
    }
    auto judged = server_judge_.tools(offered->tools, offered->definitions, agent(), revision);
    if (!judged) {
        note_("tools are listed as they were known, calls are refused: " + judged.error().message);
    }
    ToolsJudged known;
    {
        const MutexLock lock(mutex_);
        if (judged) {
            for (const std::string& tool : offered->tools) {
                judged_tools_.hidden.erase(tool);
                judged_tools_.reads.erase(tool);
            }
            judged_tools_.hidden.merge(judged->hidden);
            judged_tools_.reads.merge(judged->reads);
        }
        known = judged_tools_;
    }
    const auto cut = edit_tool_list(line, [&](std::string_view tool) {
        return known.hidden.contains(std::string(tool));
    });
    client_.write(cut ? std::string_view(cut->json) : line);
}

void StdioWrapper::follow_controls() {
    Judge stream(options_.judge);
    Judge judge(options_.judge);
    while (true) {
        stream.watch([&](std::uint64_t revision) {
            judge_again(judge, revision);
            judge_tools(judge, revision);
        });
        const MutexLock lock(mutex_);
        if (!ended_) {
            changed_.wait_for(mutex_, reconnect_after, [this] {
                mutex_.assert_held();
                return ended_;
            });
        }
        if (ended_) {
            return;
        }
    }
}

void StdioWrapper::judge_again(Judge& judge, std::uint64_t revision) {
    std::vector<std::pair<std::string, std::shared_ptr<Call>>> running;
    {
        const MutexLock lock(mutex_);
        revision_ = revision;
        for (const auto& [key, call] : calls_) {
            if (!call->waits) {
                running.emplace_back(key, call);
            }
        }
    }
    for (const auto& [key, call] : running) {
        const Judged judged = judge.again(call->line, agent(), revision);
        if (!judged.away.empty()) {
            continue;  // It was let go, and goes on.
        }
        {
            const MutexLock lock(mutex_);
            const auto found = calls_.find(key);
            if (found == calls_.end() || found->second != call) {
                continue;  // It ended meanwhile.
            }
            call->redact = call->redact || judged.redact;
            if (judged.answer.empty()) {
                continue;
            }
            calls_.erase(found);
            forget_answer(key);
        }
        client_.write(judged.answer);
        server_.write(
            R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" +
            std::string(call->message.id) + R"(,"reason":)" +
            quoted("stopped by the people who run this system") + "}}"
        );
    }
}

void StdioWrapper::judge_tools(Judge& judge, std::uint64_t revision) {
    std::vector<std::string> names;
    {
        const MutexLock lock(mutex_);
        names.assign(tools_.begin(), tools_.end());
    }
    if (names.empty()) {
        return;
    }
    auto judged = judge.tools(names, {}, agent(), revision);
    if (!judged) {
        return;
    }
    bool changed = false;
    {
        const MutexLock lock(mutex_);
        changed = judged->hidden != judged_tools_.hidden;
        judged_tools_ = std::move(*judged);
    }
    if (changed) {
        tell_tools_changed();
    }
}

void StdioWrapper::tell_tools_changed() {
    std::vector<std::string> listens;
    bool legacy = false;
    {
        const MutexLock lock(mutex_);
        listens.assign(listens_.begin(), listens_.end());
        legacy = initialized_;
    }
    if (legacy) {
        client_.write(legacy_tools_changed);
    }
    for (const std::string& id : listens) {
        client_.write(
            R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"_meta":{)"
            R"("io.modelcontextprotocol/subscriptionId":)" +
            id + "}}}"
        );
    }
}

void StdioWrapper::tell_results() {
    Judge judge(options_.judge);
    MutexLock lock(mutex_);
    bool told_away = false;
    while (true) {
        while (results_.empty() && !ended_) {
            changed_.wait(mutex_);
        }
        if (results_.empty()) {
            return;
        }
        const Told next = std::move(results_.front());
        results_.pop_front();
        const std::string caller = agent_;
        lock.unlock();
        const Judged judged = judge.result(next.call, next.answer, next.took, caller);
        if (!judged.away.empty() && !std::exchange(told_away, true)) {
            note_("results of calls are not recorded: " + judged.away);
        }
        told_away = told_away && !judged.away.empty();
        lock.lock();
        if (ended_ && !judged.away.empty()) {
            return;
        }
    }
}

void StdioWrapper::close_server() {
    server_.close();
}

void StdioWrapper::end() {
    {
        const MutexLock lock(mutex_);
        ended_ = true;
    }
    changed_.notify_all();
}

}  // namespace tagout::gateway
