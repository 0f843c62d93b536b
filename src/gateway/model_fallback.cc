// Where a model request goes when not to whom it was sent: by a control, by share, or because the
// upstream fails. The other half of ModelExchange is in model_exchange.cc.
#include "gateway/json_edit.h"
#include "gateway/model_exchange.h"

#include "net/url.h"

#include <algorithm>
#include <utility>

namespace tagout::gateway {

bool ModelExchange::apply_route(const std::string& to) {
    const std::size_t slash = to.find('/');
    const auto& known = catalog_->contents().model_upstreams;
    const auto upstream =
        slash == std::string::npos
            ? known.end()
            : std::ranges::find(known, std::string_view(to).substr(0, slash), &catalog::ModelUpstream::name);
    const std::string model = upstream == known.end() ? to : to.substr(slash + 1);
    if (upstream != known.end() && upstream->name != upstream_.name) {
        if (upstream->protocol != upstream_.protocol) {
            ruling_.verdict = Verdict::Deny;
            ruling_.for_model = "Model " + model_ + " is routed to " + to + ", which speaks " +
                                upstream->protocol + " and not " + upstream_.protocol +
                                "; ask for another model.";
            ruling_.for_person = ruling_.for_model;
            refuse(Outcome::Refused);
            return false;
        }
        // The client's key is for whom it called, and goes to nobody else.
        std::erase_if(request().headers, [](const auto& header) {
            return net::equal_ignoring_case(header.first, "Authorization") ||
                   net::equal_ignoring_case(header.first, "x-api-key");
        });
        upstream_ = *upstream;
    }
    if (!model.empty()) {  // what is stopped is stopped by whatever way it is reached
        ToolCall there = facts();
        there.model = model;
        Ruling again = core_->rule(*snapshot(), there);
        if (again.verdict == Verdict::Deny) {
            ruling_ = std::move(again);
            refuse(Outcome::Refused);
            return false;
        }
        redaction_.add(snapshot(), again.redactions);
        if (const std::string why = unredactable(); !why.empty()) {
            refuse_unredacted(why);
            return false;
        }
    }
    if (!model.empty() && body_) {
        JsonEdits edits(body_->view());
        edits.replace(member(trimmed(body_->view()), "model"), quoted(model));
        body_ = std::make_shared<const PaddedBytes>(PaddedBytes::copy_of(edits.text()));
    }
    routed_model_ = model;
    routed_to_ = upstream_.name + "/" + (model.empty() ? model_ : model);
    return true;
}

bool ModelExchange::choose_way() {
    if (upstream_.fallback.empty()) {
        return true;
    }
    if (is_of_share(caller_, upstream_.fallback_percent)) {
        return take_fallback("share");
    }
    contain::Circuits* const circuits = core_->parts.circuits;
    if (circuits == nullptr) {
        return true;
    }
    if (circuits->choose(upstream_.name) == contain::CircuitWay::Fallback) {
        return take_fallback("open");
    }
    primary_ = upstream_.name;
    return true;
}

bool ModelExchange::take_fallback(std::string_view why) {
    fell_back_ = true;
    if (core_->parts.circuits != nullptr) {
        core_->parts.circuits->count_fallback(upstream_.name, why);
    }
    ruling_.for_person += (ruling_.for_person.empty() ? "" : "; ") +
                          std::string("fell back from ") + upstream_.name + " to " +
                          upstream_.fallback + " (" + std::string(why) + ")";
    return apply_route(std::string(upstream_.fallback));
}

bool ModelExchange::counts_as_failure(int status) const {
    if (upstream_.fallback_on.empty()) {
        return status >= 500;
    }
    const std::string exact = std::to_string(status);
    return std::ranges::any_of(upstream_.fallback_on, [&](const std::string& each) {
        return each == exact || (each.ends_with("xx") && each[0] == exact[0]);
    });
}

void ModelExchange::tell_circuit(bool answered, std::string_view why) {
    if (primary_.empty()) {
        return;
    }
    const std::string primary = std::exchange(primary_, "");
    if (answered) {
        core_->parts.circuits->answered(primary);
    } else {
        core_->parts.circuits->failed(primary, std::string(why));
    }
}

bool ModelExchange::can_fall_back() const {
    return !fell_back_ && !has_opened() && !has_ended() && !upstream_.fallback.empty() &&
           ruling_.route_to.empty();
}

void ModelExchange::fall_back() {
    whole_head_.reset();
    whole_.clear();
    result_.clear();
    failed_ = false;
    if (take_fallback("failed")) {
        forward_model();
    }
}

/// What the upstream sent, and who answered if it is not whom the client asked.
net::Headers ModelExchange::answer_headers(const net::Headers& headers) const {
    net::Headers out = net::end_to_end(headers);
    if (!routed_to_.empty()) {
        out.emplace_back("tagout-route", routed_to_);
    }
    return out;
}

}  // namespace tagout::gateway
