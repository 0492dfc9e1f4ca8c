/* The benchmark channel {LAG, PID, RAMP, HYSTERESIS, TON, SR, AND, OR} as a C programmer would write it: arrays of double,
   one loop a block (`channel_loops`) or one loop over everything (`channel_fused`). Same laws as blocks/, same wires.
   Every array is a restrict parameter and conditions are written with & and |, so that the compiler may vectorise. */
#include <math.h>
#include <stdint.h>

typedef unsigned char u8;
typedef int64_t i64;

#define LAG_ARRAYS double *restrict in, double *restrict lag_t, double *restrict lag_out, u8 *restrict lag_started
#define PID_ARRAYS double *restrict sp, double *restrict kp, double *restrict ti, double *restrict td, double *restrict n, \
    double *restrict ff, double *restrict man, double *restrict out_min, double *restrict out_max, double *restrict pid_out, \
    double *restrict integral, double *restrict push, double *restrict lagged, u8 *restrict automatic, u8 *restrict limited, \
    u8 *restrict held
#define RAMP_ARRAYS double *restrict up, double *restrict down, double *restrict ramp_out
#define HYST_ARRAYS double *restrict low, double *restrict high, u8 *restrict hyst_q
#define TON_ARRAYS i64 *restrict pt, i64 *restrict et, u8 *restrict ton_q, u8 *restrict ton_was
#define LOGIC_ARRAYS u8 *restrict reset, u8 *restrict sr_q, u8 *restrict and_in, u8 *restrict and_out, u8 *restrict or_in, u8 *restrict or_out

static inline double least(double a, double b) { return a < b ? a : b; }
static inline double most(double a, double b) { return a > b ? a : b; }
static inline int finite_(double x) { return x - x == 0.0; }
static inline double held_between(double lo, double x, double hi) { double y = x > lo ? x : lo; return y < hi ? y : hi; }

#define LAG(i) do { \
    double lag = most(lag_t[i], 0.0), way = h * (lag + lag + h); \
    double share = way / (way + 2.0 * lag * lag); \
    double old = lag_out[i], moved = old + (in[i] - old) * share; \
    double out = lag_started[i] ? moved : in[i]; \
    lag_out[i] = out; lag_started[i] = finite_(out); } while (0)

#define PID(i) do { \
    double pv = lag_out[i], filtering = most(n[i], 1.0), was = lagged[i]; \
    double way = (pv - was) * (td[i] / (td[i] + filtering * h)); \
    double ahead = finite_(was) ? way : 0.0; \
    double direct = kp[i] * (sp[i] - pv - filtering * ahead) + ff[i]; \
    double part = least(h / ti[i], 1.0), share = ti[i] > 0.0 ? part : 0.0; \
    double sum = integral[i] + push[i] * share; \
    u8 is_auto = automatic[i]; \
    double wanted = is_auto ? direct + sum : man[i]; \
    int dead = !finite_(wanted), crossed = !(out_min[i] <= out_max[i]); \
    double asked = dead ? pid_out[i] : wanted; \
    double limit = held_between(out_min[i], asked, out_max[i]), out = crossed ? pid_out[i] : limit; \
    double error = kp[i] * (sp[i] - pv) + out - asked, new_push = is_auto ? error : 0.0; \
    double kept = is_auto ? sum : out - direct; \
    int alive = finite_(direct + new_push + kept + ti[i]) & !crossed; \
    double stored = ti[i] > 0.0 ? kept : 0.0; \
    integral[i] = alive ? stored : integral[i]; \
    push[i] = alive ? new_push : 0.0; \
    lagged[i] = alive ? pv - ahead : pv; \
    pid_out[i] = out; limited[i] = out != asked; held[i] = dead | crossed; } while (0)

#define RAMP(i) do { \
    double old = ramp_out[i], here = finite_(old) ? old : 0.0; \
    ramp_out[i] = least(here + most(up[i], 0.0) * h, most(here - most(down[i], 0.0) * h, pid_out[i])); } while (0)

#define HYSTERESIS(i) do { \
    double x = ramp_out[i]; \
    hyst_q[i] = (x < low[i]) | (!(x > high[i]) & hyst_q[i]); } while (0)

#define TON(i) do { \
    u8 on = hyst_q[i]; i64 old = et[i], next = old + dt, bound = next < pt[i] ? next : pt[i]; \
    i64 going = ton_was[i] ? bound : old, now = on ? going : 0; \
    et[i] = now; ton_q[i] = on & (now >= pt[i]); ton_was[i] = on; } while (0)

#define SR(i) (sr_q[i] = ton_q[i] | (sr_q[i] & !reset[i]))
#define AND(i) (and_out[i] = sr_q[i] & and_in[i])
#define OR(i) (or_out[i] = and_out[i] | or_in[i])

#define EACH(BLOCK) for (i64 i = 0; i < rows; i++) BLOCK(i)
#define ALL_ARRAYS LAG_ARRAYS, PID_ARRAYS, RAMP_ARRAYS, HYST_ARRAYS, TON_ARRAYS, LOGIC_ARRAYS
#define ALL c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13], c[14], c[15], c[16], c[17], c[18], \
    c[19], c[20], c[21], c[22], c[23], c[24], c[25], c[26], c[27], c[28], c[29], c[30], c[31], c[32], c[33], c[34], c[35]

static __attribute__((noinline)) void do_lag(LAG_ARRAYS, i64 rows, double h) { EACH(LAG); }
static __attribute__((noinline)) void do_pid(double *restrict lag_out, PID_ARRAYS, i64 rows, double h) { EACH(PID); }
static __attribute__((noinline)) void do_ramp(double *restrict pid_out, RAMP_ARRAYS, i64 rows, double h) { EACH(RAMP); }
static __attribute__((noinline)) void do_hysteresis(double *restrict ramp_out, HYST_ARRAYS, i64 rows) { EACH(HYSTERESIS); }
static __attribute__((noinline)) void do_ton(u8 *restrict hyst_q, TON_ARRAYS, i64 rows, i64 dt) { EACH(TON); }
static __attribute__((noinline)) void do_logic(u8 *restrict ton_q, LOGIC_ARRAYS, i64 rows) { EACH(SR); EACH(AND); EACH(OR); }

void channel_loops(void **c, i64 rows, i64 dt) {
    double h = (double)dt / 1e9;
    do_lag(c[0], c[1], c[2], c[3], rows, h);
    do_pid(c[2], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13], c[14], c[15], c[16], c[17], c[18], c[19], rows, h);
    do_ramp(c[13], c[20], c[21], c[22], rows, h);
    do_hysteresis(c[22], c[23], c[24], c[25], rows);
    do_ton(c[25], c[26], c[27], c[28], c[29], rows, dt);
    do_logic(c[28], c[30], c[31], c[32], c[33], c[34], c[35], rows);
}

static __attribute__((noinline)) void fused(ALL_ARRAYS, i64 rows, double h, i64 dt) {
    for (i64 i = 0; i < rows; i++) { LAG(i); PID(i); RAMP(i); HYSTERESIS(i); TON(i); SR(i); AND(i); OR(i); }
}

void channel_fused(void **c, i64 rows, i64 dt) { fused(ALL, rows, (double)dt / 1e9, dt); }
