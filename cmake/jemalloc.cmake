# The private jemalloc of libmemkind.
#
# Built at configure time, because its generated headers are part of our own sources' include path. A build
# is good when its stamp file holds the recipe's key; the stamp is written last, so whatever was interrupted
# is started over. A file lock keeps two CMake runs apart.
#
# It is a part of the binary folder, or of MEMKIND_JEMALLOC_ROOT, where several builds can share it: one
# folder for each variant, compiler and processor. The presets share <source>/build/jemalloc.
#
# Cross builds need nothing but CMake's own variables, from a toolchain file (cmake/toolchains) or not:
# compiler, its target, sysroot and binutils are passed on, and what a program would have to run to find out
# is said.
#
# Sets
#   MEMKIND_JEMALLOC_OBJECTS  position-independent objects, without a constructor
#   MEMKIND_JEMALLOC_FOLDER   where they and the sources are (for the tests)
#   memkind_jemalloc          interface target: include path and definitions for jemalloc's internals
#
# scripts/bootstrap reads version, hash and URL from here: keep one set() a line.

set(MEMKIND_JEMALLOC_VERSION 5.3.0)
set(MEMKIND_JEMALLOC_SHA256 2db82d1e7119df3e71b7640219b6dfe84789bc0537983c3b7ac4f7189aecfeaa)
set(MEMKIND_JEMALLOC_URL https://github.com/jemalloc/jemalloc/releases/download/5.3.0/jemalloc-5.3.0.tar.bz2)

set(MEMKIND_JEMALLOC_TARBALL "" CACHE FILEPATH
    "jemalloc ${MEMKIND_JEMALLOC_VERSION} release tarball; empty: <source>/build/downloads, then the network")
set(MEMKIND_JEMALLOC_SOURCE "" CACHE PATH
    "The contents of that tarball, where a source package has them unpacked; used in its place")
set(MEMKIND_JEMALLOC_ROOT "${PROJECT_BINARY_DIR}/jemalloc" CACHE PATH
    "Where the private jemalloc is built, one folder for each variant, compiler and processor")

# A distribution's flags (hardening, where its debug information lies) come from its package's build.
set(MEMKIND_JEMALLOC_CFLAGS "" CACHE STRING "More compiler flags for the private jemalloc")

set(memkind_jemalloc_cflags "-O3 -fPIC -g ${MEMKIND_JEMALLOC_CFLAGS}")
# Pages as large as the processor's can be, whatever the kernel that it runs under: jemalloc works with smaller ones
# and refuses larger ones. Its own are then larger than need be, and so is what it keeps in each thread and kind.
set(MEMKIND_LG_PAGE "" CACHE STRING
    "Largest pages of the kernels that run it: 12 (4 KiB), 14 or 16 (64 KiB); empty: those of the processor")
if(MEMKIND_LG_PAGE)
    set(memkind_lg_page ${MEMKIND_LG_PAGE})
    if(NOT memkind_lg_page MATCHES "^(12|14|16)$")
        message(FATAL_ERROR "MEMKIND_LG_PAGE: ${MEMKIND_LG_PAGE} is none of 12, 14, 16")
    endif()
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|riscv64|s390x)$")
    set(memkind_lg_page 12)
else()
    set(memkind_lg_page 16)
