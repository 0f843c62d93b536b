#include "schema/library.h"

#include "schema/uri.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tagout::schema {

namespace json = boost::json;

namespace {

constexpr int dialect_hops_max = 4;  ///< Meta-schemas of meta-schemas.

/// How a keyword's value holds subschemas.
enum class Holds : std::uint8_t { One, Many, Named, OneOrMany };

struct Keyword {
    std::string_view name;
    Holds holds;
};
constexpr std::array<Keyword, 22> keywords{{
    {"properties", Holds::Named},
    {"items", Holds::OneOrMany},
    {"$defs", Holds::Named},
    {"definitions", Holds::Named},
    {"anyOf", Holds::Many},
    {"allOf", Holds::Many},
    {"oneOf", Holds::Many},
    {"additionalProperties", Holds::One},
    {"patternProperties", Holds::Named},
    {"propertyNames", Holds::One},
    {"prefixItems", Holds::Many},
    {"additionalItems", Holds::One},
    {"contains", Holds::One},
    {"not", Holds::One},
    {"if", Holds::One},
    {"then", Holds::One},
    {"else", Holds::One},
    {"dependentSchemas", Holds::Named},
    {"dependencies", Holds::Named},
    {"unevaluatedItems", Holds::One},
    {"unevaluatedProperties", Holds::One},
    {"contentSchema", Holds::One},
}};

bool is_schema(const Json& value) {
    return value.is_object() || value.is_bool();
}

const json::string* text_of(const json::object& object, std::string_view key) {
    const Json* value = object.if_contains(json::string_view(key.data(), key.size()));
    return value == nullptr ? nullptr : value->if_string();
}

std::string_view view(const json::string& text) {
    return {text.data(), text.size()};
}

std::string without_empty_fragment(std::string_view uri) {
    return std::string(uri.ends_with('#') ? uri.substr(0, uri.size() - 1) : uri);
}

}  // namespace

Result<Json> Library::parse(std::string_view text, std::string_view uri) const {
    const std::string name = uri.empty() ? "the schema" : "the schema " + std::string(uri);
    if (text.size() > options_.bytes_max) {
        return fail(
            ErrorCode::LimitExceeded,
            name + " has " + std::to_string(text.size()) + " bytes, at most " +
                std::to_string(options_.bytes_max) + " are read: split it or raise the limit"
        );
    }
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (parser.allocate(std::max<std::size_t>(text.size(), 64), options_.depth_max) !=
        simdjson::SUCCESS) {
        return fail(ErrorCode::LimitExceeded, name + ": no memory to read it");
    }
    const auto error = parser.parse(text.data(), text.size()).get(root);
    if (error == simdjson::DEPTH_ERROR) {
        return fail(
            ErrorCode::LimitExceeded,
            name + " nests deeper than " + std::to_string(options_.depth_max) + " levels"
        );
    }
    if (error != simdjson::SUCCESS) {
        return fail(
            ErrorCode::InvalidArgument, name + " is no JSON: " + simdjson::error_message(error)
        );
    }
    return tree_of(root);
}

std::uint32_t Library::place(std::uint32_t parent, std::string_view token) {
    places_.push_back({parent, std::string(token.substr(0, token_bytes_max))});
    return static_cast<std::uint32_t>(places_.size() - 1);
}

std::string Library::location(std::uint32_t place, std::string_view keyword) const {
    return location_of(places_, place, keyword);
}

Result<Dialect> Library::dialect_of(std::string_view schema_uri, int hops) {
    const std::string uri = without_empty_fragment(schema_uri);
    if (uri == "https://json-schema.org/draft/2020-12/schema") {
        return Dialect{.formats = options_.assert_formats};
    }
    for (const std::string_view seven : {"draft-07", "draft-06"}) {
        for (const std::string_view scheme : {"http", "https"}) {
            if (uri ==
                std::string(scheme) + "://json-schema.org/" + std::string(seven) + "/schema") {
                return Dialect{
                    .draft = Draft::Draft7,
                    .unevaluated = false,
                    .formats = options_.assert_formats};
            }
        }
    }
    const auto remote = remotes_.find(uri);
    if (remote == remotes_.end() || hops >= dialect_hops_max) {
        return fail(
            ErrorCode::InvalidArgument,
            "$schema names " + uri +
                ", which is neither draft 2020-12 nor draft-07 and was not handed in: name one of "
                "them"
        );
    }
    const Json meta = TAGOUT_TRY(parse(remote->second, uri));
    const json::object* object = meta.if_object();
    const json::string* parent = object == nullptr ? nullptr : text_of(*object, "$schema");
    if (parent == nullptr) {
        return fail(
            ErrorCode::InvalidArgument, "$schema names " + uri + ", which names no $schema"
        );
    }
    Dialect dialect = TAGOUT_TRY(dialect_of(view(*parent), hops + 1));
    const Json* vocabulary = object->if_contains("$vocabulary");
    if (vocabulary != nullptr && vocabulary->is_object()) {
        const json::object& listed = vocabulary->get_object();
        const std::string_view base = "https://json-schema.org/draft/2020-12/vocab/";
        const auto has = [&](std::string_view name) {
            const std::string key = std::string(base) + std::string(name);
            return listed.contains(json::string_view(key.data(), key.size()));
        };
        dialect.validation = has("validation");
        dialect.unevaluated = has("unevaluated");
        dialect.formats = dialect.formats || has("format-assertion");
    }
    return dialect;
}

