#include "schema/schema.h"

#include "schema/compiler.h"
#include "schema/uri.h"

#include <utility>

namespace tagout::schema {

namespace {

/// Tables by name pay off where comparing one name after the other does not.
constexpr std::size_t compare_names_max = 8;

/// Once the rules have their final place: the tables hold views into their names.
void index_names(Program& program) {
    for (ObjectRule& rule : program.objects) {
        if (rule.properties.size() <= compare_names_max) {
            continue;
        }
        for (std::uint32_t i = 0; i < rule.properties.size(); ++i) {
            rule.by_name.emplace(rule.properties[i].name, i);
        }
    }
}

}  // namespace

std::string location_of(
    const std::vector<Place>& places, std::uint32_t place, std::string_view keyword
) {
    std::vector<std::uint32_t> path;
    for (; place != none; place = places[place].parent) {
        path.push_back(place);
    }
    std::string out = path.empty() ? "#" : places[path.back()].token + "#";
    for (std::size_t i = path.size(); i > 1; --i) {
        append_token(out, places[path[i - 2]].token);
    }
    if (!keyword.empty()) {
        append_token(out, keyword);
    }
    return out;
}

Result<Schema> Schema::compile(
    std::string_view text, const CompileOptions& options, const Remotes& remotes,
    std::string_view uri
) {
    Library library(options, remotes);
    const Json* root = TAGOUT_TRY(library.add(text, uri, options.draft));
    Compiler compiler(options, library);
    TAGOUT_TRY(compiler.run(root));
    auto program = std::make_shared<Program>(std::move(compiler).take());
    program->places = std::move(library).take_places();
    index_names(*program);
    program->bytes = sizeof(Program) + program->nodes.size() * sizeof(Node) +
                     program->checks.size() * sizeof(Check) +
                     program->places.size() * sizeof(Place) + library.text_bytes() * 2 +
                     program->objects.size() * sizeof(ObjectRule) +
                     program->arrays.size() * sizeof(ArrayRule) +
                     program->patterns.size() * options.pattern_bytes_max / 4;
    return Schema(std::move(program));
}

std::size_t Schema::bytes() const noexcept {
    return program_->bytes;
}

std::size_t Schema::skipped_patterns() const noexcept {
    return program_->skipped_patterns;
}

}  // namespace tagout::schema
