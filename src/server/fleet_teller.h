// Makes what gateways are told: editions of what stands, steps from one to the next, beats; each
// signed once, whoever gets it.
//
// A new edition is made when the book publishes, and when a part (catalog, versions) or the terms
// changed. Thread-safe. Cost of a stop: one comparison of the controls in force with those before,
// one signature (about 30 us), whatever the number of gateways.
#pragma once

#include "base/clock.h"
#include "base/mutex.h"
#include "contain/fleet/frame.h"
#include "contain/fleet/report.h"
#include "contain/fleet/snapshot_form.h"
#include "contain/point.h"
#include "verify/signing.h"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace tagout::server {

/// One edition as it is sent.
struct ToldEdition {
    std::uint64_t edition = 0;
    std::uint64_t revision = 0;
    std::uint64_t from = 0;  ///< The edition that `step` begins at; 0 for none.
    std::string step;        ///< A whole frame; "" where it would be too long: the snapshot is fetched.
};

class FleetTeller {
public:
    /// Parts that are not the book's, made when they may have changed. Called without a lock held.
    struct Sources {
        std::function<std::string()> catalog;
        std::function<std::string()> versions;
        std::function<std::string()> agents = {};  ///< AgentCredentials::part()
    };
    static constexpr std::size_t parts_kept_max = 12;  ///< Earlier ones, for who fetches late.

    FleetTeller(
        verify::SigningKey key, const Clock& clock, Sources sources, contain::fleet::Terms terms
    );

    /// What `published` is as an edition; the same one for everybody.
    [[nodiscard]] std::shared_ptr<const ToldEdition> tell(const contain::Published& published);
    /// Looks at the parts again. Null when nothing changed.
    [[nodiscard]] std::shared_ptr<const ToldEdition> refresh(const contain::fleet::Terms& terms);
    [[nodiscard]] std::shared_ptr<const ToldEdition> newest() const;
    /// A gateway holds a later edition than this server made: it was told by an earlier life of it.
    /// The next edition is later than that; what lies too far ahead is not believed.
    void raise(std::uint64_t edition);

    [[nodiscard]] std::string beat() const;
    [[nodiscard]] std::string hello() const;
    [[nodiscard]] std::string frame(contain::fleet::FrameKind kind, std::string body) const;
    /// The newest whole snapshot: its signature and its text.
    [[nodiscard]] std::pair<std::string, std::string> snapshot() const;
    /// NotFound.
    [[nodiscard]] Result<std::shared_ptr<const std::string>> part(std::string_view hash) const;
    [[nodiscard]] contain::fleet::Terms terms() const;

private:
    [[nodiscard]] std::string keep_part(std::string text) TAGOUT_REQUIRES(mutex_);
    void advance(contain::fleet::Standing next) TAGOUT_REQUIRES(mutex_);

    const verify::SigningKey key_;
    const Clock& clock_;
    const Sources sources_;
    mutable Mutex mutex_;
    contain::fleet::Standing standing_ TAGOUT_GUARDED_BY(mutex_);
    std::shared_ptr<const std::vector<contain::Policy>> policies_ TAGOUT_GUARDED_BY(mutex_);
    std::shared_ptr<const ToldEdition> newest_ TAGOUT_GUARDED_BY(mutex_);
    std::uint64_t floor_ TAGOUT_GUARDED_BY(mutex_) = 0;
    std::deque<std::pair<std::string, std::shared_ptr<const std::string>>> parts_
        TAGOUT_GUARDED_BY(mutex_);
    mutable std::uint64_t text_edition_ TAGOUT_GUARDED_BY(mutex_) = 0;
    mutable std::pair<std::string, std::string> text_ TAGOUT_GUARDED_BY(mutex_);
};

}  // namespace tagout::server
