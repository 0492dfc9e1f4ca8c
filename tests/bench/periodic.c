/* The yardstick for lateness: sleep to absolute deadlines, note how late each wake-up is. Prints one lateness (ns) a line at the end.
   usage: periodic PERIOD_NS COUNT PRIORITY PHASE_NS */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    long long period = atoll(argv[1]);
    int count = atoi(argv[2]), priority = atoi(argv[3]);
    long long *late = calloc(count, sizeof *late);
    struct sched_param p = {.sched_priority = priority};
    if (priority > 0) sched_setscheduler(0, SCHED_FIFO, &p);
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    mlockall(MCL_CURRENT | MCL_FUTURE);
    long long deadline = now() / period * period + 2 * period + atoll(argv[4]);
    for (int i = 0; i < count; i++) {
        struct timespec t = {deadline / 1000000000LL, deadline % 1000000000LL};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL)) {}
        long long woke = now();
        late[i] = woke - deadline;
        deadline += period * ((woke - deadline) / period + 1);
    }
    for (int i = 0; i < count; i++) printf("%lld\n", late[i]);
    return 0;
}
