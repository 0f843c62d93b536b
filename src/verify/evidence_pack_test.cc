#include "verify/evidence_pack.h"

#include "base/prng.h"
#include "verify/pack_manifest.h"
#include "verify/pack_test_support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>

namespace tagout::verify {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

PackCheck trusting(const SigningKey& key) {
    return {key.public_key(), false, {}};
}

std::vector<std::string> faults_of(std::string_view bytes, const PackCheck& check) {
    return check_pack(bytes, check).faults;
}

std::vector<TarFile> files_of(std::string_view bytes) {
    std::vector<TarFile> files;
    for (const TarView& view : read_tar(bytes).files) {
        files.push_back({std::string(view.name), std::string(view.content)});
    }
    return files;
}

std::int64_t time_of(std::string_view bytes) {
    return read_tar(bytes).modified_at_s;
}

/// Makes manifest and signature anew over changed files, as somebody with a key would.
std::string signed_anew(std::vector<TarFile> files, std::int64_t time, const SigningKey& key) {
    Manifest manifest = parse_manifest(files[0].content).value();
    manifest.signer = to_text(key.public_key());
    manifest.files.clear();
    for (std::size_t i = 3; i < files.size(); ++i) {
        manifest.files.push_back(
            {files[i].name, files[i].content.size(), journal::to_hex(sha256(files[i].content)), ""}
        );
    }
    chain_files(manifest.files);
    files[0].content = to_json(manifest);
    files[1].content = key.sign(files[0].content) + "\n";
    files[2].content = to_text(key.public_key()) + "\n";
    return write_tar(files, time);
}

TEST(EvidencePack, IsWholeAsItWasSealedAndTheSameEachTime) {
    const SigningKey key = sample_key();
    const std::string pack = seal_pack(sample_draft(), key).value();
    EXPECT_EQ(pack, seal_pack(sample_draft(), key).value());
    const PackReport report = check_pack(pack, {key.public_key(), false, IncidentId("INC-7")});
    EXPECT_THAT(report.faults, IsEmpty());
    EXPECT_EQ(report.incident.text(), "INC-7");
    EXPECT_EQ(report.by, "person:ann");
    EXPECT_EQ(report.reason, "for the auditors");
    EXPECT_EQ(report.created_at, "2027-01-15T08:01:40.000Z");
    EXPECT_EQ(report.signer, fingerprint(key.public_key()));
    EXPECT_EQ(report.files, 3U);
    EXPECT_EQ(report.journal_entries, 3U);
    EXPECT_EQ(report.journal_head.sequence, 9U);
}

TEST(EvidencePack, EveryFlippedByteIsFound) {
    const SigningKey key = sample_key();
    const std::string whole = seal_pack(sample_draft(), key).value();
    std::string pack = whole;
    for (std::size_t at = 0; at < pack.size(); ++at) {
        // A bit, a letter's case, nearly all: in turn, and of the zero bytes each.
        constexpr std::array masks{'\x01', '\x20', '\x7f'};
        pack[at] = static_cast<char>(pack[at] ^ masks[at % masks.size()]);
        ASSERT_THAT(faults_of(pack, {std::nullopt, true, {}}), Not(IsEmpty())) << "byte " << at;
        pack[at] = whole[at];
    }
    EXPECT_THAT(faults_of(pack, trusting(key)), IsEmpty());
}

/// Packs of today must verify for years: the format is pinned by bytes, which also seed the fuzzer.
TEST(EvidencePack, TheFormatIsAsItWas) {
    const std::string path = std::string(TAGOUT_SOURCE_DIR) + "/fuzz/corpus/pack_fuzz/whole.tar";
    const std::string pack = seal_pack(sample_draft(), sample_key()).value();
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {
        std::ofstream(path, std::ios::binary) << pack;
    }
    std::ifstream file(path, std::ios::binary);
    const std::string kept((std::istreambuf_iterator<char>(file)), {});
    EXPECT_TRUE(kept == pack) << "another format needs another pack_format, and must read this one";
    EXPECT_THAT(faults_of(kept, trusting(sample_key())), IsEmpty());
}

TEST(EvidencePack, MangledPacksAreNeverWholeAndNeverCrash) {
    const std::string whole = seal_pack(sample_draft(), sample_key()).value();
    Prng prng(7);
    for (int round = 0; round < 5'000; ++round) {
        std::string pack = whole;
        const auto at = [&] { return static_cast<std::size_t>(prng.below(pack.size())); };
        for (std::uint64_t times = 1 + prng.below(4); times > 0 && !pack.empty(); --times) {
            switch (prng.below(5)) {
                case 0:
                    pack[at()] = static_cast<char>(prng.below(256));
                    break;
                case 1:
                    pack.erase(at(), prng.below(700));
                    break;
                case 2:
                    pack.insert(at(), pack.substr(at(), prng.below(700)));
                    break;
                case 3: {  // whole blocks change places, so that the headers stay readable
                    const std::size_t block = at() / tar_block_bytes * tar_block_bytes;
                    const std::string moved = pack.substr(block, tar_block_bytes);
                    pack.erase(block, tar_block_bytes);
                    pack.insert(pack.empty() ? 0 : at() / tar_block_bytes * tar_block_bytes, moved);
                    break;
                }
                default:
                    pack[std::min(
                        at() / tar_block_bytes * tar_block_bytes + prng.below(257), pack.size() - 1
                    )] ^= 1;
                    break;
            }
        }
        if (pack != whole) {
            ASSERT_THAT(faults_of(pack, {std::nullopt, true, {}}), Not(IsEmpty())) << round;
        }
    }
}

TEST(EvidencePack, EveryTruncationAndEveryTailIsFound) {
    const SigningKey key = sample_key();
    const std::string pack = seal_pack(sample_draft(), key).value();
    for (std::size_t size = 0; size < pack.size(); size += size % 7 + 1) {
        ASSERT_THAT(faults_of(pack.substr(0, size), trusting(key)), Not(IsEmpty())) << size;
    }
    EXPECT_THAT(
        faults_of(pack + std::string(512, '\0'), trusting(key)),
        ElementsAre(HasSubstr("512 bytes stand behind the end"))
    );
}

TEST(EvidencePack, WhatWasChangedIsNamed) {
    const SigningKey key = sample_key();
    const std::string pack = seal_pack(sample_draft(), key).value();
    const auto rewritten = [&](const std::function<void(std::vector<TarFile>&)>& change) {
        std::vector<TarFile> files = files_of(pack);
        change(files);
        return faults_of(write_tar(files, time_of(pack)), trusting(key));
    };
    EXPECT_THAT(
        rewritten([](auto& files) { files[4].content[0] = 'T'; }),
        ElementsAre(HasSubstr("'timeline.md' was changed: its SHA-256"))
    );
    EXPECT_THAT(
        rewritten([](auto& files) { files.erase(files.begin() + 4); }),
        ElementsAre(HasSubstr("'timeline.md' is missing"))
    );
    EXPECT_THAT(
        rewritten([](auto& files) { files.push_back({"extra.json", "{}"}); }),
        ElementsAre(HasSubstr("'extra.json' was added"))
    );
    EXPECT_THAT(
        rewritten([](auto& files) { std::swap(files[3], files[4]); }),
        ElementsAre(HasSubstr("'timeline.md' stands where 'incident.json' belongs"))
    );
    EXPECT_THAT(
        rewritten([](auto& files) { files.erase(files.begin() + 1); }),
        Contains(HasSubstr("manifest.sig is missing"))
    );
    EXPECT_THAT(
        rewritten([](auto& files) {
            files[0].content.replace(files[0].content.find("auditors"), 8, "auditorz");
        }),
        Contains(HasSubstr("the signature does not fit"))
    );
}

TEST(EvidencePack, AForgerWithAKeyOfHisOwnIsNamed) {
    const SigningKey ours = sample_key();
    const SigningKey forger = sample_key('2');
    const std::string pack = seal_pack(sample_draft(), ours).value();
    std::vector<TarFile> files = files_of(pack);
    files[4].content = "nothing happened\n";
    const std::string forged = signed_anew(files, time_of(pack), forger);
    EXPECT_THAT(
        faults_of(forged, trusting(ours)),
        ElementsAre(HasSubstr(
            "forged or of another server: it is signed with key " +
            fingerprint(forger.public_key())
        ))
    );
    EXPECT_THAT(faults_of(forged, {}), ElementsAre(HasSubstr("the signer is unknown")));
    // In itself it is whole: that is what --any-key says, and no more.
    EXPECT_THAT(faults_of(forged, {std::nullopt, true, {}}), IsEmpty());
}

TEST(EvidencePack, AJournalEntryAlteredBeforeItWasSignedIsStillFound) {
    const SigningKey key = sample_key();
    const std::string pack = seal_pack(sample_draft(), key).value();
    std::vector<TarFile> files = files_of(pack);
    std::string& journal = files[5].content;
    journal.replace(journal.find("person:ann"), 10, "person:bob");
    EXPECT_THAT(
        faults_of(signed_anew(files, time_of(pack), key), trusting(key)),
        ElementsAre(HasSubstr("journal entry 4 was altered"))
    );
    PackDraft draft = sample_draft();
    draft.journal[1] = sample_entry(5, {});
    EXPECT_THAT(
        faults_of(seal_pack(draft, key).value(), trusting(key)),
        ElementsAre(HasSubstr("line 2 does not follow on the entry before"))
    );
    draft = sample_draft();
    draft.journal_head.hash[0] ^= 1U;
    EXPECT_THAT(
        faults_of(seal_pack(draft, key).value(), trusting(key)),
        ElementsAre(HasSubstr("line 3 disagrees with the journal's head"))
    );
}

TEST(EvidencePack, APackOfAnotherIncidentIsNamed) {
    const SigningKey key = sample_key();
    const std::string pack = seal_pack(sample_draft(), key).value();
    EXPECT_THAT(
        faults_of(pack, {key.public_key(), false, IncidentId("INC-8")}),
        ElementsAre("this is a pack of INC-7, not of INC-8")
    );
    PackDraft draft = sample_draft();
    draft.documents[0].content = "{\"id\":\"INC-9\"}";
    EXPECT_THAT(
        faults_of(seal_pack(draft, key).value(), trusting(key)),
        ElementsAre(HasSubstr("incident.json is of another incident (INC-9)"))
    );
    draft.documents.erase(draft.documents.begin());
    EXPECT_THAT(
        faults_of(seal_pack(draft, key).value(), trusting(key)),
        ElementsAre("it holds no incident.json")
    );
}

TEST(EvidencePack, JournalLinesKeepEveryByte) {
    journal::JournalEntry entry = sample_entry(3, {}, "{\"a\":\"\\u0001\"}");
    entry.draft.reason = "broken \xff\xfe bytes";
    entry.draft.occurred_at = Instant(Duration(-1));
    entry.hash = journal::hash_of(entry);
    const journal::JournalEntry read = entry_of_line(journal_line(entry)).value();
    EXPECT_EQ(journal::hash_of(read), entry.hash);
    EXPECT_EQ(read.draft.reason, entry.draft.reason);
    for (const std::string_view line :
         {"", "[]", "{}", "{\"sequence\":1}", "{\"sequence\":\"1\"}", "nonsense"}) {
        EXPECT_FALSE(entry_of_line(line).has_value()) << line;
    }
    EXPECT_FALSE(entry_of_line(journal_line(entry) + " ").has_value());
}

TEST(EvidencePack, DocumentsHaveNamesOfTheirOwn) {
    const SigningKey key = sample_key();
    for (const char* name : {"manifest.json", "incident.json", "../up", "Upper.json", ""}) {
        PackDraft draft = sample_draft();
        draft.documents.push_back({name, ""});
        EXPECT_EQ(seal_pack(draft, key).error().code, ErrorCode::InvalidArgument) << name;
    }
    PackDraft draft = sample_draft();
    for (int i = 0; i < 80; ++i) {
        draft.documents.push_back({"d" + std::to_string(i), ""});
    }
    EXPECT_EQ(seal_pack(draft, key).error().code, ErrorCode::LimitExceeded);
}

TEST(SigningKey, IsReadBackAndNothingElseIsTakenForOne) {
    const SigningKey key = SigningKey::make();
    EXPECT_EQ(SigningKey::parse(key.to_text() + "\n").value().public_key(), key.public_key());
    EXPECT_EQ(parse_public_key(to_text(key.public_key())).value(), key.public_key());
    for (const std::string& text :
         {std::string(), std::string(63, '1'), std::string(64, 'A'), std::string(64, 'g'),
          key.to_text() + "\n\n"}) {
        EXPECT_FALSE(SigningKey::parse(text).has_value()) << text;
        EXPECT_FALSE(parse_public_key(text).has_value()) << text;
    }
    const std::string signature = key.sign("text");
    EXPECT_TRUE(is_signed_by(key.public_key(), "text", signature));
    EXPECT_FALSE(is_signed_by(key.public_key(), "Text", signature));
    EXPECT_FALSE(is_signed_by(key.public_key(), "text", ""));
    EXPECT_FALSE(is_signed_by(SigningKey::make().public_key(), "text", signature));
}

}  // namespace
}  // namespace tagout::verify
