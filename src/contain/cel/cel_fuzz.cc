// Any bytes are a condition or a mistake with a place and a remedy; a condition gives a value, within
// its budget, whatever the arguments hold.

#include "contain/cel/program.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace cel = tagout::contain::cel;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    cel::Environment environment;
    environment.variables = {
        {"tool", {cel::Kind::String, {}}},
        {"args", {cel::Kind::Map, {{cel::Kind::String, {}}, {}}}},
        {"now", {cel::Kind::Timestamp, {}}}};
    environment.checked = size % 2 == 0;
    const auto program = cel::Program::compile(text, environment);
    if (!program) {
        if (program.error().says.empty() || program.error().remedy.empty() ||
            program.error().at > size) {
            std::abort();
        }
        return 0;
    }
    const cel::Value args[] = {
        cel::value_of("amount"), cel::value_of(std::int64_t{5}), cel::value_of("text"),
        cel::value_of(text)};
    const cel::Value variables[] = {
        cel::value_of(text), cel::container_of(cel::Kind::Map, args, 2), cel::timestamp_of(0, 0)};
    const auto scratch = std::make_unique<cel::Scratch>();
    const cel::Value value = (*program)->evaluate(variables, *scratch);
    if (value.kind == cel::Kind::Dyn || (value.is_error() && value.fault == cel::Fault::None)) {
        std::abort();
    }
    (void)cel::parse_zone_file(text);
    return 0;
}
