#include "app/quality/taught_profiles.h"

#include <boost/json.hpp>

namespace tagout::app {

namespace {

namespace json = boost::json;

bool is_true(const json::object& labels, std::string_view name) {
    const json::value* const value = labels.if_contains(name);
    return value != nullptr && value->is_bool() && value->as_bool();
}

}  // namespace

bool is_healthy(const json::object& labels) {
    const json::value* const outcome = labels.if_contains("outcome");
    const json::value* const classes = labels.if_contains("failure_classes");
    const bool succeeded =
        outcome != nullptr && outcome->is_string() && outcome->as_string() == "success";
    const bool nothing_wrong =
        classes == nullptr || !classes->is_array() || classes->as_array().empty();
    // A benign run that did not solve its task, and nobody says in what it failed, is everyday
    // work.
    const json::value* const attack = labels.if_contains("attack");
    const bool benign = attack != nullptr && attack->is_bool() && !attack->as_bool() &&
                        classes != nullptr && outcome != nullptr && outcome->is_string();
    return (succeeded || benign) && nothing_wrong && !is_true(labels, "attack");
}

void TaughtProfiles::learn(
    const std::string& workflow, const std::string& agent,
    const std::vector<catalog::ProfileUse>& uses
) {
    Workflow& mine = workflows_[workflow];
    const auto known = mine.by_agent.find(agent);
    if (known == mine.by_agent.end()) {
        if (parts_ >= parts_max) {
            ++refused_;
            return;
        }
        ++parts_;
    }
    catalog::WorkflowProfile& part =
        known != mine.by_agent.end() ? known->second : mine.by_agent[agent];
    ++runs_;
    for (catalog::WorkflowProfile* profile : {&mine.all, &part}) {
        profile->begin_session();
        for (const catalog::ProfileUse& use : uses) {
            profile->learn(use.facet, use.key);
        }
    }
}

const catalog::WorkflowProfile* TaughtProfiles::find(
    std::string_view workflow, std::string_view agent
) const {
    const auto mine = workflows_.find(workflow);
    if (mine == workflows_.end()) {
        return nullptr;
    }
    if (leave_out_ == LeaveOut::Nothing) {
        return &mine->second.all;
    }
    const auto part = mine->second.by_agent.find(agent);
    if (part == mine->second.by_agent.end()) {
        return &mine->second.all;
    }
    if (answered_workflow_ != workflow || answered_agent_ != agent) {
        answer_ = mine->second.all;
        answer_.take_away(part->second);
        answered_workflow_ = workflow;
        answered_agent_ = agent;
    }
    return &answer_;
}

}  // namespace tagout::app
