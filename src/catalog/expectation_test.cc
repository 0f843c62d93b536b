#include "catalog/expectation.h"

#include "catalog/config.h"

#include <gtest/gtest.h>

namespace tagout::catalog {
namespace {

TEST(Expectation, LinesReadAsWritten) {
    struct Row {
        const char* line;
        const char* kind;
        const char* remedy;  ///< Part of it; nullptr when the line is good.
    };
    const Row rows[] = {
        {"status 200", "http", nullptr},
        {"  status 404 ", "http", nullptr},
        {"contains two words", "mcp", nullptr},
        {"not contains error", "http", nullptr},
        {"json order.items[0].id == \"7\"", "http", nullptr},
        {"json [0].id == 7", "mcp", nullptr},
        {"is_error false", "mcp", nullptr},
        {"within 1s500ms", "http", nullptr},
        {"status", "http", "from 100 to 599"},
        {"status ok", "http", "from 100 to 599"},
        {"status 200", "mcp", "is_error false"},
        {"is_error no", "mcp", "is_error false"},
        {"is_error false", "http", "status 200"},
        {"contains", "http", "text to look for"},
        {"json a = 1", "http", "json order.status"},
        {"json == 1", "http", "members with dots"},
        {"json a..b == 1", "http", "members with dots"},
        {"json a[x] == 1", "http", "members with dots"},
        {"within soon", "http", "within 500ms"},
        {"within 0s", "http", "within 500ms"},
        {"statuses 200", "http", "Write one of"},
        {"", "http", "Write one of"},
    };
    for (const Row& row : rows) {
        const auto read = parse_expectation(row.line, row.kind);
        EXPECT_EQ(read.has_value(), row.remedy == nullptr) << row.line;
        if (!read && row.remedy != nullptr) {
            EXPECT_NE(read.error().remedy.find(row.remedy), std::string::npos)
                << row.line << ": " << read.error().remedy;
        }
    }
}

TEST(Expectation, TheCheckNamesLineAndRemedy) {
    const ConfigReport report = read_config(
        "mcp_servers:\n  shop: {url: 'http://127.0.0.1:1/mcp'}\n"
        "tools:\n  orders.get: {}\n"
        "journeys:\n  j:\n    steps:\n"
        "      - kind: mcp\n        request: 'orders.get 7'\n        expect: [status 200]\n",
        "t.yaml"
    );
    ASSERT_EQ(report.mistakes.size(), 2U) << report.text();
    EXPECT_EQ(report.mistakes[0].path, "journeys.j.steps[0].request");
    EXPECT_EQ(report.mistakes[0].line, 9);
    EXPECT_EQ(report.mistakes[1].path, "journeys.j.steps[0].expect[0]");
    EXPECT_EQ(report.mistakes[1].line, 10);
    EXPECT_NE(report.mistakes[1].remedy.find("is_error"), std::string::npos);
}

}  // namespace
}  // namespace tagout::catalog
