/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * memkind: a Python module that gives the data of numpy's arrays a kind's memory, by the means
 * numpy has for that (NEP 49), and tells what kinds there are. docs/languages/python.md says
 * how it is used.
 *
 * A capsule that numpy has as handler holds a reference to its Kind, and every array one to its
 * capsule. So a created kind is destroyed when neither a name nor an array is left.
 *
 * Threads: numpy may call a handler without Python's global lock, so a Kind's counters are atomic
 * and nothing else of it changes. The list of kinds is guarded by the global lock.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define NPY_NO_DEPRECATED_API NPY_1_22_API_VERSION
#include <memkind.h>
#include <numpy/arrayobject.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/queue.h>

struct kind {
    PyObject base;
    memkind_t handle;
    const char *name; /* of a static kind; NULL: it was created here */
    PyDataMem_Handler handler;
    /* Blocks of arrays; and those that turned out to be of another kind: MEMKIND_PYTHON_VERIFY. */
    atomic_size_t allocated, freed, refused, misplaced;
    LIST_ENTRY(kind) entry; /* in the list of all */
};

/* A change of the handler, which ends with its block: `with memkind.use(kind):`. */
struct use {
    PyObject base;
    struct kind *kind;
    PyObject *before; /* numpy's handler until then; NULL: outside of the block */
};

static PyTypeObject kind_type, use_type;
static PyObject *error_type;
static LIST_HEAD(, kind) kinds;

static const struct {
    const char *name;
    memkind_t *handle;
} statics[] = {
#define STATIC(NAME)           \
    {                          \
#NAME, &MEMKIND_##NAME \
    }
    STATIC(DEFAULT),
    STATIC(REGULAR),
    STATIC(INTERLEAVE),
    STATIC(HUGETLB),
    STATIC(HBW),
    STATIC(HBW_ALL),
    STATIC(HBW_PREFERRED),
    STATIC(HBW_HUGETLB),
    STATIC(HBW_ALL_HUGETLB),
    STATIC(HBW_PREFERRED_HUGETLB),
    STATIC(HBW_INTERLEAVE),
    STATIC(DAX_KMEM),
    STATIC(DAX_KMEM_ALL),
    STATIC(DAX_KMEM_PREFERRED),
    STATIC(DAX_KMEM_INTERLEAVE),
    STATIC(HIGHEST_CAPACITY),
    STATIC(HIGHEST_CAPACITY_PREFERRED),
    STATIC(HIGHEST_CAPACITY_LOCAL),
    STATIC(HIGHEST_CAPACITY_LOCAL_PREFERRED),
    STATIC(LOWEST_LATENCY_LOCAL),
    STATIC(LOWEST_LATENCY_LOCAL_PREFERRED),
    STATIC(HIGHEST_BANDWIDTH_LOCAL),
    STATIC(HIGHEST_BANDWIDTH_LOCAL_PREFERRED),
#undef STATIC
};

/* --- errors ----------------------------------------------------------------------------------- */

static PyObject *message(int code)
{
    char text[MEMKIND_ERROR_MESSAGE_SIZE];

    memkind_error_message(code, text, sizeof text);
    return PyUnicode_FromString(text);
}

/* Raises memkind.Error(code, text); NULL, for who calls it. */
static PyObject *raise_error(int code)
{
    PyObject *arguments = Py_BuildValue("iN", code, message(code));

    if (arguments)
        PyErr_SetObject(error_type, arguments);
    Py_XDECREF(arguments);
    return NULL;
}

/* --- numpy's handler -------------------------------------------------------------------------- */

/* `is_new`: there was none before, which this one replaces. */
static void *counted(struct kind *kind, void *block, bool is_new)
{
    if (!block) {
        kind->refused++;
        return NULL;
    }
    if (is_new)
        kind->allocated++;
#ifdef MEMKIND_PYTHON_VERIFY
    if (memkind_detect_kind(block) != kind->handle)
        kind->misplaced++;
#endif
    return block;
}

static void *handler_malloc(void *context, size_t size)
{
    struct kind *kind = context;

    return counted(kind, memkind_malloc(kind->handle, size), true);
}

static void *handler_calloc(void *context, size_t number, size_t size)
{
    struct kind *kind = context;

    return counted(kind, memkind_calloc(kind->handle, number, size), true);
}

