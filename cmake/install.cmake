# What `cmake --install` puts where, but for tools/CMakeLists.txt and preload/CMakeLists.txt.
#
# Everything is found from where it lies (memkind.pc, the CMake package), so an installed tree may be moved
# as a whole; only the memkind.pc of one that is installed in /usr stands for that place. Packages of a distribution
# take the components one by one:
#   runtime        libmemkind.so.0, libautohbw.so.0, libmemtier.so.0
#   development    libmemkind.so and so on, libmemkind.a, headers, memkind.pc, CMake package, man3
#   tools          programs, libmemkind-preload.so, man1 and man5
#   documentation  man7, texts, sources of the examples and of the bindings for other languages

install(TARGETS memkind
    EXPORT memkind-targets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        COMPONENT runtime
        NAMELINK_COMPONENT development
)
install(TARGETS memkind_archive
    EXPORT memkind-targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        COMPONENT development
)
install(DIRECTORY include/
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    COMPONENT development
    FILES_MATCHING PATTERN "*.h"
)

# memkind.pc: `pcfiledir` is the folder of the file itself. A folder that is not below the prefix stays
# where it was said to be.
set(memkind_pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
set(MEMKIND_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
if(NOT IS_ABSOLUTE ${memkind_pkgconfig_dir})
    file(RELATIVE_PATH MEMKIND_PC_PREFIX /${memkind_pkgconfig_dir} /)
    string(REGEX REPLACE "/$" "" MEMKIND_PC_PREFIX "\${pcfiledir}/${MEMKIND_PC_PREFIX}")
endif()
foreach(folder IN ITEMS LIBDIR INCLUDEDIR)
    cmake_path(APPEND MEMKIND_PC_${folder} "\${prefix}" "${CMAKE_INSTALL_${folder}}")
endforeach()
set(MEMKIND_PC_ATOMIC "")
if(MEMKIND_ATOMIC)
    set(MEMKIND_PC_ATOMIC " -l${MEMKIND_ATOMIC}")
endif()
set(MEMKIND_PC_LIBS " -L\${libdir}")
set(MEMKIND_PC_CFLAGS " -I\${includedir}")
configure_file(cmake/memkind.pc.in memkind.pc @ONLY)
# In /usr, where a distribution's packages are: folders that the compiler searches by itself are not named.
set(MEMKIND_PC_PREFIX /usr)
if("/usr/${CMAKE_INSTALL_LIBDIR}" IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
    set(MEMKIND_PC_LIBS "")
endif()
if("/usr/${CMAKE_INSTALL_INCLUDEDIR}" IN_LIST CMAKE_C_IMPLICIT_INCLUDE_DIRECTORIES)
    set(MEMKIND_PC_CFLAGS "")
endif()
configure_file(cmake/memkind.pc.in system/memkind.pc @ONLY)
install(CODE "
    set(file \"${PROJECT_BINARY_DIR}/memkind.pc\")
    if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
        set(file \"${PROJECT_BINARY_DIR}/system/memkind.pc\")
    endif()
    set(folder \"${memkind_pkgconfig_dir}\")
    cmake_path(ABSOLUTE_PATH folder BASE_DIRECTORY \"\${CMAKE_INSTALL_PREFIX}\")
    file(INSTALL DESTINATION \"\${folder}\" TYPE FILE FILES \"\${file}\")"
    COMPONENT development
)

include(CMakePackageConfigHelpers)
set(memkind_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/memkind)
configure_package_config_file(cmake/memkind-config.cmake.in memkind-config.cmake
    INSTALL_DESTINATION ${memkind_package_dir}
    NO_SET_AND_CHECK_MACRO
)
write_basic_package_version_file(memkind-config-version.cmake COMPATIBILITY SameMajorVersion)
install(FILES
    ${PROJECT_BINARY_DIR}/memkind-config.cmake
    ${PROJECT_BINARY_DIR}/memkind-config-version.cmake
    DESTINATION ${memkind_package_dir}
    COMPONENT development
)
install(EXPORT memkind-targets
    NAMESPACE memkind::
    DESTINATION ${memkind_package_dir}
    COMPONENT development
)

file(GLOB memkind_man3 CONFIGURE_DEPENDS man/*.3)
file(GLOB memkind_man7 CONFIGURE_DEPENDS man/*.7)
install(FILES ${memkind_man3} DESTINATION ${CMAKE_INSTALL_MANDIR}/man3 COMPONENT development)
install(FILES ${memkind_man7} DESTINATION ${CMAKE_INSTALL_MANDIR}/man7 COMPONENT documentation)
install(FILES README.md CHANGELOG.md LICENSE
    DESTINATION ${CMAKE_INSTALL_DOCDIR}
    COMPONENT documentation
)
install(DIRECTORY bindings
    DESTINATION ${CMAKE_INSTALL_DOCDIR}
    COMPONENT documentation
    PATTERN CMakeLists.txt EXCLUDE
    PATTERN target EXCLUDE # of cargo
    PATTERN __pycache__ EXCLUDE
)
install(FILES docs/languages/fortran.md docs/languages/python.md docs/languages/rust.md
    DESTINATION ${CMAKE_INSTALL_DOCDIR}/bindings
    COMPONENT documentation
)
install(DIRECTORY examples
    DESTINATION ${CMAKE_INSTALL_DOCDIR}
    COMPONENT documentation
    FILES_MATCHING PATTERN "*.c" PATTERN "*.cpp" PATTERN "*.h" PATTERN CMakeLists.txt
)
