#include "rehearse/fleet_config.h"

#include "rehearse/shop.h"

#include <fmt/format.h>

namespace tagout::rehearse {

namespace {

constexpr std::array<std::string_view, 3> server_names{"orders", "mail", "payments"};
constexpr std::string_view model_name = "harbour-model";

/// What cannot be told from a tool's name: how its writes are taken back, and what they risk.
struct ToolNote {
    std::string_view name;
    std::string_view rest;
};
constexpr std::array tool_notes{
    ToolNote{
        "update_address",
        "effect: write\n    risk: high\n    reversibility: reversible\n"
        "    compensating_tool: restore_address"},
    ToolNote{"restore_address", "effect: write\n    risk: low\n    reversibility: reversible"},
    ToolNote{"cancel_order", "effect: write\n    risk: high\n    reversibility: externally_reversible"},
    ToolNote{"label_mail", "effect: write\n    risk: low\n    reversibility: reversible"},
    ToolNote{"send_mail", "effect: egress\n    risk: high\n    reversibility: irreversible"},
    ToolNote{"issue_refund", "effect: write\n    risk: high\n    reversibility: externally_reversible"},
    ToolNote{"send_invoice", "effect: egress\n    risk: high\n    reversibility: irreversible"},
};

std::string tools_section() {
    std::string out;
    for (const ToolInfo& tool : sample_tools()) {
        std::string_view rest = "effect: read";
        for (const ToolNote& note : tool_notes) {
            rest = note.name == tool.name ? note.rest : rest;
        }
        out += fmt::format(
            "  {}:\n    server: {}\n    {}\n", tool.name,
            server_names[static_cast<std::size_t>(tool.server)], rest
        );
    }
    return out;
}

constexpr std::string_view text = R"(# The simulated fleet of `tagout serve --sim`. Made once; change it and reload as you like.
agents:
  support-agent:
    description: Helps customers with their orders
    workflows: [order_support]
    tools: [get_order, track_shipment, update_address, restore_address, cancel_order]
  refund-agent:
    description: Finds payments and refunds them
    workflows: [refunds]
    tools: [get_order, find_payment, issue_refund]
  mail-agent:
    description: Sorts and answers an employee's mail
    workflows: [mail_triage]
    tools: [search_mail, read_mail, label_mail, send_mail]
  billing-agent:
    description: Explains charges and sends invoices
    workflows: [billing]
    tools: [list_payments, search_invoices, get_invoice, send_invoice]
  handover-agent:
    description: Tells customers that a colleague will answer
    workflows: [human_handover]

workflows:
  order_support:
    fallback: human_handover
  refunds:
    fallback: human_handover
  mail_triage:
    fallback: human_handover
  billing:
    fallback: human_handover
  human_handover: {{}}

tools:
{tools}
mcp_servers:
  orders:
    url: http://127.0.0.1:{orders}/mcp
  mail:
    url: http://127.0.0.1:{mail}/mcp
  payments:
    url: http://127.0.0.1:{payments}/mcp

model_upstreams:
  {model_name}:
    protocol: openai
    url: http://127.0.0.1:{model}

owners:
  - match: "agent:refund-agent"
    team: payments
    contact: payments-oncall@harbour.example
  - match: "agent:billing-agent"
    team: payments
    contact: payments-oncall@harbour.example
  - match: "agent:mail-agent"
    team: office-automation
    contact: office-oncall@harbour.example
  - match: "*"
    team: customer-care
    contact: care-oncall@harbour.example

# Small bounds, so that a bundle proves itself while one looks on.
releases:
  good_outcomes_min: 20
  good_time_min: 30s

# A person decides: Tagout proposes. `enforcement: enforce` would act at once.
playbooks:
  - class: safety
    severity: SEV3
    contain: tool
    mode: stopped
  - class: tool
    severity: SEV3
    contain: tool
    mode: stopped
  - class: context
    severity: SEV3
    contain: agent
    mode: read_only
  - class: intent
    severity: SEV3
    contain: workflow
    mode: route
  - class: cost
    severity: SEV3
    contain: workflow
    mode: route

journeys:
  change-the-address-of-an-order:
    tools: [get_order, update_address]
    steps:
      - kind: mcp
        request: 'update_address {{"order_id":"ORD-JOURNEY","address":"2 Test Row, Hull"}}'
        expect: [is_error false]
      - kind: mcp
        request: 'get_order {{"order_id":"ORD-JOURNEY"}}'
        expect: [contains 2 Test Row]
  follow-a-parcel:
    tools: [track_shipment]
    steps:
      - kind: mcp
        request: 'track_shipment {{"order_id":"ORD-JOURNEY"}}'
        expect: [is_error false, contains GW-JOURNEY]
  refund-an-order:
    tools: [find_payment, issue_refund]
    steps:
      - kind: mcp
        request: 'find_payment {{"order_id":"ORD-JOURNEY"}}'
        expect: [contains PAY-JOURNEY]
      - kind: mcp
        request: 'issue_refund {{"order_id":"ORD-JOURNEY","payment_id":"PAY-JOURNEY","amount_cents":1000}}'
        expect: [is_error false]
  write-a-mail:
    tools: [send_mail]
    steps:
      - kind: mcp
        request: 'send_mail {{"to":"journey@harbour.example","subject":"Test","body":"A test."}}'
        expect: [is_error false]
)";

}  // namespace

FleetPorts ports_from(std::uint16_t first) noexcept {
    if (first == 0) {
        return {};
    }
    const auto at = [first](int offset) { return static_cast<std::uint16_t>(first + offset); };
    return {at(0), {at(1), at(2), at(3)}, at(4)};
}

std::string fleet_config(std::uint16_t first) {
    const FleetPorts ports = ports_from(first);
    return fmt::format(
        fmt::runtime(text), fmt::arg("tools", tools_section()), fmt::arg("orders", ports.tools[0]),
        fmt::arg("mail", ports.tools[1]), fmt::arg("payments", ports.tools[2]),
        fmt::arg("model", ports.model), fmt::arg("model_name", model_name)
    );
}

std::string model_url_behind(std::string_view gateway) {
    return fmt::format("{}/model/{}/v1", gateway, model_name);
}

std::array<std::string, 3> tool_urls_behind(std::string_view gateway) {
    std::array<std::string, 3> urls;
    for (std::size_t kind = 0; kind < urls.size(); ++kind) {
        urls[kind] = fmt::format("{}/mcp/{}", gateway, server_names[kind]);
    }
    return urls;
}

}  // namespace tagout::rehearse
