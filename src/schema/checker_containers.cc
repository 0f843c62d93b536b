// Rules on arrays and objects, and what was left unevaluated in them.

#include "schema/checker.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

namespace tagout::schema {

namespace {

/// Below this, comparing every pair is quicker than hashing.
constexpr std::size_t pairs_max = 12;

void set_bit(std::vector<bool>& bits, std::size_t index) {
    if (bits.size() <= index) {
        bits.resize(index + 1);
    }
    bits[index] = true;
}

void merge_bits(std::vector<bool>& into, const std::vector<bool>& from) {
    for (std::size_t i = 0; i < from.size(); ++i) {
        if (from[i]) {
            set_bit(into, i);
        }
    }
}

std::uint64_t mix(std::uint64_t hash) {
    hash ^= hash >> 32U;
    hash *= 0xd6e8feb86659fd93ULL;
    hash ^= hash >> 32U;
    return hash;
}

/// Equal values have equal hashes. Counts the nodes that it walked.
std::uint64_t hash_of(const Value& value, std::uint64_t& walked) {
    ++walked;
    switch (value.type) {
        case Type::Null:
            return 1;
        case Type::Bool:
            return value.boolean ? 2 : 3;
        case Type::Integer:
        case Type::Unsigned:
        case Type::Double:
            return mix(std::bit_cast<std::uint64_t>(static_cast<double>(value.number()) + 0.0));
        case Type::String:
            walked += value.text.size() / 64;
            return std::hash<std::string_view>{}(value.text);
        case Type::Array: {
            std::uint64_t hash = 5;
            const simdjson::dom::array array = value.items();
            for (const simdjson::dom::element item : array) {
                hash = mix(hash * 31 + hash_of(Value::of(item), walked));
            }
            return hash;
        }
        case Type::Object: {
            std::uint64_t hash = 7;
            const simdjson::dom::object object = value.members();
            for (const auto member : object) {
                hash +=
                    mix(std::hash<std::string_view>{}(member.key) * 3 +
                        hash_of(Value::of(member.value), walked));
            }
            return hash;
        }
    }
    return 0;
}

bool same(const Value& a, const Value& b, std::uint64_t& walked);

bool same_members(const Value& a, const Value& b, std::uint64_t& walked) {
    const simdjson::dom::object left = a.members();
    const simdjson::dom::object right = b.members();
    for (const auto member : left) {
        simdjson::dom::element other;
        walked += right.size();  // the look-up goes from one to the next
        if (right.at_key(member.key).get(other) != simdjson::SUCCESS ||
            !same(Value::of(member.value), Value::of(other), walked)) {
            return false;
        }
    }
    return true;
}

bool same(const Value& a, const Value& b, std::uint64_t& walked) {
    ++walked;
    if (a.is_number() || b.is_number()) {
        return a.is_number() && b.is_number() && a.number() == b.number();
    }
    if (a.type != b.type) {
        return false;
    }
    switch (a.type) {
        case Type::Bool:
            return a.boolean == b.boolean;
        case Type::String:
            return a.text == b.text;
        case Type::Array: {
            const simdjson::dom::array left = a.items();
            const simdjson::dom::array right = b.items();
            auto other = right.begin();
            for (const simdjson::dom::element item : left) {
                if (other == right.end() || !same(Value::of(item), Value::of(*other), walked)) {
                    return false;
                }
                ++other;
            }
            return !(other != right.end());
        }
        case Type::Object:
            return a.size() == b.size() && same_members(a, b, walked);
        default:
            return true;
    }
}

}  // namespace

void Evaluated::add_member(std::size_t index) {
    set_bit(members, index);
}

void Evaluated::add_item(std::size_t index) {
    set_bit(items, index);
}

bool Evaluated::has_member(std::size_t index) const {
    return all_members || (index < members.size() && members[index]);
}

bool Evaluated::has_item(std::size_t index) const {
    return all_items || index < items_before || (index < items.size() && items[index]);
}

void Evaluated::merge(const Evaluated& other) {
    all_members = all_members || other.all_members;
    all_items = all_items || other.all_items;
    items_before = std::max(items_before, other.items_before);
    merge_bits(members, other.members);
    merge_bits(items, other.items);
}

bool Checker::array(const ArrayRule& rule, const At& at) {
    std::size_t contained = 0;
    bool fits = items(rule, at, contained);
    if (!fits && !explains()) {
        return false;
    }
    const std::size_t size = at.value.size();
    const auto must =
        [](std::string_view has, std::size_t found, std::string_view bound, std::uint64_t limit) {
            return std::string(has) + " " + std::to_string(found) + " items, but must have at " +
                   std::string(bound) + " " + std::to_string(limit);
        };
    if (size < rule.items_min) {
        fits = violate(at, "minItems", must("has", size, "least", rule.items_min));
    }
    if (size > rule.items_max) {
        fits = violate(at, "maxItems", must("has", size, "most", rule.items_max));
    }
    if (rule.contains != no_node && contained < rule.contains_min) {
        fits = violate(
            at,
            rule.contains_min == 1 ? "contains" : "minContains",
            must("contains", contained, "least", rule.contains_min) + " that fit its contains"
        );
    }
    if (rule.contains != no_node && contained > rule.contains_max) {
        fits = violate(
            at,
            "maxContains",
            must("contains", contained, "most", rule.contains_max) + " that fit its contains"
        );
    }
    return (!rule.unique || unique(at)) && fits;
}

bool Checker::items(const ArrayRule& rule, const At& at, std::size_t& contained) {
    if (rule.prefix.empty() && rule.rest == no_node && rule.contains == no_node) {
        return true;
    }
    const simdjson::dom::array array = at.value.items();
    bool fits = true;
    std::size_t index = 0;
    for (const simdjson::dom::element element : array) {
        const NodeId node = index < rule.prefix.size() ? rule.prefix[index] : rule.rest;
        if (node == no_node && rule.contains == no_node) {
            break;
        }
        const Value item = Value::of(element);
        const Step step{at.call.step, {}, index, true};
        if (node != no_node) {
            fits = apply(node, item, step, &at.call, nullptr) && fits;
        }
        if (rule.contains != no_node) {
            const bool quiet = std::exchange(quiet_, true);
            if (apply(rule.contains, item, step, &at.call, nullptr)) {
                ++contained;
                if (at.evaluated != nullptr && rule.contains_counts) {
                    at.evaluated->add_item(index);
                }
            }
            quiet_ = quiet;
        }
        if (failed() || (!fits && !explains())) {
            return false;
        }
        ++index;
    }
    if (at.evaluated != nullptr) {
        at.evaluated->items_before = std::max(at.evaluated->items_before, rule.prefix.size());
        at.evaluated->all_items = at.evaluated->all_items || rule.rest != no_node;
    }
    return fits;
}

bool Checker::unique(const At& at) {
    const simdjson::dom::array array = at.value.items();
    struct Item {
        std::uint64_t hash;
        std::size_t index;
        Value value;
    };
    std::vector<Item> all;
    std::uint64_t walked = 0;
    for (const simdjson::dom::element element : array) {
        Item item{0, all.size(), Value::of(element)};
        if (array.size() > pairs_max) {
            item.hash = hash_of(item.value, walked);
        }
        all.push_back(item);
        if (!spend(1 + walked, at.call)) {
            return false;
        }
        walked = 0;
    }
    std::ranges::sort(all, {}, [](const Item& item) { return std::pair(item.hash, item.index); });
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t j = i + 1; j < all.size() && all[j].hash == all[i].hash; ++j) {
            if (same(all[i].value, all[j].value, walked)) {
                return violate(
                    at,
                    "uniqueItems",
                    "has " + words_for(all[i].value) + " twice, as item " +
                        std::to_string(all[i].index) + " and " + std::to_string(all[j].index) +
                        ", but its items must differ"
                );
            }
            if (!spend(1 + walked, at.call)) {
                return false;
            }
            walked = 0;
        }
    }
    return true;
}

