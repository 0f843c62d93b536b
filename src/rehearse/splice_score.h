// `tagout splice`: how well the context class finds what the splicer plants, and how often it tells
// of good recordings that nothing was planted in.
//
// Good is what a record's labels call a success without an attack; labels are read for that alone.
// Every good record is judged as it is and once with each kind that has a place in it. A planted
// fault is found if one of its kind's signals points at a step that was planted. Precision counts
// the same signals at any other step, in the spliced record and in the record as it is. Records are
// parted in two halves by their task, so that one half can be tuned on and the other kept back.
#pragma once

#include "base/result.h"
#include "cli/terminal.h"
#include "detect/settings.h"
#include "rehearse/splice.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tagout::rehearse {

struct SpliceCommand {
    std::vector<std::string> files;
    std::string config;
    std::string half = "all";  ///< "tuning", "kept" or "all".
    std::uint64_t seed = 1;
    std::size_t show = 0;  ///< So many misses and wrong findings of each kind, by record and form.
    cli::Format format = cli::Format::Table;
};

struct SpliceTally {
    std::uint64_t planted = 0;
    std::uint64_t found = 0;     ///< Right signal, exact step.
    std::uint64_t in_class = 0;  ///< Any signal of the class at an exact step.
    std::uint64_t elsewhere =
        0;  ///< The right signal at a wrong step, in spliced or plain records.
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> forms;  ///< Planted, found.
    std::vector<std::string> shown;

    [[nodiscard]] double precision() const noexcept;
    [[nodiscard]] double recall() const noexcept;
    [[nodiscard]] double f1() const noexcept;
};

struct SpliceScore {
    std::uint64_t good = 0;
    std::uint64_t flagged = 0;  ///< By any signal of the class.
    std::map<std::string, std::uint64_t> flagged_by;
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> sources;  ///< Good, flagged.
    std::vector<std::string> shown;
    std::map<SpliceKind, SpliceTally> kinds;
};

/// Judges one record as it is and spliced.
///
/// Thread-compatible.
class SpliceJudge {
public:
    SpliceJudge(
        const detect::Settings& settings, std::shared_ptr<const catalog::Catalog> catalog,
        std::uint64_t seed, std::size_t show
    );
    ~SpliceJudge();
    void judge(const intake::RecordedRun& run);
    [[nodiscard]] const SpliceScore& score() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Prints the table; 0, or 1 if no good record was found.
[[nodiscard]] Result<int> splice_command(const SpliceCommand& command, cli::Terminal& terminal);

}  // namespace tagout::rehearse
