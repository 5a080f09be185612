/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/**
 * @file memkind/kind_owner.h
 * @brief From a create function to an allocator's kind. Programs do not include it.
 */

#pragma once

#include <memkind.h>

#include <stdexcept>
#include <string>

#include "allocator_base.h"

/** @cond internal */
namespace libmemkind
{
namespace internal
{

/*
 * The kind that a create function has just stored, in the care of its holders;
 * or the exception that stands for the function's error code. Nothing leaks
 * when there is no memory to count the holders with: std::shared_ptr then calls
 * the deleter.
 */
inline shared_kind own(const char *who, int error, memkind_t kind)
{
    if (error == MEMKIND_SUCCESS)
        return shared_kind(kind, memkind_destroy_kind);

    char reason[MEMKIND_ERROR_MESSAGE_SIZE];
    memkind_error_message(error, reason, sizeof reason);
    const std::string text =
        std::string(who) + ": " + reason + " (error code " + std::to_string(error) + ")";
    if (error == MEMKIND_ERROR_INVALID)
        throw std::invalid_argument(text);
    throw std::runtime_error(text);
}

} // namespace internal
} // namespace libmemkind
/** @endcond */
