#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Fuzzing: 5 seconds a target in the fast tier, 10 minutes a target in the full one.
set -eu
cd "$(dirname "$0")/../.."
seconds=5
[ "${1:-fast}" != full ] || seconds=600
exec sh test/fuzz/run.sh "$seconds"
