// A configuration that regression cases are run against: a bundle (as `tagout catalog bundle` writes
// it), policies and tagout.yaml, read into the questions that prevent/ asks.
#pragma once

#include "base/result.h"
#include "catalog/catalog.h"
#include "detect/settings.h"
#include "prevent/regression.h"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::app {

/// One policy version as text.
struct PolicyText {
    std::string name;
    std::string version;  ///< "v3"
    std::string yaml;
};

using AnswerCall = std::function<prevent::CallAnswer(const prevent::JudgedCall&)>;
/// Makes decisions of policies: contain's decide() over a snapshot of them, no controls. The catalog
/// gives facts of tools; those it does not configure are as the case recorded them.
using CompilePolicies = std::function<Result<AnswerCall>(
    std::span<const PolicyText>, std::shared_ptr<const catalog::Catalog>
)>;

/// A bundle's file, as far as a candidate needs it.
struct BundleFile {
    std::string id;
    AgentName agent;
    std::vector<prevent::SelectedVersion> prompts;
    std::vector<prevent::SelectedVersion> model_routes;
    std::vector<PolicyText> policies;
};
/// InvalidArgument names the member.
[[nodiscard]] Result<BundleFile> read_bundle(std::string_view json);

struct CandidateParts {
    std::string name;  ///< For sentences.
    std::optional<BundleFile> bundle;
    std::vector<PolicyText> policies;  ///< Beside the bundle's.
    /// Thresholds and catalog; unset: there is no configuration, defaults replay.
    std::optional<detect::Settings> thresholds;
    std::shared_ptr<const catalog::Catalog> catalog = std::make_shared<const catalog::Catalog>();
};

[[nodiscard]] Result<prevent::Candidate> candidate_of(
    CandidateParts parts, const CompilePolicies& compile
);

}  // namespace tagout::app
