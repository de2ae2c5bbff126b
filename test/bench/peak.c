// SPDX-License-Identifier: MIT
//
// Runs a program and says how much of it was resident at most.
//
//   peak FIGURES LIBRARY COMMAND...    LIBRARY: for LD_PRELOAD, "" for none; into the file FIGURES goes the peak in KB, a whole number
//
// OWNS        nothing.
// PICTURE     resident  __/~~\__/~~~~\___      what is resident goes down by a call of the system only: the most is what is counted just before one
//                           ^        ^  ^
// INVARIANTS  1. The pages are counted, one by one (Rss of /proc/PID/smaps_rollup). The kernel's own figure, ru_maxrss, is no measure for small programs: it
//                leaves out what each processor has not yet added to the sum, up to 32 pages of each kind (files, memory) each.
//             2. The peak is that of the largest process. This one is smaller than whatever it runs.
// COST        each such call stops the program, the others do not; the time that is spent is no measure.
// CALLERS     preload.py.
#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#define OPTIONS                                                                                                                  \
    (PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

// The calls after which less may be resident.
static const unsigned calls[] = {SYS_brk,    SYS_munmap,   SYS_mremap, SYS_madvise,   SYS_mmap, // over another map
                                 SYS_execve, SYS_execveat, SYS_exit,   SYS_exit_group};
#define CALLS (sizeof calls / sizeof *calls)

static long peak;

static void count(pid_t pid)
{
    char line[256];
    long kilobytes;

    (void)snprintf(line, sizeof line, "/proc/%d/smaps_rollup", (int)pid);
    FILE *const file = fopen(line, "r");
    if (file == NULL) {
        perror(line);
        exit(2);
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "Rss: %ld", &kilobytes) == 1 && kilobytes > peak)
            peak = kilobytes;
    }
    (void)fclose(file);
}

// From here on this process, and what comes of it, stops before each of the calls.
static bool stop_at_calls(void)
{
    struct sock_filter code[2 * CALLS + 2] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    const struct sock_fprog program = {sizeof code / sizeof *code, code};
    for (size_t i = 0; i < CALLS; i++) {
        code[1 + 2 * i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
        code[2 + 2 * i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    }
    code[2 * CALLS + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// Where the process stops. Returns the signal that it goes on with.
static int stopped(pid_t pid, int status)
{
    const int event = status >> 16;
    const int signal = WSTOPSIG(status);
    if (event == PTRACE_EVENT_SECCOMP)
        count(pid);
    return event != 0 || signal == SIGSTOP ? 0 : signal; // a new process begins with SIGSTOP
}

// Returns the status of the first one.
static int follow(pid_t first)
{
    int result = 2;
    int status;

    for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0;) {
        if (WIFSTOPPED(status))
            (void)ptrace(PTRACE_CONT, pid, NULL, (void *)(long)stopped(pid, status)); // it may be gone
        else if (pid == first)
            result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return result;
}

int main(int argc, char **argv)
{
    int status;

    if (argc < 4) {
        (void)fprintf(stderr, "usage: peak FIGURES LIBRARY COMMAND...\n");
        return 2;
    }
    FILE *const figures = fopen(argv[1], "we");
    if (figures == NULL) {
        perror(argv[1]);
        return 2;
    }
    const pid_t child = fork();
    if (child == 0) {
        if (argv[2][0] != '\0')
            (void)setenv("LD_PRELOAD", argv[2], 1);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 && raise(SIGSTOP) == 0 && stop_at_calls())
            (void)execvp(argv[3], &argv[3]);
        perror(argv[3]);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFSTOPPED(status) || ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)OPTIONS) != 0 ||
        ptrace(PTRACE_CONT, child, NULL, NULL) != 0) {
        perror("peak");
        return 2;
    }
    status = follow(child);
    (void)fprintf(figures, "%ld\n", peak);
    if (fclose(figures) != 0)
        return 2;
    return status;
}
