/* A network in lent memory: where every array lies, the way there and back, and training. `reference.py` is the same in
 * numpy; here a batch goes through in chunks of rows that stay in the cache.
 *
 * Inside, a layer lies (fan_in, fan_out), transposed, each row padded to whole registers, the biases as one row more. */

enum { FORWARD_ROWS = 96, TRAINING_ROWS = 1024, VECTORS = 4 };

/* Inputs are listed where at most this share of them is not zero (measured with 784-16-10 and 784-128-10: lists win below
 * 0.3, the tiles of `multiply` above 0.4), and there are at least so many; short positions reach so far, and lists are written up to so many entries too far. */
static const double MOST_LISTED = 0.33;
enum { FEWEST_LISTED = 16, MOST_SHORT = 65536, ROOM_AFTER_LISTS = 16 };

typedef struct Layer {
    int32_t fan_in, fan_out, stride, activation;
    float l2;
    double dropout;
    float *values[VECTORS]; /* parameters, their slopes, the rule's memory: fan_in + 1 rows each */
    float *turned;          /* the weights (fan_out, fan_in), made anew for each batch: what goes back needs them so */
    float *z, *a;           /* pre-activations and activations of a chunk; one array where z is not needed again */
    float *mask, *onward;   /* dropout's mask, and what it leaves for the next layer; NULL and a without dropout */
    float *back;            /* the slopes of the loss with respect to z */
} Layer;

typedef struct Span {
    int64_t from, to;
} Span;

struct Context {
    Plan plan;
    int64_t step;
    int32_t chunk;    /* rows that go through at once */
    int32_t in_place; /* plain descent: weights are changed where they lie, no slopes are kept */
    int32_t on_logits;
    int32_t spans;
    Layer *layers;
    LossRule loss;
    float *room;      /* for `multiply` */
    float *table;     /* bytes as floats, times the scale */
    float *x;         /* dense inputs of a chunk, gathered */
    const float *dense; /* dense inputs of a chunk: x, or where they lie */
    uint16_t *positions; /* lists made of a chunk of dense inputs on their way forward; their values lie in x */
    int64_t *starts;
    int32_t skips;       /* whether zeros may be passed over: all weights they meet are finite */
    float *padding, *real, *wanted, *weights;
    int32_t *labels;
    uint8_t *occurs;
    Span *moving;     /* rows of the first layer that training can change */
    Inputs inputs;
    Targets targets;
};

INLINE Layer *last_of(const Context *c) { return &c->layers[c->plan.layers - 1]; }
INLINE float *biases_of(const Layer *l, int vector) { return l->values[vector] + (int64_t)l->fan_in * l->stride; }
INLINE int64_t size_of(const Layer *l) { return (int64_t)(l->fan_in + 1) * l->stride; }

INLINE void clear(void *from, int64_t floats) {
    float *p = from;
    for (int64_t i = 0; i < floats; i++) p[i] = 0;
}

/* ---- Memory ---- */

typedef struct Memory {
    char *base;
    int64_t used;
} Memory;

INLINE void *take(Memory *m, int64_t bytes) {
    void *here = m->base ? m->base + m->used : NULL;
    m->used += (bytes + 63) / 64 * 64;
    return here;
}

INLINE float *take_floats(Memory *m, int64_t count) { return take(m, count * 4); }

