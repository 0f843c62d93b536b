// libFuzzer: any bytes as an OTLP/protobuf request, read by us and by libprotobuf. The first byte
// says which signal. What one accepts the other must accept, with equal content (wire_oracle.h).

#include "base/assert.h"
#include "intake/wire_oracle.h"

namespace tagout {
namespace {

void try_bytes(std::string_view input) {
    const std::string_view bytes = input.substr(1);
    static constexpr Signal signals[] = {Signal::Traces, Signal::Logs, Signal::Metrics};
    const Signal signal = signals[static_cast<std::uint8_t>(input[0]) % 3];
    const std::string found = intake::oracle::disagreement(bytes, signal);
    TAGOUT_ASSERT(found.empty(), found.c_str());
    // With the limits of production nothing may crash either, and texts come out settled.
    const auto batch = intake::decode(
        PaddedBytes::copy_of(bytes), signal, intake::Encoding::Protobuf,
        {.attributes_max = 8, .value_bytes_max = 16, .depth_max = 3, .items_max = 4}
    );
    if (batch) {
        TAGOUT_ASSERT((*batch)->items.size() <= 4, "the limit of items holds");
        for (const AgentEvent& event : (*batch)->events) {
            TAGOUT_ASSERT(event.name.size() <= 16, "the limit of texts holds");
        }
        EventBatch again;
        for (const RawItem& item : (*batch)->items) {
            const auto read = intake::decode_item(item, intake::DecodeLimits{}, again);
            TAGOUT_ASSERT(read.has_value(), "what was accepted is read back");
        }
    }
}

}  // namespace
}  // namespace tagout

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 0) {
        tagout::try_bytes({reinterpret_cast<const char*>(data), size});
    }
    return 0;
}
