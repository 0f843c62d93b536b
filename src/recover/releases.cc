#include "recover/releases.h"

#include "base/log.h"
#include "recover/metrics.h"
#include "recover/release_json.h"
#include "recover/releases_live.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

namespace tagout::recover {

namespace {

constexpr std::size_t names_told_max = 10;

/// "a, b, c and 4 more"
std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size() && i < names_told_max; ++i) {
        text += (text.empty() ? "" : ", ") + names[i];
    }
    if (names.size() > names_told_max) {
        text += " and " + std::to_string(names.size() - names_told_max) + " more";
    }
    return text;
}

std::string which_exist(const Line& line) {
    std::string text =
        line.versions.size() == 1
            ? "v1 exists"
            : "v1 to " + version_text(static_cast<std::uint32_t>(line.versions.size())) + " exist";
    std::vector<std::string> labels;
    for (const auto& [label, moves] : line.labels) {
        labels.push_back(label + " (" + version_text(line.holder(label)) + ")");
    }
    return text + (labels.empty() ? ", without labels" : ", with labels " + listed(labels));
}

}  // namespace

std::string version_text(std::uint32_t number) {
    return "v" + std::to_string(number);
}

std::uint32_t version_number(std::string_view text) noexcept {
    if (text.starts_with('v')) {
        text.remove_prefix(1);
    }
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() ? number : 0;
}

std::string_view name_of(Target target) noexcept {
    switch (target) {
        case Target::Named:
            return "named";
        case Target::LastKnownGood:
            return "last_known_good";
        case Target::Previous:
            return "previous";
    }
    return "?";
}

std::unique_ptr<Releases> Releases::make(
    const ReleaseParts& parts, std::shared_ptr<const catalog::Catalog> catalog,
    const Settings& settings
) {
    return std::make_unique<LiveReleases>(parts, std::move(catalog), settings);
}

LiveReleases::LiveReleases(
    const ReleaseParts& parts, std::shared_ptr<const catalog::Catalog> catalog,
    const Settings& settings
)
    : parts_(parts),
      catalog_(std::move(catalog)),
      settings_(settings),
      fold_(settings.bundles_max),
      evidence_at_(parts.clock.now()) {}

Result<void> LiveReleases::rebuild() {
    const MutexLock changing(changing_);
    {
        const MutexLock lock(mutex_);
        TAGOUT_TRY(parts_.journal.read(1, [this](const journal::JournalEntry& entry) {
            mutex_.assert_held();
            fold_.apply(entry);
            return true;
        }));
        if (fold_.unreadable() > 0) {
            log::warn("release_entries_unreadable", {{"entries", fold_.unreadable()}});
            parts_.metrics.counter(release_entries_unreadable_total).advance_to(fold_.unreadable());
        }
    }
    // A crash may have come between a label's move and the bundle that it made.
    return settle_all();
}

void LiveReleases::on_change(std::function<void(const ReleaseChange&)> observer) {
    const MutexLock lock(mutex_);
    observer_ = std::move(observer);
}

void LiveReleases::use(std::shared_ptr<const catalog::Catalog> catalog, const Settings& settings) {
    const Telling telling(*this);
    const MutexLock changing(changing_);
    {
        const MutexLock lock(mutex_);
        catalog_ = std::move(catalog);
        settings_ = settings;
    }
    if (const Result<void> settled = settle_all(); !settled) {
        log::warn("bundles_not_settled", {{"error", settled.error().message}});
    }
}

void LiveReleases::tell_observer() {
    MutexLock lock(mutex_);
    if (telling_) {
        return;
    }
    telling_ = true;
    while (!changes_.empty()) {
        const ReleaseChange next = std::move(changes_.front());
        changes_.pop_front();
        const std::function<void(const ReleaseChange&)> observer = observer_;
        lock.unlock();
        if (observer) {
            observer(next);
        }
        lock.lock();
    }
    telling_ = false;
}

void LiveReleases::count(const MetricInfo& info, std::string_view label) const {
    const std::string_view labels[] = {label};
    parts_.metrics.counter(info, labels).add();
}

Result<const Line*> LiveReleases::line_of(const catalog::VersionKey& key) const {
    const Line* const line = fold_.find(key);
    if (line != nullptr) {
        return line;
    }
    std::vector<std::string> names;
    for (const auto& [each, lines] : fold_.lines()) {
        if (each.family == key.family) {
            names.push_back(each.name);
        }
    }
    const std::string family(catalog::name_of(key.family));
    return fail(
        ErrorCode::NotFound,
        "there is no " + family + " '" + key.name.substr(0, 100) + "'; " +
            (names.empty() ? "none is published yet" : "published are " + listed(names))
    );
}

