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

unsafe impl Send for memkind_t {}
unsafe impl Sync for memkind_t {}

pub const MEMKIND_SUCCESS: c_int = 0;
pub const MEMKIND_ERROR_MESSAGE_SIZE: usize = 128;

/// `enum memkind_policy_t`.
pub const MEMKIND_POLICY_BIND_ALL: c_int = 1;
pub const MEMKIND_POLICY_PREFERRED_LOCAL: c_int = 2;
pub const MEMKIND_POLICY_INTERLEAVE_ALL: c_int = 4;

/// `enum memkind_stat_type`.
pub const MEMKIND_STAT_TYPE_RESIDENT: c_int = 0;
pub const MEMKIND_STAT_TYPE_ACTIVE: c_int = 1;
pub const MEMKIND_STAT_TYPE_ALLOCATED: c_int = 2;

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

    pub fn memkind_create_pmem(dir: *const c_char, max_size: usize, kind: *mut memkind_t) -> c_int;
    pub fn memkind_create_fixed(addr: *mut c_void, size: usize, kind: *mut memkind_t) -> c_int;
    pub fn memkind_create_nodes(
        nodes: *const c_char,
        policy: c_int,
        flags: c_int,
        kind: *mut memkind_t,
    ) -> c_int;
    pub fn memkind_destroy_kind(kind: memkind_t) -> c_int;

    pub fn memkind_check_available(kind: memkind_t) -> c_int;
    pub fn memkind_refresh() -> c_int;
    pub fn memkind_get_capacity(kind: memkind_t) -> isize;
    pub fn memkind_set_limit(kind: memkind_t, limit: usize) -> c_int;
    pub fn memkind_check_dax_path(pmem_dir: *const c_char) -> c_int;
    pub fn memkind_update_cached_stats() -> c_int;
    pub fn memkind_get_stat(kind: memkind_t, stat: c_int, value: *mut usize) -> c_int;
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