Result<const Json*> Library::add(std::string_view text, std::string_view uri, Draft draft) {
    if (documents_.size() >= options_.documents_max) {
        return fail(
            ErrorCode::LimitExceeded,
            "the schema refers to more than " + std::to_string(options_.documents_max) +
                " documents: join them with $defs"
        );
    }
    documents_.push_back(TAGOUT_TRY(parse(text, uri)));
    text_bytes_ += text.size();
    const Json& root = documents_.back();
    if (!is_schema(root)) {
        return fail(
            ErrorCode::InvalidArgument,
            (uri.empty() ? std::string("the schema") : std::string(uri)) +
                " is neither an object nor a boolean, so it is no schema"
        );
    }
    Resource resource;
    resource.uri = split_fragment(uri).first;
    resource.dialect.draft = draft;
    resource.dialect.unevaluated = draft == Draft::Draft2020;
    resource.dialect.formats = options_.assert_formats;
    resource.root = &root;
    const auto id = static_cast<std::uint32_t>(resources_.size());
    by_uri_.emplace(resource.uri, id);
    const std::string name = resource.uri;
    resources_.push_back(std::move(resource));
    TAGOUT_TRY(file(root, id, none, name));
    return &root;
}

Result<void> Library::note_identity(const Json& value, Standing& at, bool root) {
    const json::object& schema = value.get_object();
    if (root) {
        if (const json::string* dialect = text_of(schema, "$schema")) {
            auto known = dialect_of(view(*dialect), 0);
            if (!known) {
                return fail(known.error().code, location(at.place) + ": " + known.error().message);
            }
            resources_[at.resource].dialect = *known;
        }
    }
    if (resources_[at.resource].dialect.draft == Draft::Draft7 &&
        text_of(schema, "$ref") != nullptr) {
        return {};  // draft-07: nothing beside a $ref counts
    }
    if (const json::string* id = text_of(schema, "$id")) {
        const auto [absolute, fragment] =
            split_fragment(resolve_uri(resources_[at.resource].uri, view(*id)));
        const bool names_document = !view(*id).starts_with('#') && !id->empty();
        if (names_document && root) {
            resources_[at.resource].uri = absolute;
            by_uri_.emplace(absolute, at.resource);
        } else if (names_document) {
            Resource inner;
            inner.uri = absolute;
            inner.dialect = resources_[at.resource].dialect;
            at.resource = static_cast<std::uint32_t>(resources_.size());
            by_uri_.emplace(absolute, at.resource);
            resources_.push_back(std::move(inner));
            if (const json::string* dialect = text_of(schema, "$schema")) {
                if (auto known = dialect_of(view(*dialect), 0)) {
                    resources_[at.resource].dialect = *known;
                }
            }
        }
        if (!fragment.empty() && resources_[at.resource].dialect.draft == Draft::Draft7) {
            resources_[at.resource].anchors.emplace(fragment, &value);
        }
    }
    return {};
}

Result<void> Library::file(
    const Json& schema, std::uint32_t resource, std::uint32_t parent, std::string_view token
) {
    if (standings_.size() >= options_.subschemas_max) {
        return fail(
            ErrorCode::LimitExceeded,
            "more than " + std::to_string(options_.subschemas_max) +
                " subschemas: split the schema or raise the limit"
        );
    }
    Standing at{resource, place(parent, token)};
    const json::object* object = schema.if_object();
    if (object != nullptr) {
        const std::uint32_t outer = at.resource;
        const bool root = resources_[outer].root == &schema;
        TAGOUT_TRY(note_identity(schema, at, root));
        Resource& own = resources_[at.resource];
        if (at.resource != outer) {
            own.root = &schema;
        }
        if (own.dialect.draft == Draft::Draft2020) {
            if (const json::string* anchor = text_of(*object, "$anchor")) {
                own.anchors.emplace(view(*anchor), &schema);
            }
            if (const json::string* anchor = text_of(*object, "$dynamicAnchor")) {
                own.anchors.emplace(view(*anchor), &schema);
                own.dynamic_anchors.emplace(view(*anchor), &schema);
            }
        }
    }
    standings_.emplace(&schema, at);
    if (object != nullptr) {
        TAGOUT_TRY(file_children(schema, at));
    }
    return {};
}

