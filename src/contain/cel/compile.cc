// From the tree of a condition to its program: names resolved, types checked, constants folded.
#include "contain/cel/code.h"

#include <re2/re2.h>

#include <algorithm>

namespace tagout::contain::cel {

namespace {

/// Whether a value of type `left` may stand where `right` stands: dyn goes with everything.
bool agree(const Type& left, const Type& right) {
    if (left.kind == Kind::Dyn || right.kind == Kind::Dyn) {
        return true;
    }
    // An empty literal is a list or map of anything.
    return left.kind == right.kind &&
           (left.of.empty() || right.of.empty() ||
            std::ranges::equal(left.of, right.of, [](const Type& a, const Type& b) {
                return agree(a, b);
            }));
}

/// The one type of both, or dyn.
Type joined(const Type& left, const Type& right) {
    if (left == right) {
        return left;
    }
    if (left.kind != right.kind) {
        return {};
    }
    if (left.of.empty() || right.of.empty()) {
        return left.of.empty() ? right : left;
    }
    Type type{left.kind, {}};
    for (std::size_t i = 0; i < left.of.size(); ++i) {
        type.of.push_back(joined(left.of[i], right.of[i]));
    }
    return type;
}

/// With the parts of empty literals as dyn.
Type filled(Type type) {
    if (type.of.empty() && (type.kind == Kind::List || type.kind == Kind::Map)) {
        type.of.resize(type.kind == Kind::List ? 1 : 2);
    }
    for (Type& part : type.of) {
        part = filled(std::move(part));
    }
    return type;
}

Type list_of(Type item) { return {Kind::List, {std::move(item)}}; }

/// Types that have a name in the language.
std::optional<Kind> named_type(std::string_view name) {
    for (const Kind kind :
         {Kind::Null, Kind::Bool, Kind::Int, Kind::Uint, Kind::Double, Kind::String, Kind::Bytes,
          Kind::Timestamp, Kind::Duration, Kind::List, Kind::Map, Kind::Type}) {
        if (name == name_of(kind)) {
            return kind;
        }
    }
    return std::nullopt;
}

}  // namespace

std::string to_text(const Type& type) {
    std::string text(name_of(type.kind));
    for (std::size_t i = 0; i < type.of.size(); ++i) {
        text += (i == 0 ? "(" : ", ") + to_text(type.of[i]);
    }
    return type.of.empty() ? text : text + ")";
}

class Compiler {
public:
    Compiler(Tree tree, const Environment& environment)
        : tree_(std::move(tree)), environment_(environment), program_(new Program()) {}

    Expected<std::shared_ptr<const Program>> compile() {
        program_->type_ = filled(emit(tree_.root));
        if (mistake_) {
            return std::unexpected(*std::move(mistake_));
        }
        program_->texts_ = std::move(tree_.texts);
        return std::shared_ptr<const Program>(std::move(program_));
    }

private:
    using Id = std::uint32_t;
    struct Loop {
        std::string variable;
        Type item;
    };

    [[nodiscard]] const Node& node(Id id) const { return tree_.nodes[id]; }

    void wrong(const Node& at, Mistake::What what, std::string says, std::string remedy) {
        if (!mistake_) {
            mistake_ = Mistake{what, at.at, std::move(says), std::move(remedy)};
        }
    }
    /// Only where types are checked; else the evaluation finds it.
    void ill_typed(const Node& at, std::string says, std::string remedy) {
        if (environment_.checked) {
            wrong(at, Mistake::What::Type, std::move(says), std::move(remedy));
        }
    }

