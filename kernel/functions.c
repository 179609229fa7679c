/* exp, log, tanh and the normal distribution, for vectors. NaN in, NaN out. Errors are those measured against float64
 * over each function's whole range (tests/engines/test_native.py keeps them).
 *
 * exp, log, tanh: polynomials and reductions of Stephen Moshier's Cephes library (expf, logf, tanhf).
 * normal_below: erfc by Press et al., Numerical Recipes, section 6.2, fractional error below 1.2e-7 in exact numbers. */

static const float LOWEST_EXPONENT = -87.33f, HIGHEST_EXPONENT = 88.72f;

/* e^r - 1 - r for |r| up to log(2)/2, over r^2. */
INLINE vec exp_tail(vec r) {
    vec y = 1.9875691500e-4f * r + 1.3981999507e-3f;
    y = y * r + 8.3334519073e-3f;
    y = y * r + 4.1665795894e-2f;
    y = y * r + 1.6666665459e-1f;
    return y * r + 5.0000001201e-1f;
}

/* x = n log(2) + r: returns r; the lowest bits of *shifted hold the whole number n. */
INLINE vec exp_reduce(vec x, vec *shifted) {
    const float round = 12582912.0f; /* 1.5 * 2^23: added, it leaves no room for a fraction */
    *shifted = x * 1.44269504f + round;
    vec n = *shifted - round;
    return x - n * 0.693359375f - n * -2.12194440e-4f;
}

INLINE vec exp_of(vec x) {
    vec shifted, r = exp_reduce(x, &shifted);
    vec y = exp_tail(r) * (r * r) + r + 1.0f;
    y *= (vec)(((uvec)shifted + 127u) << 23);
    y = choose(x > HIGHEST_EXPONENT, all(__builtin_inff()), y);
    return choose(x < LOWEST_EXPONENT, all(0), y);
}

/* e^x - 1 for x up to 0: exact in the small where 1 would swallow it. */
INLINE vec exp_minus_1(vec x) {
    vec shifted, r = exp_reduce(x, &shifted);
    vec small = exp_tail(r) * (r * r) + r;
    return choose(absolute(x) < 0.34f, small, exp_of(x) - 1.0f);
}

/* log of normal numbers above 0. */
INLINE vec log_of(vec x) {
    uvec bits = (uvec)x;
    vec e = __builtin_convertvector((ivec)(bits >> 23) - 126, vec);
    vec m = (vec)((bits & 0x007fffffu) | 0x3f000000u); /* from 1/2 to 1 */
    ivec low = m < 0.707106781186547524f;
    e -= keep(low, all(1));
    m = m + keep(low, m) - 1.0f;
    vec z = m * m;
    vec y = 7.0376836292e-2f * m - 1.1514610310e-1f;
    y = y * m + 1.1676998740e-1f;
    y = y * m - 1.2420140846e-1f;
    y = y * m + 1.4249322787e-1f;
    y = y * m - 1.6668057665e-1f;
    y = y * m + 2.0000714765e-1f;
    y = y * m - 2.4999993993e-1f;
    y = y * m + 3.3333331174e-1f;
    y = y * m * z + e * -2.12194440e-4f - 0.5f * z;
    vec result = m + y + e * 0.693359375f;
    return choose(x < __builtin_inff(), result, x);
}

/* log(1 + x) for x from 0 to 1: what 1 + x rounds off is given back. */
INLINE vec log_1_plus(vec x) {
    vec w = 1.0f + x;
    return log_of(w) + (x - (w - 1.0f)) / w;
}

INLINE vec tanh_of(vec x) {
    vec z = x * x;
    vec y = -5.70498872745e-3f * z + 2.06390887954e-2f;
    y = y * z - 5.37397155531e-2f;
    y = y * z + 1.33314422036e-1f;
    y = y * z - 3.33332819422e-1f;
    y = y * z * x + x;
    vec t = exp_of(-2.0f * absolute(x));
    vec far = (1.0f - t) / (1.0f + t);
    far = choose(x < 0, -far, far);
    return choose(absolute(x) < 0.625f, y, far);
}

INLINE vec sigmoid_of(vec z) {
    vec small = exp_of(-absolute(z)); /* between 0 and 1, so nothing overflows */
    return choose(z < 0, small, all(1)) / (1.0f + small);
}

INLINE vec softplus_of(vec z) { return larger(all(0), z) + log_1_plus(exp_of(-absolute(z))); }

/* The share of a standard normal distribution below z. */
INLINE vec normal_below(vec z) {
    vec x = absolute(z) * 0.70710678118654752f;
    vec t = 1.0f / (1.0f + 0.5f * x);
    vec y = 0.17087277f * t - 0.82215223f;
    y = y * t + 1.48851587f;
    y = y * t - 1.13520398f;
    y = y * t + 0.27886807f;
    y = y * t - 0.18628806f;
    y = y * t + 0.09678418f;
    y = y * t + 0.37409196f;
    y = y * t + 1.00002368f;
    y = y * t - 1.26551223f;
    vec tail = 0.5f * t * exp_of(y - x * x);
    return choose(z > 0, 1.0f - tail, tail);
}
