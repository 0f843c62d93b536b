#include "server/fleet_teller.h"

#include "base/log.h"
#include "journal/chain.h"

#include <algorithm>

namespace tagout::server {

namespace {

namespace fleet = contain::fleet;

constexpr std::string_view protocol_version = "1";
constexpr std::uint64_t micros_of_a_day = 86'400ULL * 1'000'000;

}  // namespace

FleetTeller::FleetTeller(
    verify::SigningKey key, const Clock& clock, Sources sources, fleet::Terms terms
)
    : key_(std::move(key)), clock_(clock), sources_(std::move(sources)) {
    std::string catalog = sources_.catalog ? sources_.catalog() : "";
    std::string versions = sources_.versions ? sources_.versions() : "";
    std::string agents = sources_.agents ? sources_.agents() : "";
    const MutexLock lock(mutex_);
    fleet::Standing first;
    first.terms = std::move(terms);
    first.parts.catalog = keep_part(std::move(catalog));
    first.parts.versions = keep_part(std::move(versions));
    first.parts.agents = keep_part(std::move(agents));
    advance(std::move(first));
}

std::string FleetTeller::keep_part(std::string text) {
    if (text.empty()) {
        return "";
    }
    std::string hash = journal::to_hex(verify::sha256(text));
    const auto known = std::ranges::find_if(parts_, [&](const auto& each) {
        return each.first == hash;
    });
    if (known == parts_.end()) {
        parts_.emplace_back(hash, std::make_shared<const std::string>(std::move(text)));
        if (parts_.size() > parts_kept_max) {
            parts_.pop_front();
        }
    } else {
        // The newest last, so that a part which stands is never the one that goes.
        std::rotate(known, known + 1, parts_.end());
    }
    return hash;
}

void FleetTeller::advance(fleet::Standing next) {
    next.made_at = clock_.now();
    // By the clock, so that they grow from one life of the server to the next.
    next.edition = std::max(
        {floor_ + 1, standing_.edition + 1,
         static_cast<std::uint64_t>(std::max<std::int64_t>(0, unix_nanos(next.made_at)) / 1'000)}
    );
    auto told = std::make_shared<ToldEdition>();
    told->edition = next.edition;
    told->revision = next.revision;
    if (standing_.edition > 0) {
        std::string body = fleet::to_text(fleet::step_between(standing_, next));
        if (body.size() <= fleet::step_bytes_max) {
            told->from = standing_.edition;
            told->step = frame(fleet::FrameKind::Step, std::move(body));
        }
    }
    standing_ = std::move(next);
    newest_ = std::move(told);
}

std::shared_ptr<const ToldEdition> FleetTeller::tell(const contain::Published& published) {
    const MutexLock lock(mutex_);
    const std::uint64_t revision = published.snapshot->revision();
    const bool same_policies = published.policies == policies_;
    if (revision < standing_.revision || (revision == standing_.revision && same_policies)) {
        return newest_;  // Made for another point already.
    }
    fleet::Standing next = standing_;
    if (!same_policies) {
        Result<std::string> part = fleet::policies_part(*published.policies);
        if (!part) {
            log::error("policies_not_told", {{"error", part.error().message}});
            part = std::string();
        }
        next.parts.policies =
            published.policies->empty() ? std::string() : keep_part(std::move(*part));
        policies_ = published.policies;
    }
    next.revision = revision;
    next.controls = *published.controls;
    advance(std::move(next));
    return newest_;
}

std::shared_ptr<const ToldEdition> FleetTeller::refresh(const fleet::Terms& terms) {
    std::string catalog = sources_.catalog ? sources_.catalog() : "";
    std::string versions = sources_.versions ? sources_.versions() : "";
    std::string agents = sources_.agents ? sources_.agents() : "";
    const MutexLock lock(mutex_);
    fleet::Standing next = standing_;
    next.terms = terms;
    next.parts.catalog = keep_part(std::move(catalog));
    next.parts.versions = keep_part(std::move(versions));
    next.parts.agents = keep_part(std::move(agents));
    if (next == standing_) {
        return nullptr;
    }
    advance(std::move(next));
    return newest_;
}

std::shared_ptr<const ToldEdition> FleetTeller::newest() const {
    const MutexLock lock(mutex_);
    return newest_;
}

void FleetTeller::raise(std::uint64_t edition) {
    const MutexLock lock(mutex_);
    if (edition <= standing_.edition) {
        return;
    }
    const auto now = static_cast<std::uint64_t>(unix_nanos(clock_.now()) / 1'000);
    if (edition > now + micros_of_a_day) {
        log::error("edition_too_far_ahead", {{"edition", edition}});
        return;
    }
    floor_ = edition;
    advance(standing_);
}

std::string FleetTeller::frame(fleet::FrameKind kind, std::string body) const {
    fleet::Frame frame{kind, key_.sign(fleet::signed_text(name_of(kind), body)), std::move(body)};
    return to_text(frame);
}

std::string FleetTeller::beat() const {
    fleet::Beat beat;
    {
        const MutexLock lock(mutex_);
        beat = {standing_.edition, clock_.now()};
    }
    return frame(fleet::FrameKind::Beat, fleet::to_text(beat));
}

std::string FleetTeller::hello() const {
    return frame(
        fleet::FrameKind::Hello,
        fleet::to_text(fleet::Hello{
            verify::to_text(key_.public_key()), std::string(protocol_version)})
    );
}

std::pair<std::string, std::string> FleetTeller::snapshot() const {
    const MutexLock lock(mutex_);
    if (text_edition_ != standing_.edition) {
        std::string text = fleet::to_text(standing_);
        std::string signature = key_.sign(fleet::signed_text("standing", text));
        text_ = {std::move(signature), std::move(text)};
        text_edition_ = standing_.edition;
    }
    return text_;
}

Result<std::shared_ptr<const std::string>> FleetTeller::part(std::string_view hash) const {
    const MutexLock lock(mutex_);
    for (const auto& [known, text] : parts_) {
        if (known == hash) {
            return text;
        }
    }
    return fail(ErrorCode::NotFound, "there is no such part; ask for the newest snapshot again");
}

fleet::Terms FleetTeller::terms() const {
    const MutexLock lock(mutex_);
    return standing_.terms;
}

}  // namespace tagout::server
