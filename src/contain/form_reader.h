// A JSON object of another process, read member by member; the first mistake is kept with its place.
//
// Strict: a member that nobody asked for is a mistake too, because whoever wrote it meant something by
// it. Confined to one thread; views the object, which outlives it. Internal to contain/.
#pragma once

#include "base/clock.h"
#include "base/result.h"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::contain {

enum class Needed : bool { No = false, Yes = true };

class FormReader {
public:
    /// `place` names the object in messages: "controls[3]".
    FormReader(const boost::json::object& object, std::string place);

    /// "" when it is absent. Control characters but line ends and tabs are a mistake, as is text that
    /// is too long.
    [[nodiscard]] std::string text(std::string_view name, std::size_t bytes_max, Needed needed);
    [[nodiscard]] std::uint64_t number(std::string_view name, Needed needed);
    [[nodiscard]] double fraction(std::string_view name);
    [[nodiscard]] bool flag(std::string_view name);
    /// Nanoseconds since 1970, so that what is read is what was written.
    [[nodiscard]] std::optional<Instant> time(std::string_view name, Needed needed);
    /// Nanoseconds.
    [[nodiscard]] Duration duration(std::string_view name);
    [[nodiscard]] std::vector<std::string> texts(
        std::string_view name, std::size_t items_max, std::size_t bytes_max
    );
    /// Objects of a list, null when it is absent; `items_max` bounds it.
    [[nodiscard]] std::vector<const boost::json::object*> objects(
        std::string_view name, std::size_t items_max
    );
    [[nodiscard]] const boost::json::object* object(std::string_view name, Needed needed);

    void wrong(std::string_view name, std::string_view problem);
    /// The first mistake of another reader, of an object within.
    void take(const Result<void>& inner);
    /// Every member was asked for and nothing was wrong with any. InvalidArgument names the first.
    [[nodiscard]] Result<void> end() const;
    /// Nothing was wrong with what was asked for; members that nobody asked for do not matter.
    [[nodiscard]] bool is_good() const noexcept { return problem_.empty(); }
    [[nodiscard]] const std::string& place() const noexcept { return place_; }

private:
    [[nodiscard]] const boost::json::value* find(std::string_view name, Needed needed);

    const boost::json::object& object_;
    const std::string place_;
    std::vector<std::string_view> asked_;
    std::string problem_;
};

/// The object that `text` is. InvalidArgument with `place`; at most `bytes_max` bytes.
[[nodiscard]] Result<boost::json::object> object_of(
    std::string_view text, std::string_view place, std::size_t bytes_max
);

}  // namespace tagout::contain
