# How a test is made known to ctest. Every test has one of the labels fast, slow and system, and root as well
# where it runs as root only (or skips without); unit or api if it is of that folder:
#     fast    a part of `ctest --preset fast`, what a developer runs all the time: seconds
#     slow    the whole of a subject: matrix, stress, all failures, what needs the machine for itself
#     system  the library as it is installed, packaged, documented; virtual machines
#
# A test that cannot run on this machine prints one line and returns:
#     SKIP: <suite>/<test>: <reason>
# scripts/test lists it as skipped. cr_skip_test("reason") counts the same.

# What a sanitizer reports fails the test: a race or a leak in one of Criterion's child processes has
# no effect on Criterion's own exit status.
set(memkind_sanitizer_report
    "WARNING: ThreadSanitizer|ERROR: (Address|Leak|Thread)Sanitizer|runtime error: ")

# memkind_add_test(<name> [SLOW | SYSTEM] [ROOT] [SERIAL] [HUGE_PAGES] [COST <seconds>]
#                  [PROCESSORS <number>]
#                  [ENVIRONMENT <variable>...] COMMAND <word>...)
#
# What the functions below and the tests of another form are made with. SERIAL: it changes something that
# belongs to the whole machine, or measures it; no other test runs at the same time. HUGE_PAGES: it reserves
# huge pages, or minds who does (test/support/support_pools.c); these come one after the other, so that none
# waits for the lock file of another while there is other work to do.
# COST: about how long it takes; the longest start first, so that none of them is alone at the end. PROCESSORS:
# how many tests it counts as, one if not given.
function(memkind_add_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "SLOW;SYSTEM;ROOT;SERIAL;HUGE_PAGES" "COST;PROCESSORS"
        "ENVIRONMENT;COMMAND")
    if(arg_UNPARSED_ARGUMENTS OR NOT arg_COMMAND OR (arg_SLOW AND arg_SYSTEM))
        message(FATAL_ERROR "memkind_add_test(${name}): ${arg_UNPARSED_ARGUMENTS}")
    endif()
    string(REGEX REPLACE "_tbb$" "" program "${name}")
    if(program IN_LIST memkind_one_thread)
        return()
    endif()
    if(arg_SLOW)
        set(labels slow)
    elseif(arg_SYSTEM)
        set(labels system)
    else()
        set(labels fast)
    endif()
    if(arg_ROOT)
        list(APPEND labels root)
    endif()
    get_filename_component(folder "${CMAKE_CURRENT_SOURCE_DIR}" NAME)
    if(folder MATCHES "^(unit|api)$")
        list(APPEND labels ${folder})
    endif()
    add_test(NAME ${name} COMMAND ${arg_COMMAND})
    set_tests_properties(${name} PROPERTIES
        LABELS "${labels}"
        TIMEOUT 900
        ENVIRONMENT "${arg_ENVIRONMENT}"
        FAIL_REGULAR_EXPRESSION "${memkind_sanitizer_report}")
    if(arg_SERIAL)
        set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
    endif()
    if(arg_HUGE_PAGES)
        set_tests_properties(${name} PROPERTIES RESOURCE_LOCK huge_pages)
    endif()
    if(arg_COST)
        set_tests_properties(${name} PROPERTIES COST ${arg_COST})
    endif()
    if(arg_PROCESSORS)
        set_tests_properties(${name} PROPERTIES PROCESSORS ${arg_PROCESSORS})
    endif()
endfunction()

