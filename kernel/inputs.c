/* Inputs and the first layer. Dense rows are gathered into floats for `product.c`; sparse rows are lists of positions and
 * values, and a layer's sums go over these only. With plain descent the first layer is changed the same way, in place.
 *
 * The first layer lies (fan_in, fan_out): one input's weights to all neurons side by side, so that a value is multiplied
 * into whole registers of them. A zero that is not listed is not multiplied: an infinite weight behind it goes unnoticed
 * here (the caller sees to it that weights are finite at the start; a run that diverges shows in the loss). */

enum { ROWS_AHEAD = 3, LINE = 64, MOST_LINES = 8, FIRST_LAYER_VECS = 8 };

INLINE void fetch_ahead(const void *from, int64_t bytes) {
    const char *p = from;
    for (int64_t i = 0; i < bytes && i < MOST_LINES * LINE; i += LINE) __builtin_prefetch(p + i);
}

/* Examples come in random order, so that the machine cannot guess the next: its list is asked for three rows before. */
INLINE void fetch_row(const int kind, const Inputs *in, int64_t row) {
    int64_t at = in->starts[row], count = in->starts[row + 1] - at;
    int position = kind == LONG_FLOATS ? 4 : 2, value = kind == SHORT_BYTES ? 1 : 4;
    fetch_ahead((const char *)in->positions + at * position, count * position);
    fetch_ahead((const char *)in->values + at * value, count * value);
}

INLINE int64_t position_at(const int kind, const void *positions, int64_t q) {
    return kind == LONG_FLOATS ? (int64_t)((const uint32_t *)positions)[q] : (int64_t)((const uint16_t *)positions)[q];
}

/* Bytes are looked up: the table holds each times the scale. */
INLINE float value_at(const int kind, const void *values, const float *table, int64_t q) {
    return kind == SHORT_BYTES ? table[((const uint8_t *)values)[q]] : ((const float *)values)[q];
}

/* Where an input's weights begin. Compilers are kept from seeing how the address came about: they would otherwise compute
 * it anew for each register of the row, which costs more than the sums. */
INLINE const float *row_at(const float *weights, int64_t position, int64_t stride) {
    const float *row = weights + position * stride;
    __asm__("" : "+r"(row));
    return row;
}

/* The sums of one row for `vecs` registers of neurons, in as many independent chains as registers allow: an addition
 * takes four cycles, and two can start in each. */
INLINE void list_sums(const int kind, const int vecs, const Inputs *in, const float *table, int64_t row,
                      const float *weights, int64_t stride, float *to) {
    enum { MOST = FIRST_LAYER_VECS };
    const int chains = vecs == 1 ? 4 : vecs <= 4 ? 2 : 1;
    const void *positions = in->positions, *values = in->values;
    vec sums[4][MOST];
#pragma GCC unroll 4
    for (int k = 0; k < chains; k++)
#pragma GCC unroll 8
        for (int v = 0; v < vecs; v++) sums[k][v] = all(0);
    int64_t q = in->starts[row], end = in->starts[row + 1];
    for (; q + chains <= end; q += chains)
#pragma GCC unroll 4
        for (int k = 0; k < chains; k++) {
            float x = value_at(kind, values, table, q + k);
            const float *w = row_at(weights, position_at(kind, positions, q + k), stride);
#pragma GCC unroll 8
            for (int v = 0; v < vecs; v++) sums[k][v] += x * load(w + v * LANES);
        }
    for (; q < end; q++) {
        float x = value_at(kind, values, table, q);
        const float *w = row_at(weights, position_at(kind, positions, q), stride);
#pragma GCC unroll 8
        for (int v = 0; v < vecs; v++) sums[0][v] += x * load(w + v * LANES);
    }
#pragma GCC unroll 8
    for (int v = 0; v < vecs; v++) {
#pragma GCC unroll 4
        for (int k = 1; k < chains; k++) sums[0][v] += sums[k][v];
        store(to + v * LANES, sums[0][v]);
    }
}

