#include "base/metrics.h"

#include "base/assert.h"

#include <charconv>

namespace tagout {

namespace {

constexpr std::size_t series_max = 1'000;

constexpr std::array<double, 17> second_bounds{
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60
};

std::string number(double value) {
    std::array<char, 32> text{};
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} ? std::string(text.data(), end) : "0";
}

void append_escaped(std::string& out, std::string_view value) {
    for (const char c : value) {
        if (c == '\\' || c == '"') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
}

std::vector<std::string_view> split(std::string_view list) {
    std::vector<std::string_view> parts;
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        parts.push_back(list.substr(0, comma));
        list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    }
    return parts;
}

std::string label_text(const MetricInfo& info, std::span<const std::string_view> values) {
    const std::vector<std::string_view> names = split(info.labels);
    TAGOUT_ASSERT(names.size() == values.size(), "a series has a value for each of its labels");
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) {
            text += ',';
        }
        text += names[i];
        text += "=\"";
        append_escaped(text, values[i]);
        text += '"';
    }
    return text;
}

std::string_view type_name(MetricType type) {
    switch (type) {
        case MetricType::Counter:
            return "counter";
        case MetricType::Gauge:
            return "gauge";
        case MetricType::Histogram:
            return "histogram";
    }
    return "untyped";
}

void append_series(
    std::string& out, std::string_view name, std::string_view labels, std::string_view value
) {
    out += name;
    if (!labels.empty()) {
        out += '{';
        out += labels;
        out += '}';
    }
    out += ' ';
    out += value;
    out += '\n';
}

void append_histogram(
    std::string& out, std::string_view name, std::string_view labels, const Histogram& histogram
) {
    const std::vector<std::uint64_t> counts = histogram.counts();
    const std::string prefix = labels.empty() ? "" : std::string(labels) + ",";
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        total += counts[i];
        const std::string bound = i < second_bounds.size() ? number(second_bounds[i]) : "+Inf";
        append_series(
            out,
            std::string(name) + "_bucket",
            prefix + "le=\"" + bound + "\"",
            std::to_string(total)
        );
    }
    append_series(out, std::string(name) + "_sum", labels, number(histogram.sum()));
    append_series(out, std::string(name) + "_count", labels, std::to_string(total));
}

}  // namespace

std::span<const double> Histogram::bounds() noexcept { return second_bounds; }

void Histogram::observe(double seconds) noexcept {
    static_assert(second_bounds.size() == buckets);
    std::size_t bucket = 0;
    while (bucket < second_bounds.size() && seconds > second_bounds[bucket]) {
        ++bucket;
    }
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(seconds, std::memory_order_relaxed);
}

std::vector<std::uint64_t> Histogram::counts() const {
    std::vector<std::uint64_t> counts;
    counts.reserve(counts_.size());
    for (const auto& count : counts_) {
        counts.push_back(count.load(std::memory_order_relaxed));
    }
    return counts;
}

struct MetricRegistry::Family {
    MetricInfo info;
    std::map<std::string, std::unique_ptr<Counter>> counters;
    std::map<std::string, std::unique_ptr<Gauge>> gauges;
    std::map<std::string, std::unique_ptr<Histogram>> histograms;

    [[nodiscard]] std::size_t series() const {
        return counters.size() + gauges.size() + histograms.size();
    }
};

MetricRegistry::MetricRegistry() = default;
MetricRegistry::~MetricRegistry() = default;

MetricRegistry::Family& MetricRegistry::family(
    const MetricInfo& info, std::span<const std::string_view> values, std::string& key
) {
    auto found = families_.find(info.name);
    if (found == families_.end()) {
        found = families_.emplace(std::string(info.name), std::make_unique<Family>()).first;
        found->second->info = info;
    }
    Family& family = *found->second;
    TAGOUT_ASSERT(family.info.type == info.type, "one name has one type");
    key = label_text(info, values);
    const bool known =
        family.counters.contains(key) || family.gauges.contains(key) || family.histograms.contains(key);
    if (!known && family.series() >= series_max) {
        const std::vector<std::string_view> others(values.size(), "other");
        key = label_text(info, others);
    }
    return family;
}

Counter& MetricRegistry::counter(const MetricInfo& info, std::span<const std::string_view> values) {
    TAGOUT_ASSERT(info.type == MetricType::Counter, "asked for as what it is");
    const MutexLock lock(mutex_);
    std::string key;
    auto& slot = family(info, values, key).counters[key];
    if (!slot) {
        slot = std::make_unique<Counter>();
    }
    return *slot;
}

Gauge& MetricRegistry::gauge(const MetricInfo& info, std::span<const std::string_view> values) {
    TAGOUT_ASSERT(info.type == MetricType::Gauge, "asked for as what it is");
    const MutexLock lock(mutex_);
    std::string key;
    auto& slot = family(info, values, key).gauges[key];
    if (!slot) {
        slot = std::make_unique<Gauge>();
    }
    return *slot;
}

Histogram& MetricRegistry::histogram(
    const MetricInfo& info, std::span<const std::string_view> values
) {
    TAGOUT_ASSERT(info.type == MetricType::Histogram, "asked for as what it is");
    const MutexLock lock(mutex_);
    std::string key;
    auto& slot = family(info, values, key).histograms[key];
    if (!slot) {
        slot = std::make_unique<Histogram>();
    }
    return *slot;
}

std::string MetricRegistry::expose() const {
    const MutexLock lock(mutex_);
    std::string out;
    for (const auto& [name, family] : families_) {
        out += "# HELP " + name + " ";
        out += family->info.help;
        out += "\n# TYPE " + name + " ";
        out += type_name(family->info.type);
        out += '\n';
        for (const auto& [labels, counter] : family->counters) {
            append_series(out, name, labels, std::to_string(counter->value()));
        }
        for (const auto& [labels, gauge] : family->gauges) {
            append_series(out, name, labels, number(gauge->value()));
        }
        for (const auto& [labels, histogram] : family->histograms) {
            append_histogram(out, name, labels, *histogram);
        }
    }
    return out;
}

}  // namespace tagout
