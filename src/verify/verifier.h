// The verify step of a server: an incident's ledger, and its evidence gathered into a sealed pack.
//
// Thread-safe: keeps nothing; each call reads its sources as they are then. What other rooms own is
// handed in by app/ as functions, and documents of theirs (versions, review, decisions) go into the
// pack under the names that they give them.
#pragma once

#include "base/clock.h"
#include "incident/desk.h"
#include "journal/journal.h"
#include "verify/evidence_pack.h"
#include "verify/ledger.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tagout::verify {

struct PackSources {
    const Clock& clock;
    std::function<std::shared_ptr<const catalog::Catalog>()> catalog;
    std::function<Result<incident::Incident>(const IncidentId&)> incident;
    /// As journal::EvidenceLog::scan and find.
    decltype(LedgerParts::scan) scan;
    decltype(LedgerParts::find) find;
    decltype(LedgerParts::decide_today) decide_today;  ///< Empty: the verdict is unknown.
    /// As journal::Journal::read.
    std::function<Result<void>(
        std::uint64_t first, const std::function<bool(const journal::JournalEntry&)>& visit
    )>
        read_journal;
    std::function<Result<void>(const journal::EntryDraft&)> record;  ///< Into the journal.
    std::function<Result<SigningKey>()> key;  ///< Made at first use.
    /// Other rooms' documents of that incident, such as versions.json and review.json; may be empty.
    std::function<Result<std::vector<TarFile>>(const incident::Incident&)> documents;
    std::string tagout_version;
};

struct VerifyOptions {
    LedgerOptions ledger;
    std::size_t correlations_max = 500;           ///< Whose telemetry goes into one pack.
    std::size_t items_max = 50'000;               ///< Of telemetry, in one pack; its bytes:
    std::size_t item_bytes_max = std::size_t{48} << 20U;
    std::size_t entries_max = 50'000;             ///< Journal entries in one pack; their bytes:
    std::size_t entry_bytes_max = std::size_t{32} << 20U;
};

struct SealedPack {
    std::string bytes;
    std::string sha256;  ///< 64 hex digits; evidence.exported in the journal has it too.
    std::string file_name;
};

class Verifier {
public:
    explicit Verifier(PackSources sources, const VerifyOptions& options = {});

    /// NotFound if there is no such incident.
    [[nodiscard]] Result<Ledger> ledger(const IncidentId& id) const;
    /// Gathers, seals, then journals evidence.exported; nothing is handed out that is not journaled.
    /// What a bound left out stands in the manifest. Reads the whole journal: seconds for a large one.
    [[nodiscard]] Result<SealedPack> export_pack(const IncidentId& id, const incident::By& by) const;
    [[nodiscard]] Result<PublicKey> key() const;

private:
    [[nodiscard]] Result<Ledger> judge(const incident::Incident& incident, Instant now) const;

    PackSources sources_;
    VerifyOptions options_;
};

}  // namespace tagout::verify
