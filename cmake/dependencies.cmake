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
pkg_check_modules(PUGIXML REQUIRED IMPORTED_TARGET pugixml)     # JUnit XML; parses without recursion
pkg_check_modules(FMT REQUIRED IMPORTED_TARGET fmt)             # text formatting (g++ 12 has no <format>)
pkg_check_modules(HS REQUIRED IMPORTED_TARGET libhs)            # Vectorscan: many patterns in one pass
# tzdata: at run time alone, for the time zones that conditions of policies may name
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)              # patterns that others wrote, in linear time
find_package(simdjson REQUIRED)                                 # reading JSON from outside
find_library(MIMALLOC mimalloc)                                 # allocator of the server

if(TAGOUT_TESTS)
    find_package(GTest REQUIRED)
    find_package(benchmark REQUIRED)
    find_package(Protobuf REQUIRED)  # oracle of the wire reader, tests and benchmarks only
endif()
find_package(Python3 REQUIRED COMPONENTS Interpreter)
if(TAGOUT_TESTS)
    # The oracle twice: as OTLP has it, and with bytes for strings, which is OTLP without the rule that
    # texts be UTF-8. Ours repairs such texts instead of refusing the request.
    set(proto_dir ${CMAKE_BINARY_DIR}/otlp_proto)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS src/intake/proto/otlp.proto)
    file(READ src/intake/proto/otlp.proto proto_text)
    string(REPLACE " string " " bytes " proto_text "${proto_text}")
    string(REPLACE "package tagout.otlp;" "package tagout.otlp_bytes;" proto_text "${proto_text}")
    file(CONFIGURE OUTPUT ${proto_dir}/otlp_bytes.proto CONTENT "${proto_text}" @ONLY)
    configure_file(src/intake/proto/otlp.proto ${proto_dir}/otlp.proto COPYONLY)
    foreach(proto otlp otlp_bytes)
        add_custom_command(
            OUTPUT ${proto_dir}/${proto}.pb.cc ${proto_dir}/${proto}.pb.h
            COMMAND protobuf::protoc --proto_path=${proto_dir} --cpp_out=${proto_dir} ${proto_dir}/${proto}.proto
            DEPENDS ${proto_dir}/${proto}.proto)
    endforeach()
    add_library(tagout_otlp_proto STATIC EXCLUDE_FROM_ALL ${proto_dir}/otlp.pb.cc ${proto_dir}/otlp_bytes.pb.cc)
    target_include_directories(tagout_otlp_proto SYSTEM PUBLIC ${proto_dir})
    target_compile_options(tagout_otlp_proto PRIVATE -w)
    target_link_libraries(tagout_otlp_proto PUBLIC protobuf::libprotobuf)
endif()
