// Finding, reading and verifying what the segments hold.

#include "base/log.h"
#include "store/metrics.h"
#include "store/segment/segment_set.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace tagout::store {

/// A segment that a reader looks into, opened when it first needs to.
struct SegmentSet::Source {
    std::string path;
    std::uint64_t salt = 0;
    std::shared_ptr<const OpenFile> file;
    bool gone = false;  ///< Dropped by retention since the snapshot.
};

struct SegmentSet::Candidate {
    std::size_t source = 0;
    BlockPlace place;
};

struct SegmentSet::Hit {
    std::int64_t at = 0;
    std::uint32_t candidate = 0;
    std::uint32_t row = 0;
    friend auto operator<=>(const Hit&, const Hit&) = default;
};

/// What a look-up has gathered: where it looked, and the earliest `limit` of what it found there.
struct SegmentSet::Search {
    std::size_t limit = 0;
    std::vector<Source> sources;
    std::vector<Candidate> candidates;
    std::vector<Hit> hits;

    void keep_earliest() {
        if (hits.size() > limit) {
            const auto end = hits.begin() + static_cast<std::ptrdiff_t>(limit);
            std::nth_element(hits.begin(), end - 1, hits.end());
            hits.erase(end, hits.end());
        }
    }
};

void SegmentSet::blocks_of(
    const SealedPtr& segment, std::span<const Wanted> wanted, std::vector<std::uint32_t>& blocks
) {
    for (const Wanted& each : wanted) {
        const std::uint64_t key = key_of(each.text, segment->salt);
        if (!segment->file) {
            segment->memory->find(key, blocks);
            continue;
        }
        if (const Result<void> found = segment->file->find(key, blocks); !found) {
            if (!segment->index_damaged.exchange(true)) {
                log::error(
                    "evidence_index_damaged",
                    {{"segment", segment->path}, {"why", found.error().message}}
                );
            }
            blocks.clear();
            for (std::uint32_t i = 0; i < segment->places().size(); ++i) {
                blocks.push_back(i);
            }
            return;
        }
    }
}

/// The blocks to look into, in order of arrival: those that the index gives for any of `wanted`, or
/// without one all blocks of segments that overlap [from, to).
std::vector<SegmentSet::Source> SegmentSet::sources(
    std::vector<Candidate>& candidates, std::span<const Wanted> wanted, std::int64_t from,
    std::int64_t to
) {
    std::vector<SealedPtr> segments;
    Source growing;
    std::vector<BlockPlace> growing_places;
    std::vector<std::uint32_t> blocks;
    const auto order = [&blocks] {
        std::sort(blocks.begin(), blocks.end());
        blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
    };
    {
        const MutexLock lock(mutex_);
        for (const Entry& entry : sealed_) {
            if (!wanted.empty() || entry.segment->summary.overlaps(from, to)) {
                segments.push_back(entry.segment);
            }
        }
        if (active_ != nullptr) {
            growing = {active_->path, active_->header.salt, active_->file, false};
            if (!wanted.empty()) {
                for (const Wanted& each : wanted) {
                    active_->index->find(key_of(each.text, active_->header.salt), blocks);
                }
                order();
                for (const std::uint32_t block : blocks) {
                    growing_places.push_back(active_->places[block]);
                }
            } else if (active_->summary.overlaps(from, to)) {
                growing_places = active_->places;
            }
        }
    }
    std::vector<Source> sources;
    const auto take = [&](const Source& source, const BlockPlace& place) {
        if (sources.empty() || sources.back().path != source.path) {
            sources.push_back(source);
        }
        candidates.push_back({sources.size() - 1, place});
    };
    for (const SealedPtr& segment : segments) {
        const Source source{segment->path, segment->salt, nullptr, false};
        const std::vector<BlockPlace>& places = segment->places();
        if (wanted.empty()) {
            for (const BlockPlace& place : places) {
                take(source, place);
            }
            continue;
        }
        blocks.clear();
        blocks_of(segment, wanted, blocks);
        order();
        for (const std::uint32_t block : blocks) {
            take(source, places[block]);
        }
    }
    for (const BlockPlace& place : growing_places) {
        take(growing, place);
    }
    return sources;
}

void SegmentSet::passed_over(const Source& source, const BlockPlace& place, const Error& why) {
    damaged_reads_.fetch_add(1, std::memory_order_relaxed);
    metrics_.counter(evidence_damaged_reads_total).add();
    log::warn(
        "evidence_block_passed_over",
        {{"segment", source.path}, {"offset", place.offset}, {"why", why.message}}
    );
}

