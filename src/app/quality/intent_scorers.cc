// Requests that belong to a workflow or to none, and what users think of the answers that they got.
#include "app/quality/label.h"
#include "app/quality/scorers.h"
#include "detect/intent/dialogue.h"
#include "detect/intent/rating_judge.h"
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

/// A score for each turn that was rated, and whether the user was dissatisfied.
struct ScoredTurn {
    double score = 0;
    bool bad = false;
};

/// What scores find of the dissatisfied turns.
struct Separation {
    std::uint64_t bad = 0;
    std::uint64_t found_calm = 0;  ///< Above all but 5 % of the others.
    double f1 = 0;                 ///< The best over all thresholds.
    double area = 0;               ///< How often a bad one scores above another; ties count half.
};

Separation separation_of(std::vector<ScoredTurn> turns) {
    constexpr double wrong_share = 0.05;
    Separation result;
    result.bad = static_cast<std::uint64_t>(std::ranges::count(turns, true, &ScoredTurn::bad));
    const auto bad = static_cast<double>(result.bad);
    const double good = static_cast<double>(turns.size()) - bad;
    std::ranges::stable_sort(turns, std::greater{}, &ScoredTurn::score);
    std::uint64_t found = 0;
    std::uint64_t wrong = 0;
    for (std::size_t i = 0; i < turns.size();) {
        const std::uint64_t found_before = found;
        const std::uint64_t wrong_before = wrong;
        const double score = turns[i].score;
        for (; i < turns.size() && turns[i].score == score; ++i) {
            ++(turns[i].bad ? found : wrong);
        }
        const auto all_found = static_cast<double>(found);
        const auto all_wrong = static_cast<double>(wrong);
        result.area += static_cast<double>(wrong - wrong_before) *
                       (all_found + static_cast<double>(found_before)) / 2;
        result.f1 = std::max(result.f1, 2 * all_found / (all_found + all_wrong + bad));
        if (all_wrong <= good * wrong_share) {
            result.found_calm = found;
        }
    }
    result.area /= std::max(bad * good, 1.0);
    return result;
}

/// User turns that people rated from 1 to 5: below 2.5 in the mean the user was dissatisfied.
///
/// Judged as in a deployment where some users rate: each fifth of the dialogues by a judge that the
/// ratings of the other dialogues taught, and those of what --learn names (but not the same
/// dialogue again). Two more rows tell what is left where nobody rates, and where ratings come from
/// other deployments alone: every source is a domain of its own.
class Dissatisfaction final : public SetScorer {
public:
    [[nodiscard]] bool wants(std::string_view source) const override {
        return source.starts_with("uss_");
    }
    [[nodiscard]] bool needs_findings() const override { return false; }

    void learn(const JudgedRecord& record) override { read(record, taught_); }
    void take(const JudgedRecord& record) override { read(record, judged_); }

    [[nodiscard]] std::vector<QualityRow> rows() override {
        std::erase_if(taught_, [&](const Dialogue& dialogue) {
            return std::ranges::find(judged_, dialogue.id, &Dialogue::id) != judged_.end();
        });
        std::vector<ScoredTurn> words;
        for (const Dialogue& dialogue : judged_) {
            for (const Turn& turn : dialogue.turns) {
                words.push_back({turn.words, turn.bad});
            }
        }
        if (std::ranges::count(words, true, &ScoredTurn::bad) == 0 ||
            std::ranges::count(words, false, &ScoredTurn::bad) == 0) {
            return {};
        }
        const std::size_t turns = words.size();
        const Separation by_words = separation_of(std::move(words));
        const Separation own = separation_of(judged_by_folds());
        const Separation others = separation_of(judged_by_other_sources());
        return {
            share_row(
                "uss",
                "dissatisfied turns, found at 5 % of others flagged",
                own.found_calm,
                own.bad,
                {0.299, 0.4}
            ),
            value_row("uss", "dissatisfied turns, best F1", own.f1, turns, "F1", {0.253, 0.3}),
            value_row(
                "uss", "dissatisfied turns, area under the curve", own.area, turns, "AUC", {0.76}
            ),
            share_row(
                "uss",
                "dissatisfied turns, the same, taught by other sources alone",
                others.found_calm,
                others.bad,
                {}
            ),
            share_row(
                "uss",
                "dissatisfied turns, the same, by words alone and no ratings",
                by_words.found_calm,
                by_words.bad,
                {}
            ),
        };
    }

private:
    static constexpr double dissatisfied_below = 2.5;
    static constexpr double satisfied_from = 3;
    static constexpr std::size_t folds = 5;

