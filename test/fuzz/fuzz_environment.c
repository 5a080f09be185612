/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* fuzz_environment: values of variables, a line each, in the order of the table. */
#include "fuzz.h"

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frontend/environment.h"

static const char *const names[] = {"MEMKIND_ARENA_NUM_PER_KIND", "MEMKIND_HOG_MEMORY",
                                    "MEMKIND_BACKGROUND_THREAD_LIMIT", "MEMKIND_CHECK"};

static void read_and_check(void)
{
    struct environment environment = {0};
    const char *arenas = getenv(names[0]), *hog = getenv(names[1]);

    environment_read(&environment);
    MUST(environment.settings.arenas_per_heap <= 4094);
    MUST(environment.arenas_rejected == (arenas && !environment.settings.arenas_per_heap));
    MUST(environment.settings.hog_memory == (hog && strcmp(hog, "1") == 0));
    if (environment.settings.arenas_per_heap) {
        MUST(strspn(arenas, "0123456789") == strlen(arenas));
        MUST(strtoul(arenas, NULL, 10) == environment.settings.arenas_per_heap);
    }
}

/* In a child, since values that were read once are kept. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_of(data, size), *rest = text;
    int status = 0;
    pid_t pid;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = strsep(&rest, "\n");

        if (!value || setenv(names[i], value, 1))
            unsetenv(names[i]);
    }
    pid = fork();
    if (pid == 0) {
        close(STDERR_FILENO); /* what is refused is said there */
        read_and_check();
        _exit(0);
    }
    MUST(pid < 0 || (waitpid(pid, &status, 0) == pid && status == 0));
    free(text);
    return 0;
}
