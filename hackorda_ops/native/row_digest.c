/* The row digest of postgres/archives/row_digest.py, with equal results: XXH3-128 of each line, added up modulo 2^128.
 *
 * The whole of a block is worked on without Python's lock, so that other threads go on reading, decompressing and
 * receiving meanwhile. Written for Python's stable interface: one build serves every version from 3.11 on.
 */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <stdint.h>
#include <string.h>

#define XXH_INLINE_ALL
#include "xxhash.h"

typedef struct {
    PyObject_HEAD
    XXH3_state_t *open_row; /* the row that the last block ended in */
    uint64_t low, high;     /* the sum so far */
    unsigned long long rows;
    unsigned long long open_row_bytes;
    int busy;
} RowDigest;

static void add(RowDigest *self, XXH128_hash_t hash)
{
    self->low += hash.low64;
    self->high += hash.high64 + (self->low < hash.low64);
    self->rows += 1;
}

static void take(RowDigest *self, const char *block, size_t length)
{
    const char *end = block + length;
    const char *line_end = memchr(block, '\n', length);
    if (line_end == NULL) {
        XXH3_128bits_update(self->open_row, block, length);
        self->open_row_bytes += length;
        return;
    }
    XXH3_128bits_update(self->open_row, block, (size_t)(line_end - block));
    add(self, XXH3_128bits_digest(self->open_row));
    const char *row = line_end + 1;
    while ((line_end = memchr(row, '\n', (size_t)(end - row))) != NULL) {
        add(self, XXH3_128bits(row, (size_t)(line_end - row)));
        row = line_end + 1;
    }
    XXH3_128bits_reset(self->open_row);
    XXH3_128bits_update(self->open_row, row, (size_t)(end - row));
    self->open_row_bytes = (unsigned long long)(end - row);
}

static PyObject *RowDigest_update(RowDigest *self, PyObject *block)
{
    Py_buffer view;
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "a row digest is one thread's at a time");
        return NULL;
    }
    if (PyObject_GetBuffer(block, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    self->busy = 1;
    Py_BEGIN_ALLOW_THREADS
    if (view.len > 0)
        take(self, view.buf, (size_t)view.len);
    Py_END_ALLOW_THREADS
    self->busy = 0;
    PyBuffer_Release(&view);
    Py_RETURN_NONE;
}

static PyObject *RowDigest_hexdigest(RowDigest *self, PyObject *Py_UNUSED(ignored))
{
    static const char digits[] = "0123456789abcdef";
    char text[33];
    for (int i = 0; i < 16; i++) {
        text[i] = digits[(self->high >> (60 - 4 * i)) & 15];
        text[16 + i] = digits[(self->low >> (60 - 4 * i)) & 15];
    }
    text[32] = '\0';
    return PyUnicode_FromString(text);
}

static PyObject *RowDigest_rows(RowDigest *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLongLong(self->rows);
}

static PyObject *RowDigest_in_mid_row(RowDigest *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(self->open_row_bytes > 0);
}

static PyObject *RowDigest_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    if (PyTuple_Size(args) != 0 || (keywords != NULL && PyDict_Size(keywords) != 0)) {
        PyErr_SetString(PyExc_TypeError, "RowDigest() takes no arguments");
        return NULL;
    }
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    RowDigest *self = (RowDigest *)allocate(type, 0);
    if (self == NULL)
        return NULL;
    self->open_row = XXH3_createState();
    if (self->open_row == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    XXH3_128bits_reset(self->open_row);
    return (PyObject *)self;
}

static void RowDigest_dealloc(RowDigest *self)
{
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    if (self->open_row != NULL)
        XXH3_freeState(self->open_row);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"update", (PyCFunction)RowDigest_update, METH_O,
     "Takes the next bytes of a table's COPY text; rows may be split anywhere between two calls."},
    {"hexdigest", (PyCFunction)RowDigest_hexdigest, METH_NOARGS, "The digest of all whole rows as 32 hex digits."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef properties[] = {
    {"rows", (getter)RowDigest_rows, NULL, "Whole rows, that is line ends, seen so far.", NULL},
    {"in_mid_row", (getter)RowDigest_in_mid_row, NULL,
     "Whether the text so far ends inside a row, which then counts neither in `rows` nor in the digest.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The digest and the count of the rows seen so far."},
    {Py_tp_new, RowDigest_new},
    {Py_tp_dealloc, RowDigest_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "hackorda_ops.native._row_digest.RowDigest",
    .basicsize = sizeof(RowDigest),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

static int executed(PyObject *module)
{
    PyObject *type = PyType_FromSpec(&spec);
    if (type == NULL)
        return -1;
    int outcome = PyModule_AddObjectRef(module, "RowDigest", type);
    Py_DECREF(type);
    return outcome;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, executed},
    {0, NULL},
};

static PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_row_digest",
    .m_doc = "The row digest in C.",
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__row_digest(void)
{
    return PyModuleDef_Init(&module);
}
