/* Everything that a caller can get wrong and the library can notice is a status, and nothing is written. */

#include "check.h"
#include "verbs.h"

static const char token[] = "not.a.token";

static void configure(shardkeep_config *config, const char *settings) {
    OK(shardkeep_config_init(config, sizeof *config));
    config->token = token;
    config->token_len = sizeof token - 1;
    config->settings = settings;
    config->settings_len = settings == NULL ? 0 : strlen(settings);
}

static void configurations(const struct verbs *v) {
    char why[16];
    char longer[sizeof(shardkeep_config) + 8];
    shardkeep_config config;
    void *handle = NULL;
    RETURNS(SHARDKEEP_NULL_POINTER, v->make(NULL, &handle));
    configure(&config, NULL);
    config.size = 3;
    RETURNS(SHARDKEEP_BAD_SIZE, v->make(&config, &handle));
    configure(&config, "{\"shrad\": 1}");
    config.error = why;
    config.error_size = sizeof why;
    RETURNS(SHARDKEEP_BAD_SETTINGS, v->make(&config, &handle));
    CHECK(strlen(why) == sizeof why - 1);
    CHECK(strncmp(why, "unknown field", 13) == 0);
    configure(&config, "\xff");
    RETURNS(SHARDKEEP_BAD_UTF8, v->make(&config, &handle));
    configure(&config, NULL);
    config.settings_len = 7;
    RETURNS(SHARDKEEP_NULL_POINTER, v->make(&config, &handle));
    configure(&config, NULL);
    config.snapshot = "no JSON";
    config.snapshot_len = 7;
    RETURNS(SHARDKEEP_BAD_SNAPSHOT, v->make(&config, &handle));
    /* What a later header adds is refused while it asks for something, and passed over while it does not. */
    configure(&config, NULL);
    config.size = sizeof longer;
    memset(longer, 0, sizeof longer);
    memcpy(longer, &config, sizeof config);
    longer[sizeof longer - 1] = 1;
    RETURNS(SHARDKEEP_BAD_SIZE, v->make((shardkeep_config *)(void *)longer, &handle));
    CHECK(handle == NULL);
    longer[sizeof longer - 1] = 0;
    OK(v->make((shardkeep_config *)(void *)longer, &handle));
    OK(v->drop(handle));
}

static void calls(const struct verbs *v, const struct verbs *other) {
    shardkeep_config config;
    shardkeep_record record, untouched;
    shardkeep_text text;
    uint64_t count = 7;
    void *handle = NULL;
    configure(&config, NULL);
    OK(v->make(&config, &handle));
    OK(v->drop(NULL));
    memset(&record, 0, sizeof record);
    RETURNS(SHARDKEEP_NULL_POINTER, v->handle_input(NULL, 0, &record));
    RETURNS(SHARDKEEP_NULL_POINTER, v->handle_input(handle, 0, NULL));
    RETURNS(SHARDKEEP_NULL_POINTER, v->poll_output(handle, NULL));
    RETURNS(SHARDKEEP_NULL_POINTER, v->poll_timeout(handle, NULL));
    RETURNS(SHARDKEEP_NULL_POINTER, v->snapshot(handle, NULL));
    RETURNS(SHARDKEEP_NULL_POINTER, v->stats(handle, NULL));
    RETURNS(SHARDKEEP_NULL_POINTER, v->error(handle, NULL));
    RETURNS(SHARDKEEP_UNKNOWN_COUNTER, v->count(handle, LITERAL("no_such_thing"), &count));
    CHECK(count == 7);
    OK(v->error(handle, &text));
    CHECK(IS_TEXT(text, shardkeep_status_text(SHARDKEEP_UNKNOWN_COUNTER)));
    record.kind = 99;
    RETURNS(SHARDKEEP_UNKNOWN_KIND, v->handle_input(handle, 0, &record));
    OK(v->error(handle, &text));
    CHECK(IS_TEXT(text, shardkeep_status_text(SHARDKEEP_UNKNOWN_KIND)));
    record.kind = 1;
    record.text = "\xc3";
    record.text_len = 1;
    RETURNS(SHARDKEEP_BAD_UTF8, v->handle_input(handle, 0, &record));
    /* A handle of another type. */
    RETURNS(SHARDKEEP_WRONG_HANDLE, other->handle_timeout(handle, 0));
    RETURNS(SHARDKEEP_WRONG_HANDLE, other->drop(handle));
    RETURNS(SHARDKEEP_WRONG_HANDLE, v->handle_timeout((char *)handle + 1, 0));
    memset(&untouched, 0x5a, sizeof untouched);
    record = untouched;
    while (v->poll_output(handle, &record) == SHARDKEEP_OK) record = untouched;
    CHECK(memcmp(&record, &untouched, sizeof record) == 0);
    OK(v->stats(handle, &text));
    CHECK(text.len > 2 && text.ptr[0] == '{' && text.ptr[text.len - 1] == '}');
    OK(v->drop(handle));
}

