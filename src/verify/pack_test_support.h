// A small pack for this room's tests: two documents and three chained entries.
#pragma once

#include "journal/chain.h"
#include "verify/evidence_pack.h"

#include <string>

namespace tagout::verify {

inline journal::JournalEntry sample_entry(
    std::uint64_t sequence, const journal::Digest& previous, std::string body = "{}"
) {
    journal::JournalEntry entry;
    entry.sequence = sequence;
    entry.recorded_at = Instant(std::chrono::seconds(1'800'000'000) + Duration(sequence));
    entry.draft = {
        "incident.note", "INC-7", Actor("person:ann"), "seen on the phone", entry.recorded_at, body};
    entry.previous = previous;
    entry.hash = journal::hash_of(entry);
    return entry;
}

inline PackDraft sample_draft() {
    PackDraft draft;
    draft.incident = IncidentId("INC-7");
    draft.by = Actor("person:ann");
    draft.reason = "for the auditors";
    draft.created_at = Instant(std::chrono::seconds(1'800'000'100));
    draft.tagout_version = "0.1.0";
    draft.journal.push_back(sample_entry(4, {}));
    draft.journal.push_back(sample_entry(5, draft.journal[0].hash));
    draft.journal.push_back(sample_entry(9, {}, "{\"text\":\"caf\xc3\xa9\"}"));
    draft.journal_head = {9, draft.journal[2].hash};
    draft.documents = {
        {"incident.json", "{\"id\":\"INC-7\"}"},
        {"timeline.md", std::string(600, 't') + "\n"},
    };
    return draft;
}

inline SigningKey sample_key(char digit = '1') {
    return SigningKey::parse(std::string(64, digit)).value();
}

}  // namespace tagout::verify
