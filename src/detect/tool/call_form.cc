#include "detect/tool/call_form.h"

#include <algorithm>
#include <string>

namespace tagout::detect {

namespace {

constexpr double failed_score = 0.9;
constexpr double worked_score = 0.6;
constexpr std::size_t quoted_bytes_max = 120;
constexpr schema::InstanceLimits arguments_limits{.bytes_max = 256 * 1024, .depth_max = 64};
constexpr schema::CheckLimits check_limits{
    .steps_max = 50'000, .depth_max = 256, .violations_max = 4};

/// Whether all that is wrong are the names at the top: then it may not be the arguments that were
/// recorded, but something around them.
bool only_names_differ(const std::vector<schema::Violation>& found) {
    return std::ranges::all_of(found, [](const schema::Violation& violation) {
        return violation.instance_path.empty();
    });
}

std::string_view quoted(std::string_view text) {
    std::size_t end = std::min(text.size(), quoted_bytes_max);
    while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U
    ) {
        --end;
    }
    return text.substr(0, end);
}

}  // namespace

CallForm::CallForm() : instance_(arguments_limits) {}

OfferNews CallForm::note_offer(Trail& trail, NameId agent, std::string_view definitions, bool all) {
    OfferNews news;
    news.list = lists_.note(definitions, &news.new_to_shard);
    const Offer offer{news.list, agent, all};
    if (std::ranges::find(trail.offers, offer) != trail.offers.end()) {
        return news;
    }
    news.new_to_session = true;
    if (trail.offers.size() >= Trail::offers_max) {
        trail.offers.erase(trail.offers.begin());
        trail.offers_forgotten = true;
    }
    trail.offers.push_back(offer);
    return news;
}

std::optional<Sighting> CallForm::judge(const Trail& trail, const JudgedCall& call) {
    if (trail.offers.empty() || (call.worked && !call.writes)) {
        return std::nullopt;
    }
    for (auto offer = trail.offers.rbegin(); offer != trail.offers.rend(); ++offer) {
        if (OfferedTool* const offered = lists_.find(offer->list, call.tool)) {
            return judge_arguments(offer->list, *offered, call);
        }
    }
    return judge_unknown(trail, call);
}

std::optional<Sighting> CallForm::judge_unknown(const Trail& trail, const JudgedCall& call) const {
    // An agent that works for another has its own tools, and its list may not have been told.
    const bool told = std::ranges::any_of(trail.offers, [&](const Offer& offer) {
        return offer.all && lists_.knows(offer.list) &&
               (call.agent == 0 || offer.agent == call.agent);
    });
    if (!told || trail.offers_forgotten || call.tool.empty()) {
        return std::nullopt;
    }
    Sighting sighting{.signal = SignalId::UnknownTool};
    sighting.tool = call.tool_id;
    sighting.score = call.worked ? worked_score : failed_score;
    sighting.observed = 1;
    sighting.threshold = 1;
    sighting.write_completed = call.worked && call.writes;
    sighting.cause = "a tool that is not there";
    sighting.evidence = "the agent called " + std::string(call.tool) +
                        ", which none of the lists that it was offered names; with " +
                        std::string(quoted(call.arguments));
    return sighting;
}

std::optional<Sighting> CallForm::judge_arguments(
    std::uint64_t list, OfferedTool& offered, const JudgedCall& call
) {
    const schema::Schema* const schema = lists_.schema_of(list, offered);
    if (schema == nullptr || call.arguments.empty() || !instance_.read(call.arguments)) {
        return std::nullopt;
    }
    const auto fits = schema::conforms(*schema, instance_, check_limits);
    if (!fits || *fits) {
        return std::nullopt;
    }
    const auto found = schema::violations(*schema, instance_, check_limits);
    if (!found || found->empty() || (call.worked && only_names_differ(*found))) {
        return std::nullopt;
    }
    const schema::Violation& first = found->front();
    Sighting sighting{.signal = SignalId::SchemaViolation};
    sighting.tool = call.tool_id;
    sighting.score = call.worked ? worked_score : failed_score;
    sighting.observed = static_cast<double>(found->size());
    sighting.threshold = 1;
    sighting.write_completed = call.worked && call.writes;
    sighting.cause = std::string(call.tool);
    sighting.evidence = "the arguments of " + std::string(call.tool) +
                        " break its schema: " + first.words + " (" + first.schema_path + "), in " +
                        std::string(quoted(call.arguments));
    return sighting;
}

}  // namespace tagout::detect