static void *handler_realloc(void *context, void *block, size_t size)
{
    struct kind *kind = context;

    return counted(kind, memkind_realloc(kind->handle, block, size), !block);
}

static void handler_free(void *context, void *block, size_t size)
{
    struct kind *kind = context;

    (void)size;
    if (block)
        kind->freed++;
    memkind_free(kind->handle, block);
}

static void capsule_destructor(PyObject *capsule)
{
    PyDataMem_Handler *handler = PyCapsule_GetPointer(capsule, "mem_handler");

    Py_DECREF((PyObject *)handler->allocator.ctx);
}

/* --- kinds ------------------------------------------------------------------------------------ */

static struct kind *kind_new(memkind_t handle, const char *name)
{
    static const PyDataMem_Handler handler = {
        .name = "memkind",
        .version = 1,
        .allocator = {NULL, handler_malloc, handler_calloc, handler_realloc, handler_free},
    };
    struct kind *kind = PyObject_New(struct kind, &kind_type);

    if (!kind)
        return NULL;
    kind->handle = handle;
    kind->name = name;
    kind->handler = handler;
    kind->handler.allocator.ctx = kind;
    kind->allocated = kind->freed = kind->refused = kind->misplaced = 0;
    LIST_INSERT_HEAD(&kinds, kind, entry);
    return kind;
}

static void kind_dealloc(PyObject *self)
{
    struct kind *kind = (struct kind *)self;

    LIST_REMOVE(kind, entry);
    if (!kind->name)
        memkind_destroy_kind(kind->handle);
    PyObject_Free(self);
}

static PyObject *kind_repr(PyObject *self)
{
    const struct kind *kind = (struct kind *)self;

    return kind->name ? PyUnicode_FromFormat("memkind.%s", kind->name)
                      : PyUnicode_FromFormat("<memkind.Kind, created, at %p>", self);
}

static PyObject *kind_check(PyObject *self, PyObject *unused)
{
    int code = memkind_check_available(((struct kind *)self)->handle);

    (void)unused;
    return code ? raise_error(code) : Py_NewRef(Py_None);
}

static PyObject *kind_statistics(PyObject *self, PyObject *unused)
{
    static const memkind_stat_type which[] = {MEMKIND_STAT_TYPE_RESIDENT, MEMKIND_STAT_TYPE_ACTIVE,
                                              MEMKIND_STAT_TYPE_ALLOCATED};
    size_t values[3];
    int code = memkind_update_cached_stats();

    (void)unused;
    for (size_t i = 0; !code && i < 3; i++)
        code = memkind_get_stat(((struct kind *)self)->handle, which[i], &values[i]);
    if (code)
        return raise_error(code);
    return Py_BuildValue("{s:n,s:n,s:n}", "resident", (Py_ssize_t)values[0], "active",
                         (Py_ssize_t)values[1], "allocated", (Py_ssize_t)values[2]);
}

static PyObject *kind_trim(PyObject *self, PyObject *unused)
{
    ssize_t bytes = memkind_trim(((struct kind *)self)->handle);

    (void)unused;
    return bytes < 0 ? raise_error(MEMKIND_ERROR_INVALID) : PyLong_FromSsize_t(bytes);
}

static PyObject *kind_set_limit(PyObject *self, PyObject *argument)
{
    size_t limit = PyLong_AsSize_t(argument);
    int code;

    if (PyErr_Occurred())
        return NULL;
    code = memkind_set_limit(((struct kind *)self)->handle, limit);
    return code ? raise_error(code) : Py_NewRef(Py_None);
}

static PyObject *kind_available(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(memkind_check_available(((struct kind *)self)->handle) == 0);
}

static PyObject *kind_arrays(PyObject *self, void *unused)
{
    const struct kind *kind = (struct kind *)self;

    (void)unused;
    return Py_BuildValue("{s:n,s:n,s:n,s:n}", "allocated", (Py_ssize_t)kind->allocated, "freed",
                         (Py_ssize_t)kind->freed, "refused", (Py_ssize_t)kind->refused, "misplaced",
                         (Py_ssize_t)kind->misplaced);
}

