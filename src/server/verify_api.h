// The routes of the verify step: ledger, evidence pack, public key.
#pragma once

#include "base/result.h"
#include "net/http_server.h"
#include "verify/verifier.h"

#include <string>
#include <string_view>

namespace tagout::server {

/// getLedger and getEvidenceKey, as JSON.
[[nodiscard]] Result<std::string> answer_verify_read(
    const verify::Verifier& verifier, std::string_view operation, std::string_view argument,
    const net::ServerRequest& request
);

/// exportEvidence: the pack as a file.
[[nodiscard]] Result<net::ServerResponse> answer_evidence_export(
    const verify::Verifier& verifier, std::string_view argument, std::string_view body
);

}  // namespace tagout::server
