#include "server/admin_token.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tagout::server {

namespace {

constexpr std::string_view prefix = "tagout_";
constexpr std::size_t random_bytes = 32;
constexpr std::size_t token_bytes_min = 20;
constexpr std::size_t file_bytes_max = 512;

std::array<std::uint8_t, 32> sha256(std::string_view text) {
    std::array<std::uint8_t, crypto_hash_sha256_BYTES> digest{};
    crypto_hash_sha256(
        digest.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size()
    );
    return digest;
}

std::string fresh_token() {
    std::array<unsigned char, random_bytes> bytes{};
    randombytes_buf(bytes.data(), bytes.size());
    std::array<char, 64> text{};
    sodium_bin2base64(
        text.data(),
        text.size(),
        bytes.data(),
        bytes.size(),
        sodium_base64_VARIANT_URLSAFE_NO_PADDING
    );
    return std::string(prefix) + text.data();
}

std::unexpected<Error> system_failure(const std::string& path) {
    return fail(ErrorCode::Unavailable, path + ": " + std::strerror(errno));
}

class File {
public:
    explicit File(int descriptor) : descriptor_(descriptor) {}
    ~File() {
        if (descriptor_ >= 0) {
            close(descriptor_);
        }
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

private:
    int descriptor_;
};

Result<AdminToken> make(const std::string& path) {
    const File file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.descriptor() < 0) {
        return system_failure(path);
    }
    const std::string token = fresh_token();
    const std::string line = token + "\n";
    if (write(file.descriptor(), line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
        fsync(file.descriptor()) != 0) {
        const auto failure = system_failure(path);
        unlink(path.c_str());
        return failure;
    }
    return AdminToken{token, true};
}

Result<AdminToken> read_from(const File& file, const std::string& path) {
    struct stat facts {};
    if (fstat(file.descriptor(), &facts) != 0) {
        return system_failure(path);
    }
    if ((facts.st_mode & 077U) != 0) {
        return fail(
            ErrorCode::InvalidArgument,
            path + " can be read by others; run `chmod 600 " + path +
                "`, or remove it for a new token"
        );
    }
    std::array<char, file_bytes_max> text{};
    const ssize_t count = read(file.descriptor(), text.data(), text.size());
    if (count < 0) {
        return system_failure(path);
    }
    std::string token(text.data(), static_cast<std::size_t>(count));
    token.erase(token.find_last_not_of(" \t\r\n") + 1);
    if (token.size() < token_bytes_min || token.find_first_of(" \t\r\n") != std::string::npos) {
        return fail(ErrorCode::InvalidArgument, path + " holds no token; remove it for a new one");
    }
    return AdminToken{std::move(token), false};
}

}  // namespace

TokenVerifier::TokenVerifier(std::string_view token) : digest_(sha256(token)) {}

bool TokenVerifier::accepts(std::string_view token) const noexcept {
    const std::array<std::uint8_t, 32> digest = sha256(token);
    return sodium_memcmp(digest.data(), digest_.data(), digest.size()) == 0;
}

Result<AdminToken> load_or_make_admin_token(const std::string& path) {
    if (sodium_init() < 0) {
        return fail(ErrorCode::Unavailable, "libsodium found no source of randomness");
    }
    const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.descriptor() < 0) {
        if (errno == ENOENT) {
            return make(path);
        }
        return system_failure(path);
    }
    return read_from(file, path);
}

}  // namespace tagout::server
