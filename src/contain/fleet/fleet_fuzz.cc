// Any bytes on a gateway's stream are frames or an error, and any body is a value that is written as
// it was read, or an error with its place; never a crash, never half of a step.

#include "contain/fleet/frame.h"
#include "contain/fleet/report.h"
#include "contain/fleet/snapshot_form.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

namespace fleet = tagout::contain::fleet;

template <class Read>
void expect_same_again(const Read& read, auto parse) {
    if (!read) {
        if (read.error().message.empty()) {
            std::abort();
        }
        return;
    }
    const std::string text = fleet::to_text(*read);
    const auto again = parse(text);
    if (!again || fleet::to_text(*again) != text) {
        std::abort();
    }
}

void read_body(std::string_view body) {
    expect_same_again(fleet::parse_standing(body), fleet::parse_standing);
    expect_same_again(fleet::parse_step(body), fleet::parse_step);
    expect_same_again(fleet::parse_beat(body), fleet::parse_beat);
    expect_same_again(fleet::parse_report(body), fleet::parse_report);
    expect_same_again(fleet::parse_hello(body), fleet::parse_hello);
    expect_same_again(fleet::parse_probe_ask(body), fleet::parse_probe_ask);
    expect_same_again(fleet::parse_probe_said(body), fleet::parse_probe_said);
    expect_same_again(fleet::parse_approval_ask(body), fleet::parse_approval_ask);
    expect_same_again(fleet::parse_approval_said(body), fleet::parse_approval_said);
    expect_same_again(fleet::parse_local_controls(body), fleet::parse_local_controls);
    expect_same_again(fleet::parse_adopted(body), fleet::parse_adopted);
    (void)fleet::parse_versions(body);
    (void)fleet::parse_policies(body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    read_body(bytes);
    if (const auto step = fleet::parse_step(bytes)) {
        fleet::Standing standing;
        standing.edition = step->from;
        const fleet::Standing before = standing;
        if (!fleet::apply(*step, standing) && !(standing == before)) {
            std::abort();
        }
    }
    fleet::FrameReader reader;
    std::vector<fleet::Frame> frames;
    if (reader.feed(bytes, frames)) {
        for (const fleet::Frame& frame : frames) {
            read_body(frame.body);
        }
    }
    return 0;
}
