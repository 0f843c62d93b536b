#include "app/evidence_key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace tagout::app {

namespace {

constexpr std::size_t file_bytes_max = 512;
constexpr mode_t secret_mode = 0600;
constexpr mode_t public_mode = 0644;

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int number() const noexcept { return number_; }

private:
    int number_;
};

std::unexpected<Error> system_failure(const std::string& path) {
    return fail(ErrorCode::Unavailable, path + ": " + std::strerror(errno));
}

/// Puts a whole file at `path` unless one is there: the bytes are on disk before the name is.
Result<void> publish(
    const std::string& directory, const std::string& path, const std::string& text, mode_t mode
) {
    std::string partial = path + ".new.XXXXXX";
    Result<void> done;
    {
        const Descriptor file(::mkostemp(partial.data(), O_CLOEXEC));
        if (file.number() < 0) {
            return system_failure(partial);
        }
        if (::write(file.number(), text.data(), text.size()) !=
                static_cast<ssize_t>(text.size()) ||
            ::fchmod(file.number(), mode) != 0 || ::fsync(file.number()) != 0) {
            done = system_failure(partial);
        }
    }
    // link() never replaces: of two threads or processes one wins, and the other reads the winner's.
    if (done && ::link(partial.c_str(), path.c_str()) != 0 && errno != EEXIST) {
        done = system_failure(path);
    }
    ::unlink(partial.c_str());
    const Descriptor folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (done && (folder.number() < 0 || ::fsync(folder.number()) != 0)) {
        done = system_failure(directory);
    }
    return done;
}

/// "" if there is no such file.
Result<std::string> content_of(const std::string& path, bool secret) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.number() < 0) {
        return errno == ENOENT ? Result<std::string>(std::string()) : system_failure(path);
    }
    struct stat facts {};
    if (::fstat(file.number(), &facts) != 0) {
        return system_failure(path);
    }
    if (secret && (facts.st_mode & 077U) != 0) {
        return fail(
            ErrorCode::InvalidArgument,
            path + " can be read by others; run `chmod 600 " + path +
                "`, or move it away for a new key"
        );
    }
    std::array<char, file_bytes_max> text{};
    const ssize_t count = ::read(file.number(), text.data(), text.size());
    if (count < 0) {
        return system_failure(path);
    }
    if (count == 0) {
        return fail(ErrorCode::InvalidArgument, path + " is empty; move it away for a new key");
    }
    return std::string(text.data(), static_cast<std::size_t>(count));
}

}  // namespace

Result<verify::SigningKey> load_or_make_evidence_key(const std::string& data_dir) {
    const std::string key_path = data_dir + "/evidence.key";
    const std::string public_path = data_dir + "/evidence.pub";
    std::string text = TAGOUT_TRY(content_of(key_path, true));
    if (text.empty()) {
        const verify::SigningKey fresh = verify::SigningKey::make();
        TAGOUT_TRY(publish(data_dir, key_path, fresh.to_text() + "\n", secret_mode));
        text = TAGOUT_TRY(content_of(key_path, true));
    }
    Result<verify::SigningKey> key = verify::SigningKey::parse(text);
    if (!key) {
        return fail(
            ErrorCode::InvalidArgument,
            key_path + " holds " + key.error().message + "; move it away for a new key"
        );
    }
    const std::string wanted = verify::to_text(key->public_key()) + "\n";
    std::string known = TAGOUT_TRY(content_of(public_path, false));
    if (known.empty()) {
        TAGOUT_TRY(publish(data_dir, public_path, wanted, public_mode));
        known = TAGOUT_TRY(content_of(public_path, false));
    }
    if (known != wanted) {
        return fail(
            ErrorCode::InvalidArgument,
            public_path + " is not the public half of " + key_path +
                "; packs signed now would be called forged. Move evidence.pub away if the key is right"
        );
    }
    return key;
}

}  // namespace tagout::app
