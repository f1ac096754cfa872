/**
 * discord.js against the simulator: the model must please a client that was not written for it.
 *
 * Connects two shards, once without compression, once with payload compression, and once with zlib-stream if zlib-sync
 * is installed; breaks their connections, and compares what the library handed out with the simulator's ledger. Prints
 * one line per check; exits 0 if all hold, 1 if not. The library is found by NODE_PATH.
 *
 * SHARDKEEP_SIM_URL   a running simulator, such as http://127.0.0.1:8080, with a heartbeat interval of a few seconds;
 *                     without it one is started as a child
 * SHARDKEEP_SIM_CMD   the command that starts it; without it $SHARDKEEP_BIN (or shardkeep) sim with 20 guilds
 */

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { restCalls } from './rest.mjs';

const require = createRequire(import.meta.url);
const { Client, Events, GatewayIntentBits, Options } = require('discord.js');
const { SimpleShardingStrategy } = require('@discordjs/ws');

const TOKEN = process.env.SHARDKEEP_SIM_TOKEN ?? 'simulated-bot.token.for-tests-only';
const SHARDS = 2;
const PATIENCE_MS = 20_000;
const LIMIT_MS = 55_000;
const INTENTS = Object.values(GatewayIntentBits).filter((bit) => typeof bit === 'number');

/** The control API of a simulator, which is started if none is named. */
class Simulator {
  static async start() {
    const sim = new Simulator();
    sim.base = (process.env.SHARDKEEP_SIM_URL ?? '').replace(/\/$/, '');
    if (!sim.base) {
      const bin = process.env.SHARDKEEP_BIN ?? 'shardkeep';
      const command =
        process.env.SHARDKEEP_SIM_CMD ??
        `${bin} sim --listen 127.0.0.1:0 --guilds 20 --members 50 --seed 1 --heartbeat-interval-ms 2000 --for-s 60`;
      const [program, ...args] = command.split(' ');
      sim.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const lines = createInterface({ input: sim.child.stdout });
      const line = await new Promise((resolve, reject) => {
        lines.once('line', resolve);
        sim.child.once('error', reject);
        sim.child.once('exit', () => reject(new Error(`${command} ended before it printed its addresses`)));
      });
      sim.base = JSON.parse(line).control.replace(/\/sim$/, '');
    }
    return sim;
  }

