// What a rule may ask of a call beside its names: a condition in CEL (`when`) and a form of its
// arguments (`args`), both compiled when the policy is read.
//
// Names of a condition:
//   tool server agent workflow session tenant environment user   texts; "" where unknown
//   effect    "read", "write", "egress" or "unknown"        risk    "low" or "high"
//   args      the call's arguments, a map                   now     the time of the decision
//   marks     what the session has met: 'untrusted', 'sensitive', 'changed'
//
// A question that has no answer (a missing argument that was not tested with has(), a text where a
// number is compared, arguments that are no JSON object or hold a key twice) is a Fault, and a rule
// that refuses then fits: it fails closed. An exception (effect allow) then does not fit.
//
// Thread-safe: values, immutable. Cost: about 10 ns an operator; arguments are read once a call and
// only if a condition names them, about 1 us for 1 KB.
#pragma once

#include "contain/cel/program.h"
#include "domain/control.h"
#include "schema/check.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::contain {

/// Longer arguments are Unreadable to a condition or a form.
inline constexpr std::size_t arguments_bytes_max = 256 * 1024;
inline constexpr std::size_t arguments_depth_max = 64;
/// Steps of all conditions of one decision together; past them each is a Fault.
inline constexpr cel::Budget call_steps_max = 100'000;

/// Bits of what a session has met.
using Marks = std::uint8_t;
inline constexpr Marks untrusted_mark = 1;  ///< It was shown text that strangers may have written.
inline constexpr Marks sensitive_mark = 2;  ///< It was shown data that must not leave.
inline constexpr Marks changed_mark = 4;    ///< It changed something, or sent something out.
inline constexpr Marks all_marks = untrusted_mark | sensitive_mark | changed_mark;

/// `when` of a rule. Equal when its text is.
struct CallCondition {
    std::string text;
    std::shared_ptr<const cel::Program> program;  ///< Null for none.
    friend bool operator==(const CallCondition& left, const CallCondition& right) {
        return left.text == right.text;
    }
};
/// Refuses what is never true or false, too.
[[nodiscard]] cel::Expected<CallCondition> compile_condition(std::string_view text);

/// `args` of a rule: the rule fits calls whose arguments conform. Equal when its text is.
struct ArgumentForm {
    std::string text;  ///< JSON Schema, draft 2020-12; "" for none.
    std::shared_ptr<const schema::Schema> schema;
    friend bool operator==(const ArgumentForm& left, const ArgumentForm& right) {
        return left.text == right.text;
    }
};
/// InvalidArgument or LimitExceeded names the place and the remedy.
[[nodiscard]] Result<ArgumentForm> compile_form(std::string_view json);

/// Whether it asks what the session has met.
[[nodiscard]] bool names_marks(const CallCondition& condition) noexcept;

enum class Holds : std::uint8_t { No, Yes, Fault };

/// Confined to one thread. The facts of one call as conditions ask for them, each made when first
/// asked for; reused from call to call, so that it allocates only when arguments grow.
class CallFacts {
public:
    CallFacts();
    ~CallFacts();

    /// The facts of `call` from here on; views into it.
    void begin(const ToolCall& call, Marks marks) noexcept;
    [[nodiscard]] Holds holds(const CallCondition& condition) noexcept;
    [[nodiscard]] Holds conforms(const ArgumentForm& form) noexcept;
    /// Whether an answer since begin() rested on the arguments.
    [[nodiscard]] bool read_arguments() const noexcept { return arguments_asked_; }

private:
    struct Arguments;
    void fill(const cel::Program& program) noexcept;

    const ToolCall* call_ = nullptr;
    Marks marks_ = 0;
    std::uint32_t filled_ = 0;  ///< A bit for each name that has its value.
    bool arguments_asked_ = false;
    cel::Budget left_ = call_steps_max;
    std::vector<cel::Value> values_;
    std::unique_ptr<Arguments> arguments_;
    std::unique_ptr<cel::Scratch> scratch_;
};

/// This thread's own.
[[nodiscard]] CallFacts& facts_of_thread();

/// The names that conditions know, for their checker.
[[nodiscard]] const cel::Environment& condition_names();

}  // namespace tagout::contain
