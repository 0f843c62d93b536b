// Checker: one walk of a schema over an instance. One use, on the stack of conforms() or
// violations(); confined to that thread.
//
// Every subschema applied, member visited and value compared takes a step; nesting is counted. What
// passes a limit stops the whole walk (failed()), however deep inside a `not` it happens.
#pragma once

#include "schema/check.h"
#include "schema/program.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::schema {

/// Which members and items of one object or array some subschema has looked at.
struct Evaluated {
    bool all_members = false;
    bool all_items = false;
    std::size_t items_before = 0;  ///< All items below this index.
    std::vector<bool> members;
    std::vector<bool> items;

    void add_member(std::size_t index);
    void add_item(std::size_t index);
    [[nodiscard]] bool has_member(std::size_t index) const;
    [[nodiscard]] bool has_item(std::size_t index) const;
    void merge(const Evaluated& other);
};

/// A step on the way into the instance; lives on the stack.
struct Step {
    const Step* outer = nullptr;
    std::string_view key;
    std::size_t index = 0;
    bool is_index = false;
};

class Checker {
public:
    Checker(const Program& program, const CheckLimits& limits, std::vector<Violation>* violations)
        : program_(program), limits_(limits), violations_(violations) {}

    [[nodiscard]] bool run(const Value& instance);
    [[nodiscard]] bool failed() const noexcept { return error_.has_value(); }
    [[nodiscard]] Error take_error() && { return *std::move(error_); }

private:
    /// A subschema being applied; the chain of them is the dynamic scope.
    struct Call {
        const Call* outer = nullptr;
        NodeId node = no_node;
        const Step* step = nullptr;
        std::uint32_t depth = 0;
    };
    /// What every rule needs: where it stands and what to fill in.
    struct At {
        const Value& value;
        const Call& call;
        Evaluated* evaluated;
    };

    [[nodiscard]] bool apply(
        NodeId id, const Value& value, const Step& step, const Call* outer, Evaluated* evaluated
    );
    [[nodiscard]] bool apply_rules(const Node& node, const At& at);
    [[nodiscard]] bool apply_one(Check check, const At& at);
    /// apply() to the same value, with what it looked at taken over if it conforms.
    [[nodiscard]] bool apply_here(NodeId id, const At& at);
    /// The same without noting violations: an alternative that may fail.
    [[nodiscard]] bool attempt(NodeId id, const At& at);

    [[nodiscard]] bool types(const Node& node, const At& at);
    [[nodiscard]] bool constant(std::uint32_t rule, const At& at);
    [[nodiscard]] bool enumeration(std::uint32_t rule, const At& at);
    [[nodiscard]] bool number(const NumberRule& rule, const At& at);
    [[nodiscard]] bool string(const StringRule& rule, const At& at);
    [[nodiscard]] bool array(const ArrayRule& rule, const At& at);
    [[nodiscard]] bool items(const ArrayRule& rule, const At& at, std::size_t& contained);
    [[nodiscard]] bool unique(const At& at);
    [[nodiscard]] bool object(const ObjectRule& rule, const At& at);
    [[nodiscard]] bool member(
        const ObjectRule& rule, const Property* known, std::string_view key, const Value& value,
        const At& at
    );
    [[nodiscard]] bool dependencies(const std::vector<Dependency>& rules, const At& at);
    [[nodiscard]] bool reference(const ReferenceRule& rule, const At& at, bool dynamic);
    [[nodiscard]] bool any_of(const std::vector<NodeId>& nodes, const At& at);
    [[nodiscard]] bool one_of(const std::vector<NodeId>& nodes, const At& at);
    [[nodiscard]] bool conditional(const ConditionalRule& rule, const At& at);
    [[nodiscard]] bool unevaluated_items(NodeId rest, const At& at);
    [[nodiscard]] bool unevaluated_members(NodeId rest, const At& at);

    /// Takes `steps`; false if there are none left, and then the walk is over.
    [[nodiscard]] bool spend(std::uint64_t steps, const Call& call);
    void stop(const Call& call, std::string why);
    [[nodiscard]] bool explains() const noexcept {
        return violations_ != nullptr && !quiet_ && violations_->size() < limits_.violations_max;
    }
    /// Notes a violation of `keyword` and says false. `clause` follows the name of the value.
    bool violate(const At& at, std::string_view keyword, std::string clause);
    /// The sentence about the nearest of several alternatives that all failed.
    [[nodiscard]] std::string nearest(const std::vector<NodeId>& nodes, const At& at);
    [[nodiscard]] static std::string path_of(const Step* step);
    [[nodiscard]] static std::string name_of(const Step* step);

    const Program& program_;
    const CheckLimits& limits_;
    std::vector<Violation>* violations_;
    bool quiet_ = false;
    bool comparing_ = false;  ///< Inside nearest().
    std::uint64_t steps_ = 0;
    std::optional<Error> error_;
};

/// A value as people read it: type and the beginning of its text.
[[nodiscard]] std::string words_for(const Value& value);

}  // namespace tagout::schema
