/* Prints what a compiled program relies on: sizes and offsets of every struct, and some numbers. `cargo xtask test C`
 * compares it with abi.txt: a change there without a new SHARDKEEP_ABI breaks programs that exist. */

#include <stddef.h>

#include "check.h"

#define SIZE(type) printf(#type " %lu\n", (unsigned long)sizeof(type))
#define AT(type, member) printf("  " #member " %lu\n", (unsigned long)offsetof(type, member))

static void machines(void) {
    SIZE(shardkeep_text);
    AT(shardkeep_text, ptr);
    AT(shardkeep_text, len);
    SIZE(shardkeep_bytes);
    AT(shardkeep_bytes, ptr);
    AT(shardkeep_bytes, len);
    SIZE(shardkeep_record);
    AT(shardkeep_record, kind);
    AT(shardkeep_record, code);
    AT(shardkeep_record, id);
    AT(shardkeep_record, value);
    AT(shardkeep_record, text);
    AT(shardkeep_record, text_len);
    AT(shardkeep_record, data);
    AT(shardkeep_record, data_len);
    SIZE(shardkeep_config);
    AT(shardkeep_config, size);
    AT(shardkeep_config, settings);
    AT(shardkeep_config, settings_len);
    AT(shardkeep_config, token);
    AT(shardkeep_config, token_len);
    AT(shardkeep_config, snapshot);
    AT(shardkeep_config, snapshot_len);
    AT(shardkeep_config, now_us);
    AT(shardkeep_config, error);
    AT(shardkeep_config, error_size);
    SIZE(shardkeep_envelope);
    AT(shardkeep_envelope, op);
    AT(shardkeep_envelope, sequence);
    AT(shardkeep_envelope, has_sequence);
    AT(shardkeep_envelope, kind);
    AT(shardkeep_envelope, name);
    AT(shardkeep_envelope, data);
    AT(shardkeep_envelope, end);
    AT(shardkeep_envelope, error);
    AT(shardkeep_envelope, error_at);
}

static void bot(void) {
    SIZE(shardkeep_event);
    AT(shardkeep_event, shard_index);
    AT(shardkeep_event, shard_total);
    AT(shardkeep_event, sequence);
    AT(shardkeep_event, topic);
    AT(shardkeep_event, kind);
    AT(shardkeep_event, replayed);
    AT(shardkeep_event, session);
    AT(shardkeep_event, name);
    AT(shardkeep_event, data);
    AT(shardkeep_event, before);
    SIZE(shardkeep_request);
    AT(shardkeep_request, size);
    AT(shardkeep_request, request);
    AT(shardkeep_request, request_len);
    AT(shardkeep_request, body);
    AT(shardkeep_request, body_len);
    AT(shardkeep_request, content_type);
    AT(shardkeep_request, content_type_len);
    AT(shardkeep_request, reason);
    AT(shardkeep_request, reason_len);
    AT(shardkeep_request, guild_id);
    AT(shardkeep_request, deadline_ms);
    AT(shardkeep_request, priority);
    SIZE(shardkeep_reply_view);
    AT(shardkeep_reply_view, id);
    AT(shardkeep_reply_view, http_status);
    AT(shardkeep_reply_view, is_success);
    AT(shardkeep_reply_view, body);
    AT(shardkeep_reply_view, error);
}

int main(void) {
    uint32_t status;
    CHECK(shardkeep_abi() == SHARDKEEP_ABI);
    CHECK(strlen(shardkeep_version()) >= 5);
    printf("abi %u\n", shardkeep_abi());
    machines();
    bot();
    for (status = 0; status < 1000; status++) {
        const char *name = shardkeep_status_name(status);
        if (strcmp(name, "unknown") != 0) printf("status %u %s\n", status, name);
        CHECK(strlen(shardkeep_status_text(status)) > 0);
    }
    return 0;
}