    std::size_t put(Op op, std::size_t a = 0, std::size_t b = 0, std::size_t c = 0) {
        program_->code_.push_back(
            {op, static_cast<std::uint8_t>(a), static_cast<std::uint16_t>(b),
             static_cast<std::uint32_t>(c)}
        );
        return program_->code_.size() - 1;
    }
    [[nodiscard]] std::size_t here() const { return program_->code_.size(); }
    void lands_here(std::size_t jump) {
        program_->code_[jump].c = static_cast<std::uint32_t>(here());
    }
    /// `count` more values will lie on the stack (fewer, when below zero).
    void stack_grows(const Node& at, std::ptrdiff_t count) {
        depth_ = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(depth_) + count);
        if (depth_ > stack_max) {
            wrong(
                at, Mistake::What::Limit,
                "this needs more than " + std::to_string(stack_max) + " values at a time",
                "Write shorter lists, or only literals in them"
            );
        }
    }
    void push_constant(const Node& at, const Value& value) {
        program_->constants_.push_back(value);
        put(Op::Constant, 0, 0, program_->constants_.size() - 1);
        stack_grows(at, 1);
    }

    /// Emits what puts the node's value on the stack.
    Type emit(Id id) {
        const Node& at = node(id);
        if (mistake_) {
            return {};
        }
        switch (at.kind) {
            case NodeKind::Literal:
                push_constant(at, at.literal);
                return {at.literal.kind, {}};
            case NodeKind::Name:
            case NodeKind::Select:
                return emit_name(id);
            case NodeKind::Index:
                return emit_index(at);
            case NodeKind::Call:
                return emit_call(at);
            case NodeKind::List:
            case NodeKind::Map:
                return emit_container(id);
            case NodeKind::Choice:
                return emit_choice(at);
            case NodeKind::And:
            case NodeKind::Or:
                return emit_logic(at);
            case NodeKind::Loop:
                return emit_loop(at);
            case NodeKind::Message:
                break;
        }
        return {};
    }

    // ---- names ----

    /// The dotted name that a node is, "" if it is more than a name.
    std::string dotted(Id id, bool& rooted) const {
        const Node& at = node(id);
        if (at.kind == NodeKind::Name) {
            rooted = at.rooted;
            return at.text;
        }
        if (at.kind != NodeKind::Select || at.tests) {
            return "";
        }
        const std::string before = dotted(at.children[0], rooted);
        return before.empty() ? "" : before + "." + at.text;
    }

    /// The places in which a name is looked for: within the container, then outwards.
    [[nodiscard]] std::vector<std::string> candidates(const std::string& name, bool rooted) const {
        std::vector<std::string> all;
        std::string within = rooted ? "" : environment_.container;
        while (!within.empty()) {
            all.push_back(within + "." + name);
            const std::size_t dot = within.rfind('.');
            within = dot == std::string::npos ? "" : within.substr(0, dot);
        }
        all.push_back(name);
        return all;
    }

    /// Emits the variable or type of that name, if there is one.
    std::optional<Type> emit_known(const Node& at, const std::string& name, bool rooted) {
        for (const std::string& candidate : candidates(name, rooted)) {
            const auto found =
                std::ranges::find(environment_.variables, candidate, &Variable::name);
            if (found != environment_.variables.end()) {
                const auto place =
                    static_cast<std::size_t>(found - environment_.variables.begin());
                program_->used_ |= std::uint64_t{1} << place;
                put(Op::Variable, 0, 0, place);
                stack_grows(at, 1);
                return found->type;
            }
            if (const auto kind = named_type(candidate)) {
                push_constant(at, type_value(*kind));
                return Type{Kind::Type, {}};
            }
        }
        return std::nullopt;
    }

    Type emit_name(Id id) {
        const Node& at = node(id);
        bool rooted = false;
        const std::string name = dotted(id, rooted);
        const std::string first = name.substr(0, name.find('.'));
        const auto loop = std::find_if(loops_.rbegin(), loops_.rend(), [&](const Loop& each) {
            return !rooted && each.variable == first;
        });
        if (loop == loops_.rend() && !name.empty()) {
            if (auto type = emit_known(at, name, rooted)) {
                return *std::move(type);
            }
        }
        if (at.kind == NodeKind::Select) {
            return emit_select(at);
        }
        if (loop != loops_.rend()) {
            put(Op::Item, static_cast<std::size_t>(loops_.rend() - loop) - 1);
            stack_grows(at, 1);
            return loop->item;
        }
        ill_typed(at, "the name '" + at.text + "' means nothing here", known_names());
        push_constant(at, error_of(Fault::UnknownName));
        return {};
    }

