// SPDX-License-Identifier: MIT
//
// NOR flash in RAM, whose power goes in the midst of an operation. In your firmware this is the driver of your flash: read, program, erase.
#ifndef EXAMPLE_FLASH_H
#define EXAMPLE_FLASH_H

#include <cairn/port.h>

#define FLASH_BLOCKS 8u
#define FLASH_BLOCK 2048u

extern const struct cairn_port_flash flash;

// As it comes from the factory.
void flash_make(void);
// Power on, until so many programs and erasures from now: of that one nothing is done, all or some bytes, as `seed` says.
void flash_power(uint32_t operations, uint32_t seed);
bool flash_is_off(void);
// How often a block was erased, those included in whose midst the power went.
uint32_t flash_erasures(uint32_t block);

#endif
