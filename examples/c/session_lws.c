/* A session over libwebsockets: the machine decides, libwebsockets' loop moves bytes. Until ten events have come.
 *
 *     cc session_lws.c $(pkg-config --cflags --libs shardkeep libwebsockets) -o session_lws
 *     DISCORD_TOKEN=... GATEWAY_URL=ws://127.0.0.1:PORT ./session_lws
 */

#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shardkeep.h>

enum { WANTED = 10, SENDS = 16, MESSAGE = 1 << 20 };

static struct lws_context *loop;
static struct lws *socket_of; /* The present connection; events of an older one are passed over. */
static lws_sorted_usec_list_t timer;
static shardkeep_session *session;
static struct {
    unsigned char *bytes; /* LWS_PRE free bytes, then the message. */
    size_t len;
} sends[SENDS];
static size_t sends_len, received_len;
static uint8_t received[MESSAGE];
static int seen, is_broken;

static uint64_t now(void) {
    return (uint64_t)lws_now_usecs();
}

static void act(void);

/* Tells the session what happened, and does what it answers. */
static void happened(uint32_t kind, uint32_t code, const uint8_t *data, size_t len) {
    shardkeep_record input;
    memset(&input, 0, sizeof input);
    input.kind = kind;
    input.code = code;
    input.data = data;
    input.data_len = len;
    if (shardkeep_session_handle_input(session, now(), &input) >= 100) is_broken = 1;
    act();
}

static void on_timer(lws_sorted_usec_list_t *entry) {
    (void)entry;
    shardkeep_session_handle_timeout(session, now());
    act();
}

static void forget_sends(void) {
    while (sends_len > 0) free(sends[--sends_len].bytes);
}

/* ws://host:port/path, as the session gave it. */
static void connect_to(const char *url, size_t len) {
    struct lws_client_connect_info info;
    const char *scheme, *host, *path;
    char copy[512], target[512];
    int port;
    if (len >= sizeof copy) len = sizeof copy - 1;
    memcpy(copy, url, len);
    copy[len] = 0;
    memset(&info, 0, sizeof info);
    if (lws_parse_uri(copy, &scheme, &host, &port, &path) != 0) is_broken = 1;
    snprintf(target, sizeof target, "/%s", path);
    info.context = loop;
    info.address = info.host = info.origin = host;
    info.port = port;
    info.path = target;
    info.ssl_connection = strcmp(scheme, "wss") == 0 ? LCCSCF_USE_SSL : 0;
    info.local_protocol_name = "gateway";
    info.pwsi = &socket_of;
    forget_sends();
    received_len = 0;
    /* It may fail at once; then a callback has said so already. */
    lws_client_connect_via_info(&info);
}

static void send_later(const uint8_t *data, size_t len) {
    unsigned char *bytes = sends_len < SENDS ? malloc(LWS_PRE + len) : NULL;
    if (bytes == NULL || socket_of == NULL) {
        free(bytes);
        is_broken = 1;
        return;
    }
    memcpy(bytes + LWS_PRE, data, len);
    sends[sends_len].bytes = bytes;
    sends[sends_len++].len = len;
    lws_callback_on_writable(socket_of);
}

