/*
 * Shardkeep for C. Written by `cargo xtask gen` from ffi/ and core's tables; edit those.
 *
 * The rules, for every function:
 *
 * - A handle is made by `_new` and freed once by `_free`. It may move between threads; a call while another
 *   thread is inside one with the same handle returns SHARDKEEP_BUSY and does nothing.
 * - A call returns a status. Outputs come last and are written only on SHARDKEEP_OK. NULL where something must be
 *   is SHARDKEEP_NULL_POINTER. `_error` tells more about the last call with a handle that failed.
 * - Text is UTF-8, a pointer and a length, without a zero at its end. NULL with length 0 is empty. What is passed
 *   in is read during the call only. What is handed out is a view: each function says how long it lives, and no
 *   view is freed. Calls that take a handle as `const` leave views alone.
 * - Nothing calls back. No function blocks but where it says so.
 * - A fault of the library's own returns SHARDKEEP_PANICKED; its handle then answers SHARDKEEP_POISONED until freed.
 */

#ifndef SHARDKEEP_H
#define SHARDKEEP_H

#include <stddef.h>
#include <stdint.h>

/* What calls return. */

/** success */
#define SHARDKEEP_OK 0u
/** there is nothing to return */
#define SHARDKEEP_EMPTY 1u
/** there is nothing to return, and nothing will come any more */
#define SHARDKEEP_ENDED 2u
/** no input has this kind: see the table of the machine's inputs */
#define SHARDKEEP_UNKNOWN_KIND 100u
/** a connection was reported open though none was asked for */
#define SHARDKEEP_NOT_CONNECTING 101u
/** a message or disconnect was reported though there is no socket */
#define SHARDKEEP_NOT_CONNECTED 102u
/** the shard is not part of the fleet's topology */
#define SHARDKEEP_UNKNOWN_SHARD 103u
/** the shard was not started, or has ended for good */
#define SHARDKEEP_NOT_RUNNING 104u
/** the shard was started already and has not ended */
#define SHARDKEEP_ALREADY_STARTED 105u
/** a request with this number is not finished yet: choose another number */
#define SHARDKEEP_DUPLICATE_REQUEST 106u
/** there is no request with this number, or it is finished */
#define SHARDKEEP_UNKNOWN_REQUEST 107u
/** an answer or failure was reported for a request that is not in flight */
#define SHARDKEEP_NOT_IN_FLIGHT 108u
/** the fleet stops, or Discord refused a shard: nothing is started any more */
#define SHARDKEEP_STARTS_NOTHING 109u
/** the shard would be one too many, or its total is too large */
#define SHARDKEEP_TOO_MANY_SHARDS 110u
/** a pointer is NULL that must not be */
#define SHARDKEEP_NULL_POINTER 111u
/** another thread is inside a call with this handle */
#define SHARDKEEP_BUSY 112u
/** the pointer is no handle of this type */
#define SHARDKEEP_WRONG_HANDLE 113u
/** the buffer is too small: the length says how large it must be */
#define SHARDKEEP_TOO_SMALL 114u
/** the machine counts nothing of this name */
#define SHARDKEEP_UNKNOWN_COUNTER 115u
/** the bot was started already: it cannot be set up any more */
#define SHARDKEEP_ALREADY_RUNNING 116u
/** the bot was not started yet, or was stopped */
#define SHARDKEEP_NOT_STARTED 117u
/** there is nothing with this number: it is past the end, or was given back */
#define SHARDKEEP_UNKNOWN_INDEX 118u
/** the bot keeps no cache: set `cache.budget_bytes` */
#define SHARDKEEP_NO_CACHE 119u
/** the struct's size is not one that this library knows: fill it with its init function */
#define SHARDKEEP_BAD_SIZE 120u
/** the code is out of its range */
#define SHARDKEEP_BAD_CODE 200u
/** the command is not one that Discord would take */
#define SHARDKEEP_BAD_COMMAND 201u
/** the text is not the answer of `GET /gateway/bot`: report that it failed */
#define SHARDKEEP_BAD_LIMITS 202u
/** the text is not a method, a space and a path that begins with a slash */
#define SHARDKEEP_BAD_ROUTE 203u
/** the data holds an option that there is not, or a value that it cannot have */
#define SHARDKEEP_BAD_OPTION 204u
/** the request's number is 2^53 or more */
#define SHARDKEEP_BAD_REQUEST_ID 205u
/** the text is not a kind and its ids, such as `user:7` or `member:1:7` */
#define SHARDKEEP_BAD_KEY 206u
/** a version is not an epoch, a dot and a sequence, such as `1700000000000.65536` */
#define SHARDKEEP_BAD_VERSION 207u
/** the text is not an event's name, a space and the time of day in milliseconds */
#define SHARDKEEP_BAD_EVENT 208u
/** a line of the data is not `done`, `failed`, or `superseded` and a version */
#define SHARDKEEP_BAD_OUTCOME 209u
/** a text is not UTF-8 */
#define SHARDKEEP_BAD_UTF8 210u
/** the settings cannot be used: the error's text names what is wrong */
#define SHARDKEEP_BAD_SETTINGS 211u
/** the token cannot be one */
#define SHARDKEEP_BAD_TOKEN 212u
/** the snapshot is none of this machine's */
#define SHARDKEEP_BAD_SNAPSHOT 213u
/** the text is not the JSON that is wanted here */
#define SHARDKEEP_BAD_JSON 214u
/** not a shard, such as index 3 of 16 */
#define SHARDKEEP_BAD_SHARD 215u
/** not the name of an intent */
#define SHARDKEEP_BAD_INTENT 216u
/** the bytes are no gateway message, or not all of one */
#define SHARDKEEP_BAD_ENVELOPE 217u
/** the request cannot be sent as it is: the error's text says why */
#define SHARDKEEP_BAD_REQUEST 218u
/** the bytes are no packed record */
#define SHARDKEEP_BAD_RECORD 219u
/** it could not be done: the error's text says why */
#define SHARDKEEP_FAILED 300u
/** a fault of Shardkeep's: the handle can only be freed; please report it */
#define SHARDKEEP_PANICKED 900u
/** an earlier call with this handle met a fault of Shardkeep's: free it */
#define SHARDKEEP_POISONED 901u

/* The inputs of the session. */

/** The WebSocket that `connect` asked for is open. */
#define SHARDKEEP_SESSION_INPUT_CONNECTED 1u
/** A WebSocket text message arrived. data: the message. */
#define SHARDKEEP_SESSION_INPUT_TEXT 2u
/** A WebSocket binary message arrived. data: the message. */
#define SHARDKEEP_SESSION_INPUT_BINARY 3u
/** The WebSocket is gone, or never opened. code: the close frame's code, 0 without one. */
#define SHARDKEEP_SESSION_INPUT_DISCONNECTED 4u
/** The identify slot that `want_identify` asked for is there. */
#define SHARDKEEP_SESSION_INPUT_IDENTIFY_GRANTED 5u
/** A command of the user's. code: its opcode; id: the caller's number for it; data: the JSON of its `d`. */
#define SHARDKEEP_SESSION_INPUT_SEND 6u
/** Reconnect and resume. */
#define SHARDKEEP_SESSION_INPUT_RECONNECT 7u
/** Stop for good. value: 1 if Discord is to keep the session. */
#define SHARDKEEP_SESSION_INPUT_SHUTDOWN 8u
/** Send a heartbeat now, to know whether the session lives. */
#define SHARDKEEP_SESSION_INPUT_HEARTBEAT 9u

/* The outputs of the session. */

/** Open a WebSocket; it replaces any there was. text: the URL. */
#define SHARDKEEP_SESSION_OUTPUT_CONNECT 1u
/** Send one text message. data: the JSON; may hold the token. */
#define SHARDKEEP_SESSION_OUTPUT_SEND 2u
/** Send a close frame and drop the socket. code: the close code; value: the cause's number; text: the cause. */
#define SHARDKEEP_SESSION_OUTPUT_CLOSE 3u
/** Ask for an identify slot. */
#define SHARDKEEP_SESSION_OUTPUT_WANT_IDENTIFY 4u
/** The slot is not wanted any more. */
#define SHARDKEEP_SESSION_OUTPUT_CANCEL_IDENTIFY 5u
/** A slot came that nobody waited for. */
#define SHARDKEEP_SESSION_OUTPUT_IDENTIFY_UNUSED 6u
/** An event from Discord. code: the event kind's number; id: 1 if replayed by a resume; value: its sequence;
    text: its name; data: the JSON of its `d`. */
#define SHARDKEEP_SESSION_OUTPUT_DISPATCH 7u
/** A new session is established. value: how many guilds; text: the session id. */
#define SHARDKEEP_SESSION_OUTPUT_READY 20u
/** The session goes on. id: the last sequence; value: how many dispatches were replayed; text: the session
    id. */
#define SHARDKEEP_SESSION_OUTPUT_RESUMED 21u
/** The connection ended; the next one resumes. code: Discord's close code, 0 without one; id: the cause's
    number; value: microseconds until the next attempt; text: the cause. */
#define SHARDKEEP_SESSION_OUTPUT_DISCONNECTED_RESUMABLE 22u
/** The connection ended; the next one identifies. code: Discord's close code, 0 without one; id: the cause's
    number; value: microseconds until the next attempt; text: the cause. */
#define SHARDKEEP_SESSION_OUTPUT_DISCONNECTED 23u
/** The session cannot be resumed. code: the cause's number; value: the last sequence; text: the cause. */
#define SHARDKEEP_SESSION_OUTPUT_SESSION_LOST 24u
/** Discord acknowledged a heartbeat. value: microseconds it took. */
#define SHARDKEEP_SESSION_OUTPUT_HEARTBEAT_ACKED 25u
/** Discord dropped a command. code: its opcode; id: the guild's id, 0 if unknown; value: microseconds to
    wait. */
#define SHARDKEEP_SESSION_OUTPUT_RATE_LIMITED 26u
/** Discord dropped a command; the session sends it again. code: its opcode; id: the guild's id, 0 if
    unknown; value: microseconds until then. */
#define SHARDKEEP_SESSION_OUTPUT_RATE_LIMITED_RESENT 27u
/** A command went out. id: the caller's number. */
#define SHARDKEEP_SESSION_OUTPUT_COMMAND_SENT 28u
/** A command will not be sent. code: the reason's number; id: the caller's number; text: the reason. */
#define SHARDKEEP_SESSION_OUTPUT_COMMAND_REFUSED 29u
/** Discord closed the connection over a command, probably this one. code: the close code; id: the caller's
    number; value: the command's opcode; text: what the close code means. */
#define SHARDKEEP_SESSION_OUTPUT_COMMAND_BLAMED 30u
/** The same complaint closed the connection several times in a row. code: the close code; value: how many
    times; text: what the close code means. */