bool Checker::member(
    const ObjectRule& rule, const Property* known, std::string_view key, const Value& value,
    const At& at
) {
    const Step step{at.call.step, key, 0, false};
    bool fits = true;
    bool looked_at = rule.rest_unknown;
    if (known != nullptr && known->node != no_node) {
        fits = apply(known->node, value, step, &at.call, nullptr);
        looked_at = true;
    }
    for (const auto& [pattern, node] : rule.patterns) {
        if (!spend(1 + key.size() / 64, at.call)) {
            return false;
        }
        if (program_.patterns[pattern].matches(key)) {
            fits = apply(node, value, step, &at.call, nullptr) && fits;
            looked_at = true;
        }
    }
    if (!looked_at && rule.rest != no_node) {
        if (program_.nodes[rule.rest].never) {
            return violate(
                at,
                "additionalProperties",
                "has the member \"" + std::string(key.substr(0, 80)) + "\", which is not foreseen"
            );
        }
        fits = apply(rule.rest, value, step, &at.call, nullptr) && fits;
    }
    if (rule.names != no_node) {
        fits = apply(rule.names, Value::of_key(key), step, &at.call, nullptr) && fits;
    }
    return fits;
}

bool Checker::object(const ObjectRule& rule, const At& at) {
    const simdjson::dom::object object = at.value.members();
    const bool walk = !rule.properties.empty() || !rule.patterns.empty() || rule.rest != no_node ||
                      rule.names != no_node || rule.rest_unknown;
    bool fits = true;
    std::size_t index = 0;
    std::uint64_t required_low = 0;  // the first 64 required ones, which is nearly always all
    std::vector<bool> required_rest;
    const auto find = [&rule](std::string_view key) -> const Property* {
        if (!rule.by_name.empty()) {
            const auto found = rule.by_name.find(key);
            return found == rule.by_name.end() ? nullptr : &rule.properties[found->second];
        }
        const auto found = std::ranges::find(rule.properties, key, &Property::name);
        return found == rule.properties.end() ? nullptr : &*found;
    };
    if (walk) {
        for (const auto entry : object) {
            const Property* known = find(entry.key);
            if (known != nullptr && known->required != none) {
                if (known->required < 64) {
                    required_low |= std::uint64_t{1} << known->required;
                } else {
                    set_bit(required_rest, known->required);
                }
            }
            fits = member(rule, known, entry.key, Value::of(entry.value), at) && fits;
            if (failed() || (!fits && !explains())) {
                return false;
            }
            if (at.evaluated != nullptr &&
                (rule.rest_unknown || (known != nullptr && known->node != no_node))) {
                at.evaluated->add_member(index);
            }
            for (const auto& [pattern, node] : rule.patterns) {
                if (at.evaluated != nullptr && program_.patterns[pattern].matches(entry.key)) {
                    at.evaluated->add_member(index);
                }
            }
            ++index;
        }
    }
    if (at.evaluated != nullptr && rule.rest != no_node) {
        at.evaluated->all_members = true;
    }
    for (const Property& property : rule.properties) {
        if (property.required == none) {
            continue;
        }
        const bool there = property.required < 64 ? ((required_low >> property.required) & 1U) != 0
                                                  : property.required < required_rest.size() &&
                                                        required_rest[property.required];
        if (!there) {
            fits = violate(at, "required", "lacks the member \"" + property.name + "\"");
            if (!explains()) {
                return false;
            }
        }
    }
    const std::size_t size =
        rule.members_min > 0 || rule.members_max != no_bound ? at.value.size() : 0;
    if (size < rule.members_min) {
        fits = violate(
            at,
            "minProperties",
            "has " + std::to_string(size) + " members, but must have at least " +
                std::to_string(rule.members_min)
        );
    }
    if (size > rule.members_max) {
        fits = violate(
            at,
            "maxProperties",
            "has " + std::to_string(size) + " members, but must have at most " +
                std::to_string(rule.members_max)
        );
    }
    return fits;
}

