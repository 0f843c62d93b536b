// How keys, values and places of a policy's YAML are read; the sections stand in policy.cc.
// Internal to contain/.
#pragma once

#include "catalog/mistake.h"
#include "catalog/yaml_tree.h"
#include "contain/policy_form.h"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::contain {

/// What stood under the keys of one map.
struct PolicyValues {
    std::map<std::string_view, std::string> texts;  ///< Json as JSON text.
    std::map<std::string_view, std::vector<std::string>> words;
    std::map<std::string_view, PolicyValues> nested;
    std::map<std::string_view, const catalog::YamlNode*> at;

    [[nodiscard]] bool has(std::string_view key) const { return at.contains(key); }
    [[nodiscard]] std::string text(std::string_view key) const {
        const auto found = texts.find(key);
        return found == texts.end() ? "" : found->second;
    }
};

/// Confined to one thread. Gathers mistakes; never stops at the first.
class PolicyReader {
public:
    explicit PolicyReader(const catalog::YamlTree& tree) : tree_(tree) {}

    [[nodiscard]] const catalog::YamlNode& node(std::uint32_t id) const { return tree_.nodes[id]; }
    void wrong(
        const catalog::YamlNode& at, std::string path, std::string what, std::string remedy
    );
    void remark(
        const catalog::YamlNode& at, std::string path, std::string what, std::string remedy
    );
    [[nodiscard]] std::size_t mistakes() const noexcept { return mistakes_.size(); }
    [[nodiscard]] std::vector<catalog::Mistake> take_mistakes();
    [[nodiscard]] std::vector<catalog::Mistake> take_remarks();

    /// visit(key, value) for each key that is a text and stands once.
    template <class Visit>
    void for_each_key(const catalog::YamlNode& map, const std::string& path, Visit visit) {
        std::map<std::string_view, int> first_line;
        for (std::size_t i = 0; i + 1 < map.children.size(); i += 2) {
            const catalog::YamlNode& key = node(map.children[i]);
            if (key.kind != catalog::YamlNode::Kind::Scalar) {
                wrong(key, path, "this key is no text", "Write one word before the colon");
                continue;
            }
            const auto [before, fresh] = first_line.emplace(key.text, key.line);
            if (!fresh) {
                wrong(
                    key, path,
                    catalog::quoted(key.text) + " is written twice, first in line " +
                        std::to_string(before->second),
                    "Remove one of the two"
                );
                continue;
            }
            visit(key, node(map.children[i + 1]));
        }
    }

    [[nodiscard]] PolicyValues read_keys(
        const catalog::YamlNode& at, const std::string& path, std::span<const PolicyKey> keys
    );

private:
    void read_value(
        const catalog::YamlNode& at, const std::string& path, const PolicyKey& key,
        PolicyValues& values
    );
    void read_text(
        const catalog::YamlNode& at, const std::string& path, const PolicyKey& key,
        PolicyValues& values
    );
    [[nodiscard]] std::vector<const catalog::YamlNode*> items_of(const catalog::YamlNode& at) const;
    void read_words(
        const catalog::YamlNode& at, const std::string& path, const PolicyKey& key,
        PolicyValues& values
    );
    void read_texts(
        const catalog::YamlNode& at, const std::string& path, const PolicyKey& key,
        PolicyValues& values
    );
    bool is_choice(
        const catalog::YamlNode& at, const std::string& path, const PolicyKey& key
    );

    const catalog::YamlTree& tree_;
    std::vector<catalog::Mistake> mistakes_;
    std::vector<catalog::Mistake> remarks_;
};

}  // namespace tagout::contain