#define SHARDKEEP_SESSION_OUTPUT_ESCALATED 31u
/** A message was passed by. value: its opcode. */
#define SHARDKEEP_SESSION_OUTPUT_IGNORED 32u
/** Discord named a resume URL that the token must not go to. */
#define SHARDKEEP_SESSION_OUTPUT_URL_REFUSED 33u
/** The session ended: connecting again cannot help. code: the close code; text: what to do. */
#define SHARDKEEP_SESSION_OUTPUT_CLOSED_FATAL 34u
/** The session ended as asked. value: 1 if Discord keeps it. */
#define SHARDKEEP_SESSION_OUTPUT_CLOSED 35u

/* The timeouts of the session. */

/** The next attempt to connect is due. value: when. */
#define SHARDKEEP_SESSION_TIMEOUT_RECONNECT 1u
/** The socket should open before. value: when. */
#define SHARDKEEP_SESSION_TIMEOUT_CONNECT 2u
/** Hello should come before. value: when. */
#define SHARDKEEP_SESSION_TIMEOUT_HELLO 3u
/** READY, or the next replayed event, should come before. value: when. */
#define SHARDKEEP_SESSION_TIMEOUT_READY 4u
/** The next heartbeat is due. value: when. */
#define SHARDKEEP_SESSION_TIMEOUT_HEARTBEAT 5u
/** A heartbeat that Discord asked for waits for room in the outbound budget. value: when. */
#define SHARDKEEP_SESSION_TIMEOUT_REQUESTED_HEARTBEAT 6u
/** A queued command waits for a limit. value: when. */
#define SHARDKEEP_SESSION_TIMEOUT_COMMAND 7u
/** The socket should be gone before. value: when. */
#define SHARDKEEP_SESSION_TIMEOUT_CLOSE 8u

/* The inputs of the scheduler. */

/** A request wants to be sent. code: the identity's number, 0 for none; id: the request; value: the
    deadline, 0 for none; text: method and path, such as `GET /channels/1`; data: options, one a line:
    `priority: interaction`, `user_facing`, `normal` or `background`; `guild:` its id; `class:` 0 to 255;
    `sharing: alone`, `same` or `last_wins`; `repeatable: true` or `false`. */
#define SHARDKEEP_SCHEDULER_INPUT_SUBMIT 1u
/** A sent request was answered. code: the HTTP status; id: the request; data: the headers, one a line, then
    an empty line and the body; only headers of limits and bodies of errors are read. */
#define SHARDKEEP_SCHEDULER_INPUT_RESPONSE 2u
/** A sent request got no answer. code: how far it got: 1 not sent, 2 unanswered; id: the request. */
#define SHARDKEEP_SCHEDULER_INPUT_FAILED 3u
/** The caller lost interest. id: the request. */
#define SHARDKEEP_SCHEDULER_INPUT_CANCEL 4u
/** There is a new token for an identity whose token Discord refused. code: the identity's number. */
#define SHARDKEEP_SCHEDULER_INPUT_TOKEN_REPLACED 5u
/** Discord allows an identity so many requests over all routes. code: the identity's number; value: requests
    a second. */
#define SHARDKEEP_SCHEDULER_INPUT_GLOBAL_LIMIT 6u
/** The limits of an identity are shared with the other members of the pool. code: the identity's number;
    data: what all members call it: 8 bytes, the least significant first. */
#define SHARDKEEP_SCHEDULER_INPUT_POOLED 7u
/** The ledger of the pool answered. data: its answer; empty if it could not be reached. */
#define SHARDKEEP_SCHEDULER_INPUT_EXCHANGED 8u
/** The process stops: it gives back what it holds of shared limits. */
#define SHARDKEEP_SCHEDULER_INPUT_LEAVE_POOL 9u

/* The outputs of the scheduler. */

/** Send the request now. code: how many times it was sent before; id: the request. */
#define SHARDKEEP_SCHEDULER_OUTPUT_SEND 1u
/** The answer, or failure, that was just reported is the outcome: hand it to the caller. id: the request. */
#define SHARDKEEP_SCHEDULER_OUTPUT_DELIVER 2u
/** The outcome delivered just before is this request's as well. id: the request; value: the request that was
    sent for both. */
#define SHARDKEEP_SCHEDULER_OUTPUT_SHARE 3u
/** The request will be sent again. code: the reason's number; id: the request; value: not before; text: the
    reason. */
#define SHARDKEEP_SCHEDULER_OUTPUT_RETRY 4u
/** The request will not be sent. code: the reason's number; id: the request; value: when it could have been,
    or when to ask again, 0 if unknown; text: the reason. */
#define SHARDKEEP_SCHEDULER_OUTPUT_REFUSE 5u
/** Have the ledger of the pool answer the exchange that waits, and report its answer. */
#define SHARDKEEP_SCHEDULER_OUTPUT_EXCHANGE 6u
/** Discord answered 429: the bucket's limit, or the global one. code: the scope: 1 user, 2 global, 3 shared;
    id: the request; value: microseconds to wait; text: the route. */
#define SHARDKEEP_SCHEDULER_OUTPUT_RATE_LIMITED 20u
/** Discord answered 429 for a limit that no header announces: only the route waits. code: the scope: 1 user,
    3 shared; id: the request; value: microseconds to wait; text: the route. */
#define SHARDKEEP_SCHEDULER_OUTPUT_RATE_LIMITED_HIDDEN 21u
/** A hidden limit of a route was told from a 429. code: how many requests; value: in how many microseconds;
    text: the route. */
#define SHARDKEEP_SCHEDULER_OUTPUT_SUBLIMIT_LEARNED 22u
/** The global limit is reached by Discord's count: the identity waits. code: the identity's number; value:
    until when. */
#define SHARDKEEP_SCHEDULER_OUTPUT_GLOBAL_LIMITED 23u
/** The global limit in use changed. code: the identity's number; value: requests a second. */
#define SHARDKEEP_SCHEDULER_OUTPUT_GLOBAL_LEARNED 24u
/** Invalid requests passed a threshold. code: how many in ten minutes; id: how many Discord tolerates. */
#define SHARDKEEP_SCHEDULER_OUTPUT_INVALID_BUDGET 25u
/** Invalid requests passed a threshold, and the budget is spent soon if they go on. code: how many in ten
    minutes; id: how many Discord tolerates; value: microseconds until it is spent. */
#define SHARDKEEP_SCHEDULER_OUTPUT_INVALID_BUDGET_RUNNING_OUT 26u
/** A route on one resource causes invalid requests: its requests are refused for a while. code: the
    identity's number; id: the resource's id, 0 without one; value: until when; text: who; data: how many
    invalid answers, in digits. */
#define SHARDKEEP_SCHEDULER_OUTPUT_QUARANTINED_ROUTE 27u
/** A guild causes most invalid requests: its requests are refused for a while. code: the identity's number;
    id: the guild's id; value: until when; text: who; data: how many invalid answers, in digits. */
#define SHARDKEEP_SCHEDULER_OUTPUT_QUARANTINED_GUILD 28u
/** A webhook causes most invalid requests: its requests are refused for a while. id: the webhook's id;
    value: until when; text: who; data: how many invalid answers, in digits. */
#define SHARDKEEP_SCHEDULER_OUTPUT_QUARANTINED_WEBHOOK 29u
/** Discord refused the token: the identity's requests are refused until it is replaced. code: the identity's
    number. */
#define SHARDKEEP_SCHEDULER_OUTPUT_TOKEN_STOPPED 30u
/** Discord does not know the webhook: it is not called again. id: the webhook's id. */
#define SHARDKEEP_SCHEDULER_OUTPUT_WEBHOOK_GONE 31u
/** Cloudflare refuses the IP address: nothing is sent. value: until when. */
#define SHARDKEEP_SCHEDULER_OUTPUT_BANNED 32u
/** Requests are sent again. */
#define SHARDKEEP_SCHEDULER_OUTPUT_BAN_ENDED 33u
/** The ledger of the pool has been silent for long: the process lives on its share of the limits. */
#define SHARDKEEP_SCHEDULER_OUTPUT_POOL_AWAY 34u
/** The ledger of the pool answers, for the first time or again. */
#define SHARDKEEP_SCHEDULER_OUTPUT_POOL_IN_TOUCH 35u
/** Another process of this member's name is in the pool: nothing is granted to this one. */
#define SHARDKEEP_SCHEDULER_OUTPUT_POOL_NAME_TAKEN 36u

/* The timeouts of the scheduler. */

/** A bucket or a route has room again. value: when. */
#define SHARDKEEP_SCHEDULER_TIMEOUT_BUCKET 1u
/** The global limit has room again. value: when. */
#define SHARDKEEP_SCHEDULER_TIMEOUT_GLOBAL 2u
/** A request may be sent again. value: when. */
#define SHARDKEEP_SCHEDULER_TIMEOUT_RETRY 3u
/** A deadline passes. value: when. */
#define SHARDKEEP_SCHEDULER_TIMEOUT_DEADLINE 4u
/** The IP address may be accepted again. value: when. */
#define SHARDKEEP_SCHEDULER_TIMEOUT_BAN 5u
/** What nobody uses may be forgotten. value: when. */
#define SHARDKEEP_SCHEDULER_TIMEOUT_SWEEP 6u
/** The ledger of the pool is to be spoken to, or counts as away. value: when. */
#define SHARDKEEP_SCHEDULER_TIMEOUT_POOL 7u

/* The inputs of the cache. */

/** The gateway told something. id: the epoch of its session: any number that grows from session to session;
    value: its sequence; text: the event's name, a space, and the time of day in milliseconds, such as
    `GUILD_CREATE 1700000000000`; data: the JSON of its `d`. */
#define SHARDKEEP_CACHE_INPUT_DISPATCH 1u
/** Somebody wants a record, wherever it is. id: the request; value: the deadline, 0 for none; text: the key,
    such as `user:7` or `member:1:7`. */
#define SHARDKEEP_CACHE_INPUT_FETCH 2u
/** Somebody wants it no longer. id: the request. */
#define SHARDKEEP_CACHE_INPUT_CANCEL 3u
/** The store answered a question. id: the question; text: the version of what it holds, empty if nobody
    said; data: the record's JSON, empty if it holds none. */
#define SHARDKEEP_CACHE_INPUT_HELD 4u
/** The store could not answer a question. id: the question. */
#define SHARDKEEP_CACHE_INPUT_READ_FAILED 5u
/** The store answered a batch. id: the batch; data: what became of each write, one a line, in their order:
    `done`, `failed`, or `superseded` and the version that it has; those that are missing failed. */
#define SHARDKEEP_CACHE_INPUT_WRITTEN 6u
/** Discord answered a question. id: the question; data: the object's JSON. */
#define SHARDKEEP_CACHE_INPUT_ANSWERED 7u
/** Discord has no such thing, or not for the bot. id: the question. */
#define SHARDKEEP_CACHE_INPUT_NOT_FOUND 8u
/** Discord could not be asked. id: the question. */
#define SHARDKEEP_CACHE_INPUT_ASK_FAILED 9u
/** The store went away: nothing that is under way will be answered. */
#define SHARDKEEP_CACHE_INPUT_STORE_DOWN 10u
/** The store is there. id: the epoch that all who share it agree on, 0 for none; value: 1 if it may have
    lost what it had acknowledged. */
