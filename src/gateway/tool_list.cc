#include "gateway/tool_list.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace tagout::gateway {

namespace {

/// A piece of the text that is left out, and what stands there instead.
struct Edit {
    std::size_t from;
    std::size_t to;
    std::string instead;
};

class Editor {
public:
    Editor(std::string_view text, const std::function<bool(std::string_view)>& is_hidden)
        : text_(text), is_hidden_(is_hidden) {}

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
        std::ranges::sort(edits_, {}, &Edit::from);
        std::size_t at = 0;
        for (const Edit& edit : edits_) {
            list_.json += text_.substr(at, edit.from - at);
            list_.json += edit.instead;
            at = edit.to;
        }
        list_.json += text_.substr(at);
        return std::move(list_);
    }

private:
    [[nodiscard]] std::size_t place(RawJson json) const {
        return static_cast<std::size_t>(json.data() - text_.data());
    }
    void replace(RawJson json, std::string instead) {
        edits_.push_back({place(json), place(json) + json.size(), std::move(instead)});
    }

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
                replace(value, "\"private\"");
            } else if (key == "ttlMs" && is_longer(value)) {
                replace(value, std::to_string(list_ttl_ms_max));
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

    /// Cuts each hidden tool with the comma before it, or, as long as none stays, the one behind
    /// it.
    void tools(RawJson json) {
        bool stays = false;
        std::size_t behind_last = place(json) + 1;
        bool cut_before = false;
        std::size_t cut_from = 0;
        for_each_element(json, [&](RawJson tool) {
            const std::size_t from = place(tool);
            if (cut_before) {
                edits_.push_back({cut_from, from, ""});  // With the comma that stood between.
                cut_before = false;
            }
            if (is_hidden_tool(tool)) {
                ++list_.hidden;
                if (stays) {
                    edits_.push_back({behind_last, from + tool.size(), ""});
                } else {
                    cut_before = true;
                    cut_from = from;
                }
            } else {
                stays = true;
            }
            behind_last = from + tool.size();
            return Walk::GoOn;
        });
        if (cut_before) {
            edits_.push_back({cut_from, behind_last, ""});
        }
    }
    bool is_hidden_tool(RawJson tool) {
        bool hidden = false;
        for_each_member(tool, [&](std::string_view key, RawJson value) {
            if (key == "name") {
                std::string name = string_of(value).value_or("");
                hidden = hidden || is_hidden_(name);
                list_.tools.push_back(std::move(name));
            }
            return Walk::GoOn;
        });
        return hidden;
    }

    const std::string_view text_;
    const std::function<bool(std::string_view)>& is_hidden_;
    std::vector<Edit> edits_;
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
