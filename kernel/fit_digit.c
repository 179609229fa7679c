/* A drawing brought to the form of MNIST's digits: `data/images.py`. Cropped, the longer side 20 pixels, the centre of mass
 * at (14, 14) of 28x28. */

enum { SIDE = 28, DIGIT_SIDE = 20, MIDDLE = 14 };

/* Where the drawing went: what was at (x, y) is at (x * scale + left, y * scale + top). */
typedef struct Placement {
    double scale, left, top;
} Placement;

/* The Hamming window over a sinc, cut at 1. */
static double hamming(double x) {
    double sine, cosine;
    x = __builtin_fabs(x);
    if (x == 0) return 1;
    if (x >= 1) return 0;
    x *= 3.14159265358979323846;
    sine_cosine(x, &sine, &cosine);
    return sine / x * (0.54 + 0.46 * cosine);
}

/* Lines of `length` numbers to lines of `wanted`, each number a mean of those that it covers; as Pillow's resize. The
 * numbers of a line lie `step` apart, lines `stride` and `to_stride`. */
static void resample(const float *from, int32_t lines, int32_t stride, int32_t step, int32_t length, float *to,
                     int32_t to_stride, int32_t to_step, int32_t wanted) {
    double scale = (double)length / wanted, reach = scale < 1 ? 1 : scale;
    for (int32_t i = 0; i < wanted; i++) {
        double middle = (i + 0.5) * scale, total = 0;
        int32_t first = middle - reach + 0.5 > 0 ? (int32_t)(middle - reach + 0.5) : 0;
        int32_t last = (int32_t)(middle + reach + 0.5);
        if (last > length) last = length;
        for (int32_t k = first; k < last; k++) total += hamming((k - middle + 0.5) / reach);
        for (int32_t line = 0; line < lines; line++) {
            double sum = 0;
            for (int32_t k = first; k < last; k++)
                sum += (double)from[(int64_t)line * stride + (int64_t)k * step] * (hamming((k - middle + 0.5) / reach) / total);
            to[(int64_t)line * to_stride + (int64_t)i * to_step] = (float)sum;
        }
    }
}

/* From the first to the last row (or column) that holds more than a trace of ink. */
static void ends_of(const double *ink, int32_t lines, int32_t stride, int32_t step, int32_t length, int32_t *first,
                    int32_t *last) {
    double most = 0;
    *first = *last = -1;
    for (int pass = 0; pass < 2; pass++)
        for (int32_t line = 0; line < lines; line++) {
            double sum = 0;
            for (int32_t k = 0; k < length; k++) sum += ink[(int64_t)line * stride + (int64_t)k * step];
            if (pass == 0 && sum > most) most = sum;
            if (pass == 0 || !(sum > 0.02 * most)) continue;
            if (*first < 0) *first = line;
            *last = line + 1;
        }
}

/* The digit in 28x28, 0 = background, 255 = ink; where there is no ink 0 is returned and nothing written. `work` holds
 * height * width + 20 * height + 400 numbers. */
static int32_t fit_digit(const double *ink, int32_t height, int32_t width, float *work, uint8_t *digit, Placement *placement) {
    int32_t top, bottom, left, right;
    ends_of(ink, height, width, 1, width, &top, &bottom);
    ends_of(ink, width, 1, width, height, &left, &right);
    if (top < 0 || left < 0) return 0;
    int32_t tall = bottom - top, wide = right - left, longer = tall > wide ? tall : wide;
    float *cropped = work, *across = cropped + (int64_t)tall * wide, *small = across + (int64_t)tall * DIGIT_SIDE;
    for (int32_t y = 0; y < tall; y++)
        for (int32_t x = 0; x < wide; x++) cropped[(int64_t)y * wide + x] = (float)ink[(int64_t)(top + y) * width + left + x];
    /* The longer side is 20 pixels, or fewer where it is so lopsided that it would not fit: at 14 every digit does. */
    for (int32_t longest = DIGIT_SIDE; longest > 0; longest--) {
        double scale = (double)longest / longer;
        int32_t rows = (int32_t)nearest(scale * tall), columns = (int32_t)nearest(scale * wide);
        rows = rows < 1 ? 1 : rows, columns = columns < 1 ? 1 : columns;
        resample(cropped, tall, wide, 1, wide, across, columns, 1, columns);
        resample(across, columns, 1, columns, tall, small, 1, columns, rows);
        float most = 0;
        for (int32_t i = 0; i < rows * columns; i++) most = small[i] > most ? small[i] : most;
        double mass = 0, y_mass = 0, x_mass = 0;
        for (int32_t i = 0; i < rows * columns; i++) {
            small[i] = (float)nearest((double)(255 * small[i] / most));
            mass += (double)small[i];
            y_mass += (double)small[i] * (i / columns);
            x_mass += (double)small[i] * (i % columns);
        }
        int32_t down = (int32_t)nearest(MIDDLE - y_mass / mass), right_by = (int32_t)nearest(MIDDLE - x_mass / mass);
        if (down < 0 || right_by < 0 || down + rows > SIDE || right_by + columns > SIDE) continue;
        for (int32_t i = 0; i < SIDE * SIDE; i++) digit[i] = 0;
        for (int32_t i = 0; i < rows * columns; i++)
            digit[(down + i / columns) * SIDE + right_by + i % columns] = (uint8_t)small[i];
        *placement = (Placement){scale, right_by - scale * left, down - scale * top};
        return 1;
    }
    return 0;
}