std::optional<OpenedBlock> SegmentSet::open_candidate(
    std::vector<Source>& sources, const Candidate& candidate
) {
    Source& source = sources[candidate.source];
    if (source.gone) {
        return std::nullopt;
    }
    if (source.file == nullptr) {
        Result<OpenFile> opened = disk_.open(source.path, OpenMode::Read);
        if (!opened) {
            source.gone = true;
            if (opened.error().code != ErrorCode::NotFound) {
                passed_over(source, candidate.place, opened.error());
            }
            return std::nullopt;
        }
        source.file = std::make_shared<const OpenFile>(std::move(*opened));
    }
    Result<OpenedBlock> block = open_block(*source.file, candidate.place, source.salt);
    if (!block) {
        passed_over(source, candidate.place, block.error());
        return std::nullopt;
    }
    return std::move(*block);
}

/// Reads item tables only: adds to `search` the rows of the blocks of `wanted` that `picks` says are
/// meant.
void SegmentSet::look(
    Search& search, std::span<const Wanted> wanted,
    const std::function<bool(const ItemTable&, const ItemRow&)>& picks
) {
    constexpr std::size_t slack = 8'192;
    std::vector<Candidate> candidates;
    std::vector<Source> from = sources(candidates, wanted, 0, 0);
    const std::size_t before = search.sources.size();
    std::move(from.begin(), from.end(), std::back_inserter(search.sources));
    for (Candidate& candidate : candidates) {
        candidate.source += before;
        const auto number = static_cast<std::uint32_t>(search.candidates.size());
        search.candidates.push_back(candidate);
        const std::optional<OpenedBlock> block = open_candidate(search.sources, candidate);
        if (!block) {
            continue;
        }
        const std::vector<ItemRow>& rows = block->table.rows();
        for (std::uint32_t row = 0; row < rows.size(); ++row) {
            if (picks(block->table, rows[row])) {
                search.hits.push_back({rows[row].at, number, row});
            }
        }
        if (search.hits.size() > search.limit && search.hits.size() - search.limit > slack) {
            search.keep_earliest();
        }
    }
}

Result<std::vector<journal::EvidenceItem>> SegmentSet::find(
    std::string_view correlation, std::size_t limit
) {
    if (limit == 0 || correlation.empty()) {
        return std::vector<journal::EvidenceItem>{};
    }
    Search search;
    search.limit = limit;
    const Wanted wanted(correlation);
    std::vector<TraceId> traces;  // of the conversation
    look(search, {&wanted, 1}, [&](const ItemTable& table, const ItemRow& row) {
        if (!table.matches(row, wanted)) {
            return false;
        }
        const TraceId trace = table.trace(row);
        const bool more = !trace.empty() && trace != wanted.trace.value_or(TraceId{}) &&
            traces.size() < journal::traces_of_correlation_max;
        if (more && std::find(traces.rbegin(), traces.rend(), trace) == traces.rend()) {
            traces.push_back(trace);
        }
        return true;
    });
    if (!traces.empty()) {
        // Spans that came before their trace told its conversation are filed under the trace.
        std::vector<Wanted> former;
        for (const TraceId& trace : traces) {
            former.emplace_back(to_hex(trace));
        }
        std::ranges::sort(traces, {}, &TraceId::bytes);
        look(search, former, [&traces](const ItemTable& table, const ItemRow& row) {
            return table.is_filed_under_trace(row) &&
                std::ranges::binary_search(traces, table.trace(row).bytes, {}, &TraceId::bytes);
        });
    }
    search.keep_earliest();
    std::sort(search.hits.begin(), search.hits.end());
    return items_of(search);
}

