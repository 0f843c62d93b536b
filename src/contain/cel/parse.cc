// The grammar of a condition: recursive descent, a function a level of precedence.
#include "contain/cel/syntax.h"

#include <algorithm>
#include <array>
#include <span>

namespace tagout::contain::cel {

namespace {

constexpr std::array<std::string_view, 18> reserved{
    "as",     "break",     "const",  "continue", "else", "for",  "function", "if",    "import",
    "let",    "loop",      "package", "namespace", "return", "var", "void",  "while", "in"};

class Parser {
public:
    explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

    Expected<Tree> parse() {
        tree_.root = choice();
        if (!mistake_ && peek().kind != TokenKind::End) {
            wrong("this does not belong here", "Put an operator such as && before it, or remove it");
        }
        if (mistake_) {
            return std::unexpected(*std::move(mistake_));
        }
        return std::move(tree_);
    }

private:
    using Id = std::uint32_t;

    [[nodiscard]] const Token& peek() const { return tokens_[at_]; }
    [[nodiscard]] bool is_mark(std::string_view mark) const {
        return peek().kind == TokenKind::Mark && peek().text == mark;
    }
    bool take(std::string_view mark) {
        if (mistake_ || !is_mark(mark)) {
            return false;
        }
        ++at_;
        return true;
    }
    void expect(std::string_view mark) {
        if (!take(mark)) {
            wrong("here a '" + std::string(mark) + "' is missing", "Write it before this place");
        }
    }
    void wrong(
        std::string says, std::string remedy, Mistake::What what = Mistake::What::Syntax
    ) {
        wrong_at(peek().at, std::move(says), std::move(remedy), what);
    }
    void wrong_at(
        std::size_t at, std::string says, std::string remedy,
        Mistake::What what = Mistake::What::Syntax
    ) {
        if (!mistake_) {
            mistake_ = Mistake{what, at, std::move(says), std::move(remedy)};
        }
    }

    Id make(NodeKind kind, std::size_t at, std::string text = {}, std::vector<Id> children = {}) {
        if (tree_.nodes.size() >= nodes_max) {
            wrong_at(
                at, "the condition has more than " + std::to_string(nodes_max) + " parts",
                "Make two rules of it", Mistake::What::Limit
            );
            return 0;
        }
        Node node;
        node.kind = kind;
        node.at = at;
        node.text = std::move(text);
        node.children = std::move(children);
        tree_.nodes.push_back(std::move(node));
        return static_cast<Id>(tree_.nodes.size() - 1);
    }
    [[nodiscard]] Node& node(Id id) { return tree_.nodes[id]; }

    /// Whether there may be one level more.
    bool enter() {
        if (++depth_ > nesting_max) {
            wrong(
                "this is nested deeper than " + std::to_string(nesting_max) + " levels",
                "Write it flatter", Mistake::What::Limit
            );
        }
        return !mistake_;
    }
    bool goes_on(std::size_t& links) {
        if (++links > chain_max) {
            wrong(
                "more than " + std::to_string(chain_max) + " operators stand in a row here",
                "Use a list and in, or make two rules of it", Mistake::What::Limit
            );
        }
        return !mistake_;
    }

    Id choice() {
        Id first = 0;
        if (enter()) {
            first = either();
            const std::size_t at = peek().at;
            if (take("?")) {
                const Id then = either();
                expect(":");
                const Id otherwise = choice();
                first = make(NodeKind::Choice, at, {}, {first, then, otherwise});
            }
        }
        --depth_;
        return first;
    }

    Id either() { return joined("||", NodeKind::Or, &Parser::both); }
    Id both() { return joined("&&", NodeKind::And, &Parser::relation); }

    Id joined(std::string_view mark, NodeKind kind, Id (Parser::*next)()) {
        Id left = (this->*next)();
        std::size_t links = 0;
        for (std::size_t at = peek().at; take(mark) && goes_on(links); at = peek().at) {
            const Id right = (this->*next)();
            left = make(kind, at, {}, {left, right});
        }
        return left;
    }

