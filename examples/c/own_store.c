/* The hot set alone, over a store of one's own: here a list in memory, in your program a database. Dispatches go in,
 * batches of writes come out, and what has fallen out of memory is read back.
 *
 *     cc own_store.c $(pkg-config --cflags --libs shardkeep) -o own_store && ./own_store
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shardkeep.h>

enum { ROLES = 2000, EPOCH = 1000 };

/* What the store holds of a key: its version and its JSON. */
struct row {
    char key[64], version[48];
    char *json;
};

static struct row rows[ROLES + 16];
static size_t rows_len;
static uint64_t clock_us;

static struct row *find(const char *key) {
    size_t i;
    for (i = 0; i < rows_len; i++) {
        if (strcmp(rows[i].key, key) == 0) return &rows[i];
    }
    return NULL;
}

static void feed(shardkeep_cache *cache, uint32_t kind, uint64_t id, uint64_t value, const char *text,
                 const char *data) {
    shardkeep_record input;
    shardkeep_status status;
    memset(&input, 0, sizeof input);
    input.kind = kind;
    input.id = id;
    input.value = value;
    input.text = text;
    input.text_len = strlen(text);
    input.data = (const uint8_t *)data;
    input.data_len = strlen(data);
    status = shardkeep_cache_handle_input(cache, clock_us, &input);
    if (status >= 100) {
        fprintf(stderr, "%s: %s\n", text, shardkeep_status_text(status));
        exit(1);
    }
}

/* One line: a key, a version and the JSON, or no JSON where the record is gone. */
static void write_row(char *line) {
    char *version = strchr(line, ' '), *json;
    struct row *row;
    *version++ = 0;
    json = strchr(version, ' ');
    if (json != NULL) *json++ = 0;
    row = find(line);
    if (row == NULL) {
        if (rows_len == sizeof rows / sizeof rows[0]) exit(1);
        row = &rows[rows_len++];
        snprintf(row->key, sizeof row->key, "%s", line);
    }
    snprintf(row->version, sizeof row->version, "%s", version);
    free(row->json);
    row->json = NULL;
    if (json != NULL) {
        row->json = malloc(strlen(json) + 1);
        strcpy(row->json, json);
    }
}

/* A copy with a zero behind it: views live until the next call only. */
static char *copy(const uint8_t *data, size_t len) {
    char *text = malloc(len + 1);
    memcpy(text, data, len);
    text[len] = 0;
    return text;
}

static void write_batch(shardkeep_cache *cache, const shardkeep_record *out) {
    uint64_t batch = out->id;
    char *lines = copy(out->data, out->data_len), *outcomes = calloc(out->value + 1, 5), *line, *next;
    for (line = lines; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL) *next++ = 0;
        write_row(line);
        strcat(outcomes, "done\n");
    }
    feed(cache, SHARDKEEP_CACHE_INPUT_WRITTEN, batch, 0, "", outcomes);
    free(outcomes);
    free(lines);
}

static void read_batch(shardkeep_cache *cache, const shardkeep_record *out) {
    char *lines = copy(out->data, out->data_len), *line, *next;
    for (line = lines; line != NULL; line = next) {
        char *key = strchr(line, ' ') + 1;
        struct row *row;
        next = strchr(line, '\n');
        if (next != NULL) *next++ = 0;
        row = find(key);
        feed(cache, SHARDKEEP_CACHE_INPUT_HELD, strtoull(line, NULL, 10), 0, row == NULL ? "" : row->version,
             row == NULL || row->json == NULL ? "" : row->json);
    }
    free(lines);
}

/* Does what the cache wants. How many fetches were answered with a record. */
static int act(shardkeep_cache *cache) {
    shardkeep_record out;
    int found = 0;
    while (shardkeep_cache_poll_output(cache, &out) == SHARDKEEP_OK) {
        if (out.kind == SHARDKEEP_CACHE_OUTPUT_WRITE) write_batch(cache, &out);
        if (out.kind == SHARDKEEP_CACHE_OUTPUT_READ) read_batch(cache, &out);
        if (out.kind == SHARDKEEP_CACHE_OUTPUT_FOUND) {
            printf("fetch %lu: %.*s\n", (unsigned long)out.id, (int)out.data_len, (const char *)out.data);
            found++;
        }
    }
    return found;
}

int main(void) {
    static const char settings[] = "{\"budget_bytes\": 65536, \"has_store\": true, \"stored\": [\"role\"]}";
    shardkeep_config config;
    shardkeep_cache *cache;
    shardkeep_text text;
    char json[256];
    uint64_t id, hot = 0, written = 0;
    int found;
    shardkeep_config_init(&config, sizeof config);
    config.settings = settings;
    config.settings_len = sizeof settings - 1;
    if (shardkeep_cache_new(&config, &cache) != SHARDKEEP_OK) return 1;
    feed(cache, SHARDKEEP_CACHE_INPUT_STORE_UP, 0, 0, "", "");
    for (id = 1; id <= ROLES; id++) {
        clock_us += 1000;
        snprintf(json, sizeof json, "{\"guild_id\":\"1\",\"role\":{\"id\":\"%lu\",\"name\":\"role number %lu\"}}",
                 (unsigned long)id, (unsigned long)id);
        feed(cache, SHARDKEEP_CACHE_INPUT_DISPATCH, EPOCH, id, "GUILD_ROLE_CREATE 5000", json);
        act(cache);
    }
    shardkeep_cache_count(cache, "hot", 3, &hot);
    shardkeep_cache_count(cache, "written", 7, &written);
    printf("%lu roles in memory, %lu written, %lu in the store\n", (unsigned long)hot, (unsigned long)written,
           (unsigned long)rows_len);
    printf("role 1 is in memory: %s\n", shardkeep_cache_get(cache, clock_us, "role:1:1", 8, &text) == 0 ? "yes" : "no");
    feed(cache, SHARDKEEP_CACHE_INPUT_FETCH, 1, 0, "role:1:1", "");
    found = act(cache);
    shardkeep_cache_free(cache);
    while (rows_len > 0) free(rows[--rows_len].json);
    return found == 1 && hot < written ? 0 : 1;
}
