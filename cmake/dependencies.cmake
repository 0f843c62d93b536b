# Every C++ dependency, once, with its reason. The packages that hold them are in tools/packages.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)  # Asio and Beast (HTTP/1.1, TLS), JSON trees, flat maps
find_package(OpenSSL REQUIRED)                         # TLS, SHA-256, HMAC
find_package(PkgConfig REQUIRED)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2)  # HTTP/2 for unary gRPC
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)    # Ed25519, random bytes, constant-time comparison
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)      # journal and catalog
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)        # evidence blocks, Content-Encoding
pkg_check_modules(DEFLATE REQUIRED IMPORTED_TARGET libdeflate)  # gzip and zlib Content-Encoding
find_package(ZLIB REQUIRED)                                     # streaming gunzip of recorded files
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)    # hashes and block checksums
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-cpp)       # tagout.yaml
pkg_check_modules(FMT REQUIRED IMPORTED_TARGET fmt)             # text formatting (g++ 12 has no <format>)
pkg_check_modules(HS REQUIRED IMPORTED_TARGET libhs)            # Vectorscan: many patterns in one pass
find_package(simdjson REQUIRED)                                 # reading JSON from outside
find_library(MIMALLOC mimalloc)                                 # allocator of the server

if(TAGOUT_TESTS)
    find_package(GTest REQUIRED)
    find_package(benchmark REQUIRED)
    find_package(Protobuf REQUIRED)  # oracle of the wire reader, tests and benchmarks only
endif()
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_library(tagout_otlp_proto INTERFACE)  # replaced below once the oracle's .proto file is there
if(TAGOUT_TESTS)
    target_link_libraries(tagout_otlp_proto INTERFACE protobuf::libprotobuf)
endif()
