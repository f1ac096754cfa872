/**
 * @discordjs/rest in the bench of REST clients (`cargo xtask bench rest`).
 *
 * Reads one job as JSON from standard input, sends its requests, and prints one JSON object: how long it took, how many
 * of them failed, and the processor time of the process. The library is found by NODE_PATH.
 */

import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';

const require = createRequire(import.meta.url);
const { REST } = require('@discordjs/rest');

/** Sends all of them, so many at a time. How many failed. */
async function fire(rest, requests, inFlight) {
  let next = 0;
  let failures = 0;
  async function work() {
    while (next < requests.length) {
      const [method, path] = requests[next];
      next += 1;
      try {
        await (method === 'POST' ? rest.post(path, { body: { content: 'x' } }) : rest.get(path));
      } catch {
        failures += 1;
      }
    }
  }
  await Promise.all(Array.from({ length: inFlight }, work));
  return failures;
}

const job = JSON.parse(await text(process.stdin));
const rest = new REST({
  api: job.base.replace(/\/v10$/, ''),
  version: '10',
  globalRequestsPerSecond: job.global_limit,
}).setToken(job.token);
await fire(rest, job.requests.slice(0, job.warm_up), job.in_flight);
const began = performance.now();
const before = process.cpuUsage();
const failures = await fire(rest, job.requests.slice(job.warm_up), job.in_flight);
const { user, system } = process.cpuUsage(before);
const makespan = (performance.now() - began) / 1e3;
console.log(JSON.stringify({ makespan_s: makespan, failures, cpu_s: (user + system) / 1e6 }));
process.exit(0);
