#include "schema/compiler.h"

#include "schema/uri.h"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace tagout::schema {

namespace json = boost::json;

namespace {

std::string_view view(const json::string& text) {
    return {text.data(), text.size()};
}

json::string_view key(std::string_view text) {
    return {text.data(), text.size()};
}

std::uint16_t type_bit(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, std::uint16_t>, 7> bits{{
        {"null", null_bit},
        {"boolean", boolean_bit},
        {"integer", integer_bit},
        {"number", number_bit},
        {"string", string_bit},
        {"array", array_bit},
        {"object", object_bit},
    }};
    const auto found =
        std::ranges::find(bits, name, &std::pair<std::string_view, std::uint16_t>::first);
    return found == bits.end() ? std::uint16_t{0} : found->second;
}

}  // namespace

Compiler::Keyword Compiler::keyword(const Object& schema, std::string_view name) const {
    return {schema.if_contains(key(name)), name};
}

Compiler::Keyword Compiler::validation(const Object& schema, std::string_view name) const {
    return dialect_->validation ? keyword(schema, name) : Keyword{nullptr, name};
}

std::unexpected<Error> Compiler::wrong(std::string_view name, std::string_view must) const {
    return fail(
        ErrorCode::InvalidArgument, library_.location(at_.place, name) + " " + std::string(must)
    );
}

Result<bool> Compiler::read_count(
    const Object& schema, std::string_view name, std::uint64_t& into
) {
    const Keyword found = validation(schema, name);
    if (!found) {
        return false;
    }
    const long double number = found.value->is_number() ? number_of(*found.value) : -1;
    if (number < 0 || !is_integral(number)) {
        return wrong(name, "must be a whole number, 0 or more");
    }
    into = number < 1e18L ? static_cast<std::uint64_t>(number) : no_bound - 1;
    return true;
}

Result<bool> Compiler::read_schema(const Object& schema, std::string_view name, NodeId& into) {
    const Keyword found = keyword(schema, name);
    if (!found) {
        return false;
    }
    if (!found.value->is_object() && !found.value->is_bool()) {
        return wrong(name, "must be a schema: an object, true or false");
    }
    into = node_of(found.value);
    return true;
}

Result<bool> Compiler::read_list(
    const Object& schema, std::string_view name, std::vector<NodeId>& into
) {
    const Keyword found = keyword(schema, name);
    if (!found) {
        return false;
    }
    const json::array* list = found.value->if_array();
    if (list == nullptr) {
        return wrong(name, "must be a list of schemas");
    }
    for (const Json& item : *list) {
        if (!item.is_object() && !item.is_bool()) {
            return wrong(name, "must hold schemas alone: objects, true or false");
        }
        into.push_back(node_of(&item));
    }
    return true;
}

Result<std::vector<std::string>> Compiler::read_names(const Json& value, std::string_view name) {
    std::vector<std::string> names;
    const json::array* list = value.if_array();
    if (list == nullptr) {
        return wrong(name, "must be a list of member names");
    }
    for (const Json& item : *list) {
        if (!item.is_string()) {
            return wrong(name, "must hold member names alone, which are strings");
        }
        names.emplace_back(view(item.get_string()));
    }
    return names;
}

Result<std::uint32_t> Compiler::pattern(std::string_view ecma, std::string_view name) {
    const auto known = patterns_.find(std::string(ecma));
    if (known != patterns_.end()) {
        return known->second;
    }
    auto compiled = Pattern::compile(ecma, options_.pattern_bytes_max);
    std::uint32_t id = none;
    if (compiled) {
        id = static_cast<std::uint32_t>(program_.patterns.size());
        program_.patterns.push_back(*std::move(compiled));
    } else if (options_.unsupported_patterns == UnsupportedPatterns::Refuse) {
        return wrong(
            name,
            "has the pattern \"" + std::string(ecma.substr(0, 100)) +
                "\", which cannot be run: " + compiled.error().message
        );
    } else {
        program_.skipped_patterns += 1;
    }
    patterns_.emplace(std::string(ecma), id);
    return id;
}

NodeId Compiler::node_of(const Json* schema) {
    const auto [found, fresh] = nodes_.emplace(schema, static_cast<NodeId>(program_.nodes.size()));
    if (fresh) {
        const Standing& at = library_.standing(schema);
        Node node;
        node.resource = at.resource;
        node.place = at.place;
        program_.nodes.push_back(node);
        work_.emplace_back(found->second, schema);
    }
    return found->second;
}

Result<void> Compiler::run(const Json* root) {
    program_.root = node_of(root);
    while (!work_.empty()) {
        while (!work_.empty()) {
            const auto [id, schema] = work_.back();
            work_.pop_back();
            TAGOUT_TRY(compile_node(id, schema));
        }
        TAGOUT_TRY(compile_dynamic_anchors());
    }
    return {};
}

