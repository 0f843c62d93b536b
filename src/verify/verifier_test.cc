#include "verify/verifier.h"

#include "intake/otlp_file.h"
#include "store/memory/evidence_log.h"
#include "store/memory/journal_store.h"
#include "verify/pack_test_support.h"
#include "verify/telemetry_test_support.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace tagout::verify {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class VerifierTest : public testing::Test {
protected:
    VerifierTest() {
        journal = journal::Journal::open(std::make_unique<store::MemoryJournalStore>(), clock).value();
        incident.id = IncidentId("INC-7");
        incident.title = "refund-agent pays | what nobody asked for";
        incident.agent = AgentName("refund-agent");
        incident.anchors.onset_at = second(100);
        incident.timeline.push_back(
            {1, second(100), second(100), "incident.opened", "signal", Actor("tagout"),
             "Opened by tool.unexpected_write", "", ""}
        );
        Finding finding;
        finding.signal = "tool.unexpected_write";
        finding.correlation = CorrelationId("conv-1");
        incident.findings.push_back(finding);
        incident.finding_count = 1;
        note("incident.opened", "INC-7", "{}");
        note("notice.told", "mail", R"({"incident":"INC-7"})");
        note("incident.opened", "INC-77", "{}");
        note("config.reloaded", "config", "{}", "because of INC-7");
        clock.set(second(200));
    }

    void note(std::string kind, std::string subject, std::string body, std::string reason = "") {
        const journal::EntryDraft draft{kind, subject, Actor("tagout"), reason, clock.now(), body};
        ASSERT_TRUE(journal->append(std::span(&draft, 1)).has_value());
    }

    Verifier verifier(const VerifyOptions& options = {}) {
        return Verifier(
            {clock,
             [] { return std::make_shared<const catalog::Catalog>(); },
             [this](const IncidentId& id) -> Result<incident::Incident> {
                 if (id != incident.id) {
                     return fail(ErrorCode::NotFound, "there is no " + id.text());
                 }
                 return incident;
             },
             [this](Instant from, Instant to, const auto& visit) {
                 return telemetry.log.scan(from, to, visit);
             },
             [this](std::string_view correlation, std::size_t limit) {
                 return telemetry.log.find(correlation, limit);
             },
             {},
             [this](std::uint64_t first, const auto& visit) { return journal->read(first, visit); },
             [this](const journal::EntryDraft& draft) -> Result<void> {
                 if (record_fails) {
                     return fail(ErrorCode::Unavailable, "the disk is full");
                 }
                 TAGOUT_TRY(journal->append(std::span(&draft, 1)));
                 return {};
             },
             [] { return Result<SigningKey>(sample_key()); },
             [this](const incident::Incident&) { return Result<std::vector<TarFile>>(documents); },
             "0.1.0"},
            options
        );
    }

    static std::string file_of(std::string_view pack, std::string_view name) {
        for (const TarView& file : read_tar(pack).files) {
            if (file.name == name) {
                return std::string(file.content);
            }
        }
        return "(none)";
    }

    ManualClock clock{second(0)};
    store::MemoryEvidenceLog evidence{clock};
    Telemetry telemetry{evidence};
    std::unique_ptr<journal::Journal> journal;
    incident::Incident incident;
    std::vector<TarFile> documents{{"versions.json", "{}"}, {"review.json", ""}};
    bool record_fails = false;
    const incident::By by{Actor("person:ann"), "for the auditors"};
};

TEST_F(VerifierTest, APackHoldsTheIncidentsEvidenceAndIsWhole) {
    telemetry.send(
        {gateway_span(1, 3, 2, 101.2, "refund"), tool_span(1, 2, 1, 101, "refund"),
         agent_span(1, 1, 100, 110, "refund-agent")}
    );
    telemetry.send({tool_span(2, 2, 1, 101, "refund"), agent_span(2, 1, 100, 110, "other")});
    const SealedPack pack = verifier().export_pack(IncidentId("INC-7"), by).value();
    const PackReport report =
        check_pack(pack.bytes, {sample_key().public_key(), false, IncidentId("INC-7")});
    EXPECT_THAT(report.faults, IsEmpty());
    EXPECT_THAT(report.cut, IsEmpty());
    EXPECT_EQ(report.journal_entries, 3U) << "INC-77 is another incident";
    EXPECT_EQ(report.journal_head.sequence, 4U);
    EXPECT_EQ(pack.file_name, "INC-7-evidence.tar");

    const std::string spans = file_of(pack.bytes, "spans.pb");
    const intake::OtlpFile file{"spans.pb", spans};
    EXPECT_EQ(intake::read_otlp_files(std::span(&file, 1), {}).value()->events.size(), 3U);
    const std::string events = file_of(pack.bytes, "events.jsonl");
    EXPECT_EQ(std::ranges::count(events, '\n'), 3);
    EXPECT_THAT(file_of(pack.bytes, "decisions.jsonl"), HasSubstr(R"("verdict":"allow")"));
    EXPECT_THAT(file_of(pack.bytes, "ledger.json"), HasSubstr(R"("source":"both")"));
    EXPECT_THAT(file_of(pack.bytes, "timeline.md"), HasSubstr("pays \\| what nobody asked for"));
    EXPECT_THAT(file_of(pack.bytes, "timeline.md"), HasSubstr("Opened by tool.unexpected\\_write"));
    EXPECT_EQ(file_of(pack.bytes, "versions.json"), "{}");
    EXPECT_EQ(file_of(pack.bytes, "review.json"), "(none)") << "nothing was handed in";
}

