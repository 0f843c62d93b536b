#include "contain/form_reader.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tagout::contain {

namespace json = boost::json;

FormReader::FormReader(const json::object& object, std::string place)
    : object_(object), place_(std::move(place)) {}

const json::value* FormReader::find(std::string_view name, Needed needed) {
    asked_.push_back(name);
    const json::value* const found = object_.if_contains(name);
    if (found == nullptr && needed == Needed::Yes) {
        wrong(name, "is missing");
    }
    return found;
}

void FormReader::wrong(std::string_view name, std::string_view problem) {
    if (problem_.empty()) {
        problem_ = place_ + "." + std::string(name.substr(0, 60)) + " " + std::string(problem);
    }
}

void FormReader::take(const Result<void>& inner) {
    if (!inner && problem_.empty()) {
        problem_ = inner.error().message;
    }
}

std::string FormReader::text(std::string_view name, std::size_t bytes_max, Needed needed) {
    const json::value* const found = find(name, needed);
    if (found == nullptr) {
        return "";
    }
    if (!found->is_string()) {
        wrong(name, "must be a text");
        return "";
    }
    const std::string_view value = found->as_string();
    if (value.size() > bytes_max) {
        wrong(name, "is longer than " + std::to_string(bytes_max) + " bytes");
        return "";
    }
    if (value.empty() && needed == Needed::Yes) {
        wrong(name, "is empty");
    }
    const bool clean = std::ranges::all_of(value, [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\r' || c == '\t';
    });
    if (!clean) {
        wrong(name, "holds a control character");
        return "";
    }
    return std::string(value);
}

std::uint64_t FormReader::number(std::string_view name, Needed needed) {
    const json::value* const found = find(name, needed);
    if (found == nullptr) {
        return 0;
    }
    boost::system::error_code error;
    const auto value = found->is_number() ? found->to_number<std::uint64_t>(error) : 0;
    if (!found->is_number() || error) {
        wrong(name, "must be a whole number from 0 up");
        return 0;
    }
    return value;
}

double FormReader::fraction(std::string_view name) {
    const json::value* const found = find(name, Needed::No);
    if (found == nullptr) {
        return 0;
    }
    if (!found->is_number()) {
        wrong(name, "must be a number");
        return 0;
    }
    return found->to_number<double>();
}

bool FormReader::flag(std::string_view name) {
    const json::value* const found = find(name, Needed::No);
    if (found != nullptr && !found->is_bool()) {
        wrong(name, "must be true or false");
        return false;
    }
    return found != nullptr && found->as_bool();
}

std::optional<Instant> FormReader::time(std::string_view name, Needed needed) {
    const json::value* const found = find(name, needed);
    if (found == nullptr) {
        return std::nullopt;
    }
    boost::system::error_code error;
    const auto value = found->is_number() ? found->to_number<std::int64_t>(error) : 0;
    if (!found->is_number() || error || value < 0) {
        wrong(name, "must be a time in nanoseconds since 1970");
        return std::nullopt;
    }
    return Instant(Duration(value));
}

Duration FormReader::duration(std::string_view name) {
    const json::value* const found = find(name, Needed::Yes);
    if (found == nullptr) {
        return {};
    }
    boost::system::error_code error;
    const auto value = found->is_number() ? found->to_number<std::int64_t>(error) : 0;
    if (!found->is_number() || error || value < 0) {
        wrong(name, "must be a time span in nanoseconds");
        return {};
    }
    return Duration(value);
}

std::vector<std::string> FormReader::texts(
    std::string_view name, std::size_t items_max, std::size_t bytes_max
) {
    std::vector<std::string> all;
    const json::value* const found = find(name, Needed::No);
    if (found == nullptr) {
        return all;
    }
    if (!found->is_array() || found->as_array().size() > items_max) {
        wrong(name, "must be a list of at most " + std::to_string(items_max) + " texts");
        return all;
    }
    for (const json::value& each : found->as_array()) {
        if (!each.is_string() || each.as_string().size() > bytes_max) {
            wrong(name, "holds what is no text of at most " + std::to_string(bytes_max) + " bytes");
            return {};
        }
        all.emplace_back(each.as_string());
    }
    return all;
}

std::vector<const json::object*> FormReader::objects(
    std::string_view name, std::size_t items_max
) {
    std::vector<const json::object*> all;
    const json::value* const found = find(name, Needed::No);
    if (found == nullptr) {
        return all;
    }
    if (!found->is_array() || found->as_array().size() > items_max) {
        wrong(name, "must be a list of at most " + std::to_string(items_max) + " objects");
        return all;
    }
    for (const json::value& each : found->as_array()) {
        if (!each.is_object()) {
            wrong(name, "holds what is no object");
            return {};
        }
        all.push_back(&each.as_object());
    }
    return all;
}

const json::object* FormReader::object(std::string_view name, Needed needed) {
    const json::value* const found = find(name, needed);
    if (found == nullptr) {
        return nullptr;
    }
    if (!found->is_object()) {
        wrong(name, "must be an object");
        return nullptr;
    }
    return &found->as_object();
}

Result<void> FormReader::end() const {
    if (!problem_.empty()) {
        return fail(ErrorCode::InvalidArgument, problem_);
    }
    for (const auto& member : object_) {
        const std::string_view name = member.key();
        if (std::ranges::find(asked_, name) == asked_.end()) {
            return fail(
                ErrorCode::InvalidArgument,
                place_ + " has a member '" + std::string(name.substr(0, 60)) +
                    "' that this version does not know"
            );
        }
    }
    return {};
}

Result<json::object> object_of(
    std::string_view text, std::string_view place, std::size_t bytes_max
) {
    if (text.size() > bytes_max) {
        return fail(
            ErrorCode::LimitExceeded,
            std::string(place) + " is longer than " + std::to_string(bytes_max) + " bytes"
        );
    }
    boost::system::error_code error;
    json::value value = json::parse(text, error);
    if (error || !value.is_object()) {
        return fail(
            ErrorCode::InvalidArgument,
            std::string(place) + " is no JSON object" + (error ? ": " + error.message() : "")
        );
    }
    return std::move(value.as_object());
}

}  // namespace tagout::contain
