import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { LoggedEvent } from "../../src/model/parser.ts";
import type { Channel, Transport } from "../../src/model/transport.ts";
import { parseEvent } from "../../src/parsers/jsonl.ts";
import { transports } from "../../src/transports/index.ts";
import { type Pong, parsePong, pingLine } from "../../src/wire/ping.ts";
import { parseSync } from "../../src/wire/pulses.ts";
import { examplesOf, rowsBelow } from "./pages.ts";

const PAGE = "docs/app-events.md";
const THREADS = 4;
const EVENTS = 500;
/** Names of requests that a careless program breaks its lines with. */
const NAMES = ['"', "\\", "a\nb", "\t\u0001\u001f", "Grüße €", "日本 🦜", "%s%n", "</x>", "\\u0041"];

const folder = mkdtempSync(join(tmpdir(), "joulebench-app-"));
const example = (info: string): string => examplesOf(PAGE).find((each) => each.info === info)!.text;
const file = (name: string): string => join(folder, name);
const save = (name: string, text: string): void => writeFileSync(file(name), `${text}\n`);

/** Every thread says its own request over and over; before that, each of the names once. */
const C_THREADS = `
#include <unistd.h>
#include "joulebench.h"
static void *work(void *name) {
  for (long k = 0; k < ${EVENTS}; k++) jb_event("token", name, k);
  return NULL;
}
int main(int argc, char **argv) {
  pthread_t threads[${THREADS}];
  char names[${THREADS}][3] = {"t0", "t1", "t2", "t3"};
  jb_begin();
  for (int k = 1; k < argc; k++) jb_event("request_start", argv[k], -1);
  for (int k = 0; k < ${THREADS}; k++) if (pthread_create(&threads[k], NULL, work, names[k]) != 0) return 1;
  for (int k = 0; k < ${THREADS}; k++) pthread_join(threads[k], NULL);
  jb_event("done", NULL, -1);
  for (;;) pause();
}`;
const PYTHON_THREADS = `
import sys, threading
from joulebench import begin, event
def work(name):
    for k in range(${EVENTS}): event("token", request=name, tokens=k)
begin()
for name in sys.argv[1:]: event("request_start", request=name)
threads = [threading.Thread(target=work, args=("t%d" % k,)) for k in range(${THREADS})]
for thread in threads: thread.start()
for thread in threads: thread.join()
event("done")
threading.Event().wait()`;

