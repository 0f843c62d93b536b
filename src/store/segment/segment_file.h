// One segment file: its header, reading it through from end to end, and reading single blocks.
//
//   <number>.seg   two copies of a 64-byte header, then blocks back to back (block.h)
//   header: "TAGOUTS1", number, created_at, salt (8 bytes each), 24 zero, XXH3-64 of the 56 before
//
// What a reading through makes of bytes that are no whole block: if a block follows, they were
// acknowledged once and are damage, reported and passed over. If nothing follows and the block
// there is not complete, they are a half-written tail: nobody was told that it is stored. A complete
// last block with a wrong checksum is damage too: a write that was cut short leaves a short file.
#pragma once

#include "store/segment/index.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tagout::store {

struct SegmentHeader {
    static constexpr std::size_t bytes = 64;
    static constexpr std::size_t copies = 2;  ///< One flipped bit must not cost the salt.
    static constexpr std::uint64_t first_block = bytes * copies;

    std::uint64_t number = 0;
    std::int64_t created_at = 0;
    std::uint64_t salt = 0;

    [[nodiscard]] std::string encode() const;  ///< Both copies.
};

struct Damage {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::string what;
};

struct Reading {
    SegmentHeader header;
    Summary summary;  ///< Of the whole blocks; summary.bytes is where they end.
    std::vector<BlockPlace> places;
    MemoryIndex index;
    std::vector<Damage> damages;
    std::uint64_t file_bytes = 0;  ///< More than summary.bytes: a half-written tail.
    bool ended = false;            ///< The last block is an end mark: it was closed in order.
};

/// Reads `file` up to `limit` bytes. Corrupt: both header copies are damaged, nothing can be read.
Result<Reading> read_through(const OpenFile& file, std::uint64_t limit);

/// A block's header and item table. `bytes` holds what `table` points into.
struct OpenedBlock {
    BlockHeader header;
    std::string bytes;
    ItemTable table;
};

/// Corrupt if a checksum is wrong.
Result<OpenedBlock> open_block(const OpenFile& file, const BlockPlace& place, std::uint64_t salt);
Result<void> read_payload(
    const OpenFile& file, const BlockPlace& place, const BlockHeader& header, std::uint64_t salt,
    ByteBuffer& payload
);

[[nodiscard]] std::string segment_path(const std::string& directory, std::uint64_t number);
[[nodiscard]] std::string index_name(std::uint64_t number);
/// The number of a "<number>.seg"; nothing for any other name.
[[nodiscard]] std::optional<std::uint64_t> segment_number(const std::string& file_name);

}  // namespace tagout::store
