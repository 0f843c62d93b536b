#include "store/segment/segment_file.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace tagout::store {

namespace {

constexpr std::uint64_t segment_magic = 0x3153'5455'4f47'4154;  // "TAGOUTS1"
constexpr std::uint64_t header_seed = 0x7365676d656e74;
constexpr std::string_view block_mark = "TBLK";
constexpr std::size_t search_window = std::size_t{1} << 20;
constexpr std::size_t number_digits = 12;

std::optional<SegmentHeader> decode(const char* from) {
    if (load<std::uint64_t>(from) != segment_magic ||
        load<std::uint64_t>(from + 56) != block_check({from, 56}, header_seed)) {
        return std::nullopt;
    }
    return SegmentHeader{
        load<std::uint64_t>(from + 8), load<std::int64_t>(from + 16), load<std::uint64_t>(from + 24)
    };
}

/// Reads one segment front to back.
class Through {
public:
    Through(const OpenFile& file, std::uint64_t limit) : file_(file), limit_(limit) {}

    Result<Reading> run() {
        reading_.file_bytes = limit_;
        TAGOUT_TRY(take_header());
        std::uint64_t offset = SegmentHeader::first_block;
        reading_.summary.bytes = offset;
        while (offset < limit_) {
            offset = TAGOUT_TRY(take_block(offset));
        }
        return std::move(reading_);
    }

private:
    Result<void> take_header() {
        std::array<char, SegmentHeader::first_block> bytes{};
        const std::size_t got = TAGOUT_TRY(file_.read(bytes.data(), bytes.size(), 0));
        const auto first = decode(bytes.data());
        const auto second = decode(bytes.data() + SegmentHeader::bytes);
        if (got < bytes.size() || (!first && !second)) {
            return fail(ErrorCode::Corrupt, "the segment's header is damaged");
        }
        if (!first || !second) {
            damage(first ? SegmentHeader::bytes : 0, SegmentHeader::bytes, "a copy of the header");
        }
        reading_.header = first ? *first : *second;
        return {};
    }

    /// Returns where to go on; the limit when nothing whole follows.
    Result<std::uint64_t> take_block(std::uint64_t offset) {
        std::array<char, BlockHeader::bytes> bytes{};
        const std::size_t got = TAGOUT_TRY(file_.read(bytes.data(), bytes.size(), offset));
        std::optional<BlockHeader> header;
        if (got == bytes.size()) {
            header = BlockHeader::read(bytes.data(), reading_.header.salt, offset);
        }
        if (!header || offset + header->total() > limit_) {
            const std::uint64_t next = TAGOUT_TRY(next_block(offset + 1));
            if (next < limit_) {
                damage(offset, next - offset, "no whole block stands here");
            }
            return next;
        }
        const std::uint64_t next = offset + header->total();
        if (std::optional<std::string> wrong = TAGOUT_TRY(index_block(*header, offset))) {
            damage(offset, header->total(), *std::move(wrong));
        }
        reading_.summary.bytes = next;
        reading_.ended = header->codec == Codec::EndMark;
        return next;
    }

    /// What is wrong with the block, or nothing.
    Result<std::optional<std::string>> index_block(const BlockHeader& header, std::uint64_t offset) {
        if (header.codec == Codec::EndMark) {
            return std::nullopt;
        }
        const std::size_t size = header.meta_bytes + std::size_t{header.stored_bytes};
        body_.clear();
        char* const body = body_.reserve_more(size);
        const std::size_t got = TAGOUT_TRY(file_.read(body, size, offset + BlockHeader::bytes));
        const std::uint64_t salt = reading_.header.salt;
        const std::string_view meta(body, header.meta_bytes);
        const std::string_view payload(body + header.meta_bytes, header.stored_bytes);
        if (got != size || block_check(meta, salt) != header.meta_check) {
            return "the item table's checksum is wrong";
        }
        if (block_check(payload, salt) != header.payload_check) {
            return "the payload's checksum is wrong";
        }
        const Result<ItemTable> table = ItemTable::parse(header, meta);
        if (!table) {
            return table.error().message;
        }
        const auto number = static_cast<std::uint32_t>(reading_.places.size());
        reading_.places.push_back({offset, header.meta_bytes, header.stored_bytes});
        reading_.summary.include(header);
        keys_.clear();
        table->keys(salt, keys_);
        for (const std::uint64_t key : keys_) {
            reading_.index.add(key, number);
        }
        return std::nullopt;
    }

