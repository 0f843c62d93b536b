#include "detect/session_values.h"

#include <algorithm>
#include <utility>

namespace tagout::detect {

void SessionValues::wait(Unread what, std::string_view text, std::size_t entries_max) {
    what.text = std::make_unique_for_overwrite<char[]>(text.size());
    std::copy(text.begin(), text.end(), what.text.get());
    what.bytes = static_cast<std::uint32_t>(text.size());
    if (unread_.capacity() == 0) {
        unread_.reserve(unread_usual);
    }
    unread_.push_back(std::move(what));
    text_bytes_ += text.size();
    if (text_bytes_ > unread_bytes_max) {
        read(entries_max);
    }
}

void SessionValues::add_trusted(
    std::string_view text, TrustedOrigin origin, std::size_t entries_max
) {
    Unread what;
    what.trusted = true;
    what.origin = origin;
    wait(std::move(what), text, entries_max);
}

void SessionValues::add_result(
    std::string_view text, const ResultSource& source, std::span<const TextRegion> orders,
    std::size_t entries_max
) {
    regions_.insert(regions_.end(), orders.begin(), orders.end());
    Unread what;
    what.regions = static_cast<std::uint32_t>(orders.size());
    what.source = source;
    wait(std::move(what), text, entries_max);
}

void SessionValues::read(std::size_t entries_max) {
    std::span<const TextRegion> regions = regions_;
    for (const Unread& one : unread_) {
        const std::string_view mine(one.text.get(), one.bytes);
        if (one.trusted) {
            index_.add_trusted(mine, one.origin, entries_max);
        } else {
            index_.add_result(mine, one.source, regions.first(one.regions), entries_max);
        }
        regions = regions.subspan(one.regions);
    }
    forget_unread();
}

void SessionValues::merge(const SessionValues& other, std::size_t entries_max) {
    read(entries_max);
    index_.merge(other.index(), entries_max);
}

void SessionValues::drop() noexcept {
    index_.drop();
    forget_unread();
}

void SessionValues::forget_unread() noexcept {
    std::vector<Unread>().swap(unread_);  // an assignment of {} would keep the memory
    text_bytes_ = 0;
    std::vector<TextRegion>().swap(regions_);
}

}  // namespace tagout::detect
