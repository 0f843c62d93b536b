// RequestLessons: what the good sessions of each workflow were asked, as features without words.
//
// Of each workflow a sample of at most requests_max different requests is kept. Which ones, only
// their features and times decide, so that shards, workers and restarts that saw the same requests
// in any order keep the same sample: merge() is commutative and associative. Newer requests are the
// likelier to stay: after half_life a request is half as likely as one of today.
//
// Thread-compatible; a value. Bounds: workflows_max times requests_max requests of about 75
// features, 150 bytes; 29 KiB a workflow that is asked many different things, at most
// requests_bytes_max. Requests of workflows beyond workflows_max are counted and not kept. Cost:
// learn() about 2 us, most of it features.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "detect/intent/request_features.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::detect {

struct LearnedRequest {
    std::uint64_t kind = 0;   ///< Hash of its features: alike but for a number, it teaches nothing.
    std::int64_t second = 0;  ///< When it was last asked, since 1970.
    RequestFeatures features;
};

class RequestLessons {
public:
    static constexpr std::size_t workflows_max = 256;
    static constexpr std::size_t requests_max = 192;
    static constexpr Duration half_life = std::chrono::hours(24 * 30);
    static constexpr std::size_t requests_bytes_max =
        workflows_max * requests_max * request_features_max * sizeof(std::uint16_t);

    using Workflows = std::map<std::string, std::vector<LearnedRequest>, std::less<>>;

    void learn(std::string_view workflow, std::string_view text, Instant at);
    void merge(const RequestLessons& other);
    void forget(std::string_view workflow);
    /// Forgets `workflow` and learns what request_lines() told of one. Lines that make no sense are
    /// left out and counted as refused.
    void adopt(std::string_view workflow, std::span<const std::string> lines);

    [[nodiscard]] const Workflows& workflows() const noexcept { return workflows_; }
    /// 0 if nothing is known of it.
    [[nodiscard]] std::size_t requests_of(std::string_view workflow) const;
    /// Grows by one whenever what is kept changes.
    [[nodiscard]] std::uint64_t changes() const noexcept { return changes_; }
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    friend Result<RequestLessons> parse_request_lessons(std::string_view bytes);
    bool keep(std::string_view workflow, LearnedRequest request);

    Workflows workflows_;  ///< Requests in order of their kind.
    std::uint64_t changes_ = 0;
    std::uint64_t refused_ = 0;
    std::size_t bytes_ = 0;
};

[[nodiscard]] std::string to_bytes(const RequestLessons& lessons);
/// What is known of `workflow`, a request a line in hexadecimal digits, newest first; its name is
/// not in it.
[[nodiscard]] std::vector<std::string> request_lines(
    const RequestLessons& lessons, std::string_view workflow
);
/// Corrupt: the bytes are not what to_bytes() writes; the message says where they stop making
/// sense.
[[nodiscard]] Result<RequestLessons> parse_request_lessons(std::string_view bytes);

}  // namespace tagout::detect
