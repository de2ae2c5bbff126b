// SPDX-License-Identifier: MIT
//
// What the host's tools share: how they complain, read numbers and report progress.
//
// OWNS        tool_name; the line of progress on standard error.
// CALLERS     the tools' main files and what they are made of; one thread.
#ifndef CAIRN_PORT_TOOL_H
#define CAIRN_PORT_TOOL_H

#include <stdbool.h>
#include <stdint.h>

enum tool_status { TOOL_OK = 0, TOOL_FAILED = 1, TOOL_USAGE = 2 };

extern const char *tool_name;

// Print "NAME: message" to standard error, over a line of progress if there is one.
void tool_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Read a decimal number from low to high. Returns false iff the text is anything else.
bool tool_number(const char *text, uint64_t low, uint64_t high, uint64_t *number);

// Can a file be written there? Asked before what takes long, and nothing is left. Complains and returns false iff it cannot.
bool tool_can_write(const char *path);

// Say what is being done. Shown from the second second on, four times a second: in place on a terminal, every ten seconds elsewhere.
void tool_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Is it time to call tool_progress? Cheap.
bool tool_progress_is_due(void);
// Remove the line.
void tool_progress_end(void);
// No progress from now on.
void tool_progress_silence(void);

// The status to end with: `status`; TOOL_FAILED, and it is said, where standard output could not be written.
int tool_end(int status);

// Print a text as a field of CSV: in quotes where it has a comma, a quote or a line's end in it (RFC 4180).
void tool_print_field(const char *text);

// Are both names one file's, that is there? What is written to one would be lost in the other.
bool tool_is_same_file(const char *one, const char *other);

// The file's name without folder and ending, into name[size].
const char *tool_base_name(const char *path, char *name, unsigned size);

#endif
