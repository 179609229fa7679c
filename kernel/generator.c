/* Random numbers as numpy draws them, number for number: `default_rng(seed)` and `Generator(Philox(key=key))`.
 *
 *     PCG64    O'Neill, PCG: a family of simple fast space-efficient statistically good algorithms, 2014 (XSL RR 128/64)
 *     Philox   Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, 2011 (4x64, ten rounds)
 *     seeds    O'Neill's seed_seq_fe, 2015, as numpy's SeedSequence has it
 *     normal   Marsaglia and Tsang's ziggurat (ziggurat.c) */

typedef struct Generator {
    int is_philox;
    uint64_t high, low;           /* the state of PCG64, of 128 bits */
    uint64_t step_high, step_low; /* what is added to it at each step */
    uint64_t key, counter, block[4];
    int taken; /* of the block */
    int has_half;
    uint32_t half; /* the upper half of a number of which the lower was drawn */
} Generator;

/* The upper 64 bits of a product of 128. */
static uint64_t product_high(uint64_t a, uint64_t b) {
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t low = a0 * b0, middle = a1 * b0 + (low >> 32), other = a0 * b1 + (uint32_t)middle;
    return a1 * b1 + (middle >> 32) + (other >> 32);
}

static void pcg_step(Generator *g) {
    const uint64_t times_high = 0x2360ED051FC65DA4u, times_low = 0x4385DF649FCCF645u;
    uint64_t low = g->low * times_low;
    uint64_t high = product_high(g->low, times_low) + g->high * times_low + g->low * times_high;
    g->low = low + g->step_low;
    g->high = high + g->step_high + (g->low < low);
}

static uint64_t pcg_draw(Generator *g) {
    pcg_step(g);
    uint64_t x = g->high ^ g->low, turn = g->high >> 58;
    return x >> turn | x << (-turn & 63);
}

static uint64_t philox_draw(Generator *g) {
    if (g->taken < 4) return g->block[g->taken++];
    uint64_t a = ++g->counter, b = 0, c = 0, d = 0, key0 = g->key, key1 = 0;
    for (int round = 0; round < 10; round++) {
        uint64_t x = 0xD2E7470EE14C6C93u * a, y = 0xCA5A826395121157u * c;
        uint64_t x_high = product_high(0xD2E7470EE14C6C93u, a), y_high = product_high(0xCA5A826395121157u, c);
        a = y_high ^ b ^ key0, b = y, c = x_high ^ d ^ key1, d = x;
        key0 += 0x9E3779B97F4A7C15u, key1 += 0xBB67AE8584CAA73Bu;
    }
    g->block[0] = a, g->block[1] = b, g->block[2] = c, g->block[3] = d;
    g->taken = 1;
    return a;
}

static uint64_t draw(Generator *g) { return g->is_philox ? philox_draw(g) : pcg_draw(g); }

/* 32 bits: the lower half of a draw, then its upper half. */
static uint32_t draw_half(Generator *g) {
    g->has_half = !g->has_half;
    if (!g->has_half) return g->half;
    uint64_t both = draw(g);
    g->half = (uint32_t)(both >> 32);
    return (uint32_t)both;
}

/* From 0 to below 1. */
static double draw_uniform(Generator *g) { return (double)(draw(g) >> 11) * 0x1p-53; }

static double draw_between(Generator *g, double low, double high) { return low + (high - low) * draw_uniform(g); }

/* Of the standard normal distribution. */
static double draw_normal(Generator *g) {
    const double last = CORNERS[255];
    for (;;) {
        uint64_t bits = draw(g);
        int layer = bits & 0xff, negative = bits >> 8 & 1;
        uint64_t along = bits >> 9 & 0xfffffffffffffu; /* how far along the layer, of 2^52 */
        double x = (double)along * (CORNERS[layer] * 0x1p-52), inner = layer ? CORNERS[layer - 1] : last;
        if (layer == 1) inner = 0;
        if (x < inner) return negative ? -x : x;
        if (layer == 0) { /* the tail */
            double beyond, depth;
            do {
                beyond = -1 / last * logarithm(1 - draw_uniform(g));
                depth = -logarithm(1 - draw_uniform(g));
            } while (2 * depth <= beyond * beyond);
            return along >> 8 & 1 ? -(last + beyond) : last + beyond;
        }
        double top = exponential(-0.5 * inner * inner), bottom = exponential(-0.5 * CORNERS[layer] * CORNERS[layer]);
        if ((top - bottom) * draw_uniform(g) + bottom < exponential(-0.5 * x * x)) return negative ? -x : x;
    }
}

/* From 0 to `most`, each as likely: draws of as few bits as hold it, until one is not above. */
static uint32_t draw_up_to(Generator *g, uint32_t most) {
    uint32_t mask = 0xffffffffu >> __builtin_clz(most), drawn;
    while ((drawn = draw_half(g) & mask) > most) continue;
    return drawn;
}

/* Fisher and Yates; Durstenfeld, 1964. */
static void shuffle(Generator *g, int64_t *values, int64_t count) {
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t other = draw_up_to(g, (uint32_t)i), kept = values[i];
        values[i] = values[other];
        values[other] = kept;
    }
}

static uint32_t hashed(uint32_t value, uint32_t *constant, uint32_t times) {
    value ^= *constant;
    *constant *= times;
    value *= *constant;
    return value ^ value >> 16;
}

static uint32_t stirred(uint32_t x, uint32_t y) {
    uint32_t result = 0xca01f9ddu * x - 0x4973f715u * y;
    return result ^ result >> 16;
}

/* numpy's default_rng(seed) */
static Generator seeded(uint64_t seed) {
    uint32_t pool[4], constant = 0x43b0d7e5u;
    for (int i = 0; i < 4; i++) pool[i] = hashed(i == 0 ? (uint32_t)seed : i == 1 ? (uint32_t)(seed >> 32) : 0, &constant, 0x931e8875u);
    for (int from = 0; from < 4; from++)
        for (int to = 0; to < 4; to++)
            if (from != to) pool[to] = stirred(pool[to], hashed(pool[from], &constant, 0x931e8875u));
    uint64_t words[4] = {0};
    constant = 0x8b51f9ddu;
    for (int i = 0; i < 8; i++) words[i / 2] |= (uint64_t)hashed(pool[i % 4], &constant, 0x58f38dedu) << 32 * (i % 2);
    Generator g = {.step_high = words[2] << 1 | words[3] >> 63, .step_low = words[3] << 1 | 1};
    pcg_step(&g);
    g.low += words[1];
    g.high += words[0] + (g.low < words[1]);
    pcg_step(&g);
    return g;
}

/* numpy's Generator(Philox(key=key)) */
static Generator keyed(uint64_t key) { return (Generator){.is_philox = 1, .key = key, .taken = 4}; }

/* 0 to count - 1 in random order. */
static void permutation(Generator *g, int64_t count, int64_t *order) {
    for (int64_t i = 0; i < count; i++) order[i] = i;
    shuffle(g, order, count);
}

/* The order in which an epoch visits its examples: `randomness.epoch_order`. */
static void epoch_order(uint64_t seed, uint64_t epoch, int64_t count, int64_t *order) {
    Generator g = keyed(splitmix64(seed, epoch));
    permutation(&g, count, order);
}
