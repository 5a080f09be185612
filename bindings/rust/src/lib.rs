// SPDX-License-Identifier: BSD-2-Clause
// Copyright (C) 2026 the libmemkind developers.

//! libmemkind for Rust: the functions of `memkind.h` as they are, and [`Heap`], an allocator.
//!
//! ```no_run
//! use memkind_sys::{Heap, MEMKIND_HBW};
//!
//! #[global_allocator]
//! static HEAP: Heap = Heap::or_default(unsafe { &MEMKIND_HBW });
//! ```
//!
//! `memkind.h` says what each function does, what is an error, and what may be called from which thread.

#![no_std]
#![allow(non_camel_case_types)]

use core::alloc::{GlobalAlloc, Layout};
use core::ffi::c_void;
use core::marker::{PhantomData, PhantomPinned};
use core::ptr;
use core::sync::atomic::{AtomicU8, Ordering};

// core has c_char and c_int since 1.64; these are the same on 64-bit Linux.
type c_int = i32;
#[cfg(any(
    target_arch = "aarch64",
    target_arch = "powerpc64",
    target_arch = "riscv64"
))]
type c_char = u8;
#[cfg(not(any(
    target_arch = "aarch64",
    target_arch = "powerpc64",
    target_arch = "riscv64"
)))]
type c_char = i8;

/// What a kind is, is the library's own matter.
#[repr(C)]
pub struct memkind {
    _private: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// The handle of a kind. Every thread may use it.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct memkind_t(pub *mut memkind);

/// A configuration of a file-backed kind, the library's own matter, too.
#[repr(C)]
pub struct memkind_config {
    _private: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// How a kind of the program's own making gets its pages. `map` and `unmap` must not be `None`. None of them may
/// allocate from the library, nor panic.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct memkind_page_ops {
    pub map: Option<unsafe extern "C" fn(*mut c_void, usize, usize) -> *mut c_void>,
    pub unmap: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, usize)>,
    pub purge: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, usize) -> c_int>,
}

unsafe impl Send for memkind_t {}
unsafe impl Sync for memkind_t {}

pub const MEMKIND_SUCCESS: c_int = 0;
pub const MEMKIND_ERROR_MESSAGE_SIZE: usize = 128;

/// `enum memkind_memtype_t`.
pub const MEMKIND_MEMTYPE_DEFAULT: c_int = 1;
pub const MEMKIND_MEMTYPE_HIGH_BANDWIDTH: c_int = 2;

/// `enum memkind_policy_t`.
pub const MEMKIND_POLICY_BIND_LOCAL: c_int = 0;
pub const MEMKIND_POLICY_BIND_ALL: c_int = 1;
pub const MEMKIND_POLICY_PREFERRED_LOCAL: c_int = 2;
pub const MEMKIND_POLICY_INTERLEAVE_ALL: c_int = 4;
pub const MEMKIND_POLICY_WEIGHTED_INTERLEAVE_ALL: c_int = 6;

/// `enum memkind_bits_t`.
pub const MEMKIND_MASK_PAGE_SIZE_2MB: c_int = 21;
pub const MEMKIND_MASK_NO_CORE_DUMP: c_int = 1 << 8;

/// `enum memkind_mem_usage_policy`.
pub const MEMKIND_MEM_USAGE_POLICY_DEFAULT: c_int = 0;
pub const MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE: c_int = 1;

/// `enum memkind_stat_type`.
pub const MEMKIND_STAT_TYPE_RESIDENT: c_int = 0;
pub const MEMKIND_STAT_TYPE_ACTIVE: c_int = 1;
pub const MEMKIND_STAT_TYPE_ALLOCATED: c_int = 2;

/// `enum memkind_stat_print_opt`.
pub const MEMKIND_STAT_PRINT_ALL: c_int = 0;
pub const MEMKIND_STAT_PRINT_JSON_FORMAT: c_int = 1 << 0;
pub const MEMKIND_STAT_PRINT_OMIT_GENERAL: c_int = 1 << 1;
pub const MEMKIND_STAT_PRINT_OMIT_MERGED_ARENA: c_int = 1 << 2;
pub const MEMKIND_STAT_PRINT_OMIT_DESTROYED_MERGED_ARENA: c_int = 1 << 3;
pub const MEMKIND_STAT_PRINT_OMIT_PER_ARENA: c_int = 1 << 4;
pub const MEMKIND_STAT_PRINT_OMIT_PER_SIZE_CLASS_BINS: c_int = 1 << 5;
pub const MEMKIND_STAT_PRINT_OMIT_PER_SIZE_CLASS_LARGE: c_int = 1 << 6;
pub const MEMKIND_STAT_PRINT_OMIT_MUTEX: c_int = 1 << 7;
pub const MEMKIND_STAT_PRINT_OMIT_EXTENT: c_int = 1 << 8;

