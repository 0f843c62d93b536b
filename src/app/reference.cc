#include "app/reference.h"

#include "app/config_file.h"
#include "app/metrics.h"
#include "contain/metrics.h"
#include "gateway/metrics.h"
#include "journal/metrics.h"
#include "notify/metrics.h"
#include "recover/metrics.h"
#include "server/error_map.h"
#include "server/metrics.h"
#include "server/routes.h"
#include "store/metrics.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace tagout::app {

namespace {

constexpr std::string_view made =
    "\n<!-- Made from the code by `./dev docs`; a test fails when this page is stale. -->\n\n";

std::string number(double value) {
    std::array<char, 32> text{};
    const auto [end, error] =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general);
    return error == std::errc{} ? std::string(text.data(), end) : "?";
}

std::string bounds(const catalog::SettingDeclared& setting) {
    if (setting.min == 0 && setting.max == 0) {
        return "";
    }
    const bool seconds = setting.type == catalog::ValueType::Duration;
    return number(setting.min) + (seconds ? " s" : "") + " to " + number(setting.max) +
           (seconds ? " s" : "");
}

std::string cell(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '|') {
            escaped += "\\|";
        } else {
            escaped += c == '\n' ? ' ' : c;
        }
    }
    return escaped;
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
    return "?";
}

}  // namespace

std::string settings_page() {
    std::string page = "# Settings\n";
    page += made;
    page +=
        "Each stands in `tagout.yaml` under its path: `detection.tool.x` is `x` under `tool` under "
        "`detection`.\n"
        "Durations are written as `90s`, `15m` or `1h30m`.\n\n"
        "| setting | default | bounds | what it is |\n| --- | --- | --- | --- |\n";
    std::vector<catalog::SettingDeclared> all = settings_of(Configured{});
    std::ranges::stable_sort(all, {}, &catalog::SettingDeclared::path);
    for (const catalog::SettingDeclared& setting : all) {
        page += "| `" + setting.path + "` | `" + cell(setting.value) + "` | " + bounds(setting) +
                " | " + cell(setting.help) + " |\n";
    }
    return page;
}

std::string metrics_page() {
    std::vector<MetricInfo> all;
    const auto add = [&](const auto& list) { all.insert(all.end(), list.begin(), list.end()); };
    add(app::metric_list);
    add(gateway::metrics);
    add(contain::metric_list);
    add(journal::metrics);
    add(notify::metrics);
    add(recover::metric_list);
    add(server::metric_list);
    add(store::metrics);
    std::ranges::sort(all, {}, &MetricInfo::name);
    std::string page = "# Metrics\n";
    page += made;
    page +=
        "Served at `/metrics` in the Prometheus text format.\n\n| metric | type | labels | what it "
        "counts |\n| --- | --- | --- | --- |\n";
    for (const MetricInfo& info : all) {
        page += "| `" + std::string(info.name) + "` | " + std::string(type_name(info.type)) +
                " | " + std::string(info.labels) + " | " + cell(info.help) + " |\n";
    }
    return page;
}

std::string errors_page() {
    std::string page = "# Error codes\n";
    page += made;
    page +=
        "Every failing answer of the API is `{\"error\":{\"code\":...,\"message\":...}}`. The "
        "message names place and\n"
        "remedy. The command line exits with 1 when the answer to its question is no.\n\n"
        "| code | HTTP | gRPC | exit code |\n| --- | --- | --- | --- |\n";
    for (const ErrorCode code :
         {ErrorCode::InvalidArgument,
          ErrorCode::NotFound,
          ErrorCode::Conflict,
          ErrorCode::Unavailable,
          ErrorCode::LimitExceeded,
          ErrorCode::Unauthorized,
          ErrorCode::Corrupt}) {
        const server::ErrorMapping& mapping = server::mapping_of(code);
        page += "| `" + std::string(name_of(code)) + "` | " + std::to_string(mapping.http_status) +
                " | " + std::to_string(mapping.grpc_status) + " | " +
                std::to_string(mapping.exit_code) + " |\n";
    }
    return page;
}

std::string routes_page() {
    std::string page = "# Routes\n";
    page += made;
    page +=
        "Bodies and answers are specified in `api/openapi.yaml`.\n\n| method | path | token | "
        "operation |\n| --- | --- | --- | --- |\n";
    for (const server::Route& route : server::routes) {
        page += "| " + std::string(route.method) + " | `" + std::string(route.path) + "` | " +
                (route.needs_token ? "yes" : "") + " | " + std::string(route.operation) + " |\n";
    }
    return page;
}

}  // namespace tagout::app
