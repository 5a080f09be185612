/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * memkind_numpy: a Python module that gives the data of numpy's arrays a kind's memory, by the
 * means numpy has for that (NEP 49). numpy's own tests run with it: scripts/clients,
 * numpy_plugin.py.
 *
 *     import memkind_numpy
 *     memkind_numpy.install()    # from now on, in this context: MEMKIND_HBW
 *     memkind_numpy.counts()     # blocks allocated, freed, refused, and of another kind (0)
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define NPY_NO_DEPRECATED_API NPY_1_22_API_VERSION
#include <memkind.h>
#include <numpy/arrayobject.h>
#include <stdatomic.h>

/* numpy may call a handler without Python's global lock. */
static atomic_ulong allocated, freed, refused, misplaced;

static void *count(void *block)
{
    if (!block)
        refused++;
    else if (memkind_detect_kind(block) != MEMKIND_HBW)
        misplaced++;
    return block;
}

static void *handler_malloc(void *context, size_t size)
{
    (void)context;
    allocated++;
    return count(memkind_malloc(MEMKIND_HBW, size));
}

static void *handler_calloc(void *context, size_t number, size_t size)
{
    (void)context;
    allocated++;
    return count(memkind_calloc(MEMKIND_HBW, number, size));
}

static void *handler_realloc(void *context, void *block, size_t size)
{
    (void)context;
    if (!block)
        allocated++;
    return count(memkind_realloc(MEMKIND_HBW, block, size));
}

static void handler_free(void *context, void *block, size_t size)
{
    (void)context;
    (void)size;
    if (block)
        freed++;
    memkind_free(MEMKIND_HBW, block);
}

static PyDataMem_Handler handler = {
    .name = "memkind",
    .version = 1,
    .allocator = {NULL, handler_malloc, handler_calloc, handler_realloc, handler_free},
};

static PyObject *install(PyObject *self, PyObject *arguments)
{
    PyObject *capsule = PyCapsule_New(&handler, "mem_handler", NULL), *before;

    (void)self;
    (void)arguments;
    if (!capsule)
        return NULL;
    before = PyDataMem_SetHandler(capsule);
    Py_DECREF(capsule);
    if (!before)
        return NULL;
    Py_DECREF(before);
    Py_RETURN_NONE;
}

static PyObject *counts(PyObject *self, PyObject *arguments)
{
    (void)self;
    (void)arguments;
    return Py_BuildValue("kkkk", allocated, freed, refused, misplaced);
}

static PyMethodDef methods[] = {
    {"install", install, METH_NOARGS, "Arrays of this context have their data in MEMKIND_HBW."},
    {"counts", counts, METH_NOARGS, "Blocks allocated, freed, refused, and of another kind."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "memkind_numpy", .m_size = -1,
                                    .m_methods = methods};

PyMODINIT_FUNC PyInit_memkind_numpy(void)
{
    import_array();
    return PyModule_Create(&module);
}