#define SHARDKEEP_CACHE_INPUT_STORE_UP 11u
/** Another process has changed a record. id: the digest of its JSON, 0 if it was removed; text: the key. */
#define SHARDKEEP_CACHE_INPUT_INVALIDATED 12u
/** A record is not to be believed, because the user says so. text: the key. */
#define SHARDKEEP_CACHE_INPUT_FORGET 13u
/** Nothing of a guild is to be believed, because the user says so. id: the guild. */
#define SHARDKEEP_CACHE_INPUT_FORGET_GUILD 14u

/* The outputs of the cache. */

/** Write these, each unless the store has something newer, and report what became of them. id: the batch;
    value: how many; data: one a line: the key, a space, the version, a space and the JSON, in which there is
    no line break; without JSON the record is removed. */
#define SHARDKEEP_CACHE_OUTPUT_WRITE 1u
/** Read these, all of one kind and scope, and report what the store holds of each. value: how many; data:
    one a line: the question, a space and the key. */
#define SHARDKEEP_CACHE_OUTPUT_READ 2u
/** Remove what is older from a scope in the store, as far as that can be done. id: the scope; text: the
    kind; data: the version that stays, and all that are newer. */
#define SHARDKEEP_CACHE_OUTPUT_CLEAR 3u
/** Ask Discord, and report what it answers. id: the question; text: the key. */
#define SHARDKEEP_CACHE_OUTPUT_ASK 4u
/** The answer to a fetch is a record. id: the request; data: its JSON, with the user that it refers to as
    far as that is known. */
#define SHARDKEEP_CACHE_OUTPUT_FOUND 5u
/** The answer to a fetch is that there is no such thing, as far as the bot can see. id: the request. */
#define SHARDKEEP_CACHE_OUTPUT_ABSENT 6u
/** A fetch could not be answered. code: the reason's number; id: the request; text: the reason. */
#define SHARDKEEP_CACHE_OUTPUT_FAILED 7u
/** What a record was before the dispatch. text: the key; data: its JSON. */
#define SHARDKEEP_CACHE_OUTPUT_BEFORE 8u
/** Tell the other processes that a record has changed. id: the digest of its JSON, 0 if it was removed;
    text: the key. */
#define SHARDKEEP_CACHE_OUTPUT_INVALIDATE 9u

/* The timeouts of the cache. */

/** A reader's time ends. value: when. */
#define SHARDKEEP_CACHE_TIMEOUT_DEADLINE 1u
/** The store's time ends. value: when. */
#define SHARDKEEP_CACHE_TIMEOUT_STORE 2u
/** A failed write is due again. value: when. */
#define SHARDKEEP_CACHE_TIMEOUT_RETRY 3u

/* The inputs of the fleet. */

/** `GET /gateway/bot` answered. data: the answer's JSON. */
#define SHARDKEEP_FLEET_INPUT_LIMITS 1u
/** `GET /gateway/bot` failed. value: microseconds that Discord said to wait, 0 if it did not. */
#define SHARDKEEP_FLEET_INPUT_LIMITS_FAILED 2u
/** A session of this shard is known and can be resumed. id: the shard. */
#define SHARDKEEP_FLEET_INPUT_RESUMABLE 3u
/** The session asks for an identify slot. id: the shard. */
#define SHARDKEEP_FLEET_INPUT_WANT_IDENTIFY 4u
/** The slot is not wanted any more. id: the shard. */
#define SHARDKEEP_FLEET_INPUT_CANCEL_IDENTIFY 5u
/** The identify went out. id: the shard. */
#define SHARDKEEP_FLEET_INPUT_IDENTIFY_SENT 6u
/** A granted slot was not used. id: the shard. */
#define SHARDKEEP_FLEET_INPUT_IDENTIFY_UNUSED 7u
/** Discord answered the identify with op 9. id: the shard. */
#define SHARDKEEP_FLEET_INPUT_IDENTIFY_REJECTED 8u
/** A new session is established. id: the shard. */
#define SHARDKEEP_FLEET_INPUT_READY 9u
/** The session goes on. id: the shard. */
#define SHARDKEEP_FLEET_INPUT_RESUMED 10u
/** The connection was lost, or could not be opened. id: the shard. */
#define SHARDKEEP_FLEET_INPUT_DOWN 11u
/** The session ended for good. id: the shard; value: 1 if Discord refuses it. */
#define SHARDKEEP_FLEET_INPUT_CLOSED 12u
/** Stop every shard and start none. */
#define SHARDKEEP_FLEET_INPUT_SHUTDOWN 13u
/** The shard runs here from now on. id: the shard; value: 1 if a session of it can be resumed. */
#define SHARDKEEP_FLEET_INPUT_RUN 14u
/** The shard does not belong here any more. id: the shard. */
#define SHARDKEEP_FLEET_INPUT_RELEASE 15u
/** So many events came to the shard: after an outage the busiest identify first. id: the shard; value: how
    many. */
#define SHARDKEEP_FLEET_INPUT_ACTIVITY 16u

/* The outputs of the fleet. */

/** `GET /gateway/bot`. */
#define SHARDKEEP_FLEET_OUTPUT_FETCH_LIMITS 1u
/** Create the shard's session and let it connect. id: the shard. */
#define SHARDKEEP_FLEET_OUTPUT_START 2u
/** The shard may identify now. id: the shard. */
#define SHARDKEEP_FLEET_OUTPUT_GRANT_IDENTIFY 3u
/** Stop the shard's session. id: the shard. */
#define SHARDKEEP_FLEET_OUTPUT_STOP 4u
/** `auto` was resolved: every shard of a total. value: the total. */
#define SHARDKEEP_FLEET_OUTPUT_TOPOLOGY_RESOLVED 20u
/** A shard said to be resumable is not part of the topology: drop its session. id: the shard. */
#define SHARDKEEP_FLEET_OUTPUT_SESSION_FOREIGN 21u
/** Every shard has a session, for the first time. */
#define SHARDKEEP_FLEET_OUTPUT_ALL_READY 22u
/** A shard asked for an identify slot and has to wait. code: the reason's number; id: the shard; value: when
    it gets its slot, 0 if that depends on an answer of Discord's; text: the reason. */
#define SHARDKEEP_FLEET_OUTPUT_IDENTIFY_WAITING 23u
/** Fewer identifies are left than one start of every shard would take. code: how many are never spent;
    value: how many may still be spent. */
#define SHARDKEEP_FLEET_OUTPUT_BUDGET_LOW 24u
/** Only the reserve is left: nothing is granted. code: how many are never spent; value: when Discord's day
    ends. */
#define SHARDKEEP_FLEET_OUTPUT_BUDGET_EXHAUSTED 25u
/** There is allowance again. value: how many may be spent. */
#define SHARDKEEP_FLEET_OUTPUT_BUDGET_RESTORED 26u
/** A shard wasted identifies in a row: the next one is held back. code: how many; id: the shard; value: the
    earliest moment of the next. */
#define SHARDKEEP_FLEET_OUTPUT_DAMPED 27u
/** Most shards waste their identifies: the whole fleet slows down. code: how many shards waste; id: how many
    have a session that lasts; value: the earliest moment of the next identify. */
#define SHARDKEEP_FLEET_OUTPUT_FLEET_DAMPED 28u
/** The fleet runs at full speed again. */
#define SHARDKEEP_FLEET_OUTPUT_FLEET_RECOVERED 29u
/** `GET /gateway/bot` failed. code: how many times in a row; value: when it is asked again. */
#define SHARDKEEP_FLEET_OUTPUT_LIMITS_UNKNOWN 30u
/** Discord refused a shard before any session of its: shards that never had one are not started. id: the
    shard that was refused. */
#define SHARDKEEP_FLEET_OUTPUT_START_ABANDONED 31u
/** Every shard has ended. */
#define SHARDKEEP_FLEET_OUTPUT_STOPPED 32u
/** A shard that does not belong here any more has ended. id: the shard. */
#define SHARDKEEP_FLEET_OUTPUT_RELEASED 33u

/* The timeouts of the fleet. */

/** A shard's identify slot opens. value: when. */
#define SHARDKEEP_FLEET_TIMEOUT_IDENTIFY 1u
/** A shard that wasted identifies may join the queue again. value: when. */
#define SHARDKEEP_FLEET_TIMEOUT_DAMPED 2u
/** A session has lived long enough to count as healthy. value: when. */
#define SHARDKEEP_FLEET_TIMEOUT_PROOF 3u
/** `GET /gateway/bot` is due again. value: when. */
#define SHARDKEEP_FLEET_TIMEOUT_LIMITS 4u
/** A started shard took long to ask for its slot: the next one may start. value: when. */
#define SHARDKEEP_FLEET_TIMEOUT_START 5u

/* Dispatches, as records and envelopes number them. */

