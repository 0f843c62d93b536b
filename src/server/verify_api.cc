#include "server/verify_api.h"

#include "server/body.h"

#include <boost/json.hpp>

#include <charconv>

namespace tagout::server {

namespace {

namespace json = boost::json;

constexpr std::size_t reason_bytes_max = 2'000;
constexpr std::size_t actor_bytes_max = 200;
constexpr std::size_t rows_max = 10'000;
constexpr std::size_t rows_default = 1'000;

Result<std::size_t> limit_of(const net::ServerRequest& request) {
    const std::string text = request.query("limit");
    if (text.empty()) {
        return rows_default;
    }
    std::size_t limit = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error != std::errc{} || end != text.data() + text.size() || limit < 1 || limit > rows_max) {
        return fail(ErrorCode::InvalidArgument, "'limit' must be a number from 1 to 10000");
    }
    return limit;
}

Result<verify::LedgerRows> rows_of(const net::ServerRequest& request) {
    const std::string text = request.query("suspect");
    if (text.empty() || text == "false") {
        return verify::LedgerRows::All;
    }
    if (text == "true") {
        return verify::LedgerRows::Suspect;
    }
    return fail(ErrorCode::InvalidArgument, "'suspect' must be true or false");
}

}  // namespace

Result<std::string> answer_verify_read(
    const verify::Verifier& verifier, std::string_view operation, std::string_view argument,
    const net::ServerRequest& request
) {
    if (operation == "getEvidenceKey") {
        const verify::PublicKey key = TAGOUT_TRY(verifier.key());
        return json::serialize(json::object{
            {"algorithm", "ed25519"},
            {"public_key", verify::to_text(key)},
            {"fingerprint", verify::fingerprint(key)}});
    }
    const std::size_t limit = TAGOUT_TRY(limit_of(request));
    const verify::LedgerRows rows = TAGOUT_TRY(rows_of(request));
    const verify::Ledger ledger = TAGOUT_TRY(verifier.ledger(IncidentId(argument)));
    return json::serialize(verify::tree_of(ledger, rows, limit));
}

Result<net::ServerResponse> answer_evidence_export(
    const verify::Verifier& verifier, std::string_view argument, std::string_view text
) {
    Body body = TAGOUT_TRY(Body::parse(text));
    const std::string actor = body.text("actor", false, actor_bytes_max);
    const incident::By by{
        Actor(actor.empty() ? std::string("token:admin") : "person:" + actor),
        body.text("reason", false, reason_bytes_max)};
    if (auto error = body.error()) {
        return std::unexpected(std::move(*error));
    }
    verify::SealedPack pack = TAGOUT_TRY(verifier.export_pack(IncidentId(argument), by));
    return net::ServerResponse{
        200,
        {{"Content-Type", "application/x-tar"},
         {"Content-Disposition", "attachment; filename=\"" + pack.file_name + "\""},
         {"Tagout-Pack-Sha256", pack.sha256},
         {"Cache-Control", "no-store"},
         {"X-Content-Type-Options", "nosniff"}},
        std::move(pack.bytes)};
}

}  // namespace tagout::server
