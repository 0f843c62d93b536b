#include "cli/token_table.h"

#include "cli/json_text.h"

#include <boost/json.hpp>

namespace tagout::cli {

void render_token_table(
    const boost::json::value& answer, std::string_view when_none, Terminal& terminal
) {
    const boost::json::array& tokens = array_at(answer, "tokens");
    if (tokens.empty()) {
        terminal.line(std::string(when_none));
        return;
    }
    const std::string now = now_text();
    std::vector<std::vector<std::string>> rows;
    for (const boost::json::value& token : tokens) {
        const std::string revoked = field(token, "revoked_by");
        rows.push_back(
            {field(token, "id"),
             field(token, "pattern"),
             short_time(field(token, "made_at"), now),
             field(token, "made_by"),
             revoked.empty() ? "holds" : terminal.toned("revoked by " + revoked, Tone::Dim),
             field(token, "reason")}
        );
    }
    terminal.line(table({"TOKEN", "FOR", "MADE", "BY", "STATE", "REASON"}, rows, terminal.width()));
}

}  // namespace tagout::cli