#define SHARDKEEP_EVENT_READY 1u
#define SHARDKEEP_EVENT_RESUMED 2u
#define SHARDKEEP_EVENT_RATE_LIMITED 3u
#define SHARDKEEP_EVENT_APPLICATION_COMMAND_PERMISSIONS_UPDATE 4u
#define SHARDKEEP_EVENT_AUTO_MODERATION_RULE_CREATE 5u
#define SHARDKEEP_EVENT_AUTO_MODERATION_RULE_UPDATE 6u
#define SHARDKEEP_EVENT_AUTO_MODERATION_RULE_DELETE 7u
#define SHARDKEEP_EVENT_AUTO_MODERATION_ACTION_EXECUTION 8u
#define SHARDKEEP_EVENT_CHANNEL_CREATE 9u
#define SHARDKEEP_EVENT_CHANNEL_UPDATE 10u
#define SHARDKEEP_EVENT_CHANNEL_DELETE 11u
#define SHARDKEEP_EVENT_CHANNEL_INFO 12u
#define SHARDKEEP_EVENT_VOICE_CHANNEL_STATUS_UPDATE 13u
#define SHARDKEEP_EVENT_VOICE_CHANNEL_START_TIME_UPDATE 14u
#define SHARDKEEP_EVENT_CHANNEL_PINS_UPDATE 15u
#define SHARDKEEP_EVENT_THREAD_CREATE 16u
#define SHARDKEEP_EVENT_THREAD_UPDATE 17u
#define SHARDKEEP_EVENT_THREAD_DELETE 18u
#define SHARDKEEP_EVENT_THREAD_LIST_SYNC 19u
#define SHARDKEEP_EVENT_THREAD_MEMBER_UPDATE 20u
#define SHARDKEEP_EVENT_THREAD_MEMBERS_UPDATE 21u
#define SHARDKEEP_EVENT_ENTITLEMENT_CREATE 22u
#define SHARDKEEP_EVENT_ENTITLEMENT_UPDATE 23u
#define SHARDKEEP_EVENT_ENTITLEMENT_DELETE 24u
#define SHARDKEEP_EVENT_GUILD_CREATE 25u
#define SHARDKEEP_EVENT_GUILD_UPDATE 26u
#define SHARDKEEP_EVENT_GUILD_DELETE 27u
#define SHARDKEEP_EVENT_GUILD_AUDIT_LOG_ENTRY_CREATE 28u
#define SHARDKEEP_EVENT_GUILD_BAN_ADD 29u
#define SHARDKEEP_EVENT_GUILD_BAN_REMOVE 30u
#define SHARDKEEP_EVENT_GUILD_EMOJIS_UPDATE 31u
#define SHARDKEEP_EVENT_GUILD_STICKERS_UPDATE 32u
#define SHARDKEEP_EVENT_GUILD_INTEGRATIONS_UPDATE 33u
#define SHARDKEEP_EVENT_GUILD_MEMBER_ADD 34u
#define SHARDKEEP_EVENT_GUILD_MEMBER_REMOVE 35u
#define SHARDKEEP_EVENT_GUILD_MEMBER_UPDATE 36u
#define SHARDKEEP_EVENT_GUILD_MEMBERS_CHUNK 37u
#define SHARDKEEP_EVENT_GUILD_ROLE_CREATE 38u
#define SHARDKEEP_EVENT_GUILD_ROLE_UPDATE 39u
#define SHARDKEEP_EVENT_GUILD_ROLE_DELETE 40u
#define SHARDKEEP_EVENT_GUILD_SCHEDULED_EVENT_CREATE 41u
#define SHARDKEEP_EVENT_GUILD_SCHEDULED_EVENT_UPDATE 42u
#define SHARDKEEP_EVENT_GUILD_SCHEDULED_EVENT_DELETE 43u
#define SHARDKEEP_EVENT_GUILD_SCHEDULED_EVENT_USER_ADD 44u
#define SHARDKEEP_EVENT_GUILD_SCHEDULED_EVENT_USER_REMOVE 45u
#define SHARDKEEP_EVENT_GUILD_SOUNDBOARD_SOUND_CREATE 46u
#define SHARDKEEP_EVENT_GUILD_SOUNDBOARD_SOUND_UPDATE 47u
#define SHARDKEEP_EVENT_GUILD_SOUNDBOARD_SOUND_DELETE 48u
#define SHARDKEEP_EVENT_GUILD_SOUNDBOARD_SOUNDS_UPDATE 49u
#define SHARDKEEP_EVENT_SOUNDBOARD_SOUNDS 50u
#define SHARDKEEP_EVENT_INTEGRATION_CREATE 51u
#define SHARDKEEP_EVENT_INTEGRATION_UPDATE 52u
#define SHARDKEEP_EVENT_INTEGRATION_DELETE 53u
#define SHARDKEEP_EVENT_INTERACTION_CREATE 54u
#define SHARDKEEP_EVENT_INVITE_CREATE 55u
#define SHARDKEEP_EVENT_INVITE_DELETE 56u
#define SHARDKEEP_EVENT_MESSAGE_CREATE 57u
#define SHARDKEEP_EVENT_MESSAGE_UPDATE 58u
#define SHARDKEEP_EVENT_MESSAGE_DELETE 59u
#define SHARDKEEP_EVENT_MESSAGE_DELETE_BULK 60u
#define SHARDKEEP_EVENT_MESSAGE_REACTION_ADD 61u
#define SHARDKEEP_EVENT_MESSAGE_REACTION_REMOVE 62u
#define SHARDKEEP_EVENT_MESSAGE_REACTION_REMOVE_ALL 63u
#define SHARDKEEP_EVENT_MESSAGE_REACTION_REMOVE_EMOJI 64u
#define SHARDKEEP_EVENT_MESSAGE_POLL_VOTE_ADD 65u
#define SHARDKEEP_EVENT_MESSAGE_POLL_VOTE_REMOVE 66u
#define SHARDKEEP_EVENT_PRESENCE_UPDATE 67u
#define SHARDKEEP_EVENT_STAGE_INSTANCE_CREATE 68u
#define SHARDKEEP_EVENT_STAGE_INSTANCE_UPDATE 69u
#define SHARDKEEP_EVENT_STAGE_INSTANCE_DELETE 70u
#define SHARDKEEP_EVENT_SUBSCRIPTION_CREATE 71u
#define SHARDKEEP_EVENT_SUBSCRIPTION_UPDATE 72u
#define SHARDKEEP_EVENT_SUBSCRIPTION_DELETE 73u
#define SHARDKEEP_EVENT_TYPING_START 74u
#define SHARDKEEP_EVENT_USER_UPDATE 75u
#define SHARDKEEP_EVENT_VOICE_CHANNEL_EFFECT_SEND 76u
#define SHARDKEEP_EVENT_VOICE_SERVER_UPDATE 77u
#define SHARDKEEP_EVENT_VOICE_STATE_UPDATE 78u
#define SHARDKEEP_EVENT_WEBHOOKS_UPDATE 79u


/**
 * The event is one of Discord's; `kind` says which.
 */
#define SHARDKEEP_TOPIC_DISPATCH 0

/**
 * A shard has a new session. Whatever was known of the shard before is void.
 */
#define SHARDKEEP_TOPIC_SHARD_CONNECT 1

/**
 * A shard lost its connection. It reconnects by itself.
 */
#define SHARDKEEP_TOPIC_SHARD_DISCONNECT 2

/**
 * A shard's session goes on; everything missed was replayed before this.
 */
#define SHARDKEEP_TOPIC_SHARD_RESUME 3

/**
 * Something went wrong that the user should know.
 */
#define SHARDKEEP_TOPIC_SHARD_ERROR 4

/**
 * Every shard of this bot has a session, for the first time.
 */
#define SHARDKEEP_TOPIC_READY 5

/**
 * Discord dropped a command and says when to try again.
 */
#define SHARDKEEP_TOPIC_RATE_LIMITED 6

/**
 * The version of the binary interface. Structs, numbers and signatures of one version never change; it is also the
 * number in the shared library's name.
 */
#define SHARDKEEP_ABI 1

/**
 * Events that were taken together. Made by `shardkeep_bot_wait`, freed by `shardkeep_batch_free`. It needs the bot's
 * handle no more.
 */
typedef struct shardkeep_batch shardkeep_batch;

/**
 * A bot. Made by `shardkeep_bot_new`, set up by JSON or key by key, then started. As every handle it is for one thread
 * at a time; `shardkeep_bot_share` gives each thread a handle of its own to the same bot. Freed by
 * `shardkeep_bot_free`.
 */
typedef struct shardkeep_bot shardkeep_bot;

/**
 * The hot set over a store of the caller's own: what dispatches change, and what is found. Made by
 * `shardkeep_cache_new`, freed by `shardkeep_cache_free`.
 */
typedef struct shardkeep_cache shardkeep_cache;

/**
 * The old and the new side of one cutover. Made by `shardkeep_cutover_new`, freed by `shardkeep_cutover_free`.
 */
typedef struct shardkeep_cutover shardkeep_cutover;

/**
 * Which shards there are, and who may identify when. Made by `shardkeep_fleet_new`, freed by `shardkeep_fleet_free`.
 */
typedef struct shardkeep_fleet shardkeep_fleet;

/**
 * Keys and their orders, kept once for all records that it packed. Only the packer that packed a record can read it.
 * Made by `shardkeep_packer_new`, freed by `shardkeep_packer_free`.
 */
typedef struct shardkeep_packer shardkeep_packer;

/**
 * What became of a request. Made by `shardkeep_bot_reply`, freed by `shardkeep_reply_free`.
 */
typedef struct shardkeep_reply shardkeep_reply;

/**
 * Which REST request may go now, and which has to wait. Made by `shardkeep_scheduler_new`, freed by
 * `shardkeep_scheduler_free`.
 */
typedef struct shardkeep_scheduler shardkeep_scheduler;

/**
 * One shard's life: what to connect to, what to send, what arrived. Made by `shardkeep_session_new`, freed by
 * `shardkeep_session_free`.
 */
typedef struct shardkeep_session shardkeep_session;

/**
 * What a call returned: `SHARDKEEP_OK` or another number of the block above. Below 100 there is nothing to return;
 * from 100 on the caller broke a rule; from 200 on a value cannot be used; from 300 on the world outside refused; from
 * 900 on the fault is the library's. Numbers are never reused; take one that you do not know for a failure.
 */
typedef uint32_t shardkeep_status;

/**
 * A view of UTF-8 text, not terminated by a zero. Whoever hands it out says how long it lives.
 */
typedef struct shardkeep_text {
    /**
     * Its first byte; never NULL in what the library hands out.
     */
    const char *ptr;
    /**
     * How many bytes it has.
     */
    size_t len;
} shardkeep_text;

/**
 * A view of bytes. Whoever hands it out says how long it lives.
 */
typedef struct shardkeep_bytes {
    /**
     * The first byte; never NULL in what the library hands out.
     */
    const uint8_t *ptr;
    /**
     * How many there are.
     */
    size_t len;
} shardkeep_bytes;

/**
 * One event. Its views live until its batch is freed.
 */
typedef struct shardkeep_event {
    /**
     * The shard that it arrived on.
     */
    uint32_t shard_index;
    /**
     * Of how many.
     */
    uint32_t shard_total;
    /**
     * Its sequence within the session; for what is no dispatch, the last one before it, or 0.
     */
    uint64_t sequence;
    /**
     * What it is about: one of `SHARDKEEP_TOPIC_*`.
     */
    uint32_t topic;
    /**
     * Which dispatch: one of `SHARDKEEP_EVENT_*`; 0 for what is none, or is not listed.
     */
    uint32_t kind;
    /**
     * 1 if it was missed while disconnected and replayed by a resume.
     */
    uint32_t replayed;
    /**
     * Which session of the shard it came in, with a session store; else 0.
     */
    uint32_t session;
    /**
     * Discord's name of the dispatch, such as `MESSAGE_CREATE`, or the topic's name.
     */
    struct shardkeep_text name;
    /**
     * The JSON of `d` as it came; for topics of the library's own, an object.
     */
    struct shardkeep_bytes data;
    /**
     * The JSON of the record that it changed or removed, as it was before; empty unless `cache.before` names the event
     * and it was in memory.
     */
    struct shardkeep_bytes before;
} shardkeep_event;

/**
 * A request to Discord's API. Fill it with `shardkeep_request_init`, then set what you need. Everything it points to
 * is copied by the call.
 */
typedef struct shardkeep_request {
    /**
     * `sizeof(struct shardkeep_request)` of the header that the program was compiled with.
     */
    size_t size;
    /**
     * Method and path below the API's base: `POST /channels/1/messages`.
     */
    const char *request;
    /**
     * Bytes of `request`.
     */
    size_t request_len;
    /**
     * The body. NULL for none.
     */
    const uint8_t *body;
    /**
     * Bytes of `body`.
     */
    size_t body_len;
    /**
     * What the body is. NULL for `application/json`.
     */
    const char *content_type;
    /**
     * Bytes of `content_type`.
     */
    size_t content_type_len;
    /**
     * Why, for the guild's audit log. NULL for nothing.
     */
    const char *reason;
    /**
     * Bytes of `reason`.
     */
    size_t reason_len;
    /**
     * The guild it is for, where the path does not say; 0 if unknown. Guilds take turns.
     */
    uint64_t guild_id;
    /**
     * Milliseconds within which sending it makes sense; 0 for no limit.
     */
    uint32_t deadline_ms;
    /**
     * How urgent it is: 0 answers an interaction, 1 somebody waits, 2 ordinary, 3 may take its time.
     */
    uint32_t priority;
} shardkeep_request;

