#include "app/paging.h"

#include "base/assert.h"
#include "cli/json_text.h"
#include "notify/notice_book.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tagout::app {

namespace {

namespace json = boost::json;
using cli::Terminal;

constexpr Duration same_page_within = std::chrono::minutes(30);
constexpr std::size_t examples_max = 20;  ///< Shown in a table of each kind; JSON has all.

/// Numbers entries and forgets them: the desk needs an answer, nobody reads it again.
class ForgetfulJournal final : public journal::Journal {
public:
    explicit ForgetfulJournal(const Clock& clock) : clock_(clock) {}

    Result<std::vector<journal::JournalEntry>> append(
        std::span<const journal::EntryDraft> drafts
    ) override {
        std::vector<journal::JournalEntry> stored;
        for (const journal::EntryDraft& draft : drafts) {
            journal::JournalEntry& entry = stored.emplace_back();
            entry.sequence = ++sequence_;
            entry.recorded_at = clock_.now();
            entry.draft = draft;
        }
        return stored;
    }
    Result<void> read(
        std::uint64_t /*first*/, const std::function<bool(const journal::JournalEntry&)>& /*visit*/
    ) override {
        return {};
    }
    Result<journal::VerifyReport> verify() override {
        return journal::VerifyReport{.entries = sequence_, .head = {}, .faults = {}};
    }

private:
    const Clock& clock_;
    std::uint64_t sequence_ = 0;
};

bool is_same(const Page& a, const Page& b) {
    const Duration apart = a.at > b.at ? a.at - b.at : b.at - a.at;
    return a.incident.failure_class == b.incident.failure_class &&
           a.incident.agent == b.incident.agent && a.incident.cause == b.incident.cause &&
           apart <= same_page_within;
}

void print_pages(
    std::string_view what, const std::vector<Page>& pages, Terminal& terminal
) {
    std::vector<std::vector<std::string>> rows;
    for (const Page& page : pages) {
        if (rows.size() == examples_max) {
            break;
        }
        rows.push_back(
            {std::string(what),
             to_rfc3339(page.at),
             std::string(name_of(page.incident.severity)),
             std::string(name_of(page.incident.failure_class)),
             page.incident.agent.text(),
             why_text(page.incident)}
        );
    }
    if (!rows.empty()) {
        terminal.line(cli::table(
            {"PAGE", "AT", "SEVERITY", "CLASS", "AGENT", "WHY"}, rows, terminal.width()
        ));
    }
    if (pages.size() > examples_max) {
        terminal.line(
            "and " + std::to_string(pages.size() - examples_max) + " more; -o json has them all"
        );
    }
}

json::array tree_of_all(const std::vector<Page>& pages) {
    json::array rows;
    for (const Page& page : pages) {
        rows.push_back(tree_of(page));
    }
    return rows;
}

}  // namespace

PageCounter::PageCounter(const Configured& configured)
    : tell_in_triage_(configured.notices.triage),
      clock_(Instant(std::chrono::hours(24))),
      journal_(std::make_unique<ForgetfulJournal>(clock_)),
      desk_(incident::Desk::make(*journal_, clock_, configured.catalog, configured.incidents)),
      engine_(configured.detection, configured.catalog) {
    desk_->on_change([this](const incident::Change& change) {
        const auto event = notify::event_for(change.incident, nullptr, tell_in_triage_);
        if (event) {
            paged_.emplace(change.incident.id.text(), clock_.now());
        }
    });
}

PageCounter::~PageCounter() = default;

void PageCounter::take(const detect::Output& out, Instant now) {
    clock_.set(now);
    for (const detect::SessionSummary& session : out.sessions) {
        sessions_ += session.revised ? 0 : 1;
    }
    const Result<void> joined = desk_->join(out.findings, IncidentKind::Real);
    const Result<void> aged = desk_->tick();
    TAGOUT_ASSERT(joined.has_value() && aged.has_value(), "this journal takes every entry");
}

void PageCounter::judge(
    std::span<const AgentEvent> events, Instant now, const std::string& /*record*/
) {
    detect::Output out;
    engine_.judge(events, now, out);
    take(out, now);
}

void PageCounter::finish(Instant now) {
    detect::Output out;
    engine_.finish(out);
    take(out, now);
}

std::vector<Page> PageCounter::pages() const {
    std::vector<Page> pages;
    for (const auto& [id, at] : paged_) {
        Result<incident::Incident> incident = desk_->get(IncidentId(id));
        if (incident) {
            pages.push_back({at, std::move(*incident)});
        }
    }
    std::ranges::stable_sort(pages, {}, &Page::at);
    return pages;
}

std::vector<Page> only_in(const std::vector<Page>& mine, const std::vector<Page>& other) {
    std::vector<Page> only;
    std::vector<bool> taken(other.size(), false);
    for (const Page& page : mine) {
        bool matched = false;
        for (std::size_t i = 0; i < other.size() && !matched; ++i) {
            matched = !taken[i] && is_same(page, other[i]);
            taken[i] = taken[i] || matched;
        }
        if (!matched) {
            only.push_back(page);
        }
    }
    return only;
}

std::string why_text(const incident::Incident& incident) {
    const auto leads = std::ranges::find_if(incident.findings, [](const Finding& finding) {
        return finding.explained_by.empty();
    });
    if (leads == incident.findings.end()) {
        return incident.title;
    }
    return leads->signal + ": " + leads->evidence;
}

json::object tree_of(const Page& page) {
    json::array signals;
    for (const std::string& signal : page.incident.signals) {
        signals.push_back(json::string(signal));
    }
    return {
        {"at", to_rfc3339(page.at)},
        {"severity", name_of(page.incident.severity)},
        {"class", name_of(page.incident.failure_class)},
        {"agent", page.incident.agent.text()},
        {"workflow", page.incident.workflow.text()},
        {"title", page.incident.title},
        {"sessions", page.incident.impact.sessions},
        {"signals", std::move(signals)},
        {"why", why_text(page.incident)}};
}

Result<int> compare_pages(const ReplayOptions& options, Terminal& terminal) {
    if (options.config.empty()) {
        return fail(
            ErrorCode::InvalidArgument,
            "--against OLD compares with --config NEW: name the new configuration too"
        );
    }
    const Configured next = TAGOUT_TRY(load_config(options.config));
    const Configured old = TAGOUT_TRY(load_config(options.against));
    PageCounter with_next(next);
    PageCounter with_old(old);
    Player player({&with_next, &with_old});
    const ReplayTally tally;
    TAGOUT_TRY(play_files(options.files, player, &tally, terminal));
    const std::vector<Page> now = with_next.pages();
    const std::vector<Page> before = with_old.pages();
    const std::vector<Page> gained = only_in(now, before);
    const std::vector<Page> lost = only_in(before, now);
    if (options.format != cli::Format::Table) {
        terminal.line(cli::rendered(
            json::object{
                {"pages_before", before.size()},
                {"pages_after", now.size()},
                {"gained", tree_of_all(gained)},
                {"lost", tree_of_all(lost)}},
            options.format
        ));
        return 0;
    }
    terminal.line(
        std::to_string(player.records) + " records: " + std::to_string(before.size()) +
        " pages with " + options.against + ", " + std::to_string(now.size()) + " with " +
        options.config + ": " + std::to_string(gained.size()) + " gained, " +
        std::to_string(lost.size()) + " lost"
    );
    print_pages("gained", gained, terminal);
    print_pages("lost", lost, terminal);
    return player.malformed > 0 && player.records == 0 ? 1 : 0;
}

}  // namespace tagout::app
