#include "store/segment/block.h"

#include "base/assert.h"

#define XXH_INLINE_ALL
#include <xxhash.h>
#define ZSTD_STATIC_LINKING_ONLY  // for ZSTD_c_literalCompressionMode
#include <zstd.h>

#include <algorithm>
#include <array>

namespace tagout::store {

namespace {

constexpr std::uint32_t block_magic = 0x4b4c4254;  // "TBLK"
constexpr std::size_t slots = 8192;                // twice block_items_max: probes stay short
static_assert(slots >= 2 * block_items_max);

constexpr std::uint8_t new_resource = 4;
constexpr std::uint8_t new_scope = 8;
constexpr std::uint8_t new_correlation = 16;
constexpr std::uint8_t new_trace = 32;
/// Flag, four indexes of at most 3 bytes, a length of 5, a time of 10.
constexpr std::size_t row_bytes_max = 1 + 4 * 3 + 5 + 10;

constexpr std::uint32_t no_correlation = 0;
constexpr std::uint32_t own_trace = 1;
constexpr std::uint32_t first_correlation = 2;

std::uint64_t hash(std::string_view bytes, std::uint64_t salt) noexcept {
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), salt);
}

bool same_place(std::string_view a, std::string_view b) noexcept {
    return a.data() == b.data() && a.size() == b.size();
}

constexpr std::array<std::array<char, 2>, 256> hex_of_byte = [] {
    std::array<std::array<char, 2>, 256> table{};
    for (std::size_t i = 0; i < table.size(); ++i) {
        constexpr std::string_view digits = "0123456789abcdef";
        table[i] = {digits[i >> 4], digits[i & 15]};
    }
    return table;
}();

bool spells(std::string_view text, const TraceId& id) noexcept {
    if (text.size() != 2 * id.bytes.size()) {
        return false;
    }
    std::array<char, 32> hex;
    for (std::size_t i = 0; i < id.bytes.size(); ++i) {
        std::memcpy(hex.data() + 2 * i, hex_of_byte[id.bytes[i]].data(), 2);
    }
    return std::memcmp(hex.data(), text.data(), hex.size()) == 0;
}

std::string_view bytes_of(const TraceId& id) noexcept {
    return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

/// Level 1 as measured best on agents' telemetry in blocks of 256 KiB: a larger hash table and a
/// faster stride cost a fifth less CPU than zstd's own level 1 at equal disk, as long as literals are
/// still Huffman-coded, which zstd leaves out by itself when the stride is raised. Matches of seven
/// bytes at least, zstd's choice for longer inputs, save 4 % more and find no fewer; a table of 2^16
/// entries is slower than this one, which a core's own cache holds. A stride of seven (length 6) saves
/// no more and costs 5 % of disk.
void tune(ZSTD_CCtx* context, int level) {
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 0);  // the block has its own
    if (level != 1) {
        return;
    }
    ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, 15);
    ZSTD_CCtx_setParameter(context, ZSTD_c_minMatch, 7);
    const std::size_t coded =
        ZSTD_CCtx_setParameter(context, ZSTD_c_literalCompressionMode, ZSTD_lcm_huffman);
    if (ZSTD_isError(coded) == 0) {  // an experimental parameter: a later zstd may not know it
        ZSTD_CCtx_setParameter(context, ZSTD_c_targetLength, 5);
    }
}

std::unexpected<Error> damaged(const char* what) {
    return fail(ErrorCode::Corrupt, std::string("evidence block: ") + what);
}

}  // namespace

void BlockHeader::write(char* to, std::uint64_t salt, std::uint64_t offset) const noexcept {
    store_at(to, block_magic);
    store_at(to + 4, static_cast<std::uint32_t>(codec));
    store_at(to + 8, items);
    store_at(to + 12, meta_bytes);
    store_at(to + 16, stored_bytes);
    store_at(to + 20, raw_bytes);
    store_at(to + 24, received_at);
    store_at(to + 32, at_min);
    store_at(to + 40, at_max);
    store_at(to + 48, meta_check);
    store_at(to + 56, payload_check);
    store_at(to + 64, hash({to, 64}, salt ^ offset));
}

