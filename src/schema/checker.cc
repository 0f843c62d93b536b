#include "schema/checker.h"

#include "schema/uri.h"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>

namespace tagout::schema {

namespace {

constexpr std::size_t quote_bytes_max = 60;
constexpr std::size_t alternatives_told_max = 8;  ///< Values of an enum that an error lists.

std::string clipped(std::string text) {
    if (text.size() > quote_bytes_max) {
        std::size_t end = quote_bytes_max;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
            --end;
        }
        text.resize(end);
        text += "...";
    }
    return text;
}

std::string type_names(std::uint16_t types) {
    constexpr std::array<std::string_view, 7> names{
        "null", "a boolean", "a whole number", "a number", "a string", "an array", "an object"};
    std::string out;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if ((types & (1U << i)) != 0) {
            out.append(out.empty() ? "" : " or ").append(names[i]);
        }
    }
    return out;
}

std::uint16_t bits_of(const Value& value) {
    switch (value.type) {
        case Type::Null:
            return null_bit;
        case Type::Bool:
            return boolean_bit;
        case Type::Integer:
        case Type::Unsigned:
            return integer_bit | number_bit;
        case Type::Double:
            return is_integral(value.number()) ? integer_bit | number_bit : number_bit;
        case Type::String:
            return string_bit;
        case Type::Array:
            return array_bit;
        case Type::Object:
            return object_bit;
    }
    return 0;
}

std::string number_text(long double number) {
    if (is_integral(number) && number > -1e15L && number < 1e15L) {
        return std::to_string(static_cast<std::int64_t>(number));
    }
    std::array<char, 40> text{};
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), static_cast<double>(number));
    return {text.data(), end.ptr};
}

std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    out += text;
    out += '"';
    return out;
}

}  // namespace

std::string words_for(const Value& value) {
    switch (value.type) {
        case Type::Null:
            return "null";
        case Type::Bool:
            return value.boolean ? "true" : "false";
        case Type::Integer:
        case Type::Unsigned:
        case Type::Double:
            return number_text(value.number());
        case Type::String:
            return "the string " +
                   in_quotes(clipped(std::string(value.text.substr(0, quote_bytes_max + 4))));
        case Type::Array:
            return "an array of " + std::to_string(value.size());
        case Type::Object:
            return "an object of " + std::to_string(value.size());
    }
    return "";
}

bool Checker::run(const Value& instance) {
    const Step root;
    return apply(program_.root, instance, root, nullptr, nullptr) && !failed();
}

std::string Checker::path_of(const Step* step) {
    std::vector<const Step*> steps;
    for (; step != nullptr && step->outer != nullptr; step = step->outer) {
        steps.push_back(step);
    }
    std::string path;
    for (auto at = steps.rbegin(); at != steps.rend(); ++at) {
        append_token(
            path, (*at)->is_index ? std::to_string((*at)->index) : std::string((*at)->key)
        );
    }
    return path;
}

std::string Checker::name_of(const Step* step) {
    if (step == nullptr || step->outer == nullptr) {
        return "the whole value";
    }
    std::string path = path_of(step).substr(1);
    std::ranges::replace(path, '/', '.');
    return path;
}

void Checker::stop(const Call& call, std::string why) {
    if (!error_) {
        const std::string path = path_of(call.step);
        error_ = Error{
            ErrorCode::LimitExceeded,
            why + " at " + location_of(program_.places, program_.nodes[call.node].place, "") +
                " for " + (path.empty() ? "the whole instance" : path)};
    }
}

bool Checker::spend(std::uint64_t steps, const Call& call) {
    steps_ += steps;
    if (steps_ > limits_.steps_max || error_) [[unlikely]] {
        stop(
            call,
            "gave up after " + std::to_string(limits_.steps_max) +
                " steps: the instance is too large for its schema, or the schema multiplies its "
                "alternatives,"
        );
        return false;
    }
    return true;
}

bool Checker::violate(const At& at, std::string_view keyword, std::string clause) {
    if (explains()) {
        const Node& node = program_.nodes[at.call.node];
        violations_->push_back(
            {path_of(at.call.step),
             location_of(program_.places, node.place, keyword),
             std::string(keyword),
             name_of(at.call.step) + " " + std::move(clause)}
        );
    }
    return false;
}

bool Checker::apply(
    NodeId id, const Value& value, const Step& step, const Call* outer, Evaluated* evaluated
) {
    const Call call{outer, id, &step, outer == nullptr ? 1 : outer->depth + 1};
    if (call.depth > limits_.depth_max) [[unlikely]] {
        for (const Call* above = outer; above != nullptr && above->step == &step;
             above = above->outer) {
            if (above->node == id) {
                stop(call, "the schema refers to itself without going deeper into the instance");
                return false;
            }
        }
        stop(
            call, "more than " + std::to_string(limits_.depth_max) + " subschemas inside each other"
        );
        return false;
    }
    if (!spend(1, call)) {
        return false;
    }
    const Node& node = program_.nodes[id];
    if (!node.unevaluated) {
        return apply_rules(node, {value, call, evaluated});
    }
    Evaluated own;
    const bool fits = apply_rules(node, {value, call, &own});
    if (fits && evaluated != nullptr) {
        evaluated->merge(own);
    }
    return fits;
}

