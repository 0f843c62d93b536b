#include "app/evidence_verify.h"

#include "cli/json_text.h"
#include "journal/chain.h"
#include "verify/evidence_pack.h"

#include <boost/json.hpp>

#include <array>
#include <filesystem>
#include <fstream>
#include <optional>

namespace tagout::app {

namespace {

namespace json = boost::json;

Result<std::string> content_of(const std::string& path, std::size_t bytes_max) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
        return fail(ErrorCode::InvalidArgument, path + " is a folder; name the pack's file");
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return fail(ErrorCode::NotFound, path + ": cannot be read");
    }
    std::string content;
    std::array<char, 64 * 1024> buffer{};
    while (file.read(buffer.data(), buffer.size()), file.gcount() > 0) {
        content.append(buffer.data(), static_cast<std::size_t>(file.gcount()));
        if (content.size() > bytes_max) {
            return fail(
                ErrorCode::LimitExceeded,
                path + " is over " + std::to_string(bytes_max >> 20U) + " MiB; no pack is so large"
            );
        }
    }
    if (file.bad()) {
        return fail(ErrorCode::Unavailable, path + ": reading stopped half-way");
    }
    return content;
}

Result<std::optional<verify::PublicKey>> trusted_key(const EvidenceVerifyOptions& options) {
    if (options.any_key) {
        return std::optional<verify::PublicKey>();
    }
    std::string path = options.key;
    if (path.empty()) {
        path = options.data_dir + "/evidence.pub";
        std::error_code error;
        if (!std::filesystem::exists(path, error)) {
            return std::optional<verify::PublicKey>();
        }
    } else if (const Result<verify::PublicKey> key = verify::parse_public_key(path)) {
        return std::optional(*key);
    }
    constexpr std::size_t key_bytes_max = std::size_t{1} << 20U;
    const Result<verify::PublicKey> key =
        verify::parse_public_key(TAGOUT_TRY(content_of(path, key_bytes_max)));
    if (!key) {
        return fail(ErrorCode::InvalidArgument, path + " holds " + key.error().message);
    }
    return std::optional(*key);
}

json::array texts(const std::vector<std::string>& list) {
    json::array out;
    for (const std::string& each : list) {
        out.push_back(json::string(each));
    }
    return out;
}

json::object tree_of(const verify::PackReport& report, bool trusted) {
    return {
        {"whole", report.faults.empty()},
        {"signer_trusted", trusted && report.faults.empty()},
        {"incident", report.incident.text()},
        {"created_at", report.created_at},
        {"by", report.by},
        {"reason", report.reason},
        {"tagout_version", report.tagout_version},
        {"signer", report.signer},
        {"files", report.files},
        {"journal_entries", report.journal_entries},
        {"journal_head",
         json::object{
             {"sequence", report.journal_head.sequence},
             {"hash", journal::to_hex(report.journal_head.hash)}}},
        {"cut", texts(report.cut)},
        {"faults", texts(report.faults)},
    };
}

/// Bytes of a pack that may be hostile go to a terminal: control characters do not.
std::string harmless(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
    }
    return out;
}

void tell(const verify::PackReport& report, bool trusted, cli::Terminal& terminal) {
    if (!report.incident.empty()) {
        terminal.line(harmless(
            "pack of " + report.incident.text() + ", sealed " + report.created_at + " by " +
            report.by + (report.reason.empty() ? "" : ": " + report.reason)
        ));
        terminal.line(
            std::to_string(report.files) + " files, " + std::to_string(report.journal_entries) +
            " journal entries, journal head " + std::to_string(report.journal_head.sequence) + " " +
            journal::to_hex(report.journal_head.hash)
        );
    }
    for (const std::string& each : report.cut) {
        terminal.line(harmless("left out when it was made: " + each));
    }
    for (const std::string& each : report.faults) {
        terminal.line(harmless("FAULT: " + each));
    }
    if (!report.faults.empty()) {
        terminal.line("NOT proved: do not rely on this pack");
    } else if (trusted) {
        terminal.line("whole, and signed with the trusted key " + report.signer);
    } else {
        terminal.line("whole; signed with key " + report.signer + ", which nothing here vouches for");
    }
}

}  // namespace

Result<int> verify_evidence_pack(const EvidenceVerifyOptions& options, cli::Terminal& terminal) {
    verify::PackCheck check;
    check.trusted = TAGOUT_TRY(trusted_key(options));
    check.any_key = options.any_key;
    check.incident = IncidentId(options.incident);
    const std::string bytes = TAGOUT_TRY(content_of(options.file, verify::pack_bytes_max));
    const verify::PackReport report = verify::check_pack(bytes, check);
    if (options.format == cli::Format::Table) {
        tell(report, check.trusted.has_value(), terminal);
    } else {
        terminal.line(
            cli::rendered(tree_of(report, check.trusted.has_value()), options.format)
        );
    }
    return report.faults.empty() ? 0 : 1;
}

}  // namespace tagout::app
