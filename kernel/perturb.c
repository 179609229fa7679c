/* The same structure with other numbers: `explain/experiments.py`, layer by layer, weights apart from biases. */

enum Perturbation { SCRAMBLE, NOISE, PRUNE, ROUND_BITS };

/* The values of a share of the places, drawn at random, change places. */
static void scramble(Generator *g, float *values, int64_t count, double share, int64_t *places, float *before) {
    int64_t drawn = 0, *from = places + count;
    for (int64_t i = 0; i < count; i++)
        if (draw_uniform(g) < share) places[drawn++] = i;
    for (int64_t i = 0; i < drawn; i++) from[i] = places[i];
    shuffle(g, from, drawn);
    for (int64_t i = 0; i < count; i++) before[i] = values[i];
    for (int64_t i = 0; i < drawn; i++) values[places[i]] = before[from[i]];
}

/* Normal noise, its spread given in root mean squares of the values. */
static void add_noise(Generator *g, float *values, int64_t count, double share) {
    double squares = 0;
    for (int64_t i = 0; i < count; i++) squares += (double)values[i] * (double)values[i];
    double spread = share * __builtin_sqrt(squares / (double)count);
    for (int64_t i = 0; i < count; i++) values[i] = (float)((double)values[i] + spread * draw_normal(g));
}

/* The bits of |x| as a number: in the order of the sizes, NaN last. */
static uint32_t magnitude(float x) {
    uint32_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits & 0x7fffffffu;
}

/* The smallest become 0, so many of them; of equal ones the first. */
static void prune(float *values, int64_t count, int64_t pruned) {
    uint32_t limit = 0; /* the largest size that fewer than `pruned` are below */
    for (int bit = 30; bit >= 0; bit--) {
        int64_t below = 0;
        uint32_t tried = limit | 1u << bit;
        for (int64_t i = 0; i < count; i++) below += magnitude(values[i]) < tried;
        if (below < pruned) limit = tried;
    }
    int64_t equal = pruned;
    for (int64_t i = 0; i < count; i++) equal -= magnitude(values[i]) < limit;
    for (int64_t i = 0; i < count; i++)
        if (magnitude(values[i]) < limit || (magnitude(values[i]) == limit && equal-- > 0)) values[i] = 0;
}

/* To the nearest of 2^bits values, evenly spaced from the smallest to the largest. */
static void round_to_bits(float *values, int64_t count, int32_t bits) {
    double low = (double)values[0], high = low;
    for (int64_t i = 1; i < count; i++) {
        low = (double)values[i] < low ? (double)values[i] : low;
        high = (double)values[i] > high ? (double)values[i] : high;
    }
    double step = (high - low) / (double)((1 << bits) - 1);
    if (low == high) return;
    for (int64_t i = 0; i < count; i++) values[i] = (float)(low + nearest(((double)values[i] - low) / step) * step);
}

/* Changes a flat vector. `before` holds as many numbers as its largest layer has weights, `places` twice as many. */
static void perturb(int32_t kind, double strength, uint64_t seed, int32_t layers, const int32_t *sizes, float *flat,
                    int64_t *places, float *before) {
    Generator g = seeded(seed);
    for (int32_t part = 0; part < 2 * layers; part++) {
        int32_t fan_out = sizes[part / 2 + 1], is_weights = part % 2 == 0;
        int64_t count = is_weights ? (int64_t)sizes[part / 2] * fan_out : fan_out;
        if (kind == SCRAMBLE) scramble(&g, flat, count, strength, places, before);
        if (kind == NOISE) add_noise(&g, flat, count, strength);
        if (kind == PRUNE && is_weights) prune(flat, count, (int64_t)nearest(strength * (double)count));
        if (kind == ROUND_BITS) round_to_bits(flat, count, (int32_t)strength);
        flat += count;
    }
}