/* Says where everything lies, or, without a base, only how much it is. */
static int64_t lay_out(Context *c, Memory *m, const Plan *plan, const int32_t *sizes, const int32_t *activations,
                       const double *dropout) {
    int training = plan->purpose == TRAIN, backward = training || plan->purpose == GRADIENT;
    int64_t chunk = backward ? TRAINING_ROWS : FORWARD_ROWS;
    if (chunk > plan->batch_size) chunk = plan->batch_size > 0 ? plan->batch_size : 1;
    c->plan = *plan;
    c->chunk = (int32_t)chunk;
    c->in_place = training && plain_descent(plan) && plan->batch_size <= chunk;
    c->layers = take(m, plan->layers * (int64_t)sizeof(Layer));
    int32_t stride = 0;
    for (int i = 0; i < plan->layers; i++) {
        Layer unused, *l = c->layers ? &c->layers[i] : &unused;
        int32_t before = stride;
        stride = padded(sizes[i + 1]);
        *l = (Layer){.fan_in = sizes[i], .fan_out = sizes[i + 1], .stride = stride, .activation = activations ? activations[i] : 0};
        l->l2 = (float)plan->l2;
        l->dropout = training && dropout && i < plan->layers - 1 ? dropout[i] : 0;
        int vectors = training ? 2 + slots_of(plan->rule) : backward ? 2 : 1;
        for (int v = 0; v < vectors; v++)
            if (v != SLOPES || !c->in_place) l->values[v] = take_floats(m, size_of(l));
        l->a = take_floats(m, chunk * stride);
        /* Without activations only the size is asked for: what may be needed is. */
        int apart = plan->purpose == TRACE || (backward && (!activations || slope_needs_z(l->activation)));
        l->z = apart ? take_floats(m, chunk * stride) : l->a;
        l->onward = l->a;
        if (l->dropout > 0) {
            l->mask = take_floats(m, chunk * stride);
            l->onward = take_floats(m, chunk * stride);
        }
        if (backward) {
            l->back = take_floats(m, chunk * stride);
            if (i > 0) l->turned = take_floats(m, (int64_t)l->fan_out * before);
        }
    }
    c->room = take_floats(m, PANEL);
    c->table = take_floats(m, 256);
    c->padding = take_floats(m, stride);
    c->real = take_floats(m, stride);
    c->loss.class_weights = take_floats(m, stride);
    if (!plan->sparse) c->x = take_floats(m, (chunk + 1) * sizes[0] + ROOM_AFTER_LISTS);
    if (!plan->sparse && !backward && sizes[0] <= MOST_SHORT) {
        c->positions = take(m, ((chunk + 1) * sizes[0] + ROOM_AFTER_LISTS) * 2);
        c->starts = take(m, (chunk + 1) * 8);
    }
    if (backward) {
        c->wanted = take_floats(m, chunk * stride);
        c->weights = take_floats(m, chunk);
        c->labels = take(m, chunk * 4);
        c->occurs = take(m, sizes[0]);
        c->moving = take(m, (sizes[0] / 2 + 1) * (int64_t)sizeof(Span));
    }
    return m->used;
}

static int64_t bytes(const Plan *plan, const int32_t *sizes, const double *dropout) {
    Context c = {0};
    Memory m = {NULL, 0};
    take(&m, (int64_t)sizeof(Context));
    return lay_out(&c, &m, plan, sizes, NULL, dropout);
}

static Context *open(void *memory, const Plan *plan, const int32_t *sizes, const int32_t *activations, const double *dropout,
                     const float *class_weights) {
    clear(memory, bytes(plan, sizes, dropout) / 4); /* padding is zero from here on, and stays so */
    Memory m = {memory, 0};
    Context *c = take(&m, (int64_t)sizeof(Context));
    lay_out(c, &m, plan, sizes, activations, dropout);
    Layer *last = last_of(c);
    for (int i = 0; i < last->stride; i++) {
        c->padding[i] = i < last->fan_out ? 0 : -__builtin_inff();
        c->real[i] = i < last->fan_out;
    }
    float *weights = (float *)c->loss.class_weights;
    for (int i = 0; class_weights && i < last->fan_out; i++) weights[i] = class_weights[i];
    c->loss = (LossRule){plan->loss, (float)plan->loss_settings[0], class_weights ? weights : NULL};
    c->on_logits = last->activation == logits_of(plan->loss);
    c->spans = 1;
    if (c->moving) c->moving[0] = (Span){0, sizes[0]};
    return c;
}

/* A penalty for each layer, where these differ; the plan's own is then the largest. Called before `set_examples`. */
static void set_l2(Context *c, const double *l2) {
    for (int i = 0; i < c->plan.layers; i++) c->layers[i].l2 = (float)l2[i];
}

static void write_vector(Context *c, int32_t vector, const float *flat) {
    if (vector == PARAMETERS) {
        float nothing = 0; /* 0 times every weight, unless one is not finite */
        const Layer *l = c->layers;
        for (int64_t i = 0; i < (int64_t)l->fan_in * l->fan_out; i++) nothing += flat[i] * 0.0f;
        c->skips = nothing == 0;
    }
    for (Layer *l = c->layers; l <= last_of(c); l++) {
        transpose(flat, l->fan_in, l->values[vector], l->stride, l->fan_out, l->fan_in);
        flat += (int64_t)l->fan_in * l->fan_out;
        for (int i = 0; i < l->fan_out; i++) biases_of(l, vector)[i] = *flat++;
    }
}