std::optional<BlockHeader> BlockHeader::read(
    const char* from, std::uint64_t salt, std::uint64_t offset
) noexcept {
    if (load<std::uint32_t>(from) != block_magic ||
        load<std::uint64_t>(from + 64) != hash({from, 64}, salt ^ offset)) {
        return std::nullopt;
    }
    const auto codec = load<std::uint32_t>(from + 4);
    const BlockHeader header{
        .codec = static_cast<Codec>(codec & 0xff),
        .items = load<std::uint32_t>(from + 8),
        .meta_bytes = load<std::uint32_t>(from + 12),
        .stored_bytes = load<std::uint32_t>(from + 16),
        .raw_bytes = load<std::uint32_t>(from + 20),
        .received_at = load<std::int64_t>(from + 24),
        .at_min = load<std::int64_t>(from + 32),
        .at_max = load<std::int64_t>(from + 40),
        .meta_check = load<std::uint64_t>(from + 48),
        .payload_check = load<std::uint64_t>(from + 56),
    };
    const bool sane = codec <= static_cast<std::uint32_t>(Codec::EndMark) &&
                      header.items <= block_items_max &&
                      header.meta_bytes <= block_raw_bytes_max &&
                      header.stored_bytes <= block_raw_bytes_max &&
                      header.raw_bytes <= block_raw_bytes_max;
    return sane ? std::optional(header) : std::nullopt;
}

std::uint64_t block_check(std::string_view bytes, std::uint64_t salt) noexcept {
    return hash(bytes, salt);
}

std::uint64_t key_of(const TraceId& id, std::uint64_t salt) noexcept {
    return hash(bytes_of(id), salt);
}

std::uint64_t key_of(std::string_view correlation, std::uint64_t salt) noexcept {
    if (correlation.size() == 32) {
        if (const std::optional<TraceId> id = trace_id_of_hex(correlation)) {
            return key_of(*id, salt);
        }
    }
    return hash(correlation, salt);
}

Dictionary::Dictionary() : slots_(slots, 0) {}

std::uint32_t Dictionary::index_of(std::string_view text, std::uint64_t hash) {
    std::size_t slot = hash % slots;
    while (slots_[slot] != 0) {
        const std::uint32_t index = slots_[slot] - 1U;
        if (hashes_[index] == hash && texts_[index] == text) {
            return index;
        }
        slot = (slot + 1) % slots;
    }
    texts_.push_back(text);
    hashes_.push_back(hash);
    used_.push_back(static_cast<std::uint16_t>(slot));
    bytes_ += text.size();
    slots_[slot] = static_cast<std::uint16_t>(texts_.size());
    return static_cast<std::uint32_t>(texts_.size() - 1);
}

void Dictionary::clear() noexcept {
    for (const std::uint16_t slot : used_) {
        slots_[slot] = 0;
    }
    used_.clear();
    texts_.clear();
    hashes_.clear();
    bytes_ = 0;
}

BlockPacker::BlockPacker(std::size_t block_bytes, int zstd_level)
    : block_bytes_(block_bytes),
      context_(zstd_level == 0 ? nullptr : ZSTD_createCCtx()) {
    if (context_ != nullptr) {
        tune(context_, zstd_level);
    }
    begin();
}

BlockPacker::~BlockPacker() {
    ZSTD_freeCCtx(context_);
}

void BlockPacker::use_salt(std::uint64_t salt) {
    TAGOUT_ASSERT(empty(), "a block's keys and checksums share one salt");
    salt_ = salt;
}

void BlockPacker::begin() {
    raw_.clear();
    rows_.clear();
    resources_.clear();
    scopes_.clear();
    correlations_.clear();
    traces_.clear();
    items_ = 0;
    at_min_ = 0;
    at_max_ = 0;
    resource_ = {};
    scope_ = {};
    correlation_ = {};
    trace_ = {};
    resource_index_ = ~0U;  // the first row always names its own
    scope_index_ = ~0U;
    correlation_index_ = no_correlation;
    trace_index_ = 0;
    at_ = 0;
}

bool BlockPacker::has_room(const RawItem& item) const noexcept {
    if (items_ == 0) {
        return true;
    }
    std::size_t bytes = raw_.size() + resources_.bytes() + scopes_.bytes() + correlations_.bytes() +
                        item.bytes.size();
    if (!same_place(item.resource, resource_)) {
        bytes += item.resource.size();
    }
    if (!same_place(item.scope, scope_)) {
        bytes += item.scope.size();
    }
    if (!same_place(item.correlation, correlation_)) {
        bytes += item.correlation.size();
    }
    return bytes <= block_bytes_ && items_ < block_items_max;
}

