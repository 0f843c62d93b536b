#include "verify/verifier.h"

#include "incident/incident_json.h"
#include "intake/intake.h"
#include "intake/otlp_file.h"
#include "journal/chain.h"
#include "verify/decision_words.h"
#include "verify/otlp_write.h"
#include "verify/timeline_text.h"

#include <boost/json.hpp>

#include <algorithm>
#include <set>

namespace tagout::verify {

namespace {

namespace json = boost::json;

bool is_word(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Whether `text` has `id` as a word of its own: INC-1 does not stand in "INC-12".
bool names(std::string_view text, std::string_view id) noexcept {
    for (std::size_t at = text.find(id); at != std::string_view::npos; at = text.find(id, at + 1)) {
        const std::size_t end = at + id.size();
        if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) {
            return true;
        }
    }
    return false;
}

/// One line for each gateway decision among the items.
std::string decision_lines(const std::vector<journal::EvidenceItem>& items) {
    std::string lines;
    for (const journal::EvidenceItem& item : items) {
        const RawItem raw = journal::raw_of(item);
        const std::optional<DecisionWords> words = decision_of(raw);
        EventBatch batch;
        if (!words || !intake::decode_item(raw, intake::DecodeLimits{}, batch) ||
            batch.events.empty()) {
            continue;
        }
        const AgentEvent& event = batch.events.front();
        json::object line{
            {"at", to_rfc3339(event.started_at)},
            {"correlation", item.correlation},
            {"trace_id", to_hex(event.trace_id)},
            {"span_id", to_hex(event.span_id)},
            {"tool", event.tool_name},
            {"verdict", verdict_name(words->verdict)},
            {"revision", words->revision},
        };
        for (const auto& [name, text] :
             {std::pair("by", &words->by),
              std::pair("reason", &words->reason),
              std::pair("shadow", &words->shadow)}) {
            if (!text->empty()) {
                line[name] = *text;
            }
        }
        if (words->cancelled) {
            line["cancelled"] = true;
        }
        lines += json::serialize(line) + "\n";
    }
    return lines;
}

/// Gathers what one pack holds, within its bounds.
class Gathering {
public:
    Gathering(const PackSources& sources, const VerifyOptions& options, PackDraft& draft)
        : sources_(sources), options_(options), draft_(draft) {}

    Result<void> journal() {
        std::size_t bytes = 0;
        std::uint64_t left_out = 0;
        const std::string& id = draft_.incident.text();
        const Result<void> read =
            sources_.read_journal(1, [&](const journal::JournalEntry& entry) {
                draft_.journal_head = {entry.sequence, entry.hash};
                const journal::EntryDraft& said = entry.draft;
                if (said.subject != id && !names(said.body, id) && !names(said.reason, id)) {
                    return true;
                }
                bytes += said.body.size() + said.reason.size() + said.subject.size();
                if (draft_.journal.size() >= options_.entries_max ||
                    bytes > options_.entry_bytes_max) {
                    ++left_out;
                } else {
                    draft_.journal.push_back(entry);
                }
                return true;
            });
        if (!read && read.error().code != ErrorCode::Corrupt) {
            return read;
        }
        if (!read) {
            // Evidence of a damaged journal is wanted all the more.
            draft_.cut.push_back("the journal is damaged: " + read.error().message);
        }
        if (left_out > 0) {
            draft_.cut.push_back(std::to_string(left_out) + " journal entries found no room");
        }
        return {};
    }

    Result<void> telemetry(const incident::Incident& incident, const Ledger& ledger) {
        for (const std::string& each : correlations(incident, ledger)) {
            TAGOUT_TRY(session(each));
        }
        if (unreadable_ > 0) {
            draft_.cut.push_back(
                std::to_string(unreadable_) + " stored items no longer read and are not in it"
            );
        }
        if (left_out_ > 0) {
            draft_.cut.push_back(std::to_string(left_out_) + " stored items found no room");
        }
        const std::string spans = otlp_message(items_, Signal::Traces);
        const std::string logs = otlp_message(items_, Signal::Logs);
        std::vector<intake::OtlpFile> files;
        if (!spans.empty()) {
            files.push_back({"spans.pb", spans});
        }
        if (!logs.empty()) {
            files.push_back({"logs.pb", logs});
        }
        std::string events;
        if (!files.empty()) {
            for (const std::string& line :
                 TAGOUT_TRY(intake::event_lines_of_files(files, intake::DecodeLimits{}))) {
                events += line + "\n";
            }
        }
        add("events.jsonl", std::move(events));
        add("decisions.jsonl", decision_lines(items_));
        add("spans.pb", spans);
        add("logs.pb", logs);
        return {};
    }

