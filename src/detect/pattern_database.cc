#include "detect/pattern_database.h"

#include "base/assert.h"

namespace tagout::detect {

void Patterns::add(const char* expression, unsigned id, unsigned flags) {
    expressions_.push_back(expression);
    ids_.push_back(id);
    flags_.push_back(flags);
}

PatternDatabase Patterns::compiled() const {
    hs_database_t* made = nullptr;
    hs_compile_error_t* error = nullptr;
    const hs_error_t code = hs_compile_multi(
        expressions_.data(),
        flags_.data(),
        ids_.data(),
        static_cast<unsigned>(expressions_.size()),
        HS_MODE_BLOCK,
        nullptr,
        &made,
        &error
    );
    if (error != nullptr) {
        hs_free_compile_error(error);
    }
    TAGOUT_ASSERT(code == HS_SUCCESS, "our own patterns and quoted literals compile");
    return PatternDatabase(made);
}

void PatternScratch::make_room_for(const hs_database_t& database) {
    hs_scratch_t* scratch = scratch_.release();
    const hs_error_t code = hs_alloc_scratch(&database, &scratch);
    TAGOUT_ASSERT(code == HS_SUCCESS, "scratch is allocated once, at the start");
    scratch_.reset(scratch);
}

void PatternScratch::search(
    const hs_database_t& database, std::string_view text, match_event_handler on_match,
    void* context
) const {
    hs_scan(
        &database, text.data(), static_cast<unsigned>(text.size()), 0, scratch_.get(), on_match,
        context
    );
}

}  // namespace tagout::detect
