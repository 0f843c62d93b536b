// manifest.json of an evidence pack: what the signature covers, written and read.
#pragma once

#include "base/result.h"
#include "verify/evidence_pack.h"

#include <string>
#include <string_view>
#include <vector>

namespace tagout::verify {

struct ManifestFile {
    std::string name;
    std::uint64_t size = 0;
    std::string sha256;  ///< 64 hex digits; so is `chain`.
    std::string chain;   ///< SHA-256 over the chain before, name, size and sha256 as text.
};

struct ManifestEntry {
    std::uint64_t sequence = 0;
    std::string hash;
};

struct Manifest {
    IncidentId incident;
    std::string created_at;
    std::int64_t created_at_s = 0;
    std::string by;
    std::string reason;
    std::string tagout_version;
    std::string signer;  ///< The public key, 64 hex digits.
    journal::JournalHead head;
    std::vector<ManifestEntry> journal;
    std::vector<std::string> cut;
    std::vector<ManifestFile> files;  ///< All but the manifest, its signature and the key.
};

/// Fills in every file's chain from the one before.
void chain_files(std::vector<ManifestFile>& files);

[[nodiscard]] std::string to_json(const Manifest& manifest);
/// InvalidArgument names the member that is missing or wrong.
[[nodiscard]] Result<Manifest> parse_manifest(std::string_view text);

}  // namespace tagout::verify