/**
 * What a reply says. Its views live until the reply is freed.
 */
typedef struct shardkeep_reply_view {
    /**
     * The number that `shardkeep_bot_request` gave.
     */
    uint64_t id;
    /**
     * The HTTP status, also where Discord refuses; 0 if there was no answer, and `error` says why.
     */
    uint32_t http_status;
    /**
     * 1 if Discord did what was asked.
     */
    uint32_t is_success;
    /**
     * The body; empty without one.
     */
    struct shardkeep_bytes body;
    /**
     * Why there was no answer, without tokens; empty if there was one.
     */
    struct shardkeep_text error;
} shardkeep_reply_view;

/**
 * What a machine starts with. Fill it with `shardkeep_config_init`, then set what you need.
 */
typedef struct shardkeep_config {
    /**
     * `sizeof(struct shardkeep_config)` of the header that the program was compiled with.
     */
    size_t size;
    /**
     * The settings that differ from the defaults: a JSON object, as in vectors/README.md. NULL for the defaults.
     */
    const char *settings;
    /**
     * Bytes of `settings`.
     */
    size_t settings_len;
    /**
     * The bot's token; only a session reads it. It is copied, and shown in no text.
     */
    const char *token;
    /**
     * Bytes of `token`.
     */
    size_t token_len;
    /**
     * What to go on from: the text of the predecessor's snapshot. NULL to begin afresh.
     */
    const char *snapshot;
    /**
     * Bytes of `snapshot`.
     */
    size_t snapshot_len;
    /**
     * The time of the start, in microseconds of a clock that never goes back.
     */
    uint64_t now_us;
    /**
     * Where to write why the machine could not be made, cut to `error_size` and ended by a zero. May be NULL.
     */
    char *error;
    /**
     * Bytes at `error`.
     */
    size_t error_size;
} shardkeep_config;

/**
 * One input, output or deadline, whatever its kind. docs/reference/records.md says what each column means for each
 * kind; a column that a kind does not use is 0 or empty. Kinds that you do not know can be passed over.
 */
typedef struct shardkeep_record {
    /**
     * Which kind of input, output or reason.
     */
    uint32_t kind;
    /**
     * A small number, such as a close code.
     */
    uint32_t code;
    /**
     * An opaque number of 64 bits, such as a snowflake.
     */
    uint64_t id;
    /**
     * A quantity below 2^53. Times are in microseconds.
     */
    uint64_t value;
    /**
     * UTF-8: a name, a URL, a sentence. May be NULL if `text_len` is 0.
     */
    const char *text;
    /**
     * Bytes of `text`.
     */
    size_t text_len;
    /**
     * Bytes, such as a payload. May be NULL if `data_len` is 0.
     */
    const uint8_t *data;
    /**
     * How many there are.
     */
    size_t data_len;
} shardkeep_record;

/**
 * What scanning found. The views look at the bytes that were scanned and live as long as those.
 */
typedef struct shardkeep_envelope {
    /**
     * The opcode.
     */
    uint64_t op;
    /**
     * The sequence, if `has_sequence` is 1.
     */
    uint64_t sequence;
    /**
     * 1 if there is a sequence.
     */
    uint32_t has_sequence;
    /**
     * Which dispatch: one of `SHARDKEEP_EVENT_*`; 0 for names that are not listed.
     */
    uint32_t kind;
    /**
     * The event's name as it stands between the quotes; empty without one. `shardkeep_envelope_name` resolves escapes.
     */
    struct shardkeep_bytes name;
    /**
     * The JSON of `d`; empty without one.
     */
    struct shardkeep_bytes data;
    /**
     * Where the message ends, and the white space after it.
     */
    size_t end;
    /**
     * What is wrong, by name, such as `incomplete`; empty if nothing is, and everything else is 0 if something is. The
     * text lives as long as the program.
     */
    struct shardkeep_text error;
    /**
     * Where it is wrong.
     */
    size_t error_at;
} shardkeep_envelope;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Waits for events and takes up to `max` of them: at most `timeout_ms`, for ever with `UINT32_MAX`, not at all with 0.
 * `SHARDKEEP_EMPTY` if the time is over, `SHARDKEEP_ENDED` if the bot has stopped and everything was taken. The caller
 * owns `*out` and frees it. Blocks; other handles to the bot can be used meanwhile.
 *
 * Fails with `SHARDKEEP_FAILED` if the bot stopped by itself, once everything was taken; `SHARDKEEP_NOT_STARTED`.
 */
shardkeep_status shardkeep_bot_wait(struct shardkeep_bot *bot,
                                    uint32_t timeout_ms,
                                    size_t max,
                                    struct shardkeep_batch **out);

/**
 * How many events a batch has.
 */
shardkeep_status shardkeep_batch_len(const struct shardkeep_batch *batch, size_t *out);

/**
 * One event of a batch, by its place from 0. Its views live until the batch is freed.
 *
 * Fails with `SHARDKEEP_UNKNOWN_INDEX` past the end.
 */
shardkeep_status shardkeep_batch_event(const struct shardkeep_batch *batch,
                                       size_t index,
                                       struct shardkeep_event *out);

/**
 * Says that all events of a batch are finished. Only with a session store and `acknowledge` set to `manual` does it
 * matter; else freeing the batch says so.
 */
shardkeep_status shardkeep_batch_acknowledge(const struct shardkeep_batch *batch);

/**
 * Says that one event is finished, by what it says of itself: for programs that keep no batch. `*waited` is 1 if
 * somebody waited for that; it may be NULL.
 *
 * Fails with `SHARDKEEP_BAD_SHARD`, `SHARDKEEP_NOT_STARTED`.
 */
shardkeep_status shardkeep_bot_acknowledge(const struct shardkeep_bot *bot,
                                           uint32_t shard_index,
                                           uint32_t shard_total,
                                           uint32_t session,
                                           uint64_t sequence,
                                           int *waited);

/**
 * Frees a batch and the views of its events; unless `acknowledge` is `manual`, its events are finished with that. NULL
 * is nothing to free; `SHARDKEEP_BUSY` if another thread is in a call with it.
 */
shardkeep_status shardkeep_batch_free(struct shardkeep_batch *batch);

/**
 * What is in memory of a record, as JSON with the user that it refers to: `key` is a kind and its ids, such as
 * `user:7` or `member:1:7`. `SHARDKEEP_EMPTY` if it is not in memory. Does not block. The text lives until the next
 * call with this handle that takes it without `const`.
 *
 * Fails with `SHARDKEEP_BAD_KEY`, `SHARDKEEP_NO_CACHE`, `SHARDKEEP_NOT_STARTED`.
 */
shardkeep_status shardkeep_bot_cache_get(struct shardkeep_bot *bot,
                                         const char *key,
                                         size_t key_len,
                                         struct shardkeep_text *out);

/**
 * The record wherever it is: in memory, in the store, or at Discord. `SHARDKEEP_EMPTY` if there is no such thing, as
 * far as the bot can see. Blocks, at most `timeout_ms`. The text lives until the next call with this handle that takes
 * it without `const`.
 *
 * Fails with `SHARDKEEP_FAILED` if it could not be found out, also in time; else as `shardkeep_bot_cache_get`.
 */
shardkeep_status shardkeep_bot_cache_fetch(struct shardkeep_bot *bot,
                                           const char *key,
                                           size_t key_len,
                                           uint32_t timeout_ms,
                                           struct shardkeep_text *out);

/**
 * Checks the configuration and starts the shards; it does not wait for Discord. Threads of the library do the rest.
 * Starting twice changes nothing.
 *
 * Fails with `SHARDKEEP_BAD_SETTINGS`, whose text names the option and suggests the nearest; `SHARDKEEP_FAILED` if
 * TLS, threads, stores or the endpoint for operators cannot be had.
 */
shardkeep_status shardkeep_bot_start(struct shardkeep_bot *bot);

/**
 * Waits until every shard has had a session: at most `timeout_ms`, or for ever with `UINT32_MAX`. `SHARDKEEP_EMPTY` if
 * the time is over first. Blocks; another handle to the bot can be used meanwhile.
 *
 * Fails with `SHARDKEEP_FAILED` if Discord refuses the token or the shards, `SHARDKEEP_NOT_STARTED`.
 */
shardkeep_status shardkeep_bot_ready(struct shardkeep_bot *bot,
                                     uint32_t timeout_ms);

/**
 * What the bot is doing, as JSON: shards, guilds, latencies, identifies, the queue, the cache. The text lives until
 * the next call with this handle that takes it without `const`.
 *
 * Fails with `SHARDKEEP_NOT_STARTED`.
 */
shardkeep_status shardkeep_bot_status(struct shardkeep_bot *bot,
                                      struct shardkeep_text *out);

/**
 * Sends a gateway command on a shard, such as a presence (opcode 3) or a voice state (4), with the JSON of its `d`.
 * Blocks until it went out, at most `timeout_ms`: `SHARDKEEP_EMPTY` then, and it may still go out.
 *
 * Fails with `SHARDKEEP_BAD_COMMAND`, `SHARDKEEP_BAD_SHARD`, `SHARDKEEP_FAILED` if the session refuses it,
 * `SHARDKEEP_NOT_STARTED`.
 */
shardkeep_status shardkeep_bot_send(struct shardkeep_bot *bot,
                                    uint32_t shard_index,
                                    uint32_t shard_total,
                                    uint32_t opcode,
                                    const char *json,
                                    size_t json_len,
                                    uint32_t timeout_ms);

/**
 * A descriptor for poll, epoll or libuv that is readable while there may be events, and once the bot has stopped. It
 * stops being readable when `shardkeep_bot_wait` finds nothing: call that with a timeout of 0 until it does. It
 * belongs to the handle: do not read from it, write to it or close it.
 *
 * Fails with `SHARDKEEP_FAILED` if the process has no descriptor left, or the system is not Linux.
 */
shardkeep_status shardkeep_bot_descriptor(struct shardkeep_bot *bot,
                                          int *out);

/**
 * Stops every shard and returns when they have ended, at the latest after the option `shutdown_timeout_ms`. With
 * `resumable` 1, Discord keeps the sessions for a few minutes, and `*out` is the text for `shardkeep_bot_resume_from`:
 * as secret as the token. With 0 the bot is shown offline at once, and the text is `[]`. Events that wait can still be
 * taken, and should be. The text lives until the next call with this handle that takes it without `const`; `out` may
 * be NULL.
 *
 * Fails with `SHARDKEEP_NOT_STARTED`.
 */
shardkeep_status shardkeep_bot_stop(struct shardkeep_bot *bot,
                                    uint32_t resumable,
                                    struct shardkeep_text *out);

