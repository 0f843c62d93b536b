#include "recover/journeys.h"

#include "base/log.h"
#include "base/mutex.h"
#include "catalog/expectation.h"
#include "catalog/version.h"
#include "recover/journey_json.h"
#include "recover/metrics.h"

#include <boost/json.hpp>

#include <algorithm>
#include <deque>
#include <map>

namespace tagout::recover {

namespace {

namespace json = boost::json;
using catalog::Expectation;
using catalog::Journey;
using catalog::JourneyStep;

/// At most `bytes_max`, cut where a character begins, and only what a journal entry can hold.
std::string clipped(std::string_view text, std::size_t bytes_max) {
    std::size_t end = std::min(text.size(), bytes_max);
    while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    std::string out(text.substr(0, end));
    boost::system::error_code error;
    json::parse(json::serialize(json::string_view(out)), error);
    if (error) {
        std::ranges::replace_if(
            out, [](char c) { return static_cast<unsigned char>(c) > 0x7e; }, '?'
        );
    }
    return out + (end < text.size() ? " ..." : "");
}

/// A step's request in its parts: the first word, the second of an http step, the rest.
struct Request {
    std::string first;
    std::string second;
    std::string rest;
};

Request request_of(const JourneyStep& step) {
    const auto word = [](std::string_view& text) {
        const std::size_t end = text.find_first_of(" \n\t");
        const std::string_view found = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        return std::string(found);
    };
    std::string_view text = step.request;
    Request request;
    request.first = word(text);
    if (step.kind == "http") {
        request.second = word(text);
    }
    request.rest = std::string(text);
    return request;
}

/// What the journey is, so that a run of another one proves nothing.
std::string definition_of(const Journey& journey) {
    std::string text;
    for (const JourneyStep& step : journey.steps) {
        text += step.kind + "\n" + step.request + "\n";
        for (const std::string& line : step.expect) {
            text += "expect " + line + "\n";
        }
    }
    return catalog::content_hash({catalog::VersionFamily::Prompt, journey.name}, text);
}

const json::value* member(const json::value& whole, std::string_view path) {
    const json::value* at = &whole;
    for (const catalog::PathPart& part : catalog::path_parts(path)) {
        if (part.name.empty()) {
            const json::array* const list = at->if_array();
            at = list == nullptr ? nullptr : list->if_contains(part.position);
        } else {
            const json::object* const object = at->if_object();
            at = object == nullptr ? nullptr : object->if_contains(part.name);
        }
        if (at == nullptr) {
            return nullptr;
        }
    }
    return at;
}

std::string judge_json(const Expectation& expectation, const StepAnswer& answer) {
    boost::system::error_code error;
    const std::string& text = answer.json.empty() ? answer.text : answer.json;
    const json::value whole = json::parse(text, error);
    if (error) {
        return "the answer is no JSON: " + clipped(answer.text, 200);
    }
    const json::value* const found = member(whole, expectation.text);
    if (found == nullptr) {
        return "there is no " + expectation.text + " in " + clipped(text, 200);
    }
    json::value wanted = json::parse(expectation.value, error);
    if (error) {
        wanted = json::string(expectation.value);
    }
    return *found == wanted ? ""
                            : expectation.text + " is " + clipped(json::serialize(*found), 200);
}

std::string judge_text(const Expectation& expectation, const StepAnswer& answer) {
    const bool has = answer.text.find(expectation.text) != std::string::npos ||
                     answer.json.find(expectation.text) != std::string::npos;
    if (has == (expectation.kind == Expectation::Kind::Contains)) {
        return "";
    }
    return answer.text.empty() ? "the answer is empty" : clipped(answer.text, Journeys::seen_bytes_max);
}

std::string status_seen(const StepAnswer& answer) {
    return "status " + std::to_string(answer.status) + ": " + clipped(answer.text, 200);
}

}  // namespace

std::string judge_answer(
    std::string_view line, std::string_view step_kind, const StepAnswer& answer, Duration took
) {
    const auto read = catalog::parse_expectation(line, step_kind);
    if (!read) {
        return read.error().what + "; " + read.error().remedy;
    }
    const std::string error_seen =
        std::string(answer.is_error ? "is_error true: " : "is_error false: ") +
        clipped(answer.text, 200);
    switch (read->kind) {
        case Expectation::Kind::Status:
            return answer.status == read->status ? "" : status_seen(answer);
        case Expectation::Kind::IsError:
            return answer.is_error == read->is_error ? "" : error_seen;
        case Expectation::Kind::Contains:
        case Expectation::Kind::NotContains:
            return judge_text(*read, answer);
        case Expectation::Kind::Json:
            return judge_json(*read, answer);
        case Expectation::Kind::Within:
            return took <= read->within
                       ? ""
                       : "it took " + to_text(std::chrono::ceil<std::chrono::milliseconds>(took));
    }
    return "unknown expectation";
}

namespace {

/// Without a line that says otherwise, a step must work.
std::string judge_unsaid(const JourneyStep& step, const StepAnswer& answer) {
    const bool is_said = std::ranges::any_of(step.expect, [](const std::string& line) {
        return line.starts_with("status") || line.starts_with("is_error");
    });
    if (is_said) {
        return "";
    }
    if (step.kind == "mcp") {
        return answer.is_error ? "is_error true: " + clipped(answer.text, 200) : "";
    }
    return answer.status >= 400 ? status_seen(answer) : "";
}

class LiveJourneys final : public Journeys {
public:
    LiveJourneys(
        const JourneyParts& parts, std::shared_ptr<const catalog::Catalog> catalog,
        const Settings& settings
    )
        : parts_(parts), catalog_(std::move(catalog)), settings_(settings) {}

