#include "server/body.h"

#include "server/api.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tagout::server {

namespace {

constexpr std::size_t time_bytes_max = 40;

}  // namespace

Result<Body> Body::parse(std::string_view text) {
    namespace json = boost::json;
    if (text.size() > Api::body_bytes_max) {
        return fail(ErrorCode::LimitExceeded, "the body is over 1 MiB; send less");
    }
    json::parse_options options;
    options.max_depth = Api::depth_max;
    boost::system::error_code error;
    json::stream_parser parser({}, options);
    std::size_t at = parser.write_some(text.data(), text.size(), error);
    if (!error && at == text.size()) {
        parser.finish(error);
    }
    if (error || at < text.size()) {
        const std::string what = error ? error.message() : "more than one value";
        return fail(
            ErrorCode::InvalidArgument,
            "the body is not JSON at byte " + std::to_string(at) + ": " + what +
                "; send one JSON object"
        );
    }
    json::value value = parser.release();
    if (!value.is_object()) {
        return fail(ErrorCode::InvalidArgument, "the body must be one JSON object");
    }
    return Body(std::move(value.as_object()));
}

void Body::note(std::string_view name, std::string_view problem) {
    if (problem_.empty()) {
        problem_ = "'" + std::string(name) + "' " + std::string(problem);
    }
}

std::string Body::text(std::string_view name, bool required, std::size_t bytes_max) {
    read_.emplace_back(name);
    const boost::json::value* const member = object_.if_contains(name);
    if (member == nullptr || member->is_null()) {
        if (required) {
            note(name, "is missing");
        }
        return {};
    }
    if (!member->is_string()) {
        note(name, "must be a string");
        return {};
    }
    const boost::json::string& value = member->as_string();
    if (required && value.empty()) {
        note(name, "must not be empty");
    } else if (value.size() > bytes_max) {
        note(name, "is over " + std::to_string(bytes_max) + " bytes");
        return {};
    }
    return std::string(value);
}

std::string Body::json(std::string_view name, bool required) {
    read_.emplace_back(name);
    const boost::json::value* const member = object_.if_contains(name);
    if (member == nullptr || member->is_null()) {
        if (required) {
            note(name, "is missing");
        }
        return {};
    }
    return member->is_string() ? std::string(member->as_string()) : boost::json::serialize(*member);
}

std::vector<std::string> Body::texts(
    std::string_view name, std::size_t items_max, std::size_t bytes_max
) {
    read_.emplace_back(name);
    const boost::json::value* const member = object_.if_contains(name);
    if (member == nullptr || member->is_null()) {
        return {};
    }
    if (!member->is_array()) {
        note(name, "must be a list of strings");
        return {};
    }
    std::vector<std::string> items;
    if (member->as_array().size() > items_max) {
        note(name, "has over " + std::to_string(items_max) + " items");
        return {};
    }
    for (const boost::json::value& item : member->as_array()) {
        if (!item.is_string() || item.as_string().empty() || item.as_string().size() > bytes_max) {
            note(name, "must hold strings of 1 to " + std::to_string(bytes_max) + " bytes only");
            return {};
        }
        items.emplace_back(item.as_string());
    }
    return items;
}

std::optional<std::uint64_t> Body::number(std::string_view name, bool required) {
    read_.emplace_back(name);
    const boost::json::value* const member = object_.if_contains(name);
    if (member == nullptr || member->is_null()) {
        if (required) {
            note(name, "is missing");
        }
        return std::nullopt;
    }
    boost::system::error_code error;
    const auto number = member->to_number<std::uint64_t>(error);
    if (!member->is_number() || error) {
        note(name, "must be a whole number");
        return std::nullopt;
    }
    return number;
}

std::optional<Instant> Body::time(std::string_view name, bool required) {
    return instant_of(name, text(name, required, time_bytes_max));
}

std::optional<Instant> Body::deadline(std::string_view name, bool required) {
    std::string value = text(name, required, time_bytes_max);
    constexpr std::size_t day_bytes = std::string_view("2026-12-04").size();
    if (value.size() == day_bytes) {
        value += "T23:59:59Z";
    }
    return instant_of(name, value);
}

std::optional<Instant> Body::instant_of(std::string_view name, const std::string& value) {
    if (value.empty()) {
        return std::nullopt;
    }
    const Result<Instant> at = parse_rfc3339(value);
    if (!at) {
        note(name, at.error().message);
        return std::nullopt;
    }
    return *at;
}

Actor read_actor(Body& body) {
    constexpr std::size_t actor_bytes_max = 200;
    const std::string actor = body.text("actor", false, actor_bytes_max);
    return Actor(actor.empty() ? std::string("token:admin") : "person:" + actor);
}

std::optional<Error> Body::error() const {
    if (!problem_.empty()) {
        return Error{ErrorCode::InvalidArgument, problem_};
    }
    for (const auto& [name, value] : object_) {
        if (std::ranges::find(read_, name) == read_.end()) {
            std::string known;
            for (const std::string& each : read_) {
                known += (known.empty() ? "" : ", ") + each;
            }
            return Error{
                ErrorCode::InvalidArgument,
                "'" + std::string(name).substr(0, 100) + "' is not known here; send only " + known};
        }
    }
    return std::nullopt;
}

}  // namespace tagout::server
