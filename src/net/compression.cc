#include "net/compression.h"

#include "base/assert.h"
#include "net/url.h"

#include <libdeflate.h>
#include <zstd.h>
#include <algorithm>

namespace tagout::net {

namespace {

constexpr std::size_t deflate_ratio_max = 1032;  // Of the format itself: 258 bytes from 2 bits.
constexpr std::size_t first_guess_ratio = 4;     // Telemetry as a rule compresses about so far.
constexpr int zstd_window_log_max = 23;
constexpr int gzip_level = 6;

enum class Wrapper : std::uint8_t { Gzip, Zlib, Bare };

struct InflaterEnd {
    void operator()(libdeflate_decompressor* each) const { libdeflate_free_decompressor(each); }
    void operator()(libdeflate_compressor* each) const { libdeflate_free_compressor(each); }
    void operator()(ZSTD_DCtx* each) const { ZSTD_freeDCtx(each); }
};

libdeflate_decompressor* inflater() {
    thread_local const std::unique_ptr<libdeflate_decompressor, InflaterEnd> mine(
        libdeflate_alloc_decompressor()
    );
    TAGOUT_ASSERT(mine != nullptr, "libdeflate gives nothing only when memory is out");
    return mine.get();
}

ZSTD_DCtx* zstd_context() {
    thread_local const std::unique_ptr<ZSTD_DCtx, InflaterEnd> mine(ZSTD_createDCtx());
    TAGOUT_ASSERT(mine != nullptr, "zstd gives nothing only when memory is out");
    ZSTD_DCtx_reset(mine.get(), ZSTD_reset_session_and_parameters);
    ZSTD_DCtx_setParameter(mine.get(), ZSTD_d_windowLogMax, zstd_window_log_max);
    return mine.get();
}

std::unexpected<Error> too_large(std::size_t bytes_max) {
    return fail(
        ErrorCode::LimitExceeded,
        "the decompressed body is larger than " + std::to_string(bytes_max) +
            " bytes; send smaller batches"
    );
}

std::unexpected<Error> damaged(std::string_view encoding) {
    return fail(
        ErrorCode::InvalidArgument,
        "the body is not valid " + std::string(encoding) + ", though its content encoding says so"
    );
}

struct Inflated {
    libdeflate_result result = LIBDEFLATE_BAD_DATA;
    std::size_t eaten = 0;
    std::size_t made = 0;
};

Inflated inflate_once(std::string_view in, Wrapper wrapper, char* out, std::size_t room) {
    Inflated done;
    const auto call = wrapper == Wrapper::Gzip   ? libdeflate_gzip_decompress_ex
                      : wrapper == Wrapper::Zlib ? libdeflate_zlib_decompress_ex
                                                 : libdeflate_deflate_decompress_ex;
    done.result = call(inflater(), in.data(), in.size(), out, room, &done.eaten, &done.made);
    return done;
}

/// The size that the last four bytes of a gzip body claim (RFC 1952 2.3.1), modulo 2^32; untrusted.
std::size_t claimed_size(std::string_view body) {
    std::size_t size = 0;
    for (std::size_t i = 0; body.size() >= 18 && i < 4; ++i) {
        const auto byte = static_cast<unsigned char>(body[body.size() - 4 + i]);
        size |= static_cast<std::size_t>(byte) << (8 * i);
    }
    return size;
}

bool looks_like_zlib(std::string_view body) {  // RFC 1950 2.2
    if (body.size() < 2) {
        return false;
    }
    const auto method = static_cast<unsigned char>(body[0]);
    const auto flags = static_cast<unsigned char>(body[1]);
    return (method & 0x0fU) == 8 && (method * 256U + flags) % 31 == 0;
}

/// One gzip member after the other (RFC 1952 2.2), or one deflate stream, of unknown size.
Result<PaddedBytes> inflate_growing(
    std::string_view in, Wrapper wrapper, std::string_view encoding, std::size_t bytes_max
) {
    std::size_t room =
        std::min(bytes_max, std::max<std::size_t>(in.size() * first_guess_ratio, 4096));
    std::unique_ptr<char[]> out = std::make_unique_for_overwrite<char[]>(room);
    std::size_t made = 0;
    while (!in.empty()) {
        const Inflated step = inflate_once(in, wrapper, out.get() + made, room - made);
        if (step.result == LIBDEFLATE_INSUFFICIENT_SPACE) {
            if (room >= bytes_max) {
                return too_large(bytes_max);
            }
            room = std::min(bytes_max, room * 2);
            std::unique_ptr<char[]> larger = std::make_unique_for_overwrite<char[]>(room);
            std::copy_n(out.get(), made, larger.get());
            out = std::move(larger);
            continue;
        }
        if (step.result != LIBDEFLATE_SUCCESS || step.eaten == 0 ||
            (wrapper != Wrapper::Gzip && step.eaten != in.size())) {
            return damaged(encoding);
        }
        made += step.made;
        in.remove_prefix(step.eaten);
    }
    return PaddedBytes::copy_of({out.get(), made});
}

Result<PaddedBytes> gunzip(std::string_view in, std::size_t bytes_max) {
    const std::size_t claimed = claimed_size(in);
    if (claimed > 0 && claimed <= bytes_max && claimed <= in.size() * deflate_ratio_max) {
        PaddedBytes out(claimed);
        const Inflated whole = inflate_once(in, Wrapper::Gzip, out.data(), claimed);
        if (whole.result == LIBDEFLATE_SUCCESS && whole.eaten == in.size() &&
            whole.made == claimed) {
            return out;
        }
        if (whole.result == LIBDEFLATE_BAD_DATA) {
            return damaged("gzip");
        }
    }
    if (in.empty()) {
        return damaged("gzip");
    }
    return inflate_growing(in, Wrapper::Gzip, "gzip", bytes_max);
}

Result<PaddedBytes> unzstd_growing(std::string_view in, std::size_t bytes_max) {
    ZSTD_DCtx* const context = zstd_context();
    std::string out;
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    std::size_t hint = 1;
    while (input.pos < input.size || hint > 0) {
        const std::size_t made = out.size();
        const std::size_t room =
            std::min(std::max(made, std::size_t{64} * 1024), bytes_max + 1 - made);
        out.resize(made + room);
        ZSTD_outBuffer output{out.data() + made, room, 0};
        const std::size_t eaten_before = input.pos;
        hint = ZSTD_decompressStream(context, &output, &input);
        if (ZSTD_isError(hint) != 0U) {
            return damaged("zstd");
        }
        out.resize(made + output.pos);
        if (out.size() > bytes_max) {
            return too_large(bytes_max);
        }
        if (output.pos == 0 && input.pos == eaten_before && (hint > 0 || input.pos < input.size)) {
            return damaged("zstd");  // Cut off: it waits for bytes that never come.
        }
    }
    return PaddedBytes::copy_of(out);
}

Result<PaddedBytes> unzstd(std::string_view in, std::size_t bytes_max) {
    const unsigned long long size = ZSTD_getFrameContentSize(in.data(), in.size());
    if (size == ZSTD_CONTENTSIZE_ERROR) {
        return damaged("zstd");
    }
    const bool one_frame = ZSTD_findFrameCompressedSize(in.data(), in.size()) == in.size();
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || !one_frame) {
        return unzstd_growing(in, bytes_max);
    }
    if (size > bytes_max) {
        return too_large(bytes_max);
    }
    PaddedBytes out(static_cast<std::size_t>(size));
    const std::size_t made =
        ZSTD_decompressDCtx(zstd_context(), out.data(), out.size(), in.data(), in.size());
    if (ZSTD_isError(made) != 0U || made != out.size()) {
        return damaged("zstd");
    }
    return out;
}

}  // namespace