Result<void> Compiler::compile_dynamic_anchors() {
    program_.dynamic_anchors.assign(library_.resource_count(), {});
    for (std::uint32_t id = 0; id < library_.resource_count(); ++id) {
        for (const auto& [name, schema] : library_.resource(id).dynamic_anchors) {
            if (const auto used = dynamic_names_.find(name); used != dynamic_names_.end()) {
                program_.dynamic_anchors[id].emplace_back(used->second, node_of(schema));
            }
        }
    }
    return {};
}

Result<void> Compiler::compile_node(NodeId id, const Json* schema) {
    at_ = library_.standing(schema);
    const Dialect dialect = library_.resource(at_.resource).dialect;
    dialect_ = &dialect;
    Node node = program_.nodes[id];
    node.first = static_cast<std::uint32_t>(program_.checks.size());
    if (schema->is_bool()) {
        node.never = !schema->get_bool();
    } else {
        const Object& object = schema->get_object();
        const bool only_reference = draft_7() && keyword(object, "$ref");
        if (!only_reference) {
            TAGOUT_TRY(types(object, node));
            TAGOUT_TRY(constants(object));
            TAGOUT_TRY(numbers(object));
            TAGOUT_TRY(strings(object));
            TAGOUT_TRY(arrays(object));
            TAGOUT_TRY(objects(object));
            TAGOUT_TRY(dependencies(object));
        }
        TAGOUT_TRY(references(object));
        if (!only_reference) {
            TAGOUT_TRY(applicators(object));
            TAGOUT_TRY(unevaluated(object, node));
        }
    }
    node.last = static_cast<std::uint32_t>(program_.checks.size());
    program_.nodes[id] = node;
    dialect_ = nullptr;
    return {};
}

Result<void> Compiler::types(const Object& schema, Node& node) {
    const Keyword found = validation(schema, "type");
    if (!found) {
        return {};
    }
    const auto add = [&](const Json& name) {
        const std::uint16_t bit =
            name.is_string() ? type_bit(view(name.get_string())) : std::uint16_t{0};
        node.types = static_cast<std::uint16_t>(node.types | bit);
        return bit != 0;
    };
    bool known = false;
    if (const json::array* list = found.value->if_array()) {
        known = !list->empty() && std::ranges::all_of(*list, add);
    } else {
        known = add(*found.value);
    }
    if (!known) {
        return wrong(
            "type",
            "must be one of null, boolean, integer, number, string, array, object, or a list of "
            "them"
        );
    }
    return {};
}

Result<void> Compiler::constants(const Object& schema) {
    if (const Keyword found = validation(schema, "const")) {
        check(Op::Constant, program_.constants.size());
        program_.constants.push_back(*found.value);
    }
    if (const Keyword found = validation(schema, "enum")) {
        const json::array* list = found.value->if_array();
        if (list == nullptr) {
            return wrong("enum", "must be a list of values");
        }
        check(Op::Enumeration, program_.enums.size());
        program_.enums.push_back({{list->begin(), list->end()}});
    }
    return {};
}

Result<void> Compiler::numbers(const Object& schema) {
    NumberRule rule;
    bool any = false;
    const std::array<std::pair<std::string_view, std::optional<long double>*>, 4> bounds{{
        {"minimum", &rule.minimum},
        {"maximum", &rule.maximum},
        {"exclusiveMinimum", &rule.above},
        {"exclusiveMaximum", &rule.below},
    }};
    for (const auto& [name, into] : bounds) {
        if (const Keyword found = validation(schema, name)) {
            if (!found.value->is_number()) {
                return wrong(name, "must be a number");
            }
            *into = number_of(*found.value);
            any = true;
        }
    }
    if (const Keyword found = validation(schema, "multipleOf")) {
        if (!found.value->is_number() || number_of(*found.value) <= 0) {
            return wrong("multipleOf", "must be a number above 0");
        }
        rule.multiple_of = decimal_of(*found.value);
        rule.multiple_text = json::serialize(*found.value);
        any = true;
    }
    if (any) {
        check(Op::Number, program_.numbers.size());
        program_.numbers.push_back(std::move(rule));
    }
    return {};
}

Result<void> Compiler::strings(const Object& schema) {
    StringRule rule;
    bool any = TAGOUT_TRY(read_count(schema, "minLength", rule.length_min));
    any = TAGOUT_TRY(read_count(schema, "maxLength", rule.length_max)) || any;
    if (const Keyword found = validation(schema, "pattern")) {
        if (!found.value->is_string()) {
            return wrong("pattern", "must be a string");
        }
        rule.pattern = TAGOUT_TRY(pattern(view(found.value->get_string()), "pattern"));
        any = any || rule.pattern != none;
    }
    if (const Keyword found = keyword(schema, "format"); found && dialect_->formats) {
        if (!found.value->is_string()) {
            return wrong("format", "must be a string");
        }
        rule.format = format_of(view(found.value->get_string()));
        any = any || rule.format != Format::None;
    }
    if (any) {
        check(Op::String, program_.strings.size());
        program_.strings.push_back(rule);
    }
    return {};
}

