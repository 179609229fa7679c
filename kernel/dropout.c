/* The masks of dropout, as `randomness.py` draws them. */

/* The mask of a hidden layer at a step: 0 with probability `rate`, else 1 / (1 - rate). `first` rows of the batch went
 * before. The 24 highest bits of each draw decide, as they do in the reference. */
static void draw_mask(uint64_t seed, int64_t step, int layer, double rate, int64_t first, int rows, int width, int stride,
                      float *mask) {
    uint64_t key = splitmix64(splitmix64(seed ^ 0xD20, (uint64_t)step), (uint64_t)layer);
    const double round = 4503599627370496.0; /* 2^52: added, it leaves no room for a fraction; halves go to even */
    uint64_t threshold = (uint64_t)(rate * (1 << 24) + round - round);
    float kept = (float)(1 / (1 - rate));
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < width; c++) {
            uint64_t draw = splitmix64(key, (uint64_t)((first + r) * width + c)) >> 40;
            mask[(int64_t)r * stride + c] = draw >= threshold ? kept : 0.0f;
        }
}