std::uint32_t BlockPacker::correlation_index(const RawItem& item) {
    if (item.correlation.empty()) {
        return no_correlation;
    }
    if (!item.trace_id.empty() && spells(item.correlation, item.trace_id)) {
        return own_trace;
    }
    if (correlation_index_ >= first_correlation && item.correlation == correlation_) {
        return correlation_index_;
    }
    return first_correlation +
           correlations_.index_of(item.correlation, key_of(item.correlation, salt_));
}

void BlockPacker::add(const RawItem& item) {
    char* const row = rows_.reserve_more(row_bytes_max);
    char* to = row + 1;
    auto flags = static_cast<std::uint8_t>(item.signal);
    const auto name = [&](std::uint8_t flag, std::uint32_t index, std::uint32_t& last) {
        if (index != last) {
            flags = static_cast<std::uint8_t>(flags | flag);
            to = put_varint(to, index);
            last = index;
        }
    };
    if (resource_index_ == ~0U || !same_place(item.resource, resource_)) {
        name(new_resource, resources_.index_of(item.resource, hash(item.resource, 0)), resource_index_);
        resource_ = item.resource;
    }
    if (scope_index_ == ~0U || !same_place(item.scope, scope_)) {
        name(new_scope, scopes_.index_of(item.scope, hash(item.scope, 0)), scope_index_);
        scope_ = item.scope;
    }
    const bool other_trace = item.trace_id != trace_;
    if (other_trace || !same_place(item.correlation, correlation_)) {
        name(new_correlation, correlation_index(item), correlation_index_);
        correlation_ = item.correlation;
    }
    if (other_trace) {
        const std::uint32_t index =
            item.trace_id.empty()
                ? 0
                : 1 + traces_.index_of(bytes_of(item.trace_id), key_of(item.trace_id, salt_));
        name(new_trace, index, trace_index_);
        trace_ = item.trace_id;
    }
    to = put_varint(to, item.bytes.size());
    const std::int64_t at = unix_nanos(item.at);
    to = put_varint(to, zigzag(static_cast<std::int64_t>(
        static_cast<std::uint64_t>(at) - static_cast<std::uint64_t>(at_)
    )));
    at_ = at;
    if (at != 0) {
        at_min_ = at_min_ == 0 ? at : std::min(at_min_, at);
        at_max_ = at_max_ == 0 ? at : std::max(at_max_, at);
    }
    *row = static_cast<char>(flags);
    rows_.grow(static_cast<std::size_t>(to - row));
    raw_.append(item.bytes);
    ++items_;
}

std::size_t BlockPacker::meta_size() const noexcept {
    const std::size_t texts =
        resources_.texts().size() + scopes_.texts().size() + correlations_.texts().size();
    return 8 + 4 * texts + 16 * traces_.texts().size() + correlations_.bytes() + rows_.size();
}

void BlockPacker::put_meta(char* to) const noexcept {
    for (const Dictionary* const each : {&resources_, &scopes_, &correlations_, &traces_}) {
        store_at(to, static_cast<std::uint16_t>(each->texts().size()));
        to += 2;
    }
    for (const Dictionary* const each : {&resources_, &scopes_, &correlations_}) {
        for (const std::string_view text : each->texts()) {
            store_at(to, static_cast<std::uint32_t>(text.size()));
            to += 4;
        }
    }
    for (const Dictionary* const each : {&traces_, &correlations_}) {
        for (const std::string_view text : each->texts()) {
            to = std::copy_n(text.data(), text.size(), to);
        }
    }
    std::copy_n(rows_.data(), rows_.size(), to);
}

std::size_t BlockPacker::put_payload(char* to, std::size_t room, Codec& codec) {
    if (context_ != nullptr) {
        const std::size_t size =
            ZSTD_compress2(context_, to, room, raw_.data(), raw_.size());
        if (ZSTD_isError(size) == 0 && size < raw_.size()) {
            codec = Codec::Zstd;
            return size;
        }
    }
    codec = Codec::Raw;
    std::copy_n(raw_.data(), raw_.size(), to);
    return raw_.size();
}

