// Named<Tag>: a string that cannot be taken for another string. A function that wants a ToolName
// cannot be given a WorkflowName.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace tagout {

template <class Tag>
class Named {
public:
    Named() = default;
    explicit Named(std::string text) : text_(std::move(text)) {}
    explicit Named(std::string_view text) : text_(text) {}
    explicit Named(const char* text) : text_(text) {}

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
    friend auto operator<=>(const Named&, const Named&) = default;

private:
    std::string text_;
};

}  // namespace tagout

template <class Tag>
struct std::hash<tagout::Named<Tag>> {
    std::size_t operator()(const tagout::Named<Tag>& name) const noexcept {
        return std::hash<std::string>{}(name.text());
    }
};