static void plain(void) {
    char buffer[512];
    size_t len = 0;
    uint32_t index = 7;
    uint64_t number = 7;
    OK(shardkeep_shard_of_guild(81384788765712384u, 16, &index));
    CHECK(index == (81384788765712384u >> 22) % 16);
    RETURNS(SHARDKEEP_BAD_SHARD, shardkeep_shard_of_guild(1, 0, &index));
    RETURNS(SHARDKEEP_NULL_POINTER, shardkeep_shard_of_guild(1, 1, NULL));
    OK(shardkeep_shard_id(3, 16, &number));
    CHECK(number == ((uint64_t)16 << 32) + 3);
    RETURNS(SHARDKEEP_BAD_SHARD, shardkeep_shard_id(16, 16, &number));
    OK(shardkeep_intents(LITERAL("guilds, GUILD_MESSAGES"), &number));
    CHECK(number == (1 | 1 << 9));
    RETURNS(SHARDKEEP_BAD_INTENT, shardkeep_intents(LITERAL("guild"), &number));
    RETURNS(SHARDKEEP_BAD_ROUTE, shardkeep_route(LITERAL("channels"), buffer, sizeof buffer, &len));
    RETURNS(SHARDKEEP_TOO_SMALL, shardkeep_route(LITERAL("GET /channels/1"), buffer, 3, &len));
    CHECK(len > 3 && len < sizeof buffer);
    OK(shardkeep_route(LITERAL("GET /channels/1"), buffer, sizeof buffer, &len));
    buffer[len] = 0;
    CHECK(strstr(buffer, "\"key\":\"GET /channels/{channel_id} channel:1\"") != NULL);
    RETURNS(SHARDKEEP_BAD_JSON, shardkeep_plan(LITERAL("{}"), buffer, sizeof buffer, &len));
    RETURNS(SHARDKEEP_NULL_POINTER, shardkeep_plan(LITERAL("{}"), buffer, sizeof buffer, NULL));
    CHECK(strcmp(shardkeep_status_name(4242), "unknown") == 0);
}

static void packed(void) {
    static const char json[] = "{\"id\":\"81384788765712384\",\"color\":16711680,\"name\":\"mods\"}";
    shardkeep_packer *packer = NULL;
    shardkeep_bytes bytes;
    shardkeep_text text;
    uint8_t kept[256];
    size_t first, i;
    OK(shardkeep_packer_new(&packer));
    OK(shardkeep_packer_pack(packer, LITERAL(json), &bytes));
    first = bytes.len;
    for (i = 0; i < 3; i++) OK(shardkeep_packer_pack(packer, LITERAL(json), &bytes));
    CHECK(bytes.len < first && bytes.len < sizeof kept);
    memcpy(kept, bytes.ptr, bytes.len);
    first = bytes.len;
    OK(shardkeep_packer_get(packer, kept, first, LITERAL("color"), &text));
    CHECK(IS_TEXT(text, "16711680"));
    RETURNS(SHARDKEEP_EMPTY, shardkeep_packer_get(packer, kept, first, LITERAL("colour"), &text));
    OK(shardkeep_packer_json(packer, kept, first, &text));
    CHECK(IS_TEXT(text, json));
    RETURNS(SHARDKEEP_BAD_JSON, shardkeep_packer_pack(packer, LITERAL("{\"a\""), &bytes));
    OK(shardkeep_packer_error(packer, &text));
    CHECK(text.len > 10);
    OK(shardkeep_packer_free(packer));
}

