/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* error: the texts of error codes. It has no state; any thread. */
#include <memkind.h>

#include <stdio.h>

#include "frontend/export.h"

static const struct {
    int code;
    const char *text;
} messages[] = {
    {MEMKIND_SUCCESS, "success"},
    {MEMKIND_ERROR_UNAVAILABLE, "this kind of memory is not available here"},
    {MEMKIND_ERROR_MBIND, "the kernel refused the memory policy (mbind)"},
    {MEMKIND_ERROR_MMAP, "the kernel refused the mapping (mmap)"},
    {MEMKIND_ERROR_MALLOC, "the heap manager has no memory for itself"},
    {MEMKIND_ERROR_ENVIRON, "an environment variable MEMKIND_* has an unusable value"},
    {MEMKIND_ERROR_INVALID, "invalid argument"},
    {MEMKIND_ERROR_TOOMANY, "too many kinds exist at once"},
    {MEMKIND_ERROR_BADOPS, "the operations of the kind are missing or incomplete"},
    {MEMKIND_ERROR_HUGETLB, "no huge pages of this size are reserved"},
    {MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE, "the machine has no memory of this type"},
    {MEMKIND_ERROR_OPERATION_FAILED, "the operation failed or is not supported"},
    {MEMKIND_ERROR_ARENAS_CREATE, "no further arena could be made"},
    {MEMKIND_ERROR_RUNTIME, "unspecified run-time error"},
};

EXPORT void memkind_error_message(int err, char *msg, size_t size)
{
    if (!msg || !size)
        return;
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        if (messages[i].code == err) {
            snprintf(msg, size, "memkind: %s", messages[i].text);
            return;
        }
    }
    snprintf(msg, size, "memkind: unknown error number %d", err);
}