    Result<void> rebuild() override {
        const MutexLock lock(mutex_);
        std::uint64_t unreadable = 0;
        TAGOUT_TRY(parts_.journal.read(1, [&](const journal::JournalEntry& entry) {
            mutex_.assert_held();
            if (entry.draft.kind == "journey.ran") {
                std::optional<JourneyRun> run = run_of(entry);
                unreadable += run ? 0 : 1;
                if (run) {
                    remember(std::move(*run));
                }
            }
            return true;
        }));
        if (unreadable > 0) {
            log::warn("journey_entries_unreadable", {{"entries", unreadable}});
            parts_.metrics.counter(release_entries_unreadable_total).add(unreadable);
        }
        return {};
    }

    void use(std::shared_ptr<const catalog::Catalog> catalog, const Settings& settings) override {
        const MutexLock lock(mutex_);
        catalog_ = std::move(catalog);
        settings_ = settings;
    }

    void on_run(std::function<void(const JourneyRun&)> observer) override {
        const MutexLock lock(mutex_);
        observer_ = std::move(observer);
    }

    Result<std::vector<JourneyRun>> run(
        const std::vector<std::string>& names, std::string_view tool, const By& by
    ) override {
        const std::unique_lock<Mutex> running(running_, std::try_to_lock);
        if (!running.owns_lock()) {
            return fail(
                ErrorCode::Conflict,
                "journeys are being run already; tagout journeys list shows how they went"
            );
        }
        std::shared_ptr<const catalog::Catalog> catalog;
        Settings settings;
        std::function<void(const JourneyRun&)> observer;
        {
            const MutexLock lock(mutex_);
            catalog = catalog_;
            settings = settings_;
            observer = observer_;
        }
        std::vector<JourneyRun> runs;
        for (const Journey* journey : TAGOUT_TRY(chosen(*catalog, names, tool))) {
            JourneyRun done = run_one(*journey, *catalog, settings);
            done.actor = by.actor;
            const journal::EntryDraft draft{
                "journey.ran", journey->name, by.actor, by.reason, done.at, body_of(done)};
            TAGOUT_TRY(parts_.journal.append(std::span(&draft, 1)));
            {
                const MutexLock lock(mutex_);
                remember(done);
            }
            const std::string_view label[] = {done.passed ? "true" : "false"};
            parts_.metrics.counter(journey_runs_total, label).add();
            parts_.metrics.histogram(journey_seconds)
                .observe(std::chrono::duration<double>(done.took).count());
            if (observer) {
                observer(done);
            }
            done.current = true;
            runs.push_back(std::move(done));
        }
        return runs;
    }

    std::vector<JourneyView> list() const override {
        const MutexLock lock(mutex_);
        std::vector<JourneyView> views;
        for (const Journey& journey : catalog_->contents().journeys) {
            JourneyView view{journey, {}};
            const std::string definition = definition_of(journey);
            if (const auto found = runs_.find(journey.name); found != runs_.end()) {
                for (auto run = found->second.rbegin(); run != found->second.rend(); ++run) {
                    view.runs.push_back(*run);
                    view.runs.back().current = run->definition == definition;
                }
            }
            views.push_back(std::move(view));
        }
        return views;
    }

