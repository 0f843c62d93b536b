#include "app/spending.h"

#include "base/log.h"
#include "gateway/fleet/files.h"

#include <cstdio>

namespace tagout::app {

Spending::Spending(const std::string& folder) : path_(folder + "/spent.json") {
    const auto text = gateway::read_file(path_, contain::SpendMemory::text_bytes_max);
    Result<void> read;
    if (!text) {
        read = std::unexpected(text.error());
    } else if (*text) {
        read = memory_->restore(**text);
    }
    if (!read) {
        (void)std::rename(path_.c_str(), (path_ + ".unread").c_str());
        log::error("budgets_not_restored", {{"file", path_}, {"error", read.error().message}});
    }
}

void Spending::save() {
    const std::uint64_t changes = memory_->changes();
    if (changes == saved_) {
        return;
    }
    if (const Result<void> written = gateway::write_file(path_, memory_->to_text()); !written) {
        log::warn("budgets_not_saved", {{"error", written.error().message}});
        return;
    }
    saved_ = changes;
}

}  // namespace tagout::app
