/* Reads past the end of memory that the library was given: under AddressSanitizer this must not end well. */

#include "check.h"

int main(void) {
    char *text = malloc(8);
    size_t len = 0;
    char out[64];
    CHECK(text != NULL);
    memcpy(text, "GET /abc", 8);
    /* One byte too many: the sanitizer watches memcpy. */
    memcpy(out, text, 9);
    (void)shardkeep_route(text, 9, out, sizeof out, &len);
    printf("%d\n", out[8]);
    free(text);
    return 0;
}
