"""discord.py against the simulator: the model must please a client that was not written for it.

Connects two shards, once with zstd-stream and once with zlib-stream, breaks their connections, and compares what the
library handed out with the simulator's ledger. Prints one line per check; exits 0 if all hold, 1 if not.

SHARDKEEP_SIM_URL   a running simulator, such as http://127.0.0.1:8080, with a heartbeat interval below
                    SILENCE_S; without it one is started as a child
SHARDKEEP_SIM_CMD   the command that starts it; without it $SHARDKEEP_BIN (or shardkeep) sim with 20 guilds
"""

import asyncio
import contextlib
import json
import logging
import os
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request

TOKEN = os.environ.get("SHARDKEEP_SIM_TOKEN", "simulated-bot.token.for-tests-only")
SHARDS = 2
PATIENCE_S = 20
# After how much silence the library gives a connection up. It reads nothing for 5 s before an identify: more than that.
SILENCE_S = 7
LIMIT_S = 55
COMPRESSIONS = ("zstd", "zlib")


class Simulator:
    """The control API of a simulator, which is started if none is named."""

    def __init__(self):
        self.child = None
        self.base = os.environ.get("SHARDKEEP_SIM_URL", "").rstrip("/")
        if not self.base:
            command = os.environ.get("SHARDKEEP_SIM_CMD") or (
                os.environ.get("SHARDKEEP_BIN", "shardkeep")
                + " sim --listen 127.0.0.1:0 --guilds 20 --members 50 --seed 1"
                + " --heartbeat-interval-ms 2000 --for-s 60"
            )
            try:
                self.child = subprocess.Popen(shlex.split(command), stdout=subprocess.PIPE, text=True)
            except FileNotFoundError:
                raise SystemExit(f"cannot run {command!r}: name the program in SHARDKEEP_BIN") from None
            line = self.child.stdout.readline()
            if not line:
                raise SystemExit(f"{command!r} ended before it printed its addresses")
            self.base = json.loads(line)["control"].removesuffix("/sim")

    def call(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}/sim/{path}", data=data)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"/sim/{path}: {error.read().decode()}") from None

    def fault(self, shard, **fault):
        return self.call("faults", {"target": {"shard": [shard, SHARDS]}, "fault": fault})

    def stop(self):
        if self.child is not None:
            self.child.terminate()
            self.child.wait(10)


class Checks:
    """One line per check."""

    def __init__(self, label):
        self.label = label
        self.failed = 0

    def that(self, what, holds, detail=""):
        self.failed += not holds
        suffix = f": {detail}" if detail != "" and not holds else ""
        print(f"{'ok  ' if holds else 'FAIL'} discord.py {self.label}: {what}{suffix}", flush=True)

    def equal(self, what, seen, wanted):
        self.that(what, seen == wanted, f"seen {seen!r}, wanted {wanted!r}")


