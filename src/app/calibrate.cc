#include "app/calibrate.h"

#include "app/paging.h"
#include "catalog/setting_reader.h"
#include "cli/json_text.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

namespace tagout::app {

namespace {

namespace json = boost::json;
using catalog::SettingDeclared;

constexpr int rounds_max = 24;
constexpr Duration week = std::chrono::hours(24 * 7);
constexpr double above = 1.02;  ///< A threshold is set so much above what it must not page for.

/// A page that a higher threshold would have spared: which, and by what factor higher.
struct Spare {
    std::string signal;
    double factor = 0;
};

/// What every finding that leads the incident passed its threshold by; the largest counts, since all
/// must fall below for the page to go. Without one there is no threshold to raise.
std::optional<Spare> spare_of(const incident::Incident& incident) {
    std::optional<Spare> spare;
    for (const Finding& finding : incident.findings) {
        if (!finding.explained_by.empty()) {
            continue;
        }
        if (finding.threshold <= 0) {
            return std::nullopt;
        }
        const double factor = std::max(1.0, finding.observed / finding.threshold);
        if (!spare || factor > spare->factor) {
            spare = Spare{finding.signal, factor};
        }
    }
    return spare;
}

double number_of(const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} ? value : 0;
}

std::string rounded_up(double value) {
    const double unit = std::pow(10.0, std::floor(std::log10(std::max(value, 1e-9))) - 2);
    char text[32];
    std::snprintf(text, sizeof text, "%.10g", std::ceil(value / unit) * unit);
    return text;
}

/// The settings that a signal's findings are compared with: under its name, "_min" for what must be
/// passed; a signal that watches budgets has several "_max" and all of them count.
std::vector<const SettingDeclared*> thresholds_of(
    const std::vector<SettingDeclared>& settings, const std::string& signal
) {
    constexpr std::string_view names[] = {
        "score_min", "rate_min", "ratio_min", "margin_min", "calls_min", "rounds_min", "tries_min"};
    const std::string prefix = "detection." + signal + ".";
    std::vector<const SettingDeclared*> found;
    for (const std::string_view name : names) {
        const auto known =
            std::ranges::find(settings, prefix + std::string(name), &SettingDeclared::path);
        if (known != settings.end()) {
            return {&*known};
        }
    }
    for (const SettingDeclared& each : settings) {
        if (each.path.starts_with(prefix) && each.path.ends_with("_max")) {
            found.push_back(&each);
        }
    }
    return found;
}

/// Texts of settings by path, as a file would have them.
using Changes = std::map<std::string, ThresholdChange>;

bool raise(
    const std::vector<SettingDeclared>& settings, const Spare& spare, Changes& changes
) {
    bool raised = false;
    for (const SettingDeclared* const each : thresholds_of(settings, spare.signal)) {
        const double now = number_of(each->value);
        const bool whole = each->type == catalog::ValueType::Integer;
        double next = whole ? std::floor(now * spare.factor) + 1 : now * spare.factor * above;
        if (each->max > 0) {
            next = std::min(next, each->max);
        }
        if (next <= now) {
            continue;
        }
        const std::string text =
            whole ? std::to_string(static_cast<std::uint64_t>(next)) : rounded_up(next);
        const bool over = each->max > 0 && number_of(text) > each->max;
        ThresholdChange& change = changes[each->path];
        if (change.path.empty()) {
            change = {each->path, spare.signal, each->value, ""};
        }
        change.to = over ? rounded_up(each->max * 0.99) : text;
        raised = true;
    }
    return raised;
}

Configured with_changes(Configured configured, const Changes& changes) {
    std::vector<catalog::SettingText> texts;
    for (const auto& [path, change] : changes) {
        texts.push_back({path, change.to, 0, 0});
    }
    catalog::SettingReader reader(texts);
    reader.read(configured.detection);
    return configured;
}

struct Played {
    std::vector<Page> pages;
    std::uint64_t sessions = 0;
    Duration telemetry_lasts{};
    bool has_runs = false;
};

Result<Played> play(
    const CalibrateOptions& options, const Configured& configured, cli::Terminal& terminal
) {
    PageCounter counter(configured);
    Player player({&counter});
    TAGOUT_TRY(play_files(options.files, player, nullptr, terminal));
    return Played{
        counter.pages(), counter.sessions(), player.telemetry_lasts(), player.runs > 0};
}

Result<double> weeks_of(const CalibrateOptions& options, const Played& played) {
    if (options.sessions_per_week > 0) {
        return static_cast<double>(played.sessions) / options.sessions_per_week;
    }
    if (played.has_runs || played.telemetry_lasts <= Duration::zero()) {
        return fail(
            ErrorCode::InvalidArgument,
            "recorded runs have no times of their own: --sessions-per-week says how many sessions "
            "a week you have"
        );
    }
    return std::chrono::duration<double>(played.telemetry_lasts) /
           std::chrono::duration<double>(week);
}

/// Of the pages that could be spared, that with the weakest evidence; others name their signals.
std::optional<Spare> weakest(
    const std::vector<Page>& pages, const std::vector<SettingDeclared>& settings,
    const std::set<std::string>& at_end, std::set<std::string>& stay
) {
    std::optional<Spare> best;
    for (const Page& page : pages) {
        const std::optional<Spare> spare = spare_of(page.incident);
        if (!spare || thresholds_of(settings, spare->signal).empty() ||
            at_end.contains(spare->signal)) {
            stay.insert(
                spare ? spare->signal
                : page.incident.signals.empty() ? "unknown"
                                                : page.incident.signals.front()
            );
        } else if (!best || spare->factor < best->factor) {
            best = spare;
        }
    }
    return best;
}

}  // namespace

