// What was spent under budgets, carried over a restart: one small file in the data folder.
//
// Written once a second while something changes, and when the gateway has stopped; so a crash loses
// what was counted within the last second, and what was under way. A file that cannot be read is left
// beside (".unread") and told: budgets begin anew.
//
// Confined to the thread that ticks.
#pragma once

#include "contain/spend_memory.h"

#include <memory>
#include <string>

namespace tagout::app {

class Spending {
public:
    /// Reads what is there.
    explicit Spending(const std::string& folder);
    [[nodiscard]] const std::shared_ptr<contain::SpendMemory>& memory() const noexcept { return memory_; }
    /// Writes what is new.
    void save();

private:
    const std::string path_;
    const std::shared_ptr<contain::SpendMemory> memory_ = std::make_shared<contain::SpendMemory>();
    std::uint64_t saved_ = 0;  ///< SpendMemory::changes() of what is in the file.
};

}  // namespace tagout::app
