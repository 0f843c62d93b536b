#include "gateway/tool_list.h"

#include "gateway/json_edit.h"

#include <charconv>
#include <cmath>

namespace tagout::gateway {

namespace {

class Editor {
public:
    Editor(std::string_view text, const std::function<bool(std::string_view)>& is_hidden)
        : edits_(text), is_hidden_(is_hidden) {}

    void message(RawJson json) {
        for_each_member(json, [&](std::string_view key, RawJson value) {
            if (key == "result") {
                result(value);
            }
            return Walk::GoOn;
        });
    }
    [[nodiscard]] bool found() const noexcept { return found_; }

    EditedList finish() {
        list_.changed = !edits_.empty();
        list_.json = edits_.text();
        return std::move(list_);
    }

private:
    void result(RawJson json) {
        bool here = false;
        for_each_member(json, [&](std::string_view key, RawJson value) {
            if (key == "tools" && is_array(value)) {
                here = true;
                tools(value);
            }
            return Walk::GoOn;
        });
        if (!here) {
            return;
        }
        found_ = true;
        for_each_member(json, [&](std::string_view key, RawJson value) {
            if (key == "cacheScope" && value == "\"public\"") {
                edits_.replace(value, "\"private\"");
            } else if (key == "ttlMs" && is_longer(value)) {
                edits_.replace(value, std::to_string(list_ttl_ms_max));
            }
            return Walk::GoOn;
        });
    }
    static bool is_longer(RawJson number) {
        double ms = 0;
        const auto read = std::from_chars(number.data(), number.data() + number.size(), ms);
        return read.ec == std::errc::result_out_of_range ||
               (read.ec == std::errc{} && ms > static_cast<double>(list_ttl_ms_max));
    }

    void tools(RawJson json) {
        (void)edits_.cut_elements(json, [this](RawJson tool) {
            const bool hidden = is_hidden_tool(tool);
            list_.hidden += hidden ? 1 : 0;
            return hidden;
        });
    }
    bool is_hidden_tool(RawJson tool) {
        bool hidden = false;
        for_each_member(tool, [&](std::string_view key, RawJson value) {
            if (key == "name") {
                std::string name = string_of(value).value_or("");
                hidden = hidden || is_hidden_(name);
                list_.tools.push_back(std::move(name));
                list_.definitions.push_back(tool);
            }
            return Walk::GoOn;
        });
        return hidden;
    }

    JsonEdits edits_;
    const std::function<bool(std::string_view)>& is_hidden_;
    EditedList list_;
    bool found_ = false;
};

}  // namespace

std::optional<EditedList> edit_tool_list(
    std::string_view json, const std::function<bool(std::string_view tool)>& is_hidden
) {
    if (json.find("tools") == std::string_view::npos || !check_json(json)) {
        return std::nullopt;
    }
    Editor editor(json, is_hidden);
    const RawJson whole = trimmed(json);
    if (is_array(whole)) {
        for_each_element(whole, [&](RawJson each) {
            editor.message(each);
            return Walk::GoOn;
        });
    } else {
        editor.message(whole);
    }
    return editor.found() ? std::optional(editor.finish()) : std::nullopt;
}

}  // namespace tagout::gateway
