// Runs a program: a stack of values, a budget of steps, a frame a macro.
#include "contain/cel/code.h"

#include <re2/re2.h>

#include <algorithm>

namespace tagout::contain::cel {

namespace {

/// A macro at work.
struct Frame {
    const Value* items = nullptr;
    std::uint32_t size = 0;
    std::uint32_t next = 0;
    std::uint32_t stride = 1;  ///< 2 over a map, whose keys are its items.
    std::uint32_t found = 0;
    Value* kept = nullptr;  ///< Of map and filter.
    Value outcome = null_value();
};

Value joined(bool wanted, const Value& left, const Value& right) noexcept {
    if (left.is(wanted) || right.is(wanted)) {
        return value_of(wanted);
    }
    if (left.is_error()) {
        return left;
    }
    if (right.is_error()) {
        return right;
    }
    return left.kind == Kind::Bool && right.kind == Kind::Bool ? value_of(!wanted)
                                                               : error_of(Fault::NoSuchOverload);
}

bool is_key(const Value& value) noexcept {
    return value.kind == Kind::String || value.kind == Kind::Bool || value.kind == Kind::Int ||
           value.kind == Kind::Uint;
}

Value field_of(const Value& of, const Value& name, bool tests, Budget& budget) noexcept {
    if (of.is_error()) {
        return of;
    }
    if (of.kind != Kind::Map) {
        return error_of(Fault::NoSuchOverload);
    }
    const Value* const found = find(of, name, budget);
    if (tests) {
        return value_of(found != nullptr);
    }
    return found == nullptr ? error_of(Fault::NoSuchKey) : *found;
}

}  // namespace

class Evaluation {
public:
    Evaluation(const Program& program, std::span<const Value> variables, Scratch& scratch) noexcept
        : program_(program), variables_(variables), workspace_(scratch) {}

    [[nodiscard]] Value run(Budget& left) noexcept {
        const Budget given = std::min(left, steps_max);
        workspace_.budget = given;
        const Value value = run();
        left -= given - workspace_.budget;
        return value;
    }

private:
    Value run() noexcept {
        const std::vector<Instruction>& code = program_.code_;
        std::size_t at = 0;
        while (at < code.size()) {
            if (--workspace_.budget < 0) {
                return error_of(Fault::TooMuchWork);
            }
            at = step(code[at], at + 1);
        }
        return workspace_.budget < 0 ? error_of(Fault::TooMuchWork) : stack_[0];
    }

    void push(const Value& value) noexcept { stack_[used_++] = value; }
    Value pop() noexcept { return stack_[--used_]; }
    [[nodiscard]] Value& top() noexcept { return stack_[used_ - 1]; }

    /// Does one instruction; gives the place of the next.
    std::size_t step(const Instruction& now, std::size_t next) noexcept {
        switch (now.op) {
            case Op::Constant:
                push(program_.constants_[now.c]);
                return next;
            case Op::Variable:
                push(variables_[now.c]);
                return next;
            case Op::Item:
                push(item_of(frames_[now.a]));
                return next;
            case Op::Select:
            case Op::Has:
                top() = field_of(
                    top(), program_.constants_[now.c], now.op == Op::Has, workspace_.budget
                );
                return next;
            case Op::Call: {
                used_ -= now.b;
                const Value made =
                    call(static_cast<Function>(now.a), stack_ + used_, now.b, workspace_);
                push(made);
                return next;
            }
            case Op::Matches:
                top() = matches(top(), *program_.patterns_[now.c]);
                return next;
            case Op::TimePart:
                if (!top().is_error()) {
                    top() = part_of(top(), static_cast<TimePart>(now.a), program_.zones_[now.c]);
                }
                return next;
            case Op::MakeList:
                make_list(now.c);
                return next;
            case Op::MakeMap:
                make_map(now.c);
                return next;
            case Op::Branch:
                return branch(now, next);
            case Op::Jump:
                return now.c;
            case Op::AndShort:
                return top().is(false) ? now.c : next;
            case Op::OrShort:
                return top().is(true) ? now.c : next;
            case Op::AndJoin:
            case Op::OrJoin: {
                const Value right = pop();
                top() = joined(now.op == Op::OrJoin, top(), right);
                return next;
            }
            case Op::LoopBegin:
                return begin_loop(static_cast<LoopKind>(now.a), now.c, next);
            case Op::LoopStep:
                return step_loop(static_cast<LoopKind>(now.a), now.c, next);
        }
        return program_.code_.size();
    }

    [[nodiscard]] static const Value& item_of(const Frame& frame) noexcept {
        return frame.items[std::size_t{frame.next} * frame.stride];
    }

    std::size_t branch(const Instruction& now, std::size_t next) noexcept {
        if (top().kind == Kind::Bool) {
            return pop().flag ? next : now.c;
        }
        if (!top().is_error()) {
            top() = error_of(Fault::NoSuchOverload);
        }
        return now.c + now.b;
    }