BlockHeader BlockPacker::finish(
    ByteBuffer& out, std::uint64_t offset, Instant received_at, std::vector<std::uint64_t>& keys
) {
    TAGOUT_ASSERT(items_ > 0, "an empty block is never written");
    for (const Dictionary* const each : {&resources_, &scopes_}) {
        for (const std::string_view text : each->texts()) {
            raw_.append(text);
        }
    }
    const std::size_t meta = meta_size();
    const std::size_t room = ZSTD_compressBound(raw_.size());
    char* const to = out.reserve_more(BlockHeader::bytes + meta + room);
    char* const meta_at = to + BlockHeader::bytes;
    put_meta(meta_at);
    BlockHeader header;
    const std::size_t stored = put_payload(meta_at + meta, room, header.codec);
    header.items = items_;
    header.meta_bytes = static_cast<std::uint32_t>(meta);
    header.stored_bytes = static_cast<std::uint32_t>(stored);
    header.raw_bytes = static_cast<std::uint32_t>(raw_.size());
    header.received_at = unix_nanos(received_at);
    header.at_min = at_min_;
    header.at_max = at_max_;
    header.meta_check = block_check({meta_at, meta}, salt_);
    header.payload_check = block_check({meta_at + meta, stored}, salt_);
    header.write(to, salt_, offset);
    out.grow(header.total());
    keys.insert(keys.end(), traces_.hashes().begin(), traces_.hashes().end());
    keys.insert(keys.end(), correlations_.hashes().begin(), correlations_.hashes().end());
    begin();
    return header;
}

Wanted::Wanted(std::string_view correlation) : text(correlation) {
    if (correlation.size() == 32) {
        trace = trace_id_of_hex(correlation);
    }
}

Result<ItemTable> ItemTable::parse(const BlockHeader& header, std::string_view meta) {
    ItemTable table;
    std::string_view left = meta;
    TAGOUT_TRY(table.take_dictionaries(left));
    TAGOUT_TRY(table.take_rows(left, header));
    return table;
}

Result<void> ItemTable::take_dictionaries(std::string_view& meta) {
    if (meta.size() < 8) {
        return damaged("the item table is cut short");
    }
    const auto resources = load<std::uint16_t>(meta.data());
    const auto scopes = load<std::uint16_t>(meta.data() + 2);
    const auto correlations = load<std::uint16_t>(meta.data() + 4);
    const std::size_t traces = std::size_t{16} * load<std::uint16_t>(meta.data() + 6);
    meta.remove_prefix(8);
    const std::size_t lengths = std::size_t{4} * (resources + scopes + correlations);
    if (meta.size() < lengths + traces) {
        return damaged("the item table's dictionaries are cut short");
    }
    std::string_view length = meta.substr(0, lengths);
    const auto take_length = [&length] {
        const auto value = load<std::uint32_t>(length.data());
        length.remove_prefix(4);
        return value;
    };
    resources_.resize(resources);
    for (Place& place : resources_) {
        place.length = take_length();
    }
    scopes_.resize(scopes);
    for (Place& place : scopes_) {
        place.length = take_length();
    }
    traces_ = meta.substr(lengths, traces);
    meta.remove_prefix(lengths + traces);
    correlations_.reserve(correlations);
    for (std::uint16_t i = 0; i < correlations; ++i) {
        const std::uint32_t size = take_length();
        if (meta.size() < size) {
            return damaged("a correlation is cut short");
        }
        correlations_.push_back(meta.substr(0, size));
        meta.remove_prefix(size);
    }
    return {};
}

