"""discord.py through `shardkeep proxy`: what earns 429s without it earns none with it.

Several HTTP clients with one token, as a bot has that runs in several processes, ask for everything at once: first of
the simulator itself, then through the proxy, which differs in the base URL alone. Counts what the simulator refused.
Prints one line per check; exits 0 if all hold, 1 if not.

SHARDKEEP_BIN   the command, shardkeep unless set
"""

import asyncio
import json
import os
import subprocess
import sys
import urllib.request

TOKEN = "simulated-bot.token.for-tests-only"
KEY = "a-key-for-tests-only"
CLIENTS = 3
LIMIT_S = 120
BIN = os.environ.get("SHARDKEEP_BIN", "shardkeep")


class Checks:
    """One line per check."""

    failed = 0

    def that(self, what, holds, detail=""):
        self.failed += not holds
        suffix = f": {detail}" if detail != "" and not holds else ""
        print(f"{'ok  ' if holds else 'FAIL'} discord.py rest_proxy: {what}{suffix}", flush=True)


def start(*arguments, **variables):
    """Starts the command, and returns it with the addresses that it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DISCORD_")}
    try:
        child = subprocess.Popen(
            [BIN, *arguments],
            stdout=subprocess.PIPE,
            # What the simulator saw broken is what this is about: the checks say it.
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment | variables,
        )
    except FileNotFoundError:
        raise SystemExit(f"cannot run {BIN!r}: name the program in SHARDKEEP_BIN") from None
    line = child.stdout.readline()
    if not line:
        raise SystemExit(f"{BIN} {' '.join(arguments)} ended before it printed its addresses")
    return child, json.loads(line)


def call(url, data=None):
    with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=10) as response:
        return json.load(response)


async def ask_all(base, guilds):
    """Every client asks for its share at once. How many requests failed, and of how many."""
    from discord import http

    http.Route.BASE = base
    clients = [http.HTTPClient(asyncio.get_running_loop()) for _ in range(CLIENTS)]
    try:
        for client in clients:
            await client.static_login(TOKEN)
        listed = await asyncio.gather(*(clients[0].get_all_guild_channels(guild["id"]) for guild in guilds))
        channels = [channel["id"] for one in listed for channel in one]
        routes = [http.Route("GET", "/channels/{channel_id}", channel_id=channel) for channel in channels]
        routes += [http.Route("GET", "/guilds/{guild_id}", guild_id=guild["id"]) for guild in guilds]
        asked = [clients[at % CLIENTS].request(route) for at, route in enumerate(routes[:150])]
        for at, guild in enumerate(guilds):
            for number in range(2):
                route = http.Route("POST", "/channels/{channel_id}/messages", channel_id=guild["channel"])
                content = {"content": f"message {number}"}
                asked.append(clients[(at + number) % CLIENTS].request(route, json=content))
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
    finally:
        for client in clients:
            await client.close()
    return [outcome for outcome in outcomes if isinstance(outcome, BaseException)], len(asked)


async def conform(checks):
    sim, addresses = start("sim", "--listen", "127.0.0.1:0", "--guilds", "20", "--members", "20", "--seed", "1")
    control, proxy = addresses["control"], None
    try:
        guilds = call(f"{control}/guilds")["guilds"]
        await ask_all(addresses["api"], guilds)
        refused = call(f"{control}/rest?last=0")["counters"]["refused"]
        checks.that("without the proxy, Discord answers 429", refused > 0, refused)
        call(f"{control}/rest/reset", b"{}")
        proxy, its = start(
            "proxy", "--listen", "127.0.0.1:0", "--api", addresses["api"], SHARDKEEP_PROXY_KEY=KEY
        )
        base = its["api"].replace("/api/", f"/_shardkeep/key/{KEY}/api/")
        failures, asked = await ask_all(base, guilds)
        counters = call(f"{control}/rest?last=0")["counters"]
        checks.that(f"through the proxy, all {asked} requests succeed", not failures, failures[:3])
        checks.that("and none is answered 429", counters["refused"] == 0, counters)
        checks.that("nor counted as invalid", counters["invalid"] == 0, counters)
        print(f"     429s without the proxy: {refused}, with it: {counters['refused']}", flush=True)
        proxy.terminate()
        checks.that("the proxy ends with 0 when told to", proxy.wait(40) == 0, proxy.returncode)
    finally:
        for child in filter(None, (proxy, sim)):
            child.terminate()
            child.wait(10)


def main():
    checks = Checks()
    try:
        asyncio.run(asyncio.wait_for(conform(checks), LIMIT_S))
    except TimeoutError:
        checks.that(f"all that takes less than {LIMIT_S} s", False)
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
