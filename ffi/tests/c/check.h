/* What the C tests share: checks that say where they failed, and a clock for none of them. */

#ifndef SHARDKEEP_CHECK_H
#define SHARDKEEP_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shardkeep.h"

/* Ends the program where something is not as it should be. */
#define CHECK(condition)                                                              \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);   \
            exit(1);                                                                  \
        }                                                                             \
    } while (0)

/* A call that must return a status. */
#define RETURNS(status, call)                                                         \
    do {                                                                              \
        shardkeep_status returned_ = (call);                                          \
        if (returned_ != (status)) {                                                  \
            fprintf(stderr, "%s:%d: %s returned %s\n", __FILE__, __LINE__, #call,     \
                    shardkeep_status_name(returned_));                                \
            exit(1);                                                                  \
        }                                                                             \
    } while (0)

#define OK(call) RETURNS(SHARDKEEP_OK, call)

/* A literal as pointer and length. */
#define LITERAL(text) (text), (sizeof(text) - 1)

/* Whether a view is this text. */
#define IS_TEXT(view, wanted) ((view).len == strlen(wanted) && memcmp((view).ptr, wanted, (view).len) == 0)

#endif
