// What orders to a machine look like: patterns with a weight each, and words without which a text
// holds none of them.
//
// A pattern is searched for alone, and only in texts whose words open one of its gates: a database
// of all of them costs 2 us a kilobyte of any text, the gates half a microsecond, and most texts
// open none. Where a pattern is of the first words only, a longer word that begins like one of them
// opens its gate as well.
//
// Compiled once, immutable, shared by all threads.
#pragma once

#include "detect/pattern_database.h"
#include "detect/word_gates.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tagout::detect {

class OrderPatterns {
public:
    static const OrderPatterns& instance();

    [[nodiscard]] static std::size_t size() noexcept;
    [[nodiscard]] static double weight(std::size_t pattern) noexcept;

    [[nodiscard]] const hs_database_t& database(std::size_t pattern) const noexcept {
        return *databases_[pattern];
    }
    [[nodiscard]] const WordGates& gates() const noexcept { return gates_; }
    /// Bit i: pattern i may match in `text`, whose words opened `rules`.
    [[nodiscard]] std::uint64_t worth_searching(std::uint64_t rules, std::string_view text)
        const noexcept;

private:
    OrderPatterns();

    std::vector<PatternDatabase> databases_;
    WordGates gates_;
};

}  // namespace tagout::detect
