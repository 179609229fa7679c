/* Python's door to the kernel: contexts in memory of their own, arrays through the buffer protocol, the GIL released
 * while it works. Sizes of all buffers are checked here, what they mean in `native.py`. No numpy headers are needed.
 *
 * Only the stable interface of Python 3.11 and later is used, so one build serves them all. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <string.h>
#include <time.h>

#include "kernel.h"

#if defined(__x86_64__)
extern const Kernel glassnet_avx512, glassnet_avx2, glassnet_baseline;
#else
extern const Kernel glassnet_baseline;
#endif

/* The variants that this machine can run, the best first, then NULL. */
static const Kernel **usable(void) {
    static const Kernel *kernels[4];
    int count = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma"))
        kernels[count++] = &glassnet_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
        __builtin_cpu_supports("popcnt"))
        kernels[count++] = &glassnet_avx2;
#endif
    kernels[count++] = &glassnet_baseline;
    kernels[count] = NULL;
    return kernels;
}

static const Kernel *kernel_named(const char *name) {
    for (const Kernel **k = usable(); *k; k++)
        if (strcmp((*k)->name, name) == 0) return *k;
    PyErr_Format(PyExc_ValueError, "this machine has no kernel variant %s", name);
    return NULL;
}

typedef struct Object {
    PyObject_HEAD
    const Kernel *kernel;
    Context *context;
    void *block; /* as allocated; the context begins at the next multiple of 64 */
    PyThread_type_lock lock;
    Plan plan;
    int64_t parameters, fan_in, fan_out;
    int32_t *sizes;
    Inputs inputs;
    Py_buffer kept[6]; /* the examples' arrays, held for as long as the context reads them */
    int has_examples;
    PyObject *empty; /* numpy.empty */
} Object;

/* ---- Buffers ---- */

/* Any of these may be None, which leaves buf NULL. */
static int get_buffer(PyObject *from, Py_buffer *view, int writable) {
    memset(view, 0, sizeof *view);
    if (from == Py_None) return 0;
    return PyObject_GetBuffer(from, view, writable ? PyBUF_CONTIG : PyBUF_CONTIG_RO);
}

static void release(Py_buffer *views, int count) {
    for (int i = 0; i < count; i++)
        if (views[i].obj) PyBuffer_Release(&views[i]);
}

static int expect_bytes(const Py_buffer *view, int64_t bytes, const char *what) {
    if (view->len >= bytes) return 0;
    PyErr_Format(PyExc_ValueError, "%s: got %zd bytes, expected %lld", what, view->len, (long long)bytes);
    return -1;
}

/* Waits for the context without keeping other threads from running. */
static void acquire(Object *self) {
    if (PyThread_acquire_lock(self->lock, 0)) return;
    Py_BEGIN_ALLOW_THREADS
    PyThread_acquire_lock(self->lock, 1);
    Py_END_ALLOW_THREADS
}

/* ---- Inputs ---- */

/* inputs = (kind, scale, rows, values, positions, starts); three buffers are held in `views` until released. */
static int get_inputs(Object *self, PyObject *tuple, Inputs *in, Py_buffer *views) {
    PyObject *values, *positions, *starts;
    int kind;
    double scale;
    long long rows;
    memset(views, 0, 3 * sizeof *views);
    if (!PyArg_ParseTuple(tuple, "idLOOO", &kind, &scale, &rows, &values, &positions, &starts)) return -1;
    if (get_buffer(values, &views[0], 0) || get_buffer(positions, &views[1], 0) || get_buffer(starts, &views[2], 0))
        return -1;
    *in = (Inputs){kind, (float)scale, rows, views[0].buf, views[1].buf, views[2].buf};
    if (kind < DENSE_BYTES || kind > LONG_FLOATS || rows < 0) {
        PyErr_SetString(PyExc_ValueError, "inputs of no known kind");
        return -1;
    }
    if (kind <= DENSE_FLOATS) {
        if (self->plan.sparse) {
            PyErr_SetString(PyExc_ValueError, "this context takes lists only");
            return -1;
        }
        return expect_bytes(&views[0], rows * self->fan_in * (kind == DENSE_BYTES ? 1 : 4), "inputs");
    }
    if (expect_bytes(&views[2], (rows + 1) * 8, "starts")) return -1;
    int64_t count = in->starts[rows];
    return expect_bytes(&views[0], count * (kind == SHORT_BYTES ? 1 : 4), "values") ||
           expect_bytes(&views[1], count * (kind == LONG_FLOATS ? 4 : 2), "positions");
}