    [[nodiscard]] std::string known_names() const {
        std::string text = "Write one of ";
        for (std::size_t i = 0; i < environment_.variables.size(); ++i) {
            text += (i == 0 ? "" : ", ") + environment_.variables[i].name;
        }
        return environment_.variables.empty() ? "Write a literal: there are no names here"
                                              : text + "; or put a text in quotes";
    }

    Type emit_select(const Node& at) {
        const Type of = emit(at.children[0]);
        if (of.kind != Kind::Map && of.kind != Kind::Dyn) {
            ill_typed(
                at, "a " + to_text(of) + " has no field '" + at.text + "'",
                "Use it as a whole, or a function such as size()"
            );
        }
        const std::string& name = tree_.texts.emplace_back(at.text);
        program_->constants_.push_back(value_of(name));
        put(at.tests ? Op::Has : Op::Select, 0, 0, program_->constants_.size() - 1);
        if (at.tests) {
            return {Kind::Bool, {}};
        }
        return of.kind == Kind::Map && of.of.size() == 2 ? of.of[1] : Type{};
    }

    Type emit_index(const Node& at) {
        const Type of = emit(at.children[0]);
        const Type place = emit(at.children[1]);
        put(Op::Call, static_cast<std::size_t>(Function::Index), 2);
        stack_grows(at, -1);
        const bool number = place.kind == Kind::Int || place.kind == Kind::Dyn;
        if (of.kind == Kind::List) {
            if (!number) {
                ill_typed(at, "a list has no item " + to_text(place), "Write a number, from 0");
            }
            return of.of.empty() ? Type{} : of.of[0];
        }
        if (of.kind == Kind::Map) {
            if (of.of.size() == 2 && !agree(of.of[0], place)) {
                ill_typed(
                    at, "the keys here are " + to_text(of.of[0]) + ", not " + to_text(place),
                    "Write a key of that type"
                );
            }
            return of.of.size() == 2 ? of.of[1] : Type{};
        }
        if (of.kind != Kind::Dyn) {
            ill_typed(at, "a " + to_text(of) + " has no items", "Use it as a whole");
        }
        return {};
    }

    // ---- calls ----

    Type emit_call(const Node& at) {
        std::vector<const Overload*> named;
        for (const Overload& each : overloads()) {
            if (each.name == at.text && each.method == at.method) {
                named.push_back(&each);
            }
        }
        if (named.empty()) {
            return emit_unknown(at);
        }
        if (named.front()->function == Function::Matches && at.children.size() == 2) {
            return emit_matches(at);
        }
        if (named.front()->function == Function::TimePart && !at.children.empty()) {
            return emit_time_part(at, named);
        }
        std::vector<Type> types;
        for (const Id child : at.children) {
            types.push_back(emit(child));
        }
        if (mistake_) {
            return {};
        }
        const std::optional<Type> result = result_of(at, named, types);
        const bool callable = std::ranges::any_of(named, [&](const Overload* each) {
            return each->count == types.size();
        });
        if (!callable) {
            wrong(
                at, Mistake::What::Type,
                at.text + "() does not take " + std::to_string(types.size()) + " values",
                "Write as many as it takes: " + std::to_string(named.front()->count)
            );
            return {};
        }
        put(Op::Call, static_cast<std::size_t>(named.front()->function), types.size());
        stack_grows(at, 1 - static_cast<std::ptrdiff_t>(types.size()));
        return result.value_or(Type{});
    }