    Id operation(std::span<const std::string_view> marks, Id (Parser::*next)()) {
        Id left = (this->*next)();
        std::size_t links = 0;
        while (!mistake_ && peek().kind == TokenKind::Mark &&
               std::ranges::find(marks, peek().text) != marks.end() && goes_on(links)) {
            const std::size_t at = peek().at;
            const std::string name = "_" + peek().text + "_";
            ++at_;
            const Id right = (this->*next)();
            left = make(NodeKind::Call, at, name, {left, right});
        }
        return left;
    }
    Id relation() {
        constexpr std::array<std::string_view, 7> marks{"<", "<=", ">", ">=", "==", "!=", "in"};
        return operation(marks, &Parser::sum);
    }
    Id sum() {
        constexpr std::array<std::string_view, 2> marks{"+", "-"};
        return operation(marks, &Parser::product);
    }
    Id product() {
        constexpr std::array<std::string_view, 3> marks{"*", "/", "%"};
        return operation(marks, &Parser::unary);
    }

    Id unary() {
        const std::size_t at = peek().at;
        std::size_t links = 0;
        for (const std::string_view mark : {"!", "-"}) {
            std::size_t count = 0;
            while (take(mark) && goes_on(links)) {
                ++count;
            }
            if (count == 0) {
                continue;
            }
            if (mark == "-" && peek().kind == TokenKind::Literal && peek().literal.is_number() &&
                peek().literal.kind != Kind::Uint) {
                negate(tokens_[at_]);
                --count;
            }
            Id value = member();
            for (; count > 0; --count) {
                value = make(
                    NodeKind::Call, at,
                    std::string(mark == "-" ? operators::negate : operators::is_not), {value}
                );
            }
            return value;
        }
        return member();
    }

    static void negate(Token& token) noexcept {
        Value& value = token.literal;
        if (value.kind == Kind::Double) {
            value.real = -value.real;
        } else if (token.text == "most") {
            token.text.clear();  // Read as the least one already.
        } else {
            value.integer = -value.integer;
        }
    }

    Id member() {
        Id value = primary();
        std::size_t links = 0;
        while (!mistake_) {
            const std::size_t at = peek().at;
            if (take(".")) {
                if (take("?")) {
                    wrong("optional fields are not spoken here", "Test with has() first",
                          Mistake::What::Unsupported);
                }
                value = selected(value, at);
            } else if (take("[")) {
                if (take("?")) {
                    wrong("optional indexes are not spoken here", "Test with in first",
                          Mistake::What::Unsupported);
                }
                const Id index = choice();
                expect("]");
                value = make(NodeKind::Index, at, {}, {value, index});
            } else if (is_mark("{") && is_name_of_message(value)) {
                value = message(value, at);
            } else {
                break;
            }
            (void)goes_on(links);
        }
        return value;
    }

    Id selected(Id value, std::size_t at) {
        if (peek().kind != TokenKind::Name && peek().kind != TokenKind::Quoted) {
            wrong("behind the dot a name is missing", "Write the name of a field or a method");
            return value;
        }
        const bool quoted = peek().kind == TokenKind::Quoted;
        std::string name = peek().text;
        ++at_;
        if (!quoted && take("(")) {
            return call(std::move(name), at, value);
        }
        return make(NodeKind::Select, at, std::move(name), {value});
    }

    /// `receiver`: of a method.
    Id call(std::string name, std::size_t at, std::optional<Id> receiver) {
        std::vector<Id> arguments;
        if (!take(")")) {
            do {
                arguments.push_back(choice());
            } while (take(","));
            expect(")");
        }
        if (mistake_) {
            return 0;
        }
        if (!receiver && name == "has" && arguments.size() == 1) {
            return presence(arguments[0], at);
        }
        if (receiver && arguments.size() >= 2) {
            if (const auto loop = loop_of(name)) {
                return comprehension(*loop, *receiver, arguments, at);
            }
        }
        if (receiver) {
            arguments.insert(arguments.begin(), *receiver);
        }
        const Id made = make(NodeKind::Call, at, std::move(name), std::move(arguments));
        node(made).method = receiver.has_value();
        return made;
    }

    Id presence(Id field, std::size_t at) {
        if (node(field).kind != NodeKind::Select || node(field).tests) {
            wrong_at(at, "has() takes a field, such as has(args.amount)", "Name the field behind a dot");
        }
        node(field).tests = true;
        return field;
    }

    static std::optional<LoopKind> loop_of(std::string_view name) {
        constexpr std::array<std::string_view, 5> names{"all", "exists", "exists_one", "map", "filter"};
        const auto found = std::ranges::find(names, name);
        return found == names.end() ? std::nullopt
                                    : std::optional(static_cast<LoopKind>(found - names.begin()));
    }

