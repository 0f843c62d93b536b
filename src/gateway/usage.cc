#include "gateway/usage.h"

#include "gateway/event_splitter.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace tagout::gateway {

namespace {

constexpr std::int64_t tokens_max = 1'000'000'000;  ///< Of one answer: a larger number is a lie.
constexpr std::uint64_t bytes_a_token = 4;

/// Members whose text a model wrote.
constexpr std::array<std::string_view, 6> written{
    "\"content\":", "\"text\":", "\"delta\":", "\"arguments\":", "\"partial_json\":", "\"thinking\":"};

/// Bytes of what stands in written members, up to the quote that ends each.
std::uint64_t written_bytes(std::string_view json) {
    std::uint64_t bytes = 0;
    for (const std::string_view key : written) {
        for (std::size_t at = json.find(key); at != std::string_view::npos; at = json.find(key, at)) {
            at += key.size();
            while (at < json.size() && json[at] == ' ') {
                ++at;
            }
            if (at == json.size() || json[at] != '"') {
                continue;  // No text.
            }
            std::size_t end = ++at;
            while (end < json.size() && json[end] != '"') {
                end += json[end] == '\\' ? 2 : 1;
            }
            bytes += std::min(end, json.size()) - at;
            at = std::min(end, json.size());
        }
    }
    return bytes;
}

std::int64_t number(RawJson json, std::string_view key) {
    const RawJson value = member(json, key);
    std::int64_t number = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
    return read.ec == std::errc{} ? std::clamp<std::int64_t>(number, 0, tokens_max) : 0;
}

}  // namespace

void UsageMeter::event(std::string_view block) {
    if (const std::uint64_t bytes = written_bytes(block); bytes > 0) {
        guessed_ += std::max<std::uint64_t>(1, (bytes + bytes_a_token - 1) / bytes_a_token);
    }
    if (block.find("\"usage\"") == std::string_view::npos) {
        return;
    }
    const std::string data = event_data(block);
    if (!data.empty() && check_json(data)) {
        const RawJson json = trimmed(data);
        read(member(json, "usage"), Says::All);
        read(member(member(json, "response"), "usage"), Says::All);
        read(member(member(json, "message"), "usage"), Says::Input);
    }
}

void UsageMeter::whole(std::string_view body) {
    guessed_ += (written_bytes(body) + bytes_a_token - 1) / bytes_a_token;
    if (check_json(body)) {
        read(member(trimmed(body), "usage"), Says::All);
    }
}

void UsageMeter::unread(std::string_view bytes) {
    tail_ += bytes.substr(bytes.size() - std::min(bytes.size(), tail_bytes_max));
    if (tail_.size() > tail_bytes_max) {
        tail_.erase(0, tail_.size() - tail_bytes_max);
    }
}

/// The last `"usage":{...}` of what was passed on unread; other JSON stands before it.
void UsageMeter::read_tail() {
    constexpr std::string_view key = "\"usage\":";
    const std::size_t at = tail_.rfind(key);
    if (at == std::string::npos) {
        return;
    }
    const std::string_view rest = trimmed(std::string_view(tail_).substr(at + key.size()));
    std::size_t depth = 0;
    for (std::size_t end = 0; end < rest.size(); ++end) {
        depth += rest[end] == '{' ? 1 : 0;
        if (rest[end] == '}' && --depth == 0) {
            const std::string_view object = rest.substr(0, end + 1);
            if (check_json(object)) {
                read(object, Says::All);
            }
            return;
        }
        if (depth == 0) {
            return;
        }
    }
}

void UsageMeter::read(RawJson usage, Says says) {
    if (!is_object(usage)) {
        return;
    }
    const RawJson chat = member(usage, "prompt_tokens_details");
    const RawJson responses = member(usage, "input_tokens_details");
    // Messages count what the cache gave beside the input, the others within it.
    const std::int64_t beside =
        number(usage, "cache_read_input_tokens") + number(usage, "cache_creation_input_tokens");
    const std::int64_t input =
        std::max(number(usage, "prompt_tokens"), number(usage, "input_tokens")) + beside;
    const std::int64_t output =
        std::max(number(usage, "completion_tokens"), number(usage, "output_tokens"));
    const std::int64_t cached = std::max(
        {number(chat, "cached_tokens"), number(responses, "cached_tokens"),
         number(usage, "cache_read_input_tokens")}
    );
    is_told_ = is_told_ || input + output > 0;
    tells_output_ = tells_output_ || (says == Says::All && is_told_);
    // A stream repeats it, each time with what it is by then.
    told_.input = std::max(told_.input, input);
    told_.output = std::max(told_.output, output);
    told_.cached = std::max(told_.cached, cached);
}

Usage UsageMeter::usage() const {
    UsageMeter whole = *this;
    if (!is_told_) {
        whole.read_tail();
    }
    Usage usage = whole.told_;
    usage.estimated = !whole.is_told_;
    if (!whole.is_told_) {
        usage.input = static_cast<std::int64_t>(request_bytes_ / bytes_a_token) + 1;
    }
    // A stream that was cut has said less than was written by then.
    const auto guessed = static_cast<std::int64_t>(std::min<std::uint64_t>(guessed_, tokens_max));
    if (!whole.tells_output_ && guessed > usage.output) {
        usage.output = guessed;
        usage.estimated = true;
    }
    return usage;
}

}  // namespace tagout::gateway