    /// What a call gives; ill typed when no overload takes these.
    std::optional<Type> result_of(
        const Node& at, const std::vector<const Overload*>& named, const std::vector<Type>& types
    ) {
        std::optional<Type> result;
        for (const Overload* const each : named) {
            bool fits = each->count == types.size();
            for (std::size_t i = 0; fits && i < types.size(); ++i) {
                fits = agree({each->takes[i], {}}, {types[i].kind, {}});
            }
            if (fits) {
                const Type gives = type_given(*each, types);
                result = result && !(*result == gives) ? Type{} : gives;
            }
        }
        const bool pair = types.size() == 2;
        const Function function = named.front()->function;
        const bool compares = function == Function::Equal || function == Function::NotEqual;
        const bool unequal = pair && compares && !agree(types[0], types[1]);
        const bool never_in = pair && function == Function::In && !types[1].of.empty() &&
                              !agree(types[0], types[1].of[0]);
        if (!result || unequal || never_in) {
            std::string shown;
            for (const Type& type : types) {
                shown += (shown.empty() ? "" : " and ") + to_text(type);
            }
            ill_typed(
                at, shape_of(at.text) + " does not go with " + shown,
                "Make both the same type, such as int(...) or string(...)"
            );
        }
        return result;
    }

    static std::string shape_of(const std::string& name) {
        std::string text = name;
        if (name.front() == '_' || name.back() == '_') {
            std::erase(text, '_');
        }
        return "'" + text + "'";
    }

    static Type type_given(const Overload& overload, const std::vector<Type>& types) {
        if (overload.function == Function::Add && overload.result == Kind::List) {
            return types[0].kind == Kind::List && types[1].kind == Kind::List
                       ? joined(types[0], types[1])
                       : list_of({});
        }
        if (overload.function == Function::TypeOf) {
            return {Kind::Type, {}};
        }
        return {overload.result, {}};
    }

    Type emit_unknown(const Node& at) {
        const Node* const receiver = at.method ? &node(at.children[0]) : nullptr;
        if (receiver != nullptr && receiver->kind == NodeKind::Name && receiver->text == "optional") {
            wrong(
                at, Mistake::What::Unsupported, "optional values are not spoken here",
                "Test with has() first"
            );
            return {};
        }
        const bool extension = std::ranges::find(extensions, at.text) != std::end(extensions);
        if (environment_.checked || extension) {
            wrong(
                at, extension ? Mistake::What::Unsupported : Mistake::What::Type,
                at.text + "() is no " + (at.method ? "method" : "function") + " here",
                "Use size, contains, startsWith, endsWith, matches, all, exists, timestamp, "
                "duration or a conversion"
            );
            return {};
        }
        push_constant(at, error_of(Fault::UnknownName));
        return {};
    }

    Type emit_matches(const Node& at) {
        const Type text = emit(at.children[0]);
        const Node& pattern = node(at.children[1]);
        if (text.kind != Kind::String && text.kind != Kind::Dyn) {
            ill_typed(at, "matches() takes a text, not " + to_text(text), "Write string(...) around it");
        }
        if (pattern.kind != NodeKind::Literal || pattern.literal.kind != Kind::String) {
            wrong(
                pattern, Mistake::What::Unsupported, "the pattern of matches() is no literal",
                "Write it in quotes: it is compiled with the condition"
            );
            return {};
        }
        const std::string_view expression = pattern.literal.text();
        if (expression.size() > pattern_bytes_max) {
            wrong(
                pattern, Mistake::What::Limit,
                "the pattern is over " + std::to_string(pattern_bytes_max) + " bytes",
                "Make two of it, with ||"
            );
            return {};
        }
        re2::RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(std::int64_t{1} << 20);
        auto compiled = std::make_unique<re2::RE2>(
            re2::StringPiece(expression.data(), expression.size()), options
        );
        if (!compiled->ok()) {
            wrong(
                pattern, Mistake::What::Syntax, "the pattern is no RE2 expression: " + compiled->error(),
                "Mend it, and double backslashes or put r before the quote"
            );
            return {};
        }
        program_->patterns_.push_back(std::move(compiled));
        put(Op::Matches, 0, 0, program_->patterns_.size() - 1);
        return {Kind::Bool, {}};
    }

