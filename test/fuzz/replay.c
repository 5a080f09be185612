/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* replay: a target's main() where there is no libFuzzer: it is given each file of the folders
 * named. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>

static void replay(const char *path)
{
    static uint8_t data[1 << 20];
    FILE *file = fopen(path, "re");

    MUST(file);
    LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof data, file));
    fclose(file);
}

int main(int count, char *folders[])
{
    unsigned files = 0;

    for (int i = 1; i < count; i++) {
        DIR *folder = opendir(folders[i]);
        struct dirent *entry;
        char path[1024];

        MUST(folder);
        while ((entry = readdir(folder)) != NULL) {
            if (entry->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "%s/%s", folders[i], entry->d_name);
            replay(path);
            files++;
        }
        closedir(folder);
    }
    printf("%u inputs\n", files);
    return files == 0;
}
