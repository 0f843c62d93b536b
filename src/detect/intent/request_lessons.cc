#include "detect/intent/request_lessons.h"

#include "detect/hash.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <cmath>
#include <span>
#include <utility>

namespace tagout::detect {

namespace {

constexpr std::uint32_t format_mark = 0x31'4c51'52;  // "RQL1"

/// Who stays when room runs out: the highest. A sample weighted by age (Efraimidis, Spirakis:
/// "Weighted random sampling with a reservoir", 2006) whose chance is the text's hash.
double rank_of(const LearnedRequest& request) {
    const double chance = (static_cast<double>(request.kind >> 11) + 0.5) * 0x1.0p-53;
    const double half_lives = static_cast<double>(request.second) /
                              std::chrono::duration<double>(RequestLessons::half_life).count();
    return half_lives - std::log2(-std::log2(chance));
}

std::size_t bytes_of(const LearnedRequest& request) {
    return sizeof(LearnedRequest) + request.features.size() * sizeof(std::uint16_t);
}

void write_number(std::string& out, std::uint64_t value) {
    while (value >= 0x80) {
        out += static_cast<char>(value | 0x80);
        value >>= 7;
    }
    out += static_cast<char>(value);
}

/// After the first nonsense everything reads as zero and `broken` holds.
class NumberReader {
public:
    explicit NumberReader(std::string_view bytes) : bytes_(bytes) {}

    std::uint64_t number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && at < bytes_.size(); shift += 7) {
            const auto byte = static_cast<std::uint8_t>(bytes_[at++]);
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if ((byte & 0x80) == 0) {
                return value;
            }
        }
        broken = true;
        return 0;
    }
    std::uint64_t number_below(std::uint64_t bound) {
        const std::uint64_t value = number();
        broken = broken || value >= bound;
        return broken ? 0 : value;
    }
    std::string text(std::size_t bytes_max) {
        const std::uint64_t size = number_below(bytes_max + 1);
        if (size > bytes_.size() - at) {
            broken = true;
        }
        if (broken) {
            return {};
        }
        at += size;
        return std::string(bytes_.substr(at - size, size));
    }
    [[nodiscard]] bool at_end() const noexcept { return at == bytes_.size(); }

    std::size_t at = 0;
    bool broken = false;

private:
    std::string_view bytes_;
};

void write_request(std::string& out, const LearnedRequest& request) {
    write_number(out, request.kind);
    write_number(out, static_cast<std::uint64_t>(request.second));
    write_number(out, request.features.size());
    std::uint64_t before = 0;
    for (const std::uint16_t feature : request.features) {
        write_number(out, feature - before);
        before = feature;
    }
}

/// None, and the reader is broken, where it makes no sense.
std::optional<LearnedRequest> read_request(NumberReader& reader) {
    constexpr std::uint64_t second_max = 1ULL << 40;
    LearnedRequest request{.kind = reader.number(), .second = 0, .features = {}};
    request.second = static_cast<std::int64_t>(reader.number_below(second_max));
    std::uint64_t feature = 0;
    const auto features = reader.number_below(request_features_max + 1);
    for (std::uint64_t i = 0; i < features && !reader.broken; ++i) {
        const std::uint64_t step = reader.number_below(request_buckets - feature);
        reader.broken = reader.broken || (i > 0 && step == 0);
        feature += step;
        request.features.push_back(static_cast<std::uint16_t>(feature));
    }
    return reader.broken ? std::nullopt : std::optional(std::move(request));
}

constexpr std::string_view hex_digits = "0123456789abcdef";

std::string hex_of(std::string_view bytes) {
    std::string hex;
    hex.reserve(bytes.size() * 2);
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        hex += hex_digits[value >> 4U];
        hex += hex_digits[value & 15U];
    }
    return hex;
}

/// Up to what is no digit.
std::string bytes_of_hex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        const std::size_t high = hex_digits.find(hex[i]);
        const std::size_t low = hex_digits.find(hex[i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) {
            break;
        }
        bytes += static_cast<char>(high << 4U | low);
    }
    return bytes;
}

}  // namespace