    Type emit_time_part(const Node& at, const std::vector<const Overload*>& named) {
        if (at.children.size() > 2) {
            wrong(
                at, Mistake::What::Type, at.text + "() takes one time zone and no more",
                "Write such as getHours('Europe/Berlin')"
            );
            return {};
        }
        std::vector<Type> types{emit(at.children[0])};
        std::string_view zone = "UTC";
        if (at.children.size() == 2) {
            const Node& name = node(at.children[1]);
            types.push_back({Kind::String, {}});
            if (name.kind != NodeKind::Literal || name.literal.kind != Kind::String) {
                wrong(
                    name, Mistake::What::Unsupported, "the time zone is no literal",
                    "Write it in quotes, such as 'Europe/Berlin'"
                );
                return {};
            }
            zone = name.literal.text();
        }
        (void)result_of(at, named, types);
        std::optional<Zone> read = read_zone(zone);
        if (!read) {
            wrong(
                at, Mistake::What::Type, "there is no time zone '" + std::string(zone) + "' on this machine",
                "Write such as 'Europe/Berlin' or '+02:00'"
            );
            return {};
        }
        program_->zones_.push_back(*std::move(read));
        put(Op::TimePart, static_cast<std::size_t>(named.front()->part), 0, program_->zones_.size() - 1);
        return {Kind::Int, {}};
    }

    // ---- lists and maps ----

    [[nodiscard]] bool is_constant(Id id) const {
        const Node& at = node(id);
        if (at.kind == NodeKind::Literal) {
            return true;
        }
        return (at.kind == NodeKind::List || at.kind == NodeKind::Map) &&
               std::ranges::all_of(at.children, [this](Id child) { return is_constant(child); });
    }

    /// Of a constant node; a map that cannot be is an error.
    Value constant_of(Id id) {
        const Node& at = node(id);
        if (at.kind == NodeKind::Literal) {
            return at.literal;
        }
        std::vector<Value> items;
        for (const Id child : at.children) {
            items.push_back(constant_of(child));
        }
        const bool map = at.kind == NodeKind::Map;
        const std::vector<Value>& kept = program_->items_.emplace_back(std::move(items));
        for (std::size_t i = 0; i < kept.size(); ++i) {
            Budget budget = steps_max;
            const bool key = map && i % 2 == 0;
            const bool bad = key && (find(container_of(Kind::Map, kept.data(), i / 2), kept[i], budget) !=
                                         nullptr ||
                                     !is_key(kept[i].kind));
            if (bad || kept[i].is_error()) {
                return bad ? error_of(Fault::BadKey) : kept[i];
            }
        }
        return container_of(
            map ? Kind::Map : Kind::List, kept.data(), map ? kept.size() / 2 : kept.size()
        );
    }

    static bool is_key(Kind kind) {
        return kind == Kind::String || kind == Kind::Bool || kind == Kind::Int || kind == Kind::Uint;
    }

    Type emit_container(Id id) {
        const Node& at = node(id);
        const bool map = at.kind == NodeKind::Map;
        const bool constant = is_constant(id);
        std::vector<Type> types;
        for (const Id child : at.children) {
            types.push_back(constant ? type_of_constant(child) : emit(child));
        }
        if (constant) {
            push_constant(at, constant_of(id));
        } else {
            const std::size_t count = map ? types.size() / 2 : types.size();
            put(map ? Op::MakeMap : Op::MakeList, 0, 0, count);
            stack_grows(at, 1 - static_cast<std::ptrdiff_t>(types.size()));
        }
        return type_of_container(map, types);
    }

    Type type_of_constant(Id id) const {
        const Node& at = node(id);
        if (at.kind == NodeKind::Literal) {
            return {at.literal.kind, {}};
        }
        std::vector<Type> types;
        for (const Id child : at.children) {
            types.push_back(type_of_constant(child));
        }
        return type_of_container(at.kind == NodeKind::Map, types);
    }

    static Type type_of_container(bool map, const std::vector<Type>& types) {
        const std::size_t kinds = map ? 2 : 1;
        if (types.empty()) {
            return {map ? Kind::Map : Kind::List, {}};
        }
        Type type{map ? Kind::Map : Kind::List, std::vector<Type>(kinds)};
        for (std::size_t i = 0; i < types.size(); ++i) {
            Type& part = type.of[i % kinds];
            part = i < kinds ? types[i] : joined(part, types[i]);
        }
        return type;
    }

