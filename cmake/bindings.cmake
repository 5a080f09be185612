# The library for other languages. Each is sources that are installed as such, since modules and crates are built by
# whoever uses them with his own compiler; what is built here is for the tests (test/bindings). An option is ON where
# the tests are built and what it needs is found.
if(MEMKIND_BUILD_TESTS AND NOT MEMKIND_SANITIZED AND NOT CMAKE_CROSSCOMPILING
    AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    set(memkind_bindings_wanted ON)
else()
    set(memkind_bindings_wanted OFF)
endif()

# memkind_binding(<LANGUAGE> <found> <text>): the option MEMKIND_BUILD_<LANGUAGE>.
macro(memkind_binding language found text)
    set(default OFF)
    if(memkind_bindings_wanted AND ${found})
        set(default ON)
    endif()
    option(MEMKIND_BUILD_${language} "${text}" ${default})
    if(MEMKIND_BUILD_${language} AND NOT ${found})
        message(FATAL_ERROR "MEMKIND_BUILD_${language}: what it needs is not found")
    endif()
endmacro()

if(memkind_bindings_wanted OR MEMKIND_BUILD_FORTRAN)
    include(CheckLanguage)
    check_language(Fortran)
endif()
memkind_binding(FORTRAN CMAKE_Fortran_COMPILER "Build the Fortran module and its test")
if(MEMKIND_BUILD_FORTRAN)
    enable_language(Fortran)
    add_subdirectory(bindings/fortran)
endif()

function(memkind_has_numpy result python)
    execute_process(COMMAND "${python}" -c "import numpy, sysconfig, os
assert os.path.exists(sysconfig.get_path('include') + '/Python.h')
assert os.path.exists(numpy.get_include() + '/numpy/arrayobject.h')"
        RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
    if(status)
        set(${result} FALSE PARENT_SCOPE)
    endif()
endfunction()

# That Python which has numpy: another one may come first in the PATH.
if(memkind_bindings_wanted OR MEMKIND_BUILD_PYTHON)
    find_program(MEMKIND_PYTHON NAMES python3 VALIDATOR memkind_has_numpy)
    if(NOT MEMKIND_PYTHON)
        find_program(MEMKIND_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH VALIDATOR memkind_has_numpy)
    endif()
    mark_as_advanced(MEMKIND_PYTHON)
endif()
memkind_binding(PYTHON MEMKIND_PYTHON "Build the Python module and its test")
if(MEMKIND_BUILD_PYTHON)
    add_subdirectory(bindings/python)
endif()

if(memkind_bindings_wanted OR MEMKIND_BUILD_RUST)
    find_program(MEMKIND_RUSTC NAMES rustc PATHS /usr/bin NO_DEFAULT_PATH)
    find_program(MEMKIND_RUSTC NAMES rustc)
    mark_as_advanced(MEMKIND_RUSTC)
endif()
memkind_binding(RUST MEMKIND_RUSTC "Build the Rust crate and its test")
if(MEMKIND_BUILD_RUST)
    add_subdirectory(bindings/rust)
endif()
