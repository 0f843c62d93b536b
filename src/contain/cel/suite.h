// The public CEL suite (../shared/suites/cel) as cases: its files are protobuf text, read here just as
// far as the cases need. For tests only.
#pragma once

#include "contain/cel/program.h"

#include <cmath>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::contain::cel::suite {

/// A message of protobuf text: fields in order, a name may stand more than once.
struct Message {
    struct Field {
        std::string name;
        std::string scalar;  ///< As it was written; of quoted texts what they say.
        std::vector<Message> message;  ///< One, or none for a scalar.
    };
    std::vector<Field> fields;

    [[nodiscard]] const Field* field(std::string_view name) const {
        for (const Field& each : fields) {
            if (each.name == name) {
                return &each;
            }
        }
        return nullptr;
    }
    [[nodiscard]] const Message* child(std::string_view name) const {
        const Field* const found = field(name);
        return found == nullptr || found->message.empty() ? nullptr : &found->message.front();
    }
    [[nodiscard]] std::string text(std::string_view name) const {
        const Field* const found = field(name);
        return found == nullptr ? "" : found->scalar;
    }
    [[nodiscard]] std::vector<const Message*> children(std::string_view name) const {
        std::vector<const Message*> all;
        for (const Field& each : fields) {
            if (each.name == name && !each.message.empty()) {
                all.push_back(&each.message.front());
            }
        }
        return all;
    }
};

class TextReader {
public:
    explicit TextReader(std::string_view text) : text_(text) {}

