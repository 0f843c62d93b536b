#include "base/log.h"

#include "base/clock.h"

#include <atomic>
#include <cstdio>

namespace tagout::log {

namespace {

std::atomic<Level> least{Level::Info};

std::string_view name_of(Level level) {
    switch (level) {
        case Level::Debug:
            return "debug";
        case Level::Info:
            return "info";
        case Level::Warn:
            return "warn";
        case Level::Error:
            return "error";
    }
    return "?";
}

bool is_plain(std::string_view value) {
    if (value.empty()) {
        return false;
    }
    for (const char c : value) {
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) {
            return false;
        }
    }
    return true;
}

/// Control characters are escaped, so that a value from outside cannot forge a line.
void append_value(std::string& line, std::string_view value) {
    if (is_plain(value)) {
        line += value;
        return;
    }
    line += '"';
    for (const char c : value) {
        if (c == '"' || c == '\\') {
            line += '\\';
            line += c;
        } else if (c == '\n') {
            line += "\\n";
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            line += '?';
        } else {
            line += c;
        }
    }
    line += '"';
}

}  // namespace

void set_level(Level level) noexcept { least.store(level, std::memory_order_relaxed); }
Level level() noexcept { return least.load(std::memory_order_relaxed); }

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
    if (level < least.load(std::memory_order_relaxed)) {
        return;
    }
    std::string line = to_rfc3339(SystemClock().now());
    line += ' ';
    line += name_of(level);
    line += ' ';
    line += event;
    for (const Field& field : fields) {
        line += ' ';
        line += field.name;
        line += '=';
        append_value(line, field.value);
    }
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace tagout::log
