/**
 * discord.js through `shardkeep proxy`: what earns 429s without it earns none with it.
 *
 * Several REST clients with one token, as a bot has that runs in several processes, ask for everything at once: first
 * of the simulator itself, then through the proxy, which differs in the base URL alone. Counts what the simulator
 * refused. Prints one line per check; exits 0 if all hold, 1 if not. The library is found by NODE_PATH.
 *
 * SHARDKEEP_BIN   the command, shardkeep unless set
 */

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(import.meta.url);
const { REST, Routes } = require('discord.js');

const TOKEN = 'simulated-bot.token.for-tests-only';
const KEY = 'a-key-for-tests-only';
const CLIENTS = 3;
const LIMIT_MS = 120_000;
const BIN = process.env.SHARDKEEP_BIN ?? 'shardkeep';

let failed = 0;

/** One line per check. */
function check(what, holds, detail) {
  if (!holds) failed += 1;
  const suffix = holds || detail === undefined ? '' : `: ${JSON.stringify(detail)}`;
  console.log(`${holds ? 'ok  ' : 'FAIL'} discord.js rest_proxy: ${what}${suffix}`);
}

/** Starts the command, and returns it with the addresses that it prints. */
async function start(args, variables = {}) {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('DISCORD_'));
  const env = { ...Object.fromEntries(kept), ...variables };
  // What the simulator saw broken is what this is about: the checks say it.
  const child = spawn(BIN, args, { stdio: ['ignore', 'pipe', 'ignore'], env });
  const line = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${BIN} ${args[0]} ended before it printed its addresses`)));
  });
  return { child, addresses: JSON.parse(line) };
}

/** Ends a child, and returns its exit code. */
function stop(child) {
  if (child.exitCode !== null) return child.exitCode;
  child.kill('SIGTERM');
  return new Promise((resolve) => child.once('exit', resolve));
}

async function call(url, options) {
  const response = await fetch(url, options);
  return response.json();
}

/** Every client asks for its share at once. What failed, and of how many. */
async function askAll(api, guilds) {
  const clients = Array.from({ length: CLIENTS }, () => new REST({ api, version: '10' }).setToken(TOKEN));
  const listed = await Promise.all(guilds.map((guild) => clients[0].get(Routes.guildChannels(guild.id))));
  const paths = [
    ...listed.flat().map((channel) => Routes.channel(channel.id)),
    ...guilds.map((guild) => Routes.guild(guild.id)),
  ].slice(0, 150);
  const asked = paths.map((path, at) => clients[at % CLIENTS].get(path));
  for (const [at, guild] of guilds.entries()) {
    for (const number of [0, 1]) {
      const body = { content: `message ${number}` };
      asked.push(clients[(at + number) % CLIENTS].post(Routes.channelMessages(guild.channel), { body }));
    }
  }
  const outcomes = await Promise.allSettled(asked);
  const failures = outcomes.filter(({ status }) => status === 'rejected').map(({ reason }) => String(reason));
  return { failures, count: asked.length };
}

async function conform() {
  const sim = await start(['sim', '--listen', '127.0.0.1:0', '--guilds', '20', '--members', '20', '--seed', '1']);
  let proxy;
  try {
    const { api, control } = sim.addresses;
    const { guilds } = await call(`${control}/guilds`);
    await askAll(api.replace(/\/v10$/, ''), guilds);
    const { refused } = (await call(`${control}/rest?last=0`)).counters;
    check('without the proxy, Discord answers 429', refused > 0, refused);
    await call(`${control}/rest/reset`, { method: 'POST', body: '{}' });
    const args = ['proxy', '--listen', '127.0.0.1:0', '--api', api];
    proxy = await start(args, { SHARDKEEP_PROXY_KEY: KEY });
    const base = proxy.addresses.api.replace('/api/v10', `/_shardkeep/key/${KEY}/api`);
    const { failures, count } = await askAll(base, guilds);
    const { counters } = await call(`${control}/rest?last=0`);
    check(`through the proxy, all ${count} requests succeed`, failures.length === 0, failures.slice(0, 3));
    check('and none is answered 429', counters.refused === 0, counters);
    check('nor counted as invalid', counters.invalid === 0, counters);
    console.log(`     429s without the proxy: ${refused}, with it: ${counters.refused}`);
    const code = await stop(proxy.child);
    check('the proxy ends with 0 when told to', code === 0, code);
  } finally {
    if (proxy) await stop(proxy.child);
    await stop(sim.child);
  }
}

setTimeout(() => {
  check(`all that takes less than ${LIMIT_MS} ms`, false);
  process.exit(1);
}, LIMIT_MS).unref();
await conform();
process.exit(failed === 0 ? 0 : 1);
