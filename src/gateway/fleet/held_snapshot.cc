#include "gateway/fleet/held_snapshot.h"

#include "base/log.h"
#include "catalog/config.h"
#include "gateway/fleet/files.h"
#include "journal/chain.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <set>

namespace tagout::gateway {

namespace {

namespace fleet = contain::fleet;

constexpr std::string_view standing_kind = "standing";
constexpr std::string_view step_kind = "step";
constexpr std::size_t key_bytes_max = 200;
constexpr Duration heard_pause = std::chrono::seconds(2);

Result<std::shared_ptr<const catalog::Catalog>> read_catalog(const std::string& text) {
    catalog::ConfigReport report = catalog::read_config(text, "the control server's catalog");
    if (!report.contents) {
        return fail(ErrorCode::InvalidArgument, report.text());
    }
    return std::make_shared<const catalog::Catalog>(std::move(*report.contents));
}

Result<std::shared_ptr<const contain::AgentCredentials>> read_agents(const std::string& text) {
    contain::AgentCredentials agents = TAGOUT_TRY(contain::AgentCredentials::parse_part(text));
    return std::make_shared<const contain::AgentCredentials>(std::move(agents));
}

Result<std::shared_ptr<const VersionShelf>> read_shelf(const std::string& text) {
    VersionShelf shelf;
    for (fleet::LabelledVersion& each : TAGOUT_TRY(fleet::parse_versions(text))) {
        std::tuple key(each.family, each.name, each.label);
        shelf.emplace(std::move(key), std::move(each));
    }
    return std::make_shared<const VersionShelf>(std::move(shelf));
}

}  // namespace

HeldSnapshot::HeldSnapshot(std::string folder) : folder_(std::move(folder)) {}

HeldSnapshot::~HeldSnapshot() {
    if (log_ >= 0) {
        ::close(log_);
    }
}

Result<void> HeldSnapshot::open(const std::optional<verify::PublicKey>& pinned) {
    TAGOUT_TRY(make_folder(folder_ + "/parts"));
    const std::string key_path = folder_ + "/control.pub";
    key_ = pinned;
    if (const auto text = TAGOUT_TRY(read_file(key_path, key_bytes_max)); text && !pinned) {
        const Result<verify::PublicKey> key = verify::parse_public_key(*text);
        if (!key) {
            return fail(
                ErrorCode::Corrupt,
                key_path + " holds no public key; remove it to pin the server's anew"
            );
        }
        key_ = *key;
    }
    if (const auto text = TAGOUT_TRY(read_file(folder_ + "/contact", key_bytes_max))) {
        std::int64_t nanos = 0;
        std::from_chars(text->data(), text->data() + text->size(), nanos);
        heard_ = Instant(Duration(nanos));
        heard_written_ = heard_;
    }
    const std::string log_path = folder_ + "/told.log";
    const auto log = TAGOUT_TRY(read_file(log_path, log_bytes_max + fleet::standing_bytes_max));
    if (!log || log->empty()) {
        return {};
    }
    if (const Result<void> read = read_log(*log); !read) {
        standing_ = {};
        parts_ = {};
        loaded_ = {};
        return fail(
            ErrorCode::Corrupt,
            log_path + ": " + read.error().message +
                "; the last snapshot cannot be used. Remove the file: the gateway then waits for its "
                "control server"
        );
    }
    // A line that a death cut off goes, so that the next one begins a line.
    log_bytes_ = log->rfind('\n') + 1;
    log_ = ::open(log_path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    if (log_ < 0 || ::ftruncate(log_, static_cast<off_t>(log_bytes_)) != 0) {
        return fail(ErrorCode::Unavailable, log_path + ": " + std::strerror(errno));
    }
    return {};
}

Result<void> HeldSnapshot::read_log(const std::string& text) {
    std::string_view left = text;
    std::size_t number = 0;
    while (!left.empty()) {
        const std::size_t end = left.find('\n');
        if (end == std::string_view::npos) {
            break;
        }
        ++number;
        const std::string_view line = left.substr(0, end);
        left.remove_prefix(end + 1);
        const std::size_t kind_end = line.find(' ');
        const std::size_t signature_end = line.find(' ', kind_end + 1);
        if (kind_end == line.npos || signature_end == line.npos) {
            return fail(ErrorCode::Corrupt, "line " + std::to_string(number) + " is none of ours");
        }
        const std::string_view kind = line.substr(0, kind_end);
        const std::string_view signature =
            line.substr(kind_end + 1, signature_end - kind_end - 1);
        const std::string_view body = line.substr(signature_end + 1);
        TAGOUT_TRY(check(kind, body, signature));
        if (kind == standing_kind && number == 1) {
            standing_ = TAGOUT_TRY(fleet::parse_standing(body));
        } else if (kind == step_kind && number > 1) {
            const fleet::Step step = TAGOUT_TRY(fleet::parse_step(body));
            TAGOUT_TRY(fleet::apply(step, standing_));
            ++log_steps_;
        } else {
            return fail(
                ErrorCode::Corrupt, "line " + std::to_string(number) + " stands where it may not"
            );
        }
    }
    const auto nobody = [](const std::string& hash) -> Result<std::string> {
        return fail(ErrorCode::Corrupt, "part " + hash.substr(0, 12) + " is missing");
    };
    parts_ = TAGOUT_TRY(load(standing_.parts, nobody));
    loaded_ = standing_.parts;
    return {};
}

Result<void> HeldSnapshot::meet(const verify::PublicKey& key) {
    if (key_) {
        return *key_ == key
                   ? Result<void>{}
                   : fail(
                         ErrorCode::Unauthorized,
                         "the control server has key " + verify::fingerprint(key) + ", and " +
                             verify::fingerprint(*key_) +
                             " is pinned here: another server, or somebody who poses as it. If it "
                             "was given a new key, remove " +
                             folder_ + "/control.pub and told.log"
                     );
    }
    TAGOUT_TRY(write_file(folder_ + "/control.pub", verify::to_text(key) + "\n"));
    key_ = key;
    log::warn(
        "control_key_pinned",
        {{"fingerprint", verify::fingerprint(key)},
         {"why", "first contact; compare it with tagout evidence key at the control server"}}
    );
    return {};
}

Result<void> HeldSnapshot::check(
    std::string_view kind, std::string_view body, std::string_view signature
) const {
    if (!key_) {
        return fail(ErrorCode::Unauthorized, "no control server is known yet");
    }
    return verify::is_signed_by(*key_, fleet::signed_text(kind, body), signature)
               ? Result<void>{}
               : fail(
                     ErrorCode::Unauthorized,
                     "a " + std::string(kind.substr(0, 20)) +
                         " is not signed by the control server's key " + verify::fingerprint(*key_)
                 );
}

Result<std::string> HeldSnapshot::part_text(
    const std::string& hash, const FetchPart& fetch
) const {
    const std::string path = folder_ + "/parts/" + hash;
    const auto is_it = [&](std::string_view text) {
        return journal::to_hex(verify::sha256(text)) == hash;
    };
    if (auto kept = TAGOUT_TRY(read_file(path, fleet::part_bytes_max)); kept && is_it(*kept)) {
        return std::move(*kept);
    }
    std::string text = TAGOUT_TRY(fetch(hash));
    if (!is_it(text)) {
        return fail(
            ErrorCode::Unauthorized, "part " + hash.substr(0, 12) + " is not what its hash says"
        );
    }
    TAGOUT_TRY(write_file(path, text));
    return text;
}

Result<HeldParts> HeldSnapshot::load(
    const fleet::PartHashes& wanted, const FetchPart& fetch
) const {
    HeldParts parts = parts_;
    const HeldParts none;
    if (wanted.policies != loaded_.policies) {
        parts.policies = none.policies;
        if (!wanted.policies.empty()) {
            const std::string text = TAGOUT_TRY(part_text(wanted.policies, fetch));
            parts.policies = std::make_shared<const std::vector<contain::Policy>>(
                TAGOUT_TRY(fleet::parse_policies(text))
            );
        }
    }
    if (wanted.catalog != loaded_.catalog) {
        parts.catalog = none.catalog;
        if (!wanted.catalog.empty()) {
            const std::string text = TAGOUT_TRY(part_text(wanted.catalog, fetch));
            parts.catalog = TAGOUT_TRY(read_catalog(text));
        }
    }
    if (wanted.versions != loaded_.versions) {
        parts.versions = none.versions;
        if (!wanted.versions.empty()) {
            const std::string text = TAGOUT_TRY(part_text(wanted.versions, fetch));
            parts.versions = TAGOUT_TRY(read_shelf(text));
        }
    }
    if (wanted.agents != loaded_.agents) {
        parts.agents = none.agents;
        if (!wanted.agents.empty()) {
            const std::string text = TAGOUT_TRY(part_text(wanted.agents, fetch));
            parts.agents = TAGOUT_TRY(read_agents(text));
        }
    }
    return parts;
}

Result<bool> HeldSnapshot::take_standing(
    std::string_view body, std::string_view signature, const FetchPart& fetch
) {
    TAGOUT_TRY(check(standing_kind, body, signature));
    fleet::Standing next = TAGOUT_TRY(fleet::parse_standing(body));
    if (next.edition < standing_.edition) {
        return fail(
            ErrorCode::Conflict,
            "edition " + std::to_string(next.edition) + " is older than " +
                std::to_string(standing_.edition) + ", which is in force here"
        );
    }
    if (next.edition == standing_.edition && !is_long()) {
        return false;
    }
    HeldParts parts = TAGOUT_TRY(load(next.parts, fetch));
    TAGOUT_TRY(write_whole(body, signature));
    parts_ = std::move(parts);
    loaded_ = next.parts;
    standing_ = std::move(next);
    return true;
}

Result<bool> HeldSnapshot::take_step(
    std::string_view body, std::string_view signature, const FetchPart& fetch
) {
    TAGOUT_TRY(check(step_kind, body, signature));
    const fleet::Step step = TAGOUT_TRY(fleet::parse_step(body));
    if (step.from != standing_.edition || log_ < 0) {
        return false;
    }
    HeldParts parts = TAGOUT_TRY(load(step.parts, fetch));
    TAGOUT_TRY(fleet::apply(step, standing_));
    parts_ = std::move(parts);
    loaded_ = step.parts;
    // It stands in memory whatever the disk says: a stop is not held back by a full one.
    if (const Result<void> kept = has_gap_ ? Result<void>{} : append_step(body, signature); !kept) {
        log::error("step_not_kept", {{"error", kept.error().message}});
        has_gap_ = true;  // The next chance writes the whole.
    }
    return true;
}

bool HeldSnapshot::is_long() const noexcept {
    return has_gap_ || log_steps_ >= log_steps_max || log_bytes_ >= log_bytes_max;
}

Result<void> HeldSnapshot::write_whole(std::string_view body, std::string_view signature) {
    const std::string path = folder_ + "/told.log";
    std::string line(standing_kind);
    line += ' ';
    line += signature;
    line += ' ';
    line += body;
    line += '\n';
    TAGOUT_TRY(write_file(path, line));
    if (log_ >= 0) {
        ::close(log_);
    }
    log_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    if (log_ < 0) {
        return fail(ErrorCode::Unavailable, path + ": " + std::strerror(errno));
    }
    log_bytes_ = line.size();
    log_steps_ = 0;
    has_gap_ = false;
    unsynced_ = true;
    return {};
}

Result<void> HeldSnapshot::append_step(std::string_view body, std::string_view signature) {
    std::string line(step_kind);
    line += ' ';
    line += signature;
    line += ' ';
    line += body;
    line += '\n';
    const ssize_t written = ::write(log_, line.data(), line.size());
    if (written != static_cast<ssize_t>(line.size())) {
        const int why = errno;
        // Half a line in the middle would make all of it unusable.
        (void)!::ftruncate(log_, static_cast<off_t>(log_bytes_));
        return fail(
            ErrorCode::Unavailable,
            folder_ + "/told.log: " + (written < 0 ? std::strerror(why) : "the disk is full")
        );
    }
    log_bytes_ += line.size();
    ++log_steps_;
    unsynced_ = true;
    return {};
}

void HeldSnapshot::sync() {
    if (log_ >= 0 && std::exchange(unsynced_, false) && ::fdatasync(log_) != 0) {
        log::error("told_log_not_synced", {{"error", std::strerror(errno)}});
    }
}

void HeldSnapshot::heard(Instant at) {
    heard_ = at;
    if (at - heard_written_ >= heard_pause) {
        heard_written_ = at;
        const Result<void> kept =
            write_file(folder_ + "/contact", std::to_string(unix_nanos(at)));
        if (!kept) {
            log::warn("contact_not_kept", {{"error", kept.error().message}});
        }
    }
}

}  // namespace tagout::gateway