/**
 * Makes a bot with the default configuration, not started. The caller owns `*out` and frees it. Any thread.
 */
shardkeep_status shardkeep_bot_new(struct shardkeep_bot **out);

/**
 * Another handle to the same bot, for another thread: with an error's text, views, replies and a descriptor of its
 * own. The caller owns `*out` and frees it; the bot lives until the last of its handles is freed.
 *
 * Fails with `SHARDKEEP_NOT_STARTED`.
 */
shardkeep_status shardkeep_bot_share(const struct shardkeep_bot *bot,
                                     struct shardkeep_bot **out);

/**
 * Frees the handle; with the last one, the bot. One that was not stopped drops its sockets, and Discord keeps its
 * sessions for a few minutes. NULL is nothing to free; `SHARDKEEP_BUSY` if another thread is in a call with it.
 */
shardkeep_status shardkeep_bot_free(struct shardkeep_bot *bot);

/**
 * Sets options from a JSON object, nested by section or with dotted names: docs/reference/configuration.md lists them.
 * What is set later wins. Names and values are checked by `shardkeep_bot_start`.
 *
 * Fails with `SHARDKEEP_BAD_JSON`, `SHARDKEEP_BAD_UTF8`, `SHARDKEEP_ALREADY_RUNNING`.
 */
shardkeep_status shardkeep_bot_json(struct shardkeep_bot *bot,
                                    const char *json,
                                    size_t json_len);

/**
 * Sets one option by its full name, from text as a command line writes it: `shards` to `8`, `intents` to
 * `guilds,guild_messages`. Names and values are checked by `shardkeep_bot_start`.
 *
 * Fails with `SHARDKEEP_BAD_UTF8`, `SHARDKEEP_ALREADY_RUNNING`.
 */
shardkeep_status shardkeep_bot_set(struct shardkeep_bot *bot,
                                   const char *name,
                                   size_t name_len,
                                   const char *value,
                                   size_t value_len);

/**
 * Sets options from the process's environment: `DISCORD_TOKEN`, `DISCORD_API_BASE`, and every option as
 * `SHARDKEEP_...`. What the program sets itself wins, in whatever order. No other thread may change the environment
 * meanwhile.
 *
 * Fails with `SHARDKEEP_ALREADY_RUNNING`.
 */
shardkeep_status shardkeep_bot_environment(struct shardkeep_bot *bot);

/**
 * Sets options from a TOML file. What environment and program set wins. That it cannot be read is said by
 * `shardkeep_bot_start`.
 *
 * Fails with `SHARDKEEP_BAD_UTF8`, `SHARDKEEP_ALREADY_RUNNING`.
 */
shardkeep_status shardkeep_bot_file(struct shardkeep_bot *bot, const char *path, size_t path_len);

/**
 * Sessions to go on from: the text that `shardkeep_bot_stop` gave, here or in a process before this one.
 *
 * Fails with `SHARDKEEP_BAD_SNAPSHOT`, `SHARDKEEP_BAD_UTF8`, `SHARDKEEP_ALREADY_RUNNING`.
 */
shardkeep_status shardkeep_bot_resume_from(struct shardkeep_bot *bot,
                                           const char *sessions,
                                           size_t sessions_len);

/**
 * Why the last call with this handle failed that did. The text lives until the next one fails.
 */
shardkeep_status shardkeep_bot_error(const struct shardkeep_bot *bot, struct shardkeep_text *out);

/**
 * What a change to `target` would do and cost, as things are now: JSON as from `shardkeep_plan`. `target` is JSON too,
 * such as `{"shards": 32}`. Does nothing else. Blocks for a moment. The text lives until the next call with this
 * handle that takes it without `const`.
 *
 * Fails with `SHARDKEEP_FAILED`, whose text says what is possible instead; `SHARDKEEP_BAD_JSON`,
 * `SHARDKEEP_NOT_STARTED`.
 */
shardkeep_status shardkeep_bot_plan(struct shardkeep_bot *bot,
                                    const char *target,
                                    size_t target_len,
                                    struct shardkeep_text *out);

/**
 * Begins the change and shows its plan. It goes on by itself while events flow: `shardkeep_bot_status` says how far it
 * has come, `shardkeep_bot_reshard_wait` how it ended. Else as `shardkeep_bot_plan`.
 */
shardkeep_status shardkeep_bot_reshard(struct shardkeep_bot *bot,
                                       const char *target,
                                       size_t target_len,
                                       struct shardkeep_text *out);

/**
 * Waits for the end of the change that was begun with this handle: JSON with `outcome`, `serving`, `totals`,
 * `identifies` and `duration_ms`. `SHARDKEEP_EMPTY` if the time is over first. Blocks, at most `timeout_ms`, for ever
 * with `UINT32_MAX`. The text lives until the next call with this handle that takes it without `const`. Somebody must
 * take events meanwhile, with another handle, or the queue fills and the change stands still.
 *
 * Fails with `SHARDKEEP_UNKNOWN_INDEX` if none was begun, `SHARDKEEP_FAILED` if the bot stopped first.
 */
shardkeep_status shardkeep_bot_reshard_wait(struct shardkeep_bot *bot,
                                            uint32_t timeout_ms,
                                            struct shardkeep_text *out);

/**
 * Takes no further step of the change that was begun with this handle; what is under way ends.
 *
 * Fails with `SHARDKEEP_UNKNOWN_INDEX` if none was begun.
 */
shardkeep_status shardkeep_bot_reshard_pause(struct shardkeep_bot *bot);

/**
 * Goes on after `shardkeep_bot_reshard_pause`, and fails as that does.
 */
shardkeep_status shardkeep_bot_reshard_resume(struct shardkeep_bot *bot);

/**
 * Ends the change as soon as that leaves every guild with one shard. Fails as `shardkeep_bot_reshard_pause`.
 */
shardkeep_status shardkeep_bot_reshard_abort(struct shardkeep_bot *bot);

/**
 * Fills a request with what means "not given". `size` is `sizeof *request`. Any thread.
 *
 * Fails with `SHARDKEEP_NULL_POINTER`, `SHARDKEEP_BAD_SIZE`.
 */
shardkeep_status shardkeep_request_init(struct shardkeep_request *request, size_t size);

/**
 * Queues a request; it is sent when Discord's limits let it, and again where that is safe and helps. `*id` is the
 * number that its reply will have. Does not block.
 *
 * Fails with `SHARDKEEP_BAD_REQUEST`, whose text says why; `SHARDKEEP_BAD_SIZE`, `SHARDKEEP_BAD_UTF8`,
 * `SHARDKEEP_NOT_STARTED`.
 */
shardkeep_status shardkeep_bot_request(struct shardkeep_bot *bot,
                                       const struct shardkeep_request *request,
                                       uint64_t *id);

/**
 * Waits for the next reply to a request that was sent with this handle: at most `timeout_ms`, for ever with
 * `UINT32_MAX`, not at all with 0. `SHARDKEEP_EMPTY` if the time is over. The caller owns `*out` and frees it. Blocks.
 *
 * Fails with `SHARDKEEP_NOT_STARTED`.
 */
shardkeep_status shardkeep_bot_reply(struct shardkeep_bot *bot,
                                     uint32_t timeout_ms,
                                     struct shardkeep_reply **out);

/**
 * A descriptor that is readable while there may be replies for this handle. It stops being readable when
 * `shardkeep_bot_reply` finds nothing. It belongs to the handle: do not read from it, write to it or close it.
 *
 * Fails with `SHARDKEEP_FAILED` if the process has no descriptor left, or the system is not Linux.
 */
shardkeep_status shardkeep_bot_reply_descriptor(struct shardkeep_bot *bot,
                                                int *out);

/**
 * What a reply says. The views live until it is freed.
 */
shardkeep_status shardkeep_reply_read(const struct shardkeep_reply *reply, struct shardkeep_reply_view *out);

/**
 * A header of the answer, by name in any case. `SHARDKEEP_EMPTY` if there is none. The text lives until the reply is
 * freed.
 */
shardkeep_status shardkeep_reply_header(const struct shardkeep_reply *reply,
                                        const char *name,
                                        size_t name_len,
                                        struct shardkeep_text *out);

/**
 * Frees a reply and the views of it. NULL is nothing to free; `SHARDKEEP_BUSY` if another thread is in a call with it.
 */
shardkeep_status shardkeep_reply_free(struct shardkeep_reply *reply);

/**
 * Makes a cache from its settings. The caller owns `*out` and frees it.
 *
 * Any thread. Fails with `SHARDKEEP_NULL_POINTER`, `SHARDKEEP_BAD_SIZE`, `SHARDKEEP_BAD_UTF8`,
 * `SHARDKEEP_BAD_SETTINGS` (unknown keys are named) or `SHARDKEEP_BAD_SNAPSHOT`; `config->error` then says why.
 */
shardkeep_status shardkeep_cache_new(const struct shardkeep_config *config,
                                     struct shardkeep_cache **out);

/**
 * Frees the handle and every view of what it held. NULL is nothing to free.
 *
 * Fails with `SHARDKEEP_BUSY` if another thread is in a call with it; it is not freed then.
 */
shardkeep_status shardkeep_cache_free(struct shardkeep_cache *cache);

/**
 * Something happened: feeds a record of the kinds `SHARDKEEP_CACHE_INPUT_*`. What the record points to is read
 * during the call only. On failure nothing was changed. Drain the outputs afterwards.
 *
 * Fails with a status from 100 on: `SHARDKEEP_UNKNOWN_KIND`, `SHARDKEEP_BAD_UTF8`, and what the kind can do wrong.
 */
shardkeep_status shardkeep_cache_handle_input(struct shardkeep_cache *cache,
                                              uint64_t now_us,
                                              const struct shardkeep_record *record);

/**
 * The clock reached `now_us`. Early, late and repeated calls are harmless. Drain the outputs afterwards.
 */
shardkeep_status shardkeep_cache_handle_timeout(struct shardkeep_cache *cache, uint64_t now_us);

/**
 * The next thing to do, of the kinds `SHARDKEEP_CACHE_OUTPUT_*`; `SHARDKEEP_EMPTY` when there is none. The
 * record's text and data live until the next call with this handle that takes it without `const`.
 */
shardkeep_status shardkeep_cache_poll_output(struct shardkeep_cache *cache, struct shardkeep_record *out);

/**
 * When to call `shardkeep_cache_handle_timeout` next: the time is `value`, the reason `kind`, one of
 * `SHARDKEEP_CACHE_TIMEOUT_*`. `SHARDKEEP_EMPTY` if it waits for nothing. Leaves views alone.
 */
shardkeep_status shardkeep_cache_poll_timeout(const struct shardkeep_cache *cache,
                                              struct shardkeep_record *out);

/**
 * What was counted, and what there is, as JSON. A cache goes on from no snapshot: what it held is in the store.
 * The text lives until the next call with this handle that takes it without `const`.
 */
shardkeep_status shardkeep_cache_snapshot(struct shardkeep_cache *cache,
                                          struct shardkeep_text *out);

