#include "gateway/fleet/record_spool.h"

#include "base/log.h"
#include "gateway/fleet/files.h"

#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <memory>

namespace tagout::gateway {

namespace {

constexpr std::string_view suffix = ".batch";
constexpr std::size_t name_bytes_max = 64;

std::string fresh_name() {
    std::array<unsigned char, 8> bytes{};
    randombytes_buf(bytes.data(), bytes.size());
    std::array<char, 17> hex{};
    sodium_bin2hex(hex.data(), hex.size(), bytes.data(), bytes.size());
    return hex.data();
}

/// "12-34.batch": number and calls.
bool numbers_of(std::string_view file, std::uint64_t& number, std::uint64_t& calls) {
    if (!file.ends_with(suffix)) {
        return false;
    }
    file.remove_suffix(suffix.size());
    const std::size_t dash = file.find('-');
    if (dash == file.npos) {
        return false;
    }
    const auto read = [](std::string_view text, std::uint64_t& value) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        return error == std::errc{} && end == text.data() + text.size();
    };
    return read(file.substr(0, dash), number) && read(file.substr(dash + 1), calls);
}

}  // namespace

Result<std::unique_ptr<RecordSpool>> RecordSpool::open(
    const std::string& folder, std::uint64_t bytes_most
) {
    TAGOUT_TRY(make_folder(folder));
    std::unique_ptr<RecordSpool> spool(new RecordSpool(folder, bytes_most));
    const MutexLock lock(spool->mutex_);
    // A spool that was emptied by hand is another one: its numbers begin anew.
    if (auto name = TAGOUT_TRY(read_file(folder + "/name", name_bytes_max)); name && !name->empty()) {
        spool->name_ = std::move(*name);
    } else {
        spool->name_ = fresh_name();
        TAGOUT_TRY(write_file(folder + "/name", spool->name_));
    }
    if (const auto next = TAGOUT_TRY(read_file(folder + "/next", name_bytes_max))) {
        std::from_chars(next->data(), next->data() + next->size(), spool->next_);
    }
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        Row row;
        if (numbers_of(entry.path().filename().string(), row.number, row.calls)) {
            row.bytes = entry.file_size(error);
            spool->bytes_ += row.bytes;
            spool->next_ = std::max(spool->next_, row.number + 1);
            spool->rows_.push_back(row);
        }
    }
    if (error) {
        return fail(ErrorCode::Unavailable, folder + ": " + error.message());
    }
    std::ranges::sort(spool->rows_, {}, &Row::number);
    return spool;
}

std::string RecordSpool::path_of(const Row& row) const {
    return folder_ + "/" + std::to_string(row.number) + "-" + std::to_string(row.calls) +
           std::string(suffix);
}

void RecordSpool::drop_front(std::string_view why) {
    const Row row = rows_.front();
    rows_.pop_front();
    ::unlink(path_of(row).c_str());
    bytes_ -= std::min(bytes_, row.bytes);
    dropped_ += row.calls;
    log::error(
        "records_dropped", {{"why", why}, {"batch", row.number}, {"calls", row.calls}}
    );
}

Result<void> RecordSpool::put(std::string_view text, std::uint64_t calls) {
    const MutexLock lock(mutex_);
    const Row row{next_, text.size(), calls};
    Result<void> written =
        text.size() > batch_bytes_max
            ? fail(
                  ErrorCode::LimitExceeded,
                  "a batch of records is longer than " + std::to_string(batch_bytes_max) + " bytes"
              )
            : write_file(path_of(row), text);
    if (!written) {
        dropped_ += calls;
        log::error("records_dropped", {{"why", written.error().message}, {"calls", calls}});
        return written;
    }
    ++next_;
    // Also when all batches are gone at the next start, no number is given twice.
    if (const Result<void> kept = write_file(folder_ + "/next", std::to_string(next_)); !kept) {
        log::warn("spool_number_not_kept", {{"error", kept.error().message}});
    }
    rows_.push_back(row);
    bytes_ += row.bytes;
    while (rows_.size() > batches_max || (bytes_ > bytes_most_ && rows_.size() > 1)) {
        drop_front("more wait for the control server than may be kept");
    }
    return {};
}

std::optional<RecordSpool::Batch> RecordSpool::oldest() {
    const MutexLock lock(mutex_);
    while (!rows_.empty()) {
        auto text = read_file(path_of(rows_.front()), batch_bytes_max);
        if (text && *text) {
            return Batch{rows_.front().number, std::move(**text)};
        }
        drop_front(text ? "its file is gone" : text.error().message);
    }
    return std::nullopt;
}

void RecordSpool::done(std::uint64_t number) {
    const MutexLock lock(mutex_);
    const auto found = std::ranges::find(rows_, number, &Row::number);
    if (found != rows_.end()) {
        ::unlink(path_of(*found).c_str());
        bytes_ -= std::min(bytes_, found->bytes);
        rows_.erase(found);
    }
}

std::size_t RecordSpool::waiting() const {
    const MutexLock lock(mutex_);
    return rows_.size();
}

std::uint64_t RecordSpool::dropped_calls() const {
    const MutexLock lock(mutex_);
    return dropped_;
}

}  // namespace tagout::gateway
