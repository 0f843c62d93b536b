#include "prevent/redact.h"

#include <gtest/gtest.h>

namespace tagout::prevent {
namespace {

TEST(Redact, WhatIdentifiesOrOpensIsReplacedAndTheRestStays) {
    struct Row {
        const char* name;
        const char* text;
        const char* redacted;
    };
    const Row rows[] = {
        {"an order is refunded", "Refund order ORD-4821, 49.90 EUR", "Refund order ORD-4821, 49.90 EUR"},
        {"an address", "Write to ann.lee+x@shop.example.", "Write to [email-1]."},
        {"a card", "card 4111 1111 1111 1111 please", "card [card-1] please"},
        {"digits that are no card", "order 4111111111111112", "order 4111111111111112"},
        {"a phone with a plus", "call +49 170 1234567 now", "call [phone-1] now"},
        {"a phone in groups", "(415) 555-01234, ext", "([phone-1], ext"},
        {"a date and a time", "on 2026-11-27 02:50:13", "on 2026-11-27 02:50:13"},
        {"an IP address with a port", "10.0.0.1:8321", "10.0.0.1:8321"},
        {"a key by its prefix", "use sk-abcdefghijklmnop1234.", "use [secret-1]."},
        {"a bearer token", "Authorization: Bearer abc.def-123", "Authorization: Bearer [secret-1]"},
        {"an assignment", "password=hunter2; go", "password=[secret-1]; go"},
        {"a bearer token alone", "use bearer abc.def-12345678x now", "use bearer [secret-1] now"},
        {"words", "basic understanding of the bearer", "basic understanding of the bearer"},
        {"a quoted value", "password: \"hunter 2\", x", "password: \"[secret-1]\", x"},
        {"an assigned private key",
         "private_key=-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- y",
         "private_key=[secret-1] y"},
        {"a password in a URL", "postgres://app:hunter22@db/x y", "postgres[secret-1] y"},
        {"an empty assignment", "password=, go", "password=, go"},
        {"a random word", "key QWJjRGVmR2hpSmtsTW5vcFFyc3R1dnd4eXoxMjM0", "key [secret-1]"},
        {"a trace id", "trace 4bf92f3577b34da6a3ce929d0e0e4736", "trace 4bf92f3577b34da6a3ce929d0e0e4736"},
        {"a secretary", "ask the secretary of state", "ask the secretary of state"},
        {"an at sign", "meet @ noon, a@b", "meet @ noon, a@b"},
        {"a private key",
         "x -----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- y",
         "x [secret-1] y"},
    };
    for (const Row& row : rows) {
        Redactor redactor;
        EXPECT_EQ(redactor.text(row.text), row.redacted) << row.name;
    }
}

TEST(Redact, EqualValuesStayEqualAcrossTexts) {
    Redactor redactor;
    EXPECT_EQ(redactor.text("from ann@shop.example to bob@shop.example"), "from [email-1] to [email-2]");
    EXPECT_EQ(redactor.json(R"({"to":"Ann@Shop.example"})"), R"({"to":"[email-1]"})");
    EXPECT_EQ(redactor.text("+1 415 555 0100"), "[phone-1]");
    EXPECT_EQ(redactor.json(R"({"phone":"14155550100"})"), R"({"phone":"[phone-1]"})");
    EXPECT_EQ(redactor.replaced(), 3U);
}

TEST(Redact, JsonKeepsItsBytesButForWhatIsReplaced) {
    Redactor redactor;
    EXPECT_EQ(
        redactor.json(R"({ "amount": 49.90, "order":"ORD-1", "api_key":"k1","n":[1,2.50,"a\"b"] })"),
        R"({ "amount": 49.90, "order":"ORD-1", "api_key":"[secret-1]","n":[1,2.50,"a\"b"] })"
    );
    EXPECT_EQ(redactor.json(R"({"card":4111111111111111})"), R"({"card":"[card-1]"})");
    EXPECT_EQ(redactor.json(R"([{"password":12},"x"])"), R"([{"password":"[secret-2]"},"x"])");
    EXPECT_EQ(redactor.json("no json ann@shop.example"), "no json [email-1]");
}

TEST(Redact, AnyBytesAreTaken) {
    const char* const odd[] = {
        "", "@", "+", "password=", "Bearer ", "eyJ", "\xff\xfe@x.yy", "a@", "-----BEGIN "};
    for (const char* const text : odd) {
        Redactor redactor;
        EXPECT_FALSE(redactor.text(text).find("hunter") != std::string::npos) << text;
        EXPECT_EQ(redactor.replaced() > 0, false) << text;
    }
}

}  // namespace
}  // namespace tagout::prevent
