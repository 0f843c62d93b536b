// What one call costs whose arguments have a schema: six of them, as tools have them. Reading the
// JSON, judging what was read, both, compiling the schema, and putting a refusal into words.
#include "schema/check.h"
#include "schema/schema.h"

#include <benchmark/benchmark.h>

#include <string_view>

namespace tagout::schema {
namespace {

constexpr std::string_view schema_text = R"({"type":"object","properties":{
"user_id":{"type":"string","minLength":3,"maxLength":64},
"order_id":{"type":"string","pattern":"^#W\\d{7}$"},
"item_ids":{"type":"array","items":{"type":"string"},"minItems":1,"maxItems":20},
"amount":{"type":"number","minimum":0,"maximum":10000,"multipleOf":0.01},
"reason":{"enum":["damaged","wrong item","no longer needed"]},
"express":{"type":"boolean"}},
"required":["user_id","order_id","item_ids","amount"],"additionalProperties":false})";
constexpr std::string_view call = R"({"user_id":"yusuf_rossi_9620","order_id":"#W2378156",)"
                                  R"("item_ids":["1151293680","4983901480"],"amount":249.95,)"
                                  R"("reason":"damaged","express":false})";
constexpr std::string_view wrong_call = R"({"user_id":"yusuf_rossi_9620","order_id":"2378156",)"
                                        R"("item_ids":["1151293680","4983901480"],"amount":249.95,)"
                                        R"("reason":"damaged","express":false})";

void read_call(benchmark::State& state) {
    Instance instance;
    for (auto _ : state) {
        benchmark::DoNotOptimize(instance.read(call).has_value());
    }
}
BENCHMARK(read_call);

void judge_call(benchmark::State& state) {
    const auto schema = Schema::compile(schema_text);
    Instance instance;
    if (!schema || !instance.read(call) || !conforms(*schema, instance).value_or(false)) {
        return state.SkipWithError("the call does not fit its schema");
    }
    for (auto _ : state) {
        benchmark::DoNotOptimize(conforms(*schema, instance).value_or(false));
    }
}
BENCHMARK(judge_call);

void read_and_judge_call(benchmark::State& state) {
    const auto schema = Schema::compile(schema_text);
    Instance instance;
    for (auto _ : state) {
        if (!schema || !instance.read(call) || !conforms(*schema, instance).value_or(false)) {
            return state.SkipWithError("the call does not fit its schema");
        }
    }
}
BENCHMARK(read_and_judge_call);

void explain_wrong_call(benchmark::State& state) {
    const auto schema = Schema::compile(schema_text);
    Instance instance;
    if (!schema || !instance.read(wrong_call)) {
        return state.SkipWithError("the call cannot be read");
    }
    for (auto _ : state) {
        const auto found = violations(*schema, instance);
        if (!found || found->size() != 1) {
            return state.SkipWithError("one violation was expected");
        }
    }
}
BENCHMARK(explain_wrong_call);

void compile_schema(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(Schema::compile(schema_text).has_value());
    }
}
BENCHMARK(compile_schema);

}  // namespace
}  // namespace tagout::schema
