/**
 * discord.js in the bench of caches (`cargo xtask bench members`).
 *
 * Reads one job as JSON from standard input, hands each line of its file to discord.js as a GUILD_CREATE, and prints
 * one JSON object: how many members the client's caches hold, what the process grew by, and its processor time. No
 * network: packets go in where the client's own shards put them. The library is found by NODE_PATH; garbage is
 * collected before memory is read, so node needs `--expose-gc`.
 */

import { openSync, readFileSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { Client, GatewayIntentBits, Status } = require('discord.js');

const job = JSON.parse(readFileSync(0, 'utf8'));
const intents = [
  GatewayIntentBits.Guilds,
  GatewayIntentBits.GuildMembers,
  GatewayIntentBits.GuildPresences,
  GatewayIntentBits.GuildVoiceStates,
];
const client = new Client({ intents });
client.ws.status = Status.Ready;
const shard = { id: 0 };

/** Resident bytes, after all garbage that can be found is collected. */
function resident() {
  for (let turn = 0; turn < 3; turn += 1) globalThis.gc();
  return process.memoryUsage.rss();
}

/** Hands out the file's lines through one buffer, which is touched beforehand. */
function* lines(path, buffer) {
  const file = openSync(path);
  let filled = 0;
  for (;;) {
    const read = readSync(file, buffer, filled, buffer.length - filled, null);
    filled += read;
    let start = 0;
    for (;;) {
      const end = buffer.subarray(start, filled).indexOf(10);
      if (end < 0) break;
      yield buffer.toString('utf8', start, start + end);
      start += end + 1;
    }
    buffer.copyWithin(0, start, filled);
    filled -= start;
    if (read === 0) return;
  }
}

const buffer = Buffer.alloc(job.sizes.longest + 65_536, 10);
const before = resident();
const began = process.cpuUsage();
let sequence = 0;
for (const line of lines(job.path, buffer)) {
  sequence += 1;
  client.ws.handlePacket({ op: 0, t: 'GUILD_CREATE', s: sequence, d: JSON.parse(line) }, shard);
}
const { user, system } = process.cpuUsage(began);
const grown = resident() - before;
let members = 0;
for (const guild of client.guilds.cache.values()) members += guild.members.cache.size;
console.log(JSON.stringify({ members, grown_kib: Math.round(grown / 1024), cpu_s: (user + system) / 1e6 }));
process.exit(0);