Result<void> ItemTable::take_rows(std::string_view meta, const BlockHeader& header) {
    if (header.items > block_items_max || meta.size() < header.items) {
        return damaged("the item table has fewer rows than the block has items");
    }
    rows_.reserve(header.items);
    ItemRow row;
    std::uint64_t offset = 0;
    for (std::uint32_t i = 0; i < header.items; ++i) {
        if (meta.empty()) {
            return damaged("a row of the item table is missing");
        }
        const auto flags = static_cast<std::uint8_t>(meta[0]);
        meta.remove_prefix(1);
        bool whole = (flags & 3) != 0 && flags < 64;
        std::uint64_t value = 0;
        const auto take = [&](std::uint8_t flag, std::size_t bound, auto& to) {
            if ((flags & flag) != 0) {
                whole = whole && take_varint(meta, value) && value < bound;
                to = static_cast<std::remove_reference_t<decltype(to)>>(value);
            }
        };
        take(new_resource, resources_.size(), row.resource);
        take(new_scope, scopes_.size(), row.scope);
        take(new_correlation, first_correlation + correlations_.size(), row.correlation);
        take(new_trace, 1 + traces_.size() / 16, row.trace);
        whole = whole && take_varint(meta, value) && value <= header.raw_bytes - offset;
        row.length = static_cast<std::uint32_t>(value);
        std::uint64_t step = 0;
        whole = whole && take_varint(meta, step);
        if (!whole || row.resource >= resources_.size() || row.scope >= scopes_.size()) {
            return damaged("a row of the item table makes no sense");
        }
        row.signal = static_cast<Signal>(flags & 3);
        row.at = static_cast<std::int64_t>(
            static_cast<std::uint64_t>(row.at) + static_cast<std::uint64_t>(unzigzag(step))
        );
        row.offset = offset;
        offset += row.length;
        rows_.push_back(row);
    }
    for (std::vector<Place>* const places : {&resources_, &scopes_}) {
        for (Place& place : *places) {
            place.offset = offset;
            offset += place.length;
        }
    }
    if (!meta.empty() || offset != header.raw_bytes) {
        return damaged("the item table does not add up to the block");
    }
    return {};
}

TraceId ItemTable::trace(const ItemRow& row) const noexcept {
    TraceId id;
    if (row.trace > 0) {
        std::memcpy(id.bytes.data(), traces_.data() + 16 * std::size_t{row.trace - 1}, 16);
    }
    return id;
}

bool ItemTable::matches(const ItemRow& row, const Wanted& wanted) const noexcept {
    if (wanted.trace && row.trace > 0 && trace(row) == *wanted.trace) {
        return true;
    }
    return row.correlation >= first_correlation &&
           correlations_[row.correlation - first_correlation] == wanted.text;
}

bool ItemTable::is_filed_under_trace(const ItemRow& row) const noexcept {
    return row.correlation == own_trace;
}

std::string ItemTable::correlation(const ItemRow& row) const {
    if (row.correlation == no_correlation) {
        return {};
    }
    if (row.correlation == own_trace) {
        return to_hex(trace(row));
    }
    return std::string(correlations_[row.correlation - first_correlation]);
}

void ItemTable::keys(std::uint64_t salt, std::vector<std::uint64_t>& keys) const {
    for (std::size_t i = 0; i < traces_.size(); i += 16) {
        keys.push_back(hash(traces_.substr(i, 16), salt));
    }
    for (const std::string_view correlation : correlations_) {
        keys.push_back(key_of(correlation, salt));
    }
}

journal::EvidenceItem ItemTable::item(const ItemRow& row, std::string_view payload) const {
    TAGOUT_ASSERT(row.offset + row.length <= payload.size(), "parse() saw that it adds up");
    const Place& resource = resources_[row.resource];
    const Place& scope = scopes_[row.scope];
    journal::EvidenceItem item;
    item.signal = row.signal;
    item.trace_id = trace(row);
    item.at = Instant(Duration(row.at));
    item.correlation = correlation(row);
    item.resource = payload.substr(resource.offset, resource.length);
    item.scope = payload.substr(scope.offset, scope.length);
    item.bytes = payload.substr(row.offset, row.length);
    return item;
}

Result<void> unpack(const BlockHeader& header, std::string_view stored, ByteBuffer& payload) {
    payload.clear();
    if (header.codec == Codec::Raw) {
        if (stored.size() != header.raw_bytes) {
            return damaged("a payload stored as it is has another length");
        }
        payload.append(stored);
        return {};
    }
    // A context takes 130 KB and is costly to make; readers are few.
    thread_local const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(
        ZSTD_createDCtx(), ZSTD_freeDCtx
    );
    if (header.codec != Codec::Zstd || header.raw_bytes > block_raw_bytes_max) {
        return damaged("an unknown codec or size");
    }
    char* const to = payload.reserve_more(header.raw_bytes);
    const std::size_t size = ZSTD_decompressDCtx(
        context.get(), to, header.raw_bytes, stored.data(), stored.size()
    );
    if (ZSTD_isError(size) != 0 || size != header.raw_bytes) {
        return damaged("the payload does not unpack to its length");
    }
    payload.grow(size);
    return {};
}

}  // namespace tagout::store
