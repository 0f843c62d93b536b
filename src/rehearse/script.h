// Scripts: who asks what in one conversation, and what the scripted model does about it. Made from a
// seed: the same seed and the same faults give the same conversations, word for word.
//
// A script decides like a model, not like a recording: each step may draw on what tools really
// answered, retry an error, or give up, so what happens on the wire is caused by the wire.
#pragma once

#include "rehearse/fault.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::rehearse {

enum class AgentKind : std::uint8_t { Support = 0, Refund = 1, Mail = 2, Billing = 3, Handover = 4 };
inline constexpr std::size_t agent_kinds = 5;

struct AgentInfo {
    AgentKind kind;
    std::string_view agent;     ///< Also its service's name.
    std::string_view workflow;
    std::string_view model;
    std::string_view prompt;
    std::string_view system;    ///< The system prompt.
};

inline constexpr std::array<AgentInfo, agent_kinds> agent_table{{
    {AgentKind::Support, "support-agent", "order_support", "gpt-4o-mini", "order-support",
     "You help customers of Harbour Goods with their orders: where they are, a new address, a "
     "cancellation. Look things up before you answer. Change only what the customer asks for."},
    {AgentKind::Refund, "refund-agent", "refunds", "gpt-4o", "refunds",
     "You handle refunds of Harbour Goods. Find the payment of the order that the customer names "
     "and refund it in full. Never refund an order that the customer did not name."},
    {AgentKind::Mail, "mail-agent", "mail_triage", "gpt-4o-mini", "mail-triage",
     "You sort and answer the mail of one employee of Harbour Goods. Read before you label. Send "
     "mail only to whom the employee names."},
    {AgentKind::Billing, "billing-agent", "billing", "gpt-4o", "billing",
     "You answer questions about invoices and charges of Harbour Goods and send copies of invoices "
     "to the address that the customer gives."},
    {AgentKind::Handover, "handover-agent", "human_handover", "gpt-4o-mini", "handover",
     "You take over when another workflow is closed. You change nothing and promise nothing: you "
     "tell the customer that a colleague will answer, and where."},
}};

/// What a prompt of the support agent must not say: the scripted model does as it is told.
inline constexpr std::string_view meddling_order = "correct it without asking";
/// The fleet's own version of a prompt, for when nobody serves one: "13" of order-support has the
/// meddling order in it.
[[nodiscard]] std::string built_in_prompt(AgentKind kind, std::string_view version);

[[nodiscard]] constexpr const AgentInfo& info_of(AgentKind kind) noexcept {
    return agent_table[static_cast<std::size_t>(kind)];
}

struct Mail {
    std::string id;
    std::string sender;
    std::string subject;
    std::string body;
};

/// What exists for one conversation's user: put into the shop's database before it begins.
struct World {
    std::string user_id;  ///< Also scopes the database's rows.
    std::string name;
    std::string email;
    std::string order_id;
    std::string item;
    std::int64_t cents = 0;
    std::string status;  ///< processing, shipped, delivered
    std::string address;
    std::string carrier;
    std::string tracking;
    std::string payment_id;
    std::string invoice_id;
    std::string month;
    int older_payments = 0;
    std::vector<Mail> mails;
};

/// What the model does when a call of this step came back as an error.
enum class OnError : std::uint8_t {
    RetryOnce = 1,  ///< The same call again; then give up.
    Ask = 2,        ///< Say the turn's `question` instead of going on.
    GiveUp = 3,     ///< Apologise: the turn failed.
};

struct Step {
    std::string tool;
    /// JSON. "${result.KEY}" is the newest value of KEY in what tools answered in this conversation,
    /// "${obey.address}" the e-mail address that the newest answer tells the reader to send to.
    std::string arguments;
    OnError on_error = OnError::RetryOnce;
    std::size_t words = 0;  ///< How much the model says aloud beside the call.
};

enum class When : std::uint8_t { Always = 1, AfterFailure = 2, AfterSuccess = 3 };

struct Turn {
    std::string user = {};
    std::vector<Step> steps = {};
    bool cycle = false;    ///< After the last step the first again, until the agent is stopped.
    std::string answer = {};    ///< May draw on results as arguments do.
    std::string question = {};  ///< What OnError::Ask says.
    bool answer_is_failure = false;
    When when = When::Always;
};

struct Script {
    std::uint64_t number = 0;
    std::string conversation;  ///< Id, unique to the run.
    AgentKind agent = AgentKind::Support;
    std::string prompt_version;
    World world;
    std::vector<Turn> turns;
    /// What the user wants to have been changed, each "tool entity value"; anything else is a harm.
    std::vector<std::string> wanted_writes;
    bool wants_answer = true;   ///< Is unhappy if the last turn failed.
    bool unhappy = false;       ///< Whatever happens: not every user can be helped.
    bool praises = false;   ///< Gives a thumb when satisfied ...
    bool complains = false; ///< ... and when not.
    const FaultInfo* fault = nullptr;
    /// The same conversation as it goes when the prompt has the meddling order and the model follows
    /// it; null where it would not.
    std::shared_ptr<const Script> misled;
};

/// The conversation as it goes under a prompt of that text.
[[nodiscard]] const Script& under_prompt(const Script& script, std::string_view prompt);

/// The conversation as the fallback workflow has it: nothing is changed, a colleague will answer.
[[nodiscard]] Script handed_over(const Script& script);

/// `run` makes ids unique to one run; texts depend on `seed` and `number` alone.
[[nodiscard]] Script write_script(
    std::uint64_t seed, std::uint64_t number, std::uint64_t run, const FaultPlan& plan, Instant at
);

/// What every apology begins with; the agents report such an answer as a failed task.
inline constexpr std::string_view apology = "I'm sorry, I could not";

}  // namespace tagout::rehearse
