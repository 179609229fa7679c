/* Ink told from paper on a photo or drawing: `data/images.py`. The background is the plane through the border's grey values;
 * ink is what differs from it most, be it darker or lighter. */

enum { FAINTEST = 24 };

/* Heapsort (Williams, 1964), ascending. */
static void sort(double *values, int64_t count) {
    for (int64_t start = count / 2, end = count; end > 1;) {
        if (start > 0) {
            start--;
        } else {
            double kept = values[--end];
            values[end] = values[0];
            values[0] = kept;
        }
        double sinking = values[start];
        int64_t at = start;
        for (int64_t child; (child = 2 * at + 1) < end; at = child) {
            if (child + 1 < end && values[child + 1] > values[child]) child++;
            if (values[child] <= sinking) break;
            values[at] = values[child];
        }
        values[at] = sinking;
    }
}

/* Of sorted values, as numpy's percentile. */
static double percentile(const double *sorted, int64_t count, double share) {
    double at = share * (double)(count - 1);
    int64_t below = (int64_t)at, above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (sorted[above] - sorted[below]) * (at - (double)below);
}

static int on_border(int32_t row, int32_t column, int32_t height, int32_t width) {
    int32_t least = height < width ? height : width, edge = least / 50 > 1 ? least / 50 : 1;
    return least <= 2 || row < edge || column < edge || row >= height - edge || column >= width - edge;
}

/* The plane closest to the border's values in the sense of least squares, ink and objects on the border apart: its level,
 * and its slopes down and across. */
static void paper_of(const uint8_t *grey, int32_t height, int32_t width, double *work, double *level, double *down,
                     double *across) {
    int64_t count = 0, used = 0;
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++)
            if (on_border(y, x, height, width)) work[count++] = grey[(int64_t)y * width + x];
    sort(work, count);
    double middle = percentile(work, count, 0.5);
    for (int64_t i = 0; i < count; i++) work[i] = __builtin_fabs(work[i] - middle);
    sort(work, count);
    double most = 2 * percentile(work, count, 0.5), mean_y = 0, mean_x = 0, mean = 0;
    if (most < 8) most = 8;
    double yy = 0, xx = 0, xy = 0, yv = 0, xv = 0;
    for (int pass = 0; pass < 2; pass++) { /* the means, then what lies around them */
        for (int32_t y = 0; y < height; y++)
            for (int32_t x = 0; x < width; x++) {
                double value = grey[(int64_t)y * width + x];
                if (!on_border(y, x, height, width) || __builtin_fabs(value - middle) > most) continue;
                if (pass == 0) {
                    mean_y += y, mean_x += x, mean += value, used++;
                } else {
                    double dy = y - mean_y, dx = x - mean_x, dv = value - mean;
                    yy += dy * dy, xx += dx * dx, xy += dy * dx, yv += dy * dv, xv += dx * dv;
                }
            }
        if (pass == 0) mean_y /= (double)used, mean_x /= (double)used, mean /= (double)used;
    }
    double count_used = (double)used;
    yy /= count_used, xx /= count_used, xy /= count_used, yv /= count_used, xv /= count_used;
    double determinant = yy * xx - xy * xy;
    *down = *across = 0;
    if (determinant > 1e-9 * yy * xx) {
        *down = (yv * xx - xv * xy) / determinant;
        *across = (xv * yy - yv * xy) / determinant;
    } else if (yy + xx > 0) { /* all in one line: the plane rises along it */
        *down = yv / (yy + xx);
        *across = xv / (yy + xx);
    }
    *level = mean - *down * mean_y - *across * mean_x;
}

/* How much ink is on each pixel, 0 to 1. Returns how far the ink is from its background, in grey values: below FAINTEST
 * the picture counts as blank. `work` holds height * width numbers. */
static double ink_of(const uint8_t *grey, int32_t height, int32_t width, double *ink, double *work) {
    int64_t size = (int64_t)height * width, count = 0;
    double level, down, across;
    paper_of(grey, height, width, work, &level, &down, &across);
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++) {
            int64_t i = (int64_t)y * width + x;
            work[i] = ink[i] = level + down * y + across * x - grey[i];
        }
    /* Ranked a little below the very top, so that a few specks of dust are not taken for ink. */
    int64_t rank = 1 + (height > width ? height : width) / 20;
    if (rank > size) rank = size;
    sort(work, size);
    double dark = work[size - rank], light = -work[rank - 1], peak = dark >= light ? dark : light;
    if (dark < light)
        for (int64_t i = 0; i < size; i++) ink[i] = -ink[i];
    if (peak < FAINTEST) return peak;
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++)
            if (on_border(y, x, height, width)) work[count++] = ink[(int64_t)y * width + x];
    sort(work, count);
    double edge = 1.5 * percentile(work, count, 0.99), faint = 0.1 * peak > edge ? 0.1 * peak : edge;
    if (faint > 0.5 * peak) faint = 0.5 * peak;
    count = 0;
    for (int64_t i = 0; i < size; i++)
        if (ink[i] > (faint + peak) / 2) work[count++] = ink[i];
    sort(work, count);
    double full = percentile(work, count, 0.5);
    for (int64_t i = 0; i < size; i++) {
        double share = (ink[i] - faint) / (full - faint);
        ink[i] = share < 0 ? 0 : share > 1 ? 1 : share;
    }
    return peak;
}

/* One line of `box_blur`: `count` bytes, `step` apart. */
static void blur_line(const uint8_t *from, uint8_t *to, int32_t count, int32_t step, int32_t radius) {
    uint32_t times = (1 << 24) / (uint32_t)(2 * radius + 1);
    for (int32_t i = 0; i < count; i++) {
        uint32_t sum = 0;
        for (int32_t k = i - radius; k <= i + radius; k++) sum += from[(int64_t)(k < 0 ? 0 : k < count ? k : count - 1) * step];
        to[(int64_t)i * step] = (uint8_t)((times * sum + (1 << 23)) >> 24);
    }
}

/* Each pixel the mean of the box around it, along rows and then along columns, as Pillow's BoxBlur. `work` has the size of
 * the picture. */
static void box_blur(uint8_t *grey, int32_t height, int32_t width, int32_t radius, uint8_t *work) {
    for (int32_t y = 0; y < height; y++) blur_line(grey + (int64_t)y * width, work + (int64_t)y * width, width, 1, radius);
    for (int32_t x = 0; x < width; x++) blur_line(work + x, grey + x, height, width, radius);
}
