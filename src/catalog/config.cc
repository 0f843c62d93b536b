#include "catalog/config.h"

#include "catalog/config_check.h"
#include "catalog/config_describe.h"
#include "catalog/yaml_tree.h"

#include <algorithm>
#include <iterator>

namespace tagout::catalog {

namespace {

/// Reads nodes into values and remembers where each stood.
class Reader {
public:
    Reader(const YamlTree& tree, const YamlLimits& limits) : tree_(tree), limits_(limits) {}

    [[nodiscard]] const YamlNode& node(std::uint32_t id) const { return tree_.nodes[id]; }
    [[nodiscard]] const Places& places() const { return places_; }
    [[nodiscard]] std::vector<Mistake> take_mistakes() { return std::move(mistakes_); }

    void add(const YamlNode& at, std::string path, std::string what, std::string remedy) {
        mistakes_.push_back(
            {.line = at.line,
             .column = at.column,
             .path = std::move(path),
             .what = std::move(what),
             .remedy = std::move(remedy)}
        );
    }

    /// False once the walk has seen more than the limit: aliases multiply what a file says.
    [[nodiscard]] bool visit(const YamlNode& at, const std::string& path) {
        places_.put(path, at.line, at.column);
        if (++visits_ == limits_.visits_max) {
            add(at,
                path,
                "aliases repeat values too many times",
                "Write the values out, or use globs");
        }
        return visits_ < limits_.visits_max;
    }

    template <class T>
    void object(const YamlNode& at, const std::string& path, T& out);

    template <class T>
    void named(
        const YamlNode& at, const std::string& path, std::vector<T>& out, const FieldInfo& info
    );

    template <class T>
    void list(const YamlNode& at, const std::string& path, std::vector<T>& out);

    void settings(const YamlNode& at, const std::string& path, std::vector<SettingText>& out);

    template <class T>
    void value(const YamlNode& at, const std::string& path, T& out, const FieldInfo& info);

    /// The scalar's text, if it is one and holds no secret.
    [[nodiscard]] const std::string* scalar(
        const YamlNode& at, const std::string& path, const FieldInfo& info
    );

    /// Reports second keys of the same name and keys that are no text.
    void check_keys(const YamlNode& map, const std::string& path);

private:
    void text_value(
        const YamlNode& at, const std::string& path, const std::string& text, std::string& out,
        const FieldInfo& info
    );

    const YamlTree& tree_;
    const YamlLimits& limits_;
    Places places_;
    std::vector<Mistake> mistakes_;
    std::size_t visits_ = 0;
};

/// The visitor of config_describe.h for one map of the file.
class MapReader {
public:
    MapReader(Reader& reader, const YamlNode& map, std::string path)
        : reader_(reader), map_(map), path_(std::move(path)) {}

    template <class T>
    void field(std::string_view key, T& member, const FieldInfo& info) {
        if (const YamlNode* const at = find(key, info)) {
            reader_.value(*at, child(key), member, info);
        }
    }
    template <class T>
    void named(std::string_view key, std::vector<T>& items, const FieldInfo& info) {
        if (const YamlNode* const at = find(key, info)) {
            reader_.named(*at, child(key), items, info);
        }
    }
    template <class T>
    void list(std::string_view key, std::vector<T>& items, const FieldInfo& info) {
        if (const YamlNode* const at = find(key, info)) {
            reader_.list(*at, child(key), items);
        }
    }
    template <class Inside>
    void group(std::string_view key, const FieldInfo& info, Inside&& inside) {
        const YamlNode* const at = find(key, info);
        if (at == nullptr || at->kind == YamlNode::Kind::Null) {
            return;
        }
        if (at->kind != YamlNode::Kind::Map) {
            reader_.add(
                *at, child(key), "here must be keys with values", "Indent them below this line"
            );
            return;
        }
        MapReader below(reader_, *at, child(key));
        inside(below);
        below.finish();
    }
    void settings(std::string_view key, std::vector<SettingText>& texts, const FieldInfo& info) {
        if (const YamlNode* const at = find(key, info)) {
            reader_.settings(*at, child(key), texts);
        }
    }