  async call(path, body) {
    const options = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${this.base}/sim/${path}`, options);
    const text = await response.text();
    if (!response.ok) throw new Error(`/sim/${path}: ${text}`);
    return JSON.parse(text);
  }

  fault(shard, fault) {
    return this.call('faults', { target: { shard: [shard, SHARDS] }, fault });
  }

  stop() {
    this.child?.kill();
  }
}

/** One line per check. */
class Checks {
  failed = 0;

  constructor(label) {
    this.label = label;
  }

  that(what, holds, detail) {
    if (!holds) this.failed += 1;
    const suffix = holds || detail === undefined ? '' : `: ${JSON.stringify(detail)}`;
    console.log(`${holds ? 'ok  ' : 'FAIL'} discord.js ${this.label}: ${what}${suffix}`);
  }

  equal(what, seen, wanted) {
    this.that(what, isDeepStrictEqual(seen, wanted), { seen, wanted });
  }
}

/** Some text's last number: the order in which things were said. */
const last = (text) => Number(text.split(' ').pop());

/** A client that notes what it is told. */
class Watch {
  messages = [];
  ready = [];
  resumed = [];
  errors = [];
  sessions = new Map();
  #current = new Map();

  constructor(base, compression) {
    // It inflates payloads on several threads and takes them in the order in which they are done.
    this.keepsOrder = compression !== 'payload-zlib';
    this.client = new Client({
      intents: INTENTS,
      shards: [...Array(SHARDS).keys()],
      shardCount: SHARDS,
      rest: { api: `${base}/api` },
      makeCache: Options.cacheEverything(),
      ws: {
        buildStrategy: (manager) => {
          // With zlib-sync missing, the library asks for payload compression instead.
          manager.options.compression = compression === 'none' ? null : 'zlib-stream';
          return new SimpleShardingStrategy(manager);
        },
      },
    });
    this.client.on(Events.MessageCreate, (message) => this.messages.push(message));
    this.client.on(Events.ShardReady, (shard) => this.ready.push(shard));
    this.client.on(Events.ShardResume, (shard, replayed) => this.resumed.push({ shard, replayed }));
    this.client.on(Events.ShardError, (error) => this.errors.push(String(error)));
    this.client.on(Events.Raw, (packet, shard) => this.#heard(packet, shard));
  }

  #heard({ t, s, d }, shard) {
    if (t === 'READY') this.#current.set(shard, d.session_id);
    if (t === 'RESUMED') return;
    const session = this.#current.get(shard);
    if (!this.sessions.has(session)) this.sessions.set(session, []);
    this.sessions.get(session).push([s, t]);
  }

  async until(condition) {
    const end = Date.now() + PATIENCE_MS;
    while (!condition()) {
      if (Date.now() > end) return false;
      await sleep(10);
    }
    return true;
  }

  resumes(shard) {
    return this.resumed.filter((resume) => resume.shard === shard).length;
  }
}

/** Says something in each guild and waits until it was heard, once each and in order per shard. */
async function say(sim, watch, checks, what, guilds, prefix, missed) {
  const wanted = {};
  for (const [at, guild] of guilds.entries()) {
    const content = `${prefix} ${at}`;
    (wanted[guild.shardId] ??= []).push(content);
    await sim.call('say', { guild: guild.id, content });
  }
  await missed?.();
  const heard = () => watch.messages.filter((message) => message.content.startsWith(`${prefix} `));
  await watch.until(() => heard().length >= guilds.length);
  // Whatever comes twice comes now.
  await sleep(100);
  const seen = {};
  for (const message of heard()) (seen[message.guild.shardId] ??= []).push(message.content);
  if (!watch.keepsOrder) for (const heard of Object.values(seen)) heard.sort((a, b) => last(a) - last(b));
  checks.equal(what, seen, wanted);
}

async function checkGuilds(sim, watch, checks) {
  const listed = (await sim.call('guilds')).guilds;
  const guilds = [...watch.client.guilds.cache.values()];
  const byId = (pairs) => Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
  checks.equal(
    'every guild is there, with its number of members',
    byId(guilds.map((guild) => [guild.id, guild.memberCount])),
    byId(listed.map((guild) => [guild.id, guild.member_count])),
  );
  checks.equal(
    'no guild is on another shard',
    guilds.filter((guild) => guild.shardId !== Number((BigInt(guild.id) >> 22n) % BigInt(SHARDS))).length,
    0,
  );
  const bare = guilds.filter(
    ({ roles, channels, members }) =>
      roles.cache.size === 0 || !channels.cache.some((channel) => channel.isTextBased()) || !members.me,
  );
  checks.equal('guilds have roles, text channels and the bot in them', bare.length, 0);
  const largest = guilds.reduce((a, b) => (a.memberCount >= b.memberCount ? a : b));
  const members = await largest.members.fetch();
  checks.equal('every member of the largest guild is given on request', members.size, largest.memberCount);
  watch.client.user.setActivity('conformance');
}

async function checkRest(watch, checks) {
  const guild = watch.client.guilds.cache.first();
  const channel = guild.channels.cache.find((found) => found.isTextBased());
  const options = { force: true };
  checks.equal('a guild over REST is the guild of the gateway', (await guild.fetch()).name, guild.name);
  checks.equal(
    'so is a channel',
    (await watch.client.channels.fetch(channel.id, options)).name,
    channel.name,
  );
  const user = guild.members.cache.last().user;
  const name = user.username;
  checks.equal('and a user', (await watch.client.users.fetch(user.id, options)).username, name);
  const missing = await watch.client.guilds.fetch({ guild: '1', ...options }).catch((error) => error.code);
  checks.equal('a guild that is not there is 404 with code 10004', missing, 10_004);
}

async function checkResumes(sim, watch, checks) {
  const guilds = [...watch.client.guilds.cache.values()];
  const on = (shard) => guilds.filter((guild) => guild.shardId === shard);

  // A line that is dead already loses what is said on it: only a replay can bring it.
  await sim.fault(0, { kind: 'half_open' });
  await say(sim, watch, checks, 'what it missed is replayed once, in order', on(0), 'missed', async () => {
    await sim.fault(0, { kind: 'drop' });
    checks.that('shard 0 resumes after TCP broke', await watch.until(() => watch.resumes(0) === 1), watch.resumed);
  });
  const { dispatches_replayed: replayed } = await sim.call('counters');
  checks.equal('as many dispatches as were missed are replayed', replayed, on(0).length);

  await sim.fault(1, { kind: 'reconnect' });
  await say(sim, watch, checks, 'nothing is lost or doubled around op 7', on(1), 'op 7');
  checks.that('shard 1 resumes after op 7', await watch.until(() => watch.resumes(1) === 1), watch.resumed);

  await sim.fault(1, { kind: 'close', code: 4000 });
  checks.that('shard 1 resumes after close code 4000', await watch.until(() => watch.resumes(1) === 2), watch.resumed);
  await sim.fault(0, { kind: 'invalid_session', resumable: true });
  checks.that('shard 0 resumes after op 9 with true', await watch.until(() => watch.resumes(0) === 2), watch.resumed);
  await sim.fault(1, { kind: 'zombie' });
  const found = await watch.until(() => watch.resumes(1) === 3);
  checks.that('shard 1 finds out that nobody acknowledges its heartbeats', found, watch.resumed);

  await sim.fault(1, { kind: 'session_loss' });
  const anew = await watch.until(() => watch.ready.filter((shard) => shard === 1).length === 2);
  checks.that('shard 1 identifies anew after its session was lost', anew, watch.ready);
  await say(sim, watch, checks, 'live events follow on both shards', guilds, 'after');
}

async function checkLedger(sim, watch, checks) {
  for (const { session, shard } of (await sim.call('sessions')).sessions) {
    const { entries } = await sim.call(`ledger?session=${session}`);
    const wanted = entries.map(({ seq, t }) => [seq, t]);
    const what = `all ${wanted.length} dispatches of shard ${shard} came once and in order`;
    const seen = watch.sessions.get(session) ?? [];
    if (!watch.keepsOrder) seen.sort(([a], [b]) => a - b);
    const first = wanted.findIndex((entry, at) => !isDeepStrictEqual(entry, seen[at]));
    checks.that(what, isDeepStrictEqual(seen, wanted), { seen: seen.length, first, wanted: wanted[first] });
  }
}

async function conform(compression) {
  const checks = new Checks(compression);
  const sim = await Simulator.start();
  let watch;
  try {
    await sim.call('reset', {});
    watch = new Watch(sim.base, compression);
    await watch.client.login(TOKEN);
    const ready = await watch.until(() => watch.client.isReady());
    checks.that('both shards become ready', ready);
    if (ready) {
      await checkGuilds(sim, watch, checks);
      const guilds = [...watch.client.guilds.cache.values()];
      await say(sim, watch, checks, 'messages arrive once, in order', guilds, 'hello');
      await checkRest(watch, checks);
      await checkResumes(sim, watch, checks);
      await checkLedger(sim, watch, checks);
    }
    const counters = await sim.call('counters');
    const { identifies, resumes, resumes_failed } = counters;
    const seen = [identifies, resumes, resumes_failed];
    checks.equal('three identifies; six resumes, one in vain', seen, [SHARDS + 1, 6, 1]);
    const unanswered = counters.heartbeats - counters.acks - counters.acks_withheld;
    checks.equal("every heartbeat but a zombie's was acknowledged", unanswered, 0);
    checks.equal('the library met no error', watch.errors, []);
    checks.equal('the simulator saw no rule broken', (await sim.call('violations')).violations, []);
  } finally {
    await watch?.client.destroy();
    sim.stop();
  }
  return checks.failed;
}

const compressions = ['none', 'payload-zlib'];
try {
  require.resolve('zlib-sync');
  compressions[1] = 'zlib-stream';
} catch {
  // A native module, which not every machine can build.
}
setTimeout(() => {
  console.log(`FAIL discord.js: all that takes less than ${LIMIT_MS} ms`);
  process.exit(1);
}, LIMIT_MS);
const runs = [];
for (const compression of compressions) {
  runs.push(conform(compression));
  if (process.env.SHARDKEEP_SIM_URL) await runs.at(-1);
}
runs.push(restCalls(await Simulator.start(), new Checks('REST'), TOKEN));
const failed = (await Promise.all(runs)).reduce((a, b) => a + b, 0);
process.exit(failed === 0 ? 0 : 1);
