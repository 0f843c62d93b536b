// The scorers, by file: each of these adds those of one file to the table, in its order.
#pragma once

#include "app/quality/set_scorer.h"

namespace tagout::app {

/// attack_scorers.cc: agentdojo, agentdyn, rjudge, assebench_security, agentharm_records
void add_attack_scorers(std::vector<std::unique_ptr<SetScorer>>& scorers);
/// text_scorers.cc: notinject, injecguard_valid, bipia, cyberseceval_pi
void add_text_scorers(
    const detect::Settings& settings, std::vector<std::unique_ptr<SetScorer>>& scorers
);
/// intent_scorers.cc: clinc150, banking77, uss
void add_intent_scorers(std::vector<std::unique_ptr<SetScorer>>& scorers);
/// tool_scorers.cc: taubench
void add_tool_scorers(std::vector<std::unique_ptr<SetScorer>>& scorers);
/// series_scorers.cc: nab, mscloud, request traces of any source
void add_series_scorers(
    const detect::Settings& settings, std::vector<std::unique_ptr<SetScorer>>& scorers
);

}  // namespace tagout::app
