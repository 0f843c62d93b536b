// The two drafts described in themselves: what a schema has to look like. Our own wording of the
// standard's rules, in one document each.

#include "schema/library.h"

namespace tagout::schema {

namespace {

constexpr std::string_view draft_2020 = R"({
"$schema": "https://json-schema.org/draft/2020-12/schema",
"$id": "https://json-schema.org/draft/2020-12/schema",
"$dynamicAnchor": "meta",
"type": ["object", "boolean"],
"$defs": {
 "schemas": {"type": "array", "minItems": 1, "items": {"$dynamicRef": "#meta"}},
 "named": {"type": "object", "additionalProperties": {"$dynamicRef": "#meta"}},
 "count": {"type": "integer", "minimum": 0},
 "strings": {"type": "array", "items": {"type": "string"}, "uniqueItems": true},
 "anchor": {"type": "string", "pattern": "^[A-Za-z_][-A-Za-z0-9._]*$"},
 "types": {"enum": ["array", "boolean", "integer", "null", "number", "object", "string"]}},
"properties": {
 "$id": {"type": "string", "pattern": "^[^#]*#?$"}, "$schema": {"type": "string"},
 "$ref": {"type": "string"}, "$dynamicRef": {"type": "string"},
 "$anchor": {"$ref": "#/$defs/anchor"}, "$dynamicAnchor": {"$ref": "#/$defs/anchor"},
 "$comment": {"type": "string"}, "$defs": {"$ref": "#/$defs/named"},
 "$vocabulary": {"type": "object", "additionalProperties": {"type": "boolean"}},
 "prefixItems": {"$ref": "#/$defs/schemas"}, "items": {"$dynamicRef": "#meta"},
 "contains": {"$dynamicRef": "#meta"}, "additionalProperties": {"$dynamicRef": "#meta"},
 "properties": {"$ref": "#/$defs/named"}, "patternProperties": {"$ref": "#/$defs/named"},
 "dependentSchemas": {"$ref": "#/$defs/named"}, "propertyNames": {"$dynamicRef": "#meta"},
 "if": {"$dynamicRef": "#meta"}, "then": {"$dynamicRef": "#meta"}, "else": {"$dynamicRef": "#meta"},
 "allOf": {"$ref": "#/$defs/schemas"}, "anyOf": {"$ref": "#/$defs/schemas"},
 "oneOf": {"$ref": "#/$defs/schemas"}, "not": {"$dynamicRef": "#meta"},
 "unevaluatedItems": {"$dynamicRef": "#meta"}, "unevaluatedProperties": {"$dynamicRef": "#meta"},
 "type": {"anyOf": [{"$ref": "#/$defs/types"},
  {"type": "array", "items": {"$ref": "#/$defs/types"}, "minItems": 1, "uniqueItems": true}]},
 "enum": {"type": "array"}, "multipleOf": {"type": "number", "exclusiveMinimum": 0},
 "maximum": {"type": "number"}, "exclusiveMaximum": {"type": "number"},
 "minimum": {"type": "number"}, "exclusiveMinimum": {"type": "number"},
 "maxLength": {"$ref": "#/$defs/count"}, "minLength": {"$ref": "#/$defs/count"},
 "pattern": {"type": "string"}, "format": {"type": "string"},
 "maxItems": {"$ref": "#/$defs/count"}, "minItems": {"$ref": "#/$defs/count"},
 "uniqueItems": {"type": "boolean"},
 "maxContains": {"$ref": "#/$defs/count"}, "minContains": {"$ref": "#/$defs/count"},
 "maxProperties": {"$ref": "#/$defs/count"}, "minProperties": {"$ref": "#/$defs/count"},
 "required": {"$ref": "#/$defs/strings"},
 "dependentRequired": {"type": "object", "additionalProperties": {"$ref": "#/$defs/strings"}},
 "contentEncoding": {"type": "string"}, "contentMediaType": {"type": "string"},
 "contentSchema": {"$dynamicRef": "#meta"},
 "title": {"type": "string"}, "description": {"type": "string"}, "examples": {"type": "array"},
 "deprecated": {"type": "boolean"}, "readOnly": {"type": "boolean"}, "writeOnly": {"type": "boolean"},
 "definitions": {"$ref": "#/$defs/named"},
 "dependencies": {"type": "object", "additionalProperties":
  {"anyOf": [{"$dynamicRef": "#meta"}, {"$ref": "#/$defs/strings"}]}}}
})";