static void read_vector(const Context *c, int32_t vector, float *flat) {
    for (const Layer *l = c->layers; l <= last_of(c); l++) {
        transpose(l->values[vector], l->stride, flat, l->fan_in, l->fan_in, l->fan_out);
        flat += (int64_t)l->fan_in * l->fan_out;
        for (int i = 0; i < l->fan_out; i++) *flat++ = biases_of(l, vector)[i];
    }
}

static void set_step(Context *c, int64_t step) { c->step = step; }
static int64_t step_count(const Context *c) { return c->step; }

/* ---- Forward ---- */

/* A chunk of a batch: rows order[0..rows), or first, first + 1, ... without an order. */
typedef struct Chunk {
    const Inputs *in;
    const int64_t *order;
    int64_t first;
    int rows;
    int64_t after;     /* rows of the order that follow, for fetching ahead */
    int64_t before;    /* rows of the batch that went before, for dropout */
} Chunk;

INLINE Lists lists_of(const Context *c, const Chunk *k) {
    return (Lists){k->in, c->table, k->order, k->first, k->rows, k->after};
}

INLINE int is_sparse(const Inputs *in) { return in->kind >= SHORT_BYTES; }

/* z = weighted sums; biases are added with the activation function. */
static void weigh(Context *c, int i, const Chunk *k) {
    Layer *l = &c->layers[i];
    const float *before = i ? l[-1].onward : c->dense;
    int64_t row = i ? l[-1].stride : l->fan_in;
    if (i == 0 && is_sparse(k->in)) {
        Lists lists = lists_of(c, k);
        sum_lists(&lists, l->values[PARAMETERS], l->stride, l->z);
        return;
    }
    multiply(&(Product){.a = before, .a_row = row, .a_step = 1, .b = l->values[PARAMETERS], .b_row = l->stride, .c = l->z,
                        .c_row = l->stride, .rows = k->rows, .depth = l->fan_in, .columns = l->stride, .times = 1},
             c->room);
}

static void activate_layer(Context *c, Layer *l, int rows, int logits_only) {
    activate_rows(logits_only ? ACTIVATIONS : l->activation, l->z, l->a, biases_of(l, PARAMETERS), rows, l->stride);
    if (by_row(l->activation) && !logits_only) softmax_rows(l->z, l->a, c->padding, rows, l->stride);
}

static void gather_dense(Context *c, const Chunk *k) {
    if (is_sparse(k->in)) return;
    int columns = c->layers[0].fan_in;
    if (k->in->kind == DENSE_FLOATS && k->in->scale == 1 && !k->order) {
        c->dense = (const float *)k->in->values + k->first * columns;
        return;
    }
    gather(k->in, k->order, k->first, k->rows, columns, c->x);
    c->dense = c->x;
}

static void copy_rows(const Layer *l, const float *from, int rows, float *to) {
    for (int r = 0; r < rows; r++, from += l->stride, to += l->fan_out)
        for (int i = 0; i < l->fan_out; i++) to[i] = from[i];
}

INLINE void use_inputs(Context *c, const Inputs *in) { fill_table(c->table, in->scale); }

/* Lists of a chunk of dense inputs, if enough of them are zero; they lie in the context and are good for this chunk. */
static int list_chunk(Context *c, const Chunk *k, Inputs *lists) {
    int64_t columns = c->layers[0].fan_in, rows = k->rows;
    if (is_sparse(k->in) || !c->skips || !c->starts || columns < FEWEST_LISTED) return 0;
    const uint8_t *in_bytes = (const uint8_t *)k->in->values + k->first * columns;
    const float *in_floats = (const float *)k->in->values + k->first * columns;
    int as_bytes = k->in->kind == DENSE_BYTES;
    int64_t limit = (int64_t)(MOST_LISTED * (double)(rows * columns));
    int64_t listed = as_bytes ? pack_bytes(in_bytes, rows, columns, limit, c->positions, (uint8_t *)c->x, c->starts)
                              : pack_floats(in_floats, rows, columns, k->in->scale, limit, c->positions, c->x, c->starts);
    if (listed < 0) return 0;
    *lists = (Inputs){as_bytes ? SHORT_BYTES : SHORT_FLOATS, k->in->scale, rows, c->x, c->positions, c->starts};
    return 1;
}

