# Tests of the built program with real clients. Each is a Python file of its own under tests/e2e.
if(TAGOUT_TESTS)
    file(GLOB e2e CONFIGURE_DEPENDS tests/e2e/test_*.py)
    foreach(test ${e2e})
        get_filename_component(name ${test} NAME_WE)
        string(REPLACE "test_" "e2e_" name ${name})
        add_test(NAME ${name} COMMAND ${Python3_EXECUTABLE} ${test} --verbose
            WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}/tests/e2e)
        set_tests_properties(${name} PROPERTIES LABELS e2e TIMEOUT 900 PROCESSORS 2
            ENVIRONMENT "TAGOUT_BINARY=$<TARGET_FILE:tagout>;PYTHONDONTWRITEBYTECODE=1")
    endforeach()
endif()
