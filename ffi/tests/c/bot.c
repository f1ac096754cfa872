/* The Bot layer against a simulator: two threads with a handle each, descriptors in poll, REST, cache, status, a change
 * of shards, and a second bot that resumes what the first one left. DISCORD_API_BASE and DISCORD_TOKEN say where. */

#include <poll.h>
#include <pthread.h>

#include "check.h"

enum { PATIENCE_MS = 20000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char guild[32];
static size_t resumes;

/* Whether a view holds this text somewhere. */
static int holds(const char *ptr, size_t len, const char *wanted) {
    size_t n = strlen(wanted), i;
    for (i = 0; i + n <= len; i++) {
        if (memcmp(ptr + i, wanted, n) == 0) return 1;
    }
    return 0;
}

static void check(shardkeep_bot *bot, const char *what, shardkeep_status status) {
    shardkeep_text why = {"", 0};
    if (status == SHARDKEEP_OK) return;
    shardkeep_bot_error(bot, &why);
    fprintf(stderr, "%s: %s: %.*s\n", what, shardkeep_status_name(status), (int)why.len, why.ptr);
    exit(1);
}

static shardkeep_bot *start(const char *shards, const char *resume_from) {
    static const char options[] = "{\"intents\": \"guilds,guild_messages\", \"cache\": {\"budget_bytes\": 4194304}}";
    shardkeep_bot *bot = NULL;
    OK(shardkeep_bot_new(&bot));
    check(bot, "environment", shardkeep_bot_environment(bot));
    check(bot, "options", shardkeep_bot_json(bot, LITERAL(options)));
    check(bot, "an option", shardkeep_bot_set(bot, LITERAL("shards"), shards, strlen(shards)));
    if (resume_from != NULL) check(bot, "sessions", shardkeep_bot_resume_from(bot, resume_from, strlen(resume_from)));
    check(bot, "start", shardkeep_bot_start(bot));
    check(bot, "starting twice", shardkeep_bot_start(bot));
    RETURNS(SHARDKEEP_ALREADY_RUNNING, shardkeep_bot_json(bot, LITERAL("{}")));
    return bot;
}

static void remember(const shardkeep_event *event) {
    shardkeep_bytes id;
    pthread_mutex_lock(&lock);
    resumes += event->topic == SHARDKEEP_TOPIC_SHARD_RESUME;
    if (guild[0] == 0 && event->kind == SHARDKEEP_EVENT_GUILD_CREATE) {
        OK(shardkeep_json_member(event->data.ptr, event->data.len, LITERAL("id"), &id));
        CHECK(id.len > 2 && id.len < sizeof guild);
        memcpy(guild, id.ptr + 1, id.len - 2);
    }
    pthread_mutex_unlock(&lock);
}

/* Whether a guild has been seen, and how many resumes. */
static int has_seen(size_t wanted_resumes) {
    int seen;
    pthread_mutex_lock(&lock);
    seen = guild[0] != 0 && resumes >= wanted_resumes;
    pthread_mutex_unlock(&lock);
    return seen;
}

static void wait_until_seen(shardkeep_bot *bot, size_t wanted_resumes) {
    shardkeep_reply *reply;
    int tries;
    for (tries = 0; !has_seen(wanted_resumes); tries++) {
        CHECK(tries < PATIENCE_MS / 20);
        RETURNS(SHARDKEEP_EMPTY, shardkeep_bot_reply(bot, 20, &reply));
    }
}

/* Takes events as a loop of one's own does: the descriptor says when, and a look until there is nothing silences it. */
static void *take(void *arg) {
    shardkeep_bot *bot = arg;
    shardkeep_batch *batch;
    shardkeep_event event;
    struct pollfd waited;
    size_t i, len, *taken = calloc(1, sizeof *taken);
    shardkeep_status status = SHARDKEEP_OK;
    CHECK(taken != NULL);
    waited.events = POLLIN;
    check(bot, "descriptor", shardkeep_bot_descriptor(bot, &waited.fd));
    while (status != SHARDKEEP_ENDED) {
        CHECK(poll(&waited, 1, PATIENCE_MS) == 1);
        while ((status = shardkeep_bot_wait(bot, 0, 64, &batch)) == SHARDKEEP_OK) {
            OK(shardkeep_batch_len(batch, &len));
            CHECK(len > 0 && len <= 64);
            for (i = 0; i < len; i++) {
                OK(shardkeep_batch_event(batch, i, &event));
                CHECK(event.name.len > 0 && event.shard_index < event.shard_total);
                remember(&event);
            }
            RETURNS(SHARDKEEP_UNKNOWN_INDEX, shardkeep_batch_event(batch, len, &event));
            *taken += len;
            OK(shardkeep_batch_acknowledge(batch));
            OK(shardkeep_batch_free(batch));
        }
        CHECK(status == SHARDKEEP_EMPTY || status == SHARDKEEP_ENDED);
    }
    OK(shardkeep_bot_free(bot));
    return taken;
}

static void request(shardkeep_bot *bot, const char *what, uint64_t *id) {
    shardkeep_request request;
    OK(shardkeep_request_init(&request, sizeof request));
    request.request = what;
    request.request_len = strlen(what);
    request.deadline_ms = PATIENCE_MS;
    check(bot, what, shardkeep_bot_request(bot, &request, id));
}

static void rest(shardkeep_bot *bot) {
    shardkeep_reply *reply = NULL;
    shardkeep_reply_view view;
    shardkeep_request wrong;
    shardkeep_text text;
    struct pollfd waited;
    uint64_t first, second, id = 0;
    int i;
    RETURNS(SHARDKEEP_EMPTY, shardkeep_bot_reply(bot, 0, &reply));
    request(bot, "GET /users/@me", &first);
    request(bot, "GET /channels/1", &second);
    waited.events = POLLIN;
    check(bot, "reply descriptor", shardkeep_bot_reply_descriptor(bot, &waited.fd));
    CHECK(poll(&waited, 1, PATIENCE_MS) == 1);
    for (i = 0; i < 2; i++) {
        check(bot, "a reply", shardkeep_bot_reply(bot, PATIENCE_MS, &reply));
        OK(shardkeep_reply_read(reply, &view));
        CHECK(view.id == first || view.id == second);
        CHECK(view.is_success == (view.id == first));
        CHECK(view.http_status == (view.id == first ? 200u : 404u));
        CHECK(holds((const char *)view.body.ptr, view.body.len, view.id == first ? "\"id\"" : "\"code\""));
        OK(shardkeep_reply_header(reply, LITERAL("Content-Type"), &text));
        CHECK(holds(text.ptr, text.len, "json"));
        RETURNS(SHARDKEEP_EMPTY, shardkeep_reply_header(reply, LITERAL("x-none"), &text));
        OK(shardkeep_reply_free(reply));
    }
    RETURNS(SHARDKEEP_EMPTY, shardkeep_bot_reply(bot, 0, &reply));
    CHECK(poll(&waited, 1, 0) == 0);
    OK(shardkeep_request_init(&wrong, sizeof wrong));
    wrong.request = "users";
    wrong.request_len = 5;
    RETURNS(SHARDKEEP_BAD_REQUEST, shardkeep_bot_request(bot, &wrong, &id));
    CHECK(id == 0);
}

static void cache(shardkeep_bot *bot) {
    shardkeep_text text;
    char key[64];
    snprintf(key, sizeof key, "guild:%s", guild);
    check(bot, key, shardkeep_bot_cache_fetch(bot, key, strlen(key), PATIENCE_MS, &text));
    CHECK(holds(text.ptr, text.len, guild));
    check(bot, key, shardkeep_bot_cache_get(bot, key, strlen(key), &text));
    CHECK(holds(text.ptr, text.len, "\"name\""));
    RETURNS(SHARDKEEP_BAD_KEY, shardkeep_bot_cache_get(bot, LITERAL("gulid:1"), &text));
    RETURNS(SHARDKEEP_EMPTY, shardkeep_bot_cache_get(bot, LITERAL("guild:1"), &text));
}

static void change_shards(shardkeep_bot *bot) {
    static const char two[] = "{\"shards\": 2}";
    shardkeep_text text;
    RETURNS(SHARDKEEP_UNKNOWN_INDEX, shardkeep_bot_reshard_abort(bot));
    RETURNS(SHARDKEEP_BAD_JSON, shardkeep_bot_plan(bot, LITERAL("{\"shrads\": 2}"), &text));
    check(bot, "a plan", shardkeep_bot_plan(bot, LITERAL(two), &text));
    CHECK(holds(text.ptr, text.len, "\"after\":\"2\""));
    check(bot, "a change", shardkeep_bot_reshard(bot, LITERAL(two), &text));
    RETURNS(SHARDKEEP_FAILED, shardkeep_bot_reshard(bot, LITERAL(two), &text));
    OK(shardkeep_bot_reshard_pause(bot));
    OK(shardkeep_bot_reshard_resume(bot));
    RETURNS(SHARDKEEP_EMPTY, shardkeep_bot_reshard_wait(bot, 0, &text));
    check(bot, "its end", shardkeep_bot_reshard_wait(bot, 6 * PATIENCE_MS, &text));
    printf("%.*s\n", (int)text.len, text.ptr);
    CHECK(holds(text.ptr, text.len, "\"serving\":\"2\""));
}

/* The old shard is gone from the count a moment after it has nothing left to serve. */
static void wait_for_shards(shardkeep_bot *bot) {
    shardkeep_reply *reply;
    shardkeep_text text;
    int tries;
    for (tries = 0; tries < PATIENCE_MS / 20; tries++) {
        check(bot, "status", shardkeep_bot_status(bot, &text));
        if (holds(text.ptr, text.len, "\"shard_count\":2")) return;
        RETURNS(SHARDKEEP_EMPTY, shardkeep_bot_reply(bot, 20, &reply));
    }
    CHECK(!"two shards");
}

static void command(shardkeep_bot *bot) {
    static const char idle[] = "{\"since\":null,\"activities\":[],\"status\":\"idle\",\"afk\":false}";
    check(bot, "a command", shardkeep_bot_send(bot, 0, 1, 3, LITERAL(idle), PATIENCE_MS));
    RETURNS(SHARDKEEP_BAD_COMMAND, shardkeep_bot_send(bot, 0, 1, 99, LITERAL("{}"), 0));
    RETURNS(SHARDKEEP_BAD_SHARD, shardkeep_bot_send(bot, 4, 4, 3, LITERAL(idle), 0));
    RETURNS(SHARDKEEP_FAILED, shardkeep_bot_send(bot, 3, 4, 3, LITERAL(idle), PATIENCE_MS));
}

/* Stops the bot, and waits for the thread that takes its events. How many it took. */
static size_t stop(shardkeep_bot *bot, pthread_t thread, char *sessions, size_t size) {
    shardkeep_batch *batch;
    shardkeep_text text;
    void *ended;
    size_t taken;
    check(bot, "stop", shardkeep_bot_stop(bot, 1, &text));
    CHECK(text.len > 2 && text.len < size);
    memcpy(sessions, text.ptr, text.len);
    sessions[text.len] = 0;
    CHECK(pthread_join(thread, &ended) == 0);
    taken = *(size_t *)ended;
    free(ended);
    RETURNS(SHARDKEEP_ENDED, shardkeep_bot_wait(bot, 0, 1, &batch));
    OK(shardkeep_bot_free(bot));
    return taken;
}

static shardkeep_bot *start_taking(const char *shards, const char *resume_from, pthread_t *thread) {
    shardkeep_bot *bot = start(shards, resume_from), *other = NULL;
    OK(shardkeep_bot_share(bot, &other));
    CHECK(pthread_create(thread, NULL, take, other) == 0);
    check(bot, "ready", shardkeep_bot_ready(bot, PATIENCE_MS));
    return bot;
}

int main(void) {
    static char sessions[1 << 16], later[1 << 16];
    pthread_t thread;
    shardkeep_bot *bot = start_taking("1", NULL, &thread);
    size_t taken;
    rest(bot);
    wait_until_seen(bot, 0);
    cache(bot);
    command(bot);
    change_shards(bot);
    wait_for_shards(bot);
    taken = stop(bot, thread, sessions, sizeof sessions);
    CHECK(taken > 20);
    CHECK(!has_seen(1));

    bot = start_taking("2", sessions, &thread);
    wait_until_seen(bot, 2);
    taken += stop(bot, thread, later, sizeof later);

    bot = start("1", NULL);
    check(bot, "stop at once", shardkeep_bot_stop(bot, 0, NULL));
    OK(shardkeep_bot_free(bot));
    printf("%lu events taken, and both shards resumed by the next bot\n", (unsigned long)taken);
    return 0;
}
