/* Handles that move between threads, and threads that meet in one handle: a call gets in alone or is told so. */

#include <pthread.h>
#include <sched.h>

#include "check.h"

enum { THREADS = 4, ROUNDS = 5000, MOVED = 16 };

static shardkeep_scheduler *shared;
static shardkeep_session *moved[MOVED];
static pthread_mutex_t hand = PTHREAD_MUTEX_INITIALIZER;

static void make(shardkeep_config *config) {
    OK(shardkeep_config_init(config, sizeof *config));
    config->token = "not.a.token";
    config->token_len = 11;
}

/* Requests of numbers that no other thread uses, so that only one answer is right. */
static void *meet(void *arg) {
    uint64_t base = (uint64_t)(size_t)arg * ROUNDS, i;
    size_t *done = calloc(2, sizeof *done);
    CHECK(done != NULL);
    for (i = 0; i < ROUNDS; i++) {
        shardkeep_record record, out;
        shardkeep_status status;
        memset(&record, 0, sizeof record);
        record.kind = SHARDKEEP_SCHEDULER_INPUT_SUBMIT;
        record.id = base + i + 1;
        record.text = "GET /users/@me";
        record.text_len = 14;
        for (;;) {
            status = shardkeep_scheduler_handle_input(shared, 0, &record);
            if (status != SHARDKEEP_BUSY) break;
            done[1]++;
            sched_yield();
        }
        CHECK(status == SHARDKEEP_OK);
        done[0]++;
        status = shardkeep_scheduler_poll_output(shared, &out);
        CHECK(status == SHARDKEEP_OK || status == SHARDKEEP_EMPTY || status == SHARDKEEP_BUSY);
    }
    return done;
}

/* Takes a session out of the common row, drives it a step, puts it back: the next step is another thread's. */
static void *drive(void *arg) {
    uint64_t i, seed = (uint64_t)(size_t)arg + 1;
    for (i = 0; i < ROUNDS; i++) {
        shardkeep_session *session;
        shardkeep_record record;
        size_t place;
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        place = (size_t)(seed >> 33) % MOVED;
        pthread_mutex_lock(&hand);
        session = moved[place];
        moved[place] = NULL;
        pthread_mutex_unlock(&hand);
        if (session == NULL) continue;
        OK(shardkeep_session_handle_timeout(session, i * 1000));
        while (shardkeep_session_poll_output(session, &record) == SHARDKEEP_OK) {
            if (record.kind != SHARDKEEP_SESSION_OUTPUT_CONNECT) continue;
            memset(&record, 0, sizeof record);
            record.kind = SHARDKEEP_SESSION_INPUT_DISCONNECTED;
            OK(shardkeep_session_handle_input(session, i * 1000, &record));
        }
        pthread_mutex_lock(&hand);
        moved[place] = session;
        pthread_mutex_unlock(&hand);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[2 * THREADS];
    shardkeep_config config;
    size_t i, in = 0, busy = 0;
    uint64_t submitted = 0;
    static const char settings[] = "{\"queue_size\": 1000000}";
    make(&config);
    for (i = 0; i < MOVED; i++) OK(shardkeep_session_new(&config, &moved[i]));
    config.settings = settings;
    config.settings_len = sizeof settings - 1;
    OK(shardkeep_scheduler_new(&config, &shared));
    for (i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, meet, (void *)i) == 0);
        CHECK(pthread_create(&threads[THREADS + i], NULL, drive, (void *)i) == 0);
    }
    for (i = 0; i < THREADS; i++) {
        void *ended;
        size_t *done;
        CHECK(pthread_join(threads[i], &ended) == 0);
        done = ended;
        in += done[0];
        busy += done[1];
        free(done);
        CHECK(pthread_join(threads[THREADS + i], NULL) == 0);
    }
    OK(shardkeep_scheduler_count(shared, LITERAL("submitted"), &submitted));
    CHECK(in == THREADS * ROUNDS);
    CHECK(submitted == in);
    OK(shardkeep_scheduler_free(shared));
    for (i = 0; i < MOVED; i++) OK(shardkeep_session_free(moved[i]));
    printf("%lu calls got in, %lu were told to wait\n", (unsigned long)in, (unsigned long)busy);
    return 0;
}
