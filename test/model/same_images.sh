#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs two builds of the random test with the same seed: the heaps that they leave must be the same, byte for byte.
#
#   same_images.sh PROGRAM PROGRAM
set -eu
images() { CAIRN_TIER=fast "$1" 7 20000 2>/dev/null | grep '^images '; }
one=$(images "$1")
other=$(images "$2")
echo "$1: $one"
echo "$2: $other"
[ -n "$one" ] && [ "$one" = "$other" ]
