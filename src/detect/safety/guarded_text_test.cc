// Places and secrets in arguments, alone and in whole sessions.
#include "detect/safety/guarded_text.h"

#include "detect/testing/runner.h"
#include "detect/testing/story.h"

#include <gtest/gtest.h>

#include <string>

namespace tagout::detect {
namespace {

/// Put together here, so that no scanner takes a test for a leak.
const std::string github_token =
    "ghp" + std::string("_") + std::string(18, 'a') + std::string(18, '7');
const std::string private_key =
    "-----BEGIN OPENSSH " + std::string("PRIVATE KEY-----\\nb3Blb\\n") + "-----END OPENSSH";

std::shared_ptr<const catalog::Catalog> office() {
    catalog::Contents contents;
    const auto add = [&](const char* name, ToolEffect effect) {
        catalog::Tool tool;
        tool.name = ToolName(name);
        tool.effect = effect;
        contents.tools.push_back(tool);
    };
    add("files.get", ToolEffect::Read);
    add("files.put", ToolEffect::Write);
    add("mail.send", ToolEffect::Egress);
    return std::make_shared<const catalog::Catalog>(std::move(contents));
}

struct Row {
    const char* name;
    const char* said;
    const char* tool;
    std::string arguments;
    std::string signal;  ///< "" for none.
};

TEST(GuardedText, WhatFiresAndWhatMustNot) {
    const Row rows[] = {
        {"the metadata address",
         "Fetch the page",
         "files.get",
         R"({"url":"http://169.254.169.254/latest/meta-data/iam"})",
         "safety.sensitive_endpoint"},
        {"a password file",
         "Read my notes",
         "files.get",
         R"({"path":"/etc/shadow"})",
         "safety.sensitive_endpoint"},
        {"a public key", "Show my key", "files.get", R"({"path":"id_rsa.pub"})", ""},
        {"a longer name", "Read my notes", "files.get", R"({"path":"/etc/shadowy/notes"})", ""},
        {"a place that the user named",
         "Read /etc/shadow for me",
         "files.get",
         R"({"path":"/etc/shadow"})",
         ""},
        {"a token in a mail",
         "Write to Bob",
         "mail.send",
         R"({"body":"it is )" + github_token + "\"}",
         "safety.secret_leaving"},
        {"a private key in a mail",
         "Write to Bob",
         "mail.send",
         R"({"body":")" + private_key + "\"}",
         "safety.secret_leaving"},
        {"a token that stays in the house",
         "Note it",
         "files.put",
         R"({"text":")" + github_token + "\"}",
         ""},
        {"a password in a URL",
         "Fetch it",
         "files.get",
         R"({"url":"https://ann:hunter22@db.example/x"})",
         "safety.secret_leaving"},
        {"a canary, wherever",
         "Note it",
         "files.put",
         R"({"text":"wombat-77-canary"})",
         "safety.secret_leaving"},
        {"words about secrets",
         "Write to Bob",
         "mail.send",
         R"({"body":"the private key and the password are safe"})",
         ""},
    };
    Settings settings;
    settings.safety.canaries = {"wombat-77-canary"};
    for (const Row& row : rows) {
        Story s;
        s.session("one", "clerk", "office");
        s.user(row.said);
        s.model();
        s.tool(row.tool, row.arguments, "ok");
        s.end();
        const RunResult result = run(s.events, settings, office());
        for (const char* signal : {"safety.sensitive_endpoint", "safety.secret_leaving"}) {
            EXPECT_EQ(result.of(signal).size(), row.signal == signal ? 1U : 0U)
                << row.name << " " << signal;
        }
        for (const auto& [id, finding] : result.findings) {
            EXPECT_EQ(finding.evidence.find("aaaaaaaa7"), std::string::npos) << finding.evidence;
            EXPECT_EQ(finding.evidence.find("b3Blb"), std::string::npos) << finding.evidence;
            EXPECT_EQ(finding.evidence.find("wombat"), std::string::npos) << finding.evidence;
            EXPECT_EQ(finding.evidence.find("hunter22"), std::string::npos) << finding.evidence;
        }
    }
}

TEST(GuardedText, ASecretThatTheUserTypedMayBeSent) {
    Story s;
    s.session("one", "clerk", "office");
    s.user("Send Bob this token: " + github_token);
    s.model();
    s.tool("mail.send", R"({"body":")" + github_token + "\"}", "ok");
    s.end();
    EXPECT_TRUE(run(s.events, Settings{}, office()).of("safety.secret_leaving").empty());
}

TEST(GuardedText, RedactsSecretsAndLeavesTheRest) {
    SafetySettings settings;
    settings.canaries = {"wombat-77"};
    GuardedText guarded(settings);
    EXPECT_EQ(
        guarded.redact("nothing here, not even /etc/shadow"), "nothing here, not even /etc/shadow"
    );
    EXPECT_EQ(guarded.redact("a " + github_token + " b"), "a [a GitHub token, 40 bytes] b");
    EXPECT_EQ(guarded.redact("x wombat-77"), "x [a canary, 9 bytes]");
    EXPECT_EQ(guarded.redact(""), "");
}

}  // namespace
}  // namespace tagout::detect
