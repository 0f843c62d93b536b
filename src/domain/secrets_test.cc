// What is hidden when secrets are, and how far.
#include "domain/secrets.h"

#include <gtest/gtest.h>

#include <string>

namespace tagout {
namespace {

std::string hidden(std::string_view text) {
    std::string out;
    std::size_t at = 0;
    for (const SecretPlace& place : find_secrets(text)) {
        out.append(text.substr(at, place.from - at)).append("<>");
        at = place.to;
    }
    return out.append(text.substr(at));
}

std::string letters(std::size_t count) {
    std::string made;
    while (made.size() < count) {
        made += "Ab3x";
    }
    return made.substr(0, count);
}

TEST(Secrets, AreFoundWholeWhoeverMadeThem) {
    const std::string forms[] = {
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + letters(36),
        "github_pat_" + letters(60),
        "glpat-" + letters(20),
        "xoxb-1234567890-abc",
        "sk-ant-api03-" + letters(90),
        "sk-proj-" + letters(120),
        "AIza" + letters(35),
        "rk_live_" + letters(24),
        "npm_" + letters(36),
        "hf_" + letters(34),
        "SG." + letters(22) + "." + letters(43),
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "AGE-SECRET-KEY-1" + std::string(58, 'Q'),
        "whsec_" + letters(32),
        "xapp-1-" + letters(20),
    };
    for (const std::string& form : forms) {
        EXPECT_EQ(hidden("use " + form + ", now"), "use <>, now") << form;
        EXPECT_EQ(hidden(form + "."), "<>.") << form;
    }
    EXPECT_EQ(hidden("AccountKey=" + letters(86) + "==;x"), "<>;x");
    EXPECT_EQ(hidden("send bearer " + letters(20) + " now"), "send <> now");
    EXPECT_EQ(hidden("send Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== now"), "send <> now");
    EXPECT_EQ(hidden("postgres://app:hunter22@db/x y"), "postgres<> y");
    EXPECT_EQ(hidden("Authorization: Bearer abc.def-123 x"), "<> x");
    EXPECT_EQ(hidden(R"({"authorization":"Basic QWxhZGRpbjpvcGVu"})"), R"({"<>"})");
}

TEST(Secrets, APrivateKeyEndsWithItsLastLineOrWithTheText) {
    const std::string key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----";
    EXPECT_EQ(hidden("a " + key + " b " + key), "a <> b <>");
    EXPECT_EQ(hidden("a -----BEGIN PRIVATE KEY-----\nMIIE\nmore"), "a <>");
}

TEST(Secrets, WordsAboutSecretsAreNone) {
    for (const char* text :
         {"",
          "the secretary has basic understanding",
          "bearer of news",
          "authorization is basic",
          "sk-1, sk-2 and gh_pages",
          "https://shop.example:8443/a@b",
          "trace 4bf92f3577b34da6a3ce929d0e0e4736",
          "-----BEGIN CERTIFICATE-----",
          "AKIA"}) {
        EXPECT_EQ(hidden(text), text);
    }
}

}  // namespace
}  // namespace tagout
