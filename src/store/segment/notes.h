// The two small files beside the segments: who pins what, and what retention has dropped.
//
// Each is replaced whole (write, sync, rename, sync the directory) and carries a checksum. A damaged
// `pins` file is set aside as `pins.damaged`, and while that stands retention drops nothing: better
// a full disk, which is loud, than the traces of an open incident gone.
#pragma once

#include "base/result.h"
#include "store/segment/disk.h"

#include <cstdint>
#include <set>
#include <string>

namespace tagout::store {

struct Pin {
    std::string name;  ///< Who holds it: an incident id.
    std::string correlation;
    friend auto operator<=>(const Pin&, const Pin&) = default;
};

inline constexpr std::size_t pins_max = 10'000;
inline constexpr std::size_t pin_text_bytes_max = 64 * 1024;

[[nodiscard]] std::string encode_pins(const std::set<Pin>& pins);
Result<std::set<Pin>> decode_pins(std::string_view bytes);

struct Dropped {
    std::uint64_t items = 0;    ///< Since the log was first opened.
    std::uint64_t segment = 0;  ///< The newest one counted in; it may still be there after a crash.
};

[[nodiscard]] std::string encode_dropped(const Dropped& dropped);
Result<Dropped> decode_dropped(std::string_view bytes);

}  // namespace tagout::store