/* ---- The object ---- */

static void forget_examples(Object *self) {
    release(self->kept, 6);
    memset(self->kept, 0, sizeof self->kept);
    self->has_examples = 0;
}

static void object_dealloc(PyObject *obj) {
    Object *self = (Object *)obj;
    PyTypeObject *type = Py_TYPE(obj);
    forget_examples(self);
    Py_XDECREF(self->empty);
    PyMem_Free(self->block);
    PyMem_Free(self->sizes);
    if (self->lock) PyThread_free_lock(self->lock);
    freefunc free_object = (freefunc)PyType_GetSlot(type, Py_tp_free);
    free_object(obj);
    Py_DECREF(type);
}

static PyObject *object_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    const char *name;
    Plan p;
    memset(&p, 0, sizeof p);
    unsigned long long seed;
    PyObject *arrays[4];
    Py_buffer views[4];
    memset(views, 0, sizeof views);
    if (!PyArg_ParseTuple(args, "siiiii(dd)(dddd)dddKOOOO", &name, &p.purpose, &p.batch_size, &p.sparse, &p.loss, &p.rule,
                          &p.loss_settings[0], &p.loss_settings[1], &p.rule_settings[0], &p.rule_settings[1],
                          &p.rule_settings[2], &p.rule_settings[3], &p.l1, &p.l2,
                          &p.clip_norm, &seed, &arrays[0], &arrays[1], &arrays[2], &arrays[3]))
        return NULL;
    p.seed = seed;
    const Kernel *kernel = kernel_named(name);
    if (!kernel) return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Object *self = (Object *)allocate(type, 0);
    if (!self) return NULL;
    self->kernel = kernel;
    for (int i = 0; i < 4; i++)
        if (get_buffer(arrays[i], &views[i], 0)) goto fail;
    p.layers = (int32_t)(views[0].len / 4) - 1;
    if (p.layers < 1 || p.batch_size < 0) {
        PyErr_SetString(PyExc_ValueError, "no layers");
        goto fail;
    }
    self->plan = p;
    self->sizes = PyMem_Malloc(views[0].len);
    self->lock = PyThread_allocate_lock();
    if (!self->sizes || !self->lock) goto no_memory;
    memcpy(self->sizes, views[0].buf, views[0].len);
    for (int i = 0; i <= p.layers; i++)
        if (self->sizes[i] < 1) {
            PyErr_SetString(PyExc_ValueError, "a layer of no neurons");
            goto fail;
        }
    for (int i = 0; i < p.layers; i++) self->parameters += (int64_t)(self->sizes[i] + 1) * self->sizes[i + 1];
    self->fan_in = self->sizes[0];
    self->fan_out = self->sizes[p.layers];
    if (expect_bytes(&views[1], p.layers * 4, "activations")) goto fail;
    if (views[2].buf && expect_bytes(&views[2], p.layers * 8, "dropout")) goto fail;
    if (views[3].buf && expect_bytes(&views[3], self->fan_out * 4, "class weights")) goto fail;
    self->block = PyMem_Malloc((size_t)kernel->bytes(&p, self->sizes, views[2].buf) + 63);
    if (!self->block) goto no_memory;
    void *memory = (void *)(((uintptr_t)self->block + 63) / 64 * 64);
    self->context = kernel->open(memory, &p, self->sizes, views[1].buf, views[2].buf, views[3].buf);
    PyObject *numpy = PyImport_ImportModule("numpy");
    self->empty = numpy ? PyObject_GetAttrString(numpy, "empty") : NULL;
    Py_XDECREF(numpy);
    if (!self->empty) goto fail;
    release(views, 4);
    return (PyObject *)self;
