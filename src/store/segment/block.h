// The block: some hundred items of evidence, compressed together. Segments are blocks back to back.
//
//   offset size  field, little-endian
//        0    4  "TBLK"
//        4    1  codec: 0 as it is, 1 zstd, 2 end mark (no items; the log was closed in order here)
//        5    3  zero
//        8    4  items
//       12    4  bytes of the item table
//       16    4  bytes of the payload as stored
//       20    4  bytes of the payload unpacked
//       24    8  received_at, ns since 1970, two's complement; also the next two
//       32    8  earliest time of an item; 0 if no item has one
//       40    8  latest
//       48    8  XXH3-64 of the item table, seed: the segment's salt
//       56    8  XXH3-64 of the payload as stored, same seed
//       64    8  XXH3-64 of the 64 bytes before, seed: salt xor the block's offset in its file
//       72       item table, then payload
//
//   item table (never compressed, so that a look-up unpacks only blocks that hold what it wants):
//     4 x u16   numbers of resources, scopes, correlations, trace ids
//     u32 each  length of every resource, scope, correlation
//     16 each   trace ids
//               texts of the correlations
//               one row an item: flag byte (bits 0-1 signal, 2 resource, 3 scope, 4 correlation,
//               5 trace id follows; without the bit it is the row before's), the indexes that
//               follow, the item's length, and its time less the row before's in zigzag: varints
//     A correlation index of 0 is "", 1 is the item's own trace id in hex, else 2 + dictionary index.
//     A trace index of 0 is none, else 1 + dictionary index.
//   payload: the items' bytes in order, then the resources, then the scopes, each once a block.
//
// The salt is random for each segment: telemetry cannot forge a block inside its own bytes, nor aim
// at the hash index. Bytes from a disk are untrusted: everything here checks before it reads, and a
// block either parses or gives Corrupt.
//
// Cost: packing takes 2.0 us an item of 1.3 KB with zstd level 1, of which zstd 1.9.
#pragma once

#include "base/result.h"
#include "domain/event_batch.h"
#include "journal/evidence_log.h"
#include "store/segment/bytes.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct ZSTD_CCtx_s;

namespace tagout::store {

enum class Codec : std::uint8_t { Raw = 0, Zstd = 1, EndMark = 2 };

/// Of one item with its resource, scope and correlation; a larger one is refused at append.
inline constexpr std::size_t item_bytes_max = std::size_t{64} << 20;
inline constexpr std::size_t block_items_max = 4096;
/// No block on disk is larger, whatever its header says: an item above goes alone.
inline constexpr std::size_t block_raw_bytes_max = std::size_t{80} << 20;
static_assert(item_bytes_max < block_raw_bytes_max);

struct BlockHeader {
    static constexpr std::size_t bytes = 72;

    Codec codec = Codec::Raw;
    std::uint32_t items = 0;
    std::uint32_t meta_bytes = 0;
    std::uint32_t stored_bytes = 0;
    std::uint32_t raw_bytes = 0;
    std::int64_t received_at = 0;
    std::int64_t at_min = 0;
    std::int64_t at_max = 0;
    std::uint64_t meta_check = 0;
    std::uint64_t payload_check = 0;

    [[nodiscard]] std::uint64_t total() const noexcept {
        return bytes + std::uint64_t{meta_bytes} + stored_bytes;
    }
    void write(char* to, std::uint64_t salt, std::uint64_t offset) const noexcept;
    /// Nothing if `from` (at least `bytes` long) is no block header written at `offset`.
    static std::optional<BlockHeader> read(
        const char* from, std::uint64_t salt, std::uint64_t offset
    ) noexcept;
};

[[nodiscard]] std::uint64_t block_check(std::string_view bytes, std::uint64_t salt) noexcept;

/// Where something is looked up in an index. 32 hex digits mean the trace id that they spell.
[[nodiscard]] std::uint64_t key_of(const TraceId& id, std::uint64_t salt) noexcept;
[[nodiscard]] std::uint64_t key_of(std::string_view correlation, std::uint64_t salt) noexcept;

/// Distinct byte strings in order of appearance.
class Dictionary {
public:
    Dictionary();
    /// `hash` belongs to `text`; equal texts have equal hashes.
    std::uint32_t index_of(std::string_view text, std::uint64_t hash);
    void clear() noexcept;
    [[nodiscard]] const std::vector<std::string_view>& texts() const noexcept { return texts_; }
    [[nodiscard]] const std::vector<std::uint64_t>& hashes() const noexcept { return hashes_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    std::vector<std::string_view> texts_;
    std::vector<std::uint64_t> hashes_;
    std::vector<std::uint16_t> used_;
    std::vector<std::uint16_t> slots_;  ///< Index + 1; open addressing.
    std::size_t bytes_ = 0;
};

/// Thread-compatible. Packs items into blocks; views it was given must live until finish().
class BlockPacker {
public:
    /// `zstd_level` 0 stores payloads as they are.
    BlockPacker(std::size_t block_bytes, int zstd_level);
    ~BlockPacker();
    BlockPacker(const BlockPacker&) = delete;
    BlockPacker& operator=(const BlockPacker&) = delete;

