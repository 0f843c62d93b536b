#include "store/segment/notes.h"

#include "store/segment/block.h"

namespace tagout::store {

namespace {

constexpr std::string_view pins_magic = "TAGOUTP1";
constexpr std::string_view dropped_magic = "TAGOUTR1";
constexpr std::uint64_t check_seed = 0x6e6f746573;

std::string sealed(ByteBuffer& bytes) {
    bytes.append_number(block_check(bytes.view(), check_seed));
    return std::string(bytes.view());
}

/// What stands between magic and checksum.
Result<std::string_view> opened(std::string_view bytes, std::string_view magic) {
    if (bytes.size() < magic.size() + 8 || !bytes.starts_with(magic) ||
        load<std::uint64_t>(bytes.data() + bytes.size() - 8) !=
            block_check(bytes.substr(0, bytes.size() - 8), check_seed)) {
        return fail(ErrorCode::Corrupt, "the checksum is wrong");
    }
    return bytes.substr(magic.size(), bytes.size() - magic.size() - 8);
}

void put_text(ByteBuffer& to, std::string_view text) {
    to.append_number(static_cast<std::uint32_t>(text.size()));
    to.append(text);
}

bool take_text(std::string_view& from, std::string& text) {
    if (from.size() < 4 || from.size() - 4 < load<std::uint32_t>(from.data())) {
        return false;
    }
    const auto size = load<std::uint32_t>(from.data());
    text = from.substr(4, size);
    from.remove_prefix(4 + std::size_t{size});
    return true;
}

}  // namespace

std::string encode_pins(const std::set<Pin>& pins) {
    ByteBuffer bytes;
    bytes.append(pins_magic);
    for (const Pin& pin : pins) {
        put_text(bytes, pin.name);
        put_text(bytes, pin.correlation);
    }
    return sealed(bytes);
}

Result<std::set<Pin>> decode_pins(std::string_view bytes) {
    std::string_view left = TAGOUT_TRY(opened(bytes, pins_magic));
    std::set<Pin> pins;
    while (!left.empty()) {
        Pin pin;
        if (!take_text(left, pin.name) || !take_text(left, pin.correlation)) {
            return fail(ErrorCode::Corrupt, "a pin is cut short");
        }
        pins.insert(std::move(pin));
    }
    return pins;
}

std::string encode_dropped(const Dropped& dropped) {
    ByteBuffer bytes;
    bytes.append(dropped_magic);
    bytes.append_number(dropped.items);
    bytes.append_number(dropped.segment);
    return sealed(bytes);
}

Result<Dropped> decode_dropped(std::string_view bytes) {
    const std::string_view body = TAGOUT_TRY(opened(bytes, dropped_magic));
    if (body.size() != 16) {
        return fail(ErrorCode::Corrupt, "the length is wrong");
    }
    return Dropped{load<std::uint64_t>(body.data()), load<std::uint64_t>(body.data() + 8)};
}

}  // namespace tagout::store
