#include "incident/metrics.h"

namespace tagout::incident {

void count_change(const Change& change, MetricRegistry& metrics) {
    const Incident& incident = change.incident;
    const std::string_view of_class = name_of(incident.failure_class);
    const std::string_view of_severity = name_of(incident.severity);
    const bool by_hand = change.what == Change::What::Declared &&
                         change.entry.draft.kind == "incident.opened";
    if (change.what == Change::What::Opened || by_hand) {
        const std::string_view labels[] = {of_class, name_of(incident.kind)};
        metrics.counter(opened_total, labels).add();
        if (!incident.recurrence_of.empty()) {
            const std::string_view recurring[] = {of_class};
            metrics.counter(recurrences_total, recurring).add();
        }
    }
    switch (change.what) {
        case Change::What::Declared: {
            const std::string_view labels[] = {of_class, of_severity};
            metrics.counter(declared_total, labels).add();
            break;
        }
        case Change::What::Escalated: {
            const std::string_view labels[] = {of_severity};
            metrics.counter(escalated_total, labels).add();
            break;
        }
        case Change::What::Resolved: {
            const std::string_view labels[] = {of_class, name_of(incident.state)};
            metrics.counter(ended_total, labels).add();
            break;
        }
        case Change::What::Opened:
        case Change::What::Updated:
        case Change::What::Other:
            break;
    }
}

}  // namespace tagout::incident
