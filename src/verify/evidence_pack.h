// The sealed evidence pack: all that an incident rests on, in one file that proves itself.
//
//   seal_pack()    documents and the journal's entries -> a tar with manifest and signature
//   check_pack()   any bytes -> every fault that they have, named; no server, no disk, no clock
//
// What proves what: the signature covers the manifest's bytes; the manifest names every file with
// size and SHA-256 and chains them, so that none can be changed, taken out, put in or swapped; the
// tar itself has one canonical form, so that its headers and padding have no room either; each
// journal entry in the pack is hashed anew by the journal's own encoding (journal/chain.h), and the
// manifest carries the journal's head of that moment. The format: docs/reference/evidence-pack.md.
//
// What a pack cannot prove by itself is who signed it: whoever changes a file can sign anew with a
// key of his own. So the checker is given the key that is trusted, and says so when it has none.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "domain/vocabulary.h"
#include "journal/journal.h"
#include "verify/signing.h"
#include "verify/tar.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::verify {

inline constexpr int pack_format = 1;
inline constexpr std::string_view pack_format_name = "tagout.evidence";
inline constexpr std::size_t pack_bytes_max = std::size_t{256} << 20U;
inline constexpr std::size_t pack_faults_max = 100;

inline constexpr std::string_view manifest_name = "manifest.json";
inline constexpr std::string_view signature_name = "manifest.sig";
inline constexpr std::string_view public_key_name = "evidence.pub";
inline constexpr std::string_view journal_name = "journal.jsonl";
inline constexpr std::string_view incident_name = "incident.json";

struct PackDraft {
    IncidentId incident;
    Actor by;
    std::string reason;
    Instant created_at;
    std::string tagout_version;
    journal::JournalHead journal_head;
    std::vector<journal::JournalEntry> journal;  ///< Of this incident, in order of sequence.
    std::vector<TarFile> documents;              ///< In the order in which they will lie.
    std::vector<std::string> cut;  ///< What a bound left out, in words; empty when all is there.
};

/// Deterministic: the same draft and key give the same bytes. LimitExceeded past pack_bytes_max or
/// tar_files_max; InvalidArgument for a document whose name is taken or no tar name.
[[nodiscard]] Result<std::string> seal_pack(const PackDraft& draft, const SigningKey& key);

/// One line of journal.jsonl, with everything that its hash is made of.
[[nodiscard]] std::string journal_line(const journal::JournalEntry& entry);
/// The entry of such a line; the line must be exactly what journal_line() makes of it.
[[nodiscard]] Result<journal::JournalEntry> entry_of_line(std::string_view line);

struct PackCheck {
    std::optional<PublicKey> trusted;  ///< Nothing: no signer is known.
    bool any_key = false;              ///< The signer does not matter, only that it is whole.
    IncidentId incident;               ///< "" takes a pack of any.
};

struct PackReport {
    IncidentId incident;
    std::string created_at;
    std::string by;
    std::string reason;
    std::string tagout_version;
    std::string signer;  ///< Fingerprint of the key in the pack, "" if it holds none.
    std::uint64_t files = 0;
    std::uint64_t journal_entries = 0;
    journal::JournalHead journal_head;  ///< As the manifest states it.
    std::vector<std::string> cut;
    std::vector<std::string> faults;  ///< At most pack_faults_max; empty: whole, and the signer as asked.
};

/// Total: any bytes give a report. Cost: one SHA-256 over them.
[[nodiscard]] PackReport check_pack(std::string_view bytes, const PackCheck& check);

}  // namespace tagout::verify
