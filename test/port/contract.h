// SPDX-License-Identifier: MIT
//
// The contract of cairn/port.h, as a run that any port passes.
//
// OWNS        nothing; leaves the port as it found it.
// CALLERS     test/port/test_*.c, one for each port; whoever writes a port of his own.
#ifndef CAIRN_TEST_PORT_CONTRACT_H
#define CAIRN_TEST_PORT_CONTRACT_H

#include "cairn/port.h"

// Each returns NULL, or what does not hold.

// alone: nobody else moves the break meanwhile.
const char *contract_break(const struct cairn_port_region *port, bool alone);
const char *contract_maps(const struct cairn_port_region *port);
const char *contract_system(const struct cairn_port_system *system);

#endif
