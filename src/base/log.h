// The program's own log, for the people who run Tagout: one line an event, to standard error.
//
// Thread-safe. A line is a name in snake_case and its fields, so that it can be searched and
// counted: `2026-11-24T03:39:27.123Z warn intake_shed reason=queue_full items=512`. Not the journal:
// what must be remembered goes there.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace tagout::log {

enum class Level : std::uint8_t { Debug = 0, Info = 1, Warn = 2, Error = 3 };

struct Field {
    Field(std::string_view name, std::string_view value) : name(name), value(value) {}
    Field(std::string_view name, const char* value) : name(name), value(value) {}
    Field(std::string_view name, const std::string& value) : name(name), value(value) {}
    template <class Number>
        requires std::is_arithmetic_v<Number>
    Field(std::string_view name, Number value) : name(name), value(std::to_string(value)) {}

    std::string_view name;
    std::string value;
};

/// Lines below `level` are not written. Default: Info.
void set_level(Level level) noexcept;
[[nodiscard]] Level level() noexcept;

void write(Level level, std::string_view event, std::initializer_list<Field> fields);

inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::Debug, event, fields);
}
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::Info, event, fields);
}
inline void warn(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::Warn, event, fields);
}
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::Error, event, fields);
}

}  // namespace tagout::log
