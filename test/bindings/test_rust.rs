// SPDX-License-Identifier: BSD-2-Clause
// Copyright (C) 2026 the libmemkind developers.

//! test_rust: the crate memkind-sys. This program's own memory is all from its allocator, in MEMKIND_REGULAR.
use memkind_sys::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{c_void, CString};
use std::ptr;

#[global_allocator]
static HEAP: Heap = Heap::new(unsafe { &MEMKIND_REGULAR });

fn kind_of<T>(block: *const T) -> memkind_t {
    unsafe { memkind_detect_kind(block as *mut _) }
}

fn text(code: i32) -> String {
    let mut buffer = [0; MEMKIND_ERROR_MESSAGE_SIZE];

    unsafe { memkind_error_message(code, buffer.as_mut_ptr(), buffer.len()) };
    buffer
        .iter()
        .take_while(|c| **c != 0)
        .map(|c| *c as u8 as char)
        .collect()
}

#[test]
fn the_program_is_in_the_kind() {
    let numbers: Vec<u64> = (0..1000).collect();
    let boxed = Box::new(1u8);
    let handle = std::thread::spawn(|| vec![String::from("of a thread"); 100]);
    let strings = handle.join().unwrap();

    assert_eq!(kind_of(numbers.as_ptr()), unsafe { MEMKIND_REGULAR });
    assert_eq!(kind_of(&*boxed), HEAP.kind());
    assert_eq!(kind_of(strings[99].as_ptr()), HEAP.kind());
}

#[test]
fn every_layout() {
    for size in [1, 7, 8, 9, 16, 24, 100, 4096, 100_000] {
        for alignment in (0..13).map(|shift| 1usize << shift) {
            let layout = Layout::from_size_align(size, alignment).unwrap();

            unsafe {
                let mut blocks: Vec<*mut u8> = (0..20).map(|_| HEAP.alloc_zeroed(layout)).collect();

                for block in &mut blocks {
                    assert_eq!(*block as usize % alignment, 0, "{layout:?}");
                    assert!((0..size).all(|i| *block.add(i) == 0), "{layout:?}");
                    block.write_bytes(7, size);
                    *block = HEAP.realloc(*block, layout, 3 * size);
                    assert_eq!(*block as usize % alignment, 0, "{layout:?}");
                    assert!((0..size).all(|i| *block.add(i) == 7), "{layout:?}");
                    assert_eq!(kind_of(*block), HEAP.kind());
                }
                for block in blocks {
                    HEAP.dealloc(block, Layout::from_size_align(3 * size, alignment).unwrap());
                }
            }
        }
    }
}

#[test]
fn a_kind_that_is_not_here() {
    let layout = Layout::new::<u64>();

    if unsafe { memkind_check_available(MEMKIND_HBW) } == MEMKIND_SUCCESS {
        println!("\nSKIP: rust/a_kind_that_is_not_here: there is high-bandwidth memory here");
        return;
    }
    let strict = Heap::new(unsafe { &MEMKIND_HBW });
    let kind = Heap::or_default(unsafe { &MEMKIND_HBW });

    unsafe {
        assert!(strict.alloc(layout).is_null());
        let block = kind.alloc(layout);
        assert_eq!(kind_of(block), MEMKIND_DEFAULT);
        kind.dealloc(block, layout);
    }
}

#[test]
fn kinds_are_made_and_destroyed() {
    let all = CString::new("all").unwrap();
    let nowhere = CString::new("/no/such/directory").unwrap();
    let mut kind = unsafe { MEMKIND_DEFAULT };
    let mut bytes = 0;

    unsafe {
        assert!(memkind_create_pmem(nowhere.as_ptr(), 0, &mut kind) < 0);
        assert_eq!(
            memkind_create_nodes(all.as_ptr(), MEMKIND_POLICY_BIND_ALL, 0, &mut kind),
            0
        );
        let block = memkind_malloc(kind, 1000);
        assert_eq!(kind_of(block), kind);
        assert_eq!(memkind_update_cached_stats(), 0);
        assert_eq!(
            memkind_get_stat(kind, MEMKIND_STAT_TYPE_ALLOCATED, &mut bytes),
            0
        );
        assert!((1000..1300).contains(&bytes), "{bytes}");
        memkind_free(kind, block);
        assert_eq!(memkind_destroy_kind(kind), 0);
        let code = memkind_destroy_kind(kind);
        assert!(code < 0);
        assert!(text(code).len() > 10);
    }
}