Result<void> Compiler::array_items(const Object& schema, ArrayRule& rule, bool& any) {
    const Keyword items = keyword(schema, "items");
    if (draft_7()) {
        rule.prefix_keyword = "items";
        if (items && items.value->is_array()) {
            any = TAGOUT_TRY(read_list(schema, "items", rule.prefix)) || any;
            rule.rest_keyword = "additionalItems";
            any = TAGOUT_TRY(read_schema(schema, "additionalItems", rule.rest)) || any;
        } else {
            any = TAGOUT_TRY(read_schema(schema, "items", rule.rest)) || any;
        }
    } else {
        if (items && items.value->is_array()) {
            return wrong(
                "items",
                "is a list, which draft 2020-12 calls prefixItems: name the draft in $schema"
            );
        }
        any = TAGOUT_TRY(read_list(schema, "prefixItems", rule.prefix)) || any;
        any = TAGOUT_TRY(read_schema(schema, "items", rule.rest)) || any;
    }
    return {};
}

Result<void> Compiler::arrays(const Object& schema) {
    ArrayRule rule;
    bool any = TAGOUT_TRY(read_count(schema, "minItems", rule.items_min));
    any = TAGOUT_TRY(read_count(schema, "maxItems", rule.items_max)) || any;
    if (const Keyword found = validation(schema, "uniqueItems")) {
        if (!found.value->is_bool()) {
            return wrong("uniqueItems", "must be true or false");
        }
        rule.unique = found.value->get_bool();
        any = any || rule.unique;
    }
    TAGOUT_TRY(array_items(schema, rule, any));
    const bool contains = TAGOUT_TRY(read_schema(schema, "contains", rule.contains));
    if (contains && !draft_7()) {
        rule.contains_counts = true;
        (void)TAGOUT_TRY(read_count(schema, "minContains", rule.contains_min));
        (void)TAGOUT_TRY(read_count(schema, "maxContains", rule.contains_max));
    }
    if (any || contains) {
        check(Op::Array, program_.arrays.size());
        program_.arrays.push_back(std::move(rule));
    }
    return {};
}

Result<void> Compiler::object_members(const Object& schema, ObjectRule& rule, bool& any) {
    if (const Keyword found = keyword(schema, "properties")) {
        if (!found.value->is_object()) {
            return wrong("properties", "must be an object of schemas");
        }
        for (const auto& [name, value] : found.value->get_object()) {
            if (!value.is_object() && !value.is_bool()) {
                return wrong(
                    "properties", "must hold schemas alone, \"" + std::string(name) + "\" is none"
                );
            }
            rule.properties.push_back({std::string(name), node_of(&value), none});
        }
        any = true;
    }
    if (const Keyword found = validation(schema, "required")) {
        for (const std::string& name : TAGOUT_TRY(read_names(*found.value, "required"))) {
            auto known = std::ranges::find(rule.properties, name, &Property::name);
            if (known == rule.properties.end()) {
                known = rule.properties.insert(known, Property{name, no_node, none});
            }
            if (known->required == none) {
                known->required = rule.required_count++;
            }
        }
        any = true;
    }
    if (const Keyword found = keyword(schema, "patternProperties")) {
        if (!found.value->is_object()) {
            return wrong("patternProperties", "must be an object of schemas");
        }
        for (const auto& [name, value] : found.value->get_object()) {
            if (!value.is_object() && !value.is_bool()) {
                return wrong("patternProperties", "must hold schemas alone");
            }
            const std::string_view ecma(name.data(), name.size());
            const std::uint32_t id = TAGOUT_TRY(pattern(ecma, "patternProperties"));
            if (id != none) {
                rule.patterns.emplace_back(id, node_of(&value));
            } else {
                rule.rest_unknown = true;
            }
        }
        any = true;
    }
    return {};
}

Result<void> Compiler::objects(const Object& schema) {
    ObjectRule rule;
    bool any = TAGOUT_TRY(read_count(schema, "minProperties", rule.members_min));
    any = TAGOUT_TRY(read_count(schema, "maxProperties", rule.members_max)) || any;
    TAGOUT_TRY(object_members(schema, rule, any));
    any = TAGOUT_TRY(read_schema(schema, "additionalProperties", rule.rest)) || any;
    rule.rest = rule.rest_unknown ? no_node : rule.rest;
    any = TAGOUT_TRY(read_schema(schema, "propertyNames", rule.names)) || any;
    if (!any) {
        return {};
    }
    check(Op::Object, program_.objects.size());
    program_.objects.push_back(std::move(rule));
    return {};
}

