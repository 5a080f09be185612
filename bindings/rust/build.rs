// SPDX-License-Identifier: BSD-2-Clause
// Copyright (C) 2026 the libmemkind developers.

//! Links libmemkind: where the linker looks by itself, or in the folder MEMKIND_LIBRARY_DIR.
fn main() {
    println!("cargo:rerun-if-env-changed=MEMKIND_LIBRARY_DIR");
    if let Ok(folder) = std::env::var("MEMKIND_LIBRARY_DIR") {
        println!("cargo:rustc-link-search=native={folder}");
    }
    println!("cargo:rustc-link-lib=dylib=memkind");
}
