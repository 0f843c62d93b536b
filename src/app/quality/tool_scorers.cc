// tau-bench: writes that the gold actions do not have. A flag is a finding tool.unexpected_write.
#include "app/quality/label.h"
#include "app/quality/scorers.h"

#include <algorithm>

namespace tagout::app {

namespace {

class UnexpectedWrites final : public SetScorer {
public:
    [[nodiscard]] bool wants(std::string_view source) const override {
        return source == "taubench";
    }

    void take(const JudgedRecord& record) override {
        const bool flagged = std::ranges::any_of(record.findings, [](const Finding& finding) {
            return finding.signal == "tool.unexpected_write";
        });
        writes_.add(!label_is_empty_list(raw_labels(record.labels), "unexpected_writes"), flagged);
        sessions_.add(label_text(record.labels, "outcome") == "failure", flagged);
    }

    [[nodiscard]] std::vector<QualityRow> rows() override {
        if (writes_.positives() + writes_.negatives() == 0) {
            return {};
        }
        const auto row = [](std::string_view figure, std::uint64_t hits, std::uint64_t n,
                            Bars bars = {}) {
            return share_row("taubench", figure, hits, n, bars);
        };
        return {
            row("unexpected writes: precision", writes_.true_positive, writes_.said(), {{}, 0.90}),
            row("unexpected writes: recall",
                writes_.true_positive,
                writes_.positives(),
                {{}, 0.15}),
            row("failed sessions flagged",
                sessions_.true_positive,
                sessions_.positives(),
                {0.061}),
            row("good sessions flagged",
                sessions_.false_positive,
                sessions_.negatives(),
                {0.005, {}, Better::Lower})};
    }

private:
    Confusion writes_;
    Confusion sessions_;
};

}  // namespace

void add_tool_scorers(std::vector<std::unique_ptr<SetScorer>>& scorers) {
    scorers.push_back(std::make_unique<UnexpectedWrites>());
}

}  // namespace tagout::app
