// Any bytes are a whole pack or have faults that are named; never a crash, never forever.

#include "verify/evidence_pack.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const tagout::verify::TarReading reading = tagout::verify::read_tar(bytes);
    if (reading.faults.empty()) {
        std::vector<tagout::verify::TarFile> files;
        for (const tagout::verify::TarView& view : reading.files) {
            files.push_back({std::string(view.name), std::string(view.content)});
        }
        if (tagout::verify::write_tar(files, reading.modified_at_s) != bytes) {
            std::abort();  // two archives with one meaning: a byte could be changed unseen
        }
    }
    const tagout::verify::PackReport report = tagout::verify::check_pack(bytes, {std::nullopt, true, {}});
    if (report.faults.empty() && report.signer.empty()) {
        std::abort();
    }
    return 0;
}