/* Does what the session wants, one thing at a time: telling it of one may change what comes next. */
static void act(void) {
    static int is_acting;
    shardkeep_record out, next;
    if (is_acting) return;
    is_acting = 1;
    while (shardkeep_session_poll_output(session, &out) == SHARDKEEP_OK) {
        switch (out.kind) {
        case SHARDKEEP_SESSION_OUTPUT_CONNECT:
            connect_to(out.text, out.text_len);
            break;
        case SHARDKEEP_SESSION_OUTPUT_SEND:
            send_later(out.data, out.data_len);
            break;
        case SHARDKEEP_SESSION_OUTPUT_CLOSE:
            if (socket_of != NULL) lws_set_timeout(socket_of, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
            break;
        case SHARDKEEP_SESSION_OUTPUT_WANT_IDENTIFY:
            /* Of several shards, one may identify at a time: shardkeep_fleet_* would grant this. */
            happened(SHARDKEEP_SESSION_INPUT_IDENTIFY_GRANTED, 0, NULL, 0);
            break;
        case SHARDKEEP_SESSION_OUTPUT_DISPATCH:
            printf("#%lu %.*s %lu bytes\n", (unsigned long)out.value, (int)out.text_len, out.text,
                   (unsigned long)out.data_len);
            seen++;
            break;
        default:
            break;
        }
    }
    is_acting = 0;
    if (shardkeep_session_poll_timeout(session, &next) == SHARDKEEP_OK) {
        uint64_t wait = next.value > now() ? next.value - now() : 1;
        lws_sul_schedule(loop, 0, &timer, on_timer, (lws_usec_t)wait);
    }
}

static void receive(struct lws *wsi, const void *part, size_t len) {
    if (received_len + len > MESSAGE) {
        is_broken = 1;
        return;
    }
    memcpy(received + received_len, part, len);
    received_len += len;
    if (lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0) {
        size_t whole = received_len;
        received_len = 0;
        happened(lws_frame_is_binary(wsi) ? SHARDKEEP_SESSION_INPUT_BINARY : SHARDKEEP_SESSION_INPUT_TEXT, 0, received,
                 whole);
    }
}

static int write_one(struct lws *wsi) {
    int written;
    if (sends_len == 0) return 0;
    written = lws_write(wsi, sends[0].bytes + LWS_PRE, sends[0].len, LWS_WRITE_TEXT);
    free(sends[0].bytes);
    memmove(&sends[0], &sends[1], --sends_len * sizeof sends[0]);
    if (sends_len > 0) lws_callback_on_writable(wsi);
    return written < 0 ? -1 : 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
    static uint32_t close_code;
    (void)user;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        close_code = 0;
        happened(SHARDKEEP_SESSION_INPUT_CONNECTED, 0, NULL, 0);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        receive(wsi, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return write_one(wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        if (len >= 2) close_code = (uint32_t)((const uint8_t *)in)[0] << 8 | ((const uint8_t *)in)[1];
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLIENT_CLOSED:
        if (wsi == socket_of || socket_of == NULL) {
            socket_of = NULL;
            happened(SHARDKEEP_SESSION_INPUT_DISCONNECTED, close_code, NULL, 0);
        }
        return 0;
    default:
        return 0;
    }
}

static shardkeep_status make_session(void) {
    char settings[512], why[256] = "";
    shardkeep_config config;
    shardkeep_status status;
    const char *token = getenv("DISCORD_TOKEN"), *url = getenv("GATEWAY_URL");
    if (url == NULL) url = "wss://gateway.discord.gg";
    snprintf(settings, sizeof settings, "{\"gateway_url\": \"%s\", \"custom_base\": %s, \"intents\": 513}", url,
             strstr(url, "discord.gg") == NULL ? "true" : "false");
    shardkeep_config_init(&config, sizeof config);
    config.settings = settings;
    config.settings_len = strlen(settings);
    config.token = token;
    config.token_len = token == NULL ? 0 : strlen(token);
    config.now_us = now();
    config.error = why;
    config.error_size = sizeof why;
    status = shardkeep_session_new(&config, &session);
    if (status != SHARDKEEP_OK) fprintf(stderr, "%s\n", why);
    return status;
}

int main(void) {
    static const struct lws_protocols protocols[] = {{"gateway", on_event, 0, 65536, 0, NULL, 0}, {0}};
    struct lws_context_creation_info info;
    shardkeep_text state;
    memset(&info, 0, sizeof info);
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = protocols;
    info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    lws_set_log_level(LLL_ERR, NULL);
    loop = lws_create_context(&info);
    if (loop == NULL || make_session() != SHARDKEEP_OK) return 1;
    on_timer(NULL);
    while (seen < WANTED && !is_broken && lws_service(loop, 0) >= 0) {
    }
    if (shardkeep_session_state(session, &state) == SHARDKEEP_OK) printf("state: %.*s\n", (int)state.len, state.ptr);
    shardkeep_session_free(session);
    session = NULL;
    lws_context_destroy(loop);
    forget_sends();
    return seen < WANTED;
}