# memkind_test_program(<name> <source>... [LIBRARY <target>]): the Criterion program test_<name> and nothing
# for ctest. `all` builds it where it is a test. It has what it needs of memkind_test_support (test/support).
# MEMKIND_TEST_LIBRARY is the path of libmemkind.so, for tests that dlopen or preload it; MEMKIND_TEST_SOURCE_DIR
# is the root of the source tree.
function(memkind_test_program name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "LIBRARY" "")
    add_executable(test_${name} ${arg_UNPARSED_ARGUMENTS})
    if(name IN_LIST memkind_one_thread)
        set_target_properties(test_${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
    target_link_libraries(test_${name} PRIVATE memkind_test_support ${arg_LIBRARY} memkind_criterion)
    target_link_options(test_${name} PRIVATE ${memkind_linker})
    if("undefined" IN_LIST MEMKIND_SANITIZE) # looked for in the library and in the C++ headers: it takes long to compile
        target_compile_options(test_${name} PRIVATE $<$<COMPILE_LANGUAGE:C>:-fno-sanitize=undefined>)
    endif()
    target_compile_definitions(test_${name} PRIVATE
        MEMKIND_TEST_LIBRARY="$<TARGET_FILE:memkind>"
        MEMKIND_TEST_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_dependencies(test_${name} memkind)
endfunction()

# memkind_criterion_words(<variable> <name> <pattern>): what a Criterion program of that name is run with. With
# ThreadSanitizer only those of its tests that memkind_threads_of_<name> has, if there is such a variable.
function(memkind_criterion_words variable name pattern)
    if(memkind_threads_of_${name})
        string(REPLACE ";" "|" pattern "${memkind_threads_of_${name}}")
        set(pattern "*/@(${pattern})")
    endif()
    set(words --verbose -j1)
    if(pattern)
        list(APPEND words --filter "${pattern}")
    endif()
    set(${variable} ${words} PARENT_SCOPE)
endfunction()

# memkind_test(<name> <source>... [STATIC | LIBRARY <target>] [FILTER <pattern>] [<option of memkind_add_test>...])
#
# A Criterion program test_<name>, known to ctest as <name>. It is linked to the shared library, as a
# user's program is; with STATIC to the static one, with src/ in its include path; with LIBRARY to
# another build of either. FILTER: only those of its tests.
function(memkind_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "STATIC;SLOW;SYSTEM;ROOT;SERIAL;HUGE_PAGES" "LIBRARY;FILTER;COST" "")
    if(arg_STATIC)
        set(arg_LIBRARY memkind_static)
    elseif(NOT arg_LIBRARY)
        set(arg_LIBRARY memkind)
    endif()
    memkind_test_program(${name} ${arg_UNPARSED_ARGUMENTS} LIBRARY ${arg_LIBRARY})
    set(options)
    foreach(option SLOW SYSTEM ROOT SERIAL HUGE_PAGES)
        if(arg_${option})
            list(APPEND options ${option})
        endif()
    endforeach()
    if(arg_COST)
        list(APPEND options COST ${arg_COST})
    endif()
    foreach(test IN LISTS memkind_threads_of_${name})
        set(found "")
        foreach(source IN LISTS arg_UNPARSED_ARGUMENTS)
            file(STRINGS ${source} lines REGEX "^Test\\([a-z_]+, ${test}[,)]")
            list(APPEND found ${lines})
        endforeach()
        if(NOT found)
            message(FATAL_ERROR "memkind_threads_of_${name}: there is no test ${test}")
        endif()
    endforeach()
    memkind_criterion_words(words ${name} "${arg_FILTER}")
    memkind_add_test(${name} ${options} COMMAND test_${name} ${words})
endfunction()

# memkind_test_tbb(<name> [<option of memkind_add_test>...]): the tests of test_<name> once more, as
# <name>_tbb, with the heap manager TBB. libtbbmalloc is not instrumented: backend_tbb/library.c tells
# ThreadSanitizer what its locks order, and tsan.suppressions leaves out what it does itself.
function(memkind_test_tbb name)
    memkind_criterion_words(words ${name} "")
    memkind_add_test(${name}_tbb ${ARGN}
        ENVIRONMENT MEMKIND_TEST_HEAP_MANAGER=TBB
        COMMAND test_${name} ${words})
endfunction()

# memkind_script_test(<name> <script> <argument>... [OPTIONS <option of memkind_add_test>...]): a shell
# script, run with bash, or a Python one.
function(memkind_script_test name script)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "OPTIONS")
    if(script MATCHES "\\.py$")
        set(interpreter Python3::Interpreter)
    else()
        set(interpreter bash)
    endif()
    memkind_add_test(${name} ${arg_OPTIONS}
        COMMAND ${interpreter} ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${arg_UNPARSED_ARGUMENTS})
endfunction()

# memkind_wrap(<target> <function>...): calls of these functions come to the program's __wrap_<function>.
function(memkind_wrap target)
    foreach(function IN LISTS ARGN)
        target_link_options(${target} PRIVATE -Wl,--wrap=${function})
    endforeach()
endfunction()

# memkind_elsewhere(<target>): a program with the static library that can be on a machine of test/machines:
# the library asks this program instead of the running machine.
function(memkind_elsewhere target)
    target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/test/support/machine.c)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/test/support)
    target_compile_definitions(${target} PRIVATE
        MEMKIND_TEST_MACHINES="${PROJECT_BINARY_DIR}/test/machines")
    add_dependencies(${target} machine_trees)
    memkind_wrap(${target}
        os_current_node os_allowed_nodes os_bind os_read_file os_read_folder cpu_identify dax_library_nodes)
endfunction()