    /// The first offset >= `from` at which a block header stands; the limit if none does.
    Result<std::uint64_t> next_block(std::uint64_t from) {
        std::string window;
        while (from + BlockHeader::bytes <= limit_) {
            window.resize(std::min<std::uint64_t>(search_window, limit_ - from));
            window.resize(TAGOUT_TRY(file_.read(window.data(), window.size(), from)));
            if (window.size() < BlockHeader::bytes) {
                break;
            }
            for (std::size_t at = window.find(block_mark); at != std::string::npos;
                 at = window.find(block_mark, at + 1)) {
                if (at + BlockHeader::bytes > window.size()) {
                    break;
                }
                const auto header =
                    BlockHeader::read(window.data() + at, reading_.header.salt, from + at);
                if (header && from + at + header->total() <= limit_) {
                    return from + at;
                }
            }
            from += window.size() - BlockHeader::bytes + 1;
        }
        return limit_;
    }

    void damage(std::uint64_t offset, std::uint64_t bytes, std::string what) {
        reading_.damages.push_back({offset, bytes, std::move(what)});
    }

    const OpenFile& file_;
    const std::uint64_t limit_;
    Reading reading_;
    ByteBuffer body_;
    std::vector<std::uint64_t> keys_;
};

}  // namespace

std::string SegmentHeader::encode() const {
    std::string copy(bytes, '\0');
    store_at(copy.data(), segment_magic);
    store_at(copy.data() + 8, number);
    store_at(copy.data() + 16, created_at);
    store_at(copy.data() + 24, salt);
    store_at(copy.data() + 56, block_check({copy.data(), 56}, header_seed));
    return copy + copy;
}

Result<Reading> read_through(const OpenFile& file, std::uint64_t limit) {
    return Through(file, limit).run();
}

Result<OpenedBlock> open_block(
    const OpenFile& file, const BlockPlace& place, std::uint64_t salt
) {
    OpenedBlock block;
    block.bytes.resize(BlockHeader::bytes + place.meta_bytes);
    const std::size_t got =
        TAGOUT_TRY(file.read(block.bytes.data(), block.bytes.size(), place.offset));
    const auto header = got == block.bytes.size()
                            ? BlockHeader::read(block.bytes.data(), salt, place.offset)
                            : std::nullopt;
    if (!header || header->meta_bytes != place.meta_bytes ||
        header->stored_bytes != place.stored_bytes) {
        return fail(ErrorCode::Corrupt, "the block's header is damaged");
    }
    const std::string_view meta = std::string_view(block.bytes).substr(BlockHeader::bytes);
    if (block_check(meta, salt) != header->meta_check) {
        return fail(ErrorCode::Corrupt, "the item table's checksum is wrong");
    }
    block.header = *header;
    block.table = TAGOUT_TRY(ItemTable::parse(*header, meta));
    return block;
}

Result<void> read_payload(
    const OpenFile& file, const BlockPlace& place, const BlockHeader& header, std::uint64_t salt,
    ByteBuffer& payload
) {
    thread_local ByteBuffer stored;
    stored.clear();
    char* const to = stored.reserve_more(place.stored_bytes);
    const std::size_t got = TAGOUT_TRY(
        file.read(to, place.stored_bytes, place.offset + BlockHeader::bytes + place.meta_bytes)
    );
    const std::string_view bytes(to, got);
    if (got != place.stored_bytes || block_check(bytes, salt) != header.payload_check) {
        return fail(ErrorCode::Corrupt, "the payload's checksum is wrong");
    }
    return unpack(header, bytes, payload);
}

std::string segment_path(const std::string& directory, std::uint64_t number) {
    const std::string digits = std::to_string(number);
    const std::size_t zeros = number_digits - std::min(number_digits, digits.size());
    return directory + "/" + std::string(zeros, '0') + digits + ".seg";
}

std::string index_name(std::uint64_t number) {
    std::string name = segment_path("", number).substr(1);
    name.replace(name.size() - 3, 3, "idx");
    return name;
}

std::optional<std::uint64_t> segment_number(const std::string& file_name) {
    if (file_name.size() < number_digits + 4 || !file_name.ends_with(".seg")) {
        return std::nullopt;
    }
    std::uint64_t number = 0;
    const char* const end = file_name.data() + file_name.size() - 4;
    const auto parsed = std::from_chars(file_name.data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end || number == 0) {
        return std::nullopt;
    }
    return number;
}

}  // namespace tagout::store