bool Checker::dependencies(const std::vector<Dependency>& rules, const At& at) {
    const simdjson::dom::object object = at.value.members();
    const auto has = [&object](std::string_view name) {
        return object.at_key(name).error() == simdjson::SUCCESS;
    };
    bool fits = true;
    for (const Dependency& rule : rules) {
        if (!spend(1 + object.size() / 8, at.call)) {
            return false;
        }
        if (!has(rule.name)) {
            continue;
        }
        for (const std::string& wanted : rule.required) {
            if (!spend(1 + object.size() / 8, at.call)) {
                return false;
            }
            if (!has(wanted)) {
                fits = violate(
                    at,
                    rule.keyword,
                    "has the member \"" + rule.name + "\" and so needs \"" + wanted + "\""
                );
            }
        }
        if (rule.node != no_node) {
            fits = apply_here(rule.node, at) && fits;
        }
        if (failed() || (!fits && !explains())) {
            return false;
        }
    }
    return fits;
}

bool Checker::unevaluated_items(NodeId rest, const At& at) {
    const simdjson::dom::array array = at.value.items();
    bool fits = true;
    std::size_t index = 0;
    for (const simdjson::dom::element element : array) {
        if (!spend(1, at.call)) {
            return false;
        }
        if (!at.evaluated->has_item(index)) {
            const Step step{at.call.step, {}, index, true};
            if (program_.nodes[rest].never) {
                fits = violate(
                    at,
                    "unevaluatedItems",
                    "has item " + std::to_string(index) + ", which is not foreseen"
                );
            } else {
                fits = apply(rest, Value::of(element), step, &at.call, nullptr) && fits;
            }
            if (failed() || (!fits && !explains())) {
                return false;
            }
        }
        ++index;
    }
    at.evaluated->all_items = true;
    return fits;
}

bool Checker::unevaluated_members(NodeId rest, const At& at) {
    const simdjson::dom::object object = at.value.members();
    bool fits = true;
    std::size_t index = 0;
    for (const auto entry : object) {
        if (!spend(1, at.call)) {
            return false;
        }
        if (!at.evaluated->has_member(index)) {
            const Step step{at.call.step, entry.key, 0, false};
            if (program_.nodes[rest].never) {
                fits = violate(
                    at,
                    "unevaluatedProperties",
                    "has the member \"" + std::string(entry.key.substr(0, 80)) +
                        "\", which is not foreseen"
                );
            } else {
                fits = apply(rest, Value::of(entry.value), step, &at.call, nullptr) && fits;
            }
            if (failed() || (!fits && !explains())) {
                return false;
            }
        }
        ++index;
    }
    at.evaluated->all_members = true;
    return fits;
}

}  // namespace tagout::schema
