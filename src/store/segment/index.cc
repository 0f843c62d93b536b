#include "store/segment/index.h"

#include <algorithm>
#include <array>

namespace tagout::store {

namespace {

constexpr std::uint64_t index_magic = 0x3158'5455'4f47'4154;  // "TAGOUTX1"
constexpr std::size_t header_bytes = 96;
constexpr std::uint64_t check_seed = 0x7461676f7574;
constexpr std::size_t blocks_max = std::size_t{1} << 26;
constexpr std::size_t pages_max = std::size_t{1} << 24;

void widen(std::int64_t first, std::int64_t last, std::int64_t& min, std::int64_t& max) noexcept {
    if (first == 0 && last == 0) {
        return;
    }
    min = min == 0 ? first : std::min(min, first);
    max = max == 0 ? last : std::max(max, last);
}

}  // namespace

void Summary::include(const BlockHeader& header) noexcept {
    items += header.items;
    widen(header.received_at, header.received_at, received_min, received_max);
    widen(header.at_min, header.at_max, at_min, at_max);
}

bool Summary::overlaps(std::int64_t from, std::int64_t to) const noexcept {
    const auto within = [&](std::int64_t min, std::int64_t max) {
        return (min != 0 || max != 0) && min < to && max >= from;
    };
    return within(received_min, received_max) || within(at_min, at_max);
}

MemoryIndex::MemoryIndex() : slots_(1024) {}

std::size_t MemoryIndex::slot_of(std::uint64_t key) const noexcept {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = key & mask;
    while (slots_[slot].newest != 0 && slots_[slot].key != key) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

void MemoryIndex::grow() {
    std::vector<Slot> before(slots_.size() * 2);
    before.swap(slots_);
    for (const Slot& slot : before) {
        if (slot.newest != 0) {
            slots_[slot_of(slot.key)] = slot;
        }
    }
}

void MemoryIndex::add(std::uint64_t key, std::uint32_t block) {
    Slot& slot = slots_[slot_of(key)];
    links_.push_back({block, slot.newest});
    const bool fresh = slot.newest == 0;
    slot.key = key;
    slot.newest = static_cast<std::uint32_t>(links_.size());
    if (fresh && ++keys_ * 2 > slots_.size()) {
        grow();
    }
}

void MemoryIndex::find(std::uint64_t key, std::vector<std::uint32_t>& blocks) const {
    for (std::uint32_t link = slots_[slot_of(key)].newest; link != 0;) {
        blocks.push_back(links_[link - 1].block);
        link = links_[link - 1].older;
    }
}

bool MemoryIndex::holds(std::uint64_t key) const noexcept {
    return slots_[slot_of(key)].newest != 0;
}

std::vector<IndexEntry> MemoryIndex::sorted() const {
    std::vector<IndexEntry> entries;
    entries.reserve(links_.size());
    for (const Slot& slot : slots_) {
        for (std::uint32_t link = slot.newest; link != 0; link = links_[link - 1].older) {
            entries.push_back({slot.key, links_[link - 1].block});
        }
    }
    std::sort(entries.begin(), entries.end());
    return entries;
}

std::string FileIndex::encode(
    std::uint64_t number, std::uint64_t salt, const Summary& summary,
    const std::vector<BlockPlace>& places, const std::vector<IndexEntry>& sorted
) {
    const std::size_t pages = (sorted.size() + page_entries - 1) / page_entries;
    const std::size_t tables = places.size() * sizeof(BlockPlace) + pages * 8;
    std::string bytes(header_bytes + tables + pages * page_bytes, '\0');
    char* to = bytes.data() + header_bytes;
    to = std::copy_n(
        reinterpret_cast<const char*>(places.data()), places.size() * sizeof(BlockPlace), to
    );
    for (std::size_t page = 0; page < pages; ++page, to += 8) {
        store_at(to, sorted[page * page_entries].key);
    }
    for (std::size_t page = 0; page < pages; ++page, to += page_bytes) {
        const std::size_t first = page * page_entries;
        const std::size_t count = std::min(page_entries, sorted.size() - first);
        store_at(to + 8, static_cast<std::uint64_t>(count));
        for (std::size_t i = 0; i < count; ++i) {
            store_at(to + 16 + 8 * i, sorted[first + i].key);
            store_at(to + 16 + 8 * page_entries + 4 * i, sorted[first + i].block);
        }
        store_at(to, block_check({to + 8, page_bytes - 8}, salt ^ page));
    }
    char* const header = bytes.data();
    const std::uint64_t numbers[] = {
        index_magic,
        number,
        salt,
        summary.bytes,
        summary.items,
        static_cast<std::uint64_t>(summary.received_min),
        static_cast<std::uint64_t>(summary.received_max),
        static_cast<std::uint64_t>(summary.at_min),
        static_cast<std::uint64_t>(summary.at_max),
        places.size() | static_cast<std::uint64_t>(pages) << 32,
        block_check({header + header_bytes, tables}, check_seed),
    };
    std::memcpy(header, numbers, sizeof(numbers));
    store_at(header + 88, block_check({header, 88}, check_seed));
    return bytes;
}

Result<FileIndex> FileIndex::open(Disk& disk, const std::string& path, std::uint64_t number) {
    FileIndex index;
    index.file_ = TAGOUT_TRY(disk.open(path, OpenMode::Read));
    index.file_bytes_ = TAGOUT_TRY(index.file_.size());
    std::array<char, header_bytes> header{};
    const std::size_t got = TAGOUT_TRY(index.file_.read(header.data(), header.size(), 0));
    const auto field = [&header](std::size_t at) { return load<std::uint64_t>(&header[at]); };
    if (got != header.size() || field(0) != index_magic || field(8) != number ||
        field(88) != block_check({header.data(), 88}, check_seed)) {
        return fail(ErrorCode::Corrupt, path + ": the header is damaged");
    }
    index.salt_ = field(16);
    index.summary_ = {
        .bytes = field(24),
        .items = field(32),
        .received_min = static_cast<std::int64_t>(field(40)),
        .received_max = static_cast<std::int64_t>(field(48)),
        .at_min = static_cast<std::int64_t>(field(56)),
        .at_max = static_cast<std::int64_t>(field(64)),
    };
    const auto blocks = static_cast<std::uint32_t>(field(72));
    const auto pages = static_cast<std::uint32_t>(field(72) >> 32);
    const std::size_t tables = blocks * sizeof(BlockPlace) + std::size_t{pages} * 8;
    index.pages_at_ = header_bytes + tables;
    if (blocks > blocks_max || pages > pages_max ||
        index.file_bytes_ != index.pages_at_ + std::uint64_t{pages} * page_bytes) {
        return fail(ErrorCode::Corrupt, path + ": its length is not what its header says");
    }
    std::string bytes(tables, '\0');
    bytes.resize(TAGOUT_TRY(index.file_.read(bytes.data(), bytes.size(), header_bytes)));
    if (bytes.size() != tables || field(80) != block_check(bytes, check_seed)) {
        return fail(ErrorCode::Corrupt, path + ": the tables are damaged");
    }
    index.places_.resize(blocks);
    index.firsts_.resize(pages);
    std::memcpy(index.places_.data(), bytes.data(), blocks * sizeof(BlockPlace));
    std::memcpy(index.firsts_.data(), bytes.data() + blocks * sizeof(BlockPlace), pages * 8UL);
    return index;
}

Result<void> FileIndex::read_page(std::size_t page, char* to) const {
    const std::size_t got = TAGOUT_TRY(file_.read(to, page_bytes, pages_at_ + page * page_bytes));
    if (got != page_bytes || load<std::uint64_t>(to) != block_check({to + 8, page_bytes - 8}, salt_ ^ page) ||
        load<std::uint64_t>(to + 8) > page_entries) {
        return fail(ErrorCode::Corrupt, "index page " + std::to_string(page) + " is damaged");
    }
    return {};
}

Result<void> FileIndex::find(std::uint64_t key, std::vector<std::uint32_t>& blocks) const {
    // A key may have begun on the page before the first one that starts with it.
    const auto start = std::lower_bound(firsts_.begin(), firsts_.end(), key);
    std::size_t page = static_cast<std::size_t>(start - firsts_.begin());
    page -= page > 0 ? 1 : 0;
    std::array<char, page_bytes> bytes;
    for (; page < firsts_.size() && firsts_[page] <= key; ++page) {
        TAGOUT_TRY(read_page(page, bytes.data()));
        const auto count = load<std::uint64_t>(&bytes[8]);
        const auto key_at = [&bytes](std::size_t i) { return load<std::uint64_t>(&bytes[16 + 8 * i]); };
        std::size_t low = 0;
        for (std::size_t high = count; low < high;) {
            const std::size_t middle = (low + high) / 2;
            (key_at(middle) < key ? low : high) = key_at(middle) < key ? middle + 1 : middle;
        }
        for (; low < count && key_at(low) == key; ++low) {
            const auto block = load<std::uint32_t>(&bytes[16 + 8 * page_entries + 4 * low]);
            if (block < places_.size()) {
                blocks.push_back(block);
            }
        }
    }
    return {};
}

Result<std::uint64_t> FileIndex::first_damage() const {
    std::array<char, page_bytes> bytes;
    for (std::size_t page = 0; page < firsts_.size(); ++page) {
        const Result<void> done = read_page(page, bytes.data());
        if (!done && done.error().code != ErrorCode::Corrupt) {
            return std::unexpected(done.error());
        }
        if (!done) {
            return pages_at_ + page * page_bytes;
        }
    }
    return 0;
}

}  // namespace tagout::store
