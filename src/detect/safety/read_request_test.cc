// Requests that ask to be told something, and those that ask for an act.
#include "detect/safety/read_request.h"

#include <gtest/gtest.h>

namespace tagout::detect {
namespace {

TEST(ReadRequest, AsksOnlyToBeTold) {
    for (const char* const request : {
             "Read the latest email from a.b@c.example about the project.",
             "What is my balance, and which payments are due?",
             "Can you find SMS messages I received last week that contain the word 'discount'?",
             "Show me the comments of the last order",
             "Can you give me the details of the user 'bob', please?",
         }) {
        EXPECT_TRUE(asks_only_to_read(request)) << request;
    }
}

TEST(ReadRequest, WhatElseLeavesItOpen) {
    for (const char* const request : {
             "Read the bill and pay it",
             "Find the report and email it to my team",
             "Email Bob what you find",
             "Please call whoever is on the list",
             "Show me the list. Then message them",
             "Book what you find",
             "Look into the list and give all of them access",
             "Sort my mail and tell me what matters",
             "Hello there",
             "",
             "Lies die letzte Nachricht",
         }) {
        EXPECT_FALSE(asks_only_to_read(request)) << request;
    }
}

}  // namespace
}  // namespace tagout::detect
