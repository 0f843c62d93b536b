// Program: a compiled schema, a table of subschemas and the rules that they have. Made by
// compile.cc, run by check.cc, seen by nobody else. Indexes instead of pointers: schemas may refer
// to themselves.
#pragma once

#include "schema/format.h"
#include "schema/pattern.h"
#include "schema/value.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tagout::schema {

using NodeId = std::uint32_t;
inline constexpr NodeId no_node = 0xffffffff;
inline constexpr std::uint32_t none = 0xffffffff;

/// What a node asks, in the order in which it is asked; cheap questions first, and the unevaluated
/// ones last because they depend on the others.
enum class Op : std::uint8_t {
    Constant,
    Enumeration,
    Number,
    String,
    Array,
    Object,
    Dependencies,
    Reference,
    DynamicReference,
    AllOf,
    AnyOf,
    OneOf,
    Not,
    Conditional,
    UnevaluatedItems,
    UnevaluatedMembers,
};

struct Check {
    Op op = Op::Constant;
    std::uint32_t rule = 0;  ///< Index into the table of its kind, or a NodeId.
};

struct Node {
    std::uint16_t types = 0;   ///< Bits of type_bit(); 0 asks nothing.
    bool never = false;        ///< The schema `false`.
    bool unevaluated = false;  ///< Has to know what its other keywords looked at.
    std::uint32_t first = 0;   ///< Checks [first, last).
    std::uint32_t last = 0;
    std::uint32_t resource = 0;
    std::uint32_t place = 0;
};

/// Bits of Node::types in the order of `type`'s names.
inline constexpr std::uint16_t null_bit = 1;
inline constexpr std::uint16_t boolean_bit = 2;
inline constexpr std::uint16_t integer_bit = 4;
inline constexpr std::uint16_t number_bit = 8;
inline constexpr std::uint16_t string_bit = 16;
inline constexpr std::uint16_t array_bit = 32;
inline constexpr std::uint16_t object_bit = 64;

/// Where a subschema stands: a tree of pointer tokens, so that a million of them share their paths.
struct Place {
    std::uint32_t parent = none;
    std::string token;  ///< Of a document's root: its URI.
};

struct NumberRule {
    std::optional<long double> minimum;
    std::optional<long double> maximum;
    std::optional<long double> above;  ///< exclusiveMinimum
    std::optional<long double> below;  ///< exclusiveMaximum
    std::optional<Decimal> multiple_of;
    std::string multiple_text;
};

inline constexpr std::uint64_t no_bound = 0xffffffffffffffff;

struct StringRule {
    std::uint64_t length_min = 0;
    std::uint64_t length_max = no_bound;
    std::uint32_t pattern = none;
    Format format = Format::None;
};

struct ArrayRule {
    std::uint64_t items_min = 0;
    std::uint64_t items_max = no_bound;
    bool unique = false;
    std::vector<NodeId> prefix;
    NodeId rest = no_node;
    NodeId contains = no_node;
    std::uint64_t contains_min = 1;
    std::uint64_t contains_max = no_bound;
    bool contains_counts = false;  ///< As evaluated: 2020-12 only.
    const char* prefix_keyword = "prefixItems";
    const char* rest_keyword = "items";
};

struct Property {
    std::string name;
    NodeId node = no_node;          ///< no_node: only required.
    std::uint32_t required = none;  ///< Its number among the required ones.
};

struct ObjectRule {
    std::uint64_t members_min = 0;
    std::uint64_t members_max = no_bound;
    std::vector<Property> properties;
    /// Of names to places in `properties`, where they are many; views into their names.
    boost::unordered_flat_map<std::string_view, std::uint32_t> by_name;
    std::uint32_t required_count = 0;
    bool rest_unknown = false;  ///< A pattern was skipped: any member may be its.
    std::vector<std::pair<std::uint32_t, NodeId>> patterns;
    NodeId rest = no_node;
    NodeId names = no_node;
};

struct Dependency {
    std::string name;
    std::vector<std::string> required;
    NodeId node = no_node;
    const char* keyword = "dependentRequired";
};

struct EnumRule {
    std::vector<boost::json::value> values;
};

struct ConditionalRule {
    NodeId when = no_node;
    NodeId then = no_node;
    NodeId otherwise = no_node;
};

struct ReferenceRule {
    NodeId target = no_node;
    std::uint32_t name = none;  ///< Of the dynamic anchor to look for; none: stays at `target`.
};

struct Program {
    NodeId root = no_node;
    std::vector<Node> nodes;
    std::vector<Check> checks;
    std::vector<Place> places;
    std::vector<boost::json::value> constants;
    std::vector<EnumRule> enums;
    std::vector<NumberRule> numbers;
    std::vector<StringRule> strings;
    std::vector<ArrayRule> arrays;
    std::vector<ObjectRule> objects;
    std::vector<std::vector<Dependency>> dependencies;
    std::vector<ReferenceRule> references;
    std::vector<std::vector<NodeId>> lists;
    std::vector<ConditionalRule> conditionals;
    std::vector<Pattern> patterns;
    /// By resource: names of its dynamic anchors (numbers of ReferenceRule::name) and their nodes.
    std::vector<std::vector<std::pair<std::uint32_t, NodeId>>> dynamic_anchors;
    std::size_t skipped_patterns = 0;
    std::size_t bytes = 0;
};

/// "#/properties/a/minimum" of a place and a keyword, before it the document's URI where it has
/// one.
[[nodiscard]] std::string location_of(
    const std::vector<Place>& places, std::uint32_t place, std::string_view keyword
);

}  // namespace tagout::schema
