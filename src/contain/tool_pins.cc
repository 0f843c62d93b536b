#include "contain/tool_pins.h"

#include "base/log.h"
#include "base/mutex.h"
#include "contain/book.h"
#include "contain/metrics.h"
#include "journal/chain.h"

#include <boost/json.hpp>
#include <openssl/sha.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>

namespace tagout::contain {

namespace {

namespace json = boost::json;

constexpr std::string_view pinned_kind = "tool_definition.pinned";
constexpr std::string_view changed_kind = "tool_definition.changed";
constexpr std::string_view approved_kind = "tool_definition.approved";
constexpr std::size_t batch_max = 256;  // Entries of one tick: the rest waits for the next.

std::string hash_of(std::string_view text) {
    journal::Digest digest;
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    return journal::to_hex(digest);
}

std::string clipped(std::string_view text) {
    std::size_t end = std::min(text.size(), ToolPins::shown_bytes_max);
    while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
        --end;
    }
    return std::string(text.substr(0, end));
}

std::string body_of(
    const PinnedTool& tool, const Definition& definition, const std::string& agent
) {
    return json::serialize(json::object{
        {"server", tool.server},
        {"tool", tool.tool},
        {"hash", definition.hash},
        {"definition", definition.text},
        {"agent", agent}});
}

std::string text_at(const json::object& body, std::string_view key) {
    const json::value* const value = body.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

using Key = std::pair<std::string, std::string>;  // Server and tool.
using Keys = std::set<Key>;

/// What of a call's names is which tool: see ToolPins::refuses().
bool is_named(const Key& key, std::string_view tool) {
    const auto& [server, name] = key;
    return tool == name || tool == server + "." + name || tool == "mcp__" + server + "__" + name;
}

class LivePins final : public ToolPins {
public:
    LivePins(
        journal::Journal& journal, const Clock& clock, const Settings& settings,
        MetricRegistry& metrics
    )
        : journal_(journal), clock_(clock), metrics_(metrics), settings_(settings) {}

    Result<void> rebuild() override {
        const MutexLock lock(mutex_);
        TAGOUT_TRY(journal_.read(1, [this](const journal::JournalEntry& entry) {
            mutex_.assert_held();
            if (entry.draft.kind.starts_with("tool_definition.")) {
                fold(entry);
            }
            return true;
        }));
        publish();
        return {};
    }

    void use(const Settings& settings) override {
        const MutexLock lock(mutex_);
        settings_ = settings;
        publish();
    }

    void on_changed(std::function<void(const PinnedTool&)> observer) override {
        const MutexLock lock(mutex_);
        observer_ = std::move(observer);
    }

    void offered(
        std::string_view server, std::string_view tool, std::string_view definition,
        std::string_view agent
    ) override {
        std::string hash = hash_of(definition);
        const MutexLock lock(mutex_);
        const auto found = rows_.find(Key(server, tool));
        if (found == rows_.end()) {
            pin_first(server, tool, {std::move(hash), clipped(definition), clock_.now()});
            return;
        }
        Row& row = found->second;
        std::optional<Definition>& other = row.tool.offered;
        if (hash == row.tool.pinned.hash) {
            if (other) {
                other.reset();
                row.change_unwritten = false;
                log::info("tool_definition_restored", {{"server", server}, {"tool", tool}});
                publish();
            }
            return;
        }
        if (other && other->hash == hash) {
            return;
        }
        const bool is_new = !row.told.contains(hash) && row.told.size() < hashes_told_max;
        other = Definition{std::move(hash), clipped(definition), clock_.now()};
        row.tool.offered_to = std::string(agent);
        row.change_unwritten = is_new;
        dirty_ = dirty_ || is_new;
        publish();
    }

    [[nodiscard]] bool refuses(std::string_view server, std::string_view tool) const override {
        const std::shared_ptr<const Keys> refused = refused_.load(std::memory_order_acquire);
        if (refused == nullptr) {
            return false;
        }
        if (!server.empty()) {
            return refused->contains(Key(server, tool));
        }
        return std::ranges::any_of(*refused, [&](const Key& key) { return is_named(key, tool); });
    }

    Result<PinnedTool> approve(
        const std::string& server, const std::string& tool, const std::string& hash, const By& by
    ) override {
        const MutexLock lock(mutex_);
        const auto found = rows_.find(Key(server, tool));
        if (found == rows_.end()) {
            return fail(
                ErrorCode::NotFound, "no tool '" + tool.substr(0, 100) + "' of MCP server '" +
                                         server.substr(0, 100) +
                                         "' was seen by the gateway; tagout tools list shows those that were"
            );
        }
        Row& row = found->second;
        if (!row.tool.offered) {
            return fail(
                ErrorCode::Conflict,
                server + "." + tool + " is offered as it is pinned: there is nothing to approve"
            );
        }
        if (hash.size() < hash_prefix_min || !row.tool.offered->hash.starts_with(hash)) {
            return fail(
                ErrorCode::Conflict,
                server + "." + tool + " is offered with hash " + row.tool.offered->hash +
                    " now; look at that definition and name it"
            );
        }
        Definition approved = *row.tool.offered;
        approved.at = clock_.now();
        const journal::EntryDraft draft{
            std::string(approved_kind), server + "." + tool, by.actor, by.reason, approved.at,
            body_of(row.tool, approved, row.tool.offered_to)};
        TAGOUT_TRY(journal_.append(std::span(&draft, 1)));
        move_pin(row, std::move(approved), by);
        publish();
        return row.tool;
    }

    [[nodiscard]] std::vector<PinnedTool> list(bool changed_only) const override {
        const MutexLock lock(mutex_);
        std::vector<PinnedTool> tools;
        for (const auto& [key, row] : rows_) {
            if (!changed_only || row.tool.offered) {
                tools.push_back(row.tool);
            }
        }
        return tools;
    }

    void tick() override {
        std::vector<journal::EntryDraft> drafts;
        std::vector<Key> pins;
        std::vector<PinnedTool> changes;
        std::function<void(const PinnedTool&)> observer;
        {
            const MutexLock lock(mutex_);
            if (!dirty_) {
                return;
            }
            collect(drafts, pins, changes);
            observer = observer_;
        }
        if (const auto stored = journal_.append(drafts); !stored) {
            log::warn(
                "tool_definitions_not_recorded",
                {{"tools", drafts.size()}, {"error", stored.error().message}}
            );
            return;
        }
        written(pins, changes);
        for (const PinnedTool& each : changes) {
            log::warn(
                "tool_definition_changed",
                {{"server", each.server}, {"tool", each.tool}, {"pinned", each.pinned.hash},
                 {"offered", each.offered->hash}, {"refused", each.refused ? "yes" : "no"}}
            );
            if (observer) {
                observer(each);
            }
        }
    }

private:
    struct Row {
        PinnedTool tool;
        std::set<std::string> told;  ///< Hashes that differed from a pin and were journalled.
        bool pin_unwritten = false;
        bool change_unwritten = false;
    };

    void pin_first(std::string_view server, std::string_view tool, Definition definition)
        TAGOUT_REQUIRES(mutex_) {
        if (rows_.size() >= tools_max) {
            if (!std::exchange(full_, true)) {
                log::warn("tools_not_pinned", {{"limit", "tools_max"}, {"tools", tools_max}});
            }
            return;
        }
        Row row;
        row.tool.server = std::string(server);
        row.tool.tool = std::string(tool);
        row.tool.pinned = std::move(definition);
        row.tool.by = {tagout_itself(), "first seen"};
        row.pin_unwritten = true;
        dirty_ = true;
        rows_.emplace(Key(server, tool), std::move(row));
        metrics_.gauge(tools_pinned).set(static_cast<double>(rows_.size()));
    }

    static void move_pin(Row& row, Definition definition, const By& by) {
        row.tool.pinned = std::move(definition);
        row.tool.by = by;
        row.tool.offered.reset();
        row.tool.offered_to.clear();
        row.told.clear();
        row.pin_unwritten = false;
        row.change_unwritten = false;
    }

    void fold(const journal::JournalEntry& entry) TAGOUT_REQUIRES(mutex_) {
        boost::system::error_code wrong;
        const json::value value = json::parse(entry.draft.body, wrong);
        if (wrong || !value.is_object()) {
            log::error("tool_definition_unreadable", {{"sequence", entry.sequence}});
            return;
        }
        const json::object& body = value.get_object();
        Definition definition{
            text_at(body, "hash"), text_at(body, "definition"), entry.draft.occurred_at};
        Row& row = rows_[Key(text_at(body, "server"), text_at(body, "tool"))];
        row.tool.server = text_at(body, "server");
        row.tool.tool = text_at(body, "tool");
        if (entry.draft.kind == changed_kind) {
            row.told.insert(definition.hash);
            row.tool.offered = std::move(definition);
            row.tool.offered_to = text_at(body, "agent");
        } else {
            move_pin(row, std::move(definition), {entry.draft.actor, entry.draft.reason});
        }
    }

    void collect(
        std::vector<journal::EntryDraft>& drafts, std::vector<Key>& pins,
        std::vector<PinnedTool>& changes
    ) TAGOUT_REQUIRES(mutex_) {
        for (const auto& [key, row] : rows_) {
            if (drafts.size() + 2 > batch_max) {
                return;
            }
            const PinnedTool& tool = row.tool;
            const std::string subject = tool.server + "." + tool.tool;
            if (row.pin_unwritten) {
                drafts.push_back(
                    {std::string(pinned_kind), subject, tool.by.actor, tool.by.reason,
                     tool.pinned.at, body_of(tool, tool.pinned, "")}
                );
                pins.push_back(key);
            }
            if (row.change_unwritten && tool.offered) {
                drafts.push_back(
                    {std::string(changed_kind), subject, tagout_itself(),
                     "offered with another definition than the pinned one", tool.offered->at,
                     body_of(tool, *tool.offered, tool.offered_to)}
                );
                changes.push_back(tool);
            }
        }
    }

    void written(const std::vector<Key>& pins, const std::vector<PinnedTool>& changes) {
        const MutexLock lock(mutex_);
        for (const Key& key : pins) {
            rows_[key].pin_unwritten = false;
        }
        for (const PinnedTool& each : changes) {
            Row& row = rows_[Key(each.server, each.tool)];
            row.told.insert(each.offered->hash);
            if (row.tool.offered && row.tool.offered->hash == each.offered->hash) {
                row.change_unwritten = false;
            }
        }
        dirty_ = std::ranges::any_of(rows_, [](const auto& each) {
            return each.second.pin_unwritten || each.second.change_unwritten;
        });
    }

    /// Which tools are refused, for refuses().
    void publish() TAGOUT_REQUIRES(mutex_) {
        Keys refused;
        for (auto& [key, row] : rows_) {
            row.tool.refused =
                row.tool.offered &&
                std::ranges::any_of(settings_.changed_tools_denied, [&](const std::string& glob) {
                    return catalog::glob_matches(glob, row.tool.server);
                });
            if (row.tool.refused) {
                refused.insert(key);
            }
        }
        refused_.store(
            refused.empty() ? nullptr : std::make_shared<const Keys>(std::move(refused)),
            std::memory_order_release
        );
        const auto changed = std::ranges::count_if(rows_, [](const auto& each) {
            return each.second.tool.offered.has_value();
        });
        metrics_.gauge(tools_pinned).set(static_cast<double>(rows_.size()));
        metrics_.gauge(tools_changed).set(static_cast<double>(changed));
    }

    journal::Journal& journal_;
    const Clock& clock_;
    MetricRegistry& metrics_;
    std::atomic<std::shared_ptr<const Keys>> refused_;

    mutable Mutex mutex_;
    Settings settings_ TAGOUT_GUARDED_BY(mutex_);
    std::map<Key, Row> rows_ TAGOUT_GUARDED_BY(mutex_);
    bool dirty_ TAGOUT_GUARDED_BY(mutex_) = false;
    bool full_ TAGOUT_GUARDED_BY(mutex_) = false;
    std::function<void(const PinnedTool&)> observer_ TAGOUT_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<ToolPins> ToolPins::make(
    journal::Journal& journal, const Clock& clock, const Settings& settings, MetricRegistry& metrics
) {
    return std::make_unique<LivePins>(journal, clock, settings, metrics);
}

}  // namespace tagout::contain
