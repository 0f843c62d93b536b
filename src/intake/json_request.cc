#include "intake/json_request.h"

#include "intake/json_fields.h"
#include "intake/json_place.h"
#include "intake/json_writer.h"

#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace tagout::intake {

namespace {

using json::FieldRule;
using json::Form;
using json::Message;
using simdjson::dom::element;
using simdjson::dom::element_type;

/// A parser that has seen a large request gives its memory back.
constexpr std::size_t parser_bytes_kept_max = 4 * 1024 * 1024;

std::string_view name_of(element_type type) {
    switch (type) {
        case element_type::ARRAY:
            return "an array";
        case element_type::OBJECT:
            return "an object";
        case element_type::STRING:
            return "a string";
        case element_type::BOOL:
            return "true or false";
        case element_type::NULL_VALUE:
            return "null";
        default:
            return "a number";
    }
}

std::string_view text_of(const element& value) {
    std::string_view text;
    return value.get_string().get(text) == simdjson::SUCCESS ? text : std::string_view{};
}

/// Whole text as a number.
template <class Number>
bool number_of_text(std::string_view text, Number& number) {
    const char* const end = text.data() + text.size();
    const auto [behind, error] = std::from_chars(text.data(), end, number);
    return error == std::errc{} && behind == end;
}

/// proto3 JSON takes 1, "1" and 1.0 for an integer.
template <class Integer>
bool integer_of(const element& value, Integer& integer) {
    std::int64_t small = 0;
    std::uint64_t large = 0;
    double number = 0;
    switch (value.type()) {
        case element_type::INT64:
            small = value.get_int64().value_unsafe();
            integer = static_cast<Integer>(small);
            return std::in_range<Integer>(small);
        case element_type::UINT64:
            large = value.get_uint64().value_unsafe();
            integer = static_cast<Integer>(large);
            return std::in_range<Integer>(large);
        case element_type::DOUBLE:
            number = value.get_double().value_unsafe();
            if (std::trunc(number) != number || std::abs(number) >= 9223372036854775808.0) {
                return false;
            }
            small = static_cast<std::int64_t>(number);
            integer = static_cast<Integer>(small);
            return std::in_range<Integer>(small);
        case element_type::STRING:
            return number_of_text(text_of(value), integer);
        default:
            return false;
    }
}

bool double_of(const element& value, double& number) {
    if (value.type() != element_type::STRING) {
        return value.get_double().get(number) == simdjson::SUCCESS;
    }
    const std::string_view text = text_of(value);
    if (text == "NaN") {
        number = std::numeric_limits<double>::quiet_NaN();
    } else if (text == "Infinity" || text == "-Infinity") {
        number = text.front() == '-' ? -std::numeric_limits<double>::infinity()
                                     : std::numeric_limits<double>::infinity();
    } else {
        return number_of_text(text, number);
    }
    return true;
}

bool enum_of(const element& value, const json::EnumNames& names, std::int32_t& number) {
    if (integer_of(value, number)) {
        return true;
    }
    std::string_view name = text_of(value);
    if (name.starts_with(names.prefix)) {
        name.remove_prefix(names.prefix.size());
    }
    for (std::size_t index = 0; index < names.names.size(); ++index) {
        if (names.names[index] == name) {
            number = static_cast<std::int32_t>(index);
            return true;
        }
    }
    return false;
}

/// Confined to one call of transcode_json.
class Transcoder {
public:
    explicit Transcoder(json::Writer& out) : out_(out) {}

    /// False if the request itself is wrong; reason() says where.
    [[nodiscard]] bool write_request(const element& root, const Message& message) {
        return write_object(root, message);
    }
    [[nodiscard]] const std::string& reason() const { return reason_; }
    [[nodiscard]] std::uint64_t rejected() const { return rejected_; }
    [[nodiscard]] const std::string& first_refusal() const { return refusal_; }

private:
    struct Step {
        std::string_view name;
        std::size_t index = no_index;
    };
    static constexpr std::size_t no_index = std::numeric_limits<std::size_t>::max();

