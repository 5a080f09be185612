# The target docs: a site from the public headers, man/ and the project's documents, in <build>/docs/html. It is
# not part of `all`. docs/site/make_site.py makes it; without the programs it needs, the target says which.

find_program(MEMKIND_DOXYGEN doxygen)
find_program(MEMKIND_MANDOC mandoc)
mark_as_advanced(MEMKIND_DOXYGEN MEMKIND_MANDOC)
find_package(Python3 QUIET COMPONENTS Interpreter)

set(memkind_docs_missing)
foreach(program IN ITEMS MEMKIND_DOXYGEN MEMKIND_MANDOC Python3_EXECUTABLE)
    if(NOT ${program})
        string(REGEX REPLACE "^MEMKIND_|_EXECUTABLE$" "" name ${program})
        string(TOLOWER ${name} name)
        list(APPEND memkind_docs_missing ${name})
    endif()
endforeach()

if(memkind_docs_missing)
    list(JOIN memkind_docs_missing ", " memkind_docs_missing)
    add_custom_target(docs
        COMMAND ${CMAKE_COMMAND} -E echo
            "docs: not found: ${memkind_docs_missing}. Run scripts/bootstrap --docs, then cmake again."
        COMMAND ${CMAKE_COMMAND} -E false
        VERBATIM)
    return()
endif()

set(MEMKIND_DOCS_DIR ${PROJECT_BINARY_DIR}/docs)
configure_file(${PROJECT_SOURCE_DIR}/docs/Doxyfile.in ${MEMKIND_DOCS_DIR}/Doxyfile @ONLY)
add_custom_target(docs
    COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/docs/site/make_site.py
        --source ${PROJECT_SOURCE_DIR} --site ${MEMKIND_DOCS_DIR}
        --doxygen ${MEMKIND_DOXYGEN} --mandoc ${MEMKIND_MANDOC}
    COMMENT "Documentation"
    VERBATIM)
