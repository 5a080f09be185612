# What the toolchain files of this folder have in common: included by them, with memkind_processor and
# memkind_triplet set. Compilers are Debian's crossbuild-essential-*.
#
# Libraries are those of Debian's cross packages (the C and C++ libraries), or, with MEMKIND_SYSROOT, of that folder: a
# Debian system of the processor, unpacked, which may have all the others, Criterion among them. scripts/cross-check
# makes one.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${memkind_processor})

set(CMAKE_C_COMPILER ${memkind_triplet}-gcc)
set(CMAKE_CXX_COMPILER ${memkind_triplet}-g++)
set(CMAKE_LIBRARY_ARCHITECTURE ${memkind_triplet})

set(MEMKIND_SYSROOT "" CACHE PATH "A Debian system of the processor that is built for; empty: the cross packages")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MEMKIND_SYSROOT)
if(MEMKIND_SYSROOT)
    set(CMAKE_SYSROOT ${MEMKIND_SYSROOT})
    set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
else()
    set(CMAKE_FIND_ROOT_PATH /usr/${memkind_triplet})
endif()
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