Result<void> Library::file_children(const Json& schema, const Standing& at) {
    for (const Keyword& keyword : keywords) {
        const Json* held = schema.get_object().if_contains(
            json::string_view(keyword.name.data(), keyword.name.size())
        );
        if (held == nullptr) {
            continue;
        }
        const bool many = keyword.holds == Holds::Many || keyword.holds == Holds::OneOrMany;
        if (held->is_array() && many) {
            const std::uint32_t list = place(at.place, keyword.name);
            std::size_t index = 0;
            for (const Json& item : held->get_array()) {
                const std::string token = std::to_string(index++);
                if (is_schema(item) && !standings_.contains(&item)) {
                    TAGOUT_TRY(file(item, at.resource, list, token));
                }
            }
        } else if (held->is_object() && keyword.holds == Holds::Named) {
            const std::uint32_t list = place(at.place, keyword.name);
            for (const auto& [name, item] : held->get_object()) {
                if (is_schema(item) && !standings_.contains(&item)) {
                    TAGOUT_TRY(
                        file(item, at.resource, list, std::string_view(name.data(), name.size()))
                    );
                }
            }
        } else if (is_schema(*held) && keyword.holds != Holds::Named && !standings_.contains(held)) {
            TAGOUT_TRY(file(*held, at.resource, at.place, keyword.name));
        }
    }
    return {};
}

Result<std::uint32_t> Library::find_resource(const std::string& uri, Draft draft) {
    if (const auto found = by_uri_.find(uri); found != by_uri_.end()) {
        return found->second;
    }
    const auto remote = remotes_.find(uri);
    const std::string_view text =
        remote != remotes_.end() ? std::string_view(remote->second) : standard_schema(uri);
    if (text.empty()) {
        return fail(
            ErrorCode::InvalidArgument,
            "nobody handed in " + uri + ", and nothing is fetched: put it under $defs"
        );
    }
    const Json* root = TAGOUT_TRY(add(text, uri, draft));
    return standings_.at(root).resource;
}

Result<const Json*> Library::find_pointer(
    std::uint32_t resource, std::string_view pointer, std::string_view reference
) {
    const Json* at = resources_[resource].root;
    Standing known = standings_.at(at);
    for (const std::string& token : pointer_tokens(pointer)) {
        const Json* next = nullptr;
        if (const json::object* object = at->if_object()) {
            next = object->if_contains(json::string_view(token.data(), token.size()));
        } else if (const json::array* array = at->if_array()) {
            std::size_t index = 0;
            const bool number = !token.empty() && token.size() < 8 &&
                                token.find_first_not_of("0123456789") == std::string::npos;
            index = number ? static_cast<std::size_t>(std::stoul(token)) : array->size();
            next = index < array->size() ? &(*array)[index] : nullptr;
        }
        if (next == nullptr) {
            return fail(
                ErrorCode::InvalidArgument,
                "$ref " + std::string(reference) + " leads nowhere: there is no \"" +
                    token.substr(0, token_bytes_max) + "\""
            );
        }
        at = next;
        if (const auto found = standings_.find(at); found != standings_.end()) {
            known = found->second;
        } else {
            known.place = place(known.place, token);
        }
    }
    if (!is_schema(*at)) {
        return fail(
            ErrorCode::InvalidArgument,
            "$ref " + std::string(reference) + " leads to something that is no schema"
        );
    }
    if (!standings_.contains(at)) {
        // A place that no keyword makes a schema becomes one by being referred to.
        const Place last = places_[known.place];
        TAGOUT_TRY(file(*at, known.resource, last.parent, last.token));
    }
    return at;
}

Result<const Json*> Library::find(const Standing& from, std::string_view reference) {
    const Resource& base = resources_[from.resource];
    const auto [uri, fragment] = split_fragment(resolve_uri(base.uri, reference));
    const Draft draft = base.dialect.draft;
    const std::uint32_t resource =
        uri == base.uri ? from.resource : TAGOUT_TRY(find_resource(uri, draft));
    if (fragment.empty()) {
        return resources_[resource].root;
    }
    if (fragment.front() == '/') {
        return find_pointer(resource, fragment, reference);
    }
    const auto& anchors = resources_[resource].anchors;
    const auto found = anchors.find(fragment);
    if (found == anchors.end()) {
        return fail(
            ErrorCode::InvalidArgument,
            "$ref " + std::string(reference) + " leads nowhere: there is no anchor of that name"
        );
    }
    return found->second;
}

}  // namespace tagout::schema