endif()
# backend_jemalloc/fast.h reads jemalloc's tree, whatever includes it.
add_compile_definitions(MEMKIND_LG_PAGE=${memkind_lg_page})
set(memkind_jemalloc_configure
    --with-jemalloc-prefix=memkind_je_
    --with-private-namespace=memkind_
    --without-export
    --disable-cxx
    # The same layout whatever machine builds it, and without a look at it: backend_jemalloc/fast.h reads
    # the tree that finds blocks. With addresses of 48 bits and pages of 4 to 64 KiB that has two levels and
    # one word for a page. Linux gives higher addresses only to those who ask for one.
    --with-lg-vaddr=48
    --with-lg-page=${memkind_lg_page}
    --with-lg-hugepage=21
    --with-lg-quantum=4
    --disable-cache-oblivious
    # A shared object has one block of thread-local storage, and a single initial-exec variable in it
    # makes glibc place the whole block in its small reserve when the library is opened with dlopen.
    # jemalloc's 2.6 KB do not fit there: they live behind a pthread key. What the library itself
    # has in that block is little (docs/design/fork.md).
    --disable-initial-exec-tls
    force_tls=0
    --disable-doc
    --disable-shared
    --enable-static
    --with-malloc-conf=oversize_threshold:0,tcache:false,narenas:1
    # fork is the library's business, in one lock order: jemalloc registers no handlers.
    je_cv_pthread_atfork=no
)

function(memkind_jemalloc_verify file)
    file(SHA256 "${file}" found)
    if(NOT found STREQUAL MEMKIND_JEMALLOC_SHA256)
        message(FATAL_ERROR
            "This is not the jemalloc ${MEMKIND_JEMALLOC_VERSION} release tarball:\n"
            "  file:     ${file}\n"
            "  expected: SHA-256 ${MEMKIND_JEMALLOC_SHA256}\n"
            "  found:    SHA-256 ${found}")
    endif()
endfunction()

# Sets `out` to the path of a verified tarball.
function(memkind_jemalloc_tarball out)
    set(named "${MEMKIND_JEMALLOC_TARBALL}")
    if(NOT named)
        set(named "$ENV{MEMKIND_JEMALLOC_TARBALL}")
    endif()
    if(named)
        if(NOT EXISTS "${named}")
            message(FATAL_ERROR "MEMKIND_JEMALLOC_TARBALL: no such file: ${named}")
        endif()
        memkind_jemalloc_verify("${named}")
        set(${out} "${named}" PARENT_SCOPE)
        return()
    endif()

    set(copy "${PROJECT_SOURCE_DIR}/build/downloads/jemalloc-${MEMKIND_JEMALLOC_VERSION}.tar.bz2")
    if(NOT EXISTS "${copy}")
        set(copy "${MEMKIND_JEMALLOC_ROOT}/downloads/jemalloc-${MEMKIND_JEMALLOC_VERSION}.tar.bz2")
    endif()
    if(NOT EXISTS "${copy}")
        message(STATUS "Downloading ${MEMKIND_JEMALLOC_URL}")
        string(RANDOM LENGTH 8 unique)
        file(DOWNLOAD ${MEMKIND_JEMALLOC_URL} "${copy}.${unique}"
            STATUS status INACTIVITY_TIMEOUT 30 TLS_VERIFY ON)
        list(POP_FRONT status code)
        if(NOT code EQUAL 0)
            file(REMOVE "${copy}.${unique}")
            message(FATAL_ERROR
                "jemalloc ${MEMKIND_JEMALLOC_VERSION} cannot be downloaded (${status}).\n"
                "Run scripts/bootstrap, or name a copy of the release tarball:\n"
                "  cmake -DMEMKIND_JEMALLOC_TARBALL=/path/to/jemalloc-${MEMKIND_JEMALLOC_VERSION}.tar.bz2")
        endif()
        memkind_jemalloc_verify("${copy}.${unique}")
        file(RENAME "${copy}.${unique}" "${copy}")
    endif()
    memkind_jemalloc_verify("${copy}")
    set(${out} "${copy}" PARENT_SCOPE)
endfunction()

