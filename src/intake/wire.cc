#include "intake/wire.h"

namespace tagout::intake::wire {

const char* skip_group(
    const char* at, const char* end, std::uint32_t number, int depth, Fault& fault
) noexcept {
    const char* const start = at;
    if (depth >= group_depth_max) {
        return fail_at(start, "groups nested deeper than 64", fault);
    }
    while (at < end) {
        std::uint64_t end_tag = 0;
        const char* const behind = read_long_varint(at, 5, end_tag);
        if (behind != nullptr && (end_tag & 7) == GroupEnd) {
            if (behind > end || static_cast<std::uint32_t>(end_tag) >> 3 != number) {
                return fail_at(at, "the end of a group that is not open", fault);
            }
            return behind;
        }
        Field skipped;
        at = read_field(at, end, skipped, fault, depth + 1);
        if (at == nullptr) {
            return nullptr;
        }
    }
    return fail_at(start, "a group without an end", fault);
}

const char* read_rare_payload(
    const char* at, const char* end, Field& field, int depth, Fault& fault
) noexcept {
    switch (field.tag & 7) {
        case Fixed32:
            if (end - at < 4) {
                return fail_at(at, "a field that passes the end of its message", fault);
            }
            field.number = load<std::uint32_t>(at);
            return at + 4;
        case Group:
            return skip_group(at, end, field.tag >> 3, depth, fault);
        case GroupEnd:
            return fail_at(at, "the end of a group that is not open", fault);
        default:
            return fail_at(at, "a wire type that protobuf does not have", fault);
    }
}

}  // namespace tagout::intake::wire
