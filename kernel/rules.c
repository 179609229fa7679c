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
    Step s = {.kind = plan->rule, .rate = (float)learning_rate, .clip = clip};
    s.decay1 = (float)plan->decay1, s.fresh1 = (float)(1 - plan->decay1);
    s.decay2 = (float)plan->decay2, s.fresh2 = (float)(1 - plan->decay2);
    s.epsilon = plan->epsilon > (double)LEAST_EPSILON ? (float)plan->epsilon : LEAST_EPSILON;
    s.l1 = (float)plan->l1; /* l2 is a layer's own */
    s.shrink = 1;
    if (plan->rule == ADAM || plan->rule == ADAMW) {
        s.rate = (float)(learning_rate / (1 - to_power(plan->decay1, step)));
        s.root = (float)(1 / __builtin_sqrt(1 - to_power(plan->decay2, step)));
        if (plan->rule == ADAMW) s.shrink = (float)(1 - learning_rate * plan->weight_decay);
    }
    return s;
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
    default: { /* ADAGRAD */
        vec v = load(first) + g * g;
        store(first, v);
        return p - s->rate * g / (square_root(v) + s->epsilon);
    }
    }
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
    case SGD: update_kind(SGD, s, p, g, first, second, count); break;
    case MOMENTUM: update_kind(MOMENTUM, s, p, g, first, second, count); break;
    case NESTEROV: update_kind(NESTEROV, s, p, g, first, second, count); break;
    case ADAM: update_kind(ADAM, s, p, g, first, second, count); break;
    case ADAMW: update_kind(ADAMW, s, p, g, first, second, count); break;
    case RMSPROP: update_kind(RMSPROP, s, p, g, first, second, count); break;
    default: update_kind(ADAGRAD, s, p, g, first, second, count); break;
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