    JourneyProof passed_since(std::string_view tool, Instant since) const override {
        const MutexLock lock(mutex_);
        JourneyProof proof;
        for (const Journey& journey : catalog_->contents().journeys) {
            if (!names_tool(*catalog_, journey, tool)) {
                continue;
            }
            const std::string lacks = lacking(journey, since);
            if (lacks.empty()) {
                proof.passed.push_back(journey.name);
            } else {
                proof.missing.push_back(journey.name + " " + lacks);
            }
        }
        return proof;
    }

private:
    /// "" when the newest run proves it.
    std::string lacking(const Journey& journey, Instant since) const TAGOUT_REQUIRES(mutex_) {
        const auto found = runs_.find(journey.name);
        if (found == runs_.end() || found->second.empty() || found->second.back().at < since) {
            return "has not run since " + to_rfc3339(since);
        }
        const JourneyRun& newest = found->second.back();
        if (newest.definition != definition_of(journey)) {
            return "was changed after it ran";
        }
        return newest.passed ? "" : "failed: " + newest.sentence;
    }

    void remember(JourneyRun run) TAGOUT_REQUIRES(mutex_) {
        std::deque<JourneyRun>& runs = runs_[run.journey];
        runs.push_back(std::move(run));
        if (runs.size() > runs_max) {
            runs.pop_front();
        }
    }

    /// A tool's name in its parts, as far as the catalog knows them; a name may be a glob.
    struct ToolParts {
        std::string_view whole;
        std::string_view server;  ///< "" when nothing says.
        std::string_view bare;    ///< Without its server.
        bool is_glob = false;
    };

    static ToolParts parts_of(const catalog::Catalog& catalog, std::string_view tool) {
        const bool is_glob = tool.find_first_of("*?") != std::string_view::npos;
        for (const catalog::McpServer& server : catalog.contents().mcp_servers) {
            if (tool.size() > server.name.size() + 1 && tool.starts_with(server.name) &&
                tool[server.name.size()] == '.') {
                return {tool, server.name, tool.substr(server.name.size() + 1), is_glob};
            }
        }
        const catalog::Tool* const known = is_glob ? nullptr : catalog.configured_tool(tool);
        return {
            tool, known == nullptr ? std::string_view{} : std::string_view(known->server), tool,
            is_glob};
    }

    static bool same_tool(
        const catalog::Catalog& catalog, std::string_view one, std::string_view other
    ) {
        const auto matches = [](std::string_view a, std::string_view b) {
            return catalog::glob_matches(a, b) || catalog::glob_matches(b, a);
        };
        const ToolParts a = parts_of(catalog, one);
        const ToolParts b = parts_of(catalog, other);
        if (!a.server.empty() && !b.server.empty()) {
            return a.server == b.server && matches(a.bare, b.bare);
        }
        // "payments.*" says nothing about a tool whose server is unknown; "ref*" does about any.
        const bool bare_glob = (a.is_glob && a.server.empty()) || (b.is_glob && b.server.empty());
        return matches(a.whole, b.whole) || (bare_glob && matches(a.bare, b.bare)) ||
               (!a.is_glob && !b.is_glob && a.bare == b.bare);
    }

    static bool names_tool(
        const catalog::Catalog& catalog, const Journey& journey, std::string_view tool
    ) {
        return std::ranges::any_of(
                   journey.tools,
                   [&](const ToolName& each) { return same_tool(catalog, each.text(), tool); }
               ) ||
               std::ranges::any_of(journey.steps, [&](const JourneyStep& step) {
                   return step.kind == "mcp" && same_tool(catalog, request_of(step).first, tool);
               });
    }