# Puts the sources to `dir`/source. Unpacked ones are copied: a configure run in there would be in the way.
function(memkind_jemalloc_unpack dir)
    if(NOT MEMKIND_JEMALLOC_SOURCE)
        memkind_jemalloc_tarball(tarball)
        file(ARCHIVE_EXTRACT INPUT "${tarball}" DESTINATION "${dir}")
        file(RENAME "${dir}/jemalloc-${MEMKIND_JEMALLOC_VERSION}" "${dir}/source")
        return()
    endif()
    set(found "")
    if(EXISTS "${MEMKIND_JEMALLOC_SOURCE}/VERSION")
        file(READ "${MEMKIND_JEMALLOC_SOURCE}/VERSION" found)
    endif()
    if(NOT found MATCHES "^${MEMKIND_JEMALLOC_VERSION}-")
        message(FATAL_ERROR "MEMKIND_JEMALLOC_SOURCE: ${MEMKIND_JEMALLOC_SOURCE} is not jemalloc "
            "${MEMKIND_JEMALLOC_VERSION}")
    endif()
    file(COPY "${MEMKIND_JEMALLOC_SOURCE}/" DESTINATION "${dir}/source")
endfunction()

# Runs one step of the build in `dir`/build, appends what it says to the log, stops when it fails.
function(memkind_jemalloc_step dir step)
    # The environment of an outer make, or compiler flags meant for the library, are not for jemalloc.
    execute_process(
        COMMAND ${CMAKE_COMMAND} -E env
            --unset=MAKEFLAGS --unset=MFLAGS --unset=MAKELEVEL --unset=CONFIG_SITE
            --unset=CFLAGS --unset=EXTRA_CFLAGS --unset=CPPFLAGS --unset=LDFLAGS --unset=LIBS
            --unset=CPP --unset=DESTDIR
            ${ARGN}
        WORKING_DIRECTORY "${dir}/build"
        RESULT_VARIABLE result
        OUTPUT_VARIABLE output
        ERROR_VARIABLE output)
    file(APPEND "${dir}/log" "${output}")
    if(NOT result EQUAL 0)
        string(LENGTH "${output}" length)
        if(length GREATER 3000)
            math(EXPR start "${length} - 3000")
            string(SUBSTRING "${output}" ${start} -1 output)
        endif()
        message(FATAL_ERROR
            "Building the private jemalloc failed: ${step} (${result}). Its log is ${dir}/log "
            "and ends:\n${output}")
    endif()
endfunction()

# Sets `out` to a file with objcopy's pairs of names: a symbol that is private to jemalloc, and how its headers
# call it, which our sources include.
function(memkind_jemalloc_names dir out)
    file(STRINGS "${dir}/build/include/jemalloc/internal/private_namespace.h" defines REGEX "^#define ")
    list(TRANSFORM defines REPLACE "^#define ([A-Za-z0-9_]+) JEMALLOC_N\\(.*$" "\\1 memkind_je_\\1\n")
    list(JOIN defines "" pairs)
    file(WRITE "${dir}/names" "${pairs}")
    set(${out} "${dir}/names" PARENT_SCOPE)
endfunction()

# What configure arguments alone do not guarantee.
function(memkind_jemalloc_check dir)
    file(STRINGS "${dir}/build/include/jemalloc/internal/jemalloc_internal_defs.h" unwanted
        REGEX "^#define JEMALLOC_(HAVE_PTHREAD_ATFORK|TLS|CACHE_OBLIVIOUS)( |$)")
    if(unwanted)
        message(FATAL_ERROR "The private jemalloc is configured with ${unwanted}")
    endif()
    file(GLOB objects "${dir}/objects/*.o")
    if(NOT objects)
        message(FATAL_ERROR "The private jemalloc has no objects in ${dir}/objects")
    endif()
    execute_process(COMMAND ${CMAKE_NM} -g --defined-only ${objects}
        OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX REPLACE "[^\n]* memkind_je_[^\n]*\n" "" symbols "${symbols}")
    if(symbols MATCHES "[0-9a-f]+ [A-Za-z] ([^\n]*)")
        message(FATAL_ERROR "The private jemalloc has a name that is not its own: ${CMAKE_MATCH_1}")
    endif()
    execute_process(COMMAND ${CMAKE_READELF} -S -W ${objects}
        OUTPUT_VARIABLE sections COMMAND_ERROR_IS_FATAL ANY)
    if(sections MATCHES "[.](preinit_array|init_array|ctors)")
        message(FATAL_ERROR "The private jemalloc still runs code when it is loaded: section ${CMAKE_MATCH_0}")
    endif()
    if(sections MATCHES "[.](tdata|tbss)")
        message(FATAL_ERROR "The private jemalloc still has thread-local storage: section ${CMAKE_MATCH_0}")
    endif()
