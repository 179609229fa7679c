/* Which hidden neuron of network b does the work of which neuron of a: `explain/matching.py`, but for its search among
 * neurons that no number tells apart.
 *
 * Networks are flat vectors of double precision. An order says for each hidden neuron of a, layer after layer, which of
 * b's neurons takes its place, and with which sign. */

enum { ODD = 1, SCALE_FREE = 2 };     /* f(-z) = -f(z); f(c z) = c f(z) for c above 0 */
enum { MATCH_ROUNDS = 100, UNIT = 8 }; /* rounding differences count up to so many units of float32 */

typedef struct Order {
    int32_t *places, *signs;
} Order;

typedef struct Match {
    int32_t layers;
    const int32_t *sizes, *kinds; /* kinds: of each hidden layer */
    double *products, *work;
    int32_t *marks, *places, *signs; /* of one layer */
} Match;

/* Where the weights of a layer begin, and where its hidden neurons are counted from. */
static int64_t weights_at(const Match *m, int32_t layer) {
    int64_t at = 0;
    for (int32_t i = 0; i < layer; i++) at += (int64_t)(m->sizes[i] + 1) * m->sizes[i + 1];
    return at;
}

static int64_t biases_at(const Match *m, int32_t layer) {
    return weights_at(m, layer) + (int64_t)m->sizes[layer] * m->sizes[layer + 1];
}

static int64_t hidden_at(const Match *m, int32_t layer) {
    int64_t at = 0;
    for (int32_t i = 1; i <= layer; i++) at += m->sizes[i];
    return at;
}

/* How well each neuron of a's layer (rows) goes with each of b's (columns): the products of their parameters, where the
 * neurons at the other end are matched already. */
static void match_products(const Match *m, const double *a, const double *b, Order known, int32_t layer, int before,
                           int after) {
    int32_t n = m->sizes[layer + 1], fan_in = m->sizes[layer], fan_out = m->sizes[layer + 2], last = layer == m->layers - 2;
    const double *in_a = a + weights_at(m, layer), *in_b = b + weights_at(m, layer);
    const double *out_a = a + weights_at(m, layer + 1), *out_b = b + weights_at(m, layer + 1);
    const double *bias_a = a + biases_at(m, layer), *bias_b = b + biases_at(m, layer);
    const int64_t previous = layer ? hidden_at(m, layer - 1) : 0, next = hidden_at(m, layer + 1);
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < n; j++) {
            double sum = bias_a[i] * bias_b[j];
            const double *row_a = in_a + (int64_t)i * fan_in, *row_b = in_b + (int64_t)j * fan_in;
            if (layer == 0)
                for (int32_t k = 0; k < fan_in; k++) sum += row_a[k] * row_b[k];
            else if (before)
                for (int32_t k = 0; k < fan_in; k++)
                    sum += row_a[k] * row_b[known.places[previous + k]] * known.signs[previous + k];
            if (last || after)
                for (int32_t r = 0; r < fan_out; r++) {
                    int64_t row = last ? r : known.places[next + r];
                    sum += out_a[(int64_t)r * n + i] * out_b[row * n + j] * (last ? 1 : known.signs[next + r]);
                }
            m->products[(int64_t)i * n + j] = sum;
        }
}

/* The best assignment by the products, into m's places and signs. */
static void match_assign(const Match *m, int32_t layer) {
    int32_t n = m->sizes[layer + 1], odd = m->kinds[layer] & ODD;
    double *sizes = m->products + (int64_t)n * n;
    for (int64_t i = 0; i < (int64_t)n * n; i++) sizes[i] = odd ? __builtin_fabs(m->products[i]) : m->products[i];
    assign(sizes, n, m->places, m->work, m->marks);
    for (int32_t i = 0; i < n; i++) m->signs[i] = odd && m->products[(int64_t)i * n + m->places[i]] < 0 ? -1 : 1;
}

static void match_keep(const Match *m, int32_t layer, Order order) {
    int64_t at = hidden_at(m, layer);
    for (int32_t i = 0; i < m->sizes[layer + 1]; i++)
        order.places[at + i] = m->places[i], order.signs[at + i] = m->signs[i];
}

/* Layer by layer the best assignment between its neighbours, until nothing moves. */
static void match_settle(const Match *m, const double *a, const double *b, Order order) {
    for (int32_t round = 0, moved = 1; moved && round < MATCH_ROUNDS; round++) {
        moved = 0;
        for (int32_t layer = 0; layer < m->layers - 1; layer++) {
            int32_t n = m->sizes[layer + 1];
            int64_t at = hidden_at(m, layer);
            match_products(m, a, b, order, layer, 1, 1);
            match_assign(m, layer);
            double gain = 0, largest = 0;
            for (int32_t i = 0; i < n; i++) {
                const double *row = m->products + (int64_t)i * n;
                gain += row[m->places[i]] * m->signs[i] - row[order.places[at + i]] * order.signs[at + i];
                for (int32_t j = 0; j < n; j++) largest = __builtin_fabs(row[j]) > largest ? __builtin_fabs(row[j]) : largest;
            }
            if (gain > 1e-12 * largest * n) match_keep(m, layer, order), moved = 1;
        }
    }
}

