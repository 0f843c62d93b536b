#include "gateway/offered_tools.h"

#include "gateway/json_edit.h"

#include <algorithm>
#include <utility>

namespace tagout::gateway {

namespace {

bool is_text(RawJson json, std::string_view text) {
    return string_of(json) == text;
}

class Cutter {
public:
    Cutter(ModelApi api, std::string_view json, const ToolStops& stops)
        : api_(api), whole_(trimmed(json)), stops_(stops), edits_(json) {}

    std::optional<CutRequest> run() {
        const RawJson tools = member(whole_, "tools");
        const RawJson functions = member(whole_, "functions");
        const std::size_t left =
            offered(tools) + offered(functions) + servers(member(whole_, "mcp_servers"));
        if (cut_ == 0) {
            return edits_.empty() ? std::nullopt : std::optional(CutRequest{edits_.text(), 0});
        }
        if (left > 0) {
            mend_choice("tool_choice");
            mend_choice("function_call");
            return CutRequest{edits_.text(), cut_};
        }
        return CutRequest{without_tools(), cut_};
    }

private:
    bool is_stopped(const NamedTool& tool) { return stops_.is_stopped(tool); }

    /// How many of them stay.
    std::size_t offered(RawJson tools) {
        return edits_.cut_elements(tools, [this](RawJson tool) {
            const NamedTool named = named_tool(tool);
            bool stopped = is_stopped(named);
            if (!stopped && !named.server.empty() && named.tool.empty()) {
                stopped = is_text(member(tool, "type"), "mcp") ? narrow_allowed(tool, named.server)
                                                               : narrow_toolset(tool, named.server);
            }
            cut_ += stopped ? 1 : 0;
            return stopped;
        });
    }

    std::vector<std::string> stopped_of(const std::string& server) {
        std::vector<std::string> tools = stops_.known_tools(server);
        std::erase_if(tools, [&](const std::string& tool) { return !is_stopped({server, tool}); });
        return tools;
    }

    /// OpenAI's {"type":"mcp"}: true if nothing of it stays.
    bool narrow_allowed(RawJson tool, const std::string& server) {
        RawJson allowed = member(tool, "allowed_tools");
        if (is_object(allowed)) {
            allowed = member(allowed, "tool_names");
        }
        if (is_array(allowed)) {
            return narrow_names(allowed, server);
        }
        std::vector<std::string> known = stops_.known_tools(server);
        const std::size_t all = known.size();
        std::erase_if(known, [&](const std::string& each) { return is_stopped({server, each}); });
        if (known.size() == all) {
            return false;
        }
        if (known.empty()) {
            return true;
        }
        std::string list;
        for (const std::string& each : known) {
            list += (list.empty() ? "" : ",") + quoted(each);
        }
        list = "[" + list + "]";
        const RawJson filter = member(tool, "allowed_tools");
        if (filter.empty()) {
            edits_.add_members(tool, "\"allowed_tools\":" + list);
        } else if (is_object(filter)) {
            edits_.add_members(filter, "\"tool_names\":" + list);
        } else {
            edits_.replace(filter, list);  // null: no list
        }
        return false;
    }

    bool narrow_names(RawJson names, const std::string& server) {
        std::size_t all = 0;
        for_each_element(names, [&](RawJson) {
            ++all;
            return Walk::GoOn;
        });
        std::size_t stopped = 0;
        for_each_element(names, [&](RawJson name) {
            stopped += is_stopped({server, string_of(name).value_or("")}) ? 1 : 0;
            return Walk::GoOn;
        });
        if (stopped == 0 || stopped == all) {
            return all > 0 && stopped == all;
        }
        (void)edits_.cut_elements(names, [&](RawJson name) {
            return is_stopped({server, string_of(name).value_or("")});
        });
        return false;
    }

    /// Anthropic's {"type":"mcp_toolset"}: its "configs" can switch single tools off.
    bool narrow_toolset(RawJson tool, const std::string& server) {
        std::vector<std::string> stopped = stopped_of(server);
        const RawJson configs = member(tool, "configs");
        for_each_member(configs, [&](std::string_view name, RawJson) {
            if (is_stopped({server, std::string(name)}) &&
                std::ranges::find(stopped, name) == stopped.end()) {
                stopped.emplace_back(name);
            }
            return Walk::GoOn;
        });
        if (stopped.empty()) {
            return false;
        }
        std::string off;
        for (const std::string& name : stopped) {
            off += (off.empty() ? "" : ",") + quoted(name) + R"(:{"enabled":false})";
        }
        if (!is_object(configs)) {
            edits_.add_members(tool, "\"configs\":{" + off + "}");
            return false;
        }
        std::string members = off;
        for_each_member(configs, [&](std::string_view name, RawJson value) {
            if (std::ranges::find(stopped, name) == stopped.end()) {
                members += "," + quoted(name) + ":" + std::string(value);
            }
            return Walk::GoOn;
        });
        edits_.replace(configs, "{" + members + "}");
        return false;
    }