    bool write_object(const element& value, const Message& message);
    bool write_field(const element& value, const FieldRule& field);
    bool write_messages(const element& value, const FieldRule& field);
    bool write_message(const element& value, const FieldRule& field);
    bool write_scalar(const element& value, const FieldRule& field);
    bool write_integer(const element& value, const FieldRule& field);
    bool write_bytes(const element& value, const FieldRule& field);
    bool write_list(const element& value, const FieldRule& field);
    template <class Write>
    bool write_packed(const element& value, const FieldRule& field, Write write);

    bool want(std::string_view wanted, const element& got);
    bool want(std::string_view wanted, std::string_view got);

    json::Writer& out_;
    std::vector<Step> path_;
    std::string reason_;   ///< What is wrong now.
    std::string refusal_;  ///< What was wrong in the first refused item.
    std::uint64_t rejected_ = 0;
};

bool Transcoder::write_object(const element& value, const Message& message) {
    simdjson::dom::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) {
        return want("an object", value);
    }
    for (const auto& [name, member] : object) {
        const FieldRule* const field = message.find(name);
        if (field == nullptr || member.is_null()) {
            continue;
        }
        path_.push_back({.name = field->name});
        if (!write_field(member, *field)) {
            return false;
        }
        path_.pop_back();
    }
    return true;
}

bool Transcoder::write_field(const element& value, const FieldRule& field) {
    switch (field.form) {
        case Form::Message:
            return write_message(value, field);
        case Form::Messages:
            return write_messages(value, field);
        case Form::Texts:
        case Form::PackedDoubles:
        case Form::PackedFixed64:
        case Form::PackedVarints:
            return write_list(value, field);
        default:
            return write_scalar(value, field);
    }
}

bool Transcoder::write_message(const element& value, const FieldRule& field) {
    const json::Writer::Open open = out_.begin(field.number, field.message->large);
    if (!write_object(value, *field.message)) {
        return false;
    }
    out_.end(open);
    return true;
}

/// An item that is wrong inside is taken out again; anything else wrong is the request's end.
bool Transcoder::write_messages(const element& value, const FieldRule& field) {
    simdjson::dom::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) {
        return want("an array", value);
    }
    const std::size_t depth = path_.size();
    path_.emplace_back();
    std::size_t index = 0;
    for (const element member : array) {
        path_.back() = {.name = {}, .index = index++};
        const std::size_t before = out_.size();
        if (write_message(member, field)) {
            continue;
        }
        if (!field.message->item) {
            return false;
        }
        out_.shrink(before);
        path_.resize(depth + 1);
        if (rejected_++ == 0) {
            refusal_ = std::move(reason_);
        }
        reason_.clear();
    }
    path_.pop_back();
    return true;
}

bool Transcoder::write_scalar(const element& value, const FieldRule& field) {
    const bool keep_zero = field.zero == json::Zero::Written;
    switch (field.form) {
        case Form::Text: {
            if (!value.is_string()) {
                return want("a string", value);
            }
            const std::string_view text = text_of(value);
            if (!text.empty() || keep_zero) {
                out_.bytes(field.number, text);
            }
            return true;
        }
        case Form::Bool: {
            bool truth = false;
            if (value.get_bool().get(truth) != simdjson::SUCCESS) {
                return want("true or false", value);
            }
            if (truth || keep_zero) {
                out_.varint(field.number, truth ? 1 : 0);
            }
            return true;
        }
        case Form::Double: {
            double number = 0;
            if (!double_of(value, number)) {
                return want("a number", value);
            }
            if (number != 0 || std::signbit(number) || keep_zero) {
                out_.fixed64(field.number, std::bit_cast<std::uint64_t>(number));
            }
            return true;
        }
        case Form::Hex:
        case Form::Base64:
            return write_bytes(value, field);
        default:
            return write_integer(value, field);
    }
}

