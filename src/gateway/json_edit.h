// Changes to a JSON text, made by cutting and replacing pieces of it: what is not touched stays
// byte for byte as it came, so numbers, key order and unknown members survive.
//
// The text must have passed check_json and outlive the edits; pieces are views into it, and no two
// of them may overlap. Confined to its thread. Cost: one pass over what is walked, one copy.
#pragma once

#include "gateway/json_scan.h"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::gateway {

class JsonEdits {
public:
    explicit JsonEdits(std::string_view text) : text_(text) {}

    void replace(RawJson piece, std::string instead);
    /// Puts `members` ("\"a\":1") in front of the first member of an object.
    void add_members(RawJson object, std::string_view members);
    /// Cuts the elements of an array that `is_cut` picks, commas with them. How many stay.
    std::size_t cut_elements(RawJson array, const std::function<bool(RawJson)>& is_cut);
    /// The same for the members of an object.
    std::size_t cut_members(
        RawJson object, const std::function<bool(std::string_view key, RawJson value)>& is_cut
    );

    [[nodiscard]] bool empty() const noexcept { return edits_.empty(); }
    /// The text as changed; the edits stay.
    [[nodiscard]] std::string text() const;

private:
    /// A piece of the text that is left out, and what stands there instead.
    struct Edit {
        std::size_t from;
        std::size_t to;
        std::string instead;
    };
    struct Part {
        std::size_t from;
        std::size_t to;
        bool cut;
    };

    [[nodiscard]] std::size_t place(RawJson piece) const noexcept {
        return static_cast<std::size_t>(piece.data() - text_.data());
    }
    std::size_t cut(const std::vector<Part>& parts);

    const std::string_view text_;
    std::vector<Edit> edits_;
};

}  // namespace tagout::gateway
