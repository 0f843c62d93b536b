#include "prevent/judgement.h"

namespace tagout::prevent {

Judgement worst_of(std::span<const Check> checks) noexcept {
    if (checks.empty()) {
        return Judgement::Inconclusive;
    }
    Judgement worst = Judgement::Pass;
    for (const Check& check : checks) {
        if (check.judgement == Judgement::Fail) {
            return Judgement::Fail;
        }
        if (check.judgement == Judgement::Inconclusive) {
            worst = Judgement::Inconclusive;
        }
    }
    return worst;
}

}  // namespace tagout::prevent
