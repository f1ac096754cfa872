/* Replays every conformance vector through the C interface. The vectors come as flat text, written by
 * xtask/src/c/flat.rs: a keyword a line, and texts as a length, a space and the bytes. */

#include "check.h"
#include "verbs.h"

static struct {
    const char *at;
    const char *end;
    char name[256];
} input;

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", input.name, what);
    exit(1);
}

static void line(char *out, size_t size) {
    size_t n = 0;
    while (input.at < input.end && *input.at != '\n') {
        if (n + 1 < size) out[n++] = *input.at;
        input.at++;
    }
    out[n] = 0;
    input.at++;
}

static shardkeep_text blob(void) {
    char *after;
    shardkeep_text view;
    view.len = (size_t)strtoul(input.at, &after, 10);
    view.ptr = after + 1;
    if (view.ptr + view.len > input.end) fail("the file ends early");
    input.at = view.ptr + view.len + 1;
    return view;
}

static int same(const void *a, size_t a_len, const void *b, size_t b_len) {
    return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

static void expect(const char *what, const void *found, size_t found_len, shardkeep_text wanted) {
    if (same(found, found_len, wanted.ptr, wanted.len)) return;
    fprintf(stderr, "%s: %s: found %.*s, wanted %.*s\n", input.name, what, (int)found_len, (const char *)found,
            (int)wanted.len, wanted.ptr);
    exit(1);
}

static shardkeep_record record(void) {
    shardkeep_record r;
    shardkeep_text text, data;
    char *at;
    char numbers[128];
    line(numbers, sizeof numbers);
    r.kind = (uint32_t)strtoul(numbers, &at, 10);
    r.code = (uint32_t)strtoul(at, &at, 10);
    r.id = strtoull(at, &at, 10);
    r.value = strtoull(at, &at, 10);
    text = blob();
    data = blob();
    r.text = text.ptr;
    r.text_len = text.len;
    r.data = (const uint8_t *)data.ptr;
    r.data_len = data.len;
    return r;
}

static void output(const struct verbs *v, void *machine) {
    shardkeep_record found, wanted = record();
    int is_same;
    if (v->poll_output(machine, &found) != SHARDKEEP_OK) fail("an output is missing");
    is_same = found.kind == wanted.kind && found.code == wanted.code && found.id == wanted.id;
    is_same = is_same && found.value == wanted.value;
    is_same = is_same && same(found.text, found.text_len, wanted.text, wanted.text_len);
    is_same = is_same && same(found.data, found.data_len, wanted.data, wanted.data_len);
    if (!is_same) {
        fprintf(stderr, "%s: output %u %u %llu %llu '%.*s' '%.*s'\n", input.name, found.kind, found.code,
                (unsigned long long)found.id, (unsigned long long)found.value, (int)found.text_len, found.text,
                (int)found.data_len, (const char *)found.data);
        fail("is not the output that was wanted");
    }
}

/* One line of a machine's vector. 0 at its end. */
static int machine_line(const struct verbs *v, void *machine, const char *word) {
    char *at;
    shardkeep_record r;
    shardkeep_text text;
    if (strncmp(word, "input ", 6) == 0) {
        uint64_t now = strtoull(word + 6, &at, 10);
        uint32_t status = (uint32_t)strtoul(at, &at, 10);
        r = record();
        if (v->handle_input(machine, now, &r) != status) fail("another status");
    } else if (strncmp(word, "timeout ", 8) == 0) {
        if (v->handle_timeout(machine, strtoull(word + 8, &at, 10)) != SHARDKEEP_OK) fail("the timeout failed");
    } else if (strcmp(word, "output") == 0) {
        output(v, machine);
    } else if (strcmp(word, "drained") == 0) {
        if (v->poll_output(machine, &r) != SHARDKEEP_EMPTY) fail("an output too many");
    } else if (strcmp(word, "state") == 0) {
        if (shardkeep_session_state((shardkeep_session *)machine, &text) != SHARDKEEP_OK) fail("no state");
        expect("state", text.ptr, text.len, blob());
    } else if (strcmp(word, "idle") == 0) {
        if (v->poll_timeout(machine, &r) != SHARDKEEP_EMPTY) fail("a deadline where there is none");
    } else if (strncmp(word, "next ", 5) == 0) {
        uint64_t when = strtoull(word + 5, &at, 10);
        uint32_t why = (uint32_t)strtoul(at, &at, 10);
        if (v->poll_timeout(machine, &r) != SHARDKEEP_OK) fail("no deadline");
        if (r.value != when || r.kind != why) fail("another deadline");
    } else if (strncmp(word, "count ", 6) == 0) {
        uint64_t found = 0, wanted = strtoull(word + 6, &at, 10);
        text = blob();
        if (v->count(machine, text.ptr, text.len, &found) != SHARDKEEP_OK) fail("no such counter");
        if (found != wanted) fail("another count");
    } else if (strcmp(word, "snapshot_after") == 0) {
        if (v->snapshot(machine, &text) != SHARDKEEP_OK) fail("no snapshot");
        expect("snapshot", text.ptr, text.len, blob());
    } else if (strcmp(word, "end") == 0) {
        return 0;
    } else {
        fail(word);
    }
    return 1;
}

static void configure(shardkeep_config *config, char *why, size_t why_size) {
    static const char token[] = "not.a.token";
    CHECK(shardkeep_config_init(config, sizeof *config) == SHARDKEEP_OK);
    config->token = token;
    config->token_len = sizeof token - 1;
    config->error = why;
    config->error_size = why_size;
}

static void machine_vector(const struct verbs *v) {
    char word[128], why[512] = "";
    shardkeep_config config;
    shardkeep_text text;
    void *machine = NULL;
    configure(&config, why, sizeof why);
    for (;;) {
        line(word, sizeof word);
        if (strcmp(word, "config") == 0) {
            text = blob();
            config.settings = text.ptr;
            config.settings_len = text.len;
        } else if (strcmp(word, "snapshot") == 0) {
            text = blob();
            config.snapshot = text.ptr;
            config.snapshot_len = text.len;
        } else if (strcmp(word, "refused") == 0) {
            if (v->make(&config, &machine) < 100 || machine != NULL) fail("it was not refused");
            expect("refused", why, strlen(why), blob());
        } else if (strcmp(word, "start") == 0) {
            if (v->make(&config, &machine) != SHARDKEEP_OK) fail(why);
        } else if (!machine_line(v, machine, word)) {
            break;
        }
    }
    if (v->drop(machine) != SHARDKEEP_OK) fail("it was not freed");
}

static void plan_vector(void) {
    static char answer[1 << 20];
    char word[128];
    size_t len = 0, needed = 0;
    for (line(word, sizeof word); strcmp(word, "end") != 0; line(word, sizeof word)) {
        shardkeep_text text = blob();
        if (strcmp(word, "ask") == 0) {
            if (shardkeep_plan(text.ptr, text.len, NULL, 0, &needed) != SHARDKEEP_TOO_SMALL) fail("no length");
            if (shardkeep_plan(text.ptr, text.len, answer, sizeof answer, &len) != SHARDKEEP_OK) fail("no plan");
            if (len != needed) fail("another length");
        } else {
            expect("answer", answer, len, text);
        }
    }
}

static void cutover_vector(void) {
    char word[128], why[512] = "";
    shardkeep_config config;
    shardkeep_cutover *cutover = NULL;
    shardkeep_text gave = {NULL, 0}, text;
    configure(&config, why, sizeof why);
    for (line(word, sizeof word); strcmp(word, "end") != 0; line(word, sizeof word)) {
        if (strcmp(word, "start") == 0) {
            if (shardkeep_cutover_new(&config, &cutover) != SHARDKEEP_OK) fail(why);
            continue;
        }
        text = blob();
        if (strcmp(word, "config") == 0) {
            config.settings = text.ptr;
            config.settings_len = text.len;
        } else if (strncmp(word, "call ", 5) == 0) {
            uint64_t now = strtoull(word + 5, NULL, 10);
            if (shardkeep_cutover_call(cutover, now, text.ptr, text.len, &gave) != SHARDKEEP_OK) fail("no call");
        } else if (strcmp(word, "gives") == 0) {
            expect("gives", gave.ptr, gave.len, text);
        } else {
            if (shardkeep_cutover_ledger(cutover, &gave) != SHARDKEEP_OK) fail("no ledger");
            expect("ledger", gave.ptr, gave.len, text);
        }
    }
    if (shardkeep_cutover_free(cutover) != SHARDKEEP_OK) fail("it was not freed");
}

static void found_envelope(const char *word, const shardkeep_envelope *e, size_t at) {
    char *next;
    char name[256];
    size_t name_len = 0;
    uint64_t op = strtoull(word, &next, 10);
    uint32_t has = (uint32_t)strtoul(next, &next, 10);
    uint64_t sequence = strtoull(next, &next, 10);
    uint32_t kind = (uint32_t)strtoul(next, &next, 10);
    size_t end = (size_t)strtoul(next, &next, 10);
    int exact = (int)strtol(next, &next, 10);
    shardkeep_text wanted_name = blob(), wanted_data = blob();
    if (e->error.len != 0) fail("an envelope was not found");
    if (e->op != op || e->has_sequence != has || e->sequence != sequence || e->kind != kind) fail("another head");
    if (at + e->end != end) fail("another end");
    if (!exact) return;
    if (shardkeep_envelope_name(e->name.ptr, e->name.len, name, sizeof name, &name_len) == SHARDKEEP_OK) {
        expect("t", name, name_len, wanted_name);
    } else if (wanted_name.len != 0) {
        fail("no name");
    }
    expect("d", e->data.ptr, e->data.len, wanted_data);
}

static void envelope_vector(void) {
    char word[128];
    shardkeep_text bytes = {NULL, 0};
    shardkeep_envelope e;
    size_t at = 0;
    for (line(word, sizeof word); strcmp(word, "end") != 0; line(word, sizeof word)) {
        if (strcmp(word, "scan") == 0) {
            bytes = blob();
            continue;
        }
        if (shardkeep_envelope_scan((const uint8_t *)bytes.ptr + at, bytes.len - at, &e) != SHARDKEEP_OK) {
            fail("it was not scanned");
        }
        if (strncmp(word, "found ", 6) == 0) {
            found_envelope(word + 6, &e, at);
            at += e.end;
        } else {
            expect("error", e.error.ptr, e.error.len, blob());
            if (at + e.error_at != strtoull(word + 6, NULL, 10)) fail("another place");
        }
    }
}

static char *read_file(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    char *bytes;
    long size;
    CHECK(file != NULL);
    CHECK(fseek(file, 0, SEEK_END) == 0);
    size = ftell(file);
    CHECK(size > 0);
    rewind(file);
    bytes = malloc((size_t)size);
    CHECK(bytes != NULL);
    CHECK(fread(bytes, 1, (size_t)size, file) == (size_t)size);
    fclose(file);
    *len = (size_t)size;
    return bytes;
}

int main(int argc, char **argv) {
    char word[128];
    size_t len, count = 0, i;
    char *bytes;
    CHECK(argc == 2);
    bytes = read_file(argv[1], &len);
    input.at = bytes;
    input.end = bytes + len;
    while (input.at < input.end) {
        shardkeep_text name;
        const struct verbs *v = NULL;
        line(word, sizeof word);
        CHECK(strncmp(word, "vector ", 7) == 0);
        name = blob();
        snprintf(input.name, sizeof input.name, "%s: %.*s", word + 7, (int)name.len, name.ptr);
        for (i = 0; i < MACHINES; i++) {
            if (strcmp(word + 7, all_verbs[i].name) == 0) v = &all_verbs[i];
        }
        if (v != NULL) {
            machine_vector(v);
        } else if (strcmp(word + 7, "plan") == 0) {
            plan_vector();
        } else if (strcmp(word + 7, "cutover") == 0) {
            cutover_vector();
        } else {
            CHECK(strcmp(word + 7, "envelope") == 0);
            envelope_vector();
        }
        count++;
    }
    free(bytes);
    printf("%lu vectors\n", (unsigned long)count);
    return 0;
}
