/* The activation functions, each beside its slope: `activations.py` in vectors. Softmax, which looks at a whole row, is below. */

static const float LEAK = 0.01f;
static const float SELU_ALPHA = 1.6732632423543772f, SELU_SCALE = 1.0507009873554805f;
static const float GELU_ROOT = 0.7978845608028654f, GELU_CUBIC = 0.044715f;
static const float ONE_OVER_ROOT_2_PI = 0.3989422804014327f;

INLINE vec gelu_bend(vec z) { return tanh_of(GELU_ROOT * (z + GELU_CUBIC * z * z * z)); }

/* `kind` is a constant wherever this is called, so one case is left of the switch. */
INLINE vec activate(int kind, vec z) {
    switch (kind) {
    case SIGMOID: return sigmoid_of(z);
    case TANH: return tanh_of(z);
    case RELU: return larger(all(0), z);
    case LEAKY_RELU: return choose(z > 0, z, LEAK * z);
    case ELU: return choose(z > 0, z, exp_minus_1(z));
    case SELU: return choose(z > 0, SELU_SCALE * z, SELU_SCALE * SELU_ALPHA * exp_minus_1(z));
    case SOFTPLUS: return softplus_of(z);
    case GELU: return z * normal_below(z);
    case GELU_TANH: return z * 0.5f * (1.0f + gelu_bend(z));
    case SILU: return z * sigmoid_of(z);
    case MISH: return z * tanh_of(softplus_of(z));
    case HARD_SIGMOID: {
        vec a = z * (1.0f / 6) + 0.5f;
        return choose(a > 1, all(1), larger(all(0), a));
    }
    case STEP: return choose(z > 0, all(1), keep(z != z, z)); /* NaN is noticed */
    default: return z;
    }
}

INLINE vec slope(int kind, vec z, vec a) {
    switch (kind) {
    case SIGMOID: return a * (1.0f - a);
    case TANH: return 1.0f - a * a;
    case RELU: return keep(a > 0, all(1));
    case LEAKY_RELU: return choose(a > 0, all(1), all(LEAK));
    case ELU: return choose(a > 0, all(1), a + 1.0f);
    case SELU: return choose(a > 0, all(SELU_SCALE), a + SELU_SCALE * SELU_ALPHA);
    case SOFTPLUS: return sigmoid_of(z);
    case GELU: return normal_below(z) + z * exp_of(z * z * -0.5f) * ONE_OVER_ROOT_2_PI;
    case GELU_TANH: {
        vec t = gelu_bend(z);
        return (1.0f + t) * 0.5f + z * 0.5f * (1.0f - t * t) * GELU_ROOT * (1.0f + 3.0f * GELU_CUBIC * z * z);
    }
    case SILU: {
        vec s = sigmoid_of(z);
        return s * (1.0f + z * (1.0f - s));
    }
    case MISH: {
        vec t = tanh_of(softplus_of(z));
        return t + z * (1.0f - t * t) * sigmoid_of(z);
    }
    case HARD_SIGMOID: return keep(absolute(z) < 3, all(1.0f / 6));
    case STEP: return all(0);
    default: return all(1);
    }
}

/* Whether the slope is a function of the activation alone; z is then not kept. */
INLINE int slope_needs_z(int kind) {
    switch (kind) {
    case IDENTITY: case SIGMOID: case TANH: case RELU: case LEAKY_RELU: case ELU: case SELU: case STEP: case SOFTMAX: return 0;
    default: return 1;
    }
}

/* Whether it looks at whole rows. */
INLINE int by_row(int kind) { return kind == SOFTMAX; }

/* z += b, a = activation(z), down each column of registers so that its biases are read once. z and a may be one. */
INLINE void activate_columns(int kind, float *z, float *a, const float *biases, int rows, int stride) {
    for (int c = 0; c < stride; c += LANES) {
        vec b = load(biases + c);
        for (int64_t i = c, end = (int64_t)rows * stride; i < end; i += stride) {
            vec x = load(z + i) + b;
            store(z + i, x);
            store(a + i, activate(kind, x));
        }
    }
}

/* gradient *= slope, over whole rows. */
INLINE void slope_span(int kind, const float *z, const float *a, float *gradient, int64_t count) {
    for (int64_t i = 0; i < count; i += LANES)
        store(gradient + i, load(gradient + i) * slope(kind, load(z + i), load(a + i)));
}

/* Each kind has a loop of its own, in which `kind` is a constant. Of other kinds only the biases are added. */
static void activate_rows(int kind, float *z, float *a, const float *biases, int rows, int stride) {
    switch (kind) {
#define CASE(KIND) case KIND: activate_columns(KIND, z, a, biases, rows, stride); break;
        EACH_ACTIVATION(CASE)
#undef CASE
    default: activate_columns(IDENTITY, z, a, biases, rows, stride); break;
    }
}

static void slope_rows(int kind, const float *z, const float *a, float *gradient, int64_t count) {
    if (kind == IDENTITY) return; /* its slope is 1 */
    switch (kind) {
#define CASE(KIND) case KIND: slope_span(KIND, z, a, gradient, count); break;
        EACH_ACTIVATION(CASE)
#undef CASE
    }
}

/* One row: a = exp(z - largest), their sum returned; z and a may be one. `padding` is 0 for each real score and
 * -infinity beyond the last, so that padding's share of the softmax is 0. */
INLINE float raise_row(const float *z, float *a, const float *padding, int stride, float *largest) {
    vec top = load(z) + load(padding);
    for (int c = LANES; c < stride; c += LANES) top = larger(top, load(z + c) + load(padding + c));
    float m = largest_of(top);
    vec sum = all(0);
    for (int c = 0; c < stride; c += LANES) {
        vec e = exp_of(load(z + c) + load(padding + c) - m);
        store(a + c, e);
        sum += e;
    }
    *largest = m;
    return sum_of(sum);
}

static void softmax_rows(const float *z, float *a, const float *padding, int rows, int stride) {
    for (int r = 0; r < rows; r++, z += stride, a += stride) {
        float m, share = 1.0f / raise_row(z, a, padding, stride, &m);
        for (int c = 0; c < stride; c += LANES) store(a + c, load(a + c) * share);
    }
}

/* gradient = a (gradient - sum of gradient * a), row by row. */
static void softmax_back(const float *a, float *gradient, int rows, int stride) {
    for (int r = 0; r < rows; r++, a += stride, gradient += stride) {
        vec sum = all(0);
        for (int c = 0; c < stride; c += LANES) sum += load(gradient + c) * load(a + c);
        float shared = sum_of(sum);
        for (int c = 0; c < stride; c += LANES) store(gradient + c, load(a + c) * (load(gradient + c) - shared));
    }
}
