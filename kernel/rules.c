/* The update rules: `optimizers.py` in vectors, penalties, clipping and update in one pass over memory. */

typedef struct Step {
    int kind;
    float rate;               /* the learning rate; Adam's is corrected for its start */
    float decay1, decay2;     /* momentum or beta1; beta2 or decay */
    float fresh1, fresh2;     /* 1 - decay1, 1 - decay2 */
    float root;               /* Adam: 1 / sqrt(1 - beta2^step) */
    float epsilon;
    float shrink;             /* AdamW: 1 - rate * weight_decay */
    float l1, l2, clip;       /* the gradient, penalties added, counts times clip */
} Step;

INLINE double to_power(double base, int64_t n) {
    double result = 1;
    for (; n > 0; n >>= 1, base *= base)
        if (n & 1) result *= base;
    return result;
}

/* A zero would make 0 / 0 of padding; this one vanishes beside any root that a float holds. */
static const float LEAST_EPSILON = 1e-30f;

static Step step_of(const Plan *plan, double learning_rate, int64_t step, float clip) {
    const double *setting = plan->rule_settings;
    double decay1 = 0, decay2 = 0, epsilon = 0, rate = learning_rate;
    Step s = {.kind = plan->rule, .clip = clip, .shrink = 1, .l1 = (float)plan->l1}; /* l2 is a layer's own */
    switch (plan->rule) {
    case MOMENTUM:
    case NESTEROV: decay1 = setting[0]; break;
    case ADAM:
    case ADAMW:
        decay1 = setting[0], decay2 = setting[1], epsilon = setting[2];
        rate = learning_rate / (1 - to_power(decay1, step));
        s.root = (float)(1 / __builtin_sqrt(1 - to_power(decay2, step)));
        if (plan->rule == ADAMW) s.shrink = (float)(1 - learning_rate * setting[3]);
        break;
    case RMSPROP: decay2 = setting[0], epsilon = setting[1]; break;
    case ADAGRAD: epsilon = setting[0]; break;
    }
    s.rate = (float)rate;
    s.decay1 = (float)decay1, s.fresh1 = (float)(1 - decay1);
    s.decay2 = (float)decay2, s.fresh2 = (float)(1 - decay2);
    s.epsilon = epsilon > (double)LEAST_EPSILON ? (float)epsilon : LEAST_EPSILON;
    return s;
}

/* Whether a step is only p -= rate * g, so that it can be taken while the gradient is summed. */
INLINE int plain_descent(const Plan *plan) {
    return plan->rule == SGD && plan->l1 == 0 && plan->l2 == 0 && plan->clip_norm == 0;
}

/* Whether a parameter moves without a gradient and without memory of one. */
INLINE int moves_by_itself(const Plan *plan) {
    return plan->l1 != 0 || (plan->rule == ADAMW && plan->rule_settings[3] != 0);
}

/* One register of parameters, its gradient and the rule's memory. */
INLINE vec updated(const int kind, const Step *s, vec p, vec g, float *first, float *second) {
    switch (kind) {
    case SGD: return p - g * s->rate;
    case MOMENTUM:
    case NESTEROV: {
        vec v = load(first) * s->decay1 + g;
        store(first, v);
        if (kind == NESTEROV) v = g + s->decay1 * v;
        return p - s->rate * v;
    }
    case ADAM:
    case ADAMW: {
        vec m = load(first) * s->decay1 + s->fresh1 * g;
        vec v = load(second) * s->decay2 + g * g * s->fresh2;
        store(first, m);
        store(second, v);
        if (kind == ADAMW) p *= s->shrink;
        return p - m / (square_root(v) * s->root + s->epsilon) * s->rate;
    }
    case RMSPROP: {
        vec v = load(first) * s->decay2 + s->fresh2 * g * g;
        store(first, v);
        return p - s->rate * g / (square_root(v) + s->epsilon);
    }
    case ADAGRAD: {
        vec v = load(first) + g * g;
        store(first, v);
        return p - s->rate * g / (square_root(v) + s->epsilon);
    }
    }
    return p;
}

INLINE vec penalized(const Step *s, vec p, vec g) { return g + s->l2 * p + s->l1 * sign(p); }

/* `plain`: no penalties and no clipping. Leaves the gradient at zero, where the next batch's begins to be summed. */
INLINE void update_all(const int kind, const int plain, const Step *s, float *p, float *g, float *first, float *second,
                       int64_t count) {
    for (int64_t i = 0; i < count; i += LANES) {
        vec slope = load(g + i), value = load(p + i);
        store(g + i, all(0));
        if (!plain) slope = penalized(s, value, slope) * s->clip;
        store(p + i, updated(kind, s, value, slope, first + i, second + i));
    }
}

INLINE void update_kind(const int kind, const Step *s, float *p, float *g, float *first, float *second, int64_t count) {
    if (s->l1 == 0 && s->l2 == 0 && s->clip == 1)
        update_all(kind, 1, s, p, g, first, second, count);
    else
        update_all(kind, 0, s, p, g, first, second, count);
}

static void update(const Step *s, float *p, float *g, float *first, float *second, int64_t count) {
    switch (s->kind) {
#define CASE(KIND) case KIND: update_kind(KIND, s, p, g, first, second, count); break;
        EACH_RULE(CASE)
#undef CASE
    }
}

/* The sum of the squares of the gradient with its penalties: in floats along a stretch, in doubles over stretches. */
static double squares(const Step *s, const float *p, const float *g, int64_t count) {
    enum { STRETCH = 64 * LANES };
    double total = 0;
    for (int64_t i = 0; i < count;) {
        int64_t end = i + STRETCH < count ? i + STRETCH : count;
        vec sum = all(0);
        for (; i < end; i += LANES) {
            vec slope = penalized(s, load(p + i), load(g + i));
            sum += slope * slope;
        }
        total += (double)sum_of(sum);
    }
    return total;
}
