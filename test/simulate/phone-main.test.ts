import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { LoggedEvent } from "../../src/model/parser.ts";
import type { Channel, Transport } from "../../src/model/transport.ts";
import { parseEvent } from "../../src/parsers/jsonl.ts";
import { phonePlant } from "../../src/simulate/phone.ts";
import { transports } from "../../src/transports/index.ts";
import { type Pong, parsePong, pingLine } from "../../src/wire/ping.ts";
import { parseSync } from "../../src/wire/pulses.ts";

const now_s = (): number => Number(process.hrtime.bigint()) / 1e9;
let folder: string;
let transport: Transport;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "joulebench-phone-"));
  transport = await transports.find((each) => each.kind === "local")!.open({}, () => Number(process.hrtime.bigint()));
});
afterEach(async () => {
  await transport.close();
  rmSync(folder, { recursive: true });
});

const phone = (...flags: string[]): Promise<Channel> => transport.open([process.execPath, "dist/simulate/phone-main.js", ...flags]);

async function nextText(channel: Channel): Promise<string> {
  for await (const { text } of channel.lines) return text;
  throw new Error(`the phone went away: ${channel.complaint()}`);
}

interface Exchange {
  readonly sent_s: number;
  readonly received_s: number;
  readonly pong: Pong;
}

/** The quickest of a few exchanges. */
async function ask(channel: Channel, count = 20): Promise<Exchange> {
  const exchanges: Exchange[] = [];
  for (let id = 0; id < count; id++) {
    const sent_s = now_s();
    await channel.write(pingLine(id));
    const pong = parsePong(await nextText(channel));
    exchanges.push({ sent_s, received_s: now_s(), pong: pong! });
    expect(pong?.id).toBe(id);
  }
  return exchanges.toSorted((a, b) => a.received_s - a.sent_s - (b.received_s - b.sent_s))[0]!;
}

test("its clock is off by what was planted, in offset and in rate, a negative one too", async () => {
  // A rate far beyond any crystal's, so that a second is enough to see it.
  const channel = await phone("--offset-s", "100", "--ppm", "-200000");
  const first = await ask(channel);
  expect(first.pong.deviceReceived_s).toBeGreaterThan(100);
  expect(first.pong.deviceReceived_s).toBeLessThan(105);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const later = await ask(channel);
  const device_s = later.pong.deviceReceived_s - first.pong.deviceReceived_s;
  const slack_s = later.received_s - later.sent_s + (first.received_s - first.sent_s);
  expect(Math.abs(device_s - 0.8 * (later.sent_s - first.sent_s))).toBeLessThanOrEqual(slack_s);
});

test("a workload: the start file, every event on the device's clock, done, pings all the while", async () => {
  const startFile = join(folder, "start.json");
  const channel = await phone("--seed", "3", "--prompts", "1", "--start-file", startFile);
  const before = await ask(channel);
  await channel.write("start");
  const events: LoggedEvent[] = [];
  const switched: { level: 0 | 1; time_s: number }[] = [];
  let pongs = 0;
  for await (const { text, host_ns } of channel.lines) {
    if (text === '{"type":"done"}') break;
    if (parsePong(text)) {
      pongs++;
      continue;
    }
    const sync = parseSync(text);
    if (sync?.type === "trigger") {
      switched.push({ level: sync.level, time_s: sync.time_s });
      continue;
    }
    const parsed = parseEvent(text);
    if (!("event" in parsed)) throw new Error(`${text}: ${parsed.problem}`);
    events.push(parsed.event);
    // Nothing is told before it has happened.
    const behind_s = host_ns / 1e9 - hostOf(parsed.event.tick, before);
    expect(behind_s).toBeGreaterThan(-0.001 - (before.received_s - before.sent_s));
    if (events.length % 10 === 0) await channel.write(pingLine(events.length));
  }
  const truth = phonePlant({ seed: 3, prompts: 1 });
  const start_s = Number(JSON.parse(readFileSync(startFile, "utf8")).start_ns) / 1e9;
  expect(readdirSync(folder)).toEqual(["start.json"]);
  expect(events.map(({ type, request, tokens }) => [type, request, tokens])).toEqual(
    truth.events.map(({ type, request = "", tokens }) => [type, request, tokens]),
  );
  const roundTrip_s = before.received_s - before.sent_s;
  for (const [k, event] of events.entries()) {
    expect(Math.abs(hostOf(event.tick, before) - (start_s + truth.events[k]!.true_s))).toBeLessThan(roundTrip_s + 1e-3);
    // Its clock is 37 ppm fast: distances are exact to rounding.
    expect(event.tick - events[0]!.tick).toBeCloseTo(truth.events[k]!.true_s * 1.000037, 8);
  }
  // Its line is low from the beginning of the request to its end.
  const [started, ended] = ["request_start", "request_end"].map((type) => events.find((event) => event.type === type)!.tick);
  expect(switched).toEqual([
    { level: 0, time_s: started },
    { level: 1, time_s: ended },
  ]);
  expect(pongs).toBeGreaterThan(3);
  await ask(channel, 2);
  await channel.write("quit");
  expect(await channel.exit).toBe(0);
});

test("it goes when its input ends", async () => {
  const channel = await phone();
  const { pong } = await ask(channel, 1);
  expect(pong.deviceSent_s).toBeGreaterThan(3.217);
  await channel.close();
  expect(await channel.exit).toBe(0);
});

test.each([
  [["--ppm", "fast"], /--ppm fast: expected a number/],
  [["--tempo", "1"], /--tempo/],
])("%s is refused", async (flags, complaint) => {
  const channel = await phone(...flags);
  expect(await channel.exit).not.toBe(0);
  await expect.poll(() => channel.complaint()).toMatch(complaint);
});

test("a start file that cannot be written is said, not waited for", async () => {
  const channel = await phone("--start-file", join(folder, "no/such/start.json"));
  await channel.write("start");
  expect(await channel.exit).toBe(2);
  await expect.poll(() => channel.complaint()).toMatch(/ENOENT/);
});

/** Host time of a reading of the device's clock, to within the round trip. */
const hostOf = (tick: number, { sent_s, received_s, pong }: Exchange): number =>
  (sent_s + received_s) / 2 + (tick - (pong.deviceReceived_s + pong.deviceSent_s) / 2);
