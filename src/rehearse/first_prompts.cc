#include "rehearse/first_prompts.h"

#include "rehearse/script.h"

#include <boost/json.hpp>

namespace tagout::rehearse {

Result<void> publish_first_prompts(const cli::Connection& control) {
    cli::ApiClient api(control);
    for (const AgentInfo& info : agent_table) {
        const Result<std::string> known =
            api.get("/v1/prompts/" + std::string(info.prompt) + "?label=production");
        if (known) {
            continue;
        }
        if (known.error().code != ErrorCode::NotFound) {
            return std::unexpected(known.error());
        }
        const boost::json::object version{
            {"family", "prompt"},
            {"name", info.prompt},
            {"content", built_in_prompt(info.kind, "12")},
            {"message", "First version"},
            {"agent", info.agent},
            {"workflow", info.workflow},
            {"label", "production"},
            {"actor", "harbour-release"},
        };
        TAGOUT_TRY(api.post("/v1/versions", boost::json::serialize(version)));
    }
    return {};
}

}  // namespace tagout::rehearse
