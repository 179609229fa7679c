/* The four toy shapes of `data/toys.py`, drawn in the same order. */

enum Toy { CIRCLE, XOR, GAUSS, SPIRAL };
enum { TOY_WORK = 4 }; /* numbers of memory for each point */

static void fill_between(Generator *g, double *values, int64_t count, double low, double high) {
    for (int64_t i = 0; i < count; i++) values[i] = draw_between(g, low, high);
}

/* `points` (count, 2) and `labels` (count,), mixed. `work` holds TOY_WORK * count numbers, `order` count. */
static void toy(int32_t shape, int64_t count, double noise, uint64_t seed, double *work, int64_t *order, float *points,
                int32_t *labels) {
    const double pi = 3.14159265358979323846;
    Generator g = seeded(seed);
    int64_t half = count / 2;
    double *places = work, *moves = work + 2 * count;
    if (shape == CIRCLE) {
        double *inner = work, *outer = work + count, *radius = work + 2 * count, *angle = work + 3 * count;
        fill_between(&g, inner, count, 0, 2.5);
        fill_between(&g, outer, count, 3.5, 5);
        for (int64_t i = 0; i < count; i++) radius[i] = i < half ? inner[i] : outer[i];
        fill_between(&g, angle, count, 0, 2 * pi);
        for (int64_t i = 0; i < count; i++) {
            double sine, cosine;
            sine_cosine(angle[i], &sine, &cosine);
            places[2 * i] = radius[i] * sine;
            places[2 * i + 1] = radius[i] * cosine;
        }
    }
    if (shape == XOR) {
        fill_between(&g, places, 2 * count, -5, 5);
        for (int64_t i = 0; i < 2 * count; i++) places[i] += places[i] > 0 ? 0.3 : -0.3;
    }
    if (shape == GAUSS) {
        double deviation = __builtin_sqrt(0.5 + 7 * noise);
        for (int64_t i = 0; i < 2 * count; i++) places[i] = (i / 2 < half ? 2 : -2) + deviation * draw_normal(&g);
    }
    if (shape == SPIRAL)
        for (int64_t i = 0; i < count; i++) {
            double along = i < half ? (double)i / (double)half : (double)(i - half) / (double)(count - half), sine, cosine;
            sine_cosine(1.75 * 2 * pi * along + (i < half ? 0 : pi), &sine, &cosine);
            places[2 * i] = 5 * along * sine;
            places[2 * i + 1] = 5 * along * cosine;
        }
    double reach = shape == SPIRAL ? 1 : 5;
    if (shape != GAUSS) fill_between(&g, moves, 2 * count, -reach, reach);
    permutation(&g, count, order);
    for (int64_t k = 0; k < count; k++) {
        int64_t i = order[k];
        double x = places[2 * i], y = places[2 * i + 1];
        double moved_x = shape == GAUSS ? x : x + noise * moves[2 * i], moved_y = shape == GAUSS ? y : y + noise * moves[2 * i + 1];
        labels[k] = shape == CIRCLE ? __builtin_sqrt(moved_x * moved_x + moved_y * moved_y) < 2.5
                    : shape == XOR  ? moved_x * moved_y >= 0
                                    : i < half;
        points[2 * k] = (float)(shape == SPIRAL ? moved_x : x);
        points[2 * k + 1] = (float)(shape == SPIRAL ? moved_y : y);
    }
}
