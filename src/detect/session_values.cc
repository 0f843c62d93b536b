#include "detect/session_values.h"

namespace tagout::detect {

void SessionValues::wait(const Unread& what, std::string_view text, std::size_t entries_max) {
    unread_.push_back(what);
    text_ += text;
    if (text_.size() > unread_bytes_max) {
        read(entries_max);
    }
}

void SessionValues::add_trusted(
    std::string_view text, TrustedOrigin origin, std::size_t entries_max
) {
    wait({.text = text.size(), .trusted = true, .origin = origin, .source = {}}, text, entries_max);
}

void SessionValues::add_result(
    std::string_view text, const ResultSource& source, std::span<const TextRegion> orders,
    std::size_t entries_max
) {
    regions_.insert(regions_.end(), orders.begin(), orders.end());
    wait({.text = text.size(), .regions = orders.size(), .source = source}, text, entries_max);
}

void SessionValues::read(std::size_t entries_max) {
    std::string_view text = text_;
    std::span<const TextRegion> regions = regions_;
    for (const Unread& one : unread_) {
        const std::string_view mine = text.substr(0, one.text);
        if (one.trusted) {
            index_.add_trusted(mine, one.origin, entries_max);
        } else {
            index_.add_result(mine, one.source, regions.first(one.regions), entries_max);
        }
        text.remove_prefix(one.text);
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
    std::string().swap(text_);
    std::vector<TextRegion>().swap(regions_);
}

}  // namespace tagout::detect