/* All rows, chunk by chunk; `outputs` as `trace` has them, or those of the last layer only. */
static void go_forward(Context *c, const Inputs *in, float *const *traced, float *outputs) {
    use_inputs(c, in);
    int may_list = 1; /* until a chunk is too dense */
    for (int64_t first = 0; first < in->rows; first += c->chunk) {
        int64_t left = in->rows - first;
        Chunk k = {.in = in, .first = first, .rows = left < c->chunk ? (int)left : c->chunk};
        k.after = left - k.rows;
        Inputs lists;
        if (may_list && (may_list = list_chunk(c, &k, &lists))) {
            k.in = &lists;
            k.first = k.after = 0;
        }
        gather_dense(c, &k);
        for (int i = 0; i < c->plan.layers; i++) {
            Layer *l = &c->layers[i];
            int64_t at = first * l->fan_out;
            weigh(c, i, &k);
            if (traced) copy_rows(l, l->z, k.rows, traced[3 * i] + at);
            activate_layer(c, l, k.rows, 0);
            if (traced) copy_rows(l, l->z, k.rows, traced[3 * i + 1] + at);
            if (traced) copy_rows(l, l->a, k.rows, traced[3 * i + 2] + at);
        }
        if (outputs) copy_rows(last_of(c), last_of(c)->a, k.rows, outputs + first * last_of(c)->fan_out);
    }
}

static void forward(Context *c, const Inputs *in, float *outputs) { go_forward(c, in, NULL, outputs); }
static void trace(Context *c, const Inputs *in, float *const *outputs) { go_forward(c, in, outputs, NULL); }

/* ---- Loss ---- */

/* What the sum over a batch is divided by. */
static double total_weight(const Context *c, const int64_t *order, int64_t first, int64_t rows) {
    const Targets *t = &c->targets;
    const float *classes = t->labels ? c->loss.class_weights : NULL;
    if (!classes && !t->sample_weights) return (double)rows;
    double total = 0;
    for (int64_t r = 0; r < rows; r++) {
        int64_t row = row_of(order, first, r);
        total += (double)weight_of(t->sample_weights, row) * (classes ? (double)classes[t->labels[row]] : 1);
    }
    return total;
}

/* The sum of a chunk's losses; the last layer's `back` gets the slopes of its outputs. */
static double loss_of(Context *c, const Chunk *k, float share) {
    const Layer *l = last_of(c);
    const Targets *t = &c->targets;
    const float *outputs = c->on_logits ? l->z : l->a;
    int plain = t->labels && of_plain_labels(&c->loss);
    for (int r = 0; r < k->rows; r++) {
        int64_t row = row_of(k->order, k->first, r);
        c->weights[r] = weight_of(t->sample_weights, row);
        if (plain) {
            c->labels[r] = t->labels[row];
            continue;
        }
        float *wanted = c->wanted + (int64_t)r * l->stride;
        for (int i = 0; i < l->fan_out; i++)
            wanted[i] = t->labels ? (float)(i == t->labels[row]) : t->rows[row * l->fan_out + i];
        if (of_classes(&c->loss)) want(&c->loss, wanted, l->fan_out);
    }
    if (plain) return label_rows(outputs, c->labels, c->padding, c->weights, k->rows, l->stride, share, l->back);
    if (of_classes(&c->loss))
        return wanted_rows(outputs, c->wanted, c->padding, c->real, c->weights, k->rows, l->stride, share, l->back);
    return compare_all(&c->loss, outputs, c->wanted, c->real, c->weights, k->rows, l->fan_out, l->stride, share, l->back);
}

/* ---- Backward ---- */

INLINE void times_mask(float *values, const float *mask, float *to, int64_t count) {
    for (int64_t i = 0; i < count; i += LANES) store(to + i, load(values + i) * load(mask + i));
}

static void activation_back(const Layer *l, int rows) {
    if (by_row(l->activation))
        softmax_back(l->a, l->back, rows, l->stride);
    else
        slope_rows(l->activation, l->z, l->a, l->back, (int64_t)rows * l->stride);
}

