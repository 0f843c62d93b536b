#include "notify/notifier.h"

#include "base/log.h"
#include "base/mutex.h"
#include "notify/format.h"
#include "notify/metrics.h"
#include "notify/notice_book.h"
#include "notify/retry.h"
#include "notify/secret.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <set>
#include <thread>
#include <utility>

namespace tagout::notify {

namespace {

constexpr std::size_t error_points_max = 300;
constexpr std::size_t quoted_body_max = 120;
constexpr std::size_t answer_bytes_max = 64 * 1024;
constexpr Duration longest_wait = std::chrono::milliseconds(500);

/// "msg_" and 24 hex digits over whatever makes the notice that one.
std::string notice_id(std::string_view identity) {
    std::array<unsigned char, crypto_generichash_BYTES> hash{};
    crypto_generichash(
        hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(identity.data()),
        identity.size(), nullptr, 0
    );
    constexpr std::size_t id_bytes = 12;
    std::array<char, 2 * id_bytes + 1> hex{};
    sodium_bin2hex(hex.data(), hex.size(), hash.data(), id_bytes);
    return "msg_" + std::string(hex.data());
}

struct Attempt {
    Judgement judgement = Judgement::Retry;
    int status = 0;
    std::string error;  ///< Without secrets; "" when delivered.
    std::optional<Duration> retry_after;
};

Attempt send(
    const Notice& notice, const catalog::NoticeChannel& channel, const Settings& settings,
    Instant now, net::HttpClient& client
) {
    Result<std::string> secret = read_secret(channel);
    if (!secret) {
        return {.error = secret.error().message, .retry_after = std::nullopt};
    }
    const auto said = [&](std::string_view text) {
        return clean(scrub(std::string(text), *secret, channel.url), error_points_max);
    };
    const Target target{
        .url = channel.url, .secret = *secret, .now = now, .keeps = settings.refresh_keeps
    };
    Formatted request = format(notice, target);
    if (!request) {
        return {.error = said(request.error().message), .retry_after = std::nullopt};
    }
    request->timeout = settings.attempt_timeout;
    request->response_bytes_max = answer_bytes_max;
    const Result<net::HttpResponse> response = client.send(*request);
    if (!response) {
        return {.error = said(response.error().message), .retry_after = std::nullopt};
    }
    Attempt attempt{
        .judgement = judge(notice.type, response->status),
        .status = response->status,
        .error = {},
        .retry_after = parse_retry_after(response->header("Retry-After"), now),
    };
    if (attempt.judgement != Judgement::Delivered) {
        const bool redirect = response->status >= 300 && response->status < 400;
        const std::string hint =
            redirect ? " (redirects are not followed: write the final URL into the channel)" : "";
        attempt.error = said(
            "HTTP " + std::to_string(response->status) + hint + ": " +
            response->body.substr(0, quoted_body_max)
        );
    }
    return attempt;
}

}  // namespace

struct Notifier::State {
    // Constant after construction.
    journal::Journal& journal;
    const Clock& clock;
    const Settings settings;
    MetricRegistry& metrics;
    Gauge& pending_gauge;
    Gauge& disabled_gauge;
    Histogram& delivery_time;
    std::function<void(const NoticeView&)> observer;

    mutable Mutex mutex;
    Condition changed;
    std::shared_ptr<const catalog::Catalog> catalog TAGOUT_GUARDED_BY(mutex);
    NoticeBook book TAGOUT_GUARDED_BY(mutex);
    Prng chance TAGOUT_GUARDED_BY(mutex);
    std::set<std::string> busy TAGOUT_GUARDED_BY(mutex);  ///< Channels that a thread is serving.
    std::map<std::pair<std::string, std::string>, Instant> refresh_at TAGOUT_GUARDED_BY(mutex);
    std::uint64_t tests TAGOUT_GUARDED_BY(mutex) = 0;
    bool stopping TAGOUT_GUARDED_BY(mutex) = false;
    std::vector<std::thread> threads;

    /// One thing to send: a notice, or an open incident that an Alertmanager must not forget.
    struct Job {
        Notice notice;
        catalog::NoticeChannel channel;
        bool configured = false;
        bool refresh = false;
    };

