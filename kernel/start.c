/* Where the numbers of a network start: `initializers.py`, in the order of its table. */

enum Initializer {
    HE_NORMAL, HE_UNIFORM, GLOROT_NORMAL, GLOROT_UNIFORM, LECUN_NORMAL, LECUN_UNIFORM, STANDARD_NORMAL, LINEAR_UNIFORM, ZEROS
};

static double start_variance(int32_t rule, double fan_in, double fan_out) {
    switch (rule) {
    case HE_NORMAL: case HE_UNIFORM: return 2 / fan_in;
    case GLOROT_NORMAL: case GLOROT_UNIFORM: return 2 / (fan_in + fan_out);
    case LECUN_NORMAL: case LECUN_UNIFORM: return 1 / fan_in;
    case LINEAR_UNIFORM: return 1 / (3 * fan_in);
    default: return 1;
    }
}

/* The flat vector of a new network: weights by one rule for each layer, biases of zero. */
static void start_values(uint64_t seed, int32_t layers, const int32_t *sizes, const int32_t *rules, float *flat) {
    Generator g = seeded(seed);
    for (int32_t i = 0; i < layers; i++) {
        double variance = start_variance(rules[i], sizes[i], sizes[i + 1]);
        double deviation = __builtin_sqrt(variance), limit = __builtin_sqrt(3 * variance);
        int normal = rules[i] == HE_NORMAL || rules[i] == GLOROT_NORMAL || rules[i] == LECUN_NORMAL || rules[i] == STANDARD_NORMAL;
        for (int64_t weight = 0; weight < (int64_t)sizes[i] * sizes[i + 1]; weight++)
            *flat++ = rules[i] == ZEROS ? 0 : (float)(normal ? deviation * draw_normal(&g) : draw_between(&g, -limit, limit));
        for (int32_t bias = 0; bias < sizes[i + 1]; bias++) *flat++ = 0;
    }
}
