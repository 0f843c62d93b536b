#include "verify/evidence_pack.h"

#include "journal/chain.h"
#include "verify/pack_manifest.h"

#include <boost/json.hpp>

#include <algorithm>
#include <set>

namespace tagout::verify {

namespace {

namespace json = boost::json;

constexpr unsigned line_depth_max = 8;

/// A text of an entry: as it is where JSON can say it, else {"hex": ...}, so that no byte is lost.
json::value value_of(const std::string& text) {
    boost::system::error_code error;
    const std::string written = json::serialize(json::string_view(text));
    const json::value read = json::parse(written, error);
    if (!error && read.is_string() && read.as_string() == text) {
        return json::string(text);
    }
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        hex += digits[byte >> 4U];
        hex += digits[byte & 15U];
    }
    return json::object{{"hex", hex}};
}

std::optional<std::string> text_of(const json::object& line, std::string_view name) {
    const json::value* const value = line.if_contains(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (value->is_string()) {
        return std::string(value->as_string());
    }
    const json::value* const hex =
        value->is_object() ? value->as_object().if_contains("hex") : nullptr;
    if (hex == nullptr || !hex->is_string() || hex->as_string().size() % 2 != 0) {
        return std::nullopt;
    }
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < hex->as_string().size(); i += 2) {
        const std::size_t high = digits.find(hex->as_string()[i]);
        const std::size_t low = digits.find(hex->as_string()[i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) {
            return std::nullopt;
        }
        text += static_cast<char>(high << 4U | low);
    }
    return text;
}

std::optional<std::int64_t> number_of(const json::object& line, std::string_view name) {
    const json::value* const value = line.if_contains(name);
    if (value == nullptr || !value->is_number() || value->is_double()) {
        return std::nullopt;
    }
    boost::system::error_code error;
    const auto number = value->to_number<std::int64_t>(error);
    return error ? std::nullopt : std::optional(number);
}

std::optional<journal::Digest> digest_of(const json::object& line, std::string_view name) {
    const json::value* const value = line.if_contains(name);
    return value != nullptr && value->is_string()
               ? journal::digest_of_hex(std::string_view(value->as_string()))
               : std::nullopt;
}

/// One pack's bytes against everything that they must agree with.
class Checker {
public:
    Checker(std::string_view bytes, const PackCheck& check) : bytes_(bytes), check_(check) {}

    PackReport run() {
        if (bytes_.size() > pack_bytes_max) {
            fault("over 256 MiB: no pack is that large");
            return std::move(report_);
        }
        reading_ = read_tar(bytes_);
        for (std::string& each : reading_.faults) {
            fault(std::move(each));
        }
        const TarView* const manifest_file = find(manifest_name);
        check_signature(manifest_file);
        if (manifest_file == nullptr) {
            return std::move(report_);
        }
        Result<Manifest> manifest = parse_manifest(manifest_file->content);
        if (!manifest) {
            fault("manifest.json is no manifest: " + manifest.error().message);
            return std::move(report_);
        }
        tell(*manifest);
        check_files(*manifest);
        check_order(*manifest);
        check_journal(*manifest);
        check_incident(*manifest);
        return std::move(report_);
    }

private:
    void fault(std::string what) {
        if (report_.faults.size() < pack_faults_max) {
            report_.faults.push_back(std::move(what));
        }
    }

    [[nodiscard]] const TarView* find(std::string_view name) const {
        const auto found = std::ranges::find(reading_.files, name, &TarView::name);
        return found == reading_.files.end() ? nullptr : &*found;
    }

    void check_signature(const TarView* manifest) {
        const TarView* const signature = find(signature_name);
        const TarView* const key_file = find(public_key_name);
        if (manifest == nullptr) {
            fault("manifest.json is missing: this is no evidence pack, or it was taken out");
        }
        if (signature == nullptr) {
            fault("manifest.sig is missing: nothing proves this pack");
        }
        if (key_file == nullptr) {
            fault("evidence.pub is missing");
            return;
        }
        const Result<PublicKey> key = parse_public_key(key_file->content);
        if (!key || key_file->content != to_text(*key) + "\n") {
            fault("evidence.pub was changed: it holds no public key as Tagout writes one");
            return;
        }
        report_.signer = fingerprint(*key);
        key_ = to_text(*key);
        if (manifest != nullptr && signature != nullptr &&
            (!signature->content.ends_with('\n') ||
             !is_signed_by(
                 *key,
                 manifest->content,
                 signature->content.substr(0, signature->content.size() - 1)
             ))) {
            fault(
                "the signature does not fit: manifest.json, manifest.sig or evidence.pub was changed"
            );
        }
        check_signer(*key);
    }

    void check_signer(const PublicKey& key) {
        if (check_.trusted) {
            if (key != *check_.trusted) {
                fault(
                    "forged or of another server: it is signed with key " + fingerprint(key) +
                    ", the trusted key is " + fingerprint(*check_.trusted)
                );
            }
        } else if (!check_.any_key) {
            fault(
                "the signer is unknown: it is signed with key " + fingerprint(key) +
                " and no trusted key is at hand; --key names the server's evidence.pub, --any-key "
                "checks that the pack is whole and trusts whoever signed it"
            );
        }
    }

    void tell(const Manifest& manifest) {
        report_.incident = manifest.incident;
        report_.created_at = manifest.created_at;
        report_.by = manifest.by;
        report_.reason = manifest.reason;
        report_.tagout_version = manifest.tagout_version;
        report_.files = manifest.files.size();
        report_.journal_entries = manifest.journal.size();
        report_.journal_head = manifest.head;
        report_.cut = manifest.cut;
        if (!key_.empty() && manifest.signer != key_) {
            fault("evidence.pub is another key than manifest.json names");
        }
        if (reading_.modified_at_s != manifest.created_at_s) {
            fault("the files' time in the archive is not the one that manifest.json states");
        }
        if (!check_.incident.empty() && check_.incident != manifest.incident) {
            fault(
                "this is a pack of " + manifest.incident.text() + ", not of " +
                check_.incident.text()
            );
        }
    }

    void check_files(const Manifest& manifest) {
        std::vector<ManifestFile> anew = manifest.files;
        chain_files(anew);
        for (std::size_t i = 0; i < manifest.files.size(); ++i) {
            const ManifestFile& listed = manifest.files[i];
            if (anew[i].chain != listed.chain) {
                fault("the chain of files breaks at '" + listed.name + "'");
                break;
            }
        }
        for (const ManifestFile& listed : manifest.files) {
            const TarView* const file = find(listed.name);
            if (file == nullptr) {
                fault("'" + listed.name + "' is missing");
            } else if (file->content.size() != listed.size) {
                fault(
                    "'" + listed.name + "' was changed: it has " +
                    std::to_string(file->content.size()) + " bytes, the manifest says " +
                    std::to_string(listed.size)
                );
            } else if (journal::to_hex(sha256(file->content)) != listed.sha256) {
                fault("'" + listed.name + "' was changed: its SHA-256 is not the manifest's");
            }
        }
    }

    void check_order(const Manifest& manifest) {
        std::vector<std::string_view> wanted{manifest_name, signature_name, public_key_name};
        for (const ManifestFile& listed : manifest.files) {
            wanted.push_back(listed.name);
        }
        std::vector<std::string_view> there;
        for (const TarView& file : reading_.files) {
            if (std::ranges::find(wanted, file.name) == wanted.end()) {
                fault("'" + std::string(file.name) + "' was added: the manifest does not name it");
            } else {
                there.push_back(file.name);
            }
        }
        std::erase_if(wanted, [&](std::string_view name) { return find(name) == nullptr; });
        const auto [want, is] = std::ranges::mismatch(wanted, there);
        if (want != wanted.end() && is != there.end()) {
            fault(
                "the files are not in the manifest's order: '" + std::string(*is) +
                "' stands where '" + std::string(*want) + "' belongs"
            );
        }
    }

    void check_journal(const Manifest& manifest) {
        const TarView* const file = find(journal_name);
        if (file == nullptr) {
            return;  // named by check_files, or a pack without entries
        }
        std::string_view rest = file->content;
        std::size_t index = 0;
        journal::JournalEntry before;
        while (!rest.empty()) {
            const std::size_t end = rest.find('\n');
            const std::string place = "journal.jsonl line " + std::to_string(index + 1);
            Result<journal::JournalEntry> entry = entry_of_line(rest.substr(0, end));
            if (end == std::string_view::npos || !entry) {
                fault(place + " is no journal entry as Tagout writes one");
                return;
            }
            check_entry(*entry, index < manifest.journal.size() ? &manifest.journal[index] : nullptr);
            if (index > 0 && entry->sequence <= before.sequence) {
                fault(place + ": the entries are not in order");
            }
            if (index > 0 && entry->sequence == before.sequence + 1 &&
                entry->previous != before.hash) {
                fault(place + " does not follow on the entry before: the chain breaks there");
            }
            if (entry->sequence > manifest.head.sequence ||
                (entry->sequence == manifest.head.sequence && entry->hash != manifest.head.hash)) {
                fault(place + " disagrees with the journal's head in the manifest");
            }
            before = std::move(*entry);
            rest.remove_prefix(end + 1);
            ++index;
        }
        if (index != manifest.journal.size()) {
            fault(
                "journal.jsonl has " + std::to_string(index) + " entries, the manifest names " +
                std::to_string(manifest.journal.size())
            );
        }
    }

    void check_entry(const journal::JournalEntry& entry, const ManifestEntry* listed) {
        const std::string name = "journal entry " + std::to_string(entry.sequence);
        if (journal::hash_of(entry) != entry.hash) {
            fault(name + " was altered: its hash does not match its content");
        }
        if (listed != nullptr &&
            (listed->sequence != entry.sequence || listed->hash != journal::to_hex(entry.hash))) {
            fault(name + " is not the one that the manifest names at its place");
        }
    }

    void check_incident(const Manifest& manifest) {
        const TarView* const file = find(incident_name);
        if (file == nullptr) {
            if (std::ranges::find(manifest.files, incident_name, &ManifestFile::name) ==
                manifest.files.end()) {
                fault("it holds no incident.json");
            }
            return;
        }
        boost::system::error_code error;
        const json::value tree = json::parse(file->content, error);
        const json::value* const id =
            !error && tree.is_object() ? tree.as_object().if_contains("id") : nullptr;
        if (id == nullptr || !id->is_string()) {
            fault("incident.json is no incident");
        } else if (std::string_view(id->as_string()) != manifest.incident.text()) {
            fault(
                "incident.json is of another incident (" + std::string(id->as_string()) +
                ") than the manifest (" + manifest.incident.text() + ")"
            );
        }
    }

    std::string_view bytes_;
    const PackCheck& check_;
    TarReading reading_;
    std::string key_;  ///< Of evidence.pub, "" if there is none.
    PackReport report_;
};

Result<void> check_draft(const PackDraft& draft) {
    constexpr std::size_t own_files = 4;
    if (draft.documents.size() + own_files > tar_files_max) {
        return fail(ErrorCode::LimitExceeded, "a pack holds at most 60 documents");
    }
    std::set<std::string_view> names{manifest_name, signature_name, public_key_name, journal_name};
    std::size_t bytes = 0;
    for (const TarFile& document : draft.documents) {
        if (!is_tar_name(document.name) || !names.insert(document.name).second) {
            return fail(
                ErrorCode::InvalidArgument,
                "'" + document.name + "' cannot be a pack's document: no valid name, or taken"
            );
        }
        bytes += document.content.size();
    }
    if (bytes > pack_bytes_max / 2) {
        return fail(ErrorCode::LimitExceeded, "the documents are over 128 MiB together");
    }
    return {};
}

}  // namespace

std::string journal_line(const journal::JournalEntry& entry) {
    return json::serialize(json::object{
        {"sequence", entry.sequence},
        {"recorded_at", to_rfc3339(entry.recorded_at)},
        {"recorded_at_ns", unix_nanos(entry.recorded_at)},
        {"occurred_at_ns", unix_nanos(entry.draft.occurred_at)},
        {"kind", value_of(entry.draft.kind)},
        {"subject", value_of(entry.draft.subject)},
        {"actor", value_of(entry.draft.actor.text())},
        {"reason", value_of(entry.draft.reason)},
        {"body", value_of(entry.draft.body)},
        {"previous", journal::to_hex(entry.previous)},
        {"hash", journal::to_hex(entry.hash)},
    });
}

Result<journal::JournalEntry> entry_of_line(std::string_view line) {
    json::parse_options options;
    options.max_depth = line_depth_max;
    boost::system::error_code error;
    const json::value tree = json::parse(line, error, {}, options);
    if (error || !tree.is_object()) {
        return fail(ErrorCode::InvalidArgument, "no JSON object");
    }
    const json::object& object = tree.as_object();
    const auto sequence = number_of(object, "sequence");
    const auto recorded = number_of(object, "recorded_at_ns");
    const auto occurred = number_of(object, "occurred_at_ns");
    const auto kind = text_of(object, "kind");
    const auto subject = text_of(object, "subject");
    const auto actor = text_of(object, "actor");
    const auto reason = text_of(object, "reason");
    const auto body = text_of(object, "body");
    const auto previous = digest_of(object, "previous");
    const auto hash = digest_of(object, "hash");
    if (!sequence || *sequence < 0 || !recorded || !occurred || !kind || !subject || !actor ||
        !reason || !body || !previous || !hash) {
        return fail(ErrorCode::InvalidArgument, "a member is missing or no value of its kind");
    }
    journal::JournalEntry entry{
        static_cast<std::uint64_t>(*sequence),
        Instant(Duration(*recorded)),
        {*kind, *subject, Actor(*actor), *reason, Instant(Duration(*occurred)), *body},
        *previous,
        *hash};
    if (journal_line(entry) != line) {
        return fail(ErrorCode::InvalidArgument, "not in the form that Tagout writes");
    }
    return entry;
}

Result<std::string> seal_pack(const PackDraft& draft, const SigningKey& key) {
    TAGOUT_TRY(check_draft(draft));
    std::vector<TarFile> files{
        {std::string(manifest_name), ""},
        {std::string(signature_name), ""},
        {std::string(public_key_name), to_text(key.public_key()) + "\n"}};
    files.insert(files.end(), draft.documents.begin(), draft.documents.end());
    std::string journal;
    Manifest manifest;
    for (const journal::JournalEntry& entry : draft.journal) {
        journal += journal_line(entry) + "\n";
        manifest.journal.push_back({entry.sequence, journal::to_hex(entry.hash)});
    }
    files.push_back({std::string(journal_name), std::move(journal)});
    manifest.incident = draft.incident;
    manifest.created_at = to_rfc3339(draft.created_at);
    manifest.created_at_s = std::max<std::int64_t>(0, unix_nanos(draft.created_at) / 1'000'000'000);
    manifest.by = draft.by.text();
    manifest.reason = draft.reason;
    manifest.tagout_version = draft.tagout_version;
    manifest.signer = to_text(key.public_key());
    manifest.head = draft.journal_head;
    manifest.cut = draft.cut;
    for (std::size_t i = 3; i < files.size(); ++i) {
        manifest.files.push_back(
            {files[i].name,
             files[i].content.size(),
             journal::to_hex(sha256(files[i].content)),
             ""}
        );
    }
    chain_files(manifest.files);
    files[0].content = to_json(manifest);
    files[1].content = key.sign(files[0].content) + "\n";
    std::string bytes = write_tar(files, manifest.created_at_s);
    if (bytes.size() > pack_bytes_max) {
        return fail(ErrorCode::LimitExceeded, "the pack would be over 256 MiB");
    }
    return bytes;
}

PackReport check_pack(std::string_view bytes, const PackCheck& check) {
    return Checker(bytes, check).run();
}

}  // namespace tagout::verify