Interval poisson_interval(std::uint64_t count) noexcept {
    constexpr std::uint64_t exact_max = 200;
    const auto k = static_cast<double>(count);
    if (count > exact_max) {
        constexpr double z = 1.959963985;
        // Wilson and Hilferty's cube root of chi-square: exact to a thousandth up here.
        const auto bound = [](double of, double sign) {
            const double root = 1 - 1 / (9 * of) + sign * z / (3 * std::sqrt(of));
            return of * root * root * root;
        };
        return {bound(k, -1), bound(k + 1, 1)};
    }
    // The means under which a count so high, or so low, has a probability of 2.5 %.
    const auto at_most = [](std::uint64_t times, double mean) {
        double term = std::exp(-mean);
        double sum = term;
        for (std::uint64_t i = 1; i <= times; ++i) {
            term *= mean / static_cast<double>(i);
            sum += term;
        }
        return sum;
    };
    const auto solve = [&](std::uint64_t times, double probability) {
        double low = 0;
        double high = 2 * k + 20;
        for (int i = 0; i < 60; ++i) {
            const double middle = (low + high) / 2;
            (at_most(times, middle) > probability ? low : high) = middle;
        }
        return low;
    };
    return {count == 0 ? 0 : solve(count - 1, 0.975), solve(count, 0.025)};
}

Result<Calibration> calibrate(const CalibrateOptions& options, cli::Terminal& terminal) {
    if (!(options.pages_per_week > 0)) {
        return fail(ErrorCode::InvalidArgument, "--pages-per-week must be above 0, such as 0.5");
    }
    Configured configured;
    if (!options.config.empty()) {
        configured = TAGOUT_TRY(load_config(options.config));
    }
    Played played = TAGOUT_TRY(play(options, configured, terminal));
    Calibration result;
    result.weeks = TAGOUT_TRY(weeks_of(options, played));
    result.sessions = played.sessions;
    result.pages_before = played.pages.size();
    const double pages_max = options.pages_per_week * result.weeks;
    Changes changes;
    std::set<std::string> at_end;  ///< Signals whose thresholds cannot be raised any more.
    std::set<std::string> stay;
    for (int round = 0; round < rounds_max; ++round) {
        if (static_cast<double>(played.pages.size()) <= pages_max) {
            break;
        }
        // As many of the weakest at once as are too many: their raised thresholds add up.
        const Configured now = with_changes(configured, changes);
        const std::vector<SettingDeclared> settings = settings_of(now);
        std::vector<Page> left = played.pages;
        bool raised = false;
        stay.clear();
        while (static_cast<double>(left.size()) > pages_max) {
            const std::optional<Spare> spare = weakest(left, settings, at_end, stay);
            if (!spare) {
                break;
            }
            if (raise(settings, *spare, changes)) {
                raised = true;
            } else {
                at_end.insert(spare->signal);
            }
            std::erase_if(left, [&](const Page& page) {
                const std::optional<Spare> other = spare_of(page.incident);
                return other && other->signal == spare->signal && other->factor <= spare->factor;
            });
        }
        if (!raised) {
            break;
        }
        played = TAGOUT_TRY(play(options, with_changes(configured, changes), terminal));
    }
    result.pages_after = played.pages.size();
    const Interval counted = poisson_interval(result.pages_after);
    result.per_week = static_cast<double>(result.pages_after) / result.weeks;
    result.per_week_interval = {counted.low / result.weeks, counted.high / result.weeks};
    for (auto& [path, change] : changes) {
        result.changes.push_back(std::move(change));
    }
    if (static_cast<double>(result.pages_after) > pages_max) {
        result.stay.assign(stay.begin(), stay.end());
    }
    return result;
}

