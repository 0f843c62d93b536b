# The rooms in the order of src/LAYERS, each with the libraries it links.
tagout_room(base USES Threads::Threads PkgConfig::XXHASH Boost::json)
tagout_room(domain USES base PkgConfig::RE2)
tagout_room(schema USES base simdjson::simdjson PkgConfig::RE2 Boost::json)
tagout_room(catalog USES domain PkgConfig::YAML OpenSSL::Crypto)
tagout_room(journal USES domain OpenSSL::Crypto)
tagout_room(intake USES domain simdjson::simdjson PkgConfig::PUGIXML TEST_USES tagout_otlp_proto)
tagout_room(incident USES catalog journal Boost::json)
tagout_room(detect USES catalog schema PkgConfig::HS TEST_USES intake incident)
tagout_room(contain USES catalog journal schema simdjson::simdjson PkgConfig::RE2 Boost::json OpenSSL::Crypto TEST_USES incident)
tagout_room(verify USES catalog journal incident intake PkgConfig::SODIUM OpenSSL::Crypto Boost::json TEST_USES tagout_otlp_proto store)
tagout_room(prevent USES catalog journal incident intake Boost::json TEST_USES detect)
tagout_room(recover USES catalog journal incident OpenSSL::Crypto Boost::json)
tagout_room(net USES domain OpenSSL::SSL Boost::url PkgConfig::NGHTTP2 PkgConfig::DEFLATE PkgConfig::ZSTD)
tagout_room(store USES journal PkgConfig::SQLITE PkgConfig::ZSTD)
tagout_room(notify USES net incident PkgConfig::SODIUM TEST_USES store)
tagout_room(gateway USES net contain verify intake simdjson::simdjson PkgConfig::SODIUM)
if(TAGOUT_TESTS)
    add_executable(gateway_stand tests/e2e/gateway_stand.cc)  # the data plane alone, for tests/e2e
    target_link_libraries(gateway_stand PRIVATE gateway)
    add_executable(gateway_load tests/bench/gateway_load.cc)  # the ends of `./dev bench gateway`
endif()
tagout_room(server USES net incident intake detect contain recover verify prevent PkgConfig::SODIUM Boost::json)
# The page, embedded: made anew when a file of ui/dist changes.
file(GLOB_RECURSE page_files CONFIGURE_DEPENDS ui/dist/*)
add_custom_command(
    OUTPUT ${CMAKE_BINARY_DIR}/embedded_page.cc
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/embed.py ${CMAKE_SOURCE_DIR}/ui/dist ${CMAKE_BINARY_DIR}/embedded_page.cc
    DEPENDS tools/embed.py ${page_files})
target_sources(server PRIVATE ${CMAKE_BINARY_DIR}/embedded_page.cc)
set_source_files_properties(${CMAKE_BINARY_DIR}/embedded_page.cc PROPERTIES COMPILE_OPTIONS "-Wno-overlength-strings;-g0")

tagout_room(cli USES net intake prevent Boost::json ZLIB::ZLIB)
tagout_room(app USES server store notify gateway cli)
set_source_files_properties(src/app/evidence_source.cc src/app/gateway_node.cc PROPERTIES
    COMPILE_DEFINITIONS TAGOUT_VERSION="${PROJECT_VERSION}")
tagout_room(rehearse USES app PkgConfig::SQLITE PkgConfig::FMT)

add_executable(tagout src/main.cc)
target_link_libraries(tagout PRIVATE rehearse)
target_compile_definitions(tagout PRIVATE TAGOUT_VERSION="${PROJECT_VERSION}")
if(MIMALLOC)
    target_link_libraries(tagout PRIVATE ${MIMALLOC})
    if(TAGOUT_TESTS)
        foreach(bench app_bench rehearse_bench)  # measured as it is shipped
            target_link_libraries(${bench} PRIVATE ${MIMALLOC})
        endforeach()
    endif()
endif()

add_test(NAME tidy COMMAND ${Python3_EXECUTABLE} tools/tidy.py WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
include(cmake/e2e.cmake)
