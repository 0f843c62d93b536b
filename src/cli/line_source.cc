#include "cli/line_source.h"

#include <sys/stat.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace tagout::cli {

namespace {

std::string why(gzFile file) {
    int code = Z_OK;
    const char* const text = gzerror(file, &code);
    return code == Z_ERRNO ? std::strerror(errno) : text;
}

}  // namespace

struct LineSource::State {
    State(gzFile opened, std::uint64_t bytes) : file(opened), size(bytes) {}
    ~State() { gzclose(file); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    /// False at the end of the file.
    Result<bool> fill() {
        const int count = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()));
        if (count < 0) {
            return fail(ErrorCode::Corrupt, "line " + std::to_string(lines + 1) + ": " + why(file));
        }
        begin = 0;
        end = static_cast<std::size_t>(count);
        return count > 0;
    }

    gzFile file;
    std::uint64_t size;
    std::uint64_t lines = 0;
    std::array<char, 256 * 1024> buffer{};
    std::size_t begin = 0;
    std::size_t end = 0;
};

LineSource::LineSource(std::unique_ptr<State> state) : state_(std::move(state)) {}
LineSource::~LineSource() = default;
LineSource::LineSource(LineSource&&) noexcept = default;
LineSource& LineSource::operator=(LineSource&&) noexcept = default;

Result<LineSource> LineSource::open(const std::string& path) {
    struct stat facts {};
    if (stat(path.c_str(), &facts) != 0) {
        return fail(ErrorCode::NotFound, path + ": " + std::strerror(errno));
    }
    if (S_ISDIR(facts.st_mode)) {
        return fail(ErrorCode::InvalidArgument, path + " is a folder; name the files in it");
    }
    const gzFile file = gzopen(path.c_str(), "rb");
    if (file == nullptr) {
        return fail(ErrorCode::NotFound, path + ": " + std::strerror(errno));
    }
    gzbuffer(file, 128 * 1024);
    return LineSource(std::make_unique<State>(file, static_cast<std::uint64_t>(facts.st_size)));
}

Result<bool> LineSource::next(Line& line) {
    State& state = *state_;
    line.text.clear();
    line.too_long = false;
    bool any = false;
    while (true) {
        if (state.begin == state.end && !TAGOUT_TRY(state.fill())) {
            break;
        }
        any = true;
        const char* const from = state.buffer.data() + state.begin;
        const std::size_t left = state.end - state.begin;
        const auto* const stop = static_cast<const char*>(std::memchr(from, '\n', left));
        const std::size_t length = stop != nullptr ? static_cast<std::size_t>(stop - from) : left;
        if (line.text.size() + length > line_bytes_max) {
            line.too_long = true;
            line.text.clear();
        }
        if (!line.too_long) {
            line.text.append(from, length);
        }
        state.begin += length + (stop != nullptr ? 1 : 0);
        if (stop != nullptr) {
            break;
        }
    }
    if (any) {
        line.number = ++state.lines;
    }
    return any;
}

std::uint64_t LineSource::consumed() const {
    const z_off_t offset = gzoffset(state_->file);
    return offset < 0 ? 0 : static_cast<std::uint64_t>(offset);
}

std::uint64_t LineSource::size() const {
    return state_->size;
}

Result<std::string> read_whole(const std::string& path, std::size_t bytes_max) {
    std::string whole;
    const gzFile file = gzopen(path.c_str(), "rb");
    if (file == nullptr) {
        return fail(ErrorCode::NotFound, path + ": " + std::strerror(errno));
    }
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> owner(file, gzclose);
    std::array<char, 256 * 1024> buffer{};
    while (true) {
        const int count = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()));
        if (count < 0) {
            return fail(ErrorCode::Corrupt, path + ": " + why(file));
        }
        if (count == 0) {
            return whole;
        }
        if (whole.size() + static_cast<std::size_t>(count) > bytes_max) {
            return fail(
                ErrorCode::LimitExceeded,
                path + " is over " + std::to_string(bytes_max / (1024 * 1024)) + " MiB; split it"
            );
        }
        whole.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

}  // namespace tagout::cli
