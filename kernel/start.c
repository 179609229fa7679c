/* Where the numbers of a network start: the rules of `initializers.py`, in the order of its table. */

static const struct {
    int normal;
    double numerator, of_fan_in, of_fan_out, constant;
} INITIALIZER[] = {STARTS};

/* The flat vector of a new network: weights by one rule for each layer, biases of zero. */
static void start_values(uint64_t seed, int32_t layers, const int32_t *sizes, const int32_t *rules, float *flat) {
    Generator g = seeded(seed);
    for (int32_t i = 0; i < layers; i++) {
        int32_t fan_in = sizes[i], fan_out = sizes[i + 1], rule = rules[i], normal = INITIALIZER[rule].normal;
        double divisor = fan_in * INITIALIZER[rule].of_fan_in + fan_out * INITIALIZER[rule].of_fan_out + INITIALIZER[rule].constant;
        double variance = INITIALIZER[rule].numerator / divisor;
        double deviation = __builtin_sqrt(variance), limit = __builtin_sqrt(3 * variance);
        for (int64_t weight = 0; weight < (int64_t)fan_in * fan_out; weight++)
            *flat++ = variance == 0 ? 0 : (float)(normal ? deviation * draw_normal(&g) : draw_between(&g, -limit, limit));
        for (int32_t bias = 0; bias < sizes[i + 1]; bias++) *flat++ = 0;
    }
}
