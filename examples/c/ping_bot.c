/* A bot that answers !ping, until Ctrl-C. DISCORD_TOKEN is all that it needs:
 *     cc ping_bot.c $(pkg-config --cflags --libs shardkeep) -o ping_bot && ./ping_bot */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <shardkeep.h>

#define LITERAL(text) (text), (sizeof(text) - 1)

static volatile sig_atomic_t is_stopping;

static void stop(int signal) {
    (void)signal;
    is_stopping = 1;
}

static int fails(shardkeep_bot *bot, const char *what) {
    shardkeep_text why = {"", 0};
    shardkeep_bot_error(bot, &why);
    fprintf(stderr, "%s: %.*s\n", what, (int)why.len, why.ptr);
    return 1;
}

static void on_message(shardkeep_bot *bot, const shardkeep_event *event) {
    shardkeep_bytes json = event->data, content, channel;
    shardkeep_request request;
    char path[96];
    uint64_t id;
    if (shardkeep_json_member(json.ptr, json.len, LITERAL("content"), &content) != SHARDKEEP_OK) return;
    if (shardkeep_json_member(json.ptr, json.len, LITERAL("channel_id"), &channel) != SHARDKEEP_OK) return;
    if (content.len < 6 || memcmp(content.ptr, "\"!ping", 6) != 0) return;
    /* The id is a JSON string: without its quotes. */
    snprintf(path, sizeof path, "POST /channels/%.*s/messages", (int)channel.len - 2, (const char *)channel.ptr + 1);
    shardkeep_request_init(&request, sizeof request);
    request.request = path;
    request.request_len = strlen(path);
    request.body = (const uint8_t *)"{\"content\":\"Pong!\"}";
    request.body_len = 19;
    if (shardkeep_bot_request(bot, &request, &id) != SHARDKEEP_OK) fails(bot, path);
}

static void take_replies(shardkeep_bot *bot) {
    shardkeep_reply *reply;
    shardkeep_reply_view view;
    while (shardkeep_bot_reply(bot, 0, &reply) == SHARDKEEP_OK) {
        shardkeep_reply_read(reply, &view);
        printf("request %lu: HTTP %u %.*s\n", (unsigned long)view.id, view.http_status, (int)view.error.len,
               view.error.ptr);
        shardkeep_reply_free(reply);
    }
}

int main(void) {
    shardkeep_bot *bot;
    shardkeep_batch *batch;
    shardkeep_event event;
    shardkeep_status status;
    signal(SIGINT, stop);
    if (shardkeep_bot_new(&bot) != SHARDKEEP_OK) return 1;
    shardkeep_bot_environment(bot);
    shardkeep_bot_set(bot, LITERAL("intents"), LITERAL("guilds,guild_messages,message_content"));
    if (shardkeep_bot_start(bot) != SHARDKEEP_OK) return fails(bot, "it does not start");
    do {
        status = shardkeep_bot_wait(bot, 200, 256, &batch);
        for (size_t i = 0; status == SHARDKEEP_OK && shardkeep_batch_event(batch, i, &event) == SHARDKEEP_OK; i++) {
            if (event.kind == SHARDKEEP_EVENT_MESSAGE_CREATE) on_message(bot, &event);
            if (event.topic == SHARDKEEP_TOPIC_READY) printf("ready: %.*s\n", (int)event.data.len, event.data.ptr);
        }
        if (status == SHARDKEEP_OK) shardkeep_batch_free(batch);
        take_replies(bot);
    } while (!is_stopping && status <= SHARDKEEP_EMPTY);
    if (status == SHARDKEEP_FAILED) fails(bot, "it stopped");
    shardkeep_bot_stop(bot, 1, NULL);
    shardkeep_bot_free(bot);
    return status >= 100;
}