/// The payloads of what was found, each block unpacked once.
std::vector<journal::EvidenceItem> SegmentSet::items_of(Search& search) {
    const std::vector<Hit>& hits = search.hits;
    std::vector<std::size_t> order(hits.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        order[i] = i;
    }
    std::sort(order.begin(), order.end(), [&hits](std::size_t a, std::size_t b) {
        return hits[a].candidate < hits[b].candidate;
    });
    std::vector<std::optional<journal::EvidenceItem>> found(hits.size());
    ByteBuffer payload;
    for (std::size_t i = 0; i < order.size();) {
        const std::uint32_t number = hits[order[i]].candidate;
        const Candidate& candidate = search.candidates[number];
        const std::optional<OpenedBlock> block = open_candidate(search.sources, candidate);
        Result<void> whole;
        if (block) {
            const Source& source = search.sources[candidate.source];
            whole =
                read_payload(*source.file, candidate.place, block->header, source.salt, payload);
            if (!whole) {
                passed_over(source, candidate.place, whole.error());
            }
        }
        for (; i < order.size() && hits[order[i]].candidate == number; ++i) {
            if (block && whole) {
                const ItemRow& row = block->table.rows()[hits[order[i]].row];
                found[order[i]] = block->table.item(row, payload.view());
            }
        }
    }
    std::vector<journal::EvidenceItem> items;
    items.reserve(found.size());
    for (std::optional<journal::EvidenceItem>& item : found) {
        if (item) {
            items.push_back(std::move(*item));
        }
    }
    return items;
}

Result<void> SegmentSet::scan(
    Instant from, Instant to, const std::function<bool(const journal::EvidenceItem&)>& visit
) {
    std::vector<Candidate> candidates;
    std::vector<Source> through = sources(candidates, {}, unix_nanos(from), unix_nanos(to));
    ByteBuffer payload;
    std::size_t open = 0;
    for (const Candidate& candidate : candidates) {
        for (; open < candidate.source; ++open) {
            through[open].file.reset();  // one file open at a time, however long the log
        }
        const std::optional<OpenedBlock> block = open_candidate(through, candidate);
        if (!block) {
            continue;
        }
        Summary summary;
        summary.include(block->header);
        if (!summary.overlaps(unix_nanos(from), unix_nanos(to))) {
            continue;
        }
        const Source& source = through[candidate.source];
        const Result<void> whole =
            read_payload(*source.file, candidate.place, block->header, source.salt, payload);
        if (!whole) {
            passed_over(source, candidate.place, whole.error());
            continue;
        }
        for (const ItemRow& row : block->table.rows()) {
            if (!visit(block->table.item(row, payload.view()))) {
                return {};
            }
        }
    }
    return {};
}

Result<void> SegmentSet::verify_segment(
    const Sealed& segment, std::vector<journal::EvidenceFault>& faults
) {
    const Result<OpenFile> file = disk_.open(segment.path, OpenMode::Read);
    if (!file) {
        if (file.error().code != ErrorCode::NotFound) {
            return std::unexpected(file.error());
        }
        const std::vector<SealedPtr> now = sealed();
        const bool kept = std::any_of(now.begin(), now.end(), [&segment](const SealedPtr& each) {
            return each->number == segment.number;
        });
        if (kept) {
            faults.push_back({segment.path, 0, "the segment file is gone"});
        }
        return {};
    }
    const std::uint64_t size = TAGOUT_TRY(file->size());
    const Result<Reading> read = read_through(*file, std::min(size, segment.summary.bytes));
    if (!read) {
        if (read.error().code != ErrorCode::Corrupt) {
            return std::unexpected(read.error());
        }
        faults.push_back({segment.path, 0, read.error().message});
        return {};
    }
    for (const Damage& damage : read->damages) {
        faults.push_back({segment.path, damage.offset, damage.what});
    }
    if (read->summary.bytes < segment.summary.bytes) {
        const std::uint64_t missing = segment.summary.bytes - read->summary.bytes;
        faults.push_back(
            {segment.path,
             read->summary.bytes,
             "the last " + std::to_string(missing) + " bytes are missing or damaged"}
        );
    }
    if (segment.file) {
        const std::uint64_t offset = TAGOUT_TRY(segment.file->first_damage());
        if (offset != 0) {
            segment.index_damaged = true;
            std::string path = segment.path;
            path.replace(path.size() - 3, 3, "idx");
            faults.push_back({path, offset, "an index page is damaged; it will be made again"});
        }
    }
    return {};
}

Result<std::vector<journal::EvidenceFault>> SegmentSet::verify() {
    std::vector<journal::EvidenceFault> faults = unreadable_;
    for (const SealedPtr& segment : sealed()) {
        TAGOUT_TRY(verify_segment(*segment, faults));
    }
    Sealed growing;
    {
        const MutexLock lock(mutex_);
        if (active_ == nullptr) {
            return faults;
        }
        growing.number = active_->header.number;
        growing.path = active_->path;
        growing.summary = active_->summary;
    }
    TAGOUT_TRY(verify_segment(growing, faults));
    return faults;
}

}  // namespace tagout::store
