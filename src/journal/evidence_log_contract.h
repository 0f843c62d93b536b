// What every EvidenceLog must do, as tests. An adapter is given to this suite as a factory; what is
// particular to it (files, retention, damage, full disks) is tested beside it. One file of a test
// program includes this and instantiates it for every adapter.
#pragma once

#include "journal/evidence_log.h"

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tagout::journal {

/// Gives an empty log. `reopen` is empty for a log that does not outlive its object.
struct EvidenceLogFactory {
    std::string name;
    std::function<std::unique_ptr<EvidenceLog>(const Clock&)> create;
    std::function<std::unique_ptr<EvidenceLog>(const Clock&)> reopen;
};

class EvidenceLogContract : public testing::TestWithParam<EvidenceLogFactory> {
protected:
    struct Said {
        std::string correlation;
        std::uint8_t trace = 0;  ///< Every byte of the trace id; 0 is none.
        int second = 0;
        std::string bytes;
        Signal signal = Signal::Traces;
        std::string resource = "resource";
    };

    static TraceId trace(std::uint8_t byte) {
        TraceId id;
        id.bytes.fill(byte);
        return id;
    }
    static Instant at(int second) { return Instant(std::chrono::seconds(1'800'000'000 + second)); }

    static std::shared_ptr<EventBatch> batch_of(const std::vector<Said>& said) {
        auto batch = std::make_shared<EventBatch>();
        for (const Said& one : said) {
            RawItem& item = batch->items.emplace_back();
            item.signal = one.signal;
            item.resource = batch->keep(one.resource);
            item.scope = batch->keep("scope");
            item.bytes = batch->keep(one.bytes);
            item.trace_id = one.trace == 0 ? TraceId{} : trace(one.trace);
            item.at = one.second < 0 ? Instant{} : at(one.second);
            item.correlation = batch->keep(one.correlation);
        }
        return batch;
    }

    Result<void> append(const std::vector<Said>& said) {
        std::promise<Result<void>> stored;
        const Result<void> queued =
            log_->append(batch_of(said), [&stored](Result<void> done) { stored.set_value(done); });
        return queued ? stored.get_future().get() : queued;
    }
    std::vector<std::string> found(std::string_view correlation, std::size_t limit = 100) {
        std::vector<std::string> texts;
        const std::vector<EvidenceItem> items = log_->find(correlation, limit).value();
        for (const EvidenceItem& item : items) {
            texts.push_back(item.bytes);
        }
        return texts;
    }
    std::vector<std::string> scanned(Instant from, Instant to) {
        std::vector<std::string> texts;
        EXPECT_TRUE(log_->scan(from, to, [&texts](const EvidenceItem& item) {
            texts.push_back(item.bytes);
            return true;
        }).has_value());
        return texts;
    }

    using Texts = std::vector<std::string>;
    ManualClock clock_{at(1'000)};
    std::unique_ptr<EvidenceLog> log_ = GetParam().create(clock_);
};

TEST_P(EvidenceLogContract, AnEmptyLogFindsNothing) {
    EXPECT_TRUE(found("c1").empty());
    EXPECT_TRUE(scanned(at(0), at(10'000)).empty());
    EXPECT_EQ(log_->stats().items, 0U);
    EXPECT_TRUE(log_->verify().value().empty());
}

TEST_P(EvidenceLogContract, ItemsAreFoundByCorrelationAndByTrace) {
    ASSERT_TRUE(append({{"c1", 1, 5, "one"}, {"c2", 2, 6, "two"}}).has_value());
    ASSERT_TRUE(append({{"c1", 3, 7, "three"}}).has_value());
    EXPECT_EQ(found("c1"), (Texts{"one", "three"}));
    EXPECT_EQ(found("c2"), (Texts{"two"}));
    EXPECT_EQ(found(to_hex(trace(1))), (Texts{"one"}));
    EXPECT_EQ(found(to_hex(trace(3))), (Texts{"three"}));
    EXPECT_TRUE(found("c3").empty());
    EXPECT_TRUE(found(to_hex(trace(9))).empty());
    EXPECT_TRUE(found("").empty());
    EXPECT_TRUE(found("c1", 0).empty());
}

TEST_P(EvidenceLogContract, AConversationHasWhatCameBeforeItWasTold) {
    const std::string first = to_hex(trace(1));
    ASSERT_TRUE(append({{first, 1, 5, "child"}, {to_hex(trace(9)), 9, 5, "stranger"}}).has_value());
    ASSERT_TRUE(append({{first, 1, 4, "elder"}, {"c1", 1, 3, "root"}}).has_value());
    ASSERT_TRUE(append({{"c1", 2, 8, "next turn"}, {"c2", 2, 9, "of another"}}).has_value());
    EXPECT_EQ(found("c1"), (Texts{"root", "elder", "child", "next turn"}));
    EXPECT_EQ(found("c1", 2), (Texts{"root", "elder"}));
    EXPECT_EQ(found("c2"), (Texts{"of another"}));
    EXPECT_EQ(found(first), (Texts{"root", "elder", "child"}));
    EXPECT_EQ(found(to_hex(trace(9))), (Texts{"stranger"}));
}

TEST_P(EvidenceLogContract, EverythingOfAnItemComesBack) {
    const std::string odd("\0\xff\x80 text", 8);
    const std::string conversation = to_hex(trace(7));  // looks like a trace id, and is none of ours
    ASSERT_TRUE(append({
        {to_hex(trace(4)), 4, 5, odd, Signal::Logs, "resource one"},
        {conversation, 5, 6, "", Signal::Traces, "resource two"},
        {"", 0, -1, "metric", Signal::Metrics, ""},
    }).has_value());
    const EvidenceItem log = log_->find(to_hex(trace(4)), 9).value().at(0);
    EXPECT_EQ(log.signal, Signal::Logs);
    EXPECT_EQ(log.trace_id, trace(4));
    EXPECT_EQ(log.at, at(5));
    EXPECT_EQ(log.correlation, to_hex(trace(4)));
    EXPECT_EQ(log.resource, "resource one");
    EXPECT_EQ(log.scope, "scope");
    EXPECT_EQ(log.bytes, odd);
    const EvidenceItem empty = log_->find(conversation, 9).value().at(0);
    EXPECT_EQ(empty.correlation, conversation);
    EXPECT_EQ(empty.trace_id, trace(5));
    EXPECT_EQ(empty.bytes, "");
    EXPECT_EQ(empty.resource, "resource two");
    EXPECT_EQ(scanned(at(0), at(10'000)), (Texts{odd, "", "metric"}));
}

TEST_P(EvidenceLogContract, TheEarliestComeFirst) {
    ASSERT_TRUE(append({{"c1", 1, 30, "late"}, {"c1", 1, 10, "early"}}).has_value());
    ASSERT_TRUE(append({{"c1", 1, 20, "middle"}}).has_value());
    EXPECT_EQ(found("c1"), (Texts{"early", "middle", "late"}));
    EXPECT_EQ(found("c1", 2), (Texts{"early", "middle"}));
}

TEST_P(EvidenceLogContract, ScanningGoesByReceiptAndByTime) {
    ASSERT_TRUE(append({{"c1", 1, 100, "first"}}).has_value());
    clock_.set(at(2'000));
    ASSERT_TRUE(append({{"c1", 1, 3'000, "second"}}).has_value());
    EXPECT_EQ(scanned(at(0), at(9'000)), (Texts{"first", "second"}));
    EXPECT_EQ(scanned(at(999), at(1'001)), (Texts{"first"}));
    EXPECT_EQ(scanned(at(99), at(101)), (Texts{"first"}));
    EXPECT_EQ(scanned(at(3'000), at(3'001)), (Texts{"second"}));
    EXPECT_TRUE(scanned(at(4'000), at(9'000)).empty());
    EXPECT_TRUE(scanned(at(101), at(999)).empty());
    int visits = 0;
    ASSERT_TRUE(log_->scan(at(0), at(9'000), [&visits](const EvidenceItem&) {
        ++visits;
        return false;
    }).has_value());
    EXPECT_EQ(visits, 1);
}

TEST_P(EvidenceLogContract, AnEmptyRequestIsAcknowledged) {
    EXPECT_TRUE(append({}).has_value());
    EXPECT_EQ(log_->stats().items, 0U);
}

TEST_P(EvidenceLogContract, ManyThreadsAppendAndFind) {
    std::atomic<int> acknowledged = 0;
    std::vector<std::thread> threads;
    for (std::uint8_t who = 1; who <= 4; ++who) {
        threads.emplace_back([this, who, &acknowledged] {
            for (int i = 0; i < 50; ++i) {
                std::promise<bool> stored;
                const Result<void> queued = log_->append(
                    batch_of({{"c" + std::to_string(who), who, i, std::to_string(i)}}),
                    [&stored](Result<void> done) { stored.set_value(done.has_value()); }
                );
                acknowledged += queued && stored.get_future().get() ? 1 : 0;
                EXPECT_EQ(found("c" + std::to_string(who)).size(), static_cast<std::size_t>(i + 1));
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(acknowledged, 200);
    EXPECT_EQ(log_->stats().items, 200U);
    EXPECT_TRUE(log_->verify().value().empty());
}

TEST_P(EvidenceLogContract, PinsAreTakenAndGivenBack) {
    ASSERT_TRUE(append({{"c1", 1, 5, "one"}}).has_value());
    EXPECT_TRUE(log_->pin("c1", "INC-1").has_value());
    EXPECT_TRUE(log_->pin("c1", "INC-1").has_value()) << "twice is once";
    EXPECT_TRUE(log_->unpin("INC-1").has_value());
    EXPECT_TRUE(log_->unpin("INC-1").has_value()) << "nothing left to give back";
    EXPECT_EQ(log_->pin("", "INC-1").error().code, ErrorCode::InvalidArgument);
}

TEST_P(EvidenceLogContract, WhatWasAcknowledgedOutlivesTheObject) {
    if (!GetParam().reopen) {
        GTEST_SKIP() << "lives in memory";
    }
    ASSERT_TRUE(append({{"c1", 1, 5, "one"}}).has_value());
    log_.reset();
    log_ = GetParam().reopen(clock_);
    ASSERT_TRUE(append({{"c1", 2, 6, "two"}}).has_value());
    log_.reset();
    log_ = GetParam().reopen(clock_);
    EXPECT_EQ(found("c1"), (Texts{"one", "two"}));
    EXPECT_EQ(found(to_hex(trace(2))), (Texts{"two"}));
    EXPECT_EQ(scanned(at(0), at(9'000)), (Texts{"one", "two"}));
    EXPECT_TRUE(log_->verify().value().empty());
}

}  // namespace tagout::journal
