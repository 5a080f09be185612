# For 64-bit RISC-V, with Debian's cross compiler (package crossbuild-essential-riscv64):
#     cmake -S . -B build/riscv64 --toolchain cmake/toolchains/riscv64-linux-gnu.cmake
# scripts/cross-check does that, and runs what comes out.
set(memkind_processor riscv64)
set(memkind_triplet riscv64-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