Result<std::uint32_t> LiveReleases::resolve(
    const catalog::VersionKey& key, const Line& line, std::string_view which
) const {
    if (const std::uint32_t holder = line.holder(which); holder > 0) {
        return holder;
    }
    if (const std::uint32_t number = version_number(which);
        number > 0 && number <= line.versions.size()) {
        return number;
    }
    constexpr std::size_t prefix_min = 6;
    if (which.size() >= prefix_min) {
        const auto begins = [which](const catalog::Version& each) {
            return each.hash.starts_with(which);
        };
        const auto first = std::ranges::find_if(line.versions, begins);
        if (first != line.versions.end() &&
            std::find_if(std::next(first), line.versions.end(), begins) == line.versions.end()) {
            return first->number;
        }
    }
    return fail(
        ErrorCode::NotFound,
        catalog::to_text(key) + " has no version '" + std::string(which.substr(0, 60)) + "'; " +
            which_exist(line)
    );
}

Result<LiveReleases::Found> LiveReleases::found(
    const catalog::VersionKey& key, std::string_view which, std::string_view label
) const {
    const MutexLock lock(mutex_);
    const Line* const line = TAGOUT_TRY(line_of(key));
    const std::uint32_t number = TAGOUT_TRY(resolve(key, *line, which));
    return Found{
        line->agent,
        line->workflow,
        line->version(number, true),
        line->holder(label),
        line->previous_holder(label),
        line->was_labelled(number)};
}

std::vector<catalog::Version> LiveReleases::list(
    std::optional<catalog::VersionFamily> family, std::string_view name, std::size_t limit,
    std::size_t& total
) const {
    const MutexLock lock(mutex_);
    std::vector<std::pair<const Line*, std::uint32_t>> rows;
    for (const auto& [key, line] : fold_.lines()) {
        if ((family && key.family != *family) || (!name.empty() && key.name != name)) {
            continue;
        }
        for (const catalog::Version& each : line.versions) {
            rows.emplace_back(&line, each.number);
        }
    }
    total = rows.size();
    std::ranges::stable_sort(rows, [](const auto& a, const auto& b) {
        const catalog::Version& left = a.first->versions[a.second - 1];
        const catalog::Version& right = b.first->versions[b.second - 1];
        return left.created_at != right.created_at ? left.created_at > right.created_at
                                                   : left.number > right.number;
    });
    std::vector<catalog::Version> versions;
    for (std::size_t i = 0; i < rows.size() && i < limit; ++i) {
        versions.push_back(rows[i].first->version(rows[i].second, false));
    }
    return versions;
}

Result<catalog::Version> LiveReleases::by_hash(std::string_view hash) const {
    constexpr std::size_t hash_bytes_min = 4;
    const MutexLock lock(mutex_);
    const Line* holder = nullptr;
    std::uint32_t number = 0;
    std::size_t hits = 0;
    for (const auto& [key, line] : fold_.lines()) {
        for (const catalog::Version& each : line.versions) {
            if (hash.size() >= hash_bytes_min && each.hash.starts_with(hash)) {
                holder = &line;
                number = each.number;
                ++hits;
            }
        }
    }
    if (hits != 1) {
        return fail(
            ErrorCode::NotFound,
            hits == 0 ? "no version has the hash '" + std::string(hash.substr(0, 60)) +
                            "'; tagout catalog versions lists them"
                      : std::to_string(hits) + " versions begin with '" + std::string(hash) +
                            "'; give more of the hash"
        );
    }
    return holder->version(number, true);
}

Result<catalog::Version> LiveReleases::get(
    const catalog::VersionKey& key, std::string_view which
) const {
    return TAGOUT_TRY(found(key, which, catalog::production_label)).version;
}

Result<Fetched> LiveReleases::fetch(const catalog::VersionKey& key, std::string_view label) const {
    const catalog::Version version = TAGOUT_TRY(
        get(key, label.empty() ? catalog::production_label : label)
    );
    return Fetched{boost::json::serialize(tree_of(version)), "\"" + version.hash + "\""};
}

Result<DiffView> LiveReleases::diff(
    const catalog::VersionKey& key, std::string_view from, std::string_view to
) const {
    const catalog::Version before = TAGOUT_TRY(get(key, from));
    const catalog::Version after = TAGOUT_TRY(get(key, to));
    return DiffView{
        key, before.number, after.number, recover::diff(before.content, after.content)};
}

std::vector<catalog::Version> LiveReleases::policies_in_force() const {
    const MutexLock lock(mutex_);
    std::vector<catalog::Version> policies;
    for (const auto& [key, line] : fold_.lines()) {
        const std::uint32_t number = line.holder(catalog::production_label);
        if (key.family == catalog::VersionFamily::Policy && number > 0) {
            policies.push_back(line.version(number, true));
        }
    }
    return policies;
}

std::vector<incident::Incident> LiveReleases::open_incidents() const {
    incident::Filter filter;
    filter.states = {
        IncidentState::Triage,
        IncidentState::Declared,
        IncidentState::Contained,
        IncidentState::Recovering,
        IncidentState::Verifying};
    filter.kind = IncidentKind::Real;
    filter.limit = 10'000;
    return parts_.incidents.list(filter);
}

std::vector<Freeze> LiveReleases::freezes() const {
    return freezes_in_force(open_incidents());
}

}  // namespace tagout::recover
