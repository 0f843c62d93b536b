// Compiler: from the documents of a Library to a Program. One use, confined to the compiling
// thread.
//
// Subschemas are compiled when something leads to them, from a list of work and not by recursion,
// so neither depth nor circles of references matter here.
#pragma once

#include "schema/library.h"
#include "schema/program.h"

#include <boost/json/object.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::schema {

class Compiler {
public:
    Compiler(const CompileOptions& options, Library& library)
        : options_(options), library_(library) {}

    /// Compiles everything that `root` leads to.
    [[nodiscard]] Result<void> run(const Json* root);
    [[nodiscard]] Program take() && { return std::move(program_); }

private:
    using Object = boost::json::object;

    /// A keyword's value and how errors name it.
    struct Keyword {
        const Json* value = nullptr;
        std::string_view name;
        explicit operator bool() const noexcept { return value != nullptr; }
    };

    [[nodiscard]] NodeId node_of(const Json* schema);
    [[nodiscard]] Result<void> compile_node(NodeId id, const Json* schema);
    [[nodiscard]] Result<void> compile_dynamic_anchors();

    // --- each adds at most one check to the node being compiled
    [[nodiscard]] Result<void> types(const Object& schema, Node& node);
    [[nodiscard]] Result<void> constants(const Object& schema);
    [[nodiscard]] Result<void> numbers(const Object& schema);
    [[nodiscard]] Result<void> strings(const Object& schema);
    [[nodiscard]] Result<void> arrays(const Object& schema);
    [[nodiscard]] Result<void> array_items(const Object& schema, ArrayRule& rule, bool& any);
    [[nodiscard]] Result<void> objects(const Object& schema);
    [[nodiscard]] Result<void> object_members(const Object& schema, ObjectRule& rule, bool& any);
    [[nodiscard]] Result<void> dependencies(const Object& schema);
    [[nodiscard]] Result<void> references(const Object& schema);
    [[nodiscard]] Result<void> applicators(const Object& schema);
    [[nodiscard]] Result<void> unevaluated(const Object& schema, Node& node);

    // --- reading keywords; each is absent, or right, or an error that names its place
    [[nodiscard]] Keyword keyword(const Object& schema, std::string_view name) const;
    [[nodiscard]] Keyword validation(const Object& schema, std::string_view name) const;
    [[nodiscard]] std::unexpected<Error> wrong(std::string_view name, std::string_view must) const;
    [[nodiscard]] Result<bool> read_count(
        const Object& schema, std::string_view name, std::uint64_t& into
    );
    [[nodiscard]] Result<bool> read_schema(
        const Object& schema, std::string_view name, NodeId& into
    );
    [[nodiscard]] Result<bool> read_list(
        const Object& schema, std::string_view name, std::vector<NodeId>& into
    );
    [[nodiscard]] Result<std::vector<std::string>> read_names(
        const Json& value, std::string_view name
    );
    /// The pattern's number; none if it was skipped.
    [[nodiscard]] Result<std::uint32_t> pattern(std::string_view ecma, std::string_view name);
    [[nodiscard]] Result<NodeId> refer(std::string_view reference, std::string_view name);
    void check(Op op, std::size_t rule) {
        program_.checks.push_back({op, static_cast<std::uint32_t>(rule)});
    }
    [[nodiscard]] bool draft_7() const { return dialect_->draft == Draft::Draft7; }

    const CompileOptions& options_;
    Library& library_;
    Program program_;
    boost::unordered_flat_map<const Json*, NodeId> nodes_;
    std::vector<std::pair<NodeId, const Json*>> work_;
    std::map<std::string, std::uint32_t, std::less<>> dynamic_names_;
    boost::unordered_flat_map<std::string, std::uint32_t> patterns_;
    Standing at_;  ///< Of the node being compiled.
    const Dialect* dialect_ = nullptr;
};

}  // namespace tagout::schema