no_memory:
    PyErr_NoMemory();
fail:
    release(views, 4);
    Py_DECREF(self);
    return NULL;
}

static int has_vector(const Object *self, int vector) {
    int slots = slots_of(self->plan.rule);
    int there = vector == PARAMETERS || (vector == SLOPES && self->plan.purpose == GRADIENT) ||
                (self->plan.purpose == TRAIN && vector >= FIRST_SLOT && vector < FIRST_SLOT + slots);
    if (!there) PyErr_SetString(PyExc_ValueError, "no such vector");
    return there;
}

static PyObject *object_copy(Object *self, PyObject *args, int write) {
    int vector;
    PyObject *array;
    Py_buffer view;
    if (!PyArg_ParseTuple(args, "iO", &vector, &array) || !has_vector(self, vector)) return NULL;
    if (get_buffer(array, &view, !write)) return NULL;
    if (expect_bytes(&view, self->parameters * 4, "vector")) {
        release(&view, 1);
        return NULL;
    }
    acquire(self);
    if (write)
        self->kernel->write(self->context, vector, view.buf);
    else
        self->kernel->read(self->context, vector, view.buf);
    PyThread_release_lock(self->lock);
    release(&view, 1);
    Py_RETURN_NONE;
}

static PyObject *object_write(PyObject *self, PyObject *args) { return object_copy((Object *)self, args, 1); }
static PyObject *object_read(PyObject *self, PyObject *args) { return object_copy((Object *)self, args, 0); }

static PyObject *object_step(PyObject *self, PyObject *unused) {
    return PyLong_FromLongLong(((Object *)self)->kernel->step(((Object *)self)->context));
}

static PyObject *object_set_step(PyObject *self, PyObject *value) {
    long long step = PyLong_AsLongLong(value);
    if (step == -1 && PyErr_Occurred()) return NULL;
    ((Object *)self)->kernel->set_step(((Object *)self)->context, step);
    Py_RETURN_NONE;
}

static PyObject *object_set_l2(PyObject *obj, PyObject *value) {
    Object *self = (Object *)obj;
    Py_buffer view;
    if (get_buffer(value, &view, 0)) return NULL;
    int wrong = expect_bytes(&view, self->plan.layers * 8, "l2");
    if (!wrong) self->kernel->set_l2(self->context, view.buf);
    release(&view, 1);
    if (wrong) return NULL;
    Py_RETURN_NONE;
}

/* set_examples(inputs, labels, rows, sample_weights) */
static PyObject *object_set_examples(PyObject *obj, PyObject *args) {
    Object *self = (Object *)obj;
    PyObject *inputs, *labels, *rows, *weights;
    if (!PyArg_ParseTuple(args, "OOOO", &inputs, &labels, &rows, &weights)) return NULL;
    if (self->plan.purpose < GRADIENT) {
        PyErr_SetString(PyExc_ValueError, "this context does not learn");
        return NULL;
    }
    acquire(self);
    forget_examples(self);
    Py_buffer *kept = self->kept;
    if (get_inputs(self, inputs, &self->inputs, kept) || get_buffer(labels, &kept[3], 0) ||
        get_buffer(rows, &kept[4], 0) || get_buffer(weights, &kept[5], 0))
        goto fail;
    int64_t count = self->inputs.rows;
    if (!kept[3].buf == !kept[4].buf) {
        PyErr_SetString(PyExc_ValueError, "either labels or rows");
        goto fail;
    }
    if (kept[3].buf && expect_bytes(&kept[3], count * 4, "labels")) goto fail;
    if (kept[4].buf && expect_bytes(&kept[4], count * self->fan_out * 4, "targets")) goto fail;
    if (kept[5].buf && expect_bytes(&kept[5], count * 4, "sample weights")) goto fail;
    Targets targets = {kept[3].buf, kept[4].buf, kept[5].buf};
    self->kernel->set_examples(self->context, &self->inputs, &targets);
    self->has_examples = 1;
    PyThread_release_lock(self->lock);
    Py_RETURN_NONE;
fail:
    forget_examples(self);
    PyThread_release_lock(self->lock);
    return NULL;
}

