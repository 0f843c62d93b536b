#include "app/evidence_source.h"

#include "app/evidence_key.h"

namespace tagout::app {

verify::PackSources evidence_sources(const EvidenceSourceParts& parts) {
    journal::Journal& journal = parts.journal;
    journal::EvidenceLog& evidence = parts.evidence;
    const incident::Desk& desk = parts.desk;
    return {
        .clock = parts.clock,
        .catalog = parts.catalog,
        .incident = [&desk](const IncidentId& id) { return desk.get(id); },
        .scan = [&evidence](
                    Instant from,
                    Instant to,
                    const std::function<bool(const journal::EvidenceItem&)>& visit
                ) { return evidence.scan(from, to, visit); },
        .find = [&evidence](std::string_view correlation, std::size_t limit) {
            return evidence.find(correlation, limit);
        },
        .decide_today = {},
        .read_journal =
            [&journal](
                std::uint64_t first,
                const std::function<bool(const journal::JournalEntry&)>& visit
            ) { return journal.read(first, visit); },
        .record = [&journal](const journal::EntryDraft& draft) -> Result<void> {
            TAGOUT_TRY(journal.append(std::span(&draft, 1)));
            return {};
        },
        .key = [data_dir = parts.data_dir] { return load_or_make_evidence_key(data_dir); },
        .documents = {},
        .tagout_version = TAGOUT_VERSION,
    };
}

}  // namespace tagout::app
