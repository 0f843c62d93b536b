#include "catalog/config_write.h"

#include "catalog/config_describe.h"

#include <boost/json.hpp>

#include <array>
#include <type_traits>

namespace tagout::catalog {

namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 5> sections{
    "agents", "workflows", "tools", "mcp_servers", "model_upstreams"};

/// The members of one entry. None of them holds more than values and lists of values.
class EntryWriter {
public:
    template <class T>
    void field(std::string_view key, const T& member, const FieldInfo& info) {
        json::value value = written(member);
        const bool unset = value.is_null() || (value.is_string() && value.as_string().empty()) ||
                           (value.is_array() && value.as_array().empty());
        if (!unset || info.presence == Required) {
            entry_[key] = std::move(value);
        }
    }
    template <class T>
    void list(std::string_view, const std::vector<T>&, const FieldInfo&) {}
    template <class T>
    void named(std::string_view, const std::vector<T>&, const FieldInfo&) {}

    [[nodiscard]] json::object take() { return std::move(entry_); }

private:
    static json::value written(const std::string& text) { return json::string(text); }
    static json::value written(bool flag) { return flag; }
    template <class Tag>
    static json::value written(const Named<Tag>& name) {
        return json::string(name.text());
    }
    template <class T>
    static json::value written(const std::optional<T>& value) {
        return value ? written(*value) : json::value();
    }
    template <class T>
    static json::value written(const std::vector<T>& values) {
        json::array all;
        for (const T& value : values) {
            all.push_back(written(value));
        }
        return all;
    }
    template <class T>
        requires std::is_enum_v<T>
    static json::value written(T value) {
        // The unknown one is what is said by saying nothing.
        return static_cast<int>(value) == 0 ? json::value() : json::value(name_of(value));
    }
    template <class T>
        requires std::is_arithmetic_v<T>
    static json::value written(T value) {
        return value;
    }

    json::object entry_;
};

class SectionWriter {
public:
    template <class T>
    void named(std::string_view key, std::vector<T>& items, const FieldInfo&) {
        if (std::ranges::find(sections, key) == sections.end()) {
            return;
        }
        json::object all;
        for (T& item : items) {
            EntryWriter entry;
            describe(item, entry);
            if constexpr (std::is_same_v<decltype(item.name), std::string>) {
                all[item.name] = entry.take();
            } else {
                all[item.name.text()] = entry.take();
            }
        }
        if (!all.empty()) {
            config_[key] = std::move(all);
        }
    }
    template <class T>
    void field(std::string_view, T&, const FieldInfo&) {}
    template <class T>
    void list(std::string_view, std::vector<T>&, const FieldInfo&) {}
    template <class Inside>
    void group(std::string_view, const FieldInfo&, Inside) {}
    void settings(std::string_view, std::vector<SettingText>&, const FieldInfo&) {}

    /// Left out while it is as it comes: a gateway of an earlier version knows no such key.
    void identity(Identity& identity) {
        if (identity == Identity{}) {
            return;
        }
        EntryWriter entry;
        describe(identity, entry);
        config_["gateway"] = json::object{{"identity", entry.take()}};
    }

    [[nodiscard]] std::string text() const { return json::serialize(config_); }

private:
    json::object config_;
};

}  // namespace

std::string enforcement_config(const Contents& contents) {
    Contents copy = contents;  // One form describes for reading and writing, and asks for a reference.
    SectionWriter writer;
    describe(copy, writer);
    writer.identity(copy.identity);
    return writer.text();
}

}  // namespace tagout::catalog