/* A chunk there and back: its loss is returned; each layer's `back` then holds the slopes of z. */
static double there_and_back(Context *c, const Chunk *k, float share) {
    int layers = c->plan.layers, rows = k->rows;
    Layer *last = last_of(c);
    gather_dense(c, k);
    for (int i = 0; i < layers; i++) {
        Layer *l = &c->layers[i];
        weigh(c, i, k);
        activate_layer(c, l, rows, l == last && c->on_logits);
        if (l->mask) {
            draw_mask(c->plan.seed, c->step, i, l->dropout, k->before, rows, l->fan_out, l->stride, l->mask);
            times_mask(l->a, l->mask, l->onward, (int64_t)rows * l->stride);
        }
    }
    double loss = loss_of(c, k, share);
    if (!c->on_logits) activation_back(last, rows);
    for (int i = layers - 1; i > 0; i--) {
        Layer *l = &c->layers[i], *before = l - 1;
        multiply(&(Product){.a = l->back, .a_row = l->stride, .a_step = 1, .b = l->turned, .b_row = before->stride,
                            .c = before->back, .c_row = before->stride, .rows = rows, .depth = l->fan_out,
                            .columns = before->stride, .times = 1},
                 c->room);
        if (before->mask) times_mask(before->back, before->mask, before->back, (int64_t)rows * before->stride);
        activation_back(before, rows);
    }
    return loss;
}

/* to += times the slopes of all parameters; `vector` says where to: into the slopes, or, to descend, the parameters. */
static void add_slopes(Context *c, const Chunk *k, float times, int vector) {
    for (int i = 0; i < c->plan.layers; i++) {
        Layer *l = &c->layers[i];
        sum_rows(l->back, k->rows, l->stride, times, 1, biases_of(l, vector));
        if (i == 0 && is_sparse(k->in)) {
            Lists lists = lists_of(c, k);
            update_lists(&lists, l->back, times, l->values[vector], l->stride);
            continue;
        }
        multiply(&(Product){.a = i ? l[-1].onward : c->dense, .a_row = 1, .a_step = i ? l[-1].stride : l->fan_in,
                            .b = l->back, .b_row = l->stride, .c = l->values[vector], .c_row = l->stride,
                            .rows = l->fan_in, .depth = k->rows, .columns = l->stride, .times = times, .add = 1},
                 c->room);
    }
}

static void turn_weights(Context *c) {
    for (int i = 1; i < c->plan.layers; i++) {
        Layer *l = &c->layers[i];
        transpose(l->values[PARAMETERS], l->stride, l->turned, l[-1].stride, l->fan_in, l->fan_out);
    }
}

/* ---- Training ---- */

static void clear_slopes(Context *c) {
    for (Layer *l = c->layers; l <= last_of(c); l++)
        if (l->values[SLOPES]) clear(l->values[SLOPES], size_of(l));
}

/* Zeros of the first layer's lists: an input that never occurs has no slope, and with no penalty and no memory of one
 * nothing of its row ever moves. */
static void find_moving(Context *c) {
    const Plan *p = &c->plan;
    const Layer *l = &c->layers[0];
    for (int i = 0; i < l->fan_in; i++) c->occurs[i] = 0;
    mark_occurring(&c->inputs, c->occurs);
    for (int v = FIRST_SLOT; v < VECTORS; v++)
        for (int64_t i = 0; l->values[v] && i < (int64_t)l->fan_in * l->stride; i++)
            if (l->values[v][i] != 0) c->occurs[i / l->stride] = 1;
    int all_move = l->l2 != 0 || moves_by_itself(p);
    c->spans = 0;
    for (int i = 0; i < l->fan_in; i++) {
        if (!c->occurs[i] && !all_move) continue;
        if (c->spans && c->moving[c->spans - 1].to == i)
            c->moving[c->spans - 1].to++;
        else
            c->moving[c->spans++] = (Span){i, i + 1};
    }
}

static void set_examples(Context *c, const Inputs *in, const Targets *targets) {
    c->inputs = *in;
    c->targets = *targets;
    use_inputs(c, in);
    if (c->plan.sparse && c->plan.purpose == TRAIN && !c->in_place) find_moving(c);
}

INLINE void update_layer(const Context *c, const Layer *l, const Step *s, const Step *unpenalized) {
    float *const *v = l->values;
    Span whole = {0, l->fan_in};
    const Span *span = l == c->layers ? c->moving : &whole, *end = l == c->layers ? span + c->spans : span + 1;
    int slots = slots_of(s->kind);
    for (; span < end; span++) {
        int64_t at = span->from * l->stride, count = (span->to - span->from) * l->stride;
        update(s, v[PARAMETERS] + at, v[SLOPES] + at, slots > 0 ? v[FIRST_SLOT] + at : NULL,
               slots > 1 ? v[SECOND_SLOT] + at : NULL, count);
    }
    update(unpenalized, biases_of(l, PARAMETERS), biases_of(l, SLOPES), slots > 0 ? biases_of(l, FIRST_SLOT) : NULL,
           slots > 1 ? biases_of(l, SECOND_SLOT) : NULL, l->stride);
}