namespace {

std::string short_number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
}

std::vector<std::string_view> parts_of(std::string_view path) {
    std::vector<std::string_view> parts;
    while (!path.empty()) {
        const std::size_t dot = path.find('.');
        parts.push_back(path.substr(0, dot));
        path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
    }
    return parts;
}

std::string quoted_key(std::string_view key) {
    const bool digit = !key.empty() && key.front() >= '0' && key.front() <= '9';
    return digit ? "\"" + std::string(key) + "\"" : std::string(key);
}

}  // namespace

std::string yaml_of(const Calibration& calibration, double pages_per_week) {
    std::string out = "# Made by tagout calibrate from " + std::to_string(calibration.sessions) +
                      " sessions, " + short_number(calibration.weeks) + " weeks.\n# Before: " +
                      std::to_string(calibration.pages_before) + " pages. With this: " +
                      std::to_string(calibration.pages_after) + ", that is " +
                      short_number(calibration.per_week) + " a week (95 %: " +
                      short_number(calibration.per_week_interval.low) + " to " +
                      short_number(calibration.per_week_interval.high) + "), asked for were at most " +
                      short_number(pages_per_week) + ".\n";
    if (!calibration.stay.empty()) {
        out += "# More pages than asked for stay. No threshold can be raised for:";
        for (const std::string& signal : calibration.stay) {
            out += " " + signal;
        }
        out += "\n";
    }
    if (calibration.changes.empty()) {
        return out + "# No threshold needs to change.\n";
    }
    std::vector<std::string_view> open;
    for (const ThresholdChange& change : calibration.changes) {
        const std::vector<std::string_view> parts = parts_of(change.path);
        std::size_t same = 0;
        while (same + 1 < parts.size() && same < open.size() && open[same] == parts[same]) {
            ++same;
        }
        for (std::size_t i = same; i + 1 < parts.size(); ++i) {
            out += std::string(i * 2, ' ') + quoted_key(parts[i]) + ":\n";
        }
        out += std::string((parts.size() - 1) * 2, ' ') + quoted_key(parts.back()) + ": " +
               change.to + "  # was " + change.from + "\n";
        open.assign(parts.begin(), parts.end() - 1);
    }
    return out;
}

Result<int> print_calibration(const CalibrateOptions& options, cli::Terminal& terminal) {
    const Calibration made = TAGOUT_TRY(calibrate(options, terminal));
    std::string yaml = yaml_of(made, options.pages_per_week);
    if (options.format == cli::Format::Table) {
        yaml.pop_back();
        terminal.line(yaml);
        return made.stay.empty() ? 0 : 1;
    }
    json::array changes;
    for (const ThresholdChange& each : made.changes) {
        changes.push_back(json::object{
            {"path", each.path}, {"signal", each.signal}, {"from", each.from}, {"to", each.to}});
    }
    json::array stay;
    for (const std::string& signal : made.stay) {
        stay.push_back(json::string(signal));
    }
    terminal.line(cli::rendered(
        json::object{
            {"weeks", made.weeks},
            {"sessions", made.sessions},
            {"pages_before", made.pages_before},
            {"pages_after", made.pages_after},
            {"pages_per_week", made.per_week},
            {"low", made.per_week_interval.low},
            {"high", made.per_week_interval.high},
            {"changes", std::move(changes)},
            {"stay", std::move(stay)},
            {"yaml", yaml}},
        options.format
    ));
    return made.stay.empty() ? 0 : 1;
}

}  // namespace tagout::app
