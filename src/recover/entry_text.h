// Bodies of this room's journal entries: written by the desks, read by the folds.
#pragma once

#include "catalog/version.h"
#include "recover/bundle_book.h"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tagout::recover {

/// "" when it is absent or no text.
[[nodiscard]] std::string text_at(const boost::json::object& body, std::string_view name);
/// 0 when it is absent or no number from 0 on.
[[nodiscard]] std::uint64_t number_at(const boost::json::object& body, std::string_view name);
[[nodiscard]] std::optional<boost::json::object> object_of(std::string_view text);

void put_key(boost::json::object& body, const catalog::VersionKey& key);
[[nodiscard]] std::optional<catalog::VersionKey> key_at(const boost::json::object& body);
/// Puts `value` unless it is "".
void put_text(boost::json::object& body, std::string_view name, std::string_view value);

[[nodiscard]] boost::json::object tree_of(const catalog::VersionRef& version);
[[nodiscard]] boost::json::object tree_of(const catalog::Bundle& bundle);
[[nodiscard]] std::optional<catalog::Bundle> bundle_of(const boost::json::object& body);
[[nodiscard]] boost::json::object tree_of(const OutcomeTally& tally);
[[nodiscard]] OutcomeTally tally_of(const boost::json::object& body);

}  // namespace tagout::recover