/* weights += times value * gradient, for one row's list and `vecs` registers of neurons. */
INLINE void list_slopes(const int kind, const int vecs, const Inputs *in, const float *table, int64_t row,
                        const float *gradient, float times, float *weights, int64_t stride) {
    const void *positions = in->positions, *values = in->values;
    vec g[FIRST_LAYER_VECS];
#pragma GCC unroll 8
    for (int v = 0; v < vecs; v++) g[v] = times * load(gradient + v * LANES);
    for (int64_t q = in->starts[row], end = in->starts[row + 1]; q < end; q++) {
        float x = value_at(kind, values, table, q);
        float *w = (float *)row_at(weights, position_at(kind, positions, q), stride);
#pragma GCC unroll 8
        for (int v = 0; v < vecs; v++) store(w + v * LANES, load(w + v * LANES) + x * g[v]);
    }
}

/* A batch's lists: rows order[0], order[1], ..., or first, first + 1, ... without an order. `after` rows follow the batch
 * in the order and may be fetched ahead. */
typedef struct Lists {
    const Inputs *in;
    const float *table;
    const int64_t *order;
    int64_t first;
    int rows;
    int64_t after;
} Lists;

INLINE int64_t row_of(const int64_t *order, int64_t first, int64_t r) { return order ? order[r] : first + r; }

INLINE void lists_forward(const int kind, const int vecs, const Lists *l, const float *weights, int64_t stride, float *to) {
    for (int r = 0; r < l->rows; r++) {
        if (r + ROWS_AHEAD < l->rows + l->after) fetch_row(kind, l->in, row_of(l->order, l->first, r + ROWS_AHEAD));
        list_sums(kind, vecs, l->in, l->table, row_of(l->order, l->first, r), weights, stride, to + r * stride);
    }
}

INLINE void lists_update(const int kind, const int vecs, const Lists *l, const float *gradient, float times, float *weights,
                         int64_t stride) {
    for (int r = 0; r < l->rows; r++)
        list_slopes(kind, vecs, l->in, l->table, row_of(l->order, l->first, r), gradient + r * stride, times, weights,
                    stride);
}

/* Blocks of up to 8 registers of neurons outside, rows inside: a block of the weights stays in the cache for all rows.
 * Where one block is all, its width is the stride, and a constant. */
INLINE void lists_forward_blocks(const int kind, const Lists *l, const float *weights, int stride, float *to) {
    switch (stride / LANES) {
    case 1: lists_forward(kind, 1, l, weights, 1 * LANES, to); return;
    case 2: lists_forward(kind, 2, l, weights, 2 * LANES, to); return;
    case 3: lists_forward(kind, 3, l, weights, 3 * LANES, to); return;
    case 4: lists_forward(kind, 4, l, weights, 4 * LANES, to); return;
    case 5: lists_forward(kind, 5, l, weights, 5 * LANES, to); return;
    case 6: lists_forward(kind, 6, l, weights, 6 * LANES, to); return;
    case 7: lists_forward(kind, 7, l, weights, 7 * LANES, to); return;
    case 8: lists_forward(kind, 8, l, weights, 8 * LANES, to); return;
    default: break;
    }
    int c = 0;
    for (; c + 8 * LANES <= stride; c += 8 * LANES) lists_forward(kind, 8, l, weights + c, stride, to + c);
    for (; c + 2 * LANES <= stride; c += 2 * LANES) lists_forward(kind, 2, l, weights + c, stride, to + c);
    for (; c < stride; c += LANES) lists_forward(kind, 1, l, weights + c, stride, to + c);
}

INLINE void lists_update_blocks(const int kind, const Lists *l, const float *gradient, float times, float *weights,
                                int stride) {
    switch (stride / LANES) {
    case 1: lists_update(kind, 1, l, gradient, times, weights, 1 * LANES); return;
    case 2: lists_update(kind, 2, l, gradient, times, weights, 2 * LANES); return;
    case 3: lists_update(kind, 3, l, gradient, times, weights, 3 * LANES); return;
    case 4: lists_update(kind, 4, l, gradient, times, weights, 4 * LANES); return;
    case 5: lists_update(kind, 5, l, gradient, times, weights, 5 * LANES); return;
    case 6: lists_update(kind, 6, l, gradient, times, weights, 6 * LANES); return;
    case 7: lists_update(kind, 7, l, gradient, times, weights, 7 * LANES); return;
    case 8: lists_update(kind, 8, l, gradient, times, weights, 8 * LANES); return;
    default: break;
    }
    int c = 0;
    for (; c + 8 * LANES <= stride; c += 8 * LANES) lists_update(kind, 8, l, gradient + c, times, weights + c, stride);
    for (; c + 2 * LANES <= stride; c += 2 * LANES) lists_update(kind, 2, l, gradient + c, times, weights + c, stride);
    for (; c < stride; c += LANES) lists_update(kind, 1, l, gradient + c, times, weights + c, stride);
}