    Value matches(const Value& text, const re2::RE2& pattern) noexcept {
        if (text.is_error()) {
            return text;
        }
        if (text.kind != Kind::String) {
            return error_of(Fault::NoSuchOverload);
        }
        workspace_.budget -= text.size / 16;
        return value_of(re2::RE2::PartialMatch({text.bytes, text.size}, pattern));
    }

    void make_list(std::uint32_t count) noexcept {
        used_ -= count;
        const Value made = kept(Kind::List, count, count);
        push(made);
    }

    void make_map(std::uint32_t entries) noexcept {
        used_ -= std::size_t{2} * entries;
        Value made = kept(Kind::Map, entries, std::size_t{2} * entries);
        for (std::uint32_t i = 0; i < entries && !made.is_error(); ++i) {
            const Value& key = made.items[std::size_t{2} * i];
            const Value before = container_of(Kind::Map, made.items, i);
            if (!is_key(key) || find(before, key, workspace_.budget) != nullptr) {
                made = error_of(Fault::BadKey);
            }
        }
        push(made);
    }

    /// The `count` values above the stack, kept as a container; an error among them is what it is.
    Value kept(Kind kind, std::size_t size, std::size_t count) noexcept {
        for (std::size_t i = 0; i < count; ++i) {
            if (stack_[used_ + i].is_error()) {
                return stack_[used_ + i];
            }
        }
        Value* const room = workspace_.values(count);
        if (room == nullptr) {
            return error_of(Fault::TooMuchSpace);
        }
        std::copy_n(stack_ + used_, count, room);
        workspace_.budget -= static_cast<Budget>(count);
        return container_of(kind, room, size);
    }

    /// Behind the range: opens a frame and goes on to the body, or answers at once.
    std::size_t begin_loop(LoopKind kind, std::uint32_t end, std::size_t next) noexcept {
        const Value range = pop();
        if (range.kind != Kind::List && range.kind != Kind::Map) {
            push(range.is_error() ? range : error_of(Fault::NoSuchOverload));
            return end;
        }
        Frame frame;
        frame.items = range.items;
        frame.size = range.size;
        frame.stride = range.kind == Kind::Map ? 2 : 1;
        frame.outcome = value_of(kind == LoopKind::All);
        if (kind == LoopKind::Map || kind == LoopKind::Filter) {
            frame.kept = workspace_.values(range.size);
            if (frame.kept == nullptr) {
                push(error_of(Fault::TooMuchSpace));
                return end;
            }
        }
        if (range.size == 0) {
            push(outcome_of(kind, frame));
            return end;
        }
        frames_[loops_++] = frame;
        return next;
    }

    std::size_t step_loop(LoopKind kind, std::uint32_t body, std::size_t next) noexcept {
        Frame& frame = frames_[loops_ - 1];
        const bool decided = fold(kind, frame, pop());
        ++frame.next;
        if (!decided && frame.next < frame.size) {
            return body;
        }
        --loops_;
        push(outcome_of(kind, frame));
        return next;
    }

    /// Takes in the body's value for the present item; true when the outcome cannot change any more.
    static bool fold(LoopKind kind, Frame& frame, const Value& value) noexcept {
        switch (kind) {
            case LoopKind::All:
                frame.outcome = joined(false, frame.outcome, value);
                return frame.outcome.is(false);
            case LoopKind::Exists:
                frame.outcome = joined(true, frame.outcome, value);
                return frame.outcome.is(true);
            case LoopKind::Map:
                if (!value.is_error()) {
                    frame.kept[frame.found++] = value;
                    return false;
                }
                break;
            case LoopKind::ExistsOne:
            case LoopKind::Filter:
                if (value.is(true)) {
                    if (kind == LoopKind::Filter) {
                        frame.kept[frame.found] = item_of(frame);
                    }
                    ++frame.found;
                }
                if (value.kind == Kind::Bool) {
                    return false;
                }
                break;
        }
        frame.outcome = value.is_error() ? value : error_of(Fault::NoSuchOverload);
        return true;
    }

    static Value outcome_of(LoopKind kind, const Frame& frame) noexcept {
        if (frame.outcome.is_error() || kind == LoopKind::All || kind == LoopKind::Exists) {
            return frame.outcome;
        }
        return kind == LoopKind::ExistsOne ? value_of(frame.found == 1)
                                           : container_of(Kind::List, frame.kept, frame.found);
    }

    const Program& program_;
    const std::span<const Value> variables_;
    Workspace workspace_;
    std::size_t used_ = 0;
    std::size_t loops_ = 0;
    Frame frames_[loops_max];
    Value stack_[stack_max];
};

Value Program::evaluate(std::span<const Value> variables, Scratch& scratch) const noexcept {
    Budget left = steps_max;
    return evaluate(variables, scratch, left);
}

Value Program::evaluate(
    std::span<const Value> variables, Scratch& scratch, Budget& left
) const noexcept {
    return Evaluation(*this, variables, scratch).run(left);
}

}  // namespace tagout::contain::cel
