// SPDX-License-Identifier: BSD-2-Clause
// Copyright (C) 2026 the libmemkind developers.

//! All of a program's memory in high-bandwidth memory, or in ordinary memory where there is none.
use memkind_sys::{memkind_detect_kind, Heap, MEMKIND_HBW};

#[global_allocator]
static HEAP: Heap = Heap::or_default(unsafe { &MEMKIND_HBW });

fn main() {
    let mut numbers: Vec<u64> = (1..=1_000_000).collect();

    println!("sum: {}", numbers.iter().sum::<u64>());
    let kind = unsafe { memkind_detect_kind(numbers.as_mut_ptr().cast()) };
    println!("in the kind: {}", kind == HEAP.kind());
}