/* b with its hidden neurons in this order, and incoming weights and biases times their scales, outgoing ones over them. */
static void match_arrange(const Match *m, const double *b, Order order, const double *scales, double *arranged) {
    for (int32_t layer = 0; layer < m->layers; layer++) {
        int32_t fan_in = m->sizes[layer], fan_out = m->sizes[layer + 1], hidden = layer < m->layers - 1;
        int64_t at = hidden_at(m, layer), before = layer ? hidden_at(m, layer - 1) : 0;
        const double *weights = b + weights_at(m, layer), *biases = b + biases_at(m, layer);
        for (int32_t r = 0; r < fan_out; r++) {
            int64_t row = hidden ? order.places[at + r] : r;
            double row_sign = hidden ? order.signs[at + r] : 1, row_scale = hidden ? scales[at + r] : 1;
            for (int32_t c = 0; c < fan_in; c++) {
                int64_t column = layer ? order.places[before + c] : c;
                double sign = row_sign * (layer ? order.signs[before + c] : 1);
                *arranged++ = weights[row * fan_in + column] * sign * row_scale / (layer ? scales[before + c] : 1);
            }
        }
        for (int32_t r = 0; r < fan_out; r++) {
            int64_t row = hidden ? order.places[at + r] : r;
            *arranged++ = biases[row] * (hidden ? order.signs[at + r] * scales[at + r] : 1);
        }
    }
}

/* The order that brings b nearest to a, of those that three starts lead to: b as it is, matched from the inputs on, and
 * matched from the outputs back. `tried` is memory for another order, `arranged` for a network. */
static void match_nearest(const Match *m, const double *a, const double *b, Order best, Order tried, const double *ones,
                          double *arranged) {
    int64_t hidden = hidden_at(m, m->layers - 1), total = weights_at(m, m->layers);
    double least = __builtin_inf();
    for (int start = 0; start < 3; start++) {
        for (int32_t step = 0; step < m->layers - 1; step++) {
            int32_t layer = start == 2 ? m->layers - 2 - step : step, n = m->sizes[layer + 1];
            if (start == 0) {
                for (int32_t i = 0; i < n; i++) m->places[i] = i, m->signs[i] = 1;
            } else {
                match_products(m, a, b, tried, layer, start == 1, start == 2);
                match_assign(m, layer);
            }
            match_keep(m, layer, tried);
        }
        match_settle(m, a, b, tried);
        match_arrange(m, b, tried, ones, arranged);
        double distance = 0;
        for (int64_t i = 0; i < total; i++) distance += (a[i] - arranged[i]) * (a[i] - arranged[i]);
        distance = __builtin_sqrt(distance);
        if (!(distance < least) && start > 0) continue;
        least = distance;
        for (int64_t i = 0; i < hidden; i++) best.places[i] = tried.places[i], best.signs[i] = tried.signs[i];
    }
}

/* The network with every neuron that may be scaled at length 1 (incoming weights and bias), and those lengths. */
static void match_in_one_scale(const Match *m, const double *network, double *scaled, double *lengths) {
    for (int32_t layer = 0; layer < m->layers; layer++) {
        int32_t fan_in = m->sizes[layer], fan_out = m->sizes[layer + 1], hidden = layer < m->layers - 1;
        int64_t weights = weights_at(m, layer), biases = biases_at(m, layer);
        int64_t at = hidden_at(m, layer), before = layer ? hidden_at(m, layer - 1) : 0;
        for (int32_t r = 0; r < fan_out; r++) {
            double square = network[biases + r] * network[biases + r], length = 1;
            for (int32_t c = 0; c < fan_in; c++) {
                int64_t i = weights + (int64_t)r * fan_in + c;
                scaled[i] = network[i] * (layer ? lengths[before + c] : 1);
                square += scaled[i] * scaled[i];
            }
            if (hidden && m->kinds[layer] & SCALE_FREE && square > 0) length = __builtin_sqrt(square);
            for (int32_t c = 0; c < fan_in; c++) scaled[weights + (int64_t)r * fan_in + c] /= length;
            scaled[biases + r] = network[biases + r] / length;
            if (hidden) lengths[at + r] = length;
        }
    }
}

/* Whether the parameters are the same in the same places but for rounding. */
static int match_same(const Match *m, const double *a, const float *b) {
    for (int32_t layer = 0; layer < m->layers; layer++) {
        double largest = 0, apart = 0;
        for (int64_t i = weights_at(m, layer); i < weights_at(m, layer + 1); i++) {
            double x = a[i], y = (double)b[i], difference = __builtin_fabs(x - y);
            x = __builtin_fabs(x), y = __builtin_fabs(y);
            largest = x > largest ? x : largest;
            largest = y > largest ? y : largest;
            apart = difference > apart ? difference : apart;
            if (!is_finite(difference)) return 0;
        }
        if (apart > UNIT * 0x1p-23 * largest) return 0;
    }
    return 1;
}