    /// Anthropic's list of servers: a stopped one goes, and older lists of allowed tools narrow.
    std::size_t servers(RawJson list) {
        return edits_.cut_elements(list, [this](RawJson server) {
            const std::string name = string_of(member(server, "name")).value_or("");
            bool stopped = is_stopped({name, ""});
            const RawJson allowed = member(member(server, "tool_configuration"), "allowed_tools");
            if (!stopped && is_array(allowed)) {
                stopped = narrow_names(allowed, name);
            }
            cut_ += stopped ? 1 : 0;
            return stopped;
        });
    }

    void mend_choice(std::string_view key) {
        const RawJson choice = member(whole_, key);
        if (!is_object(choice)) {
            return;
        }
        if (is_text(member(choice, "type"), "allowed_tools")) {
            RawJson list = member(choice, "tools");
            if (!is_array(list)) {
                list = member(member(choice, "allowed_tools"), "tools");
            }
            mend_allowed(choice, list);
            return;
        }
        const NamedTool named = named_tool(choice);
        const bool names_one =
            !named.server.empty() || !member(choice, "name").empty() || api_ != ModelApi::Messages;
        if (names_one && is_stopped(named)) {
            edits_.replace(choice, api_ == ModelApi::Messages ? R"({"type":"auto"})" : "\"auto\"");
        }
    }

    void mend_allowed(RawJson choice, RawJson list) {
        std::size_t all = 0;
        std::size_t stopped = 0;
        for_each_element(list, [&](RawJson tool) {
            ++all;
            stopped += is_stopped(named_tool(tool)) ? 1 : 0;
            return Walk::GoOn;
        });
        if (stopped > 0 && stopped == all) {
            edits_.replace(choice, "\"none\"");
        } else if (stopped > 0) {
            (void
            )edits_.cut_elements(list, [&](RawJson tool) { return is_stopped(named_tool(tool)); });
        }
    }

    [[nodiscard]] bool holds_calls() const {
        const RawJson messages = member(whole_, "messages");
        return messages.find("\"tool_use\"") != RawJson::npos ||
               messages.find("\"tool_result\"") != RawJson::npos;
    }

    std::string without_tools() {
        JsonEdits edits(whole_);
        if (api_ == ModelApi::Messages && holds_calls()) {
            // Anthropic demands the definitions of tools that the messages hold calls of.
            const RawJson choice = member(whole_, "tool_choice");
            if (choice.empty()) {
                edits.add_members(whole_, R"("tool_choice":{"type":"none"})");
            } else {
                edits.replace(choice, R"({"type":"none"})");
            }
            (void)edits.cut_elements(member(whole_, "mcp_servers"), [this](RawJson server) {
                return is_stopped({string_of(member(server, "name")).value_or(""), ""});
            });
            (void)edits.cut_elements(member(whole_, "tools"), [this](RawJson tool) {
                const NamedTool named = named_tool(tool);
                return !named.server.empty() && is_stopped(named);
            });
            return edits.text();
        }
        static constexpr std::string_view need_tools[] = {
            "tools",
            "tool_choice",
            "parallel_tool_calls",
            "functions",
            "function_call",
            "mcp_servers"};
        (void)edits.cut_members(whole_, [](std::string_view key, RawJson) {
            return std::ranges::find(need_tools, key) != std::end(need_tools);
        });
        return edits.text();
    }

    const ModelApi api_;
    const RawJson whole_;
    const ToolStops& stops_;
    JsonEdits edits_;
    std::size_t cut_ = 0;
};

}  // namespace

std::optional<CutRequest> cut_stopped_tools(
    ModelApi api, std::string_view json, const ToolStops& stops
) {
    if (api == ModelApi::Other || !is_object(trimmed(json))) {
        return std::nullopt;
    }
    return Cutter(api, json, stops).run();
}

}  // namespace tagout::gateway
