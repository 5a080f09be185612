# What of C11's atomics the compiler does not write itself: GCC before 14 calls libatomic for those of a byte on RISC-V.
# MEMKIND_ATOMIC is that library where it is needed, and nothing elsewhere.
include(CheckCSourceCompiles)

set(memkind_byte "#include <stdatomic.h>
_Atomic _Bool byte;
int main(void) { return atomic_exchange(&byte, 1); }")
check_c_source_compiles("${memkind_byte}" MEMKIND_ATOMIC_BYTE)
set(MEMKIND_ATOMIC "")
if(NOT MEMKIND_ATOMIC_BYTE)
    set(CMAKE_REQUIRED_LIBRARIES atomic)
    check_c_source_compiles("${memkind_byte}" MEMKIND_ATOMIC_LIBRARY)
    unset(CMAKE_REQUIRED_LIBRARIES)
    if(NOT MEMKIND_ATOMIC_LIBRARY)
        message(FATAL_ERROR "libmemkind needs atomic bytes; ${CMAKE_C_COMPILER} has none, and there is no libatomic")
    endif()
    set(MEMKIND_ATOMIC atomic)
endif()
