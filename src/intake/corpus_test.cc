// The fuzzers' seeds, tried in every test run: what a fuzzer once found stays found.
// UPDATE_GOLDEN=1 writes the protobuf seeds anew; the JSON ones are written by hand.

#include "intake/json_request.h"
#include "intake/wire_oracle.h"
#include "intake/wire_random.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace tagout::intake {
namespace {

namespace fs = std::filesystem;

constexpr Signal signals[] = {Signal::Traces, Signal::Logs, Signal::Metrics};

fs::path corpus_of(const char* fuzzer) {
    return fs::path(TAGOUT_SOURCE_DIR) / "fuzz" / "corpus" / fuzzer;
}

/// Path and contents; the first byte of a seed is its signal.
std::vector<std::pair<std::string, std::string>> seeds_of(const char* fuzzer) {
    std::vector<std::pair<std::string, std::string>> seeds;
    for (const auto& entry : fs::directory_iterator(corpus_of(fuzzer))) {
        std::ifstream file(entry.path(), std::ios::binary);
        seeds.emplace_back(
            entry.path().filename().string(), std::string(std::istreambuf_iterator<char>(file), {})
        );
    }
    return seeds;
}

Signal signal_of(const std::string& seed) {
    return signals[static_cast<std::uint8_t>(seed.at(0)) % 3];
}

TEST(FuzzCorpus, ProtobufSeedsAreReadLikeLibprotobuf) {
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {
        for (std::size_t index = 0; index < 12; ++index) {
            const Signal signal = signals[index % 3];
            const std::string seed =
                static_cast<char>('0' + index % 3) +
                oracle::RandomRequests(100 + index).request(signal).substr(0, 600);
            const std::string name = std::string(name_of(signal)) + "_" + std::to_string(index);
            std::ofstream(corpus_of("wire_fuzz") / name, std::ios::binary) << seed;
        }
    }
    const auto seeds = seeds_of("wire_fuzz");
    EXPECT_GE(seeds.size(), 10U);
    for (const auto& [name, seed] : seeds) {
        EXPECT_EQ(oracle::disagreement(seed.substr(1), signal_of(seed)), "") << name;
    }
}

TEST(FuzzCorpus, JsonSeedsBecomeProtobufOrAreToldWhy) {
    const auto seeds = seeds_of("json_fuzz");
    EXPECT_GE(seeds.size(), 5U);
    std::size_t taken = 0;
    for (const auto& [name, seed] : seeds) {
        SCOPED_TRACE(name);
        const PaddedBytes json = PaddedBytes::copy_of(std::string_view(seed).substr(1));
        const auto made = transcode_json(json.view(), signal_of(seed), {});
        if (made) {
            ++taken;
            EXPECT_EQ(oracle::disagreement(made->bytes.view(), signal_of(seed)), "");
        } else {
            EXPECT_FALSE(made.error().message.empty());
        }
    }
    EXPECT_GE(taken, 4U);
}

}  // namespace
}  // namespace tagout::intake
