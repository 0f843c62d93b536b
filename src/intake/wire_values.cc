#include "intake/wire_values.h"

namespace tagout::intake {

namespace wire {

bool parse_any_value(
    std::string_view body, AnyValue& value, bool& twice, Fault& fault
) noexcept {
    Fields fields(body, fault);
    Field field;
    bool set = false;
    while (fields.next(field)) {
        switch (field.tag) {
            case tag(1, Length):
                value = AnyValue::text(field.bytes);
                break;
            case tag(2, Varint):
                value = AnyValue::boolean(field.number != 0);
                break;
            case tag(3, Varint):
                value = AnyValue::integer(static_cast<std::int64_t>(field.number));
                break;
            case tag(4, Fixed64): {
                double number = 0;
                std::memcpy(&number, &field.number, sizeof number);
                value = AnyValue::number(number);
                break;
            }
            case tag(5, Length):
                value = AnyValue::array(field.bytes);
                break;
            case tag(6, Length):
                value = AnyValue::kvlist(field.bytes);
                break;
            case tag(7, Length):
                value = AnyValue::bytes(field.bytes);
                break;
            default:
                continue;
        }
        twice |= set;
        set = true;
    }
    return fields.sound();
}

bool parse_key_value(
    std::string_view body, Attribute& entry, bool& twice, Fault& fault
) noexcept {
    entry = {};
    Fields fields(body, fault);
    Field field;
    bool set = false;
    while (fields.next(field)) {
        if (field.tag == tag(1, Length)) {
            entry.key = field.bytes;
        } else if (field.tag == tag(2, Length)) {
            twice |= set;
            set = true;
            if (!parse_any_value(field.bytes, entry.value, twice, fault)) {
                return false;
            }
        }
    }
    entry.key_id = key_id_of(entry.key);
    return fields.sound();
}

}  // namespace wire

namespace {

/// The next element, field 1 of a list's body. What the reader walked once cannot be faulty now.
bool next_element(std::string_view& rest, std::string_view& element) noexcept {
    const char* const end = rest.data() + rest.size();
    wire::Fault none;
    wire::Field field;
    while (!rest.empty()) {
        const char* const behind = wire::read_field(rest.data(), end, field, none);
        TAGOUT_ASSERT(behind != nullptr, "the reader walks every list before it hands it out");
        rest = {behind, static_cast<std::size_t>(end - behind)};
        if (field.tag == wire::tag(1, wire::Length)) {
            element = field.bytes;
            return true;
        }
    }
    return false;
}

}  // namespace

bool ArrayCursor::next(AnyValue& value) noexcept {
    std::string_view element;
    if (!next_element(rest_, element)) {
        return false;
    }
    wire::Fault none;
    bool twice = false;
    value = {};
    const bool sound = wire::parse_any_value(element, value, twice, none);
    TAGOUT_ASSERT(sound, "the reader walks every list before it hands it out");
    return true;
}

bool KvCursor::next(Attribute& entry) noexcept {
    std::string_view element;
    if (!next_element(rest_, element)) {
        return false;
    }
    wire::Fault none;
    bool twice = false;
    const bool sound = wire::parse_key_value(element, entry, twice, none);
    TAGOUT_ASSERT(sound, "the reader walks every list before it hands it out");
    return true;
}

}  // namespace tagout::intake