bool Transcoder::write_integer(const element& value, const FieldRule& field) {
    std::int64_t number = 0;
    std::int32_t small = 0;
    std::uint32_t unsigned_small = 0;
    std::uint64_t large = 0;
    bool fits = false;
    if (field.form == Form::Enum) {
        fits = enum_of(value, *field.names, small);
        number = small;
    } else if (field.form == Form::ZigZag) {
        fits = integer_of(value, small);
        number = static_cast<std::int64_t>(json::zigzag(small));
    } else if (field.form == Form::Unsigned || field.form == Form::Fixed32) {
        fits = integer_of(value, unsigned_small);
        number = unsigned_small;
    } else if (field.form == Form::Fixed64) {
        fits = integer_of(value, large);
        number = static_cast<std::int64_t>(large);
    } else {
        fits = integer_of(value, number);
    }
    if (!fits) {
        return want("an integer that fits, as number or string", value);
    }
    if (number == 0 && field.zero == json::Zero::Omitted) {
        return true;
    }
    const auto bits = static_cast<std::uint64_t>(number);
    if (field.form == Form::Fixed64 || field.form == Form::SignedFixed64) {
        out_.fixed64(field.number, bits);
    } else if (field.form == Form::Fixed32) {
        out_.fixed32(field.number, static_cast<std::uint32_t>(bits));
    } else {
        out_.varint(field.number, bits);
    }
    return true;
}

bool Transcoder::write_bytes(const element& value, const FieldRule& field) {
    const bool hex = field.form == Form::Hex;
    if (!value.is_string()) {
        return want(hex ? "hex digits" : "base64", value);
    }
    const std::string_view text = text_of(value);
    if (text.empty() && field.zero == json::Zero::Omitted) {
        return true;
    }
    const json::Writer::Open open = out_.begin(field.number, false);
    if (!(hex ? out_.hex(text) : out_.base64(text))) {
        return want(hex ? "an even number of hex digits" : "base64", "other text");
    }
    out_.end(open);
    return true;
}

bool Transcoder::write_list(const element& value, const FieldRule& field) {
    if (field.form == Form::PackedDoubles) {
        return write_packed(value, field, [this](const element& member) {
            double number = 0;
            const bool fits = double_of(member, number);
            out_.raw_fixed64(std::bit_cast<std::uint64_t>(number));
            return fits || want("a number", member);
        });
    }
    if (field.form == Form::Texts) {
        simdjson::dom::array array;
        if (value.get_array().get(array) != simdjson::SUCCESS) {
            return want("an array", value);
        }
        for (const element member : array) {
            if (!member.is_string()) {
                return want("strings", member);
            }
            out_.bytes(field.number, text_of(member));
        }
        return true;
    }
    const bool fixed = field.form == Form::PackedFixed64;
    return write_packed(value, field, [this, fixed](const element& member) {
        std::uint64_t number = 0;
        const bool fits = integer_of(member, number);
        if (fixed) {
            out_.raw_fixed64(number);
        } else {
            out_.raw_varint(number);
        }
        return fits || want("an integer that fits, as number or string", member);
    });
}

template <class Write>
bool Transcoder::write_packed(const element& value, const FieldRule& field, Write write) {
    simdjson::dom::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) {
        return want("an array", value);
    }
    if (array.begin() == array.end()) {
        return true;
    }
    const json::Writer::Open open = out_.begin(field.number, false);
    for (const element member : array) {
        if (!write(member)) {
            return false;
        }
    }
    out_.end(open);
    return true;
}

bool Transcoder::want(std::string_view wanted, const element& got) {
    const bool number = got.is_number();
    return want(wanted, number ? std::string_view("another number") : name_of(got.type()));
}

bool Transcoder::want(std::string_view wanted, std::string_view got) {
    for (const Step& step : path_) {
        if (step.index != no_index) {
            reason_ += '[' + std::to_string(step.index) + ']';
        } else {
            reason_.append(reason_.empty() ? "" : ".").append(step.name);
        }
    }
    if (reason_.size() > json::path_bytes_max) {
        reason_.resize(json::path_bytes_max);
        reason_ += "...";
    }
    reason_.append(reason_.empty() ? "the document: want " : ": want ").append(wanted);
    reason_.append(", got ").append(got);
    return false;
}