/**
 * Everything that is counted, as a JSON object of numbers. The text lives until the next call with this handle that
 * takes it without `const`.
 */
shardkeep_status shardkeep_cache_stats(struct shardkeep_cache *cache,
                                       struct shardkeep_text *out);

/**
 * One counter by name; `SHARDKEEP_UNKNOWN_COUNTER` if nothing of this name is counted. Leaves views alone.
 */
shardkeep_status shardkeep_cache_count(const struct shardkeep_cache *cache,
                                       const char *name,
                                       size_t name_len,
                                       uint64_t *out);

/**
 * Why the last call with this handle failed that did. The text lives until the next one fails. Also of a handle that
 * is poisoned.
 */
shardkeep_status shardkeep_cache_error(const struct shardkeep_cache *cache,
                                       struct shardkeep_text *out);

/**
 * What is in memory of a record, as JSON with the user that it refers to: `key` is a kind and its ids, such as
 * `user:7` or `member:1:7`. `SHARDKEEP_EMPTY` if it is not in memory: feed `SHARDKEEP_CACHE_INPUT_FETCH` to look
 * further. The text lives until the next call with this handle that takes it without `const`.
 *
 * Fails with `SHARDKEEP_BAD_KEY`, `SHARDKEEP_BAD_UTF8`, `SHARDKEEP_NULL_POINTER`.
 */
shardkeep_status shardkeep_cache_get(struct shardkeep_cache *cache,
                                     uint64_t now_us,
                                     const char *key,
                                     size_t key_len,
                                     struct shardkeep_text *out);

/**
 * Makes both sides from the settings, those of vectors/README.md. The caller owns `*out` and frees it. Token and
 * snapshot are not read.
 *
 * Any thread. Fails with `SHARDKEEP_NULL_POINTER`, `SHARDKEEP_BAD_SIZE`, `SHARDKEEP_BAD_UTF8`,
 * `SHARDKEEP_BAD_SETTINGS`; `config->error` then says why.
 */
shardkeep_status shardkeep_cutover_new(const struct shardkeep_config *config,
                                       struct shardkeep_cutover **out);

/**
 * Frees the handle. NULL is nothing to free; `SHARDKEEP_BUSY` if another thread is in a call with it.
 */
shardkeep_status shardkeep_cutover_free(struct shardkeep_cutover *cutover);

/**
 * Makes a call, a JSON object that names its side and what to do, and shows what it gives, JSON as well, with all that
 * the side has to say then: vectors/README.md lists the calls. The text lives until the next call with this handle.
 *
 * Fails with `SHARDKEEP_BAD_JSON`; nothing was changed then.
 */
shardkeep_status shardkeep_cutover_call(struct shardkeep_cutover *cutover,
                                        uint64_t now_ms,
                                        const char *call,
                                        size_t call_len,
                                        struct shardkeep_text *out);

/**
 * What both sides handed on, held back and suppressed: JSON by guild and side, without what is 0; `null` if everything
 * is. The text lives until the next call with this handle.
 */
shardkeep_status shardkeep_cutover_ledger(struct shardkeep_cutover *cutover,
                                          struct shardkeep_text *out);

/**
 * Why the last call with this handle failed that did. The text lives until the next one fails.
 */
shardkeep_status shardkeep_cutover_error(const struct shardkeep_cutover *cutover, struct shardkeep_text *out);

/**
 * Scans one message. That bytes are none is no failure of the call: `out->error` says so.
 *
 * Any thread. Fails with `SHARDKEEP_NULL_POINTER`.
 */
shardkeep_status shardkeep_envelope_scan(const uint8_t *message,
                                         size_t message_len,
                                         struct shardkeep_envelope *out);

/**
 * A name with its escapes resolved, into a buffer of the caller's. `*out_len` hears how long it is, also if the buffer
 * is too small; no zero is written behind it.
 *
 * Any thread. Fails with `SHARDKEEP_TOO_SMALL`, `SHARDKEEP_BAD_JSON`, `SHARDKEEP_NULL_POINTER`.
 */
shardkeep_status shardkeep_envelope_name(const uint8_t *name,
                                         size_t name_len,
                                         char *out,
                                         size_t out_size,
                                         size_t *out_len);

/**
 * Makes a fleet from its settings. The caller owns `*out` and frees it.
 *
 * Any thread. Fails with `SHARDKEEP_NULL_POINTER`, `SHARDKEEP_BAD_SIZE`, `SHARDKEEP_BAD_UTF8`,
 * `SHARDKEEP_BAD_SETTINGS` (unknown keys are named) or `SHARDKEEP_BAD_SNAPSHOT`; `config->error` then says why.
 */
shardkeep_status shardkeep_fleet_new(const struct shardkeep_config *config,
                                     struct shardkeep_fleet **out);

/**
 * Frees the handle and every view of what it held. NULL is nothing to free.
 *
 * Fails with `SHARDKEEP_BUSY` if another thread is in a call with it; it is not freed then.
 */
shardkeep_status shardkeep_fleet_free(struct shardkeep_fleet *fleet);

/**
 * Something happened: feeds a record of the kinds `SHARDKEEP_FLEET_INPUT_*`. What the record points to is read
 * during the call only. On failure nothing was changed. Drain the outputs afterwards.
 *
 * Fails with a status from 100 on: `SHARDKEEP_UNKNOWN_KIND`, `SHARDKEEP_BAD_UTF8`, and what the kind can do wrong.
 */
shardkeep_status shardkeep_fleet_handle_input(struct shardkeep_fleet *fleet,
                                              uint64_t now_us,
                                              const struct shardkeep_record *record);

/**
 * The clock reached `now_us`. Early, late and repeated calls are harmless. Drain the outputs afterwards.
 */
shardkeep_status shardkeep_fleet_handle_timeout(struct shardkeep_fleet *fleet, uint64_t now_us);

/**
 * The next thing to do, of the kinds `SHARDKEEP_FLEET_OUTPUT_*`; `SHARDKEEP_EMPTY` when there is none. The
 * record's text and data live until the next call with this handle that takes it without `const`.
 */
shardkeep_status shardkeep_fleet_poll_output(struct shardkeep_fleet *fleet, struct shardkeep_record *out);

/**
 * When to call `shardkeep_fleet_handle_timeout` next: the time is `value`, the reason `kind`, one of
 * `SHARDKEEP_FLEET_TIMEOUT_*`. `SHARDKEEP_EMPTY` if it waits for nothing. Leaves views alone.
 */
shardkeep_status shardkeep_fleet_poll_timeout(const struct shardkeep_fleet *fleet,
                                              struct shardkeep_record *out);

/**
 * What was spent of the day's identifies, as JSON. Put the time that passed meanwhile into the setting `elapsed_ms`.
 * The text lives until the next call with this handle that takes it without `const`.
 */
shardkeep_status shardkeep_fleet_snapshot(struct shardkeep_fleet *fleet,
                                          struct shardkeep_text *out);

/**
 * Everything that is counted, as a JSON object of numbers. The text lives until the next call with this handle that
 * takes it without `const`.
 */
shardkeep_status shardkeep_fleet_stats(struct shardkeep_fleet *fleet,
                                       struct shardkeep_text *out);

/**
 * One counter by name; `SHARDKEEP_UNKNOWN_COUNTER` if nothing of this name is counted. Leaves views alone.
 */
shardkeep_status shardkeep_fleet_count(const struct shardkeep_fleet *fleet,
                                       const char *name,
                                       size_t name_len,
                                       uint64_t *out);

/**
 * Why the last call with this handle failed that did. The text lives until the next one fails. Also of a handle that
 * is poisoned.
 */
shardkeep_status shardkeep_fleet_error(const struct shardkeep_fleet *fleet,
                                       struct shardkeep_text *out);

/**
 * Memory of so many bytes at such a boundary, or NULL.
 */
extern void *shardkeep_host_allocate(size_t size, size_t align);

/**
 * Takes it back.
 */
extern void shardkeep_host_release(void *memory, size_t size, size_t align);

/**
 * A fault of the library's own: must not return.
 */
extern void shardkeep_host_panic(void);

/**
 * Named by the precompiled `alloc`, which was built to unwind; nothing calls it.
 */
void rust_eh_personality(void);

/**
 * Named by the precompiled `alloc`, which was built to unwind; nothing calls it.
 */
void _Unwind_Resume(void);

/**
 * Makes a packer that knows no shape yet. The caller owns `*out` and frees it. Any thread.
 */
shardkeep_status shardkeep_packer_new(struct shardkeep_packer **out);

/**
 * Frees the handle. NULL is nothing to free; `SHARDKEEP_BUSY` if another thread is in a call with it.
 */
shardkeep_status shardkeep_packer_free(struct shardkeep_packer *packer);

/**
 * Packs a JSON text. The bytes live until the next call with this handle: copy them to keep them.
 *
 * Fails with `SHARDKEEP_BAD_JSON`; the error's text says what is wrong.
 */
shardkeep_status shardkeep_packer_pack(struct shardkeep_packer *packer,
                                       const char *json,
                                       size_t json_len,
                                       struct shardkeep_bytes *out);

/**
 * The JSON of one member of a packed object. `SHARDKEEP_EMPTY` if it has none of this name. The text lives until the
 * next call with this handle. Bytes that are no record of this packer are read as something or nothing.
 */
shardkeep_status shardkeep_packer_get(struct shardkeep_packer *packer,
                                      const uint8_t *record,
                                      size_t record_len,
                                      const char *key,
                                      size_t key_len,
                                      struct shardkeep_text *out);

/**
 * The JSON that was packed, byte for byte but for white space between its parts. The text lives until the next call
 * with this handle.
 *
 * Fails with `SHARDKEEP_BAD_RECORD`.
 */
shardkeep_status shardkeep_packer_json(struct shardkeep_packer *packer,
                                       const uint8_t *record,
                                       size_t record_len,
                                       struct shardkeep_text *out);

/**
 * Why the last call with this handle failed that did. The text lives until the next one fails.
 */
shardkeep_status shardkeep_packer_error(const struct shardkeep_packer *packer, struct shardkeep_text *out);

/**
 * `SHARDKEEP_ABI` of the library that runs. A program compares it with that of the header that it was compiled with.
 */
uint32_t shardkeep_abi(void);

/**
 * The library's version, such as `0.1.0`, ended by a zero. It lives as long as the program.
 */
const char *shardkeep_version(void);

/**
 * A status by name, such as `bad_route`, ended by a zero; `unknown` for a number that is none. It lives as long as the
 * program.
 */
const char *shardkeep_status_name(shardkeep_status status);

/**
 * A sentence for the user about a status, ended by a zero; `unknown` for a number that is none. It lives as long as
 * the program.
 */
const char *shardkeep_status_text(shardkeep_status status);

/**
 * The index of the shard, of `total`, that Discord sends the guild's events to.
 *
 * Any thread. Fails with `SHARDKEEP_BAD_SHARD` if there is no such total, `SHARDKEEP_NULL_POINTER`.
 */
