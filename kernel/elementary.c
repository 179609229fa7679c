/* Elementary functions of double precision, by their series: within two units in the last place, and the same bits on
 * every machine. */

static const double LN2 = 0.69314718055994530942, HALF_PI = 1.57079632679489661923;

/* The nearest whole number, halves to even, for |x| below 2^51: added, 1.5 * 2^52 leaves no room for a fraction. */
static double nearest(double x) {
    return x + 6755399441055744.0 - 6755399441055744.0;
}

static double with_exponent(int64_t n) {
    union { uint64_t bits; double value; } power = {(uint64_t)(n + 1023) << 52};
    return power.value;
}

/* sin and cos for x from 0 to 100 or so. Pi / 2 is taken off in two parts, the first with zeros at its end, so that its
 * multiples are exact. */
static void sine_cosine(double x, double *sine, double *cosine) {
    const double high = 0x1.921fb544p+0, low = 0x1.0b4611a626331p-34;
    double n = nearest(x / HALF_PI), r = x - n * high - n * low, s = 1, c = 1;
    for (int k = 20; k >= 2; k -= 2) {
        s = 1 - r * r / (k * (k + 1)) * s;
        c = 1 - r * r / (k * (k - 1)) * c;
    }
    s *= r;
    int quarter = (int)n & 3;
    *sine = quarter == 0 ? s : quarter == 1 ? c : quarter == 2 ? -s : -c;
    *cosine = quarter == 0 ? c : quarter == 1 ? -s : quarter == 2 ? -c : s;
}

/* e^x for x from -700 to 0. */
static double exponential(double x) {
    double n = nearest(x / LN2), r = x - n * 0x1.62e42fep-1 - n * 0x1.efa39ef35793cp-34, y = 1;
    for (int k = 14; k >= 1; k--) y = 1 + r / k * y;
    return y * with_exponent((int64_t)n);
}

/* The natural logarithm of normal numbers above 0: of 2^n m it is n log(2) + 2 artanh((m - 1) / (m + 1)). */
static double logarithm(double x) {
    union { double value; uint64_t bits; } number = {x};
    int64_t n = (int64_t)(number.bits >> 52) - 1023;
    number.bits = (number.bits & 0xfffffffffffffu) | (uint64_t)1023 << 52; /* from 1 to 2 */
    double m = number.value;
    if (m > 1.4142135623730951) m /= 2, n++;
    double s = (m - 1) / (m + 1), y = 0;
    for (int k = 25; k >= 1; k -= 2) y = y * s * s + 1.0 / k;
    return (double)n * LN2 + 2 * s * y;
}
