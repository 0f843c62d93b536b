#include "notify/notice_book.h"

#include "notify/content_json.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tagout::notify {

namespace {

namespace json = boost::json;

constexpr std::string_view queued_kind = "notice.queued";
constexpr std::string_view attempted_kind = "notice.attempted";
constexpr std::string_view delivered_kind = "notice.delivered";
constexpr std::string_view failed_kind = "notice.failed";

bool is_over(IncidentState state) noexcept {
    switch (state) {
        case IncidentState::Resolved:
        case IncidentState::Review:
        case IncidentState::Closed:
        case IncidentState::FalsePositive:
        case IncidentState::Merged:
        case IncidentState::Cancelled:
            return true;
        case IncidentState::Signal:
        case IncidentState::Triage:
        case IncidentState::Declared:
        case IncidentState::Contained:
        case IncidentState::Recovering:
        case IncidentState::Verifying:
            break;
    }
    return false;
}

bool is_worse(Severity now, Severity before) noexcept { return now < before; }

journal::EntryDraft entry(
    std::string_view kind, const Notice& notice, Instant at, std::string reason, json::object body
) {
    body["notice"] = notice.view.id;
    return journal::EntryDraft{
        .kind = std::string(kind),
        .subject = notice.content.incident,
        .actor = Actor("tagout"),
        .reason = std::move(reason),
        .occurred_at = at,
        .body = json::serialize(body),
    };
}

std::string text_of(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number_of(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    boost::system::error_code error;
    const std::int64_t number = value == nullptr ? 0 : value->to_number<std::int64_t>(error);
    return error ? 0 : number;
}

bool flag_of(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    return value != nullptr && value->is_bool() && value->get_bool();
}

Result<Notice> read_queued(const journal::JournalEntry& entry, const json::object& body) {
    const std::optional<Event> event = parse_event(text_of(body, "event"));
    const std::optional<ChannelType> type = parse_channel_type(text_of(body, "type"));
    const json::value* const content = body.if_contains("content");
    if (!event || !type || content == nullptr || text_of(body, "notice").empty()) {
        return fail(ErrorCode::InvalidArgument, "notice.queued: notice, event, type or content missing");
    }
    Notice notice{
        .view =
            {
                .id = text_of(body, "notice"),
                .incident = entry.draft.subject,
                .channel = text_of(body, "channel"),
                .type = std::string(name_of(*type)),
                .event = std::string(name_of(*event)),
                .last_error = {},
                .created_at = entry.draft.occurred_at,
                .delivered_at = std::nullopt,
                .next_attempt_at = entry.draft.occurred_at,
            },
        .event = *event,
        .type = *type,
        .content = TAGOUT_TRY(parse_content(json::serialize(*content))),
    };
    if (*event == Event::Test) {
        notice.view.incident.clear();
    }
    return notice;
}

}  // namespace

std::optional<Event> event_for(
    const incident::Incident& incident, const Told* told, bool tell_in_triage
) noexcept {
    if (incident.kind == IncidentKind::Backfilled || incident.state == IncidentState::Signal) {
        return std::nullopt;
    }
    if (is_over(incident.state)) {
        return told == nullptr ? std::nullopt : std::optional(Event::Resolved);
    }
    const bool triage = incident.state == IncidentState::Triage;
    if (told == nullptr) {
        if (triage) {
            return tell_in_triage ? std::optional(Event::Opened) : std::nullopt;
        }
        return Event::Declared;
    }
    if (!triage && !told->declared) {
        return Event::Declared;
    }
    if (is_worse(incident.severity, told->severity)) {
        return Event::Escalated;
    }
    const bool contained = incident.state == IncidentState::Contained;
    return contained && !told->contained ? std::optional(Event::Contained) : std::nullopt;
}

journal::EntryDraft queued_entry(const Notice& notice) {
    return entry(
        queued_kind, notice, notice.view.created_at,
        "told through channel " + notice.view.channel,
        {
            {"channel", notice.view.channel},
            {"type", notice.view.type},
            {"event", notice.view.event},
            {"content", json::parse(to_json(notice.content))},
        }
    );
}

journal::EntryDraft attempted_entry(const Notice& notice, Instant at) {
    return entry(
        attempted_kind, notice, at, "will be tried again",
        {
            {"channel", notice.view.channel},
            {"attempts", notice.view.attempts},
            {"status", notice.view.last_status},
            {"error", notice.view.last_error},
            {"next_attempt_at", to_rfc3339(notice.view.next_attempt_at.value_or(at))},
        }
    );
}

journal::EntryDraft delivered_entry(const Notice& notice, Instant at) {
    return entry(
        delivered_kind, notice, at, notice.view.event + " delivered to " + notice.view.channel,
        {
            {"channel", notice.view.channel},
            {"attempts", notice.view.attempts},
            {"status", notice.view.last_status},
            {"test", notice.event == Event::Test},
        }
    );
}

journal::EntryDraft failed_entry(const Notice& notice, Instant at, bool channel_disabled) {
    return entry(
        failed_kind, notice, at, notice.view.event + " not delivered to " + notice.view.channel,
        {
            {"channel", notice.view.channel},
            {"attempts", notice.view.attempts},
            {"status", notice.view.last_status},
            {"error", notice.view.last_error},
            {"channel_disabled", channel_disabled},
        }
    );
}

Result<void> NoticeBook::apply(const journal::JournalEntry& entry) {
    const std::string& kind = entry.draft.kind;
    if (kind != queued_kind && kind != attempted_kind && kind != delivered_kind && kind != failed_kind) {
        return {};
    }
    boost::system::error_code error;
    const json::value parsed = json::parse(entry.draft.body, error);
    if (error || !parsed.is_object()) {
        return fail(ErrorCode::InvalidArgument, kind + ": the body is not a JSON object");
    }
    const json::object& body = parsed.get_object();
    if (kind == queued_kind) {
        add(entry.sequence, TAGOUT_TRY(read_queued(entry, body)));
        return {};
    }
    if (kind == delivered_kind && flag_of(body, "test")) {
        disabled_.erase(text_of(body, "channel"));
    }
    if (kind == failed_kind && flag_of(body, "channel_disabled")) {
        disabled_.insert(text_of(body, "channel"));
    }
    const Pending::iterator at = find(text_of(body, "notice"));
    if (at == pending_.end()) {
        return {};  // Finished before: the entry repeats what is known.
    }
    NoticeView& view = at->second.view;
    view.attempts = static_cast<std::uint32_t>(number_of(body, "attempts"));
    view.last_status = static_cast<int>(number_of(body, "status"));
    view.last_error = text_of(body, "error");
    if (kind == attempted_kind) {
        const Result<Instant> next = parse_rfc3339(text_of(body, "next_attempt_at"));
        view.next_attempt_at = next ? *next : entry.draft.occurred_at;
        at->second.paced_by_receiver = false;
        return {};
    }
    view.next_attempt_at.reset();
    view.state = kind == delivered_kind ? NoticeState::Delivered : NoticeState::Failed;
    if (kind == delivered_kind) {
        view.delivered_at = entry.draft.occurred_at;
    }
    finish(at);
    return {};
}

void NoticeBook::add(std::uint64_t sequence, Notice notice) {
    const std::string incident = notice.view.incident;
    switch (notice.event) {
        case Event::Opened:
        case Event::Declared:
        case Event::Escalated:
        case Event::Contained:
        case Event::PointFailing:
        case Event::ControlDue:
        case Event::ControlOverdue: {
            Told& told = told_[incident];
            const bool first = told.channels.empty();
            told.severity = first ? notice.content.severity
                                  : std::min(told.severity, notice.content.severity);
            told.declared |= notice.event == Event::Declared;
            told.contained |= notice.event == Event::Contained;
            told.overdue |= notice.event == Event::ControlOverdue;
            if (std::ranges::find(told.channels, notice.view.channel) == told.channels.end()) {
                told.channels.push_back(notice.view.channel);
            }
            break;
        }
        case Event::Resolved:
        case Event::PointWell:
        case Event::ControlReviewed:
            told_.erase(incident);
            break;
        case Event::Test:
            break;
    }
    sequence_of_[notice.view.id] = sequence;
    pending_.insert_or_assign(sequence, std::move(notice));
}

void NoticeBook::finish(Pending::iterator at) {
    Notice notice = std::move(at->second);
    pending_.erase(at);
    sequence_of_.erase(notice.view.id);
    finished_.push_back(notice.view);
    if (finished_.size() > log_max_) {
        finished_.pop_front();
    }
    if (notice.type != ChannelType::Alertmanager || notice.event == Event::Test) {
        return;
    }
    const std::pair key(notice.view.incident, notice.view.channel);
    if (ends(notice.event)) {
        firing_.erase(key);
    } else if (notice.view.state == NoticeState::Delivered) {
        firing_.insert_or_assign(key, std::move(notice));
    }
}

NoticeBook::Pending::iterator NoticeBook::find(const std::string& id) {
    const auto at = sequence_of_.find(id);
    return at == sequence_of_.end() ? pending_.end() : pending_.find(at->second);
}

void NoticeBook::each_head(
    const std::set<std::string>& busy, const std::function<bool(const Notice&)>& visit
) const {
    std::set<std::pair<std::string_view, std::string_view>> waiting;
    for (const auto& [sequence, notice] : pending_) {
        const NoticeView& view = notice.view;
        if (busy.contains(view.channel) || notice.event == Event::Test) {
            continue;
        }
        if (waiting.emplace(view.incident, view.channel).second && !visit(notice)) {
            return;
        }
    }
}

const Notice* NoticeBook::due(Instant now, const std::set<std::string>& busy) const {
    const Notice* found = nullptr;
    each_head(busy, [&](const Notice& notice) {
        if (notice.view.next_attempt_at.value_or(now) <= now) {
            found = &notice;
        }
        return found == nullptr;
    });
    return found;
}

std::optional<Instant> NoticeBook::next_due(const std::set<std::string>& busy) const {
    std::optional<Instant> next;
    each_head(busy, [&](const Notice& notice) {
        const std::optional<Instant>& at = notice.view.next_attempt_at;
        if (at && (!next || *at < *next)) {
            next = at;
        }
        return true;
    });
    return next;
}

std::vector<Notice> NoticeBook::pending_tests() const {
    std::vector<Notice> tests;
    for (const auto& [sequence, notice] : pending_) {
        if (notice.event == Event::Test) {
            tests.push_back(notice);
        }
    }
    return tests;
}

void NoticeBook::hasten(const std::string& incident, const std::string& channel, Instant now) {
    for (auto& [sequence, notice] : pending_) {
        NoticeView& view = notice.view;
        if (view.incident == incident && view.channel == channel && !notice.paced_by_receiver) {
            view.next_attempt_at = std::min(view.next_attempt_at.value_or(now), now);
        }
    }
}

void NoticeBook::pace_by_receiver(const std::string& id) {
    const Pending::iterator at = find(id);
    if (at != pending_.end()) {
        at->second.paced_by_receiver = true;
    }
}

const Notice* NoticeBook::pending(const std::string& id) const {
    const auto at = sequence_of_.find(id);
    return at == sequence_of_.end() ? nullptr : &pending_.at(at->second);
}

const Told* NoticeBook::told(const std::string& incident) const {
    const auto at = told_.find(incident);
    return at == told_.end() ? nullptr : &at->second;
}

std::vector<NoticeView> NoticeBook::list(std::string_view incident, std::size_t limit) const {
    std::vector<NoticeView> out;
    const auto take = [&](const NoticeView& view) {
        if (incident.empty() || view.incident == incident) {
            out.push_back(view);
        }
    };
    for (const auto& [sequence, notice] : pending_) {
        take(notice.view);
    }
    for (const NoticeView& view : finished_) {
        take(view);
    }
    std::ranges::stable_sort(out, std::ranges::greater{}, &NoticeView::created_at);
    if (out.size() > limit) {
        out.resize(limit);
    }
    return out;
}

}  // namespace tagout::notify