static PyMethodDef kind_methods[] = {
    {"check", kind_check, METH_NOARGS, "Raises memkind.Error if this machine has no such memory."},
    {"statistics", kind_statistics, METH_NOARGS, "Bytes: resident, active, allocated."},
    {"trim", kind_trim, METH_NOARGS, "Gives back what the kind does not use; how many bytes."},
    {"set_limit", kind_set_limit, METH_O,
     "The kind takes no more than so many bytes; 0: no limit."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef kind_members[] = {
    {"available", kind_available, NULL, "Whether this machine has such memory.", NULL},
    {"arrays", kind_arrays, NULL, "Blocks of arrays: allocated, freed, refused, misplaced.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyTypeObject kind_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "memkind.Kind",
    .tp_doc = "A kind of memory. Made by nodes() and pmem(); the static ones are in the module.",
    .tp_basicsize = sizeof(struct kind),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = kind_dealloc,
    .tp_repr = kind_repr,
    .tp_methods = kind_methods,
    .tp_getset = kind_members,
};

/* --- with memkind.use(kind): ------------------------------------------------------------------ */

static PyObject *use_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"kind", NULL};
    PyObject *kind;
    struct use *use;

    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O!:use", names, &kind_type, &kind))
        return NULL;
    use = (struct use *)type->tp_alloc(type, 0);
    if (use)
        use->kind = (struct kind *)Py_NewRef(kind);
    return (PyObject *)use;
}

static void use_dealloc(PyObject *self)
{
    struct use *use = (struct use *)self;

    Py_XDECREF(use->kind);
    Py_XDECREF(use->before);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *use_enter(PyObject *self, PyObject *unused)
{
    struct use *use = (struct use *)self;
    PyObject *capsule;

    (void)unused;
    if (use->before) {
        PyErr_SetString(PyExc_RuntimeError, "memkind.use: this one is entered already");
        return NULL;
    }
    capsule = PyCapsule_New(&use->kind->handler, "mem_handler", capsule_destructor);
    if (!capsule)
        return NULL;
    Py_INCREF(use->kind);
    use->before = PyDataMem_SetHandler(capsule);
    Py_DECREF(capsule);
    return use->before ? Py_NewRef(use->kind) : NULL;
}

static PyObject *use_exit(PyObject *self, PyObject *unused)
{
    struct use *use = (struct use *)self;
    PyObject *ours;

    (void)unused;
    if (!use->before) {
        PyErr_SetString(PyExc_RuntimeError, "memkind.use: this one is not entered");
        return NULL;
    }
    ours = PyDataMem_SetHandler(use->before);
    if (!ours)
        return NULL;
    Py_DECREF(ours);
    Py_CLEAR(use->before);
    Py_RETURN_FALSE;
}

static PyMethodDef use_methods[] = {
    {"__enter__", use_enter, METH_NOARGS,
     "New arrays have their data in the kind, in this context."},
    {"__exit__", use_exit, METH_VARARGS, "New arrays have their data where they had it before."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject use_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "memkind.use",
    .tp_doc = "use(kind): in this block, the data of new arrays of numpy is in the kind.",
    .tp_basicsize = sizeof(struct use),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = use_new,
    .tp_dealloc = use_dealloc,
    .tp_methods = use_methods,
};

/* --- the module ------------------------------------------------------------------------------- */

static PyObject *created(int code, memkind_t handle)
{
    struct kind *kind;

    if (code)
        return raise_error(code);
    kind = kind_new(handle, NULL);
    if (!kind)
        memkind_destroy_kind(handle);
    return (PyObject *)kind;
}

static PyObject *module_nodes(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"nodes", "policy", NULL};
    int policy = MEMKIND_POLICY_BIND_ALL, code;
    memkind_t handle = NULL;
    const char *nodes;

    (void)self;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "s|i:nodes", names, &nodes, &policy))
        return NULL;
    code = memkind_create_nodes(nodes, (memkind_policy_t)policy, (memkind_bits_t)0, &handle);
    return created(code, handle);
}

