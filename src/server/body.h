// A JSON request body, read member by member with the place and remedy of the first mistake.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "domain/vocabulary.h"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::server {

/// Thread-compatible. Read every member, then ask error(): it also names members that were not
/// read.
class Body {
public:
    [[nodiscard]] static Result<Body> parse(std::string_view text);

    /// Text of at most `bytes_max` (0: may not be empty is checked by `required`).
    std::string text(std::string_view name, bool required, std::size_t bytes_max);
    /// Any JSON value, as JSON; a string is taken for JSON written into it (a file's content).
    std::string json(std::string_view name, bool required);
    [[nodiscard]] bool has(std::string_view name) const { return object_.contains(name); }
    /// A list of at most `items_max` texts of at most `bytes_max` each; empty when it is absent.
    std::vector<std::string> texts(
        std::string_view name, std::size_t items_max, std::size_t bytes_max
    );
    std::optional<Instant> time(std::string_view name, bool required);
    /// A whole number that is not negative, as a number.
    std::optional<std::uint64_t> number(std::string_view name, bool required);
    /// A time, or a day ("2026-12-04"), which is over at its end in UTC.
    std::optional<Instant> deadline(std::string_view name, bool required);
    /// A member that may be there and is not looked at.
    void ignore(std::string_view name) { read_.emplace_back(name); }
    /// A name that `parse_name` knows, such as a Severity's.
    template <class Parse>
    auto choice(std::string_view name, bool required, std::string_view choices, Parse parse_name)
        -> decltype(parse_name(std::string_view{})) {
        const std::string value = text(name, required, 100);
        if (value.empty()) {
            return std::nullopt;
        }
        auto found = parse_name(value);
        if (!found) {
            note(name, "must be one of " + std::string(choices));
        }
        return found;
    }

    /// The first mistake, or one about members that nobody reads.
    [[nodiscard]] std::optional<Error> error() const;

private:
    explicit Body(boost::json::object object) : object_(std::move(object)) {}
    void note(std::string_view name, std::string_view problem);
    std::optional<Instant> instant_of(std::string_view name, const std::string& value);

    boost::json::object object_;
    std::vector<std::string> read_;
    std::string problem_;
};

/// Who asks, from member `actor`: as the person signs, else the token's name. Nobody can pose as the
/// program.
[[nodiscard]] Actor read_actor(Body& body);

}  // namespace tagout::server