shardkeep_status shardkeep_shard_of_guild(uint64_t guild_id, uint32_t total, uint32_t *out);

/**
 * The number of a shard in the column `id` of a fleet's records: its total times 2^32, plus its index.
 *
 * Any thread. Fails with `SHARDKEEP_BAD_SHARD`, `SHARDKEEP_NULL_POINTER`.
 */
shardkeep_status shardkeep_shard_id(uint32_t index, uint32_t total, uint64_t *out);

/**
 * The bits of intents by name, in any case, with commas between: `guilds,guild_messages`; also `all` and
 * `non_privileged`.
 *
 * Any thread. Fails with `SHARDKEEP_BAD_INTENT`, `SHARDKEEP_BAD_UTF8`, `SHARDKEEP_NULL_POINTER`.
 */
shardkeep_status shardkeep_intents(const char *names, size_t names_len, uint64_t *out);

/**
 * What a method and a path, such as `GET /channels/1`, say: a JSON object with `method`, `template`, `listed`, `major`
 * and `key`, into a buffer of the caller's. Paths with equal keys share a bucket until Discord's hash of it is known.
 * `*out_len` hears how long the text is, also if the buffer is too small; no zero is written behind it.
 *
 * Any thread. Fails with `SHARDKEEP_BAD_ROUTE`, `SHARDKEEP_TOO_SMALL`, `SHARDKEEP_BAD_UTF8`, `SHARDKEEP_NULL_POINTER`.
 */
shardkeep_status shardkeep_route(const char *request,
                                 size_t request_len,
                                 char *out,
                                 size_t out_size,
                                 size_t *out_len);

/**
 * How to get from some shards to others: a JSON object with `topology`, `target` and `facts` in, a JSON object with
 * the steps and what they cost out, or with why there is no plan; both as in vectors/README.md. Buffer and length are
 * as in `shardkeep_route`.
 *
 * Any thread. Fails with `SHARDKEEP_BAD_JSON`, `SHARDKEEP_TOO_SMALL`, `SHARDKEEP_BAD_UTF8`, `SHARDKEEP_NULL_POINTER`.
 */
shardkeep_status shardkeep_plan(const char *request,
                                size_t request_len,
                                char *out,
                                size_t out_size,
                                size_t *out_len);

/**
 * The JSON of one member of an object, as it stands: strings keep their quotes and escapes. `SHARDKEEP_EMPTY` if there
 * is none of this name, or the text is no object. The view looks at the bytes that were passed in and lives as long as
 * those. Nothing is decoded, so it is quick; nothing is checked beyond the member, either.
 *
 * Any thread. Fails with `SHARDKEEP_BAD_UTF8`, `SHARDKEEP_NULL_POINTER`.
 */
shardkeep_status shardkeep_json_member(const uint8_t *json,
                                       size_t json_len,
                                       const char *key,
                                       size_t key_len,
                                       struct shardkeep_bytes *out);

/**
 * Makes a scheduler from its settings. The caller owns `*out` and frees it.
 *
 * Any thread. Fails with `SHARDKEEP_NULL_POINTER`, `SHARDKEEP_BAD_SIZE`, `SHARDKEEP_BAD_UTF8`,
 * `SHARDKEEP_BAD_SETTINGS` (unknown keys are named) or `SHARDKEEP_BAD_SNAPSHOT`; `config->error` then says why.
 */
shardkeep_status shardkeep_scheduler_new(const struct shardkeep_config *config,
                                         struct shardkeep_scheduler **out);

/**
 * Frees the handle and every view of what it held. NULL is nothing to free.
 *
 * Fails with `SHARDKEEP_BUSY` if another thread is in a call with it; it is not freed then.
 */
shardkeep_status shardkeep_scheduler_free(struct shardkeep_scheduler *scheduler);

/**
 * Something happened: feeds a record of the kinds `SHARDKEEP_SCHEDULER_INPUT_*`. What the record points to is read
 * during the call only. On failure nothing was changed. Drain the outputs afterwards.
 *
 * Fails with a status from 100 on: `SHARDKEEP_UNKNOWN_KIND`, `SHARDKEEP_BAD_UTF8`, and what the kind can do wrong.
 */
shardkeep_status shardkeep_scheduler_handle_input(struct shardkeep_scheduler *scheduler,
                                                  uint64_t now_us,
                                                  const struct shardkeep_record *record);

/**
 * The clock reached `now_us`. Early, late and repeated calls are harmless. Drain the outputs afterwards.
 */
shardkeep_status shardkeep_scheduler_handle_timeout(struct shardkeep_scheduler *scheduler, uint64_t now_us);

/**
 * The next thing to do, of the kinds `SHARDKEEP_SCHEDULER_OUTPUT_*`; `SHARDKEEP_EMPTY` when there is none. The
 * record's text and data live until the next call with this handle that takes it without `const`.
 */
shardkeep_status shardkeep_scheduler_poll_output(struct shardkeep_scheduler *scheduler,
                                                 struct shardkeep_record *out);

/**
 * When to call `shardkeep_scheduler_handle_timeout` next: the time is `value`, the reason `kind`, one of
 * `SHARDKEEP_SCHEDULER_TIMEOUT_*`. `SHARDKEEP_EMPTY` if it waits for nothing. Leaves views alone.
 */
shardkeep_status shardkeep_scheduler_poll_timeout(const struct shardkeep_scheduler *scheduler,
                                                  struct shardkeep_record *out);

/**
 * What was learned of Discord's limits, as JSON. Put the time that passed meanwhile into the setting `elapsed_ms`.
 * The text lives until the next call with this handle that takes it without `const`.
 */
shardkeep_status shardkeep_scheduler_snapshot(struct shardkeep_scheduler *scheduler,
                                              struct shardkeep_text *out);

/**
 * Everything that is counted, as a JSON object of numbers. The text lives until the next call with this handle that
 * takes it without `const`.
 */
shardkeep_status shardkeep_scheduler_stats(struct shardkeep_scheduler *scheduler,
                                           struct shardkeep_text *out);

/**
 * One counter by name; `SHARDKEEP_UNKNOWN_COUNTER` if nothing of this name is counted. Leaves views alone.
 */
shardkeep_status shardkeep_scheduler_count(const struct shardkeep_scheduler *scheduler,
                                           const char *name,
                                           size_t name_len,
                                           uint64_t *out);

/**
 * Why the last call with this handle failed that did. The text lives until the next one fails. Also of a handle that
 * is poisoned.
 */
shardkeep_status shardkeep_scheduler_error(const struct shardkeep_scheduler *scheduler,
                                           struct shardkeep_text *out);

/**
 * The exchange that an output `SHARDKEEP_SCHEDULER_OUTPUT_EXCHANGE` spoke of, as JSON: the `keys` and the `body` of
 * the pool's script in Redis. `SHARDKEEP_EMPTY` if none waits; each is handed out once. The text lives until the next
 * call with this handle that takes it without `const`.
 */
shardkeep_status shardkeep_scheduler_exchange(struct shardkeep_scheduler *scheduler,
                                              struct shardkeep_text *out);

/**
 * Makes a session from its settings and its token. The caller owns `*out` and frees it.
 *
 * Any thread. Fails with `SHARDKEEP_NULL_POINTER`, `SHARDKEEP_BAD_SIZE`, `SHARDKEEP_BAD_UTF8`,
 * `SHARDKEEP_BAD_SETTINGS` (unknown keys are named), `SHARDKEEP_BAD_TOKEN` or `SHARDKEEP_BAD_SNAPSHOT`;
 * `config->error` then says why.
 */
shardkeep_status shardkeep_session_new(const struct shardkeep_config *config,
                                       struct shardkeep_session **out);

/**
 * Frees the handle and every view of what it held. NULL is nothing to free.
 *
 * Fails with `SHARDKEEP_BUSY` if another thread is in a call with it; it is not freed then.
 */
shardkeep_status shardkeep_session_free(struct shardkeep_session *session);

/**
 * Something happened: feeds a record of the kinds `SHARDKEEP_SESSION_INPUT_*`. What the record points to is read
 * during the call only. On failure nothing was changed. Drain the outputs afterwards.
 *
 * Fails with a status from 100 on: `SHARDKEEP_UNKNOWN_KIND`, `SHARDKEEP_BAD_UTF8`, and what the kind can do wrong.
 */
shardkeep_status shardkeep_session_handle_input(struct shardkeep_session *session,
                                                uint64_t now_us,
                                                const struct shardkeep_record *record);

/**
 * The clock reached `now_us`. Early, late and repeated calls are harmless. Drain the outputs afterwards.
 */
shardkeep_status shardkeep_session_handle_timeout(struct shardkeep_session *session, uint64_t now_us);

/**
 * The next thing to do, of the kinds `SHARDKEEP_SESSION_OUTPUT_*`; `SHARDKEEP_EMPTY` when there is none. The
 * record's text and data live until the next call with this handle that takes it without `const`.
 */
shardkeep_status shardkeep_session_poll_output(struct shardkeep_session *session,
                                               struct shardkeep_record *out);

/**
 * When to call `shardkeep_session_handle_timeout` next: the time is `value`, the reason `kind`, one of
 * `SHARDKEEP_SESSION_TIMEOUT_*`. `SHARDKEEP_EMPTY` if it waits for nothing. Leaves views alone.
 */
shardkeep_status shardkeep_session_poll_timeout(const struct shardkeep_session *session,
                                                struct shardkeep_record *out);

/**
 * What to resume from, as JSON. It can resume the session, so keep it as secret as the token.
 * The text lives until the next call with this handle that takes it without `const`.
 */
shardkeep_status shardkeep_session_snapshot(struct shardkeep_session *session, struct shardkeep_text *out);

/**
 * Everything that is counted, as a JSON object of numbers. The text lives until the next call with this handle that
 * takes it without `const`.
 */
shardkeep_status shardkeep_session_stats(struct shardkeep_session *session,
                                         struct shardkeep_text *out);

/**
 * One counter by name; `SHARDKEEP_UNKNOWN_COUNTER` if nothing of this name is counted. Leaves views alone.
 */
shardkeep_status shardkeep_session_count(const struct shardkeep_session *session,
                                         const char *name,
                                         size_t name_len,
                                         uint64_t *out);

/**
 * Why the last call with this handle failed that did. The text lives until the next one fails. Also of a handle that
 * is poisoned.
 */
shardkeep_status shardkeep_session_error(const struct shardkeep_session *session,
                                         struct shardkeep_text *out);

/**
 * The state by name, such as `connected`: a text that lives as long as the program. Leaves views alone.
 */
shardkeep_status shardkeep_session_state(const struct shardkeep_session *session, struct shardkeep_text *out);

/**
 * Fills a configuration with what means "not given".
 *
 * `size` is `sizeof *config`. Any thread, any time. Returns `SHARDKEEP_OK`; `SHARDKEEP_NULL_POINTER`, or
 * `SHARDKEEP_BAD_SIZE` if the struct is smaller than the first one of this interface.
 */
shardkeep_status shardkeep_config_init(struct shardkeep_config *config, size_t size);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SHARDKEEP_H */