beforeAll(() => {
  save("joulebench.h", example("c library"));
  save("usage.c", example("c usage"));
  save("threads.c", C_THREADS);
  const strict = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-pthread"];
  for (const name of ["usage", "threads"]) execFileSync("gcc", [...strict, "-o", file(name), file(`${name}.c`)], { encoding: "utf8" });
  save("joulebench.py", example("python library"));
  save("usage.py", example("python usage"));
  save("threads.py", PYTHON_THREADS);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let transport: Transport | undefined;
afterEach(() => transport?.close());

interface Heard {
  readonly events: LoggedEvent[];
  readonly pongs: Pong[];
  readonly others: string[];
}

/** Greets a program with a ping, starts it, and hears it out. */
async function converse(
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Heard & { channel: Channel }> {
  const local = transports.find(({ kind }) => kind === "local")!;
  transport = await local.open({ kind: "local", environment }, () => 0);
  const channel = await transport.open(argv);
  const heard: Heard = { events: [], pongs: [], others: [] };
  for (const line of ["ping 0", "pulses", "nonsense", "ping", "ping x", "start", "start", pingLine(1), pingLine(2)])
    await channel.write(line);
  for await (const { text } of channel.lines) {
    const [pong, parsed] = [parsePong(text), parseEvent(text)];
    if (pong) heard.pongs.push(pong);
    else if ("event" in parsed) heard.events.push(parsed.event);
    else heard.others.push(text);
    if (heard.pongs.length === 3 && text.includes('"done"')) break;
    if (text.includes('"done"')) await channel.write(pingLine(3));
    if (pong?.id === 3) break;
  }
  return { ...heard, channel };
}

const PROGRAMS = [
  ["C", (name: string) => [file(name)]],
  ["Python", (name: string) => ["python3", file(`${name}.py`)]],
] as const;

describe.each(PROGRAMS)("%s", (_, program) => {
  test("the example says what it should, in order, and ends with its input", async () => {
    const { events, pongs, others, channel } = await converse(program("usage"));
    const tokens = Array(7).fill("token");
    expect(events.map(({ type }) => type)).toEqual(["load_start", "load_end", "request_start", "first_token", ...tokens, "request_end"]);
    expect(events.slice(2).map(({ request }) => request)).toEqual(Array(10).fill("r1"));
    expect(events.slice(3, -1).map(({ tokens: count }) => count)).toEqual([5, 1, 1, 1, 1, 1, 1, 1]);
    expect(pongs.slice(0, 3).map(({ id }) => id)).toEqual([0, 1, 2]);
    expect(parseSync(others[0]!)).toEqual({ type: "pulses_unsupported" });
    expect(others.slice(1).map((line) => JSON.parse(line).type)).toEqual(["done"]);
    channel.endInput();
    expect([await channel.exit, channel.complaint()]).toEqual([0, ""]);
  });

  test("several threads at once break no line and keep the order of the stamps; names are escaped", async () => {
    const { events, others } = await converse([...program("threads"), ...NAMES], { LC_ALL: "C.UTF-8" });
    expect(others).toHaveLength(2);
    expect(events.slice(0, NAMES.length).map(({ request }) => request)).toEqual(NAMES);
    for (let k = 0; k < THREADS; k++) {
      const own = events.filter(({ request, type }) => type === "token" && request === `t${k}`);
      expect(own.map(({ tokens }) => tokens)).toEqual(Array.from({ length: EVENTS }, (_unused, at) => at));
    }
    const ticks = events.map(({ tick }) => tick);
    expect(ticks).toEqual(ticks.toSorted((a, b) => a - b));
  });

  test("both clocks tell one instant, and the pongs' clock is the events'", async () => {
    const { events, pongs } = await converse(program("threads"));
    const host_s = Number(process.hrtime.bigint()) / 1e9;
    const offset_s = Date.now() / 1000 - host_s;
    for (const { tick, stamps } of events) expect(stamps?.monotonic).toBe(tick);
    const offsets = events.map(({ stamps }) => stamps!.realtime! - stamps!.monotonic!).sort((a, b) => a - b);
    // Date.now() is whole milliseconds, cut off.
    expect(Math.abs(offsets[offsets.length >> 1]! - offset_s)).toBeLessThan(2e-3);
    expect(events.at(-1)!.tick).toBeLessThan(host_s);
    expect(pongs[0]!.deviceReceived_s).toBeLessThan(events[0]!.tick);
    expect(events[0]!.tick - pongs[0]!.deviceReceived_s).toBeLessThan(10);
  });
});

test("every language of the table has its code and an example, and says whether it was tried", () => {
  const rows = rowsBelow(PAGE, "What to put into an app of your own");
  const languages = rows.map(([cell]) => /\[(\w+)\]/.exec(cell!)![1]!.toLowerCase());
  expect(languages).toEqual(["c", "python", "kotlin", "swift"]);
  const infos = examplesOf(PAGE).map(({ info }) => info);
  expect(infos.filter((info) => info !== "swift port")).toEqual(
    languages.flatMap((language) => [`${language} library`, `${language} usage`]),
  );
  for (const [cell, , , tried] of rows) expect(tried).toMatch(/Kotlin|Swift/.test(cell!) ? /^not compiled/ : /by the tests$/);
});

test("each piece of code is short enough to be read before it is copied", () => {
  for (const { info, text } of examplesOf(PAGE)) expect(text.split("\n").length, info).toBeLessThanOrEqual(40);
});

test.each(PROGRAMS)("%s ends when nobody takes its lines", (_, program) => {
  const argv = ["-c", 'exec "$@" >/dev/full', "sh", ...program("usage")];
  const { status } = spawnSync("sh", argv, { input: "ping 1\nstart\n", timeout: 10_000 });
  expect(status).toBe(1);
});