extern "C" {
    pub static MEMKIND_DEFAULT: memkind_t;
    pub static MEMKIND_REGULAR: memkind_t;
    pub static MEMKIND_INTERLEAVE: memkind_t;
    pub static MEMKIND_HUGETLB: memkind_t;
    pub static MEMKIND_HBW: memkind_t;
    pub static MEMKIND_HBW_ALL: memkind_t;
    pub static MEMKIND_HBW_PREFERRED: memkind_t;
    pub static MEMKIND_HBW_HUGETLB: memkind_t;
    pub static MEMKIND_HBW_ALL_HUGETLB: memkind_t;
    pub static MEMKIND_HBW_PREFERRED_HUGETLB: memkind_t;
    pub static MEMKIND_HBW_INTERLEAVE: memkind_t;
    pub static MEMKIND_DAX_KMEM: memkind_t;
    pub static MEMKIND_DAX_KMEM_ALL: memkind_t;
    pub static MEMKIND_DAX_KMEM_PREFERRED: memkind_t;
    pub static MEMKIND_DAX_KMEM_INTERLEAVE: memkind_t;
    pub static MEMKIND_HIGHEST_CAPACITY: memkind_t;
    pub static MEMKIND_HIGHEST_CAPACITY_PREFERRED: memkind_t;
    pub static MEMKIND_HIGHEST_CAPACITY_LOCAL: memkind_t;
    pub static MEMKIND_HIGHEST_CAPACITY_LOCAL_PREFERRED: memkind_t;
    pub static MEMKIND_LOWEST_LATENCY_LOCAL: memkind_t;
    pub static MEMKIND_LOWEST_LATENCY_LOCAL_PREFERRED: memkind_t;
    pub static MEMKIND_HIGHEST_BANDWIDTH_LOCAL: memkind_t;
    pub static MEMKIND_HIGHEST_BANDWIDTH_LOCAL_PREFERRED: memkind_t;

    pub fn memkind_get_version() -> c_int;
    pub fn memkind_error_message(err: c_int, msg: *mut c_char, size: usize);

    pub fn memkind_malloc(kind: memkind_t, size: usize) -> *mut c_void;
    pub fn memkind_calloc(kind: memkind_t, num: usize, size: usize) -> *mut c_void;
    pub fn memkind_posix_memalign(
        kind: memkind_t,
        memptr: *mut *mut c_void,
        alignment: usize,
        size: usize,
    ) -> c_int;
    pub fn memkind_realloc(kind: memkind_t, ptr: *mut c_void, size: usize) -> *mut c_void;
    pub fn memkind_free(kind: memkind_t, ptr: *mut c_void);
    pub fn memkind_malloc_usable_size(kind: memkind_t, ptr: *mut c_void) -> usize;
    pub fn memkind_detect_kind(ptr: *mut c_void) -> memkind_t;

    pub fn memkind_create_kind(
        memtype_flags: c_int,
        policy: c_int,
        flags: c_int,
        kind: *mut memkind_t,
    ) -> c_int;
    pub fn memkind_create_pmem(dir: *const c_char, max_size: usize, kind: *mut memkind_t) -> c_int;
    pub fn memkind_create_pmem_with_config(cfg: *mut memkind_config, kind: *mut memkind_t)
        -> c_int;
    pub fn memkind_create_custom(
        ops: *const memkind_page_ops,
        context: *mut c_void,
        kind: *mut memkind_t,
    ) -> c_int;
    pub fn memkind_create_fixed(addr: *mut c_void, size: usize, kind: *mut memkind_t) -> c_int;
    pub fn memkind_create_nodes(
        nodes: *const c_char,
        policy: c_int,
        flags: c_int,
        kind: *mut memkind_t,
    ) -> c_int;
    pub fn memkind_destroy_kind(kind: memkind_t) -> c_int;

    pub fn memkind_config_new() -> *mut memkind_config;
    pub fn memkind_config_delete(cfg: *mut memkind_config);
    pub fn memkind_config_set_path(cfg: *mut memkind_config, pmem_dir: *const c_char);
    pub fn memkind_config_set_size(cfg: *mut memkind_config, pmem_size: usize);
    pub fn memkind_config_set_memory_usage_policy(cfg: *mut memkind_config, policy: c_int);
    pub fn memkind_config_set_core_dump(cfg: *mut memkind_config, core_dump: bool);

    pub fn memkind_check_available(kind: memkind_t) -> c_int;
    pub fn memkind_refresh() -> c_int;
    pub fn memkind_get_capacity(kind: memkind_t) -> isize;
    pub fn memkind_set_allow_zero_allocs(kind: memkind_t, allow_zero_allocs: bool) -> c_int;
    pub fn memkind_set_limit(kind: memkind_t, limit: usize) -> c_int;
    pub fn memkind_check_dax_path(pmem_dir: *const c_char) -> c_int;
    pub fn memkind_update_cached_stats() -> c_int;
    pub fn memkind_get_stat(kind: memkind_t, stat: c_int, value: *mut usize) -> c_int;
    pub fn memkind_stats_print(
        write_cb: Option<unsafe extern "C" fn(*mut c_void, *const c_char)>,
        cbopaque: *mut c_void,
        opts: c_int,
    ) -> c_int;
    pub fn memkind_defrag_reallocate(kind: memkind_t, ptr: *mut c_void) -> *mut c_void;
    pub fn memkind_set_bg_threads(state: bool) -> c_int;
    pub fn memkind_trim(kind: memkind_t) -> isize;
}

