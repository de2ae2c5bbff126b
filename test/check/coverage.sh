#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Measures which lines and branches of lib the unit tests and the random test reach, in a build of their own (build/host-cov), prints
# gcovr's summary and the branches not reached, and fails below the floors.
set -eu
cd "$(dirname "$0")/../.."
lines_floor=99
branches_floor=96
build=build/host-cov
tests='aligned|alloc|arena_random|arena_threads|attach|baremetal|bins|bits|blocks|bound|break|break_others|bulk|change|check|checkpoint|checkpoint_hostile|checkpoint_layout|checkpoint_power|checkpoint_random|checksum|codec|deferred|deferred_threads|elf|error|faults|figures|fit|free|hooks|image|image_failures|image_flash|image_hostile|image_power|image_random|init|isolation|layout|maps|page_recorder|policy|policy_parts|pool|pool_check|pool_init|pool_random|pool_threads|pools|posix|random|recorder|region|regions|report|resize|share_random|space_floor|space_heap|space_malloc|space_random|space_reserve|store_checked|store_compressed|store_compressed_random|store_flash|store_flash_figures|store_flash_power|store_flash_random|store_ram|stream|tags|trap|vm_access|vm_advise|vm_brk|vm_check|vm_check_share|vm_commit|vm_exec|vm_fault|vm_fork|vm_init|vm_load|vm_mapping|vm_merge|vm_object|vm_pageout|vm_pin|vm_prefetch|vm_random|vm_segment|vm_share|vm_shared|vm_space|vm_stack|vm_table|vm_tlb|walk'

command -v gcovr >/dev/null || { echo "gcovr is missing: sh port/setup.sh installs it"; exit 1; }
cmake --preset host-cov
# What runs is built, each test by its name, and no more.
cmake --build --preset host-cov --target $(ctest --test-dir $build -N -R "^test_($tests)\$" | sed -n 's/^ *Test *#[0-9]*: //p')
find $build -name '*.gcda' -exec rm -f {} +
CAIRN_TIER=fast ctest --test-dir $build --output-on-failure -R "^test_($tests)\$"
gcovr --root . --filter 'lib/' --exclude-unreachable-branches --branches --txt - --print-summary \
    --fail-under-line $lines_floor --fail-under-branch $branches_floor $build/CMakeFiles/cairn.dir