/* forward(inputs, outputs) */
static PyObject *object_forward(PyObject *obj, PyObject *args) {
    Object *self = (Object *)obj;
    PyObject *tuple, *outputs, *result = NULL;
    Inputs in;
    Py_buffer views[4];
    memset(views, 0, sizeof views);
    if (!PyArg_ParseTuple(args, "OO", &tuple, &outputs)) return NULL;
    if (self->plan.purpose > TRACE) {
        PyErr_SetString(PyExc_ValueError, "this context learns");
        return NULL;
    }
    if (get_inputs(self, tuple, &in, views) || get_buffer(outputs, &views[3], 1) ||
        expect_bytes(&views[3], in.rows * self->fan_out * 4, "outputs"))
        goto done;
    acquire(self);
    Py_BEGIN_ALLOW_THREADS
    self->kernel->forward(self->context, &in, views[3].buf);
    Py_END_ALLOW_THREADS
    PyThread_release_lock(self->lock);
    result = Py_NewRef(Py_None);
done:
    release(views, 4);
    return result;
}

/* trace(inputs, outputs): three arrays a layer */
static PyObject *object_trace(PyObject *obj, PyObject *args) {
    Object *self = (Object *)obj;
    PyObject *tuple, *list, *result = NULL;
    Inputs in;
    Py_buffer views[3], *traced = NULL;
    float **outputs = NULL;
    if (!PyArg_ParseTuple(args, "OO", &tuple, &list)) return NULL;
    int count = 3 * self->plan.layers;
    if (self->plan.purpose != TRACE || PySequence_Size(list) != count) {
        PyErr_SetString(PyExc_ValueError, "three arrays for each layer, in a context that traces");
        return NULL;
    }
    traced = PyMem_Calloc(count, sizeof *traced);
    outputs = PyMem_Calloc(count, sizeof *outputs);
    if (!traced || !outputs) PyErr_NoMemory();
    if (!traced || !outputs || get_inputs(self, tuple, &in, views)) goto done;
    for (int i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(list, i);
        int failed = !item || get_buffer(item, &traced[i], 1);
        Py_XDECREF(item);
        if (failed || expect_bytes(&traced[i], in.rows * self->sizes[i / 3 + 1] * 4, "trace")) goto done;
        outputs[i] = traced[i].buf;
    }
    acquire(self);
    Py_BEGIN_ALLOW_THREADS
    self->kernel->trace(self->context, &in, outputs);
    Py_END_ALLOW_THREADS
    PyThread_release_lock(self->lock);
    result = Py_NewRef(Py_None);
done:
    if (traced) release(traced, count);
    release(views, 3);
    PyMem_Free(traced);
    PyMem_Free(outputs);
    return result;
}

/* Whether all of these are numbers (neither infinite nor NaN, whose exponents are all ones) and at most `limit`, which
 * is above 0: the bits of floats above 0 are in the order of the floats, those of others are below 0. */
static int all_usable(const float *values, Py_ssize_t count, float limit) {
    const uint32_t exponent = 0x7f800000;
    uint32_t odd = 0, bits;
    int32_t most;
    memcpy(&most, &limit, sizeof most);
    for (Py_ssize_t i = 0; i < count; i++) {
        memcpy(&bits, values + i, sizeof bits);
        odd |= ((bits & exponent) == exponent) | ((int32_t)bits > most);
    }
    return !odd;
}

