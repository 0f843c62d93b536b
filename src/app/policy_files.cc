#include "app/policy_files.h"

#include "app/config_file.h"
#include "cli/json_text.h"
#include "cli/line_source.h"
#include "contain/policy.h"
#include "prevent/junit.h"

#include <boost/json.hpp>

#include <filesystem>
#include <fstream>

namespace tagout::app {

namespace {

namespace json = boost::json;

constexpr std::size_t file_bytes_max = 4 * 1024 * 1024;

json::array mistakes_json(const std::vector<catalog::Mistake>& mistakes) {
    json::array rows;
    for (const catalog::Mistake& mistake : mistakes) {
        rows.push_back({
            {"line", mistake.line},
            {"column", mistake.column},
            {"path", mistake.path},
            {"what", mistake.what},
            {"remedy", mistake.remedy},
        });
    }
    return rows;
}

Result<std::shared_ptr<const catalog::Catalog>> catalog_of(const std::string& config) {
    if (config.empty()) {
        return std::make_shared<const catalog::Catalog>();
    }
    const Configured configured = TAGOUT_TRY(load_config(config));
    return configured.catalog;
}

std::string name_of_file(const std::string& file) {
    return std::filesystem::path(file).stem().string();
}

void print_mistakes(
    const contain::PolicyReport& read, const std::string& file, cli::Terminal& terminal
) {
    for (const catalog::Mistake& mistake : read.mistakes) {
        terminal.line(catalog::to_text(mistake, file));
    }
    for (const catalog::Mistake& remark : read.remarks) {
        terminal.line("remark: " + catalog::to_text(remark, file));
    }
}

/// The results of one file as checks; a file that cannot be read or put in force is one that fails.
std::vector<prevent::Check> checks_of(
    const std::string& file, const contain::PolicyReport& read, const catalog::Catalog& catalog
) {
    std::vector<prevent::Check> checks;
    if (!read.policy) {
        checks.push_back(
            {file, prevent::Judgement::Fail, catalog::to_text(read.mistakes.front(), file)}
        );
        return checks;
    }
    const auto results = contain::run_cases(*read.policy, read.cases, catalog);
    if (!results) {
        checks.push_back({file, prevent::Judgement::Fail, results.error().message});
        return checks;
    }
    for (const contain::CaseResult& each : *results) {
        checks.push_back(
            {file + ":" + std::to_string(each.line) + " " + each.name,
             each.passed ? prevent::Judgement::Pass : prevent::Judgement::Fail,
             each.said}
        );
    }
    return checks;
}

void print_checks(
    const std::vector<prevent::Check>& checks, cli::Format format, cli::Terminal& terminal
) {
    if (format != cli::Format::Table) {
        json::array rows;
        for (const prevent::Check& check : checks) {
            rows.push_back({
                {"name", check.name},
                {"verdict", name_of(check.judgement)},
                {"sentence", check.sentence},
            });
        }
        terminal.line(cli::rendered(json::object{{"tests", std::move(rows)}}, format));
        return;
    }
    std::size_t passed = 0;
    for (const prevent::Check& check : checks) {
        passed += check.judgement == prevent::Judgement::Pass ? 1 : 0;
        terminal.line(
            std::string(name_of(check.judgement)) + "  " + check.name + "  " + check.sentence
        );
    }
    terminal.note(std::to_string(passed) + " of " + std::to_string(checks.size()) + " tests passed");
}

}  // namespace

Result<int> check_policies(const PolicyFiles& options, cli::Terminal& terminal) {
    const auto catalog = TAGOUT_TRY(catalog_of(options.config));
    const catalog::Catalog* const known = options.config.empty() ? nullptr : catalog.get();
    bool good = true;
    json::array shown;
    for (const std::string& file : options.files) {
        const std::string yaml = TAGOUT_TRY(cli::read_whole(file, file_bytes_max));
        const contain::PolicyReport read = contain::read_policy(name_of_file(file), "", yaml, known);
        good = good && read.policy.has_value();
        if (options.format != cli::Format::Table) {
            shown.push_back({
                {"file", file},
                {"mistakes", mistakes_json(read.mistakes)},
                {"remarks", mistakes_json(read.remarks)},
            });
            continue;
        }
        print_mistakes(read, file, terminal);
        if (read.policy) {
            terminal.line(
                file + " is good: " + std::to_string(read.policy->rules.size()) + " rules, " +
                std::to_string(read.cases.size()) + " tests"
            );
        }
    }
    if (options.format != cli::Format::Table) {
        // One file answers as itself, as it always did.
        terminal.line(cli::rendered(
            shown.size() == 1 ? shown.front() : json::value(json::object{{"files", shown}}),
            options.format
        ));
    }
    return good ? 0 : 1;
}

Result<int> test_policies(const PolicyFiles& options, cli::Terminal& terminal) {
    const auto catalog = TAGOUT_TRY(catalog_of(options.config));
    std::vector<prevent::Check> checks;
    for (const std::string& file : options.files) {
        const std::string yaml = TAGOUT_TRY(cli::read_whole(file, file_bytes_max));
        const contain::PolicyReport read = contain::read_policy(name_of_file(file), "file", yaml);
        if (!read.policy && options.format == cli::Format::Table) {
            print_mistakes(read, file, terminal);
        }
        for (prevent::Check& check : checks_of(file, read, *catalog)) {
            checks.push_back(std::move(check));
        }
    }
    if (!options.junit.empty()) {
        std::ofstream out(options.junit, std::ios::trunc);
        out << prevent::junit_xml("tagout policy test", checks);
        out.flush();
        if (!out) {
            return fail(ErrorCode::InvalidArgument, options.junit + ": cannot be written");
        }
    }
    print_checks(checks, options.format, terminal);
    return prevent::exit_code_of(prevent::worst_of(checks));
}

Result<void> may_publish_policy(
    std::string_view name, std::string_view yaml, const catalog::Catalog& catalog
) {
    const contain::PolicyReport read = contain::read_policy(name, "new", yaml);
    if (!read.policy) {
        TAGOUT_TRY(contain::parse_policy(name, "new", yaml));
        return {};
    }
    const std::vector<contain::CaseResult> results =
        TAGOUT_TRY(contain::run_cases(*read.policy, read.cases, catalog));
    std::string failed;
    for (const contain::CaseResult& each : results) {
        if (!each.passed) {
            failed += "\n" + std::string(name) + ":" + std::to_string(each.line) + ": " + each.name +
                      ": " + each.said;
        }
    }
    if (!failed.empty()) {
        return fail(
            ErrorCode::InvalidArgument, "policy " + std::string(name) +
                                            " fails tests of its own; mend the rules or the tests:" + failed
        );
    }
    return {};
}

}  // namespace tagout::app