unsafe extern "C" fn map(count: *mut c_void, size: usize, alignment: usize) -> *mut c_void {
    let layout = Layout::from_size_align(size, alignment).unwrap();

    *count.cast::<usize>() += 1;
    System.alloc(layout).cast()
}

/// Regions are given back with their size only, and are aligned to that of the smallest at least.
unsafe extern "C" fn unmap(count: *mut c_void, region: *mut c_void, size: usize) {
    *count.cast::<usize>() -= 1;
    System.dealloc(
        region.cast(),
        Layout::from_size_align_unchecked(size, 2 << 20),
    );
}

#[test]
fn kinds_with_pages_of_the_program() {
    let ops = memkind_page_ops {
        map: Some(map),
        unmap: Some(unmap),
        purge: None,
    };
    let mut regions = 0usize;
    let mut kind = unsafe { MEMKIND_DEFAULT };

    unsafe {
        assert_eq!(
            memkind_create_custom(&ops, ptr::addr_of_mut!(regions).cast(), &mut kind),
            0
        );
        assert!(memkind_malloc(kind, 0).is_null());
        assert_eq!(memkind_set_allow_zero_allocs(kind, true), 0);
        let block = memkind_malloc(kind, 0);
        assert_eq!(kind_of(block), kind);
        assert!(ptr::addr_of!(regions).read_volatile() > 0);
        memkind_free(kind, block);
        assert_eq!(memkind_destroy_kind(kind), 0);
        assert_eq!(ptr::addr_of!(regions).read_volatile(), 0);
    }
}

#[test]
fn kinds_in_files_and_of_types() {
    let folder = CString::new(std::env::temp_dir().to_str().unwrap()).unwrap();
    let mut kind = unsafe { MEMKIND_DEFAULT };

    unsafe {
        let config = memkind_config_new();
        memkind_config_set_path(config, folder.as_ptr());
        memkind_config_set_size(config, 32 << 20);
        memkind_config_set_memory_usage_policy(config, MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE);
        memkind_config_set_core_dump(config, false);
        assert_eq!(memkind_create_pmem_with_config(config, &mut kind), 0);
        memkind_config_delete(config);
        let block = memkind_malloc(kind, 1000);
        assert_eq!(kind_of(block), kind);
        memkind_free(kind, block);
        assert!(memkind_malloc(kind, 64 << 20).is_null());
        assert_eq!(memkind_destroy_kind(kind), 0);
        assert_eq!(
            memkind_create_kind(
                MEMKIND_MEMTYPE_DEFAULT,
                MEMKIND_POLICY_PREFERRED_LOCAL,
                0,
                &mut kind
            ),
            0
        );
        assert_eq!(memkind_destroy_kind(kind), 0);
        assert!(memkind_stats_print(None, ptr::null_mut(), 1 << 30) < 0);
    }
}

/// Every function of memkind.h is declared, but for the decorators.
#[test]
fn nothing_is_missing() {
    let header = include_str!("../../include/memkind.h");
    let declared = include_str!("../../bindings/rust/src/lib.rs");
    let is_declaration = |line: &&str| line.starts_with(|c: char| c.is_ascii_lowercase());
    let names: Vec<&str> = header
        .lines()
        .filter(is_declaration)
        .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("memkind_"))
        .filter(|name| !name.ends_with("_pre") && !name.ends_with("_post"))
        .collect();

    assert!(names.len() > 30, "{names:?}");
    for name in names {
        assert!(declared.contains(&format!("pub fn {name}(")), "{name}");
    }
}

#[test]
fn the_version_is_the_crate_s() {
    let version = unsafe { memkind_get_version() };
    let own = format!(
        "{}.{}.{}",
        version / 1_000_000,
        version / 1000 % 1000,
        version % 1000
    );

    assert_eq!(Some(own.as_str()), option_env!("MEMKIND_CRATE_VERSION"));
}