    static Result<std::vector<const Journey*>> chosen(
        const catalog::Catalog& catalog, const std::vector<std::string>& names,
        std::string_view tool
    ) {
        const std::vector<Journey>& all = catalog.contents().journeys;
        std::string known;
        for (const Journey& each : all) {
            known += (known.empty() ? "" : ", ") + each.name;
        }
        std::vector<const Journey*> found;
        for (const std::string& name : names) {
            const auto at = std::ranges::find(all, name, &Journey::name);
            if (at == all.end()) {
                return fail(
                    ErrorCode::NotFound,
                    "there is no journey '" + name.substr(0, 100) + "'; " +
                        (known.empty() ? "add it under journeys in tagout.yaml"
                                       : "the configuration has " + known)
                );
            }
            found.push_back(&*at);
        }
        for (const Journey& each : all) {
            if (names.empty() && (tool.empty() || names_tool(catalog, each, tool))) {
                found.push_back(&each);
            }
        }
        if (found.empty()) {
            return fail(
                ErrorCode::NotFound,
                tool.empty() ? "the configuration has no journeys; add one under journeys in "
                               "tagout.yaml"
                             : "no journey names the tool '" + std::string(tool.substr(0, 100)) +
                                   "'; add one under journeys in tagout.yaml with the tool under "
                                   "its tools"
            );
        }
        return found;
    }

    JourneyRun run_one(
        const Journey& journey, const catalog::Catalog& catalog, const Settings& settings
    ) {
        JourneyRun run;
        run.journey = journey.name;
        run.definition = definition_of(journey);
        run.at = parts_.clock.now();
        run.passed = true;
        for (std::size_t i = 0; i < journey.steps.size() && run.passed; ++i) {
            const Duration left = settings.journey_timeout - (parts_.clock.now() - run.at);
            run.steps = i + 1;
            if (left <= Duration{0}) {
                run.expected = "all steps within " + to_text(settings.journey_timeout);
                run.seen = "the time is over";
                run.passed = false;
            } else {
                run_step(journey.steps[i], catalog, std::min(left, settings.step_timeout), run);
            }
            run.failed_step = run.passed ? 0 : i + 1;
        }
        run.took = parts_.clock.now() - run.at;
        run.sentence =
            run.passed
                ? "passed, " + std::to_string(run.steps) + (run.steps == 1 ? " step" : " steps")
                : "step " + std::to_string(run.failed_step) + " of " +
                      std::to_string(journey.steps.size()) + ": expected " + run.expected +
                      ", seen: " + run.seen;
        return run;
    }

    void run_step(
        const JourneyStep& step, const catalog::Catalog& catalog, Duration timeout, JourneyRun& run
    ) {
        const Instant began = parts_.clock.now();
        const Result<StepAnswer> answer = send(step, catalog, timeout);
        const Duration took = parts_.clock.now() - began;
        const auto refuse = [&run](std::string expected, std::string_view seen) {
            run.passed = false;
            run.expected = std::move(expected);
            run.seen = clipped(seen, seen_bytes_max);
        };
        if (!answer) {
            refuse("an answer", answer.error().message);
            return;
        }
        for (const std::string& line : step.expect) {
            if (const std::string seen = judge_answer(line, step.kind, *answer, took);
                !seen.empty()) {
                refuse(line, seen);
                return;
            }
        }
        if (const std::string seen = judge_unsaid(step, *answer); !seen.empty()) {
            refuse(step.kind == "mcp" ? "is_error false" : "a status below 400", seen);
        }
    }

    Result<StepAnswer> send(
        const JourneyStep& step, const catalog::Catalog& catalog, Duration timeout
    ) {
        Request request = request_of(step);
        if (step.kind == "http") {
            return parts_.transport.http(
                {std::move(request.first), std::move(request.second), std::move(request.rest),
                 timeout}
            );
        }
        McpStep call{std::move(request.first), "", std::move(request.rest), timeout};
        if (call.arguments.find_first_not_of(" \n\t") == std::string::npos) {
            call.arguments = "{}";
        }
        if (const catalog::Tool* const tool = catalog.configured_tool(call.tool)) {
            call.server = tool->server;
        }
        return parts_.transport.mcp(call);
    }

    const JourneyParts parts_;
    Mutex running_;  ///< Held over a run, so that there is one at a time.

    mutable Mutex mutex_;
    std::shared_ptr<const catalog::Catalog> catalog_ TAGOUT_GUARDED_BY(mutex_);
    Settings settings_ TAGOUT_GUARDED_BY(mutex_);
    std::map<std::string, std::deque<JourneyRun>, std::less<>> runs_ TAGOUT_GUARDED_BY(mutex_);
    std::function<void(const JourneyRun&)> observer_ TAGOUT_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Journeys> Journeys::make(
    const JourneyParts& parts, std::shared_ptr<const catalog::Catalog> catalog,
    const Settings& settings
) {
    return std::make_unique<LiveJourneys>(parts, std::move(catalog), settings);
}

}  // namespace tagout::recover
