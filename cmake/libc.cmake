# A processor of 64 bits and glibc, or nothing is built: said at once, and not by the first error of a compiler.
include(CheckSymbolExists)

if(NOT CMAKE_SIZEOF_VOID_P EQUAL 8)
    message(FATAL_ERROR
        "libmemkind needs a processor of 64 bits, and ${CMAKE_C_COMPILER} builds for one of fewer. Blocks are found by "
        "addresses of 48 bits, and each kind's memory is mapped in regions of 2 MiB and more.")
endif()

check_symbol_exists(__GLIBC__ features.h MEMKIND_GLIBC)
if(NOT MEMKIND_GLIBC)
    message(FATAL_ERROR
        "libmemkind needs the GNU C library (glibc), and ${CMAKE_C_COMPILER} builds for another one. What musl has not: "
        "<sys/queue.h>; <execinfo.h>, by which MEMKIND_CHECK tells where a block is from; struct dirent64. What it "
        "does otherwise: the order in which thread-specific data is destroyed and a thread is cancelled. And "
        "libtbbmalloc and libdaxctl, as distributions have them, are built for glibc.")
endif()
