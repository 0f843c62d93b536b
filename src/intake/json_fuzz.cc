// libFuzzer: any text as an OTLP/JSON request. The first byte says which signal.
//
// Nothing may crash; what comes out is protobuf that libprotobuf reads; whoever is refused is told
// something; and a text that simdjson takes is one in which our own scanner finds no fault.

#include "base/assert.h"
#include "intake/json_place.h"
#include "intake/json_request.h"
#include "intake/wire_oracle.h"

namespace tagout {
namespace {

void try_text(std::string_view input) {
    static constexpr Signal signals[] = {Signal::Traces, Signal::Logs, Signal::Metrics};
    const Signal signal = signals[static_cast<std::uint8_t>(input[0]) % 3];
    const PaddedBytes json = PaddedBytes::copy_of(input.substr(1));
    const intake::DecodeLimits limits{.depth_max = 8};
    const auto made = intake::transcode_json(json.view(), signal, limits);
    if (!made) {
        TAGOUT_ASSERT(made.error().code == ErrorCode::InvalidArgument, "the sender's fault");
        TAGOUT_ASSERT(!made.error().message.empty(), "a refusal says why");
        return;
    }
    TAGOUT_ASSERT(
        !intake::json::find_fault(json.view(), intake::json_depth_of(limits)),
        "what simdjson takes is JSON"
    );
    TAGOUT_ASSERT(made->bytes.size() <= 4 * json.size() + 16, "the bound of json_request.h");
    TAGOUT_ASSERT((made->rejected == 0) == made->rejected_reason.empty(), "a reason when refused");
    const std::string found = intake::oracle::disagreement(made->bytes.view(), signal);
    TAGOUT_ASSERT(found.empty(), found.c_str());
}

}  // namespace
}  // namespace tagout

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 0) {
        tagout::try_text({reinterpret_cast<const char*>(data), size});
    }
    return 0;
}
