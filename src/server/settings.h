// What an operator may set about the server's doors.
#pragma once

#include "base/clock.h"
#include "base/settings.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace tagout::server {

struct Settings {
    std::uint32_t threads = 1;  ///< Event loops for OTLP over HTTP and gRPC each.
    std::size_t body_bytes_max = 64 * 1024 * 1024;  ///< Of one request, also after decompression.
    std::size_t bytes_in_flight_max =
        512 * 1024 * 1024;  ///< Bodies being received, over all connections.
    std::size_t header_bytes_max = 64 * 1024;
    std::size_t connections_max = 10'000;     ///< Of each door.
    std::size_t attributes_max = 1'024;       ///< Of one span or record.
    std::size_t value_bytes_max = 32 * 1024;  ///< Of one text that an event keeps.
    std::size_t depth_max = 64;               ///< Of nested values.
    std::string
        hosts;  ///< Comma-separated names under which the page may be opened besides loopback.
};

/// visit(SettingInfo, member) for each.
template <class Options, class Visit>
void describe(Options& options, Visit&& visit) {
    visit(
        SettingInfo{
            "server.threads",
            1,
            64,
            "threads",
            "Event loops that receive and decode telemetry. More of them use more cores."},
        options.threads
    );
    visit(
        SettingInfo{
            "server.body_bytes_max",
            1'024,
            1'073'741'824,
            "bytes",
            "Largest request, also after decompression; a larger one is answered 413. Raising it "
            "costs memory."},
        options.body_bytes_max
    );
    visit(
        SettingInfo{
            "server.bytes_in_flight_max",
            1'048'576,
            68'719'476'736,
            "bytes",
            "Request bodies being received at one time; past it requests are answered 503."},
        options.bytes_in_flight_max
    );
    visit(
        SettingInfo{
            "server.header_bytes_max",
            1'024,
            1'048'576,
            "bytes",
            "Largest request head; a larger one is answered 431."},
        options.header_bytes_max
    );
    visit(
        SettingInfo{
            "server.connections_max",
            10,
            1'000'000,
            "connections",
            "Open connections of each door; further ones are refused."},
        options.connections_max
    );
    visit(
        SettingInfo{
            "server.attributes_max",
            16,
            65'536,
            "attributes",
            "Attributes of one span or record; one with more is rejected and counted."},
        options.attributes_max
    );
    visit(
        SettingInfo{
            "server.value_bytes_max",
            256,
            16'777'216,
            "bytes",
            "Of one text that detection keeps; longer ones are clipped there, the evidence keeps "
            "them whole."},
        options.value_bytes_max
    );
    visit(
        SettingInfo{
            "server.depth_max",
            8,
            1'000,
            "levels",
            "Of nested attribute values and JSON; deeper is refused."},
        options.depth_max
    );
    visit(
        SettingInfo{
            "server.hosts",
            0,
            0,
            "",
            "Comma-separated host names under which the page may be opened, besides loopback "
            "addresses."},
        options.hosts
    );
}

}  // namespace tagout::server