    /// Left out where there is nothing; of two documents of one name the first stands.
    void add(std::string name, std::string content) {
        const bool taken =
            std::ranges::find(draft_.documents, name, &TarFile::name) != draft_.documents.end();
        if (!content.empty() && !taken) {
            draft_.documents.push_back({std::move(name), std::move(content)});
        }
    }

private:
    std::vector<std::string> correlations(
        const incident::Incident& incident, const Ledger& ledger
    ) {
        std::vector<std::string> order;
        std::set<std::string> known;
        const auto note = [&](const std::string& correlation) {
            if (!correlation.empty() && known.insert(correlation).second) {
                order.push_back(correlation);
            }
        };
        for (const Finding& finding : incident.findings) {
            note(finding.correlation.text());
        }
        for (const LedgerRow& row : ledger.rows) {
            if (row.suspect()) {
                note(row.correlation);
            }
        }
        if (order.size() > options_.correlations_max) {
            draft_.cut.push_back(
                "the telemetry of " + std::to_string(order.size() - options_.correlations_max) +
                " sessions past the first " + std::to_string(options_.correlations_max)
            );
            order.resize(options_.correlations_max);
        }
        return order;
    }

    Result<void> session(const std::string& correlation) {
        std::vector<journal::EvidenceItem> found =
            TAGOUT_TRY(sources_.find(correlation, options_.items_max));
        for (journal::EvidenceItem& item : found) {
            EventBatch batch;
            const RawItem raw = journal::raw_of(item);
            if (item.signal == Signal::Metrics) {
                continue;
            }
            if (!intake::decode_item(raw, intake::DecodeLimits{}, batch) || batch.rejected > 0) {
                ++unreadable_;
                continue;
            }
            if (!seen_.insert(journal::to_hex(sha256(item.resource + item.scope + item.bytes))).second) {
                continue;  // found under its trace and under its conversation
            }
            bytes_ += item.bytes.size() + item.resource.size() + item.scope.size();
            if (items_.size() >= options_.items_max || bytes_ > options_.item_bytes_max) {
                ++left_out_;
            } else {
                items_.push_back(std::move(item));
            }
        }
        return {};
    }

    const PackSources& sources_;
    const VerifyOptions& options_;
    PackDraft& draft_;
    std::vector<journal::EvidenceItem> items_;
    std::set<std::string> seen_;
    std::size_t bytes_ = 0;
    std::uint64_t unreadable_ = 0;
    std::uint64_t left_out_ = 0;
};

}  // namespace

Verifier::Verifier(PackSources sources, const VerifyOptions& options)
    : sources_(std::move(sources)), options_(options) {}

Result<Ledger> Verifier::judge(const incident::Incident& incident, Instant now) const {
    const std::shared_ptr<const catalog::Catalog> catalog = sources_.catalog();
    const LedgerParts parts{*catalog, sources_.scan, sources_.find, sources_.decide_today};
    return judge_ledger(parts, incident, options_.ledger, now);
}

Result<Ledger> Verifier::ledger(const IncidentId& id) const {
    return judge(TAGOUT_TRY(sources_.incident(id)), sources_.clock.now());
}

Result<PublicKey> Verifier::key() const {
    const SigningKey key = TAGOUT_TRY(sources_.key());
    return key.public_key();
}

Result<SealedPack> Verifier::export_pack(const IncidentId& id, const incident::By& by) const {
    const incident::Incident incident = TAGOUT_TRY(sources_.incident(id));
    const SigningKey key = TAGOUT_TRY(sources_.key());
    const Instant now = sources_.clock.now();
    const Ledger ledger = TAGOUT_TRY(judge(incident, now));
    PackDraft draft;
    draft.incident = incident.id;
    draft.by = by.actor;
    draft.reason = by.reason;
    draft.created_at = now;
    draft.tagout_version = sources_.tagout_version;
    draft.cut = ledger.cut;
    Gathering gathering(sources_, options_, draft);
    gathering.add(
        std::string(incident_name), incident::to_json(incident, incident::Detail::Full) + "\n"
    );
    gathering.add("timeline.md", timeline_text(incident, ledger));
    gathering.add(
        "ledger.json",
        json::serialize(tree_of(ledger, LedgerRows::All, options_.ledger.rows_max)) + "\n"
    );
    if (sources_.documents) {
        for (TarFile& document : TAGOUT_TRY(sources_.documents(incident))) {
            gathering.add(std::move(document.name), std::move(document.content));
        }
    }
    TAGOUT_TRY(gathering.telemetry(incident, ledger));
    TAGOUT_TRY(gathering.journal());
    SealedPack pack;
    pack.bytes = TAGOUT_TRY(seal_pack(draft, key));
    pack.sha256 = journal::to_hex(sha256(pack.bytes));
    pack.file_name = incident.id.text() + "-evidence.tar";
    const json::object body{
        {"sha256", pack.sha256},
        {"bytes", pack.bytes.size()},
        {"signer", fingerprint(key.public_key())},
        {"files", draft.documents.size() + 1},
        {"cut", draft.cut.size()},
    };
    TAGOUT_TRY(sources_.record(
        {"evidence.exported", incident.id.text(), by.actor, by.reason, now, json::serialize(body)}
    ));
    return pack;
}

}  // namespace tagout::verify
