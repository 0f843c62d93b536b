#include "catalog/setting_reader.h"

#include <algorithm>

namespace tagout::catalog {

const SettingText* SettingReader::take(std::string_view path) {
    const SettingText* last = nullptr;
    for (const SettingText& text : texts_) {
        if (text.path != path) {
            continue;
        }
        if (last != nullptr) {
            add(text,
                "written twice, first in line " + std::to_string(last->line),
                "Remove one of the two");
        } else {
            last = &text;
        }
    }
    return last;
}

void SettingReader::add(const SettingText& text, std::string what, std::string remedy) {
    mistakes_.push_back(
        {.line = text.line,
         .column = text.column,
         .path = text.path,
         .what = std::move(what),
         .remedy = std::move(remedy)}
    );
}

std::vector<Mistake> SettingReader::finish() {
    const std::vector<std::string_view> known(known_.begin(), known_.end());
    for (const SettingText& text : texts_) {
        if (std::ranges::find(known, text.path) != known.end()) {
            continue;
        }
        const std::string_view near = nearest(text.path, known);
        add(text,
            "there is no such setting",
            near.empty() ? "Look the name up in docs/reference/settings.md"
                         : "Write " + std::string(near));
    }
    sort_by_place(mistakes_);
    return std::move(mistakes_);
}

}  // namespace tagout::catalog
