// SPDX-License-Identifier: MIT
//
// The names of the errors.
// OWNS: constant strings. COST: O(1). CALLERS: anybody, any context.
#include "cairn/types.h"

const char *cairn_error_name(int error)
{
    switch (error) {
    case CAIRN_OK: return "no error";
    case CAIRN_ENOENT: return "no such thing";
    case CAIRN_EIO: return "transfer failed";
    case CAIRN_ENOMEM: return "not enough memory";
    case CAIRN_EACCES: return "access not allowed";
    case CAIRN_EFAULT: return "bad address";
    case CAIRN_EBUSY: return "in use";
    case CAIRN_EINVAL: return "invalid argument";
    case CAIRN_EOVERFLOW: return "size too large";
    case CAIRN_ECORRUPT: return "corrupt data";
    case CAIRN_ENOTSUP: return "not supported";
    default: return "unknown error";
    }
}
