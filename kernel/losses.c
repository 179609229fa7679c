/* The losses, each beside its slope: `losses.py` in vectors. The sum of the examples' losses is returned, each times its
 * weight; the slopes are those of the mean, so they come times `share`, 1 over the batch's total weight. */

typedef struct LossRule {
    int kind;
    float setting; /* Huber's delta, cross-entropy's label smoothing */
    const float *class_weights; /* padded with zeros, or NULL */
} LossRule;

/* What each example's loss is times: its sample weight. */
INLINE float weight_of(const float *sample_weights, int64_t row) { return sample_weights ? sample_weights[row] : 1.0f; }

/* Losses that compare each output with a number of its own. `real` is 1 for each output and 0 for padding. */
INLINE void compare(const int kind, float setting, vec output, vec target, vec *value, vec *slope) {
    vec off = output - target;
    if (kind == SQUARED_ERROR) {
        *value = off * off;
        *slope = 2.0f * off;
    } else if (kind == ABSOLUTE_ERROR) {
        *value = absolute(off);
        *slope = sign(off);
    } else if (kind == HUBER) {
        vec far = absolute(off), near = choose(far > setting, all(setting), far);
        *value = near * (far - 0.5f * near);
        *slope = choose(off > setting, all(setting), choose(off < -setting, all(-setting), off));
    } else {
        *value = larger(all(0), output) - output * target + log_1_plus(exp_of(-absolute(output)));
        *slope = sigmoid_of(output) - target;
    }
}

INLINE double compare_rows(const int kind, float setting, const float *outputs, const float *targets, const float *real,
                           const float *weights, int rows, int width, int stride, float share, float *slopes) {
    double total = 0;
    float one = 1.0f / (float)width;
    for (int r = 0; r < rows; r++) {
        float times = weights[r] * share * one;
        vec sum = all(0);
        for (int c = 0; c < stride; c += LANES) {
            vec value, slope, is = load(real + c);
            compare(kind, setting, load(outputs + c), load(targets + c), &value, &slope);
            sum += value * is;
            store(slopes + c, slope * is * times);
        }
        total += (double)(sum_of(sum) * one * weights[r]);
        outputs += stride, targets += stride, slopes += stride;
    }
    return total;
}

/* `compare_rows` of each kind, in which `kind` is a constant. */
static double compare_all(const LossRule *rule, const float *outputs, const float *targets, const float *real,
                          const float *weights, int rows, int width, int stride, float share, float *slopes) {
    switch (rule->kind) {
#define CASE(KIND) case KIND: return compare_rows(KIND, rule->setting, outputs, targets, real, weights, rows, width, stride, share, slopes);
        EACH_COMPARING_LOSS(CASE)
#undef CASE
    }
    return 0;
}

/* Whether targets may be labels. */
INLINE int of_classes(const LossRule *rule) { return rule->kind == CROSS_ENTROPY; }

/* Whether these are plain labels: nothing smoothed, no class weighs more than another. */
INLINE int of_plain_labels(const LossRule *rule) {
    return of_classes(rule) && rule->setting == 0 && !rule->class_weights;
}

/* The activation of whose logits a loss is a function, or -1. */
INLINE int logits_of(int kind) {
    static const int8_t activations[] = {LOGITS_OF_LOSSES};
    return activations[kind];
}

/* Cross-entropy with plain labels: -log softmax(z)[label], slope softmax(z) - 1 at the label. */
static double label_rows(const float *z, const int32_t *labels, const float *padding, const float *weights, int rows,
                         int stride, float share, float *slopes) {
    double total = 0;
    for (int r = 0; r < rows; r++, z += stride, slopes += stride) {
        float m, sum = raise_row(z, slopes, padding, stride, &m);
        float times = weights[r] * share, part = times / sum;
        for (int c = 0; c < stride; c += LANES) store(slopes + c, load(slopes + c) * part);
        slopes[labels[r]] -= times;
        total += (double)((log_of(all(sum))[0] - (z[labels[r]] - m)) * weights[r]);
    }
    return total;
}

/* Cross-entropy with any distribution w wanted: -sum of w log softmax(z), slope softmax(z) (sum of w) - w. */
static double wanted_rows(const float *z, const float *wanted, const float *padding, const float *real,
                          const float *weights, int rows, int stride, float share, float *slopes) {
    double total = 0;
    for (int r = 0; r < rows; r++, z += stride, slopes += stride, wanted += stride) {
        float m, sum = raise_row(z, slopes, padding, stride, &m);
        float log_sum = log_of(all(sum))[0], times = weights[r] * share;
        vec loss = all(0), all_wanted = all(0);
        for (int c = 0; c < stride; c += LANES) {
            loss -= load(wanted + c) * (load(z + c) - m - log_sum) * load(real + c);
            all_wanted += load(wanted + c);
        }
        float part = sum_of(all_wanted) / sum;
        for (int c = 0; c < stride; c += LANES)
            store(slopes + c, (load(slopes + c) * part - load(wanted + c)) * times);
        total += (double)(sum_of(loss) * weights[r]);
    }
    return total;
}

/* A row of what is wanted of cross-entropy: smoothed, each class times its weight. */
INLINE void want(const LossRule *rule, float *wanted, int width) {
    float kept = 1 - rule->setting, spread = rule->setting / (float)width;
    for (int c = 0; c < width; c++) {
        wanted[c] = wanted[c] * kept + spread;
        if (rule->class_weights) wanted[c] *= rule->class_weights[c];
    }
}