    // ---- branches ----

    void must_be_bool(const Node& at, const Type& type, std::string_view where) {
        if (type.kind != Kind::Bool && type.kind != Kind::Dyn) {
            ill_typed(
                at, std::string(where) + " must be true or false, and this is " + to_text(type),
                "Compare it with something"
            );
        }
    }

    Type emit_choice(const Node& at) {
        must_be_bool(at, emit(at.children[0]), "what stands before the ?");
        const std::size_t branch = put(Op::Branch);
        stack_grows(at, -1);
        const Type then = emit(at.children[1]);
        const std::size_t jump = put(Op::Jump);
        stack_grows(at, -1);
        lands_here(branch);
        const Type otherwise = emit(at.children[2]);
        lands_here(jump);
        // An error goes past both: its place is kept as the distance behind the false branch.
        const std::size_t distance = here() - program_->code_[branch].c;
        if (distance > UINT16_MAX) {
            wrong(at, Mistake::What::Limit, "this choice is too long", "Make two rules of it");
        }
        program_->code_[branch].b = static_cast<std::uint16_t>(distance);
        if (!agree(then, otherwise)) {
            ill_typed(
                at, "the two choices are " + to_text(then) + " and " + to_text(otherwise),
                "Make both the same type"
            );
        }
        return joined(then, otherwise);
    }

    Type emit_logic(const Node& at) {
        const bool both = at.kind == NodeKind::And;
        const std::string_view side = both ? "each side of &&" : "each side of ||";
        must_be_bool(at, emit(at.children[0]), side);
        const std::size_t jump = put(both ? Op::AndShort : Op::OrShort);
        must_be_bool(at, emit(at.children[1]), side);
        put(both ? Op::AndJoin : Op::OrJoin);
        stack_grows(at, -1);
        lands_here(jump);
        return {Kind::Bool, {}};
    }

    Type emit_loop(const Node& at) {
        const Type range = emit(at.children[0]);
        if (range.kind != Kind::List && range.kind != Kind::Map && range.kind != Kind::Dyn) {
            ill_typed(at, "a " + to_text(range) + " has no items to go through", "Use a list or a map");
        }
        if (loops_.size() >= loops_max) {
            wrong(
                at, Mistake::What::Limit,
                "macros are nested deeper than " + std::to_string(loops_max), "Write it flatter"
            );
            return {};
        }
        const std::size_t begin = put(Op::LoopBegin, static_cast<std::size_t>(at.loop));
        stack_grows(at, -1);
        loops_.push_back({at.text, range.of.empty() ? Type{} : range.of[0]});
        const Type item = loops_.back().item;
        const std::size_t body = here();
        const Type gives = emit(at.children[1]);
        loops_.pop_back();
        put(Op::LoopStep, static_cast<std::size_t>(at.loop), 0, body);
        lands_here(begin);
        if (at.loop == LoopKind::Map) {
            return list_of(gives);
        }
        must_be_bool(at, gives, "what is asked of each item");
        return at.loop == LoopKind::Filter ? list_of(item) : Type{Kind::Bool, {}};
    }

    /// Functions of CEL's extension libraries, which are told apart from misspelled ones.
    static constexpr std::string_view extensions[] = {
        "charAt",  "indexOf", "lastIndexOf", "join",    "lowerAscii", "upperAscii", "replace", "split",
        "substring", "trim",  "reverse",     "format",  "quote",      "strings.quote", "optMap"};

    Tree tree_;
    const Environment& environment_;
    std::unique_ptr<Program> program_;
    std::vector<Loop> loops_;
    std::size_t depth_ = 0;
    std::optional<Mistake> mistake_;
};

Program::Program() = default;
Program::~Program() = default;

Expected<std::shared_ptr<const Program>> Program::compile(
    std::string_view text, const Environment& environment
) {
    Expected<Tree> tree = parse(text);
    if (!tree) {
        return std::unexpected(std::move(tree.error()));
    }
    return Compiler(*std::move(tree), environment).compile();
}

}  // namespace tagout::contain::cel
