/* The benchmark channel {LAG, PID, RAMP, HYSTERESIS, TON, SR, AND, OR} as a C programmer would write it: arrays of double,
   one loop a block (`channel_loops`) or one loop over everything (`channel_fused`). Same laws as blocks/, same wires. */
#include <math.h>
#include <stdint.h>

typedef unsigned char u8;
typedef int64_t i64;

typedef struct {
    double *restrict in, *restrict lag_t, *restrict lag_out; u8 *restrict lag_started;
    double *restrict sp, *restrict kp, *restrict ti, *restrict td, *restrict n, *restrict ff, *restrict man, *restrict out_min,
           *restrict out_max, *restrict pid_out, *restrict integral, *restrict slope, *restrict pv_was;
    u8 *restrict automatic, *restrict limited, *restrict held, *restrict pid_started;
    double *restrict up, *restrict down, *restrict ramp_out;
    double *restrict low, *restrict high; u8 *restrict hyst_q;
    i64 *restrict pt, *restrict et; u8 *restrict ton_q, *restrict ton_was;
    u8 *restrict reset, *restrict sr_q;
    u8 *restrict and_in, *restrict and_out;
    u8 *restrict or_in, *restrict or_out;
} channel;

static inline double least(double a, double b) { return a < b ? a : b; }
static inline double most(double a, double b) { return a > b ? a : b; }
static inline int finite_(double x) { return x - x == 0.0; }
static inline double held_between(double lo, double x, double hi) { double y = x > lo ? x : lo; return y < hi ? y : hi; }

#define LAG(i) do { \
    double lag = most(c->lag_t[i], 0.0), way = h * (lag + lag + h); \
    double share = way / (way + 2.0 * lag * lag); \
    double out = c->lag_started[i] ? c->lag_out[i] + (c->in[i] - c->lag_out[i]) * share : c->in[i]; \
    c->lag_out[i] = out; c->lag_started[i] = finite_(out); } while (0)

#define PID(i) do { \
    double pv = c->lag_out[i], filtering = most(c->n[i], 1.0), td = c->td[i]; \
    double slope = c->pid_started[i] ? (td * c->slope[i] + filtering * (pv - c->pv_was[i])) / (td + filtering * h) : 0.0; \
    double direct = c->kp[i] * (c->sp[i] - pv - td * slope) + c->ff[i]; \
    double wanted = c->automatic[i] ? direct + c->integral[i] : c->man[i]; \
    int dead = !finite_(wanted); \
    double asked = dead ? c->pid_out[i] : wanted; \
    int crossed = !(c->out_min[i] <= c->out_max[i]); \
    double out = crossed ? c->pid_out[i] : held_between(c->out_min[i], asked, c->out_max[i]); \
    double share = c->ti[i] > 0.0 ? least(h / c->ti[i], 1.0) : 0.0; \
    double integral = c->automatic[i] ? c->integral[i] + (c->kp[i] * (c->sp[i] - pv) + out - asked) * share : out - direct; \
    int good = finite_(direct) && finite_(integral) && !crossed; \
    c->integral[i] = good ? (c->ti[i] <= 0.0 ? 0.0 : integral) : c->integral[i]; \
    c->slope[i] = good ? slope : c->slope[i]; \
    c->pv_was[i] = good ? pv : c->pv_was[i]; \
    c->pid_started[i] = good ? 1 : c->pid_started[i]; \
    c->pid_out[i] = out; c->limited[i] = out != asked; c->held[i] = dead || crossed; } while (0)

#define RAMP(i) do { \
    double here = finite_(c->ramp_out[i]) ? c->ramp_out[i] : 0.0; \
    c->ramp_out[i] = least(here + most(c->up[i], 0.0) * h, most(here - most(c->down[i], 0.0) * h, c->pid_out[i])); } while (0)

#define HYSTERESIS(i) do { \
    double x = c->ramp_out[i]; \
    c->hyst_q[i] = x < c->low[i] ? 1 : x > c->high[i] ? 0 : c->hyst_q[i]; } while (0)

#define TON(i) do { \
    u8 in = c->hyst_q[i]; i64 next = c->et[i] + dt, pt = c->pt[i]; \
    i64 et = !in ? 0 : c->ton_was[i] ? (next < pt ? next : pt) : c->et[i]; \
    c->et[i] = et; c->ton_q[i] = in && et >= pt; c->ton_was[i] = in; } while (0)

#define SR(i) (c->sr_q[i] = c->ton_q[i] | (c->sr_q[i] & !c->reset[i]))
#define AND(i) (c->and_out[i] = c->sr_q[i] & c->and_in[i])
#define OR(i) (c->or_out[i] = c->and_out[i] | c->or_in[i])

#define EACH(BLOCK) for (i64 i = 0; i < rows; i++) BLOCK(i)

void channel_loops(channel *restrict c, i64 rows, i64 dt) {
    double h = (double)dt / 1e9;
    EACH(LAG); EACH(PID); EACH(RAMP); EACH(HYSTERESIS); EACH(TON); EACH(SR); EACH(AND); EACH(OR);
}

void channel_fused(channel *restrict c, i64 rows, i64 dt) {
    double h = (double)dt / 1e9;
    for (i64 i = 0; i < rows; i++) { LAG(i); PID(i); RAMP(i); HYSTERESIS(i); TON(i); SR(i); AND(i); OR(i); }
}