TEST_F(VerifierTest, AnExportIsJournaledWithThePacksHashOrNotHandedOut) {
    const SealedPack pack = verifier().export_pack(IncidentId("INC-7"), by).value();
    std::vector<journal::JournalEntry> entries;
    ASSERT_TRUE(journal->read(1, [&](const journal::JournalEntry& entry) {
        entries.push_back(entry);
        return true;
    }).has_value());
    EXPECT_EQ(entries.back().draft.kind, "evidence.exported");
    EXPECT_EQ(entries.back().draft.subject, "INC-7");
    EXPECT_EQ(entries.back().draft.reason, "for the auditors");
    EXPECT_THAT(entries.back().draft.body, HasSubstr(pack.sha256));
    record_fails = true;
    EXPECT_EQ(
        verifier().export_pack(IncidentId("INC-7"), by).error().code, ErrorCode::Unavailable
    );
}

TEST_F(VerifierTest, WhatABoundLeftOutStandsInTheManifest) {
    telemetry.send(
        {tool_span(1, 2, 1, 101, "refund"), agent_span(1, 1, 100, 110, "refund-agent")}
    );
    telemetry.send_broken("conv-1", second(102));
    VerifyOptions options;
    options.items_max = 2;
    options.entries_max = 1;
    const SealedPack pack = verifier(options).export_pack(IncidentId("INC-7"), by).value();
    const PackReport report = check_pack(pack.bytes, {sample_key().public_key(), false, {}});
    EXPECT_THAT(report.faults, IsEmpty());
    EXPECT_THAT(report.cut, Contains("2 journal entries found no room"));
    options = {};
    options.item_bytes_max = 10;
    options.correlations_max = 0;
    const SealedPack none = verifier(options).export_pack(IncidentId("INC-7"), by).value();
    EXPECT_THAT(
        check_pack(none.bytes, {sample_key().public_key(), false, {}}).cut,
        Contains(HasSubstr("the telemetry of 1 sessions past the first 0"))
    );
}

TEST_F(VerifierTest, BrokenTelemetryIsCountedAndThePackStands) {
    telemetry.send({tool_span(1, 2, 1, 101, "refund"), agent_span(1, 1, 100, 110, "refund-agent")});
    telemetry.send_broken("conv-1", second(102));
    const SealedPack pack = verifier().export_pack(IncidentId("INC-7"), by).value();
    const PackReport report = check_pack(pack.bytes, {sample_key().public_key(), false, {}});
    EXPECT_THAT(report.faults, IsEmpty());
    EXPECT_THAT(report.cut, Contains("1 stored items no longer read and are not in it"));
    EXPECT_THAT(file_of(pack.bytes, "ledger.json"), HasSubstr(R"("unreadable":1)"));
}

/// Every name of a pack's file, and every member of its manifest and journal lines, stands in the page.
TEST_F(VerifierTest, TheReferencePageNamesAllThatAPackHolds) {
    std::ifstream file(std::string(TAGOUT_SOURCE_DIR) + "/docs/reference/evidence-pack.md");
    const std::string page((std::istreambuf_iterator<char>(file)), {});
    telemetry.send(
        {gateway_span(1, 3, 2, 101.2, "refund"), tool_span(1, 2, 1, 101, "refund"),
         agent_span(1, 1, 100, 110, "refund-agent")}
    );
    const SealedPack pack = verifier().export_pack(IncidentId("INC-7"), by).value();
    const auto expect_named = [&page](std::string_view name) {
        EXPECT_THAT(page, HasSubstr("`" + std::string(name) + "`"));
    };
    for (const TarView& each : read_tar(pack.bytes).files) {
        expect_named(each.name);
    }
    const auto expect_members = [&](const std::string& text) {
        const boost::json::value tree = boost::json::parse(text);
        for (const auto& [name, value] : tree.as_object()) {
            expect_named(name);
            for (const auto& [inner, more] :
                 value.is_object() ? value.as_object() : boost::json::object()) {
                expect_named(inner);
            }
        }
    };
    expect_members(file_of(pack.bytes, "manifest.json"));
    const std::string journal_file = file_of(pack.bytes, "journal.jsonl");
    expect_members(journal_file.substr(0, journal_file.find('\n')));
    EXPECT_THAT(page, HasSubstr("At most " + std::to_string(tar_files_max) + " files"));
    EXPECT_THAT(page, HasSubstr(std::to_string(pack_bytes_max >> 20U) + " MiB"));
    EXPECT_THAT(page, HasSubstr(std::string(journal::chain_tag)));
}

TEST_F(VerifierTest, AnUnknownIncidentIsNotFound) {
    EXPECT_EQ(verifier().ledger(IncidentId("INC-8")).error().code, ErrorCode::NotFound);
    EXPECT_EQ(
        verifier().export_pack(IncidentId("INC-8"), by).error().code, ErrorCode::NotFound
    );
    EXPECT_EQ(verifier().key().value(), sample_key().public_key());
}

}  // namespace
}  // namespace tagout::verify
