#include "catalog/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <istream>
#include <streambuf>
#include <unordered_map>

namespace tagout::catalog {

namespace {

/// Reads from a text that it does not own; std::istringstream would copy it.
class ViewBuffer final : public std::streambuf {
public:
    explicit ViewBuffer(std::string_view text) {
        char* const begin =
            const_cast<char*>(text.data());  // Only read: setg wants a pointer to char.
        setg(begin, begin, begin + text.size());
    }
};

class TreeBuilder final : public YAML::EventHandler {
public:
    TreeBuilder(YamlTree& tree, const YamlLimits& limits) : tree_(tree), limits_(limits) {}

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        add(YamlNode::Kind::Null, mark, anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end() || is_open(found->second)) {
            refuse(mark, "an alias stands inside its own anchor", "Write the value out");
            return;
        }
        attach(found->second);
    }

    void OnScalar(
        const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
        const std::string& value
    ) override {
        const std::uint32_t id = add(YamlNode::Kind::Scalar, mark, anchor);
        if (full_) {
            return;
        }
        YamlNode& node = tree_.nodes[id];
        node.text = value;
        node.quoted = tag == "!";
        const bool null = value == "~" || value == "null" || value == "Null" || value == "NULL";
        if (!node.quoted && (null || value.empty())) {
            node.kind = YamlNode::Kind::Null;
        }
    }

    void OnSequenceStart(
        const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value
    ) override {
        open(YamlNode::Kind::Sequence, mark, anchor);
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(
        const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value
    ) override {
        open(YamlNode::Kind::Map, mark, anchor);
    }
    void OnMapEnd() override { close(); }

private:
    /// What stands in open_ for a container that the limits refused.
    static constexpr std::uint32_t refused = 0xffffffff;

    void refuse(const YAML::Mark& mark, std::string what, std::string remedy) {
        if (tree_.mistakes.size() < 100) {
            tree_.mistakes.push_back(
                {.line = mark.line + 1,
                 .column = mark.column + 1,
                 .path = "",
                 .what = std::move(what),
                 .remedy = std::move(remedy)}
            );
        }
    }

    [[nodiscard]] bool is_open(std::uint32_t id) const {
        for (const std::uint32_t open : open_) {
            if (open == id) {
                return true;
            }
        }
        return false;
    }

    void attach(std::uint32_t id) {
        if (open_.empty()) {
            tree_.root = id;
            return;
        }
        if (open_.back() == refused) {
            return;
        }
        YamlNode& parent = tree_.nodes[open_.back()];
        const bool value_of_key =
            parent.kind == YamlNode::Kind::Map && parent.children.size() % 2 == 1;
        if (value_of_key && tree_.nodes[id].kind == YamlNode::Kind::Null) {
            // yaml-cpp places what is missing at the next token; people look at its key.
            const YamlNode& key = tree_.nodes[parent.children.back()];
            tree_.nodes[id].line = key.line;
            tree_.nodes[id].column = key.column;
        }
        parent.children.push_back(id);
    }

    std::uint32_t add(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (full_ || tree_.nodes.size() >= limits_.nodes_max) {
            if (!full_) {
                full_ = true;
                refuse(
                    mark,
                    "more than " + std::to_string(limits_.nodes_max) + " values in one file",
                    "Use globs where many entries say the same"
                );
            }
            return refused;
        }
        const auto id = static_cast<std::uint32_t>(tree_.nodes.size());
        tree_.nodes.push_back(
            {.kind = kind,
             .quoted = false,
             .line = mark.line + 1,
             .column = mark.column + 1,
             .text = "",
             .children = {}}
        );
        if (anchor != YAML::NullAnchor) {
            anchors_[anchor] = id;
        }
        attach(id);
        return id;
    }

    void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
        const std::uint32_t id = add(kind, mark, anchor);
        if (open_.size() == limits_.depth_max) {
            refuse(
                mark,
                "nested deeper than " + std::to_string(limits_.depth_max) + " levels",
                "tagout.yaml needs six at most"
            );
        }
        open_.push_back(id);
    }

    void close() { open_.pop_back(); }

    YamlTree& tree_;
    const YamlLimits& limits_;
    std::vector<std::uint32_t> open_;
    std::unordered_map<YAML::anchor_t, std::uint32_t> anchors_;
    bool full_ = false;
};

void parse_into(YamlTree& tree, std::string_view text, const YamlLimits& limits) {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    TreeBuilder builder(tree, limits);
    if (!parser.HandleNextDocument(builder)) {
        tree.nodes.push_back({});
        tree.root = 0;
        return;
    }
    if (!tree.mistakes.empty()) {
        return;
    }
    YamlTree second;
    TreeBuilder rest(second, limits);
    if (parser.HandleNextDocument(rest)) {
        const int line = second.nodes.empty() ? 0 : second.nodes.front().line;
        tree.mistakes.push_back(
            {.line = line,
             .column = 1,
             .path = "",
             .what = "a second YAML document in the file",
             .remedy = "Remove the line with --- and write one document"}
        );
    }
}

}  // namespace

YamlTree read_yaml(std::string_view text, const YamlLimits& limits) {
    YamlTree tree;
    if (text.size() > limits.bytes_max) {
        tree.mistakes.push_back(
            {.line = 0,
             .column = 0,
             .path = "",
             .what = "the file has " + std::to_string(text.size()) + " bytes, at most " +
                     std::to_string(limits.bytes_max) + " are read",
             .remedy = "Use globs where many entries say the same"}
        );
        return tree;
    }
    if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
        tree.mistakes.push_back(
            {.line = 0,
             .column = 0,
             .path = "",
             .what = "a zero byte at offset " + std::to_string(zero) + ": this is no text",
             .remedy = "Save the file as UTF-8"}
        );
        return tree;
    }
    try {
        parse_into(tree, text, limits);
    } catch (const YAML::Exception& error) {
        const bool placed = !error.mark.is_null();
        tree.mistakes.push_back(
            {.line = placed ? error.mark.line + 1 : 0,
             .column = placed ? error.mark.column + 1 : 0,
             .path = "",
             .what = "this is not YAML: " + error.msg,
             .remedy = "Look for a missing colon, quote or bracket, or a tab, here or just above"}
        );
    }
    if (tree.nodes.empty()) {
        tree.nodes.push_back({});
    }
    return tree;
}

}  // namespace tagout::catalog
