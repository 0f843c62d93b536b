#include "app/config_file.h"

#include "cli/line_source.h"

#include <algorithm>

namespace tagout::app {

namespace {

constexpr std::size_t file_bytes_max = 4 * 1024 * 1024;

const std::vector<catalog::SettingText>& texts_of(
    const catalog::Contents& contents, std::string_view subtree
) {
    if (subtree == "detection") {
        return contents.detection;
    }
    if (subtree == "incidents") {
        return contents.incidents;
    }
    if (subtree == "containment") {
        return contents.containment;
    }
    if (subtree == "notify") {
        return contents.notices;
    }
    if (subtree == "evidence") {
        return contents.evidence;
    }
    if (subtree == "gate") {
        return contents.gate;
    }
    if (subtree == "releases") {
        return contents.releases;
    }
    return contents.server;
}

}  // namespace

ConfigFile check_text(std::string_view yaml, std::string_view file) {
    catalog::ConfigReport report = catalog::read_config(yaml, file);
    ConfigFile result{std::nullopt, std::move(report.mistakes)};
    if (!report.contents) {
        return result;
    }
    Configured configured;
    constexpr std::string_view subtrees[] = {
        "detection", "incidents", "containment", "notify",
        "server",    "evidence",  "gate",        "releases"};
    for (const std::string_view subtree : subtrees) {
        catalog::SettingReader reader(texts_of(*report.contents, subtree));
        for_each_settings(configured, [&](std::string_view under, auto& settings) {
            if (under == subtree) {
                reader.read(settings);
            }
        });
        std::vector<catalog::Mistake> mistakes = reader.finish();
        std::ranges::move(mistakes, std::back_inserter(result.mistakes));
    }
    std::ranges::stable_sort(result.mistakes, {}, &catalog::Mistake::line);
    if (result.mistakes.empty()) {
        configured.catalog = std::make_shared<const catalog::Catalog>(std::move(*report.contents));
        result.configured = std::move(configured);
    }
    return result;
}

Result<Configured> load_config(const std::string& file) {
    const std::string yaml = TAGOUT_TRY(cli::read_whole(file, file_bytes_max));
    ConfigFile read = check_text(yaml, file);
    if (read.configured) {
        return std::move(*read.configured);
    }
    std::string text = file + " has " + std::to_string(read.mistakes.size()) + " mistakes:";
    for (const catalog::Mistake& mistake : read.mistakes) {
        text += "\n" + catalog::to_text(mistake, file);
    }
    return fail(ErrorCode::InvalidArgument, std::move(text));
}

std::vector<catalog::SettingDeclared> settings_of(Configured configured) {
    std::vector<catalog::SettingDeclared> all;
    for_each_settings(configured, [&](std::string_view, auto& settings) {
        catalog::declare_settings(settings, all);
    });
    return all;
}

}  // namespace tagout::app
