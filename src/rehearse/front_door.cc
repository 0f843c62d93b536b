#include "rehearse/front_door.h"

#include <boost/json.hpp>

namespace tagout::rehearse {

namespace json = boost::json;

Entrance FrontDoor::enter(std::shared_ptr<const Script> script) {
    if (gateway_.empty()) {
        return {std::move(script)};
    }
    const AgentInfo& info = info_of(script->agent);
    const json::object asked{
        {"kind", "workflow"},
        {"workflow", info.workflow},
        {"agent", info.agent},
        {"session", script->conversation},
        {"user", script->world.user_id},
    };
    const Result<net::HttpResponse> answer = http_.send({
        .method = "POST",
        .url = gateway_ + "/v1/decide",
        .headers = {{"Content-Type", "application/json"}},
        .body = json::serialize(asked),
        .timeout = std::chrono::seconds(2),
    });
    if (!answer || answer->status != 200) {
        return {std::move(script)};
    }
    boost::system::error_code error;
    const json::value decision = json::parse(answer->body, error);
    if (error || !decision.is_object()) {
        return {std::move(script)};
    }
    const auto text = [&decision](std::string_view name) -> std::string_view {
        const json::value* const value = decision.as_object().if_contains(name);
        return value != nullptr && value->is_string() ? std::string_view(value->as_string())
                                                      : std::string_view();
    };
    if (text("verdict") == "deny") {
        return {nullptr};
    }
    if (text("verdict") == "modify" && text("route_to") == info_of(AgentKind::Handover).workflow) {
        return {std::make_shared<const Script>(handed_over(*script)), true};
    }
    return {std::move(script)};
}

}  // namespace tagout::rehearse
