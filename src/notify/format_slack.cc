// Slack incoming webhook. Limits (operations reference 5.6): header 150 characters, section text
// 3,000, at most 10 fields of 2,000, button text 75, url 3,000; 50 blocks; & < > escaped in mrkdwn.
#include "notify/format.h"

#include <boost/json.hpp>

#include <string_view>

namespace tagout::notify {

namespace {

namespace json = boost::json;

constexpr std::size_t header_max = 150;
constexpr std::size_t section_max = 3000;
constexpr std::size_t field_max = 2000;
constexpr std::size_t fallback_max = 3000;
constexpr std::size_t link_max = 3000;

/// Escaped for mrkdwn, and cut so that the escaped form keeps within `points_max`.
std::string mrkdwn(std::string_view text, std::size_t points_max) {
    constexpr std::size_t widest_escape = 5;  // "&amp;"
    std::string out;
    std::size_t points = 0;
    for (const char c : clean(text, points_max)) {
        if (points + widest_escape + 1 > points_max && (c & 0xc0) != 0x80) {
            return out + "\u2026";
        }
        switch (c) {
            case '&':
                out += "&amp;";
                points += 5;
                break;
            case '<':
                out += "&lt;";
                points += 4;
                break;
            case '>':
                out += "&gt;";
                points += 4;
                break;
            default:
                out += c;
                points += (c & 0xc0) != 0x80 ? 1 : 0;
        }
    }
    return out;
}

json::object plain_text(std::string_view text, std::size_t points_max) {
    return {{"type", "plain_text"}, {"text", clean(text, points_max)}, {"emoji", false}};
}

json::object section(std::string text) {
    return {{"type", "section"}, {"text", json::object{{"type", "mrkdwn"}, {"text", std::move(text)}}}};
}

void add_field(json::array& fields, std::string_view label, std::string_view value) {
    if (!value.empty()) {
        fields.push_back(json::object{
            {"type", "mrkdwn"},
            {"text", "*" + std::string(label) + "*\n" + mrkdwn(value, field_max - 40)},
        });
    }
}

}  // namespace

Formatted format_slack(const Notice& notice, const Target& target) {
    const Content& content = notice.content;
    json::array fields;
    add_field(fields, "Class", name_of(content.failure_class));
    add_field(fields, "State", name_of(content.state));
    add_field(fields, "Agent", content.agent);
    add_field(fields, "Workflow", content.workflow);
    add_field(fields, "Tool", content.tool);
    add_field(fields, "Owner", content.team.empty() ? "unowned" : content.team);
    add_field(
        fields, "Failed sessions",
        std::to_string(content.failed_sessions) + " of " + std::to_string(content.sessions)
    );
    add_field(fields, "Began", to_rfc3339(content.began_at));

    json::array blocks;
    blocks.push_back(
        json::object{{"type", "header"}, {"text", plain_text(headline(notice, header_max), header_max)}}
    );
    std::string words = mrkdwn(content.title, 600);
    if (!content.evidence.empty()) {
        words += "\n>" + mrkdwn(content.evidence, 1200);
    }
    if (!content.severity_reason.empty()) {
        words += "\n_" + mrkdwn(content.severity_reason, 800) + "_";
    }
    if (!content.containment.empty()) {
        words += "\n*Containment* " + mrkdwn(content.containment, 390);
    }
    static_assert(600 + 1200 + 800 + 390 < section_max, "the four texts fit into one section");
    blocks.push_back(section(std::move(words)));
    json::object facts{{"type", "section"}};
    facts["fields"] = std::move(fields);
    blocks.push_back(std::move(facts));
    if (!content.link.empty() && content.link.size() <= link_max) {
        blocks.push_back(json::object{
            {"type", "actions"},
            {"elements", json::array{json::object{
                             {"type", "button"},
                             {"text", plain_text("Open in Tagout", 75)},
                             {"url", content.link},
                         }}},
        });
    }
    const json::object message{
        {"text", mrkdwn(headline(notice, fallback_max), fallback_max)},
        {"blocks", std::move(blocks)},
    };
    return net::HttpRequest{
        .method = "POST",
        .url = target.secret.empty() ? target.url : target.secret,
        .headers = {{"Content-Type", "application/json; charset=utf-8"}, {"User-Agent", "tagout"}},
        .body = json::serialize(message),
    };
}

}  // namespace tagout::notify
