// Requests that belong to a workflow or to none, and what users think of the answers that they got.
#include "app/quality/label.h"
#include "app/quality/scorers.h"
#include "detect/intent/correction_words.h"
#include "detect/intent/request_judge.h"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>

namespace tagout::app {

namespace {

namespace json = boost::json;

constexpr double rejected_share = 0.05;

/// One utterance a record, whose task is its workflow; "oos" is none.
///
/// Learned from what --learn names, or from the judged files' own part "train"; what is of part
/// "train" is never judged. Where there is no other part, a fifth is judged by the other four.
///   in scope      the share whose best fitting workflow is theirs
///   out of scope  the share that fits worse than the worst 5 % of those in scope
class Requests final : public SetScorer {
public:
    Requests(std::string source, Bars right, Bars strangers)
        : source_(std::move(source)), right_bars_(right), strangers_bars_(strangers) {}

    [[nodiscard]] bool wants(std::string_view source) const override { return source == source_; }
    [[nodiscard]] bool needs_findings() const override { return false; }

    void learn(const JudgedRecord& record) override { sort(record, taught_, nullptr); }
    void take(const JudgedRecord& record) override { sort(record, own_, &judged_); }

    [[nodiscard]] std::vector<QualityRow> rows() override {
        const std::vector<Request>& lessons = taught_.empty() ? own_ : taught_;
        if (lessons.empty() || (judged_.empty() && own_.empty())) {
            return {};
        }
        if (judged_.empty()) {
            for (std::size_t fold = 0; fold < folds; ++fold) {
                judge_fold(fold);
            }
        } else {
            judge(lessons, judged_);
        }
        return counted();
    }

private:
    static constexpr std::size_t folds = 5;
    struct Request {
        std::string text;
        std::string workflow;
    };

    void sort(
        const JudgedRecord& record, std::vector<Request>& lessons, std::vector<Request>* others
    ) const {
        if (record.run.turns.empty()) {
            return;
        }
        Request request{record.run.turns.front().content, record.run.task};
        if (label_text(raw_labels(record.labels), "part") == "train") {
            lessons.push_back(std::move(request));
        } else if (others != nullptr) {
            others->push_back(std::move(request));
        }
    }

    void judge_fold(std::size_t fold) {
        std::vector<Request> lessons;
        std::vector<Request> judged;
        for (std::size_t i = 0; i < own_.size(); ++i) {
            (i % folds == fold ? judged : lessons).push_back(own_[i]);
        }
        judge(lessons, judged);
    }

    void judge(const std::vector<Request>& lessons, const std::vector<Request>& judged) {
        detect::RequestLessons taught;
        for (const Request& request : lessons) {
            taught.learn(request.workflow, request.text, Instant(std::chrono::hours(24)));
        }
        const auto judge = detect::train_request_judge(taught);
        for (const Request& request : judged) {
            const double fit = judge ? judge->read(request.text).best_score : 0;
            if (request.workflow == "oos") {
                strangers_.push_back(fit);
                continue;
            }
            known_.push_back(fit);
            right_ += judge && judge->read(request.text).best == request.workflow ? 1 : 0;
        }
    }

    [[nodiscard]] std::vector<QualityRow> counted() {
        std::vector<QualityRow> rows;
        if (known_.empty()) {
            return rows;
        }
        rows.push_back(share_row(
            source_, "requests in scope, right workflow", right_, known_.size(), right_bars_
        ));
        if (!strangers_.empty()) {
            std::ranges::sort(known_);
            const auto rejected = static_cast<double>(known_.size()) * rejected_share;
            const double least = known_[static_cast<std::size_t>(rejected)];
            const auto found = static_cast<std::uint64_t>(
                std::ranges::count_if(strangers_, [&](double fit) { return fit < least; })
            );
            rows.push_back(share_row(
                source_,
                "requests out of scope, found at 5 % of others rejected",
                found,
                strangers_.size(),
                strangers_bars_
            ));
        }
        return rows;
    }

