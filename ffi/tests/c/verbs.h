/* The verbs of all four machines behind one table, so that tests need not be written four times. */

#ifndef SHARDKEEP_VERBS_H
#define SHARDKEEP_VERBS_H

#include "shardkeep.h"

struct verbs {
    const char *name;
    shardkeep_status (*make)(const shardkeep_config *, void **);
    shardkeep_status (*drop)(void *);
    shardkeep_status (*handle_input)(void *, uint64_t, const shardkeep_record *);
    shardkeep_status (*handle_timeout)(void *, uint64_t);
    shardkeep_status (*poll_output)(void *, shardkeep_record *);
    shardkeep_status (*poll_timeout)(const void *, shardkeep_record *);
    shardkeep_status (*snapshot)(void *, shardkeep_text *);
    shardkeep_status (*stats)(void *, shardkeep_text *);
    shardkeep_status (*count)(const void *, const char *, size_t, uint64_t *);
    shardkeep_status (*error)(const void *, shardkeep_text *);
};

/* Functions of one machine, whose handle is behind a pointer to anything. */
#define VERBS(m)                                                                                             \
    static shardkeep_status m##_make(const shardkeep_config *config, void **out) {                           \
        struct shardkeep_##m *made = NULL;                                                                   \
        shardkeep_status status = shardkeep_##m##_new(config, &made);                                        \
        if (status == SHARDKEEP_OK) *out = made;                                                             \
        return status;                                                                                       \
    }                                                                                                        \
    static shardkeep_status m##_drop(void *h) { return shardkeep_##m##_free(h); }                            \
    static shardkeep_status m##_input(void *h, uint64_t now, const shardkeep_record *r) {                    \
        return shardkeep_##m##_handle_input(h, now, r);                                                      \
    }                                                                                                        \
    static shardkeep_status m##_timeout(void *h, uint64_t now) {                                             \
        return shardkeep_##m##_handle_timeout(h, now);                                                       \
    }                                                                                                        \
    static shardkeep_status m##_output(void *h, shardkeep_record *r) {                                       \
        return shardkeep_##m##_poll_output(h, r);                                                            \
    }                                                                                                        \
    static shardkeep_status m##_next(const void *h, shardkeep_record *r) {                                   \
        return shardkeep_##m##_poll_timeout(h, r);                                                           \
    }                                                                                                        \
    static shardkeep_status m##_snapshot(void *h, shardkeep_text *t) {                                       \
        return shardkeep_##m##_snapshot(h, t);                                                               \
    }                                                                                                        \
    static shardkeep_status m##_stats(void *h, shardkeep_text *t) { return shardkeep_##m##_stats(h, t); }    \
    static shardkeep_status m##_count(const void *h, const char *name, size_t len, uint64_t *out) {          \
        return shardkeep_##m##_count(h, name, len, out);                                                     \
    }                                                                                                        \
    static shardkeep_status m##_error(const void *h, shardkeep_text *t) { return shardkeep_##m##_error(h, t); }

VERBS(session)
VERBS(scheduler)
VERBS(cache)
VERBS(fleet)

#define ROW(m)                                                                                               \
    {#m, m##_make, m##_drop, m##_input, m##_timeout, m##_output, m##_next, m##_snapshot, m##_stats, m##_count, \
     m##_error}

static const struct verbs all_verbs[] = {ROW(session), ROW(scheduler), ROW(cache), ROW(fleet)};

#define MACHINES (sizeof all_verbs / sizeof all_verbs[0])

#endif
