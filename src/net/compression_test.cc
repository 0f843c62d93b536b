#include "net/compression.h"

#include <gtest/gtest.h>
#include <libdeflate.h>
#include <zstd.h>

#include <functional>
#include <memory>

namespace tagout::net {
namespace {

constexpr std::size_t limit = 1'000'000;

std::string text_of(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; text.size() < size; ++i) {
        text += "span " + std::to_string(i * i) + ", ";
    }
    text.resize(size);
    return text;
}

using Squeeze =
    std::size_t (*)(libdeflate_compressor*, const void*, std::size_t, void*, std::size_t);

std::string squeeze(Squeeze with, std::string_view text) {
    libdeflate_compressor* const compressor = libdeflate_alloc_compressor(6);
    std::string out(text.size() + 1000, '\0');
    out.resize(with(compressor, text.data(), text.size(), out.data(), out.size()));
    libdeflate_free_compressor(compressor);
    return out;
}

std::string zlib(std::string_view text) {
    return squeeze(libdeflate_zlib_compress, text);
}
std::string bare(std::string_view text) {
    return squeeze(libdeflate_deflate_compress, text);
}

std::string zstd(std::string_view text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
    return out;
}

/// As a streaming client writes it: without the content's size in the frame.
std::string zstd_stream(std::string_view text) {
    ZSTD_CCtx* const context = ZSTD_createCCtx();
    std::string out(ZSTD_compressBound(text.size()) + 100, '\0');
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    ZSTD_inBuffer input{text.data(), text.size(), 0};
    ZSTD_compressStream2(context, &output, &input, ZSTD_e_flush);
    ZSTD_inBuffer none{nullptr, 0, 0};
    ZSTD_compressStream2(context, &output, &none, ZSTD_e_end);
    ZSTD_freeCCtx(context);
    out.resize(output.pos);
    return out;
}

struct Coding {
    const char* name;
    const char* encoding;
    std::function<std::string(std::string_view)> compress;
};

const Coding codings[] = {
    {"identity", "identity", [](std::string_view text) { return std::string(text); }},
    {"none", "", [](std::string_view text) { return std::string(text); }},
    {"gzip", "gzip", [](std::string_view text) { return gzip(text); }},
    {"gzip in capitals", "GZIP", [](std::string_view text) { return gzip(text); }},
    {"gzip of two members",
     "gzip",
     [](std::string_view text) {
         return gzip(text.substr(0, text.size() / 3)) + gzip(text.substr(text.size() / 3));
     }},
    {"deflate with zlib's head", "deflate", zlib},
    {"deflate bare", "deflate", bare},
    {"zstd", "zstd", zstd},
    {"zstd without its size", "zstd", zstd_stream},
    {"zstd of two frames",
     "zstd",
     [](std::string_view text) {
         return zstd(text.substr(0, text.size() / 3)) + zstd(text.substr(text.size() / 3));
     }},
};

TEST(Decompress, GivesBackWhatWasCompressed) {
    for (const Coding& coding : codings) {
        for (const std::size_t size :
             {std::size_t{0}, std::size_t{1}, std::size_t{5000}, std::size_t{300'000}, limit}) {
            const std::string text = text_of(size);
            const auto got =
                decompress(PaddedBytes::copy_of(coding.compress(text)), coding.encoding, limit);
            ASSERT_TRUE(got.has_value())
                << coding.name << " " << size << ": " << got.error().message;
            EXPECT_EQ(got->view(), text) << coding.name << " " << size;
            if (got->size() > 0) {
                EXPECT_EQ(
                    std::string_view(got->data() + got->size(), PaddedBytes::padding),
                    std::string(PaddedBytes::padding, '\0')
                );
            }
        }
    }
}

TEST(Decompress, StopsAtTheLimitWhateverTheCoding) {
    for (const Coding& coding : codings) {
        for (const std::size_t size : {limit + 1, std::size_t{30'000'000}}) {
            const auto got = decompress(
                PaddedBytes::copy_of(coding.compress(std::string(size, '\0'))),
                coding.encoding,
                limit
            );
            ASSERT_FALSE(got.has_value()) << coding.name;
            EXPECT_EQ(got.error().code, ErrorCode::LimitExceeded)
                << coding.name << ": " << got.error().message;
        }
    }
}

TEST(Decompress, DamagedBytesAreTheClientsFault) {
    for (const Coding& coding : codings) {
        if (std::string_view(coding.name) == "identity" ||
            std::string_view(coding.name) == "none") {
            continue;
        }
        const std::string whole = coding.compress(text_of(5000));
        for (const std::string& broken :
             {std::string(),
              std::string("x"),
              std::string("not compressed at all"),
              whole.substr(0, whole.size() - 1),
              whole.substr(0, whole.size() / 2),
              whole + "rest"}) {
            const auto got = decompress(PaddedBytes::copy_of(broken), coding.encoding, limit);
            ASSERT_FALSE(got.has_value()) << coding.name << " from " << broken.size() << " bytes";
            EXPECT_EQ(got.error().code, ErrorCode::InvalidArgument) << coding.name;
        }
    }
}

TEST(Decompress, ALyingGzipSizeChangesNothing) {
    std::string body = gzip(text_of(5000));
    body[body.size() - 2] = '\x05';
    const auto got = decompress(PaddedBytes::copy_of(body), "gzip", limit);
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().code, ErrorCode::InvalidArgument);
}

TEST(Decompress, AnUnknownCodingIsNamedWithWhatIsKnown) {
    const auto got = decompress(PaddedBytes::copy_of("x"), "br", limit);
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().code, ErrorCode::InvalidArgument);
    EXPECT_NE(got.error().message.find("zstd"), std::string::npos);
    EXPECT_FALSE(is_known_encoding("br"));
    EXPECT_FALSE(is_known_encoding("gzip, gzip"));
    EXPECT_TRUE(is_known_encoding("Gzip"));
    EXPECT_TRUE(is_known_encoding(""));
}

}  // namespace
}  // namespace tagout::net