/// An allocator whose memory is a static kind's, for `#[global_allocator]`, or to be called by hand.
pub struct Heap {
    kind: &'static memkind_t,
    chosen: AtomicU8,
}

/// What `chosen` is until the first allocation of [`Heap::or_default`], and afterwards.
const UNKNOWN: u8 = 0;
const KIND: u8 = 1;
const DEFAULT: u8 = 2;

/// `memkind_malloc()` aligns blocks of so many bytes and more to that.
const BASIC_ALIGNMENT: usize = 16;

impl Heap {
    /// The allocator of one of the library's variables: `Heap::new(unsafe { &MEMKIND_HBW })`. Where the machine
    /// does not have that kind, there is no memory.
    pub const fn new(kind: &'static memkind_t) -> Heap {
        Heap {
            kind,
            chosen: AtomicU8::new(KIND),
        }
    }

    /// As `new()`, but it is `MEMKIND_DEFAULT` where the machine does not have that kind.
    pub const fn or_default(kind: &'static memkind_t) -> Heap {
        Heap {
            kind,
            chosen: AtomicU8::new(UNKNOWN),
        }
    }

    /// Which kind that is.
    pub fn kind(&self) -> memkind_t {
        match self.chosen.load(Ordering::Relaxed) {
            KIND => *self.kind,
            DEFAULT => unsafe { MEMKIND_DEFAULT },
            _ => self.choose(),
        }
    }

    /// The first answer counts: blocks are freed in the kind that they were allocated in.
    #[cold]
    fn choose(&self) -> memkind_t {
        let available = unsafe { memkind_check_available(*self.kind) } == MEMKIND_SUCCESS;
        let answer = if available { KIND } else { DEFAULT };

        let _ = self
            .chosen
            .compare_exchange(UNKNOWN, answer, Ordering::Relaxed, Ordering::Relaxed);
        self.kind()
    }
}

/// Whether a block of this layout need not be asked for with its alignment.
fn is_basic(layout: &Layout) -> bool {
    layout.align() <= BASIC_ALIGNMENT && layout.align() <= layout.size()
}

unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut block = ptr::null_mut();

        if is_basic(&layout) {
            block = memkind_malloc(self.kind(), layout.size());
        } else {
            let alignment = layout.align().max(core::mem::size_of::<*mut c_void>());

            if memkind_posix_memalign(self.kind(), &mut block, alignment, layout.size()) != 0 {
                block = ptr::null_mut();
            }
        }
        block.cast()
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_basic(&layout) {
            return memkind_calloc(self.kind(), 1, layout.size()).cast();
        }
        let block = self.alloc(layout);

        if !block.is_null() {
            block.write_bytes(0, layout.size());
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        memkind_free(self.kind(), block.cast());
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let wanted = Layout::from_size_align_unchecked(size, layout.align());

        if is_basic(&wanted) {
            return memkind_realloc(self.kind(), block.cast(), size).cast();
        }
        let moved = self.alloc(wanted);

        if !moved.is_null() {
            ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
            self.dealloc(block, layout);
        }
        moved
    }
}
