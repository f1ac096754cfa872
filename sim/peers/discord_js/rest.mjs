/**
 * discord.js's REST calls against the simulator: it must be able to read every answer.
 *
 * One shard. Posts, edits, uploads, hangs up webhooks, makes threads, roles and commands, and checks what the library
 * made of the answers and what the gateway told of it. run.mjs runs it, with its simulator and its checks.
 */

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { Client, Events, GatewayIntentBits } = require('discord.js');

const INTENTS = Object.values(GatewayIntentBits).filter((bit) => typeof bit === 'number');

/** Limits of every kind; fixed windows for posts, which is what the library is made for. */
const PARTS = {
  preset: 'discord',
  rules: [
    { methods: ['POST'], path: '/channels/{channel_id}/messages', hash: 'posts', limit: 5, window_ms: 1_000 },
    { methods: ['GET'], path: '/guilds/{guild_id}/members/{user_id}', hash: 'member', limit: 5, window_ms: 1_000 },
  ],
};

async function checkMessages(client, channel, heard, checks) {
  const message = await channel.send({ content: 'hello', nonce: '7', enforceNonce: true });
  checks.equal('a message is posted', [message.content, message.author.id], ['hello', client.user.id]);
  const again = await channel.send({ content: 'hello', nonce: '7', enforceNonce: true });
  checks.equal('and once only with an enforced nonce', again.id, message.id);
  // The gateway tells of it as well, and may be later than the answer: what is asked for is the answer.
  const edited = await message.edit('edited');
  checks.that('and edited', edited.content === 'edited' && edited.editedAt !== null);
  const upload = await channel.send({ files: [{ attachment: Buffer.alloc(500), name: 'a.bin' }] });
  checks.equal('a file is uploaded', upload.attachments.first()?.size, 500);
  const reply = await message.reply('reply');
  checks.equal('a message is answered', reply.reference?.messageId, message.id);
  await message.react('🔥');
  await message.pin();
  const found = [...(await channel.messages.fetch({ limit: 3, cache: false })).keys()];
  checks.equal('the history has them, newest first', found, [reply.id, upload.id, message.id]);
  await reply.delete();
  const told = [message, upload, reply].every(({ id }) => heard.has(id));
  checks.that('the gateway told of them', told);
  return message;
}

async function checkOthers(client, channel, message, memberId, checks) {
  const { guild } = channel;
  const thread = await message.startThread({ name: 'thread' });
  checks.equal('a thread is made', [thread.name, thread.parentId], ['thread', channel.id]);
  const webhook = await channel.createWebhook({ name: 'hook' });
  const posted = await webhook.send('by a webhook');
  checks.equal('a webhook posts', [posted.author.username, posted.webhookId], ['hook', webhook.id]);
  await webhook.editMessage(posted, 'edited');
  await webhook.delete();
  const gone = await webhook.send('gone').catch((error) => error.code);
  checks.equal('a webhook that was deleted is unknown', gone, 10_015);
  const role = await guild.roles.create({ name: 'role' });
  checks.equal('a role is made', role.name, 'role');
  const member = await guild.members.fetch(memberId);
  await member.roles.add(guild.roles.cache.at(1));
  checks.equal('a member is renamed', (await member.setNickname('nick')).id, memberId);
  checks.equal('a channel is edited', (await channel.setTopic('topic')).id, channel.id);
  checks.that('an invite is made', Boolean((await channel.createInvite()).code));
  const direct = await (await client.users.fetch(memberId)).send('psst');
  checks.that('a direct message is posted', direct.channel.isDMBased());
  const commands = await client.application.commands.set([{ name: 'ping', description: 'ping' }]);
  checks.equal('commands are synchronised', commands.map(({ name }) => name), ['ping']);
}

/** Runs the calls against a simulator of their own; answers how many checks failed. */
export async function restCalls(sim, checks, token) {
  const client = new Client({ intents: INTENTS, rest: { api: `${sim.base}/api` } });
  const heard = new Set();
  client.on(Events.MessageCreate, ({ id }) => heard.add(id));
  try {
    await sim.call('reset', {});
    const set = await fetch(`${sim.base}/sim/rest`, { method: 'PUT', body: JSON.stringify(PARTS) });
    checks.equal('the limits are set', set.status, 200);
    const [guild] = (await sim.call('guilds')).guilds;
    const ready = new Promise((resolve) => client.once(Events.ClientReady, resolve));
    await client.login(token);
    await ready;
    const channel = await client.channels.fetch(guild.channel);
    const message = await checkMessages(client, channel, heard, checks);
    await checkOthers(client, channel, message, guild.member, checks);
    const posts = Array.from({ length: 12 }, (_, at) => channel.send(String(at)));
    const ids = new Set((await Promise.all(posts)).map(({ id }) => id));
    checks.equal('twelve messages at once are posted', ids.size, 12);
    checks.equal('none of them was refused', (await sim.call('counters')).http_refused, 0);
    checks.equal('no rule was broken', (await sim.call('violations')).violations, []);
  } finally {
    await client.destroy();
    sim.stop();
  }
  return checks.failed;
}