/* Memory for `match`, in numbers: of double precision, and of 32 bits. */
static int64_t match_doubles(int32_t layers, const int32_t *sizes) {
    Match m = {.layers = layers, .sizes = sizes};
    int64_t widest = 1;
    for (int32_t i = 1; i < layers; i++) widest = sizes[i] > widest ? sizes[i] : widest;
    return 5 * weights_at(&m, layers) + 3 * hidden_at(&m, layers - 1) + 2 * widest * widest + 3 * widest;
}

static int64_t match_integers(int32_t layers, const int32_t *sizes) {
    Match m = {.layers = layers, .sizes = sizes};
    int64_t widest = 1;
    for (int32_t i = 1; i < layers; i++) widest = sizes[i] > widest ? sizes[i] : widest;
    return 2 * hidden_at(&m, layers - 1) + 7 * widest;
}

/* Brings b's hidden neurons into a's order: `places`, `signs` and `scales` have one entry for each hidden neuron, `arranged`
 * is b then. Returns whether that is a, but for rounding. Where a parameter is not finite b stays as it is. */
static int32_t match(int32_t layers, const int32_t *sizes, const int32_t *kinds, const float *flat_a, const float *flat_b,
                     double *doubles, int32_t *integers, int32_t *places, int32_t *signs, double *scales, float *arranged) {
    Match m = {.layers = layers, .sizes = sizes, .kinds = kinds};
    int64_t total = weights_at(&m, layers), hidden = hidden_at(&m, layers - 1);
    int32_t widest = 1;
    for (int32_t i = 1; i < layers; i++) widest = sizes[i] > widest ? sizes[i] : widest;
    double *a = doubles, *b = a + total, *scaled_a = b + total, *scaled_b = scaled_a + total, *moved = scaled_b + total;
    double *lengths_a = moved + total, *lengths_b = lengths_a + hidden, *ones = lengths_b + hidden;
    m.products = ones + hidden, m.work = m.products + 2 * (int64_t)widest * widest;
    Order order = {places, signs}, tried = {integers, integers + hidden};
    m.marks = integers + 2 * hidden, m.places = m.marks + 5 * (int64_t)widest, m.signs = m.places + widest;
    double all = 0;
    for (int64_t i = 0; i < total; i++) {
        a[i] = (double)flat_a[i], b[i] = (double)flat_b[i];
        all += __builtin_fabs(a[i]) + __builtin_fabs(b[i]);
        arranged[i] = flat_b[i];
    }
    for (int32_t layer = 0, i = 0; layer < layers - 1; layer++)
        for (int32_t k = 0; k < sizes[layer + 1]; k++, i++) places[i] = k, signs[i] = 1, scales[i] = ones[i] = 1;
    if (!is_finite(all)) return 0;
    match_in_one_scale(&m, a, scaled_a, lengths_a);
    match_in_one_scale(&m, b, scaled_b, lengths_b);
    for (int rescaled = 1; rescaled >= 0; rescaled--) { /* the same but for scale, or else as near as can be */
        match_nearest(&m, rescaled ? scaled_a : a, rescaled ? scaled_b : b, order, tried, ones, moved);
        for (int32_t layer = 0; layer < layers - 1; layer++)
            for (int64_t i = hidden_at(&m, layer), first = i; i < hidden_at(&m, layer + 1); i++) {
                scales[i] = rescaled ? lengths_a[i] / lengths_b[first + places[i]] : 1;
                if (__builtin_fabs(scales[i] - 1) <= UNIT * 0x1p-23) scales[i] = 1;
            }
        match_arrange(&m, b, order, scales, moved);
        for (int64_t i = 0; i < total; i++) arranged[i] = (float)moved[i];
        if (match_same(&m, a, arranged)) return 1;
    }
    return 0;
}

/* How far two neurons rise and fall together over many rows of what each says, (rows, neurons): the correlation of each
 * neuron of a with the one that was matched to it, 0 where one of the two never changes. */
static void correlations(const float *a, const float *b, int32_t rows, int32_t neurons, const int32_t *places,
                         const int32_t *signs, double *alike) {
    for (int32_t k = 0; k < neurons; k++) {
        double mean_a = 0, mean_b = 0, aa = 0, bb = 0, ab = 0;
        const float *of_a = a + k, *of_b = b + places[k];
        for (int64_t i = 0; i < (int64_t)rows * neurons; i += neurons) mean_a += (double)of_a[i], mean_b += (double)of_b[i];
        mean_a /= rows, mean_b /= rows;
        for (int64_t i = 0; i < (int64_t)rows * neurons; i += neurons) {
            double x = (double)of_a[i] - mean_a, y = (double)of_b[i] - mean_b;
            aa += x * x, bb += y * y, ab += x * y;
        }
        alike[k] = aa > 0 && bb > 0 ? ab / __builtin_sqrt(aa * bb) * signs[k] : 0;
    }
}
