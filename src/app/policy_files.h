// Policies as files, without a server: `tagout policy check` and `tagout policy test`; and what must
// hold of a policy before a version of it is published.
#pragma once

#include "base/result.h"
#include "catalog/catalog.h"
#include "cli/terminal.h"

#include <string>
#include <string_view>
#include <vector>

namespace tagout::app {

struct PolicyFiles {
    std::vector<std::string> files;
    std::string config;  ///< tagout.yaml with the tools; "" for none.
    std::string junit;   ///< Results of tests are written there as JUnit XML; "" for not.
    cli::Format format = cli::Format::Table;
};

/// tagout policy check FILE...: 0, or 1 after printing every mistake with its line and remedy.
/// Remarks are printed and change nothing.
Result<int> check_policies(const PolicyFiles& options, cli::Terminal& terminal);

/// tagout policy test FILE...: 0 when every test in the files passes, 1 when one fails or a file has
/// a mistake, 2 when there is no test.
Result<int> test_policies(const PolicyFiles& options, cli::Terminal& terminal);

/// InvalidArgument with every mistake a line, or every test of its own that fails.
Result<void> may_publish_policy(
    std::string_view name, std::string_view yaml, const catalog::Catalog& catalog
);

}  // namespace tagout::app
