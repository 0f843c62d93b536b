// Decisions as feature flags: OpenFeature Remote Evaluation Protocol 0.3, for code that asks a flag
// before it offers a tool, calls an agent or starts a workflow.
//
//   POST /ofrep/v1/evaluate/flags/{key}   one flag
//   POST /ofrep/v1/evaluate/flags         all that this gateway knows by name, with an ETag
//   GET  /ofrep/v1/events                 told at once when controls change (text/event-stream)
//
//   key               value                                             stopped
//   tool:NAME         true: a call of it would be allowed               false
//   agent:NAME        true: it is not stopped                           false
//   workflow:NAME     true: it takes requests, itself or its fallback   false
//   model:NAME        true: it may be asked                             false
//   route:NAME        the workflow that answers requests to NAME        no value: code default
//
// A call that would wait for a person is false, with variant "approval". The evaluation context
// names the rest of the call: agent, workflow, session, user, tenant, environment, model, prompt,
// server; targetingKey is the user where none is named. A provider that cannot reach the gateway
// uses the default in its caller's code: write `false` there, and losing the gateway closes.
//
// Source: open-feature/protocol, service/openapi.yaml and event-streams.yaml, 0.3.0.
#pragma once

#include "gateway/exchange.h"

namespace tagout::gateway {

inline constexpr std::string_view flags_path = "/ofrep/v1/evaluate/flags";
inline constexpr std::string_view flag_events_path = "/ofrep/v1/events";

/// `key` is "" for all flags.
[[nodiscard]] net::ServerResponse answer_flags(
    Core& core, const net::EventLoop& loop, const std::string& key,
    const net::ServerRequest& request
);

/// A client that waits to be told of changes, until it goes.
class FlagEvents final : public Exchange {
public:
    static void start(
        std::shared_ptr<Core> core, net::ServerRequest request,
        std::shared_ptr<net::Responder> responder
    );
    void judge_again(const Snapshot& before, const Snapshot& now) override;

private:
    using Exchange::Exchange;
    void tell();
    void on_head(net::UpstreamHead) override {}
    void on_bytes(std::string_view) override {}
    void on_upstream_end(const Result<void>&) override {}
    void on_client_gone() override {}
};

}  // namespace tagout::gateway
