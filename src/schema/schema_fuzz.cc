// Any two texts are a schema and an instance or errors in words; never a crash, never forever. The
// quick question and the one for reasons give the same answer. A NUL byte parts the two.

#include "schema/check.h"
#include "schema/schema.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace schema = tagout::schema;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::size_t end = input.find('\0');
    const std::string_view schema_text = input.substr(0, end);
    const std::string_view json =
        end == std::string_view::npos ? schema_text : input.substr(end + 1);
    schema::CompileOptions options;
    options.draft = size % 2 == 0 ? schema::Draft::Draft2020 : schema::Draft::Draft7;
    options.assert_formats = size % 3 == 0;
    options.unsupported_patterns =
        size % 5 == 0 ? schema::UnsupportedPatterns::Skip : schema::UnsupportedPatterns::Refuse;
    const schema::Remotes remotes{
        {"http://here/a", R"({"$anchor":"b","type":["object","array"]})"}};
    const auto compiled = schema::Schema::compile(schema_text, options, remotes);
    if (!compiled) {
        return compiled.error().message.empty() ? (std::abort(), 0) : 0;
    }
    schema::Instance instance;
    if (const auto read = instance.read(json); !read) {
        return read.error().message.empty() ? (std::abort(), 0) : 0;
    }
    const schema::CheckLimits limits{.steps_max = 100'000, .depth_max = 200, .violations_max = 4};
    const auto fits = schema::conforms(*compiled, instance, limits);
    const auto why = schema::violations(*compiled, instance, limits);
    // Telling why looks into alternatives again, so it alone may run out of steps.
    if (fits && why && *fits != why->empty()) {
        std::abort();
    }
    for (std::size_t i = 0; why && i < why->size(); ++i) {
        if ((*why)[i].words.empty() || (*why)[i].schema_path.find('#') == std::string::npos) {
            std::abort();
        }
    }
    return 0;
}
