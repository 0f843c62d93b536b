#include "journal/chain.h"

#include "base/assert.h"

#include <openssl/evp.h>

#include <limits>
#include <memory>

namespace tagout::journal {

namespace {

void put_u32(std::string& out, std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) {
        out.push_back(static_cast<char>((value >> shift) & 0xff));
    }
}

void put_u64(std::string& out, std::uint64_t value) {
    put_u32(out, static_cast<std::uint32_t>(value));
    put_u32(out, static_cast<std::uint32_t>(value >> 32));
}

void put_text(std::string& out, std::string_view text) {
    TAGOUT_ASSERT(
        text.size() <= std::numeric_limits<std::uint32_t>::max(), "entries are bounded far below"
    );
    put_u32(out, static_cast<std::uint32_t>(text.size()));
    out.append(text);
}

std::string range_text(std::uint64_t first, std::uint64_t last) {
    if (first == last) {
        return "entry " + std::to_string(first) + " is";
    }
    return "entries " + std::to_string(first) + " to " + std::to_string(last) + " are";
}

}  // namespace

std::string encode(const JournalEntry& entry) {
    const EntryDraft& draft = entry.draft;
    std::string out;
    out.reserve(
        92 + draft.kind.size() + draft.subject.size() + draft.actor.text().size() +
        draft.reason.size() + draft.body.size()
    );
    out.append(chain_tag);
    out.append(entry.previous.begin(), entry.previous.end());
    put_u64(out, entry.sequence);
    put_u64(out, static_cast<std::uint64_t>(unix_nanos(entry.recorded_at)));
    put_u64(out, static_cast<std::uint64_t>(unix_nanos(draft.occurred_at)));
    put_text(out, draft.kind);
    put_text(out, draft.subject);
    put_text(out, draft.actor.text());
    put_text(out, draft.reason);
    put_text(out, draft.body);
    return out;
}

Digest hash_of(const JournalEntry& entry) {
    const std::string bytes = encode(entry);
    Digest digest{};
    unsigned size = 0;
    const int done =
        EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
    TAGOUT_ASSERT(done == 1 && size == digest.size(), "SHA-256 is built into every OpenSSL");
    return digest;
}

std::string to_hex(const Digest& digest) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(digest.size() * 2);
    for (const std::uint8_t byte : digest) {
        text.push_back(digits[byte >> 4]);
        text.push_back(digits[byte & 15]);
    }
    return text;
}

std::optional<Digest> digest_of_hex(std::string_view hex) noexcept {
    Digest digest{};
    if (hex.size() != digest.size() * 2) {
        return std::nullopt;
    }
    const auto value = [](char c) -> int {
        if (c >= '0' && c <= '9') {
            return c - '0';
        }
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    };
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const int high = value(hex[2 * i]);
        const int low = value(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        digest[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return digest;
}

ChainCheck::ChainCheck(std::uint64_t first, const Digest& previous)
    : next_(first), previous_(previous) {}

void ChainCheck::expect(const JournalHead& noted) {
    noted_ = noted;
}

void ChainCheck::fault(std::uint64_t sequence, std::string what) {
    if (report_.faults.size() < faults_max) {
        report_.faults.push_back({sequence, std::move(what)});
    }
}

void ChainCheck::observe(const JournalEntry& entry) {
    ++report_.entries;
    const std::string number = std::to_string(entry.sequence);
    if (entry.sequence < next_) {
        fault(
            entry.sequence, "entry " + number + " stands out of order: entry " +
                                std::to_string(next_) + " was expected"
        );
        return;
    }
    if (entry.sequence > next_) {
        fault(next_, range_text(next_, entry.sequence - 1) + " missing");
        previous_known_ = false;
    }
    const bool whole = hash_of(entry) == entry.hash;
    if (!whole) {
        fault(
            entry.sequence, "entry " + number + " was altered: its hash does not match its content"
        );
    } else if (previous_known_ && previous_whole_ && entry.previous != previous_) {
        const std::uint64_t replaced = entry.sequence > 1 ? entry.sequence - 1 : 1;
        fault(
            replaced, "entry " + std::to_string(replaced) + " was replaced: entry " + number +
                          " was chained to another one"
        );
    } else if (entry.sequence == noted_.sequence && entry.hash != noted_.hash) {
        fault(
            entry.sequence,
            "entry " + number + " is not the one that the head record noted: it was replaced"
        );
    }
    previous_ = entry.hash;
    previous_known_ = true;
    previous_whole_ = whole;
    next_ = entry.sequence + 1;
}

void ChainCheck::unreadable(std::string_view why) {
    readable_ = false;
    fault(next_, "entry " + std::to_string(next_) + " cannot be read: " + std::string(why));
}

VerifyReport ChainCheck::finish(const JournalHead& head) {
    const std::uint64_t last = next_ - 1;
    if (readable_ && last < noted_.sequence) {
        fault(
            next_, range_text(next_, noted_.sequence) +
                       " missing at the end: the head record says that the journal ends with " +
                       std::to_string(noted_.sequence)
        );
    }
    if (last > head.sequence) {
        fault(
            head.sequence + 1,
            range_text(head.sequence + 1, last) + " not covered by the head record: added from outside"
        );
    }
    report_.head = previous_;
    return std::move(report_);
}

}  // namespace tagout::journal