INLINE Step of_layer(const Layer *l, const Step *s) {
    Step own = *s;
    own.l2 = l->l2;
    return own;
}

/* What the gradient, penalties included, is times, to be no longer than clip_norm: as torch's clip_grad_norm_ has it. */
static float clip_of(const Context *c, const Step *s, const Step *unpenalized) {
    if (c->plan.clip_norm == 0) return 1;
    double total = 0;
    for (const Layer *l = c->layers; l <= last_of(c); l++) {
        Step own = of_layer(l, s);
        total += squares(&own, l->values[PARAMETERS], l->values[SLOPES], (int64_t)l->fan_in * l->stride);
        total += squares(unpenalized, biases_of(l, PARAMETERS), biases_of(l, SLOPES), l->stride);
    }
    double clip = c->plan.clip_norm / (__builtin_sqrt(total) + 1e-6);
    return clip < 1 ? (float)clip : 1;
}

static void take_step(Context *c, double learning_rate) {
    c->step++;
    Step s = step_of(&c->plan, learning_rate, c->step, 1), unpenalized = s;
    unpenalized.l1 = unpenalized.l2 = 0;
    s.clip = unpenalized.clip = clip_of(c, &s, &unpenalized);
    for (const Layer *l = c->layers; l <= last_of(c); l++) {
        Step own = of_layer(l, &s);
        update_layer(c, l, &own, &unpenalized);
    }
}

/* The loss of a batch. Where it changes in place, it descends at once, if the loss is finite; else slopes are added up. */
static double learn_batch(Context *c, const int64_t *order, int64_t first, int64_t rows, int64_t after, double rate) {
    double total = total_weight(c, order, first, rows), loss = 0;
    float share = total != 0 ? (float)(1 / total) : 0;
    turn_weights(c);
    int64_t done = 0;
    do { /* once at least: a batch of no rows has a loss of 0 */
        int64_t left = rows - done;
        Chunk k = {.in = &c->inputs, .order = order ? order + done : NULL, .first = first + done, .before = done};
        k.rows = left < c->chunk ? (int)left : c->chunk;
        k.after = left - k.rows + after;
        loss += there_and_back(c, &k, share);
        if (!c->in_place)
            add_slopes(c, &k, 1, SLOPES);
        else if (is_finite(total != 0 ? loss / total : 0)) {
            add_slopes(c, &k, -(float)rate, PARAMETERS);
            c->step++;
        }
        done += k.rows;
    } while (done < rows);
    return total != 0 ? loss / total : 0;
}

static double gradient(Context *c) {
    clear_slopes(c);
    return learn_batch(c, NULL, 0, c->inputs.rows, 0, 0);
}

static int64_t run(Context *c, const int64_t *order, int64_t count, const double *learning_rates, int64_t first_batch,
                   int64_t batches, double *losses) {
    uint32_t before = flush_tiny_numbers();
    int64_t done = 0, size = c->plan.batch_size;
    while (done < batches) {
        int64_t from = (first_batch + done) * size, rows = count - from;
        rows = rows < 0 ? 0 : rows < size ? rows : size;
        if (from > count) from = count;
        double rate = learning_rates[done], loss = learn_batch(c, order + from, 0, rows, count - from - rows, rate);
        losses[done++] = loss;
        if (!is_finite(loss)) {
            clear_slopes(c);
            break;
        }
        if (!c->in_place) take_step(c, rate);
    }
    restore_tiny_numbers(before);
    return done;
}

static void first_layer_floor(Context *c, const int64_t *order, int64_t count) {
    Layer *l = &c->layers[0];
    for (int64_t from = 0; from < count; from += c->chunk) {
        Chunk k = {.in = &c->inputs, .order = order + from};
        k.rows = count - from < c->chunk ? (int)(count - from) : c->chunk;
        k.after = count - from - k.rows;
        Lists lists = lists_of(c, &k);
        sum_lists(&lists, l->values[PARAMETERS], l->stride, l->z);
        update_lists(&lists, l->back, 0, l->values[PARAMETERS], l->stride);
    }
}
