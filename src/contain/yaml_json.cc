#include "contain/yaml_json.h"

#include <boost/json.hpp>

#include <charconv>
#include <cmath>
#include <optional>
#include <set>

namespace tagout::contain {

namespace {

using catalog::YamlNode;
using catalog::YamlTree;

class Writer {
public:
    Writer(const YamlTree& tree, std::size_t bytes_max) : tree_(tree), bytes_max_(bytes_max) {}

    std::expected<std::string, YamlJsonProblem> write(const YamlNode& node) {
        put(node, 0);
        if (problem_) {
            return std::unexpected(*std::move(problem_));
        }
        return std::move(out_);
    }

private:
    static constexpr std::size_t depth_max = 64;

    void wrong(const YamlNode& at, std::string what, std::string remedy) {
        if (!problem_) {
            problem_ = YamlJsonProblem{&at, std::move(what), std::move(remedy)};
        }
    }
    static std::string quoted(const std::string& text) {
        return boost::json::serialize(boost::json::string(text));
    }

    void put(const YamlNode& node, std::size_t depth) {
        if (problem_) {
            return;
        }
        if (out_.size() > bytes_max_ || depth > depth_max) {
            return wrong(
                node,
                depth > depth_max ? "this is nested deeper than " + std::to_string(depth_max) + " levels"
                                  : "this is over " + std::to_string(bytes_max_) + " bytes",
                "Write less"
            );
        }
        switch (node.kind) {
            case YamlNode::Kind::Null:
                out_ += "null";
                break;
            case YamlNode::Kind::Scalar:
                out_ += scalar(node);
                break;
            case YamlNode::Kind::Sequence:
                out_ += '[';
                for (std::size_t i = 0; i < node.children.size(); ++i) {
                    out_ += i == 0 ? "" : ",";
                    put(tree_.nodes[node.children[i]], depth + 1);
                }
                out_ += ']';
                break;
            case YamlNode::Kind::Map:
                put_map(node, depth);
                break;
        }
    }

    void put_map(const YamlNode& node, std::size_t depth) {
        std::set<std::string_view> seen;
        out_ += '{';
        for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
            const YamlNode& key = tree_.nodes[node.children[i]];
            if (key.kind != YamlNode::Kind::Scalar || !seen.insert(key.text).second) {
                return wrong(key, "this key is no text or stands twice", "Write each key once, as a word");
            }
            out_ += (i == 0 ? "" : ",") + quoted(key.text) + ":";
            put(tree_.nodes[node.children[i + 1]], depth + 1);
        }
        out_ += '}';
    }

    static std::string scalar(const YamlNode& node) {
        const std::string& text = node.text;
        if (node.quoted) {
            return quoted(text);
        }
        if (text == "true" || text == "false" || text == "null") {
            return text;
        }
        if (text == "~" || text.empty()) {
            return "null";
        }
        double number = 0;
        const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
        const bool is_number = fault == std::errc() && end == text.data() + text.size() &&
                               std::isfinite(number) &&
                               (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'));
        // What YAML reads as a number and JSON does not, such as 007, stays a text.
        const std::size_t first = text[0] == '-' ? 1 : 0;
        const bool padded = text.size() > first + 1 && text[first] == '0' && text[first + 1] >= '0' &&
                            text[first + 1] <= '9';
        const bool pointed = text.back() == '.' || text.find(".e") != std::string::npos ||
                             text.find(".E") != std::string::npos || text[first] == '.';
        return is_number && !padded && !pointed ? text : quoted(text);
    }

    const YamlTree& tree_;
    const std::size_t bytes_max_;
    std::string out_;
    std::optional<YamlJsonProblem> problem_;
};

}  // namespace

std::expected<std::string, YamlJsonProblem> json_of(
    const YamlTree& tree, const YamlNode& node, std::size_t bytes_max
) {
    return Writer(tree, bytes_max).write(node);
}

}  // namespace tagout::contain