/// Escapes of half a surrogate pair become \ufffd. True if there were any.
bool mend_surrogates(PaddedBytes& json) {
    char* const text = json.data();
    const std::size_t size = json.size();
    const auto unit_at = [text, size](std::size_t at) {
        std::uint32_t unit = 0;
        if (at + 6 <= size && text[at] == '\\' && text[at + 1] == 'u') {
            const auto [end, error] = std::from_chars(text + at + 2, text + at + 6, unit, 16);
            unit = end == text + at + 6 && error == std::errc{} ? unit : 0;
        }
        return unit;
    };
    bool mended = false;
    for (std::size_t at = 0; at + 1 < size; ++at) {
        if (text[at] != '\\') {
            continue;
        }
        const std::uint32_t unit = unit_at(at);
        const bool first = unit >= 0xd800 && unit < 0xdc00;
        const bool second = unit >= 0xdc00 && unit < 0xe000;
        const std::uint32_t next = first ? unit_at(at + 6) : 0;
        if (first && next >= 0xdc00 && next < 0xe000) {
            at += 11;
        } else if (first || second) {
            std::memcpy(text + at + 2, "fffd", 4);
            mended = true;
            at += 5;
        } else {
            ++at;
        }
    }
    return mended;
}

Error fault_of(std::string_view json, std::size_t depth_max, simdjson::error_code code) {
    std::string text = "no JSON: ";
    if (const auto place = json::find_fault(json, depth_max)) {
        text += place->path.empty() ? "" : place->path + ": ";
        text += "byte " + std::to_string(place->byte) + ": " + std::string(place->what);
        if (place->what == "nested too deep") {
            text += ", at most " + std::to_string(depth_max) + " levels are read; send it flatter";
        }
    } else {
        text += simdjson::error_message(code);
    }
    return {ErrorCode::InvalidArgument, std::move(text)};
}

const Message& message_of(Signal signal) {
    return signal == Signal::Traces ? json::traces_request
           : signal == Signal::Logs ? json::logs_request
                                    : json::metrics_request;
}

}  // namespace

Result<TranscodedRequest> transcode_json(
    std::string_view json, Signal signal, const DecodeLimits& limits
) {
    thread_local simdjson::dom::parser parser;
    thread_local json::Writer writer;
    const std::size_t depth_max = json_depth_of(limits);
    writer.clear();

    element root;
    PaddedBytes mended;
    const auto parse = [&root, depth_max](std::string_view text) {
        const std::size_t capacity = std::max<std::size_t>(text.size(), 4096);
        if (parser.capacity() < capacity || parser.max_depth() != depth_max) {
            if (const auto error = parser.allocate(capacity, depth_max)) {
                return error;
            }
        }
        return parser.parse(text.data(), text.size(), false).get(root);
    };
    if (json.empty()) {
        return std::unexpected(fault_of(json, depth_max, simdjson::EMPTY));
    }
    simdjson::error_code error = parse(json);
    if (error == simdjson::STRING_ERROR) {
        mended = PaddedBytes::copy_of(json);
        if (mend_surrogates(mended)) {
            error = parse(mended.view());
        }
    }
    if (error != simdjson::SUCCESS) {
        return std::unexpected(fault_of(json, depth_max, error));
    }
    Transcoder transcoder(writer);
    const bool written = transcoder.write_request(root, message_of(signal));
    if (parser.capacity() > parser_bytes_kept_max) {
        parser = simdjson::dom::parser();
    }
    if (!written) {
        return fail(ErrorCode::InvalidArgument, transcoder.reason());
    }
    return TranscodedRequest{
        .bytes = PaddedBytes::copy_of(writer.view()),
        .rejected = transcoder.rejected(),
        .rejected_reason = transcoder.first_refusal(),
    };
}

}  // namespace tagout::intake
