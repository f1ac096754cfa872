/* The scheduler alone, guarding libcurl: twenty requests to one route at once, sent when Discord's limits let them.
 *
 *     cc guarded_curl.c $(pkg-config --cflags --libs shardkeep libcurl) -o guarded_curl
 *     DISCORD_TOKEN=... ./guarded_curl
 */

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <shardkeep.h>

enum { REQUESTS = 20, ANSWER = 1 << 16 };

static char answer[ANSWER]; /* The headers, one a line, an empty line, and the body: what the scheduler reads. */
static size_t answer_len;
static const char path[] = "GET /users/@me";
static char url[512], authorization[256];

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/* Headers come before the body, and curl ends them with an empty line. */
static size_t keep(char *part, size_t size, size_t count, void *user) {
    size_t len = size * count;
    (void)user;
    if (len > ANSWER - answer_len) return 0;
    memcpy(answer + answer_len, part, len);
    answer_len += len;
    return len;
}

/* Sends the request that the scheduler named, and tells it what came back. The HTTP status; 0 without an answer. */
static long perform(shardkeep_scheduler *scheduler, CURL *curl, uint64_t id) {
    shardkeep_record input;
    long status = 0;
    CURLcode code;
    answer_len = 0;
    code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    memset(&input, 0, sizeof input);
    input.id = id;
    if (code == CURLE_OK) {
        input.kind = SHARDKEEP_SCHEDULER_INPUT_RESPONSE;
        input.code = (uint32_t)status;
        input.data = (const uint8_t *)answer;
        input.data_len = answer_len;
    } else {
        input.kind = SHARDKEEP_SCHEDULER_INPUT_FAILED;
        input.code = code == CURLE_COULDNT_CONNECT ? 1 : 2;
    }
    shardkeep_scheduler_handle_input(scheduler, now(), &input);
    return status;
}

static CURL *prepare(struct curl_slist **headers) {
    const char *base = getenv("DISCORD_API_BASE"), *token = getenv("DISCORD_TOKEN");
    CURL *curl = curl_easy_init();
    if (curl == NULL || token == NULL) return NULL;
    snprintf(url, sizeof url, "%s%s", base == NULL ? "https://discord.com/api/v10" : base, path + 4);
    snprintf(authorization, sizeof authorization, "Authorization: Bot %s", token);
    *headers = curl_slist_append(NULL, authorization);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "DiscordBot (https://example.org, 1)");
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    return curl;
}

static void submit(shardkeep_scheduler *scheduler) {
    shardkeep_record input;
    uint64_t id;
    for (id = 1; id <= REQUESTS; id++) {
        memset(&input, 0, sizeof input);
        input.kind = SHARDKEEP_SCHEDULER_INPUT_SUBMIT;
        input.code = 1; /* One identity: the bot's. */
        input.id = id;
        input.text = path;
        input.text_len = sizeof path - 1;
        shardkeep_scheduler_handle_input(scheduler, now(), &input);
    }
}

/* Until every request has an outcome. How many 429s Discord sent. */
static int drive(shardkeep_scheduler *scheduler, CURL *curl) {
    int left = REQUESTS, limited = 0;
    shardkeep_record out;
    while (left > 0) {
        shardkeep_scheduler_handle_timeout(scheduler, now());
        while (shardkeep_scheduler_poll_output(scheduler, &out) == SHARDKEEP_OK) {
            if (out.kind == SHARDKEEP_SCHEDULER_OUTPUT_SEND) {
                limited += perform(scheduler, curl, out.id) == 429;
            } else if (out.kind == SHARDKEEP_SCHEDULER_OUTPUT_DELIVER) {
                printf("request %lu is answered, %d left\n", (unsigned long)out.id, --left);
            } else if (out.kind == SHARDKEEP_SCHEDULER_OUTPUT_REFUSE) {
                printf("request %lu is refused: %.*s\n", (unsigned long)out.id, (int)out.text_len, out.text);
                left--;
            }
        }
        if (left > 0 && shardkeep_scheduler_poll_timeout(scheduler, &out) == SHARDKEEP_OK && out.value > now()) {
            uint64_t wait = out.value - now();
            struct timespec pause;
            pause.tv_sec = (time_t)(wait / 1000000u);
            pause.tv_nsec = (long)(wait % 1000000u) * 1000;
            nanosleep(&pause, NULL);
        }
    }
    return limited;
}

int main(void) {
    shardkeep_config config;
    shardkeep_scheduler *scheduler;
    struct curl_slist *headers = NULL;
    CURL *curl = prepare(&headers);
    int limited;
    if (curl == NULL) {
        fprintf(stderr, "set DISCORD_TOKEN\n");
        return 1;
    }
    shardkeep_config_init(&config, sizeof config);
    config.now_us = now();
    if (shardkeep_scheduler_new(&config, &scheduler) != SHARDKEEP_OK) return 1;
    submit(scheduler);
    limited = drive(scheduler, curl);
    printf("%d requests, %d of them limited by Discord\n", REQUESTS, limited);
    shardkeep_scheduler_free(scheduler);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    return limited != 0;
}
