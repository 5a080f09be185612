# For 64-bit ARM, with Debian's cross compiler (package crossbuild-essential-arm64):
#     cmake -S . -B build/arm64 --toolchain cmake/toolchains/aarch64-linux-gnu.cmake
# scripts/cross-check does that, and runs what comes out.
set(memkind_processor aarch64)
set(memkind_triplet aarch64-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
