/* The product of two matrices, tile by tile in registers: every dense sum of a network is one of these three.
 *
 *     forward    Z = A W        backward    G_A = G_Z W'        slopes    G_W = A' G_Z
 *
 * A's numbers are read one at a time and multiplied into whole registers of B's rows, so that A may lie either way
 * round (a_row and a_step say how) and only B and C need rows of whole registers. */

typedef struct Product {
    const float *a;
    int64_t a_row, a_step; /* from one row to the next, and along it */
    const float *b;
    int64_t b_row;
    float *c;
    int64_t c_row;
    int rows, depth, columns; /* of C: rows x columns, each a sum over depth; columns fill whole registers */
    float times;               /* C (+)= times A B */
    int add;
} Product;

enum {
    TILE_ROWS = 6,     /* 6 x 2 sums, 2 registers of B and 1 of A: 15 of 16 registers */
    TILE_VECS = 2,
    DEPTH_BLOCK = 256, /* a packed panel of B, 256 x 2 registers, takes half of a 32 kB first-level cache */
    PANEL = DEPTH_BLOCK * TILE_VECS * LANES
};

/* One tile: `rows` and `vecs` are constants wherever this is called. */
INLINE void tile(const int rows, const int vecs, const float *a, int64_t a_row, int64_t a_step, const float *b,
                 int64_t b_row, float *c, int64_t c_row, int depth, float times, int add) {
    vec sums[TILE_ROWS][TILE_VECS];
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int v = 0; v < vecs; v++) sums[r][v] = all(0);
    for (int k = 0; k < depth; k++, a += a_step, b += b_row) {
        vec row[TILE_VECS];
#pragma GCC unroll 2
        for (int v = 0; v < vecs; v++) row[v] = load(b + v * LANES);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
            for (int v = 0; v < vecs; v++) sums[r][v] += a[r * a_row] * row[v];
    }
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int v = 0; v < vecs; v++) {
            float *at = c + r * c_row + v * LANES;
            vec sum = times * sums[r][v];
            store(at, add ? load(at) + sum : sum);
        }
}

/* All rows of C against one panel of B. */
INLINE void panel(const int vecs, const Product *p, const float *a, const float *b, int64_t b_row, float *c, int depth,
                  int add) {
    int r = 0;
    for (; r + TILE_ROWS <= p->rows; r += TILE_ROWS)
        tile(TILE_ROWS, vecs, a + r * p->a_row, p->a_row, p->a_step, b, b_row, c + r * p->c_row, p->c_row, depth,
             p->times, add);
    a += r * p->a_row;
    c += r * p->c_row;
    switch (p->rows - r) {
    case 5: tile(5, vecs, a, p->a_row, p->a_step, b, b_row, c, p->c_row, depth, p->times, add); break;
    case 4: tile(4, vecs, a, p->a_row, p->a_step, b, b_row, c, p->c_row, depth, p->times, add); break;
    case 3: tile(3, vecs, a, p->a_row, p->a_step, b, b_row, c, p->c_row, depth, p->times, add); break;
    case 2: tile(2, vecs, a, p->a_row, p->a_step, b, b_row, c, p->c_row, depth, p->times, add); break;
    case 1: tile(1, vecs, a, p->a_row, p->a_step, b, b_row, c, p->c_row, depth, p->times, add); break;
    default: break;
    }
}

static void panel_1(const Product *p, const float *a, const float *b, int64_t b_row, float *c, int depth, int add) {
    panel(1, p, a, b, b_row, c, depth, add);
}

static void panel_2(const Product *p, const float *a, const float *b, int64_t b_row, float *c, int depth, int add) {
    panel(2, p, a, b, b_row, c, depth, add);
}

/* `room` holds PANEL floats. Where B's rows are long, each panel of it is copied together first: rows a power of two
 * apart would fall on the same few lines of the cache, and each is read once for every six rows of C. */
static void multiply(const Product *p, float *room) {
    int copies = p->rows >= 2 * TILE_ROWS && p->b_row > 2 * TILE_VECS * LANES;
    int block = copies || p->depth > 4 * DEPTH_BLOCK ? DEPTH_BLOCK : p->depth;
    int k = 0;
    do { /* once at least: a sum over nothing is 0 */
        int depth = p->depth - k < block ? p->depth - k : block;
        int add = p->add || k > 0;
        const float *a = p->a + k * p->a_step;
        for (int j = 0; j < p->columns; j += TILE_VECS * LANES) {
            int vecs = p->columns - j >= TILE_VECS * LANES ? TILE_VECS : 1;
            const float *b = p->b + k * p->b_row + j;
            int64_t b_row = p->b_row;
            if (copies) {
                for (int i = 0; i < depth; i++)
                    for (int v = 0; v < vecs; v++)
                        store(room + (i * vecs + v) * LANES, load(b + i * b_row + v * LANES));
                b = room;
                b_row = vecs * LANES;
            }
            (vecs == 2 ? panel_2 : panel_1)(p, a, b, b_row, p->c + j, depth, add);
        }
        k += block;
    } while (k < p->depth);
}

/* to (+)= times the sum of all rows. */
static void sum_rows(const float *from, int rows, int stride, float times, int add, float *to) {
    for (int c = 0; c < stride; c += LANES) {
        vec sum = all(0);
        for (int64_t i = c, end = (int64_t)rows * stride; i < end; i += stride) sum += load(from + i);
        sum *= times;
        store(to + c, add ? load(to + c) + sum : sum);
    }
}

/* to[j][i] = from[i][j] for rows x columns numbers; what pads the rows of `to` is left as it is. Square blocks, so that
 * lines of both stay in the cache. */
static void transpose(const float *from, int64_t from_row, float *to, int64_t to_row, int rows, int columns) {
    enum { BLOCK = 16 };
    for (int i = 0; i < rows; i += BLOCK)
        for (int j = 0; j < columns; j += BLOCK) {
            int rows_here = rows - i < BLOCK ? rows - i : BLOCK;
            int columns_here = columns - j < BLOCK ? columns - j : BLOCK;
            for (int x = 0; x < columns_here; x++)
                for (int y = 0; y < rows_here; y++) to[(j + x) * to_row + i + y] = from[(i + y) * from_row + j + x];
        }
}