constexpr std::string_view draft_7 = R"({
"$schema": "http://json-schema.org/draft-07/schema#",
"$id": "http://json-schema.org/draft-07/schema#",
"type": ["object", "boolean"],
"definitions": {
 "schemas": {"type": "array", "minItems": 1, "items": {"$ref": "#"}},
 "named": {"type": "object", "additionalProperties": {"$ref": "#"}},
 "count": {"type": "integer", "minimum": 0},
 "strings": {"type": "array", "items": {"type": "string"}, "uniqueItems": true},
 "types": {"enum": ["array", "boolean", "integer", "null", "number", "object", "string"]}},
"properties": {
 "$id": {"type": "string"}, "$schema": {"type": "string"}, "$ref": {"type": "string"},
 "$comment": {"type": "string"}, "title": {"type": "string"}, "description": {"type": "string"},
 "readOnly": {"type": "boolean"}, "writeOnly": {"type": "boolean"}, "examples": {"type": "array"},
 "multipleOf": {"type": "number", "exclusiveMinimum": 0},
 "maximum": {"type": "number"}, "exclusiveMaximum": {"type": "number"},
 "minimum": {"type": "number"}, "exclusiveMinimum": {"type": "number"},
 "maxLength": {"$ref": "#/definitions/count"}, "minLength": {"$ref": "#/definitions/count"},
 "pattern": {"type": "string"}, "format": {"type": "string"},
 "additionalItems": {"$ref": "#"},
 "items": {"anyOf": [{"$ref": "#"}, {"$ref": "#/definitions/schemas"}]},
 "maxItems": {"$ref": "#/definitions/count"}, "minItems": {"$ref": "#/definitions/count"},
 "uniqueItems": {"type": "boolean"}, "contains": {"$ref": "#"},
 "maxProperties": {"$ref": "#/definitions/count"}, "minProperties": {"$ref": "#/definitions/count"},
 "required": {"$ref": "#/definitions/strings"}, "additionalProperties": {"$ref": "#"},
 "definitions": {"$ref": "#/definitions/named"}, "properties": {"$ref": "#/definitions/named"},
 "patternProperties": {"$ref": "#/definitions/named"},
 "dependencies": {"type": "object", "additionalProperties":
  {"anyOf": [{"$ref": "#"}, {"$ref": "#/definitions/strings"}]}},
 "propertyNames": {"$ref": "#"}, "enum": {"type": "array"},
 "type": {"anyOf": [{"$ref": "#/definitions/types"},
  {"type": "array", "items": {"$ref": "#/definitions/types"}, "minItems": 1, "uniqueItems": true}]},
 "contentMediaType": {"type": "string"}, "contentEncoding": {"type": "string"},
 "if": {"$ref": "#"}, "then": {"$ref": "#"}, "else": {"$ref": "#"},
 "allOf": {"$ref": "#/definitions/schemas"}, "anyOf": {"$ref": "#/definitions/schemas"},
 "oneOf": {"$ref": "#/definitions/schemas"}, "not": {"$ref": "#"}}
})";

}  // namespace

std::string_view standard_schema(std::string_view uri) {
    if (uri == "https://json-schema.org/draft/2020-12/schema") {
        return draft_2020;
    }
    if (uri == "http://json-schema.org/draft-07/schema" ||
        uri == "https://json-schema.org/draft-07/schema") {
        return draft_7;
    }
    return {};
}

}  // namespace tagout::schema