/* A block of rows at a time is looked at and goes forward while it lies in the cache; whether all were usable. */
static int forward_usable(Object *self, const Inputs *in, float limit, float *outputs) {
    enum { ROWS = 96 };
    if (in->kind == DENSE_BYTES) {
        self->kernel->forward(self->context, in, outputs);
        return 1;
    }
    for (int64_t first = 0; first < in->rows; first += ROWS) {
        const float *values = (const float *)in->values + first * self->fan_in;
        Inputs block = *in;
        block.rows = in->rows - first < ROWS ? in->rows - first : ROWS;
        block.values = values;
        if (!all_usable(values, block.rows * self->fan_in, limit)) return 0;
        self->kernel->forward(self->context, &block, outputs + first * self->fan_out);
    }
    return 1;
}

/* outputs(inputs, scale, limit = infinity): the short way for one row or many, contiguous and of bytes or of finite,
 * aligned floats up to the limit; None for all others, which the long way takes or explains. */
static PyObject *object_outputs(PyObject *obj, PyObject *const *args, Py_ssize_t count) {
    enum { KEEP_GIL_BELOW = 20000 }; /* inputs; letting others run is not free */
    Object *self = (Object *)obj;
    if (count < 2 || count > 3 || self->plan.purpose != FORWARD || self->plan.sparse) {
        PyErr_SetString(PyExc_ValueError, "outputs(inputs, scale, limit) of a context that goes forward");
        return NULL;
    }
    double scale = PyFloat_AsDouble(args[1]);
    double limit = count == 3 ? PyFloat_AsDouble(args[2]) : INFINITY;
    if (PyErr_Occurred()) return NULL;
    Py_buffer view;
    if (PyObject_GetBuffer(args[0], &view, PyBUF_ND | PyBUF_FORMAT)) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    PyObject *result = NULL;
    int bytes = view.format && strcmp(view.format, "B") == 0, floats = view.format && strcmp(view.format, "f") == 0;
    if (floats && (uintptr_t)view.buf % sizeof(float)) floats = 0;
    if (!(bytes || floats) || view.ndim < 1 || view.ndim > 2 || view.shape[view.ndim - 1] != self->fan_in) {
        PyBuffer_Release(&view);
        Py_RETURN_NONE;
    }
    Inputs in = {bytes ? DENSE_BYTES : DENSE_FLOATS, (float)scale, view.ndim == 2 ? view.shape[0] : 1, view.buf, NULL, NULL};
    result = view.ndim == 2 ? PyObject_CallFunction(self->empty, "(nn)s", view.shape[0], (Py_ssize_t)self->fan_out, "f")
                            : PyObject_CallFunction(self->empty, "ns", (Py_ssize_t)self->fan_out, "f");
    Py_buffer out;
    if (result && PyObject_GetBuffer(result, &out, PyBUF_CONTIG)) Py_CLEAR(result);
    if (result) {
        int usable;
        acquire(self);
        if (in.rows * self->fan_in < KEEP_GIL_BELOW) {
            usable = forward_usable(self, &in, (float)limit, out.buf);
        } else {
            Py_BEGIN_ALLOW_THREADS
            usable = forward_usable(self, &in, (float)limit, out.buf);
            Py_END_ALLOW_THREADS
        }
        PyThread_release_lock(self->lock);
        PyBuffer_Release(&out);
        if (!usable) {
            Py_DECREF(result);
            result = Py_NewRef(Py_None);
        }
    }
    PyBuffer_Release(&view);
    return result;
}

static PyObject *object_gradient(PyObject *obj, PyObject *unused) {
    Object *self = (Object *)obj;
    if (!self->has_examples || self->plan.purpose != GRADIENT) {
        PyErr_SetString(PyExc_ValueError, "no examples");
        return NULL;
    }
    double loss;
    acquire(self);
    Py_BEGIN_ALLOW_THREADS
    loss = self->kernel->gradient(self->context);
    Py_END_ALLOW_THREADS
    PyThread_release_lock(self->lock);
    return PyFloat_FromDouble(loss);
}

