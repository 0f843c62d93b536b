// Any bytes are a policy or a list of mistakes with remedies, and a policy that was read can be put in
// force; never a crash, never forever.

#include "contain/call_memory.h"
#include "contain/policy.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace contain = tagout::contain;
    const std::string_view yaml(reinterpret_cast<const char*>(data), size);
    const contain::PolicyReport report = contain::read_policy("fuzz", "v1", yaml);
    if (report.policy.has_value() != report.mistakes.empty()) {
        std::abort();
    }
    for (const auto& mistake : report.mistakes) {
        if (mistake.what.empty() || mistake.remedy.empty() || mistake.line < 0) {
            std::abort();
        }
    }
    if (report.policy) {
        const auto snapshot = contain::ControlSnapshot::build({}, std::span(&*report.policy, 1), 1);
        if (snapshot) {
            tagout::ToolCall call;
            call.tool = yaml.substr(0, 64);
            call.agent = "refund-agent";
            call.arguments = yaml.substr(yaml.find('{') == yaml.npos ? 0 : yaml.find('{'));
            (void)contain::decide(**snapshot, call);
            static contain::CallMemory memory;
            (void)contain::admit(**snapshot, call, memory);
            if (report.cases.size() < 4) {
                (void)contain::run_cases(*report.policy, report.cases, tagout::catalog::Catalog());
            }
        }
    }
    return 0;
}
