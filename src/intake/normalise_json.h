// A look into JSON texts that stand in attributes: find a member, walk a list, skip the rest.
//
// Many conventions put messages, metadata or usage into one attribute as JSON text. The normaliser
// wants one or two values of it, so nothing is built: a JsonView is a slice of the text, and moving
// on skips strings with memchr and counts brackets. Nothing is validated. Untrusted input: any bytes
// give some answer, without recursion and without a read outside the text; broken JSON gives less.
// Cost: linear in what is skipped, about 10 ns a string, memory speed inside long ones.
// Deliberately absent: a tree. Nothing here allocates but the texts that had escapes (arena).
#pragma once

#include "domain/event_batch.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace tagout::intake {

enum class JsonType : std::uint8_t { None, Null, Bool, Number, String, Array, Object };

/// Compares with a literal in place, without a call.
template <std::size_t N>
[[nodiscard]] inline bool same(std::string_view text, const char (&literal)[N]) noexcept {
    return text.size() == N - 1 && __builtin_memcmp(text.data(), literal, N - 1) == 0;
}

/// One JSON value: its type and its slice, quotes and brackets included.
struct JsonView {
    JsonType type = JsonType::None;
    std::string_view raw;

    [[nodiscard]] bool is_text() const noexcept { return type == JsonType::String; }
    [[nodiscard]] bool is_true() const noexcept {
        return type == JsonType::Bool && raw.starts_with('t');
    }
};

/// The value that `text` begins with, after white space. None if there is none.
[[nodiscard]] JsonView json_of(std::string_view text) noexcept;

/// `text` as an object or a list, if it begins and ends like one; "[urgent] hello" does not.
[[nodiscard]] JsonView json_container_of(std::string_view text) noexcept;

/// Walks the members of an object; a view of another type has none.
class JsonMembers {
public:
    explicit JsonMembers(const JsonView& object) noexcept;
    /// `key` is as it stands between its quotes. False at the end.
    [[nodiscard]] bool next(std::string_view& key, JsonView& value) noexcept;

private:
    std::string_view rest_;
};

/// Goes through a text once, into objects and lists without looking for their ends first.
class JsonCursor {
public:
    /// Stands at the first value of the text.
    explicit JsonCursor(std::string_view text) noexcept;
    /// Behind the '[' if a list begins here; else nothing moves.
    [[nodiscard]] bool enter_list() noexcept;
    /// In a list: behind the '{' of the next object, past values that are none. False behind ']'.
    [[nodiscard]] bool next_object() noexcept;
    /// In an object: the next key; then stands at its value, which must be taken or entered. False
    /// behind '}'.
    [[nodiscard]] bool next_key(std::string_view& key) noexcept;
    /// The value here, whole; goes behind it.
    [[nodiscard]] JsonView take() noexcept;

private:
    const char* at_;
    const char* end_;
};

/// Walks the values of a list; a view of another type has none.
class JsonElements {
public:
    explicit JsonElements(const JsonView& list) noexcept;
    [[nodiscard]] bool next(JsonView& value) noexcept;

private:
    std::string_view rest_;
};

/// Walks the objects of a list from its end, for histories whose end matters. Objects only.
class JsonObjectsFromBack {
public:
    explicit JsonObjectsFromBack(std::string_view list) noexcept;
    /// The members asked for: None where the object has no such member.
    struct Message {
        JsonView role;
        JsonView parts;
        JsonView content;
        JsonView whole;
    };
    [[nodiscard]] bool next(Message& message) noexcept;

private:
    class BackWalk;

    const char* begin_;
    const char* at_;  ///< One past what is still to be walked; nullptr at the end.
};

/// The first member named `key`, else None.
[[nodiscard]] JsonView member(const JsonView& object, std::string_view key) noexcept;

/// The text of a String without its quotes and escapes; "" of another type. A view into the JSON
/// where it has no escapes, else a copy in the arena.
[[nodiscard]] std::string_view text_of(const JsonView& value, EventBatch& batch);

/// Compares a String with a word that has no escapes.
template <std::size_t N>
[[nodiscard]] inline bool is_word(const JsonView& value, const char (&word)[N]) noexcept {
    return value.type == JsonType::String && value.raw.size() == N + 1
        && __builtin_memcmp(value.raw.data() + 1, word, N - 1) == 0;
}

/// Appends `value` with ", " and ": " between its parts and no other white space, as Python writes
/// it; texts keep their characters and only the escapes that JSON demands.
void append_spaced(const JsonView& value, std::string& out);

/// Appends `text` as a JSON string with its quotes.
void append_quoted(std::string_view text, std::string& out);

}  // namespace tagout::intake
