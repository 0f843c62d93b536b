#include "intake/intake.h"
#include "intake/json_request.h"
#include "intake/wire_request.h"

#include <limits>

namespace tagout::intake {

namespace {

/// Lengths inside are 32-bit, as in libprotobuf.
constexpr std::size_t request_bytes_max = std::numeric_limits<std::int32_t>::max() - 64;

/// The scratch is worth keeping: a thread that decodes will decode again.
RequestReader& reader_of_this_thread() {
    thread_local RequestReader reader;
    return reader;
}

}  // namespace

Result<std::shared_ptr<EventBatch>> decode(
    PaddedBytes bytes, Signal signal, Encoding encoding, const DecodeLimits& limits
) {
    if (bytes.size() > request_bytes_max) {
        return fail(
            ErrorCode::LimitExceeded, "a request of " + std::to_string(bytes.size()) +
                                          " bytes, at most 2 GiB are read; send smaller batches"
        );
    }
    auto batch = std::make_shared<EventBatch>();
    if (encoding == Encoding::Json) {
        TranscodedRequest request = TAGOUT_TRY(transcode_json(bytes.view(), signal, limits));
        batch->bytes = std::move(request.bytes);
        batch->rejected = request.rejected;
        batch->rejected_reason = std::move(request.rejected_reason);
    } else {
        batch->bytes = std::move(bytes);
    }
    TAGOUT_TRY(reader_of_this_thread().read(signal, limits, *batch));
    return batch;
}

Result<void> decode_item(const RawItem& item, const DecodeLimits& limits, EventBatch& batch) {
    return reader_of_this_thread().read_item(item, limits, batch);
}

}  // namespace tagout::intake