    State(
        journal::Journal& to, const Clock& by, std::shared_ptr<const catalog::Catalog> from,
        const Settings& set, std::uint64_t seed, MetricRegistry& registry
    )
        : journal(to), clock(by), settings(set), metrics(registry),
          pending_gauge(registry.gauge(notices_pending)),
          disabled_gauge(registry.gauge(notice_channels_disabled)),
          delivery_time(registry.histogram(notice_delivery_seconds)), catalog(std::move(from)),
          book(set.log_max), chance(seed) {}

    void count(const MetricInfo& info, std::initializer_list<std::string_view> values) {
        metrics.counter(info, std::span(values.begin(), values.size())).add();
    }
    void show_gauges() TAGOUT_REQUIRES(mutex) {
        pending_gauge.set(static_cast<double>(book.pending_count()));
        disabled_gauge.set(static_cast<double>(book.disabled_count()));
    }
    void drop(const incident::Incident& incident, std::string_view reason);
    bool write(std::span<const journal::EntryDraft> drafts) TAGOUT_REQUIRES(mutex);
    std::vector<std::string> channels_for(
        const incident::Incident& incident, Event event, const Told* told
    ) TAGOUT_REQUIRES(mutex);
    void tell(const incident::Change& change) TAGOUT_REQUIRES(mutex);
    void tell_point(const Content& content, Event event) TAGOUT_REQUIRES(mutex);
    void tell_control(const contain::ControlView& view, const incident::Owner& owner)
        TAGOUT_REQUIRES(mutex);
    void queue_about(const Content& content, Event event, const std::vector<std::string>& names)
        TAGOUT_REQUIRES(mutex);
    std::optional<Job> pick(Instant now) TAGOUT_REQUIRES(mutex);
    std::optional<Job> pick_refresh(Instant now) TAGOUT_REQUIRES(mutex);
    Duration wait_time(Instant now) TAGOUT_REQUIRES(mutex);
    void run_job(Job& job, net::HttpClient& client);
    NoticeView settle(Notice notice, const Attempt& attempt, bool final_attempt);
    void deliver(net::HttpClient& client);
};

void Notifier::State::drop(const incident::Incident& incident, std::string_view reason) {
    count(notices_dropped_total, {reason});
    log::warn("notice_dropped", {{"incident", incident.id.text()}, {"reason", reason}});
}

bool Notifier::State::write(std::span<const journal::EntryDraft> drafts) {
    const Result<std::vector<journal::JournalEntry>> stored = journal.append(drafts);
    if (!stored) {
        log::error("notice_not_journalled", {{"error", stored.error().message}});
        return false;
    }
    for (const journal::JournalEntry& entry : *stored) {
        const Result<void> applied = book.apply(entry);
        TAGOUT_ASSERT(applied.has_value(), "an entry that was just written can be read");
    }
    show_gauges();
    return true;
}

std::vector<std::string> Notifier::State::channels_for(
    const incident::Incident& incident, Event event, const Told* told
) {
    std::vector<std::string> wanted;
    if (event != Event::Resolved) {
        const catalog::NoticeChannel* const owners = catalog->channel(incident.owner.channel);
        const bool usable = owners != nullptr && !book.disabled(owners->name);
        wanted.push_back(usable ? owners->name : catalog->contents().default_channel);
    }
    if (told != nullptr) {  // Whoever heard that it began hears how it goes on, also after a new owner.
        wanted.insert(wanted.end(), told->channels.begin(), told->channels.end());
    }
    std::vector<std::string> usable;
    for (const std::string& name : wanted) {
        const bool known = catalog->channel(name) != nullptr;
        if (known && !book.disabled(name) && std::ranges::find(usable, name) == usable.end()) {
            usable.push_back(name);
        }
    }
    return usable;
}

void Notifier::State::tell(const incident::Change& change) {
    const incident::Incident& incident = change.incident;
    const Told* const told = book.told(incident.id.text());
    const std::optional<Event> event = event_for(incident, told, settings.triage);
    if (!event) {
        return;
    }
    const std::vector<std::string> names = channels_for(incident, *event, told);
    if (names.empty()) {
        if (!catalog->contents().channels.empty()) {
            drop(incident, "no_channel");
        }
        return;
    }
    if (book.pending_count() + names.size() > settings.pending_max) {
        drop(incident, "queue_full");
        return;
    }
    const Instant now = clock.now();
    std::vector<journal::EntryDraft> drafts;
    for (const std::string& name : names) {
        const catalog::NoticeChannel& channel = *catalog->channel(name);
        const std::optional<ChannelType> type = parse_channel_type(channel.type);
        if (!type) {
            drop(incident, "channel_type");
            continue;
        }
        Notice notice;
        notice.event = *event;
        notice.type = *type;
        notice.content = describe_incident(incident, change.entry.draft, settings.page_url);
        notice.view.created_at = now;
        notice.view.next_attempt_at = now;
        if (told != nullptr && told->severity != incident.severity) {
            notice.content.escalated_from = told->severity;
        }
        notice.view.channel = name;
        notice.view.type = name_of(*type);
        notice.view.event = name_of(*event);
        notice.view.incident = incident.id.text();
        notice.view.id = notice_id(
            incident.id.text() + "|" + notice.view.event + "|" + name + "|" +
            std::string(name_of(incident.severity)) + "|" + std::to_string(change.entry.sequence)
        );
        drafts.push_back(queued_entry(notice));
        count(notices_queued_total, {notice.view.type, notice.view.event});
    }
    if (drafts.empty()) {
        return;
    }
    if (!write(drafts)) {
        drop(incident, "journal");
        return;
    }
    for (const std::string& name : names) {
        book.hasten(incident.id.text(), name, now);
    }
}

void Notifier::State::tell_point(const Content& content, Event event) {
    const Told* const told = book.told(content.incident);
    if (ends(event) != (told != nullptr)) {
        return;  // Told already, or nobody was told that it began.
    }
    std::vector<std::string> names;
    if (told != nullptr) {
        names = told->channels;
    } else if (catalog->channel("") != nullptr) {
        names.push_back(catalog->channel("")->name);
    }
    queue_about(content, event, names);
}

void Notifier::State::tell_control(const contain::ControlView& view, const incident::Owner& owner) {
    using contain::Review;
    const std::string about = "control:" + view.control.id.text();
    const Told* const told = book.told(about);
    const bool over = view.released_at || view.review == Review::Ahead;
    const Event event = over                             ? Event::ControlReviewed
                        : view.review == Review::Passed ? Event::ControlOverdue
                                                        : Event::ControlDue;
    const bool known = told != nullptr && (event == Event::ControlDue || told->overdue);
    if (over ? told == nullptr : known) {
        return;
    }
    std::vector<std::string> names;
    if (!over) {
        const catalog::NoticeChannel* const owners = catalog->channel(owner.channel);
        const bool usable = owners != nullptr && !book.disabled(owners->name);
        names.push_back(usable ? owners->name : catalog->contents().default_channel);
    }
    if (told != nullptr) {
        for (const std::string& name : told->channels) {
            if (std::ranges::find(names, name) == names.end()) {
                names.push_back(name);
            }
        }
    }
    if (catalog->contents().channels.empty()) {
        names.clear();  // Nobody asked to be told of anything.
    }
    const Instant now = clock.now();
    Content content = describe_control(view, owner, event, now, settings.page_url);
    if (told != nullptr && told->severity != content.severity) {
        content.escalated_from = told->severity;
    }
    queue_about(content, event, names);
}

void Notifier::State::queue_about(
    const Content& content, Event event, const std::vector<std::string>& names
) {
    const Instant now = clock.now();
    std::vector<journal::EntryDraft> drafts;
    for (const std::string& name : names) {
        const catalog::NoticeChannel* const channel = catalog->channel(name);
        const auto type = channel == nullptr ? std::nullopt : parse_channel_type(channel->type);
        if (!type || book.disabled(name) || book.pending_count() >= settings.pending_max) {
            count(notices_dropped_total, {"no_channel"});
            log::warn("notice_dropped", {{"about", content.incident}, {"channel", name}});
            continue;
        }
        Notice notice;
        notice.event = event;
        notice.type = *type;
        notice.content = content;
        notice.view.created_at = now;
        notice.view.next_attempt_at = now;
        notice.view.channel = name;
        notice.view.type = name_of(*type);
        notice.view.event = name_of(event);
        notice.view.incident = content.incident;
        notice.view.id = notice_id(
            content.incident + "|" + notice.view.event + "|" + name + "|" +
            std::to_string(unix_nanos(content.at))
        );
        drafts.push_back(queued_entry(notice));
        count(notices_queued_total, {notice.view.type, notice.view.event});
    }
    if (!drafts.empty()) {
        write(drafts);
    }
}

std::optional<Notifier::State::Job> Notifier::State::pick_refresh(Instant now) {
    const auto& firing = book.firing();
    std::erase_if(refresh_at, [&](const auto& row) { return !firing.contains(row.first); });
    for (const auto& [key, notice] : firing) {
        const auto [at, fresh] =
            refresh_at.emplace(key, notice.view.delivered_at.value_or(now) + settings.refresh_every);
        const catalog::NoticeChannel* const channel = catalog->channel(key.second);
        if (at->second > now || busy.contains(key.second) || channel == nullptr) {
            continue;
        }
        at->second = now + settings.refresh_every;
        return Job{.notice = notice, .channel = *channel, .configured = true, .refresh = true};
    }
    return std::nullopt;
}

std::optional<Notifier::State::Job> Notifier::State::pick(Instant now) {
    const Notice* const notice = book.due(now, busy);
    if (notice == nullptr) {
        return pick_refresh(now);
    }
    const catalog::NoticeChannel* const channel = catalog->channel(notice->view.channel);
    Job job{.notice = *notice, .channel = {}, .configured = channel != nullptr};
    if (channel != nullptr) {
        job.channel = *channel;
        job.notice.type = parse_channel_type(channel->type).value_or(notice->type);
    }
    return job;
}

Duration Notifier::State::wait_time(Instant now) {
    std::optional<Instant> next = book.next_due(busy);
    for (const auto& [key, at] : refresh_at) {
        next = next ? std::min(*next, at) : at;
    }
    constexpr Duration shortest_wait = std::chrono::milliseconds(5);
    return next ? std::clamp<Duration>(*next - now, shortest_wait, longest_wait) : longest_wait;
}

/// Makes the outcome durable and folds it in. `final_attempt`: no retry, whatever the answer.
NoticeView Notifier::State::settle(Notice notice, const Attempt& attempt, bool final_attempt) {
    const Instant now = clock.now();
    NoticeView& view = notice.view;
    view.attempts += 1;
    view.last_status = attempt.status;
    view.last_error = attempt.error;
    const MutexLock lock(mutex);
    std::optional<Duration> delay;
    if (attempt.judgement == Judgement::Retry && !final_attempt) {
        delay = retry_delay(view.attempts, chance);
    }
    const bool delivered = attempt.judgement == Judgement::Delivered;
    const bool asked_to_wait = delay && attempt.retry_after && *attempt.retry_after > *delay;
    journal::EntryDraft draft;
    if (delivered) {
        view.state = NoticeState::Delivered;
        view.delivered_at = now;
        view.next_attempt_at.reset();
        draft = delivered_entry(notice, now);
        delivery_time.observe(std::chrono::duration<double>(now - view.created_at).count());
    } else if (delay) {
        view.next_attempt_at = now + (asked_to_wait ? *attempt.retry_after : *delay);
        draft = attempted_entry(notice, now);
    } else {
        view.state = NoticeState::Failed;
        view.next_attempt_at.reset();
        draft = failed_entry(notice, now, attempt.judgement == Judgement::Disable);
    }
    if (!write({&draft, 1})) {
        // It happened all the same: go on as if it were written; a restart would send it again.
        const Result<void> applied = book.apply({.recorded_at = now, .draft = draft});
        TAGOUT_ASSERT(applied.has_value(), "an entry of ours can be read");
    }
    if (asked_to_wait) {
        book.pace_by_receiver(view.id);
    }
    show_gauges();
    const std::string_view result = delivered ? "delivered" : delay ? "retry" : "failed";
    count(notice_attempts_total, {view.type, result});
    const std::initializer_list<log::Field> fields{
        {"notice", view.id},         {"incident", view.incident}, {"channel", view.channel},
        {"event", view.event},       {"attempt", view.attempts},  {"status", view.last_status},
        {"error", view.last_error},
    };
    if (delivered) {
        log::info("notice_delivered", fields);
    } else {
        log::warn(delay ? "notice_will_be_retried" : "notice_failed", fields);
    }
    return view;
}

void Notifier::State::run_job(Job& job, net::HttpClient& client) {
    Attempt attempt;
    if (job.configured) {
        attempt = send(job.notice, job.channel, settings, clock.now(), client);
    } else {
        attempt.judgement = Judgement::Fail;
        attempt.error = "channel " + job.notice.view.channel + " is no longer configured";
    }
    if (job.refresh) {
        const bool delivered = attempt.judgement == Judgement::Delivered;
        count(notice_refreshes_total, {delivered ? "delivered" : "failed"});
        if (!delivered) {
            log::warn(
                "notice_refresh_failed",
                {{"incident", job.notice.view.incident}, {"error", attempt.error}}
            );
        }
        return;
    }
    const NoticeView view = settle(std::move(job.notice), attempt, false);
    if (observer) {
        observer(view);
    }
}

void Notifier::State::deliver(net::HttpClient& client) {
    for (;;) {
        std::optional<Job> job;
        {
            const MutexLock lock(mutex);
            while (!stopping) {
                job = pick(clock.now());
                if (job) {
                    break;
                }
                changed.wait_for(mutex, wait_time(clock.now()));
            }
            if (stopping) {
                return;
            }
            busy.insert(job->notice.view.channel);
        }
        const std::string channel = job->notice.view.channel;
        run_job(*job, client);
        const MutexLock lock(mutex);
        busy.erase(channel);
        changed.notify_all();
    }
}

Notifier::Notifier(
    journal::Journal& journal, const Clock& clock, std::shared_ptr<const catalog::Catalog> catalog,
    const Settings& settings, std::uint64_t seed, MetricRegistry& metrics
)
    : state_(std::make_unique<State>(journal, clock, std::move(catalog), settings, seed, metrics)) {
    TAGOUT_ASSERT(sodium_init() >= 0, "libsodium finds its random source");
}

Notifier::~Notifier() {
    {
        const MutexLock lock(state_->mutex);
        state_->stopping = true;
        state_->changed.notify_all();
    }
    for (std::thread& thread : state_->threads) {
        thread.join();
    }
}

Result<void> Notifier::rebuild() {
    State& state = *state_;
    const MutexLock lock(state.mutex);
    NoticeBook* const book = &state.book;  // The lock is held throughout the read.
    TAGOUT_TRY(state.journal.read(1, [&](const journal::JournalEntry& entry) {
        const Result<void> applied = book->apply(entry);
        if (!applied) {
            log::error(
                "notice_entry_unreadable",
                {{"sequence", entry.sequence}, {"error", applied.error().message}}
            );
        }
        return true;
    }));
    for (const Notice& test : state.book.pending_tests()) {
        Notice ended = test;
        ended.view.last_error = "interrupted by a restart";
        const journal::EntryDraft draft = failed_entry(ended, state.clock.now(), false);
        if (!state.write({&draft, 1})) {
            return fail(ErrorCode::Unavailable, "notices: the journal cannot be written");
        }
    }
    state.show_gauges();
    return {};
}

void Notifier::start() {
    TAGOUT_ASSERT(state_->threads.empty(), "started once");
    for (std::uint32_t i = 0; i < state_->settings.threads; ++i) {
        state_->threads.emplace_back([state = state_.get()] {
            net::HttpClient client;
            state->deliver(client);
        });
    }
}

void Notifier::use(std::shared_ptr<const catalog::Catalog> catalog) {
    const MutexLock lock(state_->mutex);
    state_->catalog = std::move(catalog);
    state_->changed.notify_all();
}

void Notifier::on_change(const incident::Change& change) {
    const MutexLock lock(state_->mutex);
    state_->tell(change);
    state_->changed.notify_all();
}

void Notifier::on_point(
    std::string_view point, std::string_view sentence, bool failing, Instant at
) {
    const MutexLock lock(state_->mutex);
    state_->tell_point(
        describe_point(point, sentence, failing, at, state_->settings.page_url),
        failing ? Event::PointFailing : Event::PointWell
    );
    state_->changed.notify_all();
}

void Notifier::on_control(const contain::ControlView& view, const incident::Owner& owner) {
    const MutexLock lock(state_->mutex);
    state_->tell_control(view, owner);
    state_->changed.notify_all();
}

void Notifier::on_outcome(std::function<void(const NoticeView&)> observer) {
    TAGOUT_ASSERT(state_->threads.empty(), "set before start()");
    state_->observer = std::move(observer);
}

std::size_t Notifier::deliver_due() {
    State& state = *state_;
    net::HttpClient client;
    std::size_t attempts = 0;
    for (;;) {
        std::optional<State::Job> job;
        {
            const MutexLock lock(state.mutex);
            job = state.pick(state.clock.now());
            if (!job) {
                return attempts;
            }
            state.busy.insert(job->notice.view.channel);
        }
        const std::string channel = job->notice.view.channel;
        state.run_job(*job, client);
        ++attempts;
        const MutexLock lock(state.mutex);
        state.busy.erase(channel);
    }
}

std::vector<NoticeView> Notifier::list(std::string_view incident, std::size_t limit) const {
    const MutexLock lock(state_->mutex);
    return state_->book.list(incident, limit);
}

Result<NoticeView> Notifier::test(const std::string& channel) {
    State& state = *state_;
    Notice notice;
    catalog::NoticeChannel target;
    {
        const MutexLock lock(state.mutex);
        const catalog::NoticeChannel* const found = state.catalog->channel(channel);
        const std::optional<ChannelType> type =
            found == nullptr ? std::nullopt : parse_channel_type(found->type);
        if (!type) {
            std::string known;
            for (const catalog::NoticeChannel& row : state.catalog->contents().channels) {
                known += known.empty() ? row.name : ", " + row.name;
            }
            return fail(
                ErrorCode::NotFound,
                "no channel '" + clean(channel, 60) + "'; configured are: " +
                    (known.empty() ? "none" : known)
            );
        }
        target = *found;
        const Instant now = state.clock.now();
        state.tests += 1;
        notice.type = *type;
        notice.event = Event::Test;
        notice.view.id = notice_id(
            "test|" + channel + "|" + std::to_string(unix_nanos(now)) + "|" +
            std::to_string(state.tests)
        );
        notice.view.channel = channel;
        notice.view.type = name_of(*type);
        notice.view.event = name_of(Event::Test);
        notice.view.created_at = now;
        notice.content.incident = "test-" + notice.view.id.substr(4, 8);
        notice.content.title = "Test notice from Tagout: nothing has happened";
        notice.content.team = "test";
        notice.content.began_at = now;
        notice.content.at = now;
        const journal::EntryDraft draft = queued_entry(notice);
        if (!state.write({&draft, 1})) {
            return fail(ErrorCode::Unavailable, "the journal cannot be written; nothing was sent");
        }
    }
    net::HttpClient client;
    const Attempt attempt = send(notice, target, state.settings, state.clock.now(), client);
    if (notice.type == ChannelType::PagerDuty && attempt.judgement == Judgement::Delivered) {
        Notice ended = notice;  // A test must not keep anybody's pager ringing.
        ended.event = Event::Resolved;
        const Attempt end = send(ended, target, state.settings, state.clock.now(), client);
        if (end.judgement != Judgement::Delivered) {
            log::warn("notice_test_not_resolved", {{"channel", channel}, {"error", end.error}});
        }
    }
    return state.settle(std::move(notice), attempt, true);
}

}  // namespace tagout::notify
