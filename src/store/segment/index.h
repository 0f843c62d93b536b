// Which blocks of a segment hold a correlation or a trace: in memory while the segment grows, in a
// sealed file beside it afterwards.
//
// The sealed file, <number>.idx, little-endian:
//   header     96 bytes: "TAGOUTX1", segment number, salt, bytes of the segment, items, received
//              first and last, item time first and last (8 bytes each), blocks, pages (4 each),
//              XXH3-64 of the tables, XXH3-64 of the 88 bytes before
//   tables     a BlockPlace of 16 bytes a block; the first key of every page
//   pages      4,096 bytes each: XXH3-64 of the rest, count, 340 keys in order, their block numbers
// The tables stay in memory (24 KB for a segment of 128 MB); a look-up reads and checks one page.
// A page that fails its check gives Corrupt; the caller searches the segment itself then.
//
// Cost: 12 bytes a distinct (key, block); a look-up takes about 1 us warm. Adding takes 20-40 ns.
#pragma once

#include "store/segment/block.h"
#include "store/segment/disk.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tagout::store {

struct BlockPlace {
    std::uint64_t offset = 0;
    std::uint32_t meta_bytes = 0;
    std::uint32_t stored_bytes = 0;
    [[nodiscard]] std::uint64_t end() const noexcept {
        return offset + BlockHeader::bytes + meta_bytes + stored_bytes;
    }
};
static_assert(sizeof(BlockPlace) == 16);

/// What a segment holds. Times in ns; 0 where there is none yet.
struct Summary {
    std::uint64_t bytes = 0;  ///< Of the segment file, as far as it is durable.
    std::uint64_t items = 0;
    std::int64_t received_min = 0;
    std::int64_t received_max = 0;
    std::int64_t at_min = 0;
    std::int64_t at_max = 0;

    void include(const BlockHeader& header) noexcept;
    /// Something in it was received in, or is timed in, [from, to).
    [[nodiscard]] bool overlaps(std::int64_t from, std::int64_t to) const noexcept;
};

struct IndexEntry {
    std::uint64_t key = 0;
    std::uint32_t block = 0;
    friend auto operator<=>(const IndexEntry&, const IndexEntry&) = default;
};

/// Thread-compatible.
class MemoryIndex {
public:
    MemoryIndex();
    void add(std::uint64_t key, std::uint32_t block);
    /// Appends the blocks of `key`, newest first.
    void find(std::uint64_t key, std::vector<std::uint32_t>& blocks) const;
    [[nodiscard]] bool holds(std::uint64_t key) const noexcept;
    [[nodiscard]] std::vector<IndexEntry> sorted() const;

private:
    struct Slot {
        std::uint64_t key = 0;
        std::uint32_t newest = 0;  ///< Link index + 1; 0 is an empty slot.
    };
    struct Link {
        std::uint32_t block = 0;
        std::uint32_t older = 0;
    };
    [[nodiscard]] std::size_t slot_of(std::uint64_t key) const noexcept;
    void grow();

    std::vector<Slot> slots_;  ///< A power of two, at most half full: keys are hashes.
    std::vector<Link> links_;
    std::size_t keys_ = 0;
};

/// Thread-safe: constant once opened.
class FileIndex {
public:
    static constexpr std::size_t page_bytes = 4096;
    static constexpr std::size_t page_entries = (page_bytes - 16) / 12;

    /// The file's bytes.
    static std::string encode(
        std::uint64_t number, std::uint64_t salt, const Summary& summary,
        const std::vector<BlockPlace>& places, const std::vector<IndexEntry>& sorted
    );
    /// NotFound: no such file. Corrupt: header or tables are damaged; make it again.
    static Result<FileIndex> open(Disk& disk, const std::string& path, std::uint64_t number);

    Result<void> find(std::uint64_t key, std::vector<std::uint32_t>& blocks) const;
    /// The first damaged page's offset; 0 if all are whole.
    [[nodiscard]] Result<std::uint64_t> first_damage() const;

    [[nodiscard]] std::uint64_t salt() const noexcept { return salt_; }
    [[nodiscard]] const Summary& summary() const noexcept { return summary_; }
    [[nodiscard]] const std::vector<BlockPlace>& places() const noexcept { return places_; }
    [[nodiscard]] std::uint64_t file_bytes() const noexcept { return file_bytes_; }

private:
    Result<void> read_page(std::size_t page, char* to) const;

    OpenFile file_;
    std::uint64_t file_bytes_ = 0;
    std::uint64_t salt_ = 0;
    std::uint64_t pages_at_ = 0;
    Summary summary_;
    std::vector<BlockPlace> places_;
    std::vector<std::uint64_t> firsts_;
};

}  // namespace tagout::store
