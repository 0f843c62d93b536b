// Applies the settings of tagout.yaml to options structs, whichever rooms they belong to.
//
//   SettingReader reader(contents.detection);
//   reader.read(detect_settings);        // visits describe(options, visit) beside the struct
//   reader.read(rate_settings);
//   const std::vector<Mistake> mistakes = reader.finish();   // empty: all of it was understood
//
// Every mistake is found in one pass: a path that no struct declares (with the nearest one that
// exists), a value of the wrong type, one out of bounds, a path written twice. A value with a
// mistake leaves its option as it was. Thread-compatible. Cost: settings times texts, at start and
// reload.
#pragma once

#include "base/settings.h"
#include "catalog/catalog.h"
#include "catalog/mistake.h"
#include "catalog/value_text.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace tagout::catalog {

class SettingReader {
public:
    /// `texts` must outlive the reader.
    explicit SettingReader(std::span<const SettingText> texts) : texts_(texts) {}

    template <class Options>
    void read(Options& options) {
        describe(options, [this]<class T>(const SettingInfo& info, T& member) {
            known_.emplace_back(info.path);
            const SettingText* const text = take(info.path);
            if (text == nullptr) {
                return;
            }
            const Bounds bounds{.min = info.min, .max = info.max, .unit = info.unit};
            if (auto problem = read_value(text->value, bounds, member)) {
                add(*text, std::move(problem->what), std::move(problem->remedy));
            }
        });
    }

    /// All mistakes in order of line; call after the last read().
    [[nodiscard]] std::vector<Mistake> finish();

private:
    const SettingText* take(std::string_view path);
    void add(const SettingText& text, std::string what, std::string remedy);

    std::span<const SettingText> texts_;
    std::vector<std::string> known_;
    std::vector<Mistake> mistakes_;
};

/// One setting as pages and schemas show it; `value` is what the options hold now.
struct SettingDeclared {
    std::string path;
    ValueType type = ValueType::Text;
    std::string value;
    double min = 0;
    double max = 0;
    std::string unit;
    std::string help;
    std::vector<std::string> choices;
};

template <class Options>
void declare_settings(Options& options, std::vector<SettingDeclared>& out) {
    describe(options, [&out]<class T>(const SettingInfo& info, T& member) {
        SettingDeclared declared{
            .path = std::string(info.path),
            .type = value_type_of<T>(),
            .value = value_text(member),
            .min = info.min,
            .max = info.max,
            .unit = std::string(info.unit),
            .help = std::string(info.help),
            .choices = {}};
        if constexpr (std::is_enum_v<T>) {
            for (const std::string_view choice : choices_of<T>()) {
                declared.choices.emplace_back(choice);
            }
        }
        out.push_back(std::move(declared));
    });
}

}  // namespace tagout::catalog