/* to = the sums of all rows over their lists. */
static void sum_lists(const Lists *l, const float *weights, int stride, float *to) {
    switch (l->in->kind) {
    case SHORT_BYTES: lists_forward_blocks(SHORT_BYTES, l, weights, stride, to); break;
    case SHORT_FLOATS: lists_forward_blocks(SHORT_FLOATS, l, weights, stride, to); break;
    default: lists_forward_blocks(LONG_FLOATS, l, weights, stride, to); break;
    }
}

/* weights += times inputs' gradient, listed inputs only. */
static void update_lists(const Lists *l, const float *gradient, float times, float *weights, int stride) {
    switch (l->in->kind) {
    case SHORT_BYTES: lists_update_blocks(SHORT_BYTES, l, gradient, times, weights, stride); break;
    case SHORT_FLOATS: lists_update_blocks(SHORT_FLOATS, l, gradient, times, weights, stride); break;
    default: lists_update_blocks(LONG_FLOATS, l, gradient, times, weights, stride); break;
    }
}

static void fill_table(float *table, float scale) {
    for (int i = 0; i < 256; i++) table[i] = (float)i * scale;
}

/* Dense rows as floats, times the scale. */
static void gather(const Inputs *in, const int64_t *order, int64_t first, int rows, int columns, float *to) {
    for (int r = 0; r < rows; r++, to += columns) {
        int64_t at = row_of(order, first, r) * columns;
        if (in->kind == DENSE_BYTES) {
            const uint8_t *from = (const uint8_t *)in->values + at;
            for (int i = 0; i < columns; i++) to[i] = (float)from[i] * in->scale;
        } else {
            const float *from = (const float *)in->values + at;
            for (int i = 0; i < columns; i++) to[i] = from[i] * in->scale;
        }
    }
}

/* Marks the inputs that occur in any list. */
static void mark_occurring(const Inputs *in, uint8_t *occurs) {
    for (int64_t q = in->starts[0]; q < in->starts[in->rows]; q++)
        occurs[in->kind == LONG_FLOATS ? position_at(LONG_FLOATS, in->positions, q)
                                       : position_at(SHORT_FLOATS, in->positions, q)] = 1;
}

/* ---- Lists made of dense rows ----
 *
 * Eight values at a time, written whether zero or not, and written over from the first zero on. What is zero comes and
 * goes too often for a processor to guess, so there are no branches where there are instructions that gather bytes; else
 * eight zeros are at least passed over at once. */

#if defined(__BMI2__) && LANES == 8
#define GATHERS_BYTES 1
#else
#define GATHERS_BYTES 0
#endif

#if GATHERS_BYTES
typedef uint8_t bytes_8 __attribute__((vector_size(8)));
typedef uint16_t shorts_8 __attribute__((vector_size(16)));
typedef uint16_t loose_shorts_8 __attribute__((vector_size(16), aligned(2), may_alias));

static const uint64_t ZERO_TO_SEVEN = 0x0706050403020100u, EACH_BYTE = 0x0101010101010101u;

/* Positions first + k for each k of eight whose byte in `mask` is set, in order. */
INLINE void write_positions(uint64_t mask, int64_t first, uint16_t *positions) {
    uint64_t which = _pext_u64(ZERO_TO_SEVEN, mask);
    shorts_8 short_ones = __builtin_convertvector((bytes_8)which, shorts_8);
    *(loose_shorts_8 *)positions = short_ones + (uint16_t)first;
}

INLINE int pack_eight_bytes(const uint8_t *values, int64_t first, uint16_t *positions, uint8_t *packed) {
    uint64_t eight;
    __builtin_memcpy(&eight, values, 8);
    uint64_t low_bits = 0x7f * EACH_BYTE, set = (((eight & low_bits) + low_bits) | eight) & ~low_bits;
    uint64_t mask = (set >> 7) * 0xff; /* all bits of each byte that is not zero */
    eight = _pext_u64(eight, mask);
    __builtin_memcpy(packed, &eight, 8);
    write_positions(mask, first, positions);
    return __builtin_popcountll(set);
}

