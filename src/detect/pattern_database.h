// Many patterns searched for in one pass (Vectorscan): made once, read by every thread; the scratch
// that a search needs is its owner's alone.
//
// For patterns of our own and quoted literals: that they compile is asserted. Cost: compiling takes
// milliseconds, so databases are made at the start or when settings change.
#pragma once

#include <hs/hs.h>

#include <memory>
#include <string_view>
#include <vector>

namespace tagout::detect {

struct PatternDatabaseCloser {
    void operator()(hs_database_t* database) const noexcept { hs_free_database(database); }
};
using PatternDatabase = std::unique_ptr<hs_database_t, PatternDatabaseCloser>;

/// The expressions of one database; `id` is what a match of each is told by.
class Patterns {
public:
    /// `expression` must outlive compiled(); flags are HS_FLAG_*.
    void add(const char* expression, unsigned id, unsigned flags);
    [[nodiscard]] PatternDatabase compiled() const;

private:
    std::vector<const char*> expressions_;
    std::vector<unsigned> ids_;
    std::vector<unsigned> flags_;
};

/// Thread-compatible: one search at a time.
class PatternScratch {
public:
    /// Before the first search of `database`; grows what is there.
    void make_room_for(const hs_database_t& database);
    /// Until `on_match` returns other than 0.
    void search(
        const hs_database_t& database, std::string_view text, match_event_handler on_match,
        void* context
    ) const;

private:
    struct Closer {
        void operator()(hs_scratch_t* scratch) const noexcept { hs_free_scratch(scratch); }
    };
    std::unique_ptr<hs_scratch_t, Closer> scratch_;
};

}  // namespace tagout::detect
