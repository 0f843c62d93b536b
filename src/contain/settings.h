// What an operator may set about controls, probes and approvals.
#pragma once

#include "base/clock.h"
#include "base/settings.h"

#include <string>
#include <vector>

namespace tagout::contain {

struct Settings {
    Duration review_after = std::chrono::hours(24);   ///< Of a control that names no date.
    Duration review_warning = std::chrono::hours(1);  ///< How long before that people are told.
    Duration point_timeout = std::chrono::seconds(5);
    Duration probe_timeout = std::chrono::seconds(5);
    Duration retry_pause = std::chrono::seconds(1);  ///< Doubled after each failure ...
    Duration retry_pause_max = std::chrono::minutes(1);  ///< ... up to this.
    Duration approval_timeout = std::chrono::minutes(2);
    std::vector<std::string> changed_tools_denied;  ///< Globs of MCP servers.
    // Of gateways that are processes of their own.
    Duration heartbeat = std::chrono::seconds(1);   ///< Both ways.
    Duration lost_after = std::chrono::seconds(3);  ///< Unheard for so long, a gateway is away.
    Duration lease = std::chrono::minutes(1);       ///< A gateway alone for longer closes ...
    bool lease_closes_high_risk = true;             ///< ... these.
    bool lease_closes_write = false;
    bool lease_closes_egress = false;
    bool lease_closes_read = false;
};

/// visit(SettingInfo, member) for each.
template <class Options, class Visit>
void describe(Options& options, Visit&& visit) {
    visit(
        SettingInfo{
            "containment.review_after",
            60,
            31'536'000,
            "",
            "When somebody must look at a control again that was applied without a date. It is "
            "never released by itself."},
        options.review_after
    );
    visit(
        SettingInfo{
            "containment.review_warning",
            0,
            2'592'000,
            "",
            "How long before its review date people are told of a control; they are told again when "
            "it passed. An hour is time enough to find a second person for a release, and short "
            "enough that nobody puts it off."},
        options.review_warning
    );
    visit(
        SettingInfo{
            "containment.point_timeout",
            0.1,
            300,
            "",
            "An enforcement point that has not acknowledged within this time is shown as failing "
            "and asked again."},
        options.point_timeout
    );
    visit(
        SettingInfo{
            "containment.probe_timeout",
            0.1,
            300,
            "",
            "A probe that has not come back within this time leaves its control unproved."},
        options.probe_timeout
    );
    visit(
        SettingInfo{
            "containment.retry_pause",
            0.1,
            3'600,
            "",
            "Pause before a point or a probe is tried again; doubled after each failure."},
        options.retry_pause
    );
    visit(
        SettingInfo{
            "containment.retry_pause_max",
            0.1,
            86'400,
            "",
            "Longest pause between two tries. Raising it finds a point that came back later."},
        options.retry_pause_max
    );
    visit(
        SettingInfo{
            "containment.approval_timeout",
            1,
            86'400,
            "",
            "How long a call waits for a person; then it is denied."},
        options.approval_timeout
    );
    visit(
        SettingInfo{
            "containment.changed_tools_denied",
            1,
            256,
            "",
            "MCP servers (globs) whose tools are refused and hidden once their definition is no longer "
            "the pinned one, until somebody approves the new one. Elsewhere a change is only told."},
        options.changed_tools_denied
    );
    visit(
        SettingInfo{
            "containment.heartbeat",
            0.05,
            60,
            "",
            "How often a gateway of the fleet and the control server tell one another that they are "
            "there."},
        options.heartbeat
    );
    visit(
        SettingInfo{
            "containment.lost_after",
            0.2,
            600,
            "",
            "A gateway of the fleet that is not heard of for so long is shown as not connected, and "
            "people are told. Raising it bears longer pauses and tells later."},
        options.lost_after
    );
    visit(
        SettingInfo{
            "containment.lease",
            1,
            604'800,
            "",
            "How long a gateway goes on alone with its last snapshot before it closes the classes "
            "of tools below."},
        options.lease
    );
    visit(
        SettingInfo{
            "containment.lease_closes_high_risk",
            0,
            0,
            "",
            "Whether a gateway whose lease is over stops high-risk tools."},
        options.lease_closes_high_risk
    );
    visit(
        SettingInfo{
            "containment.lease_closes_write",
            0,
            0,
            "",
            "Whether a gateway whose lease is over stops tools that write, unknown ones included."},
        options.lease_closes_write
    );
    visit(
        SettingInfo{
            "containment.lease_closes_egress",
            0,
            0,
            "",
            "Whether a gateway whose lease is over stops tools that send something out."},
        options.lease_closes_egress
    );
    visit(
        SettingInfo{
            "containment.lease_closes_read",
            0,
            0,
            "",
            "Whether a gateway whose lease is over stops tools that only read."},
        options.lease_closes_read
    );
}

}  // namespace tagout::contain
