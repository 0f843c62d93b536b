#include "app/quality/scorers.h"

namespace tagout::app {

std::vector<std::unique_ptr<SetScorer>> make_scorers(const detect::Settings& settings) {
    std::vector<std::unique_ptr<SetScorer>> scorers;
    add_attack_scorers(scorers);
    add_text_scorers(settings, scorers);
    add_tool_scorers(scorers);
    add_series_scorers(settings, scorers);
    add_intent_scorers(scorers);
    return scorers;
}

}  // namespace tagout::app
