// SPDX-License-Identifier: MIT
//
// Runs a program and says what time it spent.
//
//   spend FIGURES LIBRARY COMMAND...    LIBRARY: for LD_PRELOAD, "" for none; into the file FIGURES goes seconds,user seconds
//
// OWNS        nothing.
// CALLERS     preload.py.
#define _GNU_SOURCE // wait4
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    struct rusage used;
    int status;

    if (argc < 4) {
        (void)fprintf(stderr, "usage: spend FIGURES LIBRARY COMMAND...\n");
        return 2;
    }
    FILE *const figures = fopen(argv[1], "w");
    if (figures == NULL) {
        perror(argv[1]);
        return 2;
    }
    const double start = now();
    const pid_t child = fork();
    if (child == 0) {
        if (argv[2][0] != '\0')
            (void)setenv("LD_PRELOAD", argv[2], 1);
        (void)execvp(argv[3], &argv[3]);
        perror(argv[3]);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &used) != child) {
        perror("spend");
        return 2;
    }
    const double user = (double)used.ru_utime.tv_sec + (double)used.ru_utime.tv_usec * 1e-6;
    (void)fprintf(figures, "%.4f,%.4f\n", now() - start, user);
    if (fclose(figures) != 0)
        return 2;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
