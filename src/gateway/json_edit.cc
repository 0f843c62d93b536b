#include "gateway/json_edit.h"

#include <algorithm>
#include <utility>

namespace tagout::gateway {

void JsonEdits::replace(RawJson piece, std::string instead) {
    edits_.push_back({place(piece), place(piece) + piece.size(), std::move(instead)});
}

void JsonEdits::add_members(RawJson object, std::string_view members) {
    const std::size_t behind_brace = place(object) + 1;
    bool is_empty = true;
    for_each_member(object, [&](std::string_view, RawJson) {
        is_empty = false;
        return Walk::Stop;
    });
    edits_.push_back({behind_brace, behind_brace, std::string(members) + (is_empty ? "" : ",")});
}

/// Each with the comma before it, or, as long as none stays, the one behind it.
std::size_t JsonEdits::cut(const std::vector<Part>& parts) {
    std::size_t stay = 0;
    for (std::size_t i = 0; i < parts.size();) {
        if (!parts[i].cut) {
            ++stay;
            ++i;
            continue;
        }
        std::size_t last = i;
        while (last + 1 < parts.size() && parts[last + 1].cut) {
            ++last;
        }
        const std::size_t from = stay > 0 ? parts[i - 1].to : parts[i].from;
        const bool leads = stay == 0 && last + 1 < parts.size();
        edits_.push_back({from, leads ? parts[last + 1].from : parts[last].to, ""});
        i = last + 1;
    }
    return stay;
}

std::size_t JsonEdits::cut_elements(RawJson array, const std::function<bool(RawJson)>& is_cut) {
    std::vector<Part> parts;
    for_each_element(array, [&](RawJson element) {
        const std::size_t from = place(element);
        parts.push_back({from, from + element.size(), is_cut(element)});
        return Walk::GoOn;
    });
    return cut(parts);
}

std::size_t JsonEdits::cut_members(
    RawJson object, const std::function<bool(std::string_view key, RawJson value)>& is_cut
) {
    std::vector<Part> parts;
    std::size_t before = place(object) + 1;  // Behind the brace, then behind the last value.
    for_each_member(object, [&](std::string_view key, RawJson value) {
        const std::size_t from = text_.find('"', before);  // Only space and a comma stand between.
        before = place(value) + value.size();
        parts.push_back({from, before, is_cut(key, value)});
        return Walk::GoOn;
    });
    return cut(parts);
}

std::string JsonEdits::text() const {
    std::vector<const Edit*> ordered;
    ordered.reserve(edits_.size());
    for (const Edit& edit : edits_) {
        ordered.push_back(&edit);
    }
    std::ranges::stable_sort(ordered, {}, &Edit::from);
    std::string out;
    out.reserve(text_.size());
    std::size_t at = 0;
    for (const Edit* const edit : ordered) {
        out += text_.substr(at, edit->from - at);
        out += edit->instead;
        at = edit->to;
    }
    out += text_.substr(at);
    return out;
}

}  // namespace tagout::gateway