Result<void> Compiler::dependencies(const Object& schema) {
    std::vector<Dependency> rules;
    const auto read = [&](const char* name, bool names, bool schemas) -> Result<void> {
        const Keyword found = names && !schemas ? validation(schema, name) : keyword(schema, name);
        if (!found) {
            return {};
        }
        if (!found.value->is_object()) {
            return wrong(name, "must be an object");
        }
        for (const auto& [member, value] : found.value->get_object()) {
            Dependency rule{
                .name = std::string(member), .required = {}, .node = no_node, .keyword = name};
            if (names && value.is_array()) {
                rule.required = TAGOUT_TRY(read_names(value, name));
            } else if (schemas && (value.is_object() || value.is_bool())) {
                rule.node = node_of(&value);
            } else {
                return wrong(name, "must hold what its name says, \"" + rule.name + "\" does not");
            }
            rules.push_back(std::move(rule));
        }
        return {};
    };
    if (draft_7()) {
        TAGOUT_TRY(read("dependencies", true, true));
    } else {
        TAGOUT_TRY(read("dependentRequired", true, false));
        TAGOUT_TRY(read("dependentSchemas", false, true));
    }
    if (!rules.empty()) {
        check(Op::Dependencies, program_.dependencies.size());
        program_.dependencies.push_back(std::move(rules));
    }
    return {};
}

Result<NodeId> Compiler::refer(std::string_view reference, std::string_view name) {
    const Standing from = at_;
    auto found = library_.find(from, reference);
    if (!found) {
        return fail(
            found.error().code, library_.location(at_.place, name) + ": " + found.error().message
        );
    }
    return node_of(*found);
}

Result<void> Compiler::references(const Object& schema) {
    if (const Keyword found = keyword(schema, "$ref")) {
        if (!found.value->is_string()) {
            return wrong("$ref", "must be a string");
        }
        const NodeId target = TAGOUT_TRY(refer(view(found.value->get_string()), "$ref"));
        check(Op::Reference, program_.references.size());
        program_.references.push_back({target, none});
    }
    const Keyword found = keyword(schema, "$dynamicRef");
    if (!found || draft_7()) {
        return {};
    }
    if (!found.value->is_string()) {
        return wrong("$dynamicRef", "must be a string");
    }
    const std::string_view reference = view(found.value->get_string());
    const NodeId target = TAGOUT_TRY(refer(reference, "$dynamicRef"));
    // Dynamic only where the reference itself leads to a dynamic anchor of that name.
    const std::string fragment = split_fragment(reference).second;
    const Resource& resource = library_.resource(program_.nodes[target].resource);
    const auto anchor = resource.dynamic_anchors.find(fragment);
    const bool dynamic =
        anchor != resource.dynamic_anchors.end() && node_of(anchor->second) == target;
    std::uint32_t name = none;
    if (dynamic) {
        name = dynamic_names_.emplace(fragment, static_cast<std::uint32_t>(dynamic_names_.size()))
                   .first->second;
    }
    check(dynamic ? Op::DynamicReference : Op::Reference, program_.references.size());
    program_.references.push_back({target, name});
    return {};
}

Result<void> Compiler::applicators(const Object& schema) {
    constexpr std::array<std::pair<const char*, Op>, 3> lists{
        {{"allOf", Op::AllOf}, {"anyOf", Op::AnyOf}, {"oneOf", Op::OneOf}}};
    for (const auto& [name, op] : lists) {
        std::vector<NodeId> nodes;
        if (TAGOUT_TRY(read_list(schema, name, nodes))) {
            check(op, program_.lists.size());
            program_.lists.push_back(std::move(nodes));
        }
    }
    NodeId negated = no_node;
    if (TAGOUT_TRY(read_schema(schema, "not", negated))) {
        check(Op::Not, negated);
    }
    ConditionalRule rule;
    if (TAGOUT_TRY(read_schema(schema, "if", rule.when))) {
        (void)TAGOUT_TRY(read_schema(schema, "then", rule.then));
        (void)TAGOUT_TRY(read_schema(schema, "else", rule.otherwise));
        check(Op::Conditional, program_.conditionals.size());
        program_.conditionals.push_back(rule);
    }
    return {};
}

Result<void> Compiler::unevaluated(const Object& schema, Node& node) {
    if (!dialect_->unevaluated || draft_7()) {
        return {};
    }
    NodeId rest = no_node;
    if (TAGOUT_TRY(read_schema(schema, "unevaluatedItems", rest))) {
        check(Op::UnevaluatedItems, rest);
        node.unevaluated = true;
    }
    if (TAGOUT_TRY(read_schema(schema, "unevaluatedProperties", rest))) {
        check(Op::UnevaluatedMembers, rest);
        node.unevaluated = true;
    }
    return {};
}

}  // namespace tagout::schema