    Message message(char end = '\0') {
        Message read;
        while (true) {
            skip();
            if (at_ >= text_.size() || text_[at_] == end) {
                at_ += at_ < text_.size() ? 1 : 0;
                return read;
            }
            Message::Field field;
            field.name = name();
            skip();
            const bool colon = take(':');
            skip();
            if (take('{')) {
                field.message.push_back(message('}'));
            } else if (colon && take('[')) {
                skip();
                while (!take(']')) {
                    Message::Field item{field.name, "", {}};
                    if (take('{')) {
                        item.message.push_back(message('}'));
                    } else {
                        item.scalar = scalar();
                    }
                    read.fields.push_back(std::move(item));
                    skip();
                    take(',');
                    skip();
                }
                continue;
            } else {
                field.scalar = scalar();
            }
            read.fields.push_back(std::move(field));
            skip();
            if (!take(',')) {
                take(';');
            }
        }
    }

private:
    bool take(char c) {
        if (at_ < text_.size() && text_[at_] == c) {
            ++at_;
            return true;
        }
        return false;
    }
    void skip() {
        while (at_ < text_.size()) {
            if (text_[at_] == '#') {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else if (std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
                ++at_;
            } else {
                return;
            }
        }
    }
    std::string name() {
        const std::size_t begin = at_;
        if (take('[')) {
            at_ = text_.find(']', at_) + 1;
        } else {
            at_ = std::min(text_.find_first_of(":{ \t\n", at_), text_.size());
        }
        return std::string(text_.substr(begin, at_ - begin));
    }
    std::string scalar() {
        if (text_[at_] != '"' && text_[at_] != '\'') {
            const std::size_t begin = at_;
            at_ = std::min(text_.find_first_of(" \t\n,;}]", at_), text_.size());
            return std::string(text_.substr(begin, at_ - begin));
        }
        std::string whole;
        while (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
            quoted(whole);
            skip();
        }
        return whole;
    }
    void quoted(std::string& out) {
        const char quote = text_[at_++];
        while (at_ < text_.size() && text_[at_] != quote) {
            if (text_[at_] != '\\') {
                out += text_[at_++];
                continue;
            }
            ++at_;
            escape(out);
        }
        ++at_;
    }
    void escape(std::string& out) {
        const char c = text_[at_++];
        constexpr std::string_view plain = "abfnrtv\\?\"'";
        constexpr std::string_view meant = "\a\b\f\n\r\t\v\\?\"'";
        if (const std::size_t found = plain.find(c); found != std::string_view::npos) {
            out += meant[found];
        } else if (c == 'x' || c == 'X') {
            out += static_cast<char>(number(16, 2));
        } else if (c == 'u' || c == 'U') {
            utf8(number(16, c == 'u' ? 4 : 8), out);
        } else {
            --at_;
            out += static_cast<char>(number(8, 3));
        }
    }
    std::uint32_t number(unsigned base, std::size_t most) {
        std::uint32_t value = 0;
        constexpr std::string_view digits = "0123456789abcdef";
        for (std::size_t i = 0; i < most && at_ < text_.size(); ++i) {
            const std::size_t digit =
                digits.find(static_cast<char>(text_[at_] >= 'A' ? text_[at_] | 0x20 : text_[at_]));
            if (digit >= base) {
                break;
            }
            value = value * base + static_cast<std::uint32_t>(digit);
            ++at_;
        }
        return value;
    }
    static void utf8(std::uint32_t code, std::string& out) {
        const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(value); };
        if (code < 0x80) {
            byte(code);
        } else if (code < 0x800) {
            byte(0xC0 | code >> 6);
            byte(0x80 | (code & 0x3F));
        } else if (code < 0x10000) {
            byte(0xE0 | code >> 12);
            byte(0x80 | (code >> 6 & 0x3F));
            byte(0x80 | (code & 0x3F));
        } else {
            byte(0xF0 | code >> 18);
            byte(0x80 | (code >> 12 & 0x3F));
            byte(0x80 | (code >> 6 & 0x3F));
            byte(0x80 | (code & 0x3F));
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

/// Where the values of a case live.
struct Store {
    std::deque<std::string> texts;
    std::deque<std::vector<Value>> items;
};

/// Nothing: a protobuf message other than a timestamp or duration.
inline std::optional<Value> value_of(const Message& from, Store& store) {
    const Message::Field& field = from.fields.front();
    const std::string& scalar = field.scalar;
    const auto number = [](const std::string& text) -> double {
        return text == "inf" || text == "infinity" ? INFINITY
               : text == "-inf" || text == "-infinity" ? -INFINITY
               : text == "nan"  ? NAN
                                : std::stod(text);
    };
    if (field.name == "int64_value") {
        return cel::value_of(static_cast<std::int64_t>(std::stoll(scalar, nullptr, 0)));
    }
    if (field.name == "uint64_value") {
        return cel::value_of(static_cast<std::uint64_t>(std::stoull(scalar, nullptr, 0)));
    }
    if (field.name == "double_value") {
        return cel::value_of(number(scalar));
    }
    if (field.name == "bool_value") {
        return cel::value_of(scalar == "true");
    }
    if (field.name == "null_value") {
        return null_value();
    }
    if (field.name == "string_value" || field.name == "bytes_value") {
        return cel::value_of(
            std::string_view(store.texts.emplace_back(scalar)),
            field.name == "string_value" ? Kind::String : Kind::Bytes
        );
    }
    if (field.name == "type_value") {
        for (int kind = 0; kind <= static_cast<int>(Kind::Type); ++kind) {
            if (name_of(static_cast<Kind>(kind)) == scalar) {
                return type_value(static_cast<Kind>(kind));
            }
        }
        return std::nullopt;
    }
    const Message empty;
    const Message& inner = field.message.empty() ? empty : field.message.front();
    if (field.name == "list_value" || field.name == "map_value") {
        const bool map = field.name == "map_value";
        std::vector<Value> items;
        for (const Message* const entry : inner.children(map ? "entries" : "values")) {
            for (const Message* const part :
                 map ? std::vector<const Message*>{entry->child("key"), entry->child("value")}
                     : std::vector<const Message*>{entry}) {
                const std::optional<Value> value = suite::value_of(*part, store);
                if (!value) {
                    return std::nullopt;
                }
                items.push_back(*value);
            }
        }
        const std::vector<Value>& kept = store.items.emplace_back(std::move(items));
        return container_of(
            map ? Kind::Map : Kind::List, kept.data(), map ? kept.size() / 2 : kept.size()
        );
    }
    if (field.name == "object_value" && !inner.fields.empty()) {
        const Message::Field& object = inner.fields.front();
        const bool timestamp = object.name.find("google.protobuf.Timestamp]") != std::string::npos;
        const bool duration = object.name.find("google.protobuf.Duration]") != std::string::npos;
        if (timestamp || duration) {
            const Message& time = object.message.empty() ? empty : object.message.front();
            const auto part = [&](std::string_view name) {
                const std::string text = time.text(name);
                return text.empty() ? std::int64_t{0} : std::int64_t{std::stoll(text)};
            };
            return timestamp ? timestamp_of(part("seconds"), part("nanos"))
                             : duration_of(part("seconds"), part("nanos"));
        }
    }
    return std::nullopt;
}

/// Nothing: a type that is not spoken here.
inline std::optional<Type> type_of(const Message& from) {
    static const std::map<std::string, Kind> primitives{
        {"BOOL", Kind::Bool},     {"INT64", Kind::Int},     {"UINT64", Kind::Uint},
        {"DOUBLE", Kind::Double}, {"STRING", Kind::String}, {"BYTES", Kind::Bytes}};
    const Message::Field& field = from.fields.front();
    if (field.name == "primitive" && primitives.contains(field.scalar)) {
        return Type{primitives.at(field.scalar), {}};
    }
    if (field.name == "dyn") {
        return Type{};
    }
    if (field.name == "null") {
        return Type{Kind::Null, {}};
    }
    if (field.name == "well_known") {
        return field.scalar == "TIMESTAMP"  ? std::optional(Type{Kind::Timestamp, {}})
               : field.scalar == "DURATION" ? std::optional(Type{Kind::Duration, {}})
                                            : std::nullopt;
    }
    if (field.name == "message_type") {
        return field.scalar == "google.protobuf.Timestamp"
                   ? std::optional(Type{Kind::Timestamp, {}})
               : field.scalar == "google.protobuf.Duration"
                   ? std::optional(Type{Kind::Duration, {}})
                   : std::nullopt;
    }
    if (field.name == "type") {
        return Type{Kind::Type, {}};
    }
    if (field.name == "list_type" || field.name == "map_type") {
        const Message& inner = field.message.front();
        Type type{field.name == "list_type" ? Kind::List : Kind::Map, {}};
        for (const std::string_view part :
             type.kind == Kind::List ? std::vector<std::string_view>{"elem_type"}
                                     : std::vector<std::string_view>{"key_type", "value_type"}) {
            const Message* const child = inner.child(part);
            const std::optional<Type> read = child == nullptr ? Type{} : type_of(*child);
            if (!read) {
                return std::nullopt;
            }
            type.of.push_back(*read);
        }
        return type;
    }
    return std::nullopt;
}

}  // namespace tagout::contain::cel::suite
