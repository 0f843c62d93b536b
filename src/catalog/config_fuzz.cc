// Any bytes are a configuration or a list of mistakes with remedies; never a crash, never forever.

#include "catalog/config.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using tagout::catalog::ConfigReport;
    const std::string_view yaml(reinterpret_cast<const char*>(data), size);
    const ConfigReport report = tagout::catalog::read_config(yaml, "fuzz.yaml");
    if (report.contents.has_value() != report.mistakes.empty()) {
        std::abort();
    }
    for (const auto& mistake : report.mistakes) {
        if (mistake.what.empty() || mistake.remedy.empty() || mistake.line < 0) {
            std::abort();
        }
    }
    if (report.contents) {
        const tagout::catalog::Catalog catalog(*report.contents);
        (void)catalog.tool(yaml.substr(0, 64));
        (void)catalog.owner_of("payments.refund", "refund-agent", "refund", "shop");
    }
    return 0;
}
