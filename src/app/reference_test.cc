#include "app/reference.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace tagout::app {
namespace {

void expect_fresh(const std::string& name, const std::string& page) {
    const std::string path = std::string(TAGOUT_SOURCE_DIR) + "/docs/reference/" + name;
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {
        std::ofstream(path) << page;
    }
    std::ifstream file(path);
    std::stringstream content;
    content << file.rdbuf();
    EXPECT_EQ(content.str(), page) << path << " is stale: run ./dev docs";
}

TEST(Reference, PagesAreFresh) {
    expect_fresh("settings.md", settings_page());
    expect_fresh("metrics.md", metrics_page());
    expect_fresh("errors.md", errors_page());
    expect_fresh("routes.md", routes_page());
}

TEST(Reference, EverySettingSaysWhatItIs) {
    const std::string page = settings_page();
    EXPECT_NE(page.find("`server.body_bytes_max`"), std::string::npos);
    EXPECT_EQ(page.find("|  |\n"), std::string::npos) << "a setting without its sentence";
}

}  // namespace
}  // namespace tagout::app