    const std::string source_;
    const Bars right_bars_;
    const Bars strangers_bars_;
    std::vector<Request> taught_;
    std::vector<Request> own_;
    std::vector<Request> judged_;
    std::vector<double> known_;
    std::vector<double> strangers_;
    std::uint64_t right_ = 0;
};

/// User turns that people rated from 1 to 5: below 2.5 in the mean the user was dissatisfied.
///   found at 5 %   the share of those that score above all but 5 % of the others
///   F1             the best over all thresholds
///   AUC            how often one of those scores above one of the others, ties counting half
class Dissatisfaction final : public SetScorer {
public:
    [[nodiscard]] bool wants(std::string_view source) const override {
        return source.starts_with("uss_");
    }
    [[nodiscard]] bool needs_findings() const override { return false; }

    void take(const JudgedRecord& record) override {
        boost::system::error_code error;
        const json::value line = json::parse(record.line, error);
        if (error || !line.is_object()) {
            return;
        }
        const json::value* const turns = line.as_object().if_contains("turns");
        if (turns == nullptr || !turns->is_array()) {
            return;
        }
        for (const json::value& turn : turns->as_array()) {
            const json::object* const members = turn.if_object();
            const json::value* const content = members ? members->if_contains("content") : nullptr;
            const json::value* const rating =
                members ? members->if_contains("satisfaction") : nullptr;
            if (content == nullptr || !content->is_string() || rating == nullptr ||
                !rating->is_number()) {
                continue;
            }
            const double stars = rating->to_number<double>(error);
            const std::string_view said = content->as_string();
            turns_.push_back({detect::read_tone(said).correction, stars < dissatisfied_below});
        }
    }

    [[nodiscard]] std::vector<QualityRow> rows() override {
        const auto bad = static_cast<std::uint64_t>(std::ranges::count(turns_, true, &Turn::bad));
        const std::uint64_t good = turns_.size() - bad;
        if (bad == 0 || good == 0) {
            return {};
        }
        std::ranges::stable_sort(turns_, std::greater{}, &Turn::score);
        std::uint64_t found = 0;
        std::uint64_t wrong = 0;
        std::uint64_t found_calm = 0;
        double f1 = 0;
        double area = 0;
        for (std::size_t i = 0; i < turns_.size();) {
            const std::uint64_t found_before = found;
            const std::uint64_t wrong_before = wrong;
            const double score = turns_[i].score;
            for (; i < turns_.size() && turns_[i].score == score; ++i) {
                ++(turns_[i].bad ? found : wrong);
            }
            area += static_cast<double>(wrong - wrong_before) *
                    static_cast<double>(found + found_before) / 2;
            f1 = std::max(
                f1, 2 * static_cast<double>(found) / static_cast<double>(found + wrong + bad)
            );
            if (static_cast<double>(wrong) <= static_cast<double>(good) * wrong_share) {
                found_calm = found;
            }
        }
        return {
            share_row(
                "uss",
                "dissatisfied turns, found at 5 % of others flagged",
                found_calm,
                bad,
                {0.299, 0.4}
            ),
            value_row("uss", "dissatisfied turns, best F1", f1, turns_.size(), "F1", {0.253, 0.3}),
            value_row(
                "uss",
                "dissatisfied turns, area under the curve",
                area / (static_cast<double>(bad) * static_cast<double>(good)),
                turns_.size(),
                "AUC",
                {0.76}
            ),
        };
    }

private:
    static constexpr double dissatisfied_below = 2.5;
    static constexpr double wrong_share = 0.05;
    struct Turn {
        double score = 0;
        bool bad = false;
    };
    std::vector<Turn> turns_;
};

}  // namespace

void add_intent_scorers(std::vector<std::unique_ptr<SetScorer>>& scorers) {
    scorers.push_back(std::make_unique<Requests>("clinc150", Bars{0.905, 0.92}, Bars{0.505, 0.55}));
    scorers.push_back(std::make_unique<Requests>("banking77", Bars{0.889, 0.9}, Bars{}));
    scorers.push_back(std::make_unique<Dissatisfaction>());
}

}  // namespace tagout::app
