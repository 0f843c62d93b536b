// Library: the documents that one compilation reads, with every subschema's place and base URI, and
// what a reference in one of them means. Lives only while compiling; confined to that thread.
#pragma once

#include "schema/program.h"
#include "schema/schema.h"

#include <boost/json/value.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::schema {

using Json = boost::json::value;

/// What a `$schema` stands for.
struct Dialect {
    Draft draft = Draft::Draft2020;
    bool validation = true;  ///< Keywords such as type, required, minimum.
    bool unevaluated = true;
    bool formats = false;  ///< `format` is an assertion.
};

/// A document, or a part of one with an `$id` of its own.
struct Resource {
    std::string uri;
    Dialect dialect;
    const Json* root = nullptr;
    std::map<std::string, const Json*, std::less<>> anchors;
    std::map<std::string, const Json*, std::less<>> dynamic_anchors;
};

/// Where a subschema stands.
struct Standing {
    std::uint32_t resource = 0;
    std::uint32_t place = 0;
};

class Library {
public:
    Library(const CompileOptions& options, const Remotes& remotes)
        : options_(options), remotes_(remotes) {}

    /// Reads a document and files all that is in it.
    [[nodiscard]] Result<const Json*> add(std::string_view text, std::string_view uri, Draft draft);
    /// The subschema that `reference` names where `from` stands; reads handed-in documents as
    /// needed.
    [[nodiscard]] Result<const Json*> find(const Standing& from, std::string_view reference);
    /// Of a subschema that add() filed or find() returned.
    [[nodiscard]] const Standing& standing(const Json* schema) const {
        return standings_.at(schema);
    }
    [[nodiscard]] const Resource& resource(std::uint32_t id) const { return resources_[id]; }
    [[nodiscard]] std::size_t resource_count() const noexcept { return resources_.size(); }
    [[nodiscard]] std::size_t text_bytes() const noexcept { return text_bytes_; }
    /// "#/properties/a" of a place, with `keyword` appended where it is not empty.
    [[nodiscard]] std::string location(std::uint32_t place, std::string_view keyword = "") const;
    [[nodiscard]] std::vector<Place> take_places() && { return std::move(places_); }

private:
    [[nodiscard]] Result<Json> parse(std::string_view text, std::string_view uri) const;
    [[nodiscard]] Result<Dialect> dialect_of(std::string_view schema_uri, int hops);
    /// Files `schema` and all subschemas in it.
    [[nodiscard]] Result<void> file(
        const Json& schema, std::uint32_t resource, std::uint32_t parent, std::string_view token
    );
    [[nodiscard]] Result<void> file_children(const Json& schema, const Standing& at);
    [[nodiscard]] Result<void> note_identity(const Json& value, Standing& at, bool root);
    [[nodiscard]] Result<std::uint32_t> find_resource(const std::string& uri, Draft draft);
    [[nodiscard]] Result<const Json*> find_pointer(
        std::uint32_t resource, std::string_view pointer, std::string_view reference
    );
    std::uint32_t place(std::uint32_t parent, std::string_view token);

    const CompileOptions& options_;
    const Remotes& remotes_;
    std::deque<Json> documents_;
    std::vector<Resource> resources_;
    std::map<std::string, std::uint32_t, std::less<>> by_uri_;
    boost::unordered_flat_map<const Json*, Standing> standings_;
    std::vector<Place> places_;
    std::size_t text_bytes_ = 0;
};

/// The standard's own schemas of its two drafts, so that `$ref` to them needs nobody to hand them
/// in;
/// "" for any other URI.
[[nodiscard]] std::string_view standard_schema(std::string_view uri);

}  // namespace tagout::schema
