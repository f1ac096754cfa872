/* A program without any library but ours: memory out of an array, and two system calls of x86-64 Linux to say how it
 * went. It drives a session from connecting to an event. Linked with -nostdlib. */

#include "shardkeep.h"

enum { HEAP = 4 << 20 };

static _Alignas(16) unsigned char heap[HEAP];
static size_t heap_used, heap_live;

void *memcpy(void *to, const void *from, size_t count) {
    unsigned char *t = to;
    const unsigned char *f = from;
    while (count-- > 0) *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t count) {
    unsigned char *t = to;
    const unsigned char *f = from;
    if (t <= f) return memcpy(to, from, count);
    while (count-- > 0) t[count] = f[count];
    return to;
}

void *memset(void *to, int byte, size_t count) {
    unsigned char *t = to;
    while (count-- > 0) *t++ = (unsigned char)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t count) {
    const unsigned char *x = a, *y = b;
    for (; count-- > 0; x++, y++) {
        if (*x != *y) return *x - *y;
    }
    return 0;
}

int bcmp(const void *a, const void *b, size_t count) {
    return memcmp(a, b, count);
}

size_t strlen(const char *text) {
    size_t len = 0;
    while (text[len] != 0) len++;
    return len;
}

static long kernel(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

static void say(const char *text) {
    kernel(1, 1, (long)text, (long)strlen(text));
}

static void leave(int code) {
    kernel(60, code, 0, 0);
    for (;;) {
    }
}

/* From front to back; nothing is used again, but all that is given back is counted. */
void *shardkeep_host_allocate(size_t size, size_t align) {
    size_t at = (heap_used + align - 1) & ~(align - 1);
    if (at + size > HEAP) return NULL;
    heap_used = at + size;
    heap_live += size;
    return heap + at;
}

void shardkeep_host_release(void *memory, size_t size, size_t align) {
    (void)memory;
    (void)align;
    heap_live -= size;
}

void shardkeep_host_panic(void) {
    say("the library panicked\n");
    leave(2);
}

static void need(int condition, const char *what) {
    if (condition) return;
    say("freestanding C failed at: ");
    say(what);
    say("\n");
    leave(1);
}

static void feed(shardkeep_session *session, uint32_t kind, const char *text) {
    shardkeep_record input = {0};
    input.kind = kind;
    input.data = (const uint8_t *)text;
    input.data_len = text == NULL ? 0 : strlen(text);
    need(shardkeep_session_handle_input(session, 0, &input) == SHARDKEEP_OK, "an input");
}

/* Whether an output of this kind comes; takes them all. */
static int gives(shardkeep_session *session, uint32_t kind) {
    shardkeep_record output;
    int found = 0;
    while (shardkeep_session_poll_output(session, &output) == SHARDKEEP_OK) found |= output.kind == kind;
    return found;
}

static void drive(shardkeep_session *session) {
    need(shardkeep_session_handle_timeout(session, 0) == SHARDKEEP_OK, "the clock");
    need(gives(session, SHARDKEEP_SESSION_OUTPUT_CONNECT), "connecting");
    feed(session, SHARDKEEP_SESSION_INPUT_CONNECTED, NULL);
    feed(session, SHARDKEEP_SESSION_INPUT_TEXT,
         "{\"t\":null,\"s\":null,\"op\":10,\"d\":{\"heartbeat_interval\":41250}}");
    need(gives(session, SHARDKEEP_SESSION_OUTPUT_WANT_IDENTIFY), "HELLO");
    feed(session, SHARDKEEP_SESSION_INPUT_IDENTIFY_GRANTED, NULL);
    need(gives(session, SHARDKEEP_SESSION_OUTPUT_SEND), "identifying");
    feed(session, SHARDKEEP_SESSION_INPUT_TEXT,
         "{\"t\":\"READY\",\"s\":1,\"op\":0,\"d\":{\"session_id\":\"proof\",\"guilds\":[],\"resume_gateway_url\":"
         "\"wss://gateway.discord.gg\"}}");
    need(gives(session, SHARDKEEP_SESSION_OUTPUT_READY), "READY");
    feed(session, SHARDKEEP_SESSION_INPUT_TEXT, "{\"t\":\"TYPING_START\",\"s\":2,\"op\":0,\"d\":{}}");
    need(gives(session, SHARDKEEP_SESSION_OUTPUT_DISPATCH), "an event");
}

__attribute__((used)) static void run(void) {
    static const char token[] = "not.a.token";
    shardkeep_config config;
    shardkeep_session *session = NULL;
    need(shardkeep_config_init(&config, sizeof config) == SHARDKEEP_OK, "a configuration");
    config.token = token;
    config.token_len = sizeof token - 1;
    need(shardkeep_session_new(&config, &session) == SHARDKEEP_OK, "a session");
    drive(session);
    need(heap_live > 0, "using the hooks");
    need(shardkeep_session_free(session) == SHARDKEEP_OK, "freeing it");
    need(heap_live == 0, "giving all memory back");
    say("the machines ran without std and libc: session ready, event dispatched, all memory given back\n");
    leave(0);
}

/* What the kernel starts: the stack as the calling convention wants it. */
__asm__(".globl _start\n_start:\nxor %ebp, %ebp\nand $-16, %rsp\ncall run\nud2\n");
