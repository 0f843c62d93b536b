#include "server/routes.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <string>

namespace tagout::server {
namespace {

TEST(Routes, APatternFitsWholePathsOnly) {
    struct Row {
        const char* pattern;
        const char* path;
        const char* argument;  ///< nullptr: does not fit.
    };
    const Row rows[] = {
        {"/v1/now", "/v1/now", ""},
        {"/v1/now", "/v1/now/", nullptr},
        {"/v1/now", "/v1", nullptr},
        {"/v1/incidents/{id}", "/v1/incidents/INC-1", "INC-1"},
        {"/v1/incidents/{id}", "/v1/incidents/", nullptr},
        {"/v1/incidents/{id}", "/v1/incidents", nullptr},
        {"/v1/incidents/{id}/ack", "/v1/incidents/INC-1/ack", "INC-1"},
        {"/v1/incidents/{id}/ack", "/v1/incidents/INC-1/ack/more", nullptr},
        {"/v1/traces/{correlation}", "/v1/traces/a%2Fb", "a%2Fb"},
    };
    for (const Row& row : rows) {
        std::string_view argument;
        const bool fit = fits(row.pattern, row.path, argument);
        EXPECT_EQ(fit, row.argument != nullptr) << row.pattern << " " << row.path;
        if (fit && row.argument != nullptr) {
            EXPECT_EQ(argument, row.argument);
        }
    }
}

/// Paths, methods, operations and token needs as api/openapi.yaml states them, read by its layout:
/// the file is ours and two-space indented, so no YAML library is needed to see its paths.
std::map<std::string, std::string> specified() {
    std::ifstream file(std::string(TAGOUT_SOURCE_DIR) + "/api/openapi.yaml");
    std::map<std::string, std::string> operations;
    std::string line;
    std::string path;
    std::string method;
    std::string operation;
    bool in_paths = false;
    while (std::getline(file, line)) {
        if (line == "paths:") {
            in_paths = true;
        } else if (line == "components:") {
            break;
        } else if (in_paths && line.starts_with("  /")) {
            path = line.substr(2, line.size() - 3);
        } else if (in_paths && (line == "    get:" || line == "    post:")) {
            method = line == "    get:" ? "GET" : "POST";
        } else if (in_paths && line.starts_with("      operationId: ")) {
            operation = line.substr(19);
            operations[operation] = method + " " + path + " open";
        } else if (in_paths && line == "      security: [{ token: [] }]") {
            operations[operation] = method + " " + path + " token";
        } else if (in_paths && line == "      security: [{ gateway: [] }]") {
            operations[operation] = method + " " + path + " gateway";
        }
    }
    return operations;
}

TEST(Routes, TheListEqualsTheSpecification) {
    std::map<std::string, std::string> listed;
    for (const Route& route : routes) {
        listed[std::string(route.operation)] = std::string(route.method) + " " +
                                               std::string(route.path) +
                                               (route.for_gateways  ? " gateway"
                                                : route.needs_token ? " token"
                                                                    : " open");
    }
    EXPECT_EQ(listed, specified());
    EXPECT_EQ(listed.size(), routes.size()) << "an operation stands twice";
}

TEST(Routes, WhatIsForGatewaysIsUnderFleetAndNothingElse) {
    for (const Route& route : routes) {
        EXPECT_FALSE(route.for_gateways && !route.needs_token) << route.operation;
        EXPECT_FALSE(route.for_gateways && !route.path.starts_with("/v1/fleet/")) << route.operation;
    }
}

TEST(Routes, EveryChangeNeedsTheToken) {
    for (const Route& route : routes) {
        const bool only_asks = route.operation == "decide";
        EXPECT_TRUE(route.method == "GET" || route.needs_token || only_asks) << route.operation;
    }
}

}  // namespace
}  // namespace tagout::server