bool RequestLessons::keep(std::string_view workflow, LearnedRequest request) {
    auto found = workflows_.find(workflow);
    if (found == workflows_.end()) {
        if (workflows_.size() >= workflows_max) {
            ++refused_;
            return false;
        }
        found = workflows_.emplace(std::string(workflow), std::vector<LearnedRequest>{}).first;
    }
    std::vector<LearnedRequest>& kept = found->second;
    const auto place = std::ranges::lower_bound(kept, request.kind, {}, &LearnedRequest::kind);
    if (place != kept.end() && place->kind == request.kind) {
        place->second = std::max(place->second, request.second);
        return false;
    }
    bytes_ += bytes_of(request);
    const std::uint64_t kind = request.kind;
    kept.insert(place, std::move(request));
    if (kept.size() <= requests_max) {
        return true;
    }
    const auto lowest = std::ranges::min_element(kept, {}, rank_of);
    const bool stays = lowest->kind != kind;
    bytes_ -= bytes_of(*lowest);
    kept.erase(lowest);
    return stays;
}

void RequestLessons::learn(std::string_view workflow, std::string_view text, Instant at) {
    LearnedRequest request{
        .kind = 0,
        .second = std::max<std::int64_t>(unix_nanos(at) / 1'000'000'000, 0),
        .features = request_features(text)};
    const auto bytes = std::as_bytes(std::span(request.features));
    request.kind = hash_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    if (!workflow.empty() && !request.features.empty() && keep(workflow, std::move(request))) {
        ++changes_;
    }
}

void RequestLessons::merge(const RequestLessons& other) {
    for (const auto& [workflow, requests] : other.workflows_) {
        for (const LearnedRequest& request : requests) {
            changes_ += keep(workflow, request) ? 1 : 0;
        }
    }
    refused_ += other.refused_;
}

void RequestLessons::forget(std::string_view workflow) {
    const auto found = workflows_.find(workflow);
    if (found == workflows_.end()) {
        return;
    }
    for (const LearnedRequest& request : found->second) {
        bytes_ -= bytes_of(request);
    }
    workflows_.erase(found);
    ++changes_;
}

std::size_t RequestLessons::requests_of(std::string_view workflow) const {
    const auto found = workflows_.find(workflow);
    return found == workflows_.end() ? 0 : found->second.size();
}

void RequestLessons::adopt(std::string_view workflow, std::span<const std::string> lines) {
    forget(workflow);
    for (const std::string& line : lines) {
        const std::string bytes = bytes_of_hex(line);
        NumberReader reader(bytes);
        std::optional<LearnedRequest> request = read_request(reader);
        if (!request || !reader.at_end()) {
            ++refused_;
        } else {
            changes_ += keep(workflow, std::move(*request)) ? 1 : 0;
        }
    }
}

std::vector<std::string> request_lines(const RequestLessons& lessons, std::string_view workflow) {
    const auto found = lessons.workflows().find(workflow);
    if (found == lessons.workflows().end()) {
        return {};
    }
    std::vector<const LearnedRequest*> requests;
    for (const LearnedRequest& request : found->second) {
        requests.push_back(&request);
    }
    std::ranges::stable_sort(requests, std::greater{}, &LearnedRequest::second);
    std::vector<std::string> lines;
    for (const LearnedRequest* const request : requests) {
        std::string bytes;
        write_request(bytes, *request);
        lines.push_back(hex_of(bytes));
    }
    return lines;
}

std::string to_bytes(const RequestLessons& lessons) {
    std::string out;
    write_number(out, format_mark);
    write_number(out, lessons.workflows().size());
    for (const auto& [workflow, requests] : lessons.workflows()) {
        write_number(out, workflow.size());
        out += workflow;
        write_number(out, requests.size());
        for (const LearnedRequest& request : requests) {
            write_request(out, request);
        }
    }
    return out;
}

Result<RequestLessons> parse_request_lessons(std::string_view bytes) {
    constexpr std::size_t name_bytes_max = 4'096;
    NumberReader reader(bytes);
    RequestLessons lessons;
    reader.broken = reader.number() != format_mark || reader.broken;
    for (auto left = reader.number_below(RequestLessons::workflows_max + 1);
         left > 0 && !reader.broken;
         --left) {
        const std::string workflow = reader.text(name_bytes_max);
        for (auto requests = reader.number_below(RequestLessons::requests_max + 1);
             requests > 0 && !reader.broken;
             --requests) {
            if (std::optional<LearnedRequest> request = read_request(reader)) {
                lessons.keep(workflow, std::move(*request));
            }
        }
    }
    if (reader.broken || !reader.at_end()) {
        return std::unexpected(Error{
            ErrorCode::Corrupt,
            "learned requests make no sense at byte " + std::to_string(reader.at) + " of " +
                std::to_string(bytes.size()) + ": take a version from before"});
    }
    lessons.changes_ = 1;
    return lessons;
}

}  // namespace tagout::detect
