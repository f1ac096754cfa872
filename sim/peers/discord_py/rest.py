"""discord.py's REST calls against the simulator: it must be able to read every answer.

One process, one shard. Posts, edits, uploads, hangs up webhooks, makes threads, roles and commands, and checks what the
library made of the answers and what the gateway told of it. Prints one line per check; exits 0 if all hold, 1 if not.
The environment is that of run.py, which runs it too.
"""

import asyncio
import io
import json
import logging
import sys
import urllib.request

from run import LIMIT_S, TOKEN, Checks, Simulator

# Fixed windows: what discord.py is made for.
RULE = {"methods": ["POST"], "path": "/channels/{channel_id}/messages", "hash": "posts", "limit": 5, "window_ms": 1000}


def put(sim, parts):
    data = json.dumps(parts).encode()
    request = urllib.request.Request(f"{sim.base}/sim/rest", data=data, method="PUT")
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def make_client(base):
    import discord
    import yarl
    from discord import gateway, http

    http.Route.BASE = f"{base}/api/v10"
    with urllib.request.urlopen(f"{base}/api/v10/gateway", timeout=10) as response:
        gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(json.load(response)["url"])

    class Client(discord.Client):
        async def on_message(self, message):
            self.heard[message.id] = message.content

    client = Client(intents=discord.Intents.all())
    client.heard = {}
    return discord, client


async def check_messages(discord, client, channel, checks):
    message = await channel.send("hello", nonce="7")
    seen = (message.content, message.author.id, message.nonce)
    checks.equal("a message is posted", seen, ("hello", client.user.id, "7"))
    message = await message.edit(content="edited")
    checks.that("and edited", message.content == "edited" and message.edited_at is not None)
    upload = await channel.send("file", file=discord.File(io.BytesIO(b"x" * 1000), "a.bin"))
    checks.equal("a file is uploaded", [(file.filename, file.size) for file in upload.attachments], [("a.bin", 1000)])
    reply = await message.reply("reply")
    checks.equal("a message is answered", reply.reference.message_id, message.id)
    await message.add_reaction("\N{FIRE}")
    await message.remove_reaction("\N{FIRE}", client.user)
    await message.pin()
    found = [there.id async for there in channel.history(limit=3)]
    checks.equal("the history has them, newest first", found, [reply.id, upload.id, message.id])
    await reply.delete()
    checks.that("the gateway told of them", {message.id, upload.id, reply.id} <= client.heard.keys())
    return message


async def check_others(client, channel, message, member_id, checks, discord):
    thread = await message.create_thread(name="thread")
    checks.equal("a thread is made", (thread.name, thread.parent_id), ("thread", channel.id))
    webhook = await channel.create_webhook(name="hook")
    posted = await webhook.send("by a webhook", wait=True)
    checks.equal("a webhook posts", (posted.author.name, posted.webhook_id), ("hook", webhook.id))
    await posted.edit(content="edited")
    await webhook.delete()
    try:
        await webhook.send("gone")
        checks.that("a webhook that was deleted is unknown", False)
    except discord.NotFound as error:
        checks.equal("a webhook that was deleted is unknown", error.code, 10015)
    role = await channel.guild.create_role(name="role")
    checks.equal("a role is made", role.name, "role")
    member = await channel.guild.fetch_member(member_id)
    await member.add_roles(channel.guild.roles[1])
    member = await member.edit(nick="nick")
    checks.equal("a member is renamed", member.nick, "nick")
    renamed = await channel.edit(topic="topic")
    checks.equal("a channel is edited", renamed.topic, "topic")
    invite = await channel.create_invite()
    checks.that("an invite is made", bool(invite.code))
    user = await client.fetch_user(member_id)
    direct = await user.send("psst")
    checks.that("a direct message is posted", isinstance(direct.channel, discord.DMChannel))
    tree = discord.app_commands.CommandTree(client)
    tree.add_command(discord.app_commands.Command(name="ping", description="ping", callback=ping))
    synced = await tree.sync()
    checks.equal("commands are synchronised", [command.name for command in synced], ["ping"])


async def ping(interaction):
    """A command needs a callback; nobody calls it here."""


async def check(sim, checks):
    put(sim, {"preset": "discord", "rules": [RULE]})
    guild = sim.call("guilds")["guilds"][0]
    discord, client = make_client(sim.base)
    await client.login(TOKEN)
    task = asyncio.create_task(client.connect())
    try:
        await client.wait_until_ready()
        channel = client.get_channel(int(guild["channel"]))
        message = await check_messages(discord, client, channel, checks)
        await check_others(client, channel, message, int(guild["member"]), checks, discord)
        checks.equal("nothing was refused", sim.call("counters")["http_refused"], 0)
        checks.equal("no rule was broken", sim.call("violations")["violations"], [])
        # The library may overrun a limit here, as answers come in another order; it waits and tries again.
        posted = await asyncio.gather(*(channel.send(str(at)) for at in range(12)))
        checks.equal("twelve messages at once are posted", len({there.id for there in posted}), 12)
    finally:
        await client.close()
        await task


def main():
    logging.basicConfig(level=logging.CRITICAL)
    checks = Checks("REST")
    sim = Simulator()
    try:
        sim.call("reset", {})
        asyncio.run(asyncio.wait_for(check(sim, checks), LIMIT_S))
    except TimeoutError:
        checks.that(f"all that takes less than {LIMIT_S} s", False)
    finally:
        sim.stop()
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