    /// The salt of the segment that the next blocks go to; between blocks only.
    void use_salt(std::uint64_t salt);
    [[nodiscard]] bool empty() const noexcept { return items_ == 0; }
    /// Whether `item` still belongs into the block begun. An empty block takes any.
    [[nodiscard]] bool has_room(const RawItem& item) const noexcept;
    void add(const RawItem& item);

    /// Appends the block, which will stand at `offset` of its file, to `out` and its index keys to
    /// `keys`; begins the next one.
    BlockHeader finish(
        ByteBuffer& out, std::uint64_t offset, Instant received_at, std::vector<std::uint64_t>& keys
    );

private:
    struct Last;
    std::uint32_t correlation_index(const RawItem& item);
    void put_meta(char* to) const noexcept;
    [[nodiscard]] std::size_t meta_size() const noexcept;
    std::size_t put_payload(char* to, std::size_t room, Codec& codec);
    void begin();

    const std::size_t block_bytes_;
    ZSTD_CCtx_s* const context_;
    std::uint64_t salt_ = 0;

    ByteBuffer raw_;
    ByteBuffer rows_;
    Dictionary resources_;
    Dictionary scopes_;
    Dictionary correlations_;
    Dictionary traces_;
    std::uint32_t items_ = 0;
    std::int64_t at_min_ = 0;
    std::int64_t at_max_ = 0;

    // The row before: most rows repeat it.
    std::string_view resource_;
    std::string_view scope_;
    std::string_view correlation_;
    TraceId trace_;
    std::uint32_t resource_index_ = 0;
    std::uint32_t scope_index_ = 0;
    std::uint32_t correlation_index_ = 0;
    std::uint32_t trace_index_ = 0;
    std::int64_t at_ = 0;
};

struct ItemRow {
    Signal signal = Signal::Traces;
    std::uint16_t resource = 0;
    std::uint16_t scope = 0;
    std::uint32_t correlation = 0;
    std::uint32_t trace = 0;
    std::uint32_t length = 0;
    std::uint64_t offset = 0;  ///< Of its bytes in the unpacked payload.
    std::int64_t at = 0;
};

/// What a look-up wants: a correlation, or a trace id spelt in hex.
struct Wanted {
    std::string text;
    std::optional<TraceId> trace;
    explicit Wanted(std::string_view correlation);
};

/// The item table of one block, checked. A view into the bytes that it was parsed from.
class ItemTable {
public:
    static Result<ItemTable> parse(const BlockHeader& header, std::string_view meta);

    [[nodiscard]] const std::vector<ItemRow>& rows() const noexcept { return rows_; }
    [[nodiscard]] bool matches(const ItemRow& row, const Wanted& wanted) const noexcept;
    /// It came before its trace told a conversation, or its trace never did.
    [[nodiscard]] bool is_filed_under_trace(const ItemRow& row) const noexcept;
    [[nodiscard]] std::string correlation(const ItemRow& row) const;
    [[nodiscard]] TraceId trace(const ItemRow& row) const noexcept;
    /// Index keys of everything in the block.
    void keys(std::uint64_t salt, std::vector<std::uint64_t>& keys) const;
    /// `payload` is unpacked and header.raw_bytes long.
    [[nodiscard]] journal::EvidenceItem item(const ItemRow& row, std::string_view payload) const;

private:
    struct Place {
        std::uint64_t offset = 0;
        std::uint32_t length = 0;
    };
    Result<void> take_dictionaries(std::string_view& meta);
    Result<void> take_rows(std::string_view meta, const BlockHeader& header);

    std::vector<Place> resources_;  ///< In the payload.
    std::vector<Place> scopes_;
    std::vector<std::string_view> correlations_;
    std::string_view traces_;
    std::vector<ItemRow> rows_;
};

/// Unpacks a payload whose checksum was right. Corrupt if it does not unpack to header.raw_bytes.
Result<void> unpack(const BlockHeader& header, std::string_view stored, ByteBuffer& payload);

}  // namespace tagout::store
