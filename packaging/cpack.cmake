# Tarballs: `cmake --build build/release --target package` makes what `cmake --install` installs into
# libmemkind-VERSION-SYSTEM.tar.gz, and the target package_source one of the sources.
set(CPACK_PACKAGE_NAME libmemkind)
set(CPACK_PACKAGE_VENDOR "the libmemkind developers")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_GENERATOR TGZ)
set(CPACK_SOURCE_GENERATOR TGZ)
set(CPACK_SOURCE_IGNORE_FILES "/build/;/\\\\.git/")
include(CPack)