def digest(data):
    """FNV-1a, 64 bits: the digest in the simulator's ledger."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def body_of(text):
    """The bytes of `d`. The simulator writes it last, as Discord does."""
    return text[text.index(',"d":') + 5 : -1].encode()


class Log:
    """Every dispatch the library took off the wire, by session, as the ledger has them."""

    def __init__(self):
        self.sessions = {}
        self.current = {}

    def heard(self, shard, text):
        message = json.loads(text)
        if message["op"] != 0:
            return
        if message["t"] == "READY":
            self.current[shard] = message["d"]["session_id"]
        if message["t"] != "RESUMED":
            entry = (message["s"], message["t"], digest(body_of(text)))
            self.sessions.setdefault(self.current[shard], []).append(entry)


def load_discord(compression, base, log):
    """Imports discord.py with its base URLs turned to the simulator."""
    if compression == "zlib":
        # The library takes zstd whenever this package is there.
        sys.modules["zstandard"] = None
    import discord
    import yarl
    from discord import gateway, http, utils

    used = utils._ActiveDecompressionContext.COMPRESSION_TYPE
    if used != f"{compression}-stream":
        raise SystemExit(f"discord.py uses {used}: install its zstandard package to test zstd")
    http.Route.BASE = f"{base}/api/v10"
    with urllib.request.urlopen(f"{base}/api/v10/gateway", timeout=10) as response:
        url = json.load(response)["url"]
    gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(url)
    gateway.DiscordWebSocket.log_receive = lambda ws, text: log.heard(ws.shard_id, text)
    return discord


def make_client(discord):
    """A client that notes what it is told."""

    class Client(discord.AutoShardedClient):
        """Collects messages and lifecycle events."""

        def __init__(self):
            intents = discord.Intents.all()
            super().__init__(shard_count=SHARDS, intents=intents, heartbeat_timeout=SILENCE_S)
            self.messages = []
            self.lifecycle = []

        async def on_message(self, message):
            self.messages.append(message)

        async def on_shard_ready(self, shard):
            self.lifecycle.append(("ready", shard))

        async def on_shard_resumed(self, shard):
            self.lifecycle.append(("resumed", shard))

        async def until(self, condition):
            end = time.monotonic() + PATIENCE_S
            while not condition():
                if time.monotonic() > end:
                    return False
                await asyncio.sleep(0.01)
            return True

        def contents(self):
            return [message.content for message in self.messages]

    return Client()


async def say(sim, client, checks, what, guilds, prefix, missed=None):
    """Says something in each guild and waits until it was heard, once each and in order per shard."""
    wanted = {}
    for at, guild in enumerate(guilds):
        content = f"{prefix} {at}"
        wanted.setdefault(guild.shard_id, []).append(content)
        await asyncio.to_thread(sim.call, "say", {"guild": str(guild.id), "content": content})
    if missed is not None:
        await missed()
    total = len(guilds)
    await client.until(lambda: sum(c.startswith(f"{prefix} ") for c in client.contents()) >= total)
    # Whatever comes twice comes now.
    await asyncio.sleep(0.1)
    seen = {}
    for message in client.messages:
        if message.content.startswith(f"{prefix} "):
            seen.setdefault(message.guild.shard_id, []).append(message.content)
    checks.equal(what, seen, wanted)


def check_guilds(sim, client, checks):
    listed = {int(guild["id"]): guild for guild in sim.call("guilds")["guilds"]}
    checks.equal("every guild is there", sorted(g.id for g in client.guilds), sorted(listed))
    checks.equal(
        "no guild is on another shard",
        [g.id for g in client.guilds if g.shard_id != (g.id >> 22) % SHARDS],
        [],
    )
    checks.equal(
        "member counts are right",
        {g.id: g.member_count for g in client.guilds},
        {id: guild["member_count"] for id, guild in listed.items()},
    )
    bare = [g.id for g in client.guilds if not g.roles or not g.text_channels or g.me is None]
    checks.equal("guilds have roles, text channels and the bot in them", bare, [])
    partial = [g.id for g in client.guilds if not g.chunked or len(g.members) != g.member_count]
    checks.equal("every member was given, in GUILD_CREATE or in chunks", partial, [])


async def check_commands(client, checks, discord):
    guild = client.guilds[0]
    name = guild.members[-1].name
    found = await guild.query_members(query=name, limit=5)
    checks.that("members are found by name", name in [m.name for m in found], [m.name for m in found])
    await client.change_presence(activity=discord.Game("conformance"))
    fetched = await client.fetch_guild(guild.id)
    checks.equal("a guild over REST is the guild of the gateway", fetched.name, guild.name)
    channel = await client.fetch_channel(guild.text_channels[0].id)
    checks.equal("so is a channel", channel.name, guild.text_channels[0].name)
    user = await client.fetch_user(guild.members[-1].id)
    checks.equal("and a user", user.name, name)
    with contextlib.suppress(discord.NotFound):
        await client.fetch_guild(1)
        checks.that("a guild that is not there is 404", False)


async def check_resumes(sim, client, checks):
    shard0 = [g for g in client.guilds if g.shard_id == 0]
    shard1 = [g for g in client.guilds if g.shard_id == 1]

    async def drop():
        await asyncio.to_thread(sim.fault, 0, kind="drop")
        resumed = await client.until(lambda: ("resumed", 0) in client.lifecycle)
        checks.that("shard 0 resumes after TCP broke", resumed, client.lifecycle)

    # A line that is dead already loses what is said on it: only a replay can bring it.
    await asyncio.to_thread(sim.fault, 0, kind="half_open")
    await say(sim, client, checks, "what it missed is replayed once, in order", shard0, "missed", drop)
    replayed = sim.call("counters")["dispatches_replayed"]
    checks.equal("as many dispatches as were missed are replayed", replayed, len(shard0))

    await asyncio.to_thread(sim.fault, 1, kind="reconnect")
    await say(sim, client, checks, "nothing is lost or doubled around op 7", shard1, "op 7")
    resumed = await client.until(lambda: ("resumed", 1) in client.lifecycle)
    checks.that("shard 1 resumes after op 7", resumed, client.lifecycle)

    await asyncio.to_thread(sim.fault, 1, kind="close", code=4000)
    resumed = await client.until(lambda: client.lifecycle.count(("resumed", 1)) == 2)
    checks.that("shard 1 resumes after close code 4000", resumed, client.lifecycle)

    await asyncio.to_thread(sim.fault, 0, kind="zombie")
    resumed = await client.until(lambda: client.lifecycle.count(("resumed", 0)) == 2)
    checks.that("shard 0 finds out that nobody acknowledges its heartbeats", resumed, client.lifecycle)

    await asyncio.to_thread(sim.fault, 1, kind="session_loss")
    ready = await client.until(lambda: client.lifecycle.count(("ready", 1)) == 2)
    checks.that("shard 1 identifies anew after its session was lost", ready, client.lifecycle)
    everywhere = "live events follow on both shards"
    await say(sim, client, checks, everywhere, shard0 + shard1, "after")


def check_ledger(sim, log, checks):
    for session in sim.call("sessions")["sessions"]:
        name = session["session"]
        ledger = sim.call(f"ledger?session={name}")
        wanted = [(entry["seq"], entry["t"], entry["digest"]) for entry in ledger["entries"]]
        seen = log.sessions.get(name, [])
        what = f"all {len(wanted)} dispatches of shard {session['shard']} came once, in order, byte for byte"
        first = next((pair for pair in zip(seen, wanted) if pair[0] != pair[1]), (len(seen), len(wanted)))
        checks.that(what, seen == wanted, first)


async def conform(sim, compression, checks):
    log = Log()
    discord = load_discord(compression, sim.base, log)
    client = make_client(discord)
    task = asyncio.create_task(client.start(TOKEN))
    waiting = asyncio.create_task(client.until(client.is_ready))
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    checks.that("both shards become ready", client.is_ready())
    if client.is_ready():
        check_guilds(sim, client, checks)
        await say(sim, client, checks, "messages arrive once, in order", client.guilds, "hello")
        await check_commands(client, checks, discord)
        await check_resumes(sim, client, checks)
        check_ledger(sim, log, checks)
    counters = sim.call("counters")
    seen = [counters[key] for key in ("identifies", "resumes", "resumes_failed")]
    checks.equal("three identifies; five resumes, one in vain", seen, [SHARDS + 1, 5, 1])
    beats = counters["heartbeats"] - counters["acks"] - counters["acks_withheld"]
    checks.that("every heartbeat but a zombie's was acknowledged", beats == 0, counters)
    checks.equal("the simulator saw no rule broken", sim.call("violations")["violations"], [])
    await client.close()
    await task


def one_run(compression):
    logging.basicConfig(level=logging.CRITICAL)
    checks = Checks(compression)
    sim = Simulator()
    try:
        sim.call("reset", {})
        asyncio.run(asyncio.wait_for(conform(sim, compression, checks), LIMIT_S))
    except TimeoutError:
        checks.that(f"all that takes less than {LIMIT_S} s", False)
    finally:
        sim.stop()
    return checks.failed


def main():
    if len(sys.argv) == 2:
        return 1 if one_run(sys.argv[1]) else 0
    # The library chooses its compression when it is imported, hence one process for each.
    runs = []
    for compression in COMPRESSIONS:
        runs.append(subprocess.Popen([sys.executable, __file__, compression]))
        if os.environ.get("SHARDKEEP_SIM_URL"):
            runs[-1].wait()
    runs.append(subprocess.Popen([sys.executable, os.path.join(os.path.dirname(__file__), "rest.py")]))
    return 1 if any([run.wait() for run in runs]) else 0


if __name__ == "__main__":
    sys.exit(main())