static void views(void) {
    shardkeep_config config;
    shardkeep_session *session = NULL;
    shardkeep_record first, next;
    shardkeep_text text;
    uint64_t count;
    configure(&config, NULL);
    OK(shardkeep_session_new(&config, &session));
    OK(shardkeep_session_state(session, &text));
    CHECK(text.len > 0);
    OK(shardkeep_session_handle_timeout(session, 0));
    OK(shardkeep_session_poll_output(session, &first));
    CHECK(first.kind == SHARDKEEP_SESSION_OUTPUT_CONNECT);
    /* Calls on a const handle leave the view alone. */
    OK(shardkeep_session_count(session, LITERAL("connections"), &count));
    OK(shardkeep_session_poll_timeout(session, &next));
    CHECK(strncmp(first.text, "wss://gateway.discord.gg", 24) == 0);
    OK(shardkeep_session_free(session));
    config.token = "two words";
    config.token_len = 9;
    RETURNS(SHARDKEEP_BAD_TOKEN, shardkeep_session_new(&config, &session));
}

static void bots(void) {
    shardkeep_bot *bot = NULL, *other = NULL;
    shardkeep_batch *batch = NULL;
    shardkeep_reply *reply = NULL;
    shardkeep_text text;
    shardkeep_request request;
    uint64_t id;
    OK(shardkeep_bot_new(&bot));
    RETURNS(SHARDKEEP_NOT_STARTED, shardkeep_bot_wait(bot, 0, 1, &batch));
    RETURNS(SHARDKEEP_NOT_STARTED, shardkeep_bot_reply(bot, 0, &reply));
    RETURNS(SHARDKEEP_NOT_STARTED, shardkeep_bot_status(bot, &text));
    RETURNS(SHARDKEEP_NOT_STARTED, shardkeep_bot_stop(bot, 1, &text));
    RETURNS(SHARDKEEP_NOT_STARTED, shardkeep_bot_share(bot, &other));
    OK(shardkeep_request_init(&request, sizeof request));
    RETURNS(SHARDKEEP_NOT_STARTED, shardkeep_bot_request(bot, &request, &id));
    RETURNS(SHARDKEEP_BAD_JSON, shardkeep_bot_json(bot, LITERAL("[]")));
    RETURNS(SHARDKEEP_BAD_SNAPSHOT, shardkeep_bot_resume_from(bot, LITERAL("{}")));
    OK(shardkeep_bot_json(bot, LITERAL("{\"token\": \"not.a.token\", \"gatway\": {}}")));
    RETURNS(SHARDKEEP_BAD_SETTINGS, shardkeep_bot_start(bot));
    OK(shardkeep_bot_error(bot, &text));
    CHECK(text.len > 0 && text.len < 400);
    OK(shardkeep_bot_free(bot));
    OK(shardkeep_batch_free(NULL));
    OK(shardkeep_reply_free(NULL));
}

int main(void) {
    size_t i;
    for (i = 0; i < MACHINES; i++) {
        configurations(&all_verbs[i]);
        calls(&all_verbs[i], &all_verbs[(i + 1) % MACHINES]);
    }
    plain();
    packed();
    views();
    bots();
    printf("every mistake was noticed\n");
    return 0;
}
