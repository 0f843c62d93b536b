#include "notify/content_json.h"

#include <boost/json.hpp>

namespace tagout::notify {

namespace {

namespace json = boost::json;

/// Reads members of one object; the first that is wrong is remembered and named.
class Members {
public:
    explicit Members(const json::object& object) : object_(object) {}

    std::string text(std::string_view name) {
        const json::value* const value = object_.if_contains(name);
        if (value == nullptr || !value->is_string()) {
            wrong(name, "a text");
            return {};
        }
        return std::string(value->get_string());
    }
    template <class Number>
    Number number(std::string_view name) {
        const json::value* const value = object_.if_contains(name);
        if (value != nullptr) {
            boost::system::error_code error;
            const auto number = value->to_number<Number>(error);
            if (!error) {
                return number;
            }
        }
        wrong(name, "a number");
        return {};
    }
    template <class E>
    E named(std::string_view name, std::optional<E> (*parse)(std::string_view) noexcept) {
        const std::optional<E> value = parse(text(name));
        if (!value) {
            wrong(name, "one of its names");
        }
        return value.value_or(E{});
    }
    Instant time(std::string_view name) {
        const Result<Instant> at = parse_rfc3339(text(name));
        if (!at) {
            wrong(name, "a time in RFC 3339");
        }
        return at ? *at : Instant{};
    }
    [[nodiscard]] bool has(std::string_view name) const { return object_.contains(name); }
    [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

    void wrong(std::string_view name, std::string_view wanted) {
        if (fault_.empty()) {
            fault_ = "notice content: '" + std::string(name) + "' is not " + std::string(wanted);
        }
    }

private:
    const json::object& object_;
    std::string fault_;
};

}  // namespace

std::string to_json(const Content& content) {
    json::object out{
        {"id", content.incident},
        {"title", content.title},
        {"class", name_of(content.failure_class)},
        {"kind", name_of(content.kind)},
        {"state", name_of(content.state)},
        {"severity", name_of(content.severity)},
        {"severity_reason", content.severity_reason},
        {"cause", content.cause},
        {"agent", content.agent},
        {"workflow", content.workflow},
        {"tool", content.tool},
        {"service", content.service},
        {"environment", content.environment},
        {"owner", json::object{{"team", content.team}, {"contact", content.contact}}},
        {"evidence", content.evidence},
        {"containment", content.containment},
        {"reason", content.reason},
        {"actor", content.actor},
        {"signals", json::array(content.signals.begin(), content.signals.end())},
        {"impact",
         json::object{
             {"sessions", content.sessions},
             {"failed_sessions", content.failed_sessions},
             {"writes", content.writes},
             {"tokens", content.tokens},
             {"cost_usd", content.cost_usd},
         }},
        {"began_at", to_rfc3339(content.began_at)},
        {"at", to_rfc3339(content.at)},
        {"link", content.link},
    };
    if (content.escalated_from) {
        out["escalated_from"] = name_of(*content.escalated_from);
    }
    if (content.resolved_at) {
        out["resolved_at"] = to_rfc3339(*content.resolved_at);
    }
    return json::serialize(out);
}

Result<Content> parse_content(std::string_view text) {
    boost::system::error_code error;
    const json::value parsed = json::parse(text, error);
    if (error || !parsed.is_object()) {
        return fail(ErrorCode::InvalidArgument, "notice content: not a JSON object");
    }
    const json::object& object = parsed.get_object();
    const json::value* const owner = object.if_contains("owner");
    const json::value* const impact = object.if_contains("impact");
    const json::value* const signals = object.if_contains("signals");
    if (owner == nullptr || !owner->is_object() || impact == nullptr || !impact->is_object() ||
        signals == nullptr || !signals->is_array()) {
        return fail(ErrorCode::InvalidArgument, "notice content: owner, impact or signals missing");
    }
    Members members(object);
    Members owned(owner->get_object());
    Members hurt(impact->get_object());
    Content content{
        .incident = members.text("id"),
        .title = members.text("title"),
        .failure_class = members.named("class", parse_failure_class),
        .kind = members.named("kind", parse_incident_kind),
        .state = members.named("state", parse_incident_state),
        .severity = members.named("severity", parse_severity),
        .escalated_from = std::nullopt,
        .severity_reason = members.text("severity_reason"),
        .cause = members.text("cause"),
        .agent = members.text("agent"),
        .workflow = members.text("workflow"),
        .tool = members.text("tool"),
        .service = members.text("service"),
        .environment = members.text("environment"),
        .team = owned.text("team"),
        .contact = owned.text("contact"),
        .evidence = members.text("evidence"),
        .containment = members.has("containment") ? members.text("containment") : std::string(),
        .reason = members.text("reason"),
        .actor = members.text("actor"),
        .signals = {},
        .sessions = hurt.number<std::uint64_t>("sessions"),
        .failed_sessions = hurt.number<std::uint64_t>("failed_sessions"),
        .writes = hurt.number<std::uint64_t>("writes"),
        .tokens = hurt.number<std::int64_t>("tokens"),
        .cost_usd = hurt.number<double>("cost_usd"),
        .began_at = members.time("began_at"),
        .resolved_at = std::nullopt,
        .at = members.time("at"),
        .link = members.text("link"),
    };
    for (const json::value& signal : signals->get_array()) {
        if (signal.is_string()) {
            content.signals.emplace_back(signal.get_string());
        }
    }
    if (members.has("escalated_from")) {
        content.escalated_from = members.named("escalated_from", parse_severity);
    }
    if (members.has("resolved_at")) {
        content.resolved_at = members.time("resolved_at");
    }
    for (const Members* const part : {&members, &owned, &hurt}) {
        if (!part->fault().empty()) {
            return fail(ErrorCode::InvalidArgument, part->fault());
        }
    }
    return content;
}

}  // namespace tagout::notify