    struct Turn {
        detect::TurnFeatures features;
        double words = 0;  ///< What the words alone say, see correction_words.h.
        bool bad = false;
        bool fine = false;  ///< What is neither teaches nothing, and is counted as not bad.
    };
    struct Dialogue {
        std::string id;
        std::string source;
        std::vector<Turn> turns;
    };

    static void read(const JudgedRecord& record, std::vector<Dialogue>& into) {
        boost::system::error_code error;
        const json::value line = json::parse(record.line, error);
        if (error || !line.is_object()) {
            return;
        }
        const json::value* const turns = line.as_object().if_contains("turns");
        if (turns == nullptr || !turns->is_array()) {
            return;
        }
        Dialogue dialogue;
        dialogue.id = label_text(line.as_object(), "id");
        dialogue.source = label_text(line.as_object(), "source");
        detect::Dialogue heard;
        for (const json::value& turn : turns->as_array()) {
            if (turn.is_object()) {
                read_turn(turn.as_object(), heard, dialogue);
            }
        }
        into.push_back(std::move(dialogue));
    }

    static void read_turn(
        const json::object& members, detect::Dialogue& heard, Dialogue& dialogue
    ) {
        const json::value* const content = members.if_contains("content");
        if (content == nullptr || !content->is_string()) {
            return;
        }
        const std::string_view text = content->as_string();
        if (label_text(members, "role") != "user") {
            heard.note_answer(text);
            return;
        }
        const detect::UserTone tone = detect::read_tone(text);
        heard.note_said(text, tone);
        const json::value* const rating = members.if_contains("satisfaction");
        if (rating == nullptr || !rating->is_number()) {
            return;
        }
        boost::system::error_code error;
        const double stars = rating->to_number<double>(error);
        dialogue.turns.push_back(
            {.features = detect::turn_features(heard.turn()),
             .words = tone.correction,
             .bad = stars < dissatisfied_below,
             .fine = stars >= satisfied_from}
        );
    }

    static void teach(const Dialogue& dialogue, detect::RatingLessons& lessons) {
        for (const Turn& turn : dialogue.turns) {
            if (turn.bad || turn.fine) {
                lessons.learn(turn.features, turn.bad, Instant(std::chrono::hours(24)));
            }
        }
    }

    static void judge(
        const Dialogue& dialogue, const detect::RatingJudge* judge, std::vector<ScoredTurn>& scored
    ) {
        for (const Turn& turn : dialogue.turns) {
            scored.push_back({judge ? judge->read(turn.features) : turn.words, turn.bad});
        }
    }

    [[nodiscard]] std::vector<ScoredTurn> judged_by_folds() const {
        std::vector<ScoredTurn> scored;
        for (std::size_t fold = 0; fold < folds; ++fold) {
            detect::RatingLessons lessons;
            for (const Dialogue& dialogue : taught_) {
                teach(dialogue, lessons);
            }
            for (std::size_t i = 0; i < judged_.size(); ++i) {
                if (i % folds != fold) {
                    teach(judged_[i], lessons);
                }
            }
            const auto by = detect::train_rating_judge(lessons);
            for (std::size_t i = fold; i < judged_.size(); i += folds) {
                judge(judged_[i], by.get(), scored);
            }
        }
        return scored;
    }

    [[nodiscard]] std::vector<ScoredTurn> judged_by_other_sources() const {
        std::vector<std::string> sources;
        for (const Dialogue& dialogue : judged_) {
            if (std::ranges::find(sources, dialogue.source) == sources.end()) {
                sources.push_back(dialogue.source);
            }
        }
        std::vector<ScoredTurn> scored;
        for (const std::string& source : sources) {
            detect::RatingLessons lessons;
            for (const auto* const dialogues : {&taught_, &judged_}) {
                for (const Dialogue& dialogue : *dialogues) {
                    if (dialogue.source != source) {
                        teach(dialogue, lessons);
                    }
                }
            }
            const auto by = detect::train_rating_judge(lessons);
            for (const Dialogue& dialogue : judged_) {
                if (dialogue.source == source) {
                    judge(dialogue, by.get(), scored);
                }
            }
        }
        return scored;
    }

    std::vector<Dialogue> taught_;
    std::vector<Dialogue> judged_;
};

}  // namespace

void add_intent_scorers(std::vector<std::unique_ptr<SetScorer>>& scorers) {
    scorers.push_back(std::make_unique<Requests>("clinc150", Bars{0.905, 0.92}, Bars{0.505, 0.55}));
    scorers.push_back(std::make_unique<Requests>("banking77", Bars{0.889, 0.9}, Bars{}));
    scorers.push_back(std::make_unique<Dissatisfaction>());
}

}  // namespace tagout::app
