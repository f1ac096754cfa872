"""discord.py's HTTP client in the bench of REST clients (`cargo xtask bench rest`).

Reads one job as JSON from standard input, sends its requests, and prints one JSON object: how long it took, how many of
them failed, and the processor time of the process. Nothing but the base URL differs from what a bot uses.
"""

import asyncio
import json
import logging
import sys
import time

from discord import http

# Behind what the login took of the global limit.
PAUSE_S = 1.1


def route_of(method, path):
    """Limits are kept by template and parameters, so the path is taken apart."""
    match path.strip("/").split("/"):
        case ["channels", channel]:
            return http.Route(method, "/channels/{channel_id}", channel_id=channel)
        case ["channels", channel, "messages"]:
            return http.Route(method, "/channels/{channel_id}/messages", channel_id=channel)
        case ["guilds", guild, "members", user]:
            return http.Route(method, "/guilds/{guild_id}/members/{user_id}", guild_id=guild, user_id=user)
        case ["users", user]:
            return http.Route(method, "/users/{user_id}", user_id=user)
    raise SystemExit(f"no route for {path}")


async def fire(client, requests, in_flight):
    """Sends all of them, so many at a time. How many failed."""
    left = iter(requests)
    failures = 0

    async def work():
        nonlocal failures
        for method, path in left:
            body = {"json": {"content": "x"}} if method == "POST" else {}
            try:
                await client.request(route_of(method, path), **body)
            except Exception:
                failures += 1

    await asyncio.gather(*(work() for _ in range(in_flight)))
    return failures


async def run(job):
    http.Route.BASE = job["base"]
    client = http.HTTPClient(asyncio.get_running_loop())
    try:
        await client.static_login(job["token"])
        warm_up = job["warm_up"]
        await fire(client, job["requests"][:warm_up], job["in_flight"])
        await asyncio.sleep(PAUSE_S)
        wall, cpu = time.monotonic(), time.process_time()
        failures = await fire(client, job["requests"][warm_up:], job["in_flight"])
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    finally:
        await client.close()
    return {"makespan_s": wall, "failures": failures, "cpu_s": cpu}


logging.basicConfig(level=logging.CRITICAL)
print(json.dumps(asyncio.run(run(json.load(sys.stdin)))))
