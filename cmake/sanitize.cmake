# Sanitizers: MEMKIND_SANITIZE.
#
# Sets
#   MEMKIND_SANITIZED  whether there is any
#
# and adds the flags to everything below the top folder. The private jemalloc is left as it is.

set(MEMKIND_SANITIZE "" CACHE STRING
    "Sanitizers of the compiler: address, thread, undefined, or a list such as address;undefined")

set(MEMKIND_SANITIZED OFF)
foreach(sanitizer IN LISTS MEMKIND_SANITIZE)
    if(NOT sanitizer MATCHES "^(address|thread|undefined)$")
        message(FATAL_ERROR "MEMKIND_SANITIZE: \"${sanitizer}\" in \"${MEMKIND_SANITIZE}\" is not address, "
            "thread or undefined")
    endif()
    set(MEMKIND_SANITIZED ON)
endforeach()
if("address" IN_LIST MEMKIND_SANITIZE AND "thread" IN_LIST MEMKIND_SANITIZE)
    message(FATAL_ERROR "MEMKIND_SANITIZE: address and thread cannot be in one program")
endif()

if(MEMKIND_SANITIZED)
    list(JOIN MEMKIND_SANITIZE "," sanitizers)
    # Not optimized at all, sanitized code is several times slower and no easier to debug.
    add_compile_options(
        -fsanitize=${sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=all $<$<CONFIG:Debug>:-O1>)
    add_link_options(-fsanitize=${sanitizers})
endif()
