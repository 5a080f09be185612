/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see cxx.h. The linker puts these functions in place of the library's (--wrap, see
 * CMakeLists.txt). */
#include "cxx.h"

std::atomic<long> blocks;
std::atomic<long> misplaced;
std::atomic<long> live_kinds, live_configs;
std::atomic<memkind_t> last_kind;
bool pretending;
int create_error;
bool no_configuration;
memkind_mem_usage_policy last_policy;
std::string last_path;
size_t last_size;

extern "C" {
void *__real_memkind_malloc(memkind_t kind, size_t size);
int __real_memkind_posix_memalign(memkind_t kind, void **block, size_t alignment, size_t size);
void __real_memkind_free(memkind_t kind, void *block);
void *__real_hbw_malloc(size_t size);
int __real_hbw_posix_memalign(void **block, size_t alignment, size_t size);
void __real_hbw_free(void *block);
struct memkind_config *__real_memkind_config_new(void);
void __real_memkind_config_delete(struct memkind_config *config);
void __real_memkind_config_set_path(struct memkind_config *config, const char *path);
void __real_memkind_config_set_size(struct memkind_config *config, size_t size);
void __real_memkind_config_set_memory_usage_policy(struct memkind_config *config,
                                                   memkind_mem_usage_policy policy);
int __real_memkind_create_pmem_with_config(struct memkind_config *config, memkind_t *kind);
int __real_memkind_create_fixed(void *address, size_t size, memkind_t *kind);
int __real_memkind_destroy_kind(memkind_t kind);

void *__wrap_memkind_malloc(memkind_t kind, size_t size)
{
    void *block = __real_memkind_malloc(kind, size);

    last_kind = kind;
    blocks += block != nullptr;
    return block;
}

int __wrap_memkind_posix_memalign(memkind_t kind, void **block, size_t alignment, size_t size)
{
    int error = __real_memkind_posix_memalign(kind, block, alignment, size);

    last_kind = kind;
    blocks += error == 0 && *block;
    return error;
}

void __wrap_memkind_free(memkind_t kind, void *block)
{
    blocks -= block != nullptr;
    misplaced += memkind_detect_kind(block) != kind;
    __real_memkind_free(kind, block);
}

void *__wrap_hbw_malloc(size_t size)
{
    void *block = __real_hbw_malloc(size);

    blocks += block != nullptr;
    return block;
}

int __wrap_hbw_posix_memalign(void **block, size_t alignment, size_t size)
{
    int error = __real_hbw_posix_memalign(block, alignment, size);

    blocks += error == 0 && *block;
    return error;
}

void __wrap_hbw_free(void *block)
{
    blocks -= block != nullptr;
    misplaced += memkind_detect_kind(block) == nullptr;
    __real_hbw_free(block);
}

struct memkind_config *__wrap_memkind_config_new(void)
{
    struct memkind_config *config = no_configuration ? nullptr : __real_memkind_config_new();

    live_configs += config != nullptr;
    return config;
}

void __wrap_memkind_config_delete(struct memkind_config *config)
{
    live_configs -= config != nullptr;
    __real_memkind_config_delete(config);
}

void __wrap_memkind_config_set_path(struct memkind_config *config, const char *path)
{
    last_path = path ? path : "(null)";
    __real_memkind_config_set_path(config, path);
}

void __wrap_memkind_config_set_size(struct memkind_config *config, size_t size)
{
    last_size = size;
    __real_memkind_config_set_size(config, size);
}

void __wrap_memkind_config_set_memory_usage_policy(struct memkind_config *config,
                                                   memkind_mem_usage_policy policy)
{
    last_policy = policy;
    __real_memkind_config_set_memory_usage_policy(config, policy);
}

static int pretend(memkind_t *kind)
{
    return create_error ? create_error
                        : memkind_create_nodes("all", MEMKIND_POLICY_PREFERRED_LOCAL,
                                               (memkind_bits_t)0, kind);
}

int __wrap_memkind_create_pmem_with_config(struct memkind_config *config, memkind_t *kind)
{
    int error = pretending ? pretend(kind) : __real_memkind_create_pmem_with_config(config, kind);

    live_kinds += error == MEMKIND_SUCCESS;
    return error;
}

int __wrap_memkind_create_fixed(void *address, size_t size, memkind_t *kind)
{
    int error = pretending ? pretend(kind) : __real_memkind_create_fixed(address, size, kind);

    live_kinds += error == MEMKIND_SUCCESS;
    return error;
}

int __wrap_memkind_destroy_kind(memkind_t kind)
{
    int error = __real_memkind_destroy_kind(kind);

    live_kinds -= error == MEMKIND_SUCCESS;
    return error;
}
}

std::atomic<long> news;
std::atomic<long> news_left(LONG_MAX);

/* Not inlined: a compiler that sees only one of a pair takes it for a mismatch. */
__attribute__((noinline)) void *operator new(size_t size)
{
    void *block = news_left-- > 0 ? malloc(size ? size : 1) : nullptr;

    news++;
    if (!block)
        throw std::bad_alloc();
    return block;
}

__attribute__((noinline)) void operator delete(void *block) noexcept
{
    free(block);
}

__attribute__((noinline)) void operator delete(void *block, size_t) noexcept
{
    free(block);
}

void cxx_init(void)
{
    const char *manager = getenv("MEMKIND_HEAP_MANAGER");
    const std::string kept(manager ? manager : "JEMALLOC");

    test_with_nodes();
    setenv("MEMKIND_HEAP_MANAGER", kept.c_str(), 1);
}

void cxx_init_pretending(void)
{
    cxx_init();
    pretending = true;
}

void nothing_is_left(void)
{
    cr_assert_eq(blocks, 0, "%ld blocks", blocks.load());
    cr_assert_eq(misplaced, 0, "%ld blocks to the wrong kind", misplaced.load());
    cr_assert_eq(live_kinds, 0, "%ld kinds", live_kinds.load());
    cr_assert_eq(live_configs, 0, "%ld configurations", live_configs.load());
}

std::string directory(void)
{
    const char *path = getenv("TMPDIR");

    return path && *path ? path : "/tmp";
}
