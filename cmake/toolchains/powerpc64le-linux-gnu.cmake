# For 64-bit POWER, little endian, with Debian's cross compiler (package crossbuild-essential-ppc64el):
#     cmake -S . -B build/ppc64el --toolchain cmake/toolchains/powerpc64le-linux-gnu.cmake
# scripts/cross-check does that, and runs what comes out.
set(memkind_processor ppc64le) # uname's word, and so CMake's
set(memkind_triplet powerpc64le-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
