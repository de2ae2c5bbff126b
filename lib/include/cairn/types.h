// SPDX-License-Identifier: MIT
//
// What every part of cairn shares: the version, and the errors.
// VITALS: no state, no allocation; safe in any context.
#ifndef CAIRN_TYPES_H
#define CAIRN_TYPES_H

#include "cairn/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAIRN_VERSION_MAJOR 0
#define CAIRN_VERSION_MINOR 1
#define CAIRN_VERSION_PATCH 0

#if defined(__GNUC__)
#define CAIRN_MUST_CHECK __attribute__((warn_unused_result))
#else
#define CAIRN_MUST_CHECK
#endif

// A call that has the name of a struct: in C++ that hides a constructor, of which compilers warn.
#if defined(__cplusplus) && defined(__GNUC__)
#define CAIRN_SAME_NAME(declaration)                                                                                             \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wshadow\"") declaration _Pragma("GCC diagnostic pop")
#else
#define CAIRN_SAME_NAME(declaration) declaration
#endif

#ifdef __cplusplus
extern "C" {
#endif

// Calls that can fail return 0 or one of these: errno's numbers, negative.
enum cairn_error {
    CAIRN_OK = 0,
    CAIRN_ENOENT = -2,     // there is no such thing
    CAIRN_EIO = -5,        // a transfer failed
    CAIRN_ENOMEM = -12,    // the region is too small for this
    CAIRN_EACCES = -13,    // that access is not allowed there
    CAIRN_EFAULT = -14,    // nothing is mapped at that address
    CAIRN_EBUSY = -16,     // a used block stands in the way
    CAIRN_EINVAL = -22,    // an argument is outside its range
    CAIRN_EOVERFLOW = -75, // a size is larger than the layout can number, or wraps around
    CAIRN_ECORRUPT = -84,  // bytes are not what they must be
    CAIRN_ENOTSUP = -95,   // this heap cannot answer that
};

// Name an error for a person. Returns a constant string, never NULL; "unknown error" for a number that is none of the above.
const char *cairn_error_name(int error);

#ifdef __cplusplus
}
#endif

#endif