bool Checker::apply_rules(const Node& node, const At& at) {
    if (node.never) {
        return violate(at, "", "is not allowed here");
    }
    bool fits = node.types == 0 || types(node, at);
    for (std::uint32_t i = node.first; i < node.last; ++i) {
        if (!fits && (!explains() || failed())) {
            return false;
        }
        fits = apply_one(program_.checks[i], at) && fits;
    }
    return fits;
}

bool Checker::apply_one(Check check, const At& at) {
    switch (check.op) {
        case Op::Constant:
            return constant(check.rule, at);
        case Op::Enumeration:
            return enumeration(check.rule, at);
        case Op::Number:
            return !at.value.is_number() || number(program_.numbers[check.rule], at);
        case Op::String:
            return at.value.type != Type::String || string(program_.strings[check.rule], at);
        case Op::Array:
            return at.value.type != Type::Array || array(program_.arrays[check.rule], at);
        case Op::Object:
            return at.value.type != Type::Object || object(program_.objects[check.rule], at);
        case Op::Dependencies:
            return at.value.type != Type::Object ||
                   dependencies(program_.dependencies[check.rule], at);
        case Op::Reference:
            return reference(program_.references[check.rule], at, false);
        case Op::DynamicReference:
            return reference(program_.references[check.rule], at, true);
        case Op::AllOf: {
            bool fits = true;
            for (const NodeId id : program_.lists[check.rule]) {
                fits = apply_here(id, at) && fits;
                if (!fits && (!explains() || failed())) {
                    return false;
                }
            }
            return fits;
        }
        case Op::AnyOf:
            return any_of(program_.lists[check.rule], at);
        case Op::OneOf:
            return one_of(program_.lists[check.rule], at);
        case Op::Not: {
            const At blind{at.value, at.call, nullptr};
            return !attempt(check.rule, blind) ||
                   violate(at, "not", "is " + words_for(at.value) + ", which is ruled out");
        }
        case Op::Conditional:
            return conditional(program_.conditionals[check.rule], at);
        case Op::UnevaluatedItems:
            return at.value.type != Type::Array || unevaluated_items(check.rule, at);
        case Op::UnevaluatedMembers:
            return at.value.type != Type::Object || unevaluated_members(check.rule, at);
    }
    return true;
}

bool Checker::apply_here(NodeId id, const At& at) {
    if (at.evaluated == nullptr) {
        return apply(id, at.value, *at.call.step, &at.call, nullptr);
    }
    Evaluated inner;
    const bool fits = apply(id, at.value, *at.call.step, &at.call, &inner);
    if (fits) {
        at.evaluated->merge(inner);
    }
    return fits;
}

bool Checker::attempt(NodeId id, const At& at) {
    const bool quiet = std::exchange(quiet_, true);
    const bool fits = apply_here(id, at);
    quiet_ = quiet;
    return fits;
}

bool Checker::types(const Node& node, const At& at) {
    return (node.types & bits_of(at.value)) != 0 ||
           violate(
               at, "type", "is " + words_for(at.value) + ", but must be " + type_names(node.types)
           );
}

bool Checker::constant(std::uint32_t rule, const At& at) {
    const boost::json::value& wanted = program_.constants[rule];
    std::uint64_t walked = 0;
    const bool same = equal(wanted, at.value, walked);
    if (!spend(walked, at.call)) {
        return false;
    }
    return same || violate(
                       at,
                       "const",
                       "is " + words_for(at.value) + ", but must be " +
                           clipped(boost::json::serialize(wanted))
                   );
}

bool Checker::enumeration(std::uint32_t rule, const At& at) {
    const std::vector<boost::json::value>& values = program_.enums[rule].values;
    std::uint64_t walked = 0;
    for (const boost::json::value& wanted : values) {
        if (equal(wanted, at.value, walked)) {
            return spend(walked / 4, at.call);
        }
    }
    if (!spend(walked / 4, at.call) || !explains()) {
        return false;
    }
    std::string listed;
    for (const boost::json::value& wanted :
         std::span(values).first(std::min(values.size(), alternatives_told_max))) {
        listed.append(listed.empty() ? "" : ", ").append(clipped(boost::json::serialize(wanted)));
    }
    listed += values.size() > alternatives_told_max ? ", ..." : "";
    return violate(at, "enum", "is " + words_for(at.value) + ", but must be one of " + listed);
}

