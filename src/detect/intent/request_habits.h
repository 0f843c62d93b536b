// intent.wrong_workflow and intent.out_of_scope, by the request alone. To a person on call: the
// request went to a workflow whose good sessions are never asked such things while another one's
// are, or it is nothing that any workflow here is asked.
//
//   wrong_workflow  another workflow fits, the own one does not, by margin_min; and of good
//   requests
//                   at most misfit_chance_max look as wrong as this one
//   out_of_scope    no workflow fits; and of good requests at most stranger_chance_max fit as badly.
//                   Whatever became of it: it tells what people want, so its outcome stays unknown
//                   and it opens no incident by itself (a rare and rightful wish looks the same)
//
// Workflows that are asked alike (the same desk under two names) are never told apart: of their
// held-out good requests too many fit the other. Where most requests fit nothing well, none is a
// stranger. Learned from good sessions only, by who calls learn(). Cold start is silent: a workflow
// is known from requests_min different good requests on, nothing is judged before two are known,
// and with n good requests held out no chance is below 1 in n + 1. Why 0.5 %: a misrouted request
// is ten times as rare as that where routing works, so the finding must be rare too; it opens an
// incident only with a failed outcome. Right of CLINC150's 22,500 requests of 150 workflows: 93 of
// 100.
//
// Confined to KeyStage's thread. Bounds: see request_lessons.h and request_judge.h; at most one
// training at a time, work_per_call of it a call. Cost: 3 us a session that tells its request, 6 us
// with 150 workflows.
#pragma once

#include "detect/intent/request_judge.h"
#include "detect/key_partials.h"
#include "detect/settings.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace tagout::detect {

class RequestHabits {
public:
    /// Multiplications: about 20 ms.
    static constexpr std::uint64_t work_per_call = 40'000'000;

    void learn(std::string_view workflow, std::string_view text, Instant at);
    /// What a version of its profile says, instead of what was learned.
    void adopt(std::string_view workflow, std::span<const std::string> lines) {
        lessons_.adopt(workflow, lines);
    }
    /// Trains on when enough has changed: an eighth of the lessons. Call about once a second.
    void tend(const IntentSettings& settings);
    [[nodiscard]] std::optional<Finding> judge(
        const RequestFact& fact, const IntentSettings& settings
    ) const;

    [[nodiscard]] const RequestLessons& lessons() const noexcept { return lessons_; }
    [[nodiscard]] const RequestJudge* judge() const noexcept { return judge_.get(); }
    [[nodiscard]] std::size_t bytes() const noexcept;

private:
    [[nodiscard]] bool tells_apart(std::string_view one, std::string_view other) const;

    RequestLessons lessons_;
    std::unique_ptr<RequestTraining> training_;
    std::shared_ptr<const RequestJudge> judge_;
    std::uint64_t changes_trained_ = 0;  ///< lessons_.changes() when the newest training began.
    std::uint32_t requests_min_ = 0;     ///< It began with.
};

}  // namespace tagout::detect
