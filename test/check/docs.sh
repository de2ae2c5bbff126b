#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What README.md and docs/**/*.md say must hold: their code compiles, runs and prints what they show, their links lead somewhere, their numbers
# were written by a script.
#
#   sh test/check/docs.sh [fast|full]      checks (both tiers alike; docs.py says how a block is marked)
#   sh test/check/docs.sh --page NAME      follows docs/porting/NAME.md only (docs_pages.py says how a page is written)
#   sh test/check/docs.sh --prints         runs the programs and writes what they print into the documents
#   sh test/check/docs.sh --results        writes the results of the last `sh test/run.sh full` into docs/TESTING.md and docs/BOUNDS.md
set -eu
cd "$(dirname "$0")/../.."
case ${1:-} in fast | full) shift ;; esac
PYTHONDONTWRITEBYTECODE=1 exec python3 test/check/docs.py "$@"