bool Checker::number(const NumberRule& rule, const At& at) {
    const long double number = at.value.number();
    const auto no = [&](std::string_view keyword, std::string_view must, long double bound) {
        return violate(
            at,
            keyword,
            "is " + number_text(number) + ", but must be " + std::string(must) + " " +
                number_text(bound)
        );
    };
    if (rule.minimum && number < *rule.minimum) {
        return no("minimum", "at least", *rule.minimum);
    }
    if (rule.maximum && number > *rule.maximum) {
        return no("maximum", "at most", *rule.maximum);
    }
    if (rule.above && number <= *rule.above) {
        return no("exclusiveMinimum", "more than", *rule.above);
    }
    if (rule.below && number >= *rule.below) {
        return no("exclusiveMaximum", "less than", *rule.below);
    }
    if (rule.multiple_of && !is_multiple(decimal_of(at.value), *rule.multiple_of)) {
        return violate(
            at,
            "multipleOf",
            "is " + number_text(number) + ", but must be a multiple of " + rule.multiple_text
        );
    }
    return true;
}

bool Checker::string(const StringRule& rule, const At& at) {
    const std::string_view text = at.value.text;
    if (!spend(text.size() / 64, at.call)) {
        return false;
    }
    if (rule.length_min > 0 || rule.length_max != no_bound) {
        const std::size_t length = length_of(text);
        if (length < rule.length_min || length > rule.length_max) {
            const bool shorter = length < rule.length_min;
            return violate(
                at,
                shorter ? "minLength" : "maxLength",
                "has " + std::to_string(length) + " characters, but must have at " +
                    (shorter ? "least " + std::to_string(rule.length_min)
                             : "most " + std::to_string(rule.length_max))
            );
        }
    }
    if (rule.pattern != none) {
        const Pattern& pattern = program_.patterns[rule.pattern];
        if (!pattern.matches(text)) {
            return violate(
                at,
                "pattern",
                "is " + words_for(at.value) + ", which the pattern " + clipped(pattern.source()) +
                    " does not match"
            );
        }
    }
    return has_format(rule.format, text) || violate(
                                                at,
                                                "format",
                                                "is " + words_for(at.value) + ", which is no " +
                                                    std::string(schema::name_of(rule.format))
                                            );
}

bool Checker::reference(const ReferenceRule& rule, const At& at, bool dynamic) {
    NodeId target = rule.target;
    if (dynamic) {
        // The outermost resource on the way here that has such an anchor decides.
        for (const Call* call = &at.call; call != nullptr; call = call->outer) {
            const std::uint32_t resource = program_.nodes[call->node].resource;
            if (!spend(1, at.call)) {
                return false;
            }
            for (const auto& [name, node] : program_.dynamic_anchors[resource]) {
                target = name == rule.name ? node : target;
            }
        }
    }
    return apply_here(target, at);
}

std::string Checker::nearest(const std::vector<NodeId>& nodes, const At& at) {
    // The alternative that fails deepest inside the instance is the one that was meant.
    std::vector<Violation> found;
    std::string best = "none of them can be told apart";
    if (std::exchange(comparing_, true)) {
        return "not looked into";  // alternatives inside alternatives would multiply
    }
    std::size_t depth = 0;
    for (const NodeId id : nodes) {
        std::vector<Violation>* const outer = std::exchange(violations_, &found);
        const bool quiet = std::exchange(quiet_, false);
        found.clear();
        (void)apply(id, at.value, *at.call.step, &at.call, nullptr);
        violations_ = outer;
        quiet_ = quiet;
        if (failed() || found.empty()) {
            continue;
        }
        const std::size_t steps =
            1 + static_cast<std::size_t>(std::ranges::count(found[0].instance_path, '/'));
        if (steps > depth) {
            depth = steps;
            best = found[0].words;
        }
    }
    comparing_ = false;
    return best;
}

bool Checker::any_of(const std::vector<NodeId>& nodes, const At& at) {
    bool fits = false;
    for (const NodeId id : nodes) {
        fits = attempt(id, at) || fits;
        if (failed() || (fits && at.evaluated == nullptr)) {
            break;
        }
    }
    if (fits || failed() || !explains()) {
        return fits;
    }
    return violate(
        at,
        "anyOf",
        "fits none of " + std::to_string(nodes.size()) +
            " alternatives; nearest: " + nearest(nodes, at)
    );
}

bool Checker::one_of(const std::vector<NodeId>& nodes, const At& at) {
    std::size_t fitting = 0;
    std::size_t first = 0;
    std::size_t second = 0;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (attempt(nodes[i], at)) {
            (fitting == 0 ? first : second) = i;
            ++fitting;
        }
        if (failed() || fitting > 1) {
            break;
        }
    }
    if (fitting == 1 || failed() || !explains()) {
        return fitting == 1;
    }
    if (fitting > 1) {
        return violate(
            at,
            "oneOf",
            "fits alternatives " + std::to_string(first) + " and " + std::to_string(second) +
                " of oneOf, but must fit one alone"
        );
    }
    return violate(
        at,
        "oneOf",
        "fits none of " + std::to_string(nodes.size()) +
            " alternatives; nearest: " + nearest(nodes, at)
    );
}

bool Checker::conditional(const ConditionalRule& rule, const At& at) {
    const bool holds = attempt(rule.when, at);
    if (failed()) {
        return false;
    }
    const NodeId next = holds ? rule.then : rule.otherwise;
    return next == no_node || apply_here(next, at);
}

}  // namespace tagout::schema
