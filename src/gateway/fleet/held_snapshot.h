// What a gateway holds of its control server: the newest signed snapshot, checked before it is believed
// and kept on its own disk before it is acknowledged.
//
//   control.pub   the server's public key, pinned by configuration or on first contact
//   told.log      a whole snapshot and the steps since, a signed line each
//   parts/HASH    policies, catalog, versions
//   contact       when the server was heard last
//
// A line is written before it counts and survives the death of the process; of the machine, once
// sync() came back. Read again, every line's signature is checked; a line that was cut off by a death
// was never acknowledged and is dropped; any other line that does not check makes the whole unusable:
// what followed may have been a stop.
//
// Confined to one thread.
#pragma once

#include "base/result.h"
#include "catalog/catalog.h"
#include "contain/agent_tokens.h"
#include "contain/fleet/frame.h"
#include "contain/fleet/snapshot_form.h"
#include "verify/signing.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tagout::gateway {

/// What agents are given by label, by family, name and label.
using VersionShelf =
    std::map<std::tuple<std::string, std::string, std::string>, contain::fleet::LabelledVersion>;

/// Parts as they are used.
struct HeldParts {
    std::shared_ptr<const std::vector<contain::Policy>> policies =
        std::make_shared<const std::vector<contain::Policy>>();
    std::shared_ptr<const catalog::Catalog> catalog = std::make_shared<const catalog::Catalog>();
    std::shared_ptr<const VersionShelf> versions = std::make_shared<const VersionShelf>();
    std::shared_ptr<const contain::AgentCredentials> agents =
        std::make_shared<const contain::AgentCredentials>();
};

class HeldSnapshot {
public:
    /// Gets the bytes of a part that is not on the disk.
    using FetchPart = std::function<Result<std::string>(const std::string& hash)>;

    static constexpr std::uint64_t log_bytes_max = 64ULL * 1024 * 1024;  ///< Then it is made anew.
    static constexpr std::uint64_t log_steps_max = 1'000;

    explicit HeldSnapshot(std::string folder);
    ~HeldSnapshot();
    HeldSnapshot(const HeldSnapshot&) = delete;
    HeldSnapshot& operator=(const HeldSnapshot&) = delete;

    /// Reads what an earlier life kept, if there is any. Corrupt names the file and the remedy; nothing
    /// is held then. `pinned`: a key by configuration, which wins over the one on disk.
    Result<void> open(const std::optional<verify::PublicKey>& pinned);

    /// The server says who it is. Unauthorized: another key is pinned. The first one is pinned.
    Result<void> meet(const verify::PublicKey& key);
    [[nodiscard]] const std::optional<verify::PublicKey>& key() const noexcept { return key_; }
    /// Unauthorized: `signature` is not the pinned key's over `body` as `kind`.
    [[nodiscard]] Result<void> check(
        std::string_view kind, std::string_view body, std::string_view signature
    ) const;

    [[nodiscard]] bool empty() const noexcept { return standing_.edition == 0; }
    [[nodiscard]] const contain::fleet::Standing& standing() const noexcept { return standing_; }
    [[nodiscard]] const HeldParts& parts() const noexcept { return parts_; }

    /// A whole snapshot. False: it is no newer than what is held. Conflict: an older one than what is
    /// held is refused, whoever signed it.
    Result<bool> take_standing(
        std::string_view body, std::string_view signature, const FetchPart& fetch
    );
    /// A step. False: it begins at another edition, and the whole is to be fetched.
    Result<bool> take_step(
        std::string_view body, std::string_view signature, const FetchPart& fetch
    );
    /// Whether the log has grown so long that a whole snapshot should replace it.
    [[nodiscard]] bool is_long() const noexcept;
    /// What was written is on the disk. Milliseconds.
    void sync();

    void heard(Instant at);  ///< Written now and then.
    [[nodiscard]] Instant last_heard() const noexcept { return heard_; }

private:
    Result<void> read_log(const std::string& text);
    Result<HeldParts> load(const contain::fleet::PartHashes& wanted, const FetchPart& fetch) const;
    Result<std::string> part_text(const std::string& hash, const FetchPart& fetch) const;
    Result<void> write_whole(std::string_view body, std::string_view signature);
    Result<void> append_step(std::string_view body, std::string_view signature);

    const std::string folder_;
    std::optional<verify::PublicKey> key_;
    contain::fleet::Standing standing_;
    contain::fleet::PartHashes loaded_;
    HeldParts parts_;
    int log_ = -1;
    std::uint64_t log_bytes_ = 0;
    std::uint64_t log_steps_ = 0;
    bool unsynced_ = false;
    bool has_gap_ = false;  ///< A step could not be kept: nothing is added before a whole one is.
    Instant heard_;
    Instant heard_written_;
};

}  // namespace tagout::gateway