INLINE int pack_eight_floats(const float *values, int64_t first, float scale, uint16_t *positions, float *packed) {
    __m256 eight = _mm256_loadu_ps(values);
    uint64_t set = (uint64_t)_mm256_movemask_ps(_mm256_cmp_ps(eight, _mm256_setzero_ps(), _CMP_NEQ_UQ));
    uint64_t mask = _pdep_u64(set, EACH_BYTE) * 0xff;
    __m256i which = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t)_pext_u64(ZERO_TO_SEVEN, mask)));
    _mm256_storeu_ps(packed, _mm256_mul_ps(_mm256_permutevar8x32_ps(eight, which), _mm256_set1_ps(scale)));
    write_positions(mask, first, positions);
    return __builtin_popcountll(set);
}
#else
INLINE int pack_eight_bytes(const uint8_t *values, int64_t first, uint16_t *positions, uint8_t *packed) {
    uint64_t eight;
    __builtin_memcpy(&eight, values, 8);
    if (!eight) return 0;
    int q = 0;
#pragma GCC unroll 8
    for (int k = 0; k < 8; k++) {
        positions[q] = (uint16_t)(first + k);
        packed[q] = values[k];
        q += values[k] != 0;
    }
    return q;
}

INLINE int pack_eight_floats(const float *values, int64_t first, float scale, uint16_t *positions, float *packed) {
    uint64_t pairs[4];
    __builtin_memcpy(pairs, values, 32);
    if (!(pairs[0] | pairs[1] | pairs[2] | pairs[3])) return 0;
    int q = 0;
#pragma GCC unroll 8
    for (int k = 0; k < 8; k++) {
        positions[q] = (uint16_t)(first + k);
        packed[q] = values[k] * scale;
        q += values[k] != 0;
    }
    return q;
}
#endif

static int64_t pack_row_bytes(const uint8_t *values, int64_t columns, uint16_t *positions, uint8_t *packed) {
    int64_t q = 0, i = 0;
    for (; i + 8 <= columns; i += 8) q += pack_eight_bytes(values + i, i, positions + q, packed + q);
    for (; i < columns; i++)
        if (values[i]) {
            positions[q] = (uint16_t)i;
            packed[q++] = values[i];
        }
    return q;
}

static int64_t pack_row_floats(const float *values, int64_t columns, float scale, uint16_t *positions, float *packed) {
    int64_t q = 0, i = 0;
    for (; i + 8 <= columns; i += 8) q += pack_eight_floats(values + i, i, scale, positions + q, packed + q);
    for (; i < columns; i++)
        if (values[i] != 0) {
            positions[q] = (uint16_t)i;
            packed[q++] = values[i] * scale;
        }
    return q;
}

/* Whether there are more entries than `limit`, or the rows so far promise more, an eighth of it aside. */
INLINE int too_many(int64_t entries, int64_t limit, int64_t done, int64_t rows) {
    return entries > limit || (double)(entries - limit / 8) * (double)rows > (double)limit * (double)done;
}

/* All rows; returns how many entries there are, or -1 as soon as it is plain that there are too many. */
static int64_t pack_bytes(const uint8_t *values, int64_t rows, int64_t columns, int64_t limit, uint16_t *positions,
                          uint8_t *packed, int64_t *starts) {
    int64_t q = starts[0] = 0;
    for (int64_t r = 0; r < rows; r++) {
        if (too_many(q, limit, r, rows)) return -1;
        q += pack_row_bytes(values + r * columns, columns, positions + q, packed + q);
        starts[r + 1] = q;
    }
    return q > limit ? -1 : q;
}

static int64_t pack_floats(const float *values, int64_t rows, int64_t columns, float scale, int64_t limit,
                           uint16_t *positions, float *packed, int64_t *starts) {
    int64_t q = starts[0] = 0;
    for (int64_t r = 0; r < rows; r++) {
        if (too_many(q, limit, r, rows)) return -1;
        q += pack_row_floats(values + r * columns, columns, scale, positions + q, packed + q);
        starts[r + 1] = q;
    }
    return q > limit ? -1 : q;
}
