// Names as small numbers: agents, tools, workflows and models repeat in every event, so a session
// keeps four bytes for each.
//
// Confined to its shard's thread. Bound: names_max texts of at most 200 bytes (longer ones are
// clipped); past it a new name becomes 0, which reads as "", and is counted. Cost: a hash and a
// comparison a look-up, about 20 ns.
#pragma once

#include "detect/hash.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace tagout::detect {

using NameId = std::uint32_t;  ///< 0 is "".

class Names {
public:
    static constexpr std::size_t name_bytes_max = 200;

    explicit Names(std::size_t names_max) : names_max_(names_max) { texts_.emplace_back(); }

    [[nodiscard]] NameId of(std::string_view text) {
        if (text.empty()) {
            return 0;
        }
        text = text.substr(0, name_bytes_max);
        const auto found = ids_.find(text);
        if (found != ids_.end()) {
            return found->second;
        }
        if (texts_.size() > names_max_) {
            ++refused_;
            return 0;
        }
        const auto id = static_cast<NameId>(texts_.size());
        texts_.emplace_back(text);
        ids_.emplace(texts_.back(), id);
        return id;
    }
    /// The id of `text` if it is `guess`, without hashing; else looks it up. Nothing else changes.
    [[nodiscard]] NameId of(std::string_view text, NameId guess) {
        return guess != 0 && texts_[guess] == text ? guess : of(text);
    }
    [[nodiscard]] const std::string& text(NameId id) const noexcept { return texts_[id]; }
    [[nodiscard]] std::size_t size() const noexcept { return texts_.size(); }
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return texts_.size() * 96; }

private:
    std::size_t names_max_;
    std::deque<std::string> texts_;  ///< A deque keeps the addresses that ids_ views.
    boost::unordered_flat_map<std::string_view, NameId, TextHash> ids_;
    std::uint64_t refused_ = 0;
};

}  // namespace tagout::detect
