#include "prevent/junit.h"

#include <algorithm>

namespace tagout::prevent {

namespace {

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\n':
                out += "&#10;";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20 && c != '\t') {
                    out += "\xEF\xBF\xBD";
                } else {
                    out += c;
                }
        }
    }
    return out;
}

}  // namespace

std::string junit_xml(std::string_view suite, std::span<const Check> checks) {
    const auto count = [&](Judgement judgement) {
        return std::to_string(std::ranges::count(checks, judgement, &Check::judgement));
    };
    std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"" +
                      escaped(suite) + "\" tests=\"" + std::to_string(checks.size()) +
                      "\" failures=\"" + count(Judgement::Fail) + "\" errors=\"" +
                      count(Judgement::Inconclusive) + "\">\n";
    for (const Check& check : checks) {
        const std::string open = "  <testcase classname=\"" + escaped(suite) + "\" name=\"" +
                                 escaped(check.name) + "\"";
        const std::string sentence = escaped(check.sentence);
        switch (check.judgement) {
            case Judgement::Pass:
                xml += open + "><system-out>" + sentence + "</system-out></testcase>\n";
                break;
            case Judgement::Fail:
                xml += open + "><failure message=\"" + sentence + "\"/></testcase>\n";
                break;
            case Judgement::Inconclusive:
                xml += open + "><error message=\"" + sentence + "\"/></testcase>\n";
                break;
        }
    }
    return xml + "</testsuite>\n";
}

}  // namespace tagout::prevent
