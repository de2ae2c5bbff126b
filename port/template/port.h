// SPDX-License-Identifier: MIT
//
// What a port offers: two structs, to be named in an arena's configuration.
#ifndef CAIRN_PORT_TEMPLATE_H
#define CAIRN_PORT_TEMPLATE_H

#include "cairn/port.h"

extern const struct cairn_port_system template_system;
extern const struct cairn_port_region template_region;

#endif