bool is_known_encoding(std::string_view encoding) noexcept {
    return encoding.empty() || has_token(known_encodings, encoding) ||
           equal_ignoring_case(encoding, "x-gzip");
}

Result<PaddedBytes> decompress(PaddedBytes body, std::string_view encoding, std::size_t bytes_max) {
    if (encoding.empty() || equal_ignoring_case(encoding, "identity")) {
        if (body.size() > bytes_max) {
            return fail(
                ErrorCode::LimitExceeded,
                "the body is larger than " + std::to_string(bytes_max) +
                    " bytes; send smaller batches"
            );
        }
        return body;
    }
    if (equal_ignoring_case(encoding, "gzip") || equal_ignoring_case(encoding, "x-gzip")) {
        return gunzip(body.view(), bytes_max);
    }
    if (equal_ignoring_case(encoding, "deflate")) {
        const Wrapper wrapper = looks_like_zlib(body.view()) ? Wrapper::Zlib : Wrapper::Bare;
        return body.size() == 0 ? damaged("deflate")
                                : inflate_growing(body.view(), wrapper, "deflate", bytes_max);
    }
    if (equal_ignoring_case(encoding, "zstd")) {
        return unzstd(body.view(), bytes_max);
    }
    return fail(
        ErrorCode::InvalidArgument,
        "content encoding '" + std::string(encoding.substr(0, 40)) +
            "' is not known; send one of " + std::string(known_encodings)
    );
}

std::string gzip(std::string_view text) {
    thread_local const std::unique_ptr<libdeflate_compressor, InflaterEnd> mine(
        libdeflate_alloc_compressor(gzip_level)
    );
    TAGOUT_ASSERT(mine != nullptr, "libdeflate gives nothing only when memory is out");
    std::string out(libdeflate_gzip_compress_bound(mine.get(), text.size()), '\0');
    out.resize(
        libdeflate_gzip_compress(mine.get(), text.data(), text.size(), out.data(), out.size())
    );
    return out;
}

}  // namespace tagout::net