    /// Reports what was not asked for.
    void finish() {
        reader_.check_keys(map_, path_);
        for (std::size_t i = 0; i + 1 < map_.children.size(); i += 2) {
            const YamlNode& key = reader_.node(map_.children[i]);
            if (key.kind == YamlNode::Kind::Scalar &&
                std::ranges::find(known_, key.text) == known_.end()) {
                reader_.add(key, child(key.text), unknown_what(key.text), unknown_remedy(key.text));
            }
        }
    }

private:
    [[nodiscard]] std::string child(std::string_view key) const {
        const std::string shown =
            key.size() > 60 ? std::string(key.substr(0, 60)) + "..." : std::string(key);
        return path_.empty() ? shown : path_ + "." + shown;
    }

    [[nodiscard]] std::string_view env_key() const {
        const auto found = std::ranges::find_if(known_, [](auto key) {
            return key.ends_with("_env") && key != "url_env";
        });
        return found == known_.end() ? std::string_view() : *found;
    }

    [[nodiscard]] std::string unknown_what(std::string_view key) const {
        return names_secret(key) ? "secrets are not written into this file"
                                 : quoted(key) + " is no key here";
    }

    [[nodiscard]] std::string unknown_remedy(std::string_view key) const {
        if (names_secret(key) && !env_key().empty()) {
            return "Put it into an environment variable and write " + std::string(env_key()) +
                   ": NAME_OF_THE_VARIABLE";
        }
        if (key == "<<") {
            return "Write the keys out: merging is not part of YAML 1.2";
        }
        const std::string_view near = nearest(key, known_);
        return near.empty() ? "Write " + any_of_text(known_) + ", or remove it"
                            : "Write " + std::string(near);
    }

    const YamlNode* find(std::string_view key, const FieldInfo& info) {
        known_.push_back(key);
        for (std::size_t i = 0; i + 1 < map_.children.size(); i += 2) {
            const YamlNode& name = reader_.node(map_.children[i]);
            if (name.kind == YamlNode::Kind::Scalar && name.text == key) {
                const YamlNode& at = reader_.node(map_.children[i + 1]);
                return reader_.visit(at, child(key)) ? &at : nullptr;
            }
        }
        if (info.presence == Presence::Required) {
            reader_.add(
                map_,
                path_,
                "the key " + std::string(key) + " is missing",
                "Add " + std::string(key) + ": " +
                    std::string(info.help.substr(0, info.help.find('.')))
            );
        }
        return nullptr;
    }