    Id comprehension(LoopKind loop, Id range, const std::vector<Id>& arguments, std::size_t at) {
        const Node& variable = node(arguments[0]);
        if (arguments.size() > 2) {
            wrong_at(
                at, "this macro takes a name and one expression here",
                "Write such as args.items.exists(item, item.price > 100)", Mistake::What::Unsupported
            );
            return range;
        }
        if (variable.kind != NodeKind::Name || variable.rooted) {
            wrong_at(variable.at, "here must be a name for each item", "Write such as exists(item, ...)");
            return range;
        }
        const Id made =
            make(NodeKind::Loop, at, std::string(variable.text), {range, arguments[1]});
        node(made).loop = loop;
        return made;
    }

    bool is_name_of_message(Id id) {
        const Node* at = &node(id);
        while (at->kind == NodeKind::Select && !at->tests) {
            at = &node(at->children[0]);
        }
        return at->kind == NodeKind::Name;
    }

    Id message(Id name, std::size_t at) {
        wrong_at(
            at, "protobuf messages are not spoken here", "Write a map such as {'key': value}",
            Mistake::What::Unsupported
        );
        return name;
    }

    Id primary() {
        const Token& token = peek();
        const std::size_t at = token.at;
        if (token.kind == TokenKind::Literal) {
            return literal();
        }
        if (token.kind == TokenKind::Name) {
            return name(false);
        }
        if (take(".")) {
            if (peek().kind == TokenKind::Name) {
                return name(true);
            }
            wrong("behind the dot a name is missing", "Write a name");
            return 0;
        }
        if (take("(")) {
            const Id inner = choice();
            expect(")");
            return inner;
        }
        if (take("[")) {
            return make(NodeKind::List, at, {}, items("]"));
        }
        if (take("{")) {
            return make(NodeKind::Map, at, {}, entries());
        }
        wrong(
            token.kind == TokenKind::End ? "the condition ends too early" : "here a value is missing",
            "Write a name, a literal or an expression in parentheses"
        );
        return 0;
    }

    Id literal() {
        const Token& token = peek();
        if (token.text == "most" && token.literal.kind == Kind::Int) {
            wrong("this number is over 63 bits", "Write a smaller one, or with u behind it");
        }
        const Id made = make(NodeKind::Literal, token.at);
        if (!mistake_) {
            Value value = token.literal;
            if (value.kind == Kind::String || value.kind == Kind::Bytes) {
                value = value_of(tree_.texts.emplace_back(token.text), value.kind);
            }
            node(made).literal = value;
        }
        ++at_;
        return made;
    }

    Id name(bool rooted) {
        const Token& token = peek();
        const std::size_t at = token.at;
        std::string text = token.text;
        if (std::ranges::find(reserved, text) != reserved.end()) {
            wrong("'" + text + "' is a reserved word", "Use another name");
        }
        ++at_;
        if (take("(")) {
            return call(std::move(text), at, std::nullopt);
        }
        const Id made = make(NodeKind::Name, at, std::move(text));
        node(made).rooted = rooted;
        return made;
    }

    std::vector<Id> items(std::string_view end) {
        std::vector<Id> all;
        while (!mistake_ && !is_mark(end)) {
            if (is_mark("?")) {
                wrong("optional items are not spoken here", "Remove the ?", Mistake::What::Unsupported);
            }
            all.push_back(choice());
            if (!take(",")) {
                break;
            }
        }
        expect(end);
        return all;
    }

    std::vector<Id> entries() {
        std::vector<Id> all;
        while (!mistake_ && !is_mark("}")) {
            if (is_mark("?")) {
                wrong("optional entries are not spoken here", "Remove the ?", Mistake::What::Unsupported);
            }
            all.push_back(choice());
            expect(":");
            all.push_back(choice());
            if (!take(",")) {
                break;
            }
        }
        expect("}");
        return all;
    }

    std::vector<Token> tokens_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    Tree tree_;
    std::optional<Mistake> mistake_;
};

}  // namespace

Expected<Tree> parse(std::string_view text) {
    if (text.size() > text_bytes_max) {
        return std::unexpected(Mistake{
            Mistake::What::Limit, 0,
            "the condition is over " + std::to_string(text_bytes_max) + " bytes",
            "Make two rules of it"});
    }
    if (!is_utf8(text)) {
        return std::unexpected(Mistake{
            Mistake::What::Syntax, 0, "the condition is no UTF-8 text", "Save the file as UTF-8"});
    }
    Expected<std::vector<Token>> tokens = tokens_of(text);
    if (!tokens) {
        return std::unexpected(std::move(tokens.error()));
    }
    return Parser(*std::move(tokens)).parse();
}

}  // namespace tagout::contain::cel
