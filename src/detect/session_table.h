// The live sessions of one shard: found by correlation, ordered by last arrival.
//
// Confined to its shard's thread. Bound: sessions_max; the caller closes the idlest before it makes
// another one. A session stays at its address while it lives. Cost: a hash and a probe, about 100
// ns when its memory is cold.
#pragma once

#include "detect/hash.h"
#include "detect/session.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace tagout::detect {

class SessionTable {
public:
    [[nodiscard]] Session* find(std::string_view correlation) noexcept;
    [[nodiscard]] Session* find_key(std::uint64_t key) noexcept;
    /// A new session, the newest; it must not exist.
    Session& make(std::string_view correlation);
    void make_newest(Session& session) noexcept;
    void erase(Session& session);
    [[nodiscard]] Session* idlest() noexcept {
        return oldest_ == none ? nullptr : &slots_[oldest_];
    }
    /// The next one towards the newest, null at the end.
    [[nodiscard]] Session* newer(const Session& session) noexcept {
        return session.newer == none ? nullptr : &slots_[session.newer];
    }
    [[nodiscard]] std::size_t size() const noexcept { return by_key_.size(); }

private:
    static constexpr std::uint32_t none = 0xffffffff;

    [[nodiscard]] std::uint64_t key_of(std::string_view correlation, bool& found) const noexcept;
    void unlink(Session& session) noexcept;
    void link_newest(std::uint32_t slot) noexcept;

    /// Sessions by slot, in blocks that keep their addresses. A deque would give each of them memory
    /// of its own, and a place in a list of those.
    class Slots {
    public:
        [[nodiscard]] Session& operator[](std::uint32_t slot) noexcept {
            return blocks_[slot / block_sessions][slot % block_sessions];
        }
        [[nodiscard]] const Session& operator[](std::uint32_t slot) const noexcept {
            return blocks_[slot / block_sessions][slot % block_sessions];
        }
        [[nodiscard]] std::uint32_t add() {
            if (size_ % block_sessions == 0) {
                blocks_.push_back(std::make_unique<Session[]>(block_sessions));
            }
            return size_++;
        }

    private:
        static constexpr std::uint32_t block_sessions = 128;

        std::vector<std::unique_ptr<Session[]>> blocks_;
        std::uint32_t size_ = 0;
    };

    Slots slots_;
    std::vector<std::uint32_t> free_;
    boost::unordered_flat_map<std::uint64_t, std::uint32_t, HashedKey> by_key_;
    std::uint32_t newest_ = none;
    std::uint32_t oldest_ = none;
};

}  // namespace tagout::detect