static PyObject *module_pmem(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"directory", "limit", NULL};
    Py_ssize_t limit = 0;
    memkind_t handle = NULL;
    PyObject *directory;
    int code;

    (void)self;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O&|n:pmem", names, PyUnicode_FSConverter,
                                     &directory, &limit))
        return NULL;
    code = memkind_create_pmem(PyBytes_AsString(directory), (size_t)limit, &handle);
    Py_DECREF(directory);
    return created(code, handle);
}

static PyObject *module_kind_of(PyObject *self, PyObject *array)
{
    memkind_t handle;
    struct kind *kind;

    (void)self;
    if (!PyArray_Check(array)) {
        PyErr_SetString(PyExc_TypeError, "memkind.kind_of: not an array of numpy");
        return NULL;
    }
    while (PyArray_BASE((PyArrayObject *)array) && /* a view: whose data it is */
           PyArray_Check(PyArray_BASE((PyArrayObject *)array)))
        array = PyArray_BASE((PyArrayObject *)array);
    handle = memkind_detect_kind(PyArray_DATA((PyArrayObject *)array));
    LIST_FOREACH (kind, &kinds, entry)
        if (handle && kind->handle == handle)
            return Py_NewRef(kind);
    Py_RETURN_NONE;
}

static PyObject *module_info(PyObject *self, PyObject *unused)
{
    PyObject *all = PyDict_New();
    int version = memkind_get_version();

    (void)self;
    (void)unused;
    for (size_t i = 0; all && i < sizeof statics / sizeof statics[0]; i++) {
        int code = memkind_check_available(*statics[i].handle);
        PyObject *why = code ? message(code) : Py_NewRef(Py_None);

        if (!why || PyDict_SetItemString(all, statics[i].name, why) < 0)
            Py_CLEAR(all);
        Py_XDECREF(why);
    }
    if (!all)
        return NULL;
    return Py_BuildValue("{s:(iii),s:N}", "version", version / 1000000, version / 1000 % 1000,
                         version % 1000, "kinds", all);
}

static PyMethodDef methods[] = {
    {"nodes", (PyCFunction)(void (*)(void))module_nodes, METH_VARARGS | METH_KEYWORDS,
     "nodes(nodes, policy=BIND_ALL): a new kind on NUMA nodes, named as numactl does."},
    {"pmem", (PyCFunction)(void (*)(void))module_pmem, METH_VARARGS | METH_KEYWORDS,
     "pmem(directory, limit=0): a new kind in a file there, of no more than so many bytes."},
    {"kind_of", module_kind_of, METH_O, "kind_of(array): the Kind its data is in, or None."},
    {"info", module_info, METH_NOARGS,
     "The version; for each static kind why it is not here, or None."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "memkind",
    .m_doc = "Arrays of numpy in memory of the kind a program names.",
    .m_size = -1,
    .m_methods = methods,
};

static int add_all(PyObject *self)
{
    if (PyModule_AddObjectRef(self, "Kind", (PyObject *)&kind_type) < 0 ||
        PyModule_AddObjectRef(self, "use", (PyObject *)&use_type) < 0 ||
        PyModule_AddObjectRef(self, "Error", error_type) < 0 ||
        PyModule_AddIntConstant(self, "BIND_ALL", MEMKIND_POLICY_BIND_ALL) < 0 ||
        PyModule_AddIntConstant(self, "PREFERRED", MEMKIND_POLICY_PREFERRED_LOCAL) < 0 ||
        PyModule_AddIntConstant(self, "INTERLEAVE_ALL", MEMKIND_POLICY_INTERLEAVE_ALL) < 0)
        return -1;
    for (size_t i = 0; i < sizeof statics / sizeof statics[0]; i++) {
        PyObject *kind = (PyObject *)kind_new(*statics[i].handle, statics[i].name);
        int added = kind ? PyModule_AddObjectRef(self, statics[i].name, kind) : -1;

        Py_XDECREF(kind);
        if (added < 0)
            return -1;
    }
    return 0;
}

PyMODINIT_FUNC PyInit_memkind(void)
{
    PyObject *self;

    import_array();
    error_type = PyErr_NewException("memkind.Error", PyExc_OSError, NULL);
    if (!error_type || PyType_Ready(&kind_type) < 0 || PyType_Ready(&use_type) < 0)
        return NULL;
    self = PyModule_Create(&module);
    if (self && add_all(self) < 0)
        Py_CLEAR(self);
    return self;
}
