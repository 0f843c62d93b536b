#include "detect/session_table.h"

#include "base/assert.h"

namespace tagout::detect {

std::size_t Recollection::bytes() const noexcept {
    std::size_t bytes = sizeof(Recollection) + claims.capacity() * sizeof(Claim) +
                        revisions.capacity() * sizeof(Revision) +
                        writes.capacity() * sizeof(WriteMark) + plan.capacity();
    for (const Claim& claim : claims) {
        bytes += claim.quote.capacity();
    }
    for (const Revision& revision : revisions) {
        bytes += revision.atoms.capacity() * sizeof(std::uint32_t);
    }
    return bytes;
}

std::size_t Session::bytes() const noexcept {
    std::size_t bytes = sizeof(Session) + correlation.capacity() + 24;
    if (trail) {
        bytes += sizeof(Trail) + trail->actions.capacity() * sizeof(Action) +
                 trail->values.bytes() + trail->request.capacity() +
                 trail->pending.capacity() * sizeof(PendingCall) +
                 trail->findings.capacity() * (sizeof(LiveFinding) + 400) +
                 trail->tools.capacity() * sizeof(NameId) + trail->last_words.capacity() * 4 +
                 trail->offers.capacity() * sizeof(Offer) +
                 trail->written.capacity() * sizeof(WrittenValue) +
                 trail->value_uses.capacity() * sizeof(ValueUse) +
                 (trail->memory ? trail->memory->bytes() : 0) +
                 (trail->dialogue ? trail->dialogue->bytes() : 0);
    }
    return bytes;
}

std::uint64_t SessionTable::key_of(std::string_view correlation, bool& found) const noexcept {
    // Two texts with one hash are kept apart by probing on; who sends such texts only slows
    // himself.
    constexpr int probes_max = 8;
    std::uint64_t key = hash_of(correlation);
    for (int probe = 0; probe < probes_max; ++probe) {
        const auto slot = by_key_.find(key);
        if (slot == by_key_.end()) {
            found = false;
            return key;
        }
        if (slots_[slot->second].correlation == correlation) {
            found = true;
            return key;
        }
        key = combine(key, 1);
    }
    found = true;  // eight equal hashes in a row: they share a session rather than cost more
    return key;
}

Session* SessionTable::find(std::string_view correlation) noexcept {
    bool found = false;
    const std::uint64_t key = key_of(correlation, found);
    return found ? find_key(key) : nullptr;
}

Session* SessionTable::find_key(std::uint64_t key) noexcept {
    const auto slot = by_key_.find(key);
    return slot == by_key_.end() ? nullptr : &slots_[slot->second];
}

Session& SessionTable::make(std::string_view correlation) {
    bool found = false;
    const std::uint64_t key = key_of(correlation, found);
    TAGOUT_ASSERT(!found, "the caller looked for it and did not find it");
    std::uint32_t slot = 0;
    if (free_.empty()) {
        slot = slots_.add();
    } else {
        slot = free_.back();
        free_.pop_back();
    }
    Session& session = slots_[slot];
    session.correlation = correlation;
    session.key = key;
    by_key_.emplace(key, slot);
    link_newest(slot);
    return session;
}

void SessionTable::unlink(Session& session) noexcept {
    (session.newer == none ? newest_ : slots_[session.newer].older) = session.older;
    (session.older == none ? oldest_ : slots_[session.older].newer) = session.newer;
}

void SessionTable::link_newest(std::uint32_t slot) noexcept {
    Session& session = slots_[slot];
    session.newer = none;
    session.older = newest_;
    (newest_ == none ? oldest_ : slots_[newest_].newer) = slot;
    newest_ = slot;
}

void SessionTable::make_newest(Session& session) noexcept {
    if (session.newer == none) {
        return;
    }
    const std::uint32_t slot = slots_[session.newer].older;
    unlink(session);
    link_newest(slot);
}

void SessionTable::erase(Session& session) {
    const auto slot = by_key_.find(session.key);
    TAGOUT_ASSERT(slot != by_key_.end(), "a live session stands in the table");
    const std::uint32_t index = slot->second;
    unlink(session);
    by_key_.erase(slot);
    slots_[index] = Session{};
    free_.push_back(index);
}

}  // namespace tagout::detect
