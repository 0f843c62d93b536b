#include "contain/condition.h"

#include "contain/unknown_arguments.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace tagout::contain {

namespace {

/// Places of the names in condition_names().
enum Fact : std::uint8_t {
    ToolFact,
    ServerFact,
    AgentFact,
    WorkflowFact,
    SessionFact,
    TenantFact,
    EnvironmentFact,
    UserFact,
    EffectFact,
    RiskFact,
    ArgsFact,
    NowFact,
    MarksFact,
    facts_count,
};

constexpr std::array<std::string_view, 3> mark_names{"untrusted", "sensitive", "changed"};

/// All subsets of the marks, as lists that conditions read.
struct MarkLists {
    std::array<std::array<cel::Value, mark_names.size()>, all_marks + 1> items{};
    std::array<cel::Value, all_marks + 1> lists{};

    MarkLists() {
        for (std::size_t marks = 0; marks < lists.size(); ++marks) {
            std::size_t count = 0;
            for (std::size_t i = 0; i < mark_names.size(); ++i) {
                if ((marks >> i & 1) != 0) {
                    items[marks][count++] = cel::value_of(mark_names[i]);
                }
            }
            lists[marks] = cel::container_of(cel::Kind::List, items[marks].data(), count);
        }
    }
};

}  // namespace

/// The arguments of one call: JSON read once, as values of conditions and for forms.
struct CallFacts::Arguments {
    std::string bytes;  ///< With the padding that the reader wants.
    simdjson::dom::parser parser;
    std::vector<cel::Value> values;
    std::vector<std::string_view> keys;
    std::size_t used = 0;
    schema::Instance instance{{.bytes_max = arguments_bytes_max, .depth_max = arguments_depth_max}};
    bool instance_read = false;
    bool instance_good = false;

    /// A map, or the error Unreadable.
    cel::Value read(std::string_view json) noexcept {
        if (json.empty()) {
            return cel::container_of(cel::Kind::Map, nullptr, 0);
        }
        if (json.size() > arguments_bytes_max) {
            return cel::error_of(cel::Fault::Unreadable);
        }
        bytes.resize(std::max(bytes.size(), json.size() + simdjson::SIMDJSON_PADDING));
        std::memcpy(bytes.data(), json.data(), json.size());
        simdjson::dom::element root;
        if (parser.parse(bytes.data(), json.size(), false).get(root) != simdjson::SUCCESS ||
            !root.is_object()) {
            return cel::error_of(cel::Fault::Unreadable);
        }
        // Every value and key takes two bytes at least.
        values.resize(std::max(values.size(), json.size() / 2 + 2));
        used = 0;
        return value_of(root, 0);
    }

private:
    cel::Value value_of(const simdjson::dom::element& from, std::size_t depth) noexcept {
        switch (from.type()) {
            case simdjson::dom::element_type::ARRAY:
                return depth < arguments_depth_max
                           ? list_of(from.get_array().value_unsafe(), depth + 1)
                           : cel::error_of(cel::Fault::Unreadable);
            case simdjson::dom::element_type::OBJECT:
                return depth < arguments_depth_max
                           ? map_of(from.get_object().value_unsafe(), depth + 1)
                           : cel::error_of(cel::Fault::Unreadable);
            case simdjson::dom::element_type::INT64:
                return cel::value_of(from.get_int64().value_unsafe());
            case simdjson::dom::element_type::UINT64:
                return cel::value_of(from.get_uint64().value_unsafe());
            case simdjson::dom::element_type::DOUBLE:
                return cel::value_of(from.get_double().value_unsafe());
            case simdjson::dom::element_type::STRING:
                return cel::value_of(from.get_string().value_unsafe());
            case simdjson::dom::element_type::BOOL:
                return cel::value_of(from.get_bool().value_unsafe());
            default:
                return cel::null_value();
        }
    }

    /// Room for values that lie together; there is always enough.
    std::size_t take(std::size_t count) noexcept {
        const std::size_t begin = used;
        used += count;
        return begin;
    }

    cel::Value list_of(const simdjson::dom::array& from, std::size_t depth) noexcept {
        const std::size_t size = from.size();
        std::size_t at = take(size);
        const std::size_t begin = at;
        for (const simdjson::dom::element item : from) {
            const cel::Value value = value_of(item, depth);
            if (value.is_error()) {
                return value;
            }
            values[at++] = value;
        }
        return cel::container_of(cel::Kind::List, values.data() + begin, size);
    }

    cel::Value map_of(const simdjson::dom::object& from, std::size_t depth) noexcept {
        const std::size_t size = from.size();
        std::size_t at = take(2 * size);
        const std::size_t begin = at;
        for (const auto [key, item] : from) {
            const cel::Value value = value_of(item, depth);
            if (value.is_error()) {
                return value;
            }
            values[at++] = cel::value_of(key);
            values[at++] = value;
        }
        return has_key_twice(begin, size)
                   ? cel::error_of(cel::Fault::Unreadable)
                   : cel::container_of(cel::Kind::Map, values.data() + begin, size);
    }

    /// Readers differ in which of two equal keys they take, so nobody can judge what will be done.
    bool has_key_twice(std::size_t begin, std::size_t size) noexcept {
        const auto key = [&](std::size_t i) { return values[begin + 2 * i].text(); };
        constexpr std::size_t few = 12;
        if (size <= few) {
            for (std::size_t i = 1; i < size; ++i) {
                for (std::size_t j = 0; j < i; ++j) {
                    if (key(i) == key(j)) {
                        return true;
                    }
                }
            }
            return false;
        }
        keys.clear();
        for (std::size_t i = 0; i < size; ++i) {
            keys.push_back(key(i));
        }
        std::ranges::sort(keys);
        return std::ranges::adjacent_find(keys) != keys.end();
    }
};

