#include "app/regressions.h"

#include "app/config_file.h"
#include "cli/json_text.h"
#include "cli/line_source.h"
#include "prevent/junit.h"

#include <boost/json.hpp>

#include <filesystem>
#include <fstream>

namespace tagout::app {

namespace {

namespace json = boost::json;

constexpr std::size_t policy_bytes_max = 4 * 1024 * 1024;
constexpr std::size_t bundle_bytes_max = 64 * 1024 * 1024;

std::unexpected<Error> in_file(const std::string& file, const Error& error) {
    return fail(error.code, file + ": " + error.message);
}

Result<prevent::Candidate> candidate_from(
    const RegressionsOptions& options, const CompilePolicies& compile
) {
    CandidateParts parts;
    const auto name = [&](const std::string& file) {
        parts.name += (parts.name.empty() ? "" : ", ") + file;
    };
    if (!options.bundle.empty()) {
        Result<BundleFile> bundle =
            read_bundle(TAGOUT_TRY(cli::read_whole(options.bundle, bundle_bytes_max)));
        if (!bundle) {
            return in_file(options.bundle, bundle.error());
        }
        parts.bundle = std::move(*bundle);
        name(options.bundle);
    }
    for (const std::string& file : options.policies) {
        parts.policies.push_back(PolicyText{
            std::filesystem::path(file).stem().string(),
            "file",
            TAGOUT_TRY(cli::read_whole(file, policy_bytes_max))});
        name(file);
    }
    if (!options.config.empty()) {
        const Configured configured = TAGOUT_TRY(load_config(options.config));
        parts.thresholds = configured.detection;
        parts.catalog = configured.catalog;
        name(options.config);
    }
    return candidate_of(std::move(parts), compile);
}

/// A case of many calls is read call by call.
std::string a_line_each(const std::string& sentence) {
    std::string text;
    for (std::size_t at = 0; at < sentence.size(); ++at) {
        if (sentence.compare(at, 2, "; ") == 0) {
            text += ";\n      ";
            ++at;
        } else {
            text += sentence[at];
        }
    }
    return text;
}

void print(
    const std::vector<prevent::Check>& checks, prevent::Judgement verdict, cli::Format format,
    cli::Terminal& terminal
) {
    if (format != cli::Format::Table) {
        json::array rows;
        for (const prevent::Check& check : checks) {
            rows.push_back(json::object{
                {"name", check.name},
                {"verdict", name_of(check.judgement)},
                {"sentence", check.sentence}});
        }
        terminal.line(cli::rendered(
            json::object{{"verdict", name_of(verdict)}, {"cases", std::move(rows)}}, format
        ));
        return;
    }
    for (const prevent::Check& check : checks) {
        terminal.line(
            std::string(name_of(check.judgement)) + "  " + check.name + "  " + a_line_each(check.sentence)
        );
    }
    terminal.note(std::to_string(checks.size()) + " cases: " + std::string(name_of(verdict)));
}

}  // namespace

Result<int> run_regressions(
    const RegressionsOptions& options, const CompilePolicies& compile, cli::Terminal& terminal
) {
    std::vector<prevent::RegressionCase> cases;
    for (const std::string& file : options.files) {
        Result<prevent::RegressionCase> read =
            prevent::parse_case(TAGOUT_TRY(cli::read_whole(file, prevent::case_file_bytes_max)));
        if (!read) {
            return in_file(file, read.error());
        }
        cases.push_back(std::move(*read));
    }
    const prevent::Candidate candidate = TAGOUT_TRY(candidate_from(options, compile));
    std::vector<prevent::Check> checks;
    for (const prevent::RegressionCase& each : cases) {
        checks.push_back(prevent::run_case(each, candidate));
    }
    const prevent::Judgement verdict = prevent::worst_of(checks);
    if (!options.junit.empty()) {
        std::ofstream out(options.junit, std::ios::trunc);
        out << prevent::junit_xml("tagout regressions", checks);
        out.flush();
        if (!out) {
            return fail(ErrorCode::InvalidArgument, options.junit + ": cannot be written");
        }
    }
    print(checks, verdict, options.format, terminal);
    return prevent::exit_code_of(verdict);
}

}  // namespace tagout::app
