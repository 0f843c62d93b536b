#include "detect/safety/read_request.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace tagout::detect {

namespace {

using std::string_view_literals::operator""sv;

// Each sorted, for they are searched by halves.
constexpr std::array knowing{
    "analyse"sv,  "analyze"sv, "are"sv,      "browse"sv,    "calculate"sv, "check"sv,    "count"sv,
    "describe"sv, "did"sv,     "display"sv,  "does"sv,      "examine"sv,   "explain"sv,  "fetch"sv,
    "find"sv,     "get"sv,     "how"sv,      "inspect"sv,   "is"sv,        "know"sv,     "list"sv,
    "locate"sv,   "look"sv,    "navigate"sv, "provide"sv,   "read"sv,      "retrieve"sv, "review"sv,
    "search"sv,   "see"sv,     "show"sv,     "summarise"sv, "summarize"sv, "tell"sv,     "view"sv,
    "was"sv,      "were"sv,    "what"sv,     "what's"sv,    "when"sv,      "where"sv,    "which"sv,
    "who"sv,      "whose"sv,
};
constexpr std::array acting{
    "accept"sv,      "activate"sv,   "add"sv,      "adjust"sv,   "allow"sv,     "answer"sv,
    "append"sv,      "apply"sv,      "approve"sv,  "archive"sv,  "arrange"sv,   "ask"sv,
    "assign"sv,      "attach"sv,     "block"sv,    "build"sv,    "buy"sv,       "cancel"sv,
    "categorise"sv,  "categorize"sv, "change"sv,   "charge"sv,   "clean"sv,     "clear"sv,
    "click"sv,       "clone"sv,      "close"sv,    "commit"sv,   "compile"sv,   "complete"sv,
    "compose"sv,     "confirm"sv,    "copy"sv,     "correct"sv,  "create"sv,    "deactivate"sv,
    "decline"sv,     "decrease"sv,   "delete"sv,   "deny"sv,     "deploy"sv,    "deposit"sv,
    "disable"sv,     "dispute"sv,    "download"sv, "draft"sv,    "drop"sv,      "edit"sv,
    "empty"sv,       "enable"sv,     "ensure"sv,   "enter"sv,    "erase"sv,     "escalate"sv,
    "exchange"sv,    "execute"sv,    "export"sv,   "fill"sv,     "finish"sv,    "fix"sv,
    "follow"sv,      "fork"sv,       "forward"sv,  "generate"sv, "grant"sv,     "greet"sv,
    "handle"sv,      "help"sv,       "increase"sv, "inform"sv,   "insert"sv,    "install"sv,
    "invite"sv,      "join"sv,       "kick"sv,     "label"sv,    "leave"sv,     "let"sv,
    "lock"sv,        "log"sv,        "lower"sv,    "make"sv,     "manage"sv,    "mark"sv,
    "merge"sv,       "modify"sv,     "move"sv,     "notify"sv,   "open"sv,      "organise"sv,
    "organize"sv,    "patch"sv,      "pay"sv,      "plan"sv,     "play"sv,      "post"sv,
    "prepare"sv,     "print"sv,      "process"sv,  "publish"sv,  "pull"sv,      "purchase"sv,
    "purge"sv,       "push"sv,       "put"sv,      "raise"sv,    "record"sv,    "refund"sv,
    "reject"sv,      "remind"sv,     "remove"sv,   "rename"sv,   "rent"sv,      "replace"sv,
    "reply"sv,       "reschedule"sv, "reserve"sv,  "resolve"sv,  "respond"sv,   "restore"sv,
    "return"sv,      "rid"sv,        "run"sv,      "save"sv,     "schedule"sv,  "send"sv,
    "set"sv,         "settle"sv,     "share"sv,    "ship"sv,     "sign"sv,      "solve"sv,
    "sort"sv,        "split"sv,      "start"sv,    "stop"sv,     "store"sv,     "submit"sv,
    "subscribe"sv,   "switch"sv,     "tag"sv,      "take"sv,     "terminate"sv, "test"sv,
    "thank"sv,       "top"sv,        "transfer"sv, "triage"sv,   "turn"sv,      "unlock"sv,
    "unsubscribe"sv, "update"sv,     "upload"sv,   "visit"sv,    "void"sv,      "warn"sv,
    "wire"sv,        "wish"sv,       "withdraw"sv, "write"sv,
};
/// Things that are acts where a wish may begin.
constexpr std::array either{
    "book"sv,
    "call"sv,
    "comment"sv,
    "e-mail"sv,
    "email"sv,
    "flag"sv,
    "mail"sv,
    "message"sv,
    "note"sv,
    "order"sv,
    "report"sv,
    "sms"sv,
    "star"sv,
    "text"sv,
    "tweet"sv,
};
/// Words before the beginning of a wish.
constexpr std::array leading{
    "also"sv,
    "and"sv,
    "i"sv,
    "just"sv,
    "or"sv,
    "please"sv,
    "then"sv,
    "to"sv,
    "we"sv,
    "you"sv,
};
static_assert(std::ranges::is_sorted(knowing) && std::ranges::is_sorted(acting));
static_assert(std::ranges::is_sorted(either) && std::ranges::is_sorted(leading));

constexpr std::size_t word_bytes_max = 16;

bool is_of_word(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '\'' || c == '-';
}

bool ends_sentence(char c) noexcept {
    return c == '.' || c == ',' || c == ';' || c == ':' || c == '!' || c == '?' || c == '\n';
}

}  // namespace

bool asks_only_to_read(std::string_view request) noexcept {
    bool reads = false;
    bool may_begin = true;
    bool gives = false;
    for (std::size_t at = 0; at < request.size();) {
        if (!is_of_word(request[at])) {
            may_begin = may_begin || ends_sentence(request[at]);
            ++at;
            continue;
        }
        std::array<char, word_bytes_max> lower{};
        std::size_t size = 0;
        for (; at < request.size() && is_of_word(request[at]); ++at, ++size) {
            if (size < word_bytes_max) {
                const char c = request[at];
                lower[size] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            }
        }
        const std::string_view word(lower.data(), std::min(size, word_bytes_max));
        if (std::ranges::binary_search(acting, word) ||
            (may_begin && std::ranges::binary_search(either, word))) {
            return false;
        }
        const bool to_user = word == "me" || word == "us";
        if (gives && !to_user) {
            return false;  // somebody else something
        }
        reads = reads || gives || std::ranges::binary_search(knowing, word);
        gives = word == "give";
        may_begin = std::ranges::binary_search(leading, word);
    }
    return reads && !gives;
}

}  // namespace tagout::detect