const cel::Environment& condition_names() {
    static const cel::Environment names = [] {
        cel::Environment made;
        for (const char* const name :
             {"tool", "server", "agent", "workflow", "session", "tenant", "environment", "user",
              "effect", "risk"}) {
            made.variables.push_back({name, {cel::Kind::String, {}}});
        }
        made.variables.push_back({"args", {cel::Kind::Map, {{cel::Kind::String, {}}, {}}}});
        made.variables.push_back({"now", {cel::Kind::Timestamp, {}}});
        made.variables.push_back({"marks", {cel::Kind::List, {{cel::Kind::String, {}}}}});
        return made;
    }();
    return names;
}

cel::Expected<CallCondition> compile_condition(std::string_view text) {
    auto program = cel::Program::compile(text, condition_names());
    if (!program) {
        return std::unexpected(std::move(program.error()));
    }
    const cel::Kind kind = (*program)->type().kind;
    if (kind != cel::Kind::Bool && kind != cel::Kind::Dyn) {
        return std::unexpected(cel::Mistake{
            cel::Mistake::What::Type, 0,
            "the condition gives a " + to_text((*program)->type()) + ", not true or false",
            "Compare it with something"});
    }
    return CallCondition{std::string(text), *std::move(program)};
}

bool names_marks(const CallCondition& condition) noexcept {
    return condition.program && condition.program->uses(MarksFact);
}

Result<ArgumentForm> compile_form(std::string_view json) {
    schema::Schema compiled = TAGOUT_TRY(schema::Schema::compile(json));
    return ArgumentForm{
        std::string(json), std::make_shared<const schema::Schema>(std::move(compiled))};
}

CallFacts::CallFacts()
    : values_(facts_count, cel::null_value()),
      arguments_(std::make_unique<Arguments>()),
      scratch_(std::make_unique<cel::Scratch>()) {}
CallFacts::~CallFacts() = default;

void CallFacts::begin(const ToolCall& call, Marks marks) noexcept {
    call_ = &call;
    marks_ = marks;
    filled_ = 0;
    arguments_asked_ = false;
    arguments_->instance_read = false;
    left_ = call_steps_max;
}

void CallFacts::fill(const cel::Program& program) noexcept {
    static const MarkLists mark_lists;
    for (std::size_t fact = 0; fact < facts_count; ++fact) {
        if (!program.uses(fact) || (filled_ >> fact & 1) != 0) {
            continue;
        }
        filled_ |= 1U << fact;
        cel::Value& value = values_[fact];
        switch (static_cast<Fact>(fact)) {
            case ToolFact:
                value = cel::value_of(call_->tool);
                break;
            case ServerFact:
                value = cel::value_of(call_->server);
                break;
            case AgentFact:
                value = cel::value_of(call_->agent);
                break;
            case WorkflowFact:
                value = cel::value_of(call_->workflow);
                break;
            case SessionFact:
                value = cel::value_of(call_->session);
                break;
            case TenantFact:
                value = cel::value_of(call_->tenant);
                break;
            case EnvironmentFact:
                value = cel::value_of(call_->environment);
                break;
            case UserFact:
                value = cel::value_of(call_->user);
                break;
            case EffectFact:
                value = cel::value_of(name_of(call_->effect));
                break;
            case RiskFact:
                value = cel::value_of(name_of(call_->risk));
                break;
            case ArgsFact:
                value = arguments_->read(call_->arguments);
                break;
            case NowFact: {
                const std::int64_t nanos = unix_nanos(call_->now);
                value = cel::timestamp_of(0, nanos);
                break;
            }
            case MarksFact:
                value = mark_lists.lists[marks_ & all_marks];
                break;
            case facts_count:
                break;
        }
    }
}

Holds CallFacts::holds(const CallCondition& condition) noexcept {
    const cel::Program& program = *condition.program;
    if (program.uses(ArgsFact)) {
        arguments_asked_ = true;
        if (has_unknown_arguments(*call_)) {
            return Holds::No;
        }
    }
    fill(program);
    const cel::Value value = program.evaluate(values_, *scratch_, left_);
    if (value.kind != cel::Kind::Bool) {
        return Holds::Fault;
    }
    return value.flag ? Holds::Yes : Holds::No;
}

Holds CallFacts::conforms(const ArgumentForm& form) noexcept {
    arguments_asked_ = true;
    if (has_unknown_arguments(*call_)) {
        return Holds::No;
    }
    if (!arguments_->instance_read) {
        arguments_->instance_read = true;
        const std::string_view json = call_->arguments.empty() ? "{}" : call_->arguments;
        arguments_->instance_good = arguments_->instance.read(json).has_value();
    }
    if (!arguments_->instance_good) {
        return Holds::Fault;
    }
    schema::CheckLimits limits;
    limits.steps_max = static_cast<std::uint64_t>(std::max<cel::Budget>(left_, 1));
    const Result<bool> conforms = schema::conforms(*form.schema, arguments_->instance, limits);
    if (!conforms) {
        left_ = 0;  // What is too much for one form is too much for the next.
        return Holds::Fault;
    }
    return *conforms ? Holds::Yes : Holds::No;
}

CallFacts& facts_of_thread() {
    thread_local CallFacts facts;
    return facts;
}

}  // namespace tagout::contain