    Reader& reader_;
    const YamlNode& map_;
    std::string path_;
    std::vector<std::string_view> known_;
};

void Reader::check_keys(const YamlNode& map, const std::string& path) {
    std::unordered_map<std::string_view, int> first_line;
    for (std::size_t i = 0; i + 1 < map.children.size(); i += 2) {
        const YamlNode& key = node(map.children[i]);
        if (key.kind != YamlNode::Kind::Scalar) {
            add(key, path, "this key is no text", "Write one word before the colon");
            continue;
        }
        const auto [before, fresh] = first_line.emplace(key.text, key.line);
        if (!fresh) {
            add(key,
                path.empty() ? quoted(key.text) : path + "." + quoted(key.text),
                "written twice, first in line " + std::to_string(before->second),
                "Remove one of the two");
        }
    }
}

const std::string* Reader::scalar(
    const YamlNode& at, const std::string& path, const FieldInfo& info
) {
    if (at.kind == YamlNode::Kind::Null) {
        add(at, path, "the value is missing", "Write a value, or remove the key");
        return nullptr;
    }
    if (at.kind != YamlNode::Kind::Scalar) {
        add(at, path, "here must be one value", "Write it on the line of its key");
        return nullptr;
    }
    if (looks_secret(at.text)) {
        add(at,
            path,
            "this looks like a secret, and secrets are not written into this file",
            info.format == Format::Url
                ? "Put the URL into an environment variable and write url_env: NAME_OF_THE_VARIABLE"
                : "Put it into an environment variable and write the variable's name");
        return nullptr;
    }
    return &at.text;
}

void Reader::text_value(
    const YamlNode& at, const std::string& path, const std::string& text, std::string& out,
    const FieldInfo& info
) {
    std::optional<Problem> problem = check_format(text, info.format);
    if (!problem && !info.choices.empty()) {
        std::size_t chosen = 0;
        problem = read_choice(text, {info.choices.begin(), info.choices.end()}, chosen);
    }
    if (problem) {
        add(at, path, std::move(problem->what), std::move(problem->remedy));
        return;
    }
    out = text;
}

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsList : std::false_type {};
template <class T>
struct IsList<std::vector<T>> : std::true_type {};

template <class T>
void Reader::value(const YamlNode& at, const std::string& path, T& out, const FieldInfo& info) {
    if constexpr (IsList<T>::value) {
        if (at.kind != YamlNode::Kind::Sequence) {
            add(at, path, "here must be a list", "Write [a, b] or one line with - for each");
            return;
        }
        for (std::size_t i = 0; i < at.children.size(); ++i) {
            const YamlNode& item = node(at.children[i]);
            const std::string item_path = path + "[" + std::to_string(i) + "]";
            if (!visit(item, item_path)) {
                return;
            }
            typename T::value_type element{};
            value(item, item_path, element, info);
            out.push_back(std::move(element));
        }
    } else if constexpr (IsOptional<T>::value) {
        typename T::value_type inner{};
        const std::size_t before = mistakes_.size();
        value(at, path, inner, info);
        if (mistakes_.size() == before) {
            out = inner;
        }
    } else if (const std::string* const text = scalar(at, path, info)) {
        if constexpr (std::same_as<T, std::string>) {
            text_value(at, path, *text, out, info);
        } else if constexpr (requires { out.text(); }) {
            std::string name;
            text_value(at, path, *text, name, info);
            out = T(std::move(name));
        } else {
            const Bounds bounds{.min = info.min, .max = info.max, .unit = info.unit};
            if (auto problem = read_value(*text, bounds, out)) {
                add(at, path, std::move(problem->what), std::move(problem->remedy));
            }
        }
    }
}

template <class T>
void Reader::object(const YamlNode& at, const std::string& path, T& out) {
    if (at.kind != YamlNode::Kind::Map && at.kind != YamlNode::Kind::Null) {
        add(at, path, "here must be keys with values", "Indent them below this line");
        return;
    }
    MapReader reader(*this, at, path);
    describe(out, reader);
    reader.finish();
}

template <class T>
void Reader::named(
    const YamlNode& at, const std::string& path, std::vector<T>& out, const FieldInfo& info
) {
    if (at.kind == YamlNode::Kind::Null) {
        return;
    }
    if (at.kind != YamlNode::Kind::Map) {
        add(at,
            path,
            "here must be names, each with its keys below",
            "Write 'name:' and indent its keys");
        return;
    }
    check_keys(at, path);
    for (std::size_t i = 0; i + 1 < at.children.size(); i += 2) {
        const YamlNode& key = node(at.children[i]);
        const YamlNode& content = node(at.children[i + 1]);
        if (key.kind != YamlNode::Kind::Scalar) {
            continue;
        }
        if (auto problem = check_format(key.text, info.format)) {
            add(key, path, std::move(problem->what), std::move(problem->remedy));
            continue;
        }
        const std::string item_path = path + "." + key.text;
        if (!visit(key, item_path)) {
            return;
        }
        T item;
        item.name = decltype(item.name)(key.text);
        object(content, item_path, item);
        out.push_back(std::move(item));
    }
}

template <class T>
void Reader::list(const YamlNode& at, const std::string& path, std::vector<T>& out) {
    if (at.kind == YamlNode::Kind::Null) {
        return;
    }
    if (at.kind != YamlNode::Kind::Sequence) {
        add(at, path, "here must be a list", "Begin each entry with - and indent its keys");
        return;
    }
    for (std::size_t i = 0; i < at.children.size(); ++i) {
        const YamlNode& item = node(at.children[i]);
        const std::string item_path = path + "[" + std::to_string(i) + "]";
        if (!visit(item, item_path)) {
            return;
        }
        T element;
        object(item, item_path, element);
        out.push_back(std::move(element));
    }
}

void Reader::settings(const YamlNode& at, const std::string& path, std::vector<SettingText>& out) {
    if (at.kind == YamlNode::Kind::Scalar || at.kind == YamlNode::Kind::Sequence) {
        std::vector<std::string> items;
        if (at.kind == YamlNode::Kind::Scalar) {
            if (const std::string* const text = scalar(at, path, {.help = ""})) {
                out.push_back({.path = path, .value = *text, .line = at.line, .column = at.column});
            }
            return;
        }
        value(at, path, items, FieldInfo{.help = ""});
        out.push_back(
            {.path = path, .value = value_text(items), .line = at.line, .column = at.column}
        );
        return;
    }
    check_keys(at, path);
    for (std::size_t i = 0; i + 1 < at.children.size(); i += 2) {
        const YamlNode& key = node(at.children[i]);
        const YamlNode& below = node(at.children[i + 1]);
        const std::string below_path = path + "." + key.text.substr(0, name_bytes_max);
        if (!visit(below, below_path)) {
            return;
        }
        if (below.kind == YamlNode::Kind::Null) {
            add(below, below_path, "the value is missing", "Write a value, or remove the key");
        } else {
            settings(below, below_path, out);
        }
    }
}

void sort_and_bound(std::vector<Mistake>& mistakes) {
    sort_by_place(mistakes);
    if (mistakes.size() > mistakes_max) {
        const std::size_t more = mistakes.size() - mistakes_max;
        mistakes.resize(mistakes_max);
        mistakes.push_back(
            {.line = 0,
             .column = 0,
             .path = "",
             .what = std::to_string(more) + " more mistakes",
             .remedy = "Mend these first"}
        );
    }
}

}  // namespace

ConfigReport read_config(std::string_view yaml, std::string_view file_name) {
    ConfigReport report{.file = std::string(file_name), .contents = {}, .mistakes = {}};
    constexpr YamlLimits limits;
    YamlTree tree = read_yaml(yaml, limits);
    if (!tree.mistakes.empty()) {
        report.mistakes = std::move(tree.mistakes);
        sort_and_bound(report.mistakes);
        return report;
    }
    Reader reader(tree, limits);
    Contents contents;
    const YamlNode& root = tree.nodes[tree.root];
    if (root.kind == YamlNode::Kind::Map || root.kind == YamlNode::Kind::Null) {
        reader.object(root, "", contents);
    } else {
        reader.add(
            root, "", "a configuration is keys with values", "Begin with a line such as 'tools:'"
        );
    }
    report.mistakes = reader.take_mistakes();
    std::vector<Mistake> more = check_contents(contents, reader.places(), report.mistakes);
    std::ranges::move(more, std::back_inserter(report.mistakes));
    sort_and_bound(report.mistakes);
    if (report.mistakes.empty()) {
        report.contents = std::move(contents);
    }
    return report;
}

std::string ConfigReport::text() const {
    std::string out;
    for (const Mistake& mistake : mistakes) {
        out += to_text(mistake, file) + "\n";
    }
    return out;
}

Result<void> fill_channel_urls(
    Contents& contents, const std::function<const char*(const char*)>& environment
) {
    for (NoticeChannel& channel : contents.channels) {
        if (channel.url_env.empty()) {
            continue;
        }
        const char* const url = environment(channel.url_env.c_str());
        if (url == nullptr || *url == '\0') {
            return fail(
                ErrorCode::NotFound,
                "notices.channels." + channel.name + ": environment variable " + channel.url_env +
                    " is not set; set it and start again"
            );
        }
        channel.url = url;
    }
    return {};
}

}  // namespace tagout::catalog