endfunction()

# Sets `compiler` to the command that compiles for the target, and `machine` to configure's arguments that
# say which one that is: none if it is this machine.
function(memkind_jemalloc_target compiler machine)
    set(command "${CMAKE_C_COMPILER}" ${CMAKE_C_COMPILER_ARG1})
    if(CMAKE_C_COMPILER_TARGET AND CMAKE_C_COMPILE_OPTIONS_TARGET)
        list(APPEND command "${CMAKE_C_COMPILE_OPTIONS_TARGET}${CMAKE_C_COMPILER_TARGET}")
    endif()
    if(CMAKE_C_COMPILER_EXTERNAL_TOOLCHAIN AND CMAKE_C_COMPILE_OPTIONS_EXTERNAL_TOOLCHAIN)
        list(APPEND command
            "${CMAKE_C_COMPILE_OPTIONS_EXTERNAL_TOOLCHAIN}${CMAKE_C_COMPILER_EXTERNAL_TOOLCHAIN}")
    endif()
    if(CMAKE_SYSROOT_COMPILE)
        list(APPEND command "--sysroot=${CMAKE_SYSROOT_COMPILE}")
    elseif(CMAKE_SYSROOT)
        list(APPEND command "--sysroot=${CMAKE_SYSROOT}")
    endif()
    set(arguments "")
    if(CMAKE_CROSSCOMPILING)
        execute_process(COMMAND ${command} -dumpmachine
            OUTPUT_VARIABLE triplet OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
        # A name that no compiler has for this machine: what differs is a cross build, and configure runs
        # none of its programs.
        set(arguments --host=${triplet} --build=${CMAKE_HOST_SYSTEM_PROCESSOR}-build-linux-gnu)
    endif()
    list(JOIN command " " command)
    set(${compiler} "${command}" PARENT_SCOPE)
    set(${machine} "${arguments}" PARENT_SCOPE)
endfunction()

function(memkind_jemalloc_build variant)
    memkind_jemalloc_target(compiler machine)
    string(TOLOWER "${variant}-${CMAKE_C_COMPILER_ID}-${CMAKE_SYSTEM_PROCESSOR}" name)
    if(MEMKIND_LG_PAGE)
        string(APPEND name "-${MEMKIND_LG_PAGE}")
    endif()
    set(dir "${MEMKIND_JEMALLOC_ROOT}/${name}")
    # Its configure and make split their arguments at blanks.
    if(dir MATCHES "[ \t]")
        message(FATAL_ERROR
            "The private jemalloc cannot be built in \"${dir}\": there is a blank in the path.\n"
            "Name another folder: -DMEMKIND_JEMALLOC_ROOT=/path/without/blanks")
    endif()
    set(configure ${memkind_jemalloc_configure} ${machine})
    # What is built does not know where: debug information names another folder (see CMakeLists.txt).
    set(map "-ffile-prefix-map=${dir}=/usr/src/jemalloc-${MEMKIND_JEMALLOC_VERSION}")
    set(cflags "${memkind_jemalloc_cflags} ${map}")
    if(variant STREQUAL "debug")
        list(APPEND configure --enable-debug)
    endif()

    file(SHA256 "${CMAKE_CURRENT_FUNCTION_LIST_FILE}" recipe)
    string(JOIN "\n" key
        "recipe ${recipe}" "directory ${dir}"
        "compiler ${compiler} ${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}"
        "cflags ${cflags}" "configure ${configure}"
        "source ${MEMKIND_JEMALLOC_SOURCE}" "")

    file(MAKE_DIRECTORY "${MEMKIND_JEMALLOC_ROOT}")
    file(LOCK "${dir}.lock" GUARD FUNCTION TIMEOUT 0 RESULT_VARIABLE locked)
    if(NOT locked EQUAL 0)
        message(STATUS "Waiting for another CMake run that builds the private jemalloc (${name})")
        file(LOCK "${dir}.lock" GUARD FUNCTION TIMEOUT 3600)
    endif()

    set(built "")
    if(EXISTS "${dir}/stamp")
        file(READ "${dir}/stamp" built)
    endif()
    if(NOT built STREQUAL key)
        find_program(MEMKIND_MAKE NAMES gmake make REQUIRED)
        mark_as_advanced(MEMKIND_MAKE)
        cmake_host_system_information(RESULT cpus QUERY NUMBER_OF_LOGICAL_CORES)

        message(STATUS "Building the private jemalloc ${MEMKIND_JEMALLOC_VERSION} (${name}), about a minute")
        file(REMOVE_RECURSE "${dir}")
        file(MAKE_DIRECTORY "${dir}/build" "${dir}/objects")
        memkind_jemalloc_unpack("${dir}")

        memkind_jemalloc_step("${dir}" configure
            "CC=${compiler}" "CFLAGS=${cflags}"
            "AR=${CMAKE_AR}" "RANLIB=${CMAKE_RANLIB}" "NM=${CMAKE_NM}" "LD=${CMAKE_LINKER}"
            sh "${dir}/source/configure" ${configure})
        # jemalloc's make compiles everything twice: without its private names, to see which there are, and
        # again with them. We stop after the first, and rename in the objects.
        memkind_jemalloc_step("${dir}" make
            ${MEMKIND_MAKE} -j${cpus} include/jemalloc/internal/private_namespace.h)
        memkind_jemalloc_names("${dir}" names)
        file(GLOB compiled "${dir}/build/src/*.sym.o")
        memkind_jemalloc_step("${dir}" archive
            ${CMAKE_AR} crs "${dir}/compiled.a" ${compiled})
        # jemalloc initializes itself in a constructor. Nothing of this library runs at load: it does
        # the same at its first call.
        memkind_jemalloc_step("${dir}" objcopy
            ${CMAKE_OBJCOPY} --redefine-syms=${names}
            --remove-section=.init_array --remove-section=.rela.init_array --remove-section=.rel.init_array
            --remove-section=.ctors --remove-section=.rela.ctors --remove-section=.rel.ctors
            "${dir}/compiled.a" "${dir}/libjemalloc.a")
        memkind_jemalloc_step("${dir}" ar
            ${CMAKE_COMMAND} -E chdir "${dir}/objects" ${CMAKE_AR} x "${dir}/libjemalloc.a")
        memkind_jemalloc_check("${dir}")

        file(WRITE "${dir}/stamp.new" "${key}")
        file(RENAME "${dir}/stamp.new" "${dir}/stamp")
    endif()
    message(STATUS "Private jemalloc: ${dir}")

    # Whoever removes or rebuilds the folder gets a new configure run with the next build.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${dir}/stamp")

    file(GLOB objects "${dir}/objects/*.o")
    set(MEMKIND_JEMALLOC_OBJECTS ${objects} PARENT_SCOPE)
    set(MEMKIND_JEMALLOC_FOLDER "${dir}" CACHE INTERNAL "")

    add_library(memkind_jemalloc INTERFACE)
    target_include_directories(memkind_jemalloc SYSTEM INTERFACE
        "${dir}/build/include"
        "${dir}/source/include")
    target_compile_options(memkind_jemalloc INTERFACE "${map}")
    target_compile_definitions(memkind_jemalloc INTERFACE _GNU_SOURCE _REENTRANT)
endfunction()

if(MEMKIND_JEMALLOC_DEBUG)
    memkind_jemalloc_build(debug)
else()
    memkind_jemalloc_build(release)
endif()