static double seconds(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The order's rows, each of which must be there. */
static int check_order(const Object *self, const int64_t *order, int64_t count) {
    uint64_t most = 0;
    for (int64_t i = 0; i < count; i++) most = (uint64_t)order[i] > most ? (uint64_t)order[i] : most;
    if (!count || most < (uint64_t)self->inputs.rows) return 0;
    PyErr_Format(PyExc_IndexError, "got an order with row %lld; expected rows from 0 to %lld; draw it anew for these examples",
                 (long long)most, (long long)self->inputs.rows - 1);
    return -1;
}

/* run(order, learning_rates, losses) -> how many losses. Between slices of some hundredths of a second signals are seen. */
static PyObject *object_run(PyObject *obj, PyObject *args) {
    const double slice = 0.03;
    Object *self = (Object *)obj;
    PyObject *arrays[3], *result = NULL;
    Py_buffer views[3];
    memset(views, 0, sizeof views);
    if (!PyArg_ParseTuple(args, "OOO", &arrays[0], &arrays[1], &arrays[2])) return NULL;
    if (!self->has_examples || self->plan.purpose != TRAIN) {
        PyErr_SetString(PyExc_ValueError, "no examples");
        return NULL;
    }
    for (int i = 0; i < 3; i++)
        if (get_buffer(arrays[i], &views[i], i == 2)) goto done;
    const int64_t *order = views[0].buf;
    const double *rates = views[1].buf;
    double *losses = views[2].buf;
    int64_t count = views[0].len / 8, batches = views[1].len / 8, done = 0, at_once = 1;
    if (expect_bytes(&views[2], batches * 8, "losses") || check_order(self, order, count)) goto done;
    acquire(self);
    while (done < batches) {
        int64_t asked = batches - done < at_once ? batches - done : at_once, did;
        double started = seconds();
        Py_BEGIN_ALLOW_THREADS
        did = self->kernel->run(self->context, order, count, rates + done, done, asked, losses + done);
        Py_END_ALLOW_THREADS
        double took = (seconds() - started) / (double)did;
        done += did;
        if (did < asked || !(losses[done - 1] - losses[done - 1] == 0)) break;
        at_once = took > 0 && slice / took < 1e6 ? (int64_t)(slice / took) + 1 : 1000000;
        if (at_once > 64 * asked) at_once = 64 * asked; /* one slow or lucky start does not decide */
        if (PyErr_CheckSignals()) goto unlock;
    }
    result = PyLong_FromLongLong(done);
unlock:
    PyThread_release_lock(self->lock);
done:
    release(views, 3);
    return result;
}

/* floor(order): only the two loops over the first layer's lists, for the benchmark. */
static PyObject *object_floor(PyObject *obj, PyObject *array) {
    Object *self = (Object *)obj;
    Py_buffer view;
    if (!self->has_examples || !self->plan.sparse || self->plan.purpose != TRAIN || slots_of(self->plan.rule)) {
        PyErr_SetString(PyExc_ValueError, "only of lists, and plain descent");
        return NULL;
    }
    if (get_buffer(array, &view, 0)) return NULL;
    int failed = check_order(self, view.buf, view.len / 8);
    if (!failed) {
        acquire(self);
        self->kernel->floor(self->context, view.buf, view.len / 8);
        PyThread_release_lock(self->lock);
    }
    release(&view, 1);
    return failed ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef object_methods[] = {
    {"write", object_write, METH_VARARGS, "write(vector, flat): take over the numbers of a flat vector"},
    {"read", object_read, METH_VARARGS, "read(vector, flat): copy them out"},
    {"step", object_step, METH_NOARGS, "step() -> how many steps were taken"},
    {"set_step", object_set_step, METH_O, "set_step(step)"},
    {"set_l2", object_set_l2, METH_O, "set_l2(array): a penalty for each layer, before set_examples"},
    {"set_examples", object_set_examples, METH_VARARGS, "set_examples(inputs, labels, rows, sample_weights)"},
    {"forward", object_forward, METH_VARARGS, "forward(inputs, outputs)"},
    {"trace", object_trace, METH_VARARGS, "trace(inputs, outputs): three arrays for each layer"},
    {"outputs", (PyCFunction)(void (*)(void))object_outputs, METH_FASTCALL, "outputs(inputs, scale, limit) -> array, or None"},
    {"gradient", object_gradient, METH_NOARGS, "gradient() -> loss; the slopes are then a vector"},
    {"run", object_run, METH_VARARGS, "run(order, learning_rates, losses) -> how many losses were written"},
    {"floor", object_floor, METH_O, "floor(order): only the loops over the first layer's lists"},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot object_slots[] = {
    {Py_tp_new, object_new},
    {Py_tp_dealloc, object_dealloc},
    {Py_tp_methods, object_methods},
    {Py_tp_doc, "A network in memory of its own."},
    {0, NULL},
};

static PyType_Spec object_spec = {"glassnet.engines._kernel.Context", sizeof(Object), 0, Py_TPFLAGS_DEFAULT, object_slots};

/* ---- The module ---- */

static PyObject *variants(PyObject *module, PyObject *unused) {
    PyObject *list = PyList_New(0);
    for (const Kernel **k = usable(); list && *k; k++) {
        PyObject *name = PyUnicode_FromString((*k)->name);
        if (!name || PyList_Append(list, name)) Py_CLEAR(list);
        Py_XDECREF(name);
    }
    return list;
}

/* pack(variant, values, is_bytes, rows, columns, scale, limit, positions, packed, starts) -> how many are listed, or -1. */
static PyObject *pack(PyObject *module, PyObject *args) {
    const int64_t room = 16;
    const char *name;
    int is_bytes;
    long long rows, columns, limit, listed = 0;
    double scale;
    PyObject *arrays[4], *result = NULL;
    Py_buffer views[4];
    memset(views, 0, sizeof views);
    if (!PyArg_ParseTuple(args, "sOiLLdLOOO", &name, &arrays[0], &is_bytes, &rows, &columns, &scale, &limit, &arrays[1],
                          &arrays[2], &arrays[3]))
        return NULL;
    const Kernel *kernel = kernel_named(name);
    if (!kernel) return NULL;
    for (int i = 0; i < 4; i++)
        if (get_buffer(arrays[i], &views[i], i > 0)) goto done;
    int64_t entries = limit + columns + room, size = is_bytes ? 1 : 4;
    if (limit < 0 || expect_bytes(&views[0], rows * columns * size, "values") ||
        expect_bytes(&views[1], entries * 2, "positions") || expect_bytes(&views[2], entries * size, "packed") ||
        expect_bytes(&views[3], (rows + 1) * 8, "starts"))
        goto done;
    Py_BEGIN_ALLOW_THREADS
    if (is_bytes)
        listed = kernel->pack_bytes(views[0].buf, rows, columns, limit, views[1].buf, views[2].buf, views[3].buf);
    else
        listed = kernel->pack_floats(views[0].buf, rows, columns, (float)scale, limit, views[1].buf, views[2].buf,
                                     views[3].buf);
    Py_END_ALLOW_THREADS
    result = PyLong_FromLongLong(listed);
done:
    release(views, 4);
    return result;
}

static PyMethodDef module_methods[] = {
    {"variants", variants, METH_NOARGS, "variants() -> names of those this machine can run, the best first"},
    {"pack", pack, METH_VARARGS, "pack(variant, values, is_bytes, rows, columns, scale, limit, positions, packed, starts) -> entries"},
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &object_spec, NULL);
    if (!type) return -1;
    int failed = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return failed;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, module_exec}, {0, NULL}};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT, "_kernel", "The compiled kernel.", 0, module_methods, module_slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernel(void) { return PyModuleDef_Init(&module_def); }
