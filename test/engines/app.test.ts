import { appendFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Feed } from "../../src/engines/feed.ts";
import { FileSource, LogcatSource } from "../../src/engines/feed-sources.ts";
import { engines } from "../../src/engines/index.ts";
import { Bench, request } from "./bench.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});

afterAll(() => bench.close());

/** Writes the events of one request to the file `$1` (or standard output), the request being `$2`. */
const WORK = `for type in request_start request_end; do echo "{\\"type\\":\\"$type\\",\\"request\\":\\"$2\\",\\"time_s\\":1}" >>"$1"; done\n`;

describe("an app that writes a file", () => {
  test("is started, asked, and heard from where the file ended", async () => {
    const file = join(bench.folder, "events.jsonl");
    writeFileSync(file, '{"type":"request_end","request":"old","time_s":0}\n');
    const start = bench.script("start", `echo '{"type":"load_end","time_s":1}' >>"$1"\n`);
    const work = bench.script("work", WORK);
    const engine = await bench.engine("app", { start: [start, file], request: [work, file, "{request}"], events: { file } });
    expect(await engine.load()).toMatchObject({ outcome: "ok" });
    expect(await engine.ask(request({ id: "one" }))).toEqual({ outcome: "ok", text: "" });
    expect(bench.events.map(({ type, request }) => `${type} ${request ?? ""}`)).toEqual([
      "load_end ",
      "request_start one",
      "request_end one",
    ]);
    expect(bench.said.at(-1)).toEqual({ request: "one", end: "ok" });
  });

  test("is not waited for longer than its limit, and crashed when it is gone", async () => {
    const file = join(bench.folder, "silent.jsonl");
    const silent = await bench.engine("app", { events: { file }, request: ["true"], alive: ["true"] });
    await silent.load();
    expect(await silent.ask(request({ limit_s: 0.3 }))).toMatchObject({ outcome: "timeout" });
    const gone = await bench.engine("app", { events: { file }, request: ["true"], alive: ["false"] });
    await gone.load();
    expect(await gone.ask(request({ limit_s: 0.3 }))).toMatchObject({ outcome: "crash" });
  });

  test("is started anew for the next request once it was found to be gone, and that stands on the tape", async () => {
    const file = join(bench.folder, "mortal.jsonl");
    const alive = join(bench.folder, "alive");
    const start = bench.script("come up", 'touch "$1"\n');
    const work = bench.script("work once", `[ -e "$3" ] || exit 0\n[ "$2" = dies ] && { rm "$3"; exit 0; }\n${WORK}`);
    const engine = await bench.engine("app", {
      ...{ start: [start, alive], request: [work, file, "{request}", alive], alive: ["test", "-e", alive], events: { file } },
      stop: ["rm", alive],
    });
    await engine.load();
    const from = bench.said.length;
    expect(await engine.ask(request({ id: "dies", limit_s: 0.5 }))).toMatchObject({ outcome: "crash" });
    expect(await engine.ask(request({ id: "next" }))).toMatchObject({ outcome: "ok" });
    expect(bench.said.slice(from).map(({ load, begin }) => load ?? begin)).toEqual([
      "process",
      undefined,
      "begin",
      "end",
      "process",
      undefined,
    ]);
  });

  test("that cannot be stopped is said to run on", async () => {
    const stop = bench.script("stop", "echo no such package >&2; exit 4\n");
    const engine = engines.find(({ kind }) => kind === "app")!;
    const app = await engine.open(engine.options.parse({ events: { file: join(bench.folder, "none") }, stop: [stop] }), bench.context);
    await app.load();
    await expect(app.close()).rejects.toThrow(
      /the command that stops the app ended with exit code 4: no such package; the app may still run/,
    );
  });
});

describe("a file is followed", () => {
  const lines: string[] = [];
  const follow = (source: FileSource) => new Feed(bench.context, source, ({ text }) => lines.push(text));

  test("over rotation and truncation, and from the byte where it was left", { timeout: 30_000 }, async () => {
    const file = join(bench.folder, "log $(touch hit).jsonl");
    const source = new FileSource(file, []);
    let feed = follow(source);
    await feed.open();
    writeFileSync(file, "1\n2\nhal");
    await expect.poll(() => lines).toEqual(["1", "2"]);
    appendFileSync(file, "f\n");
    await expect.poll(() => lines).toEqual(["1", "2", "half"]);
    // Written to the old file just before it is rotated away.
    appendFileSync(file, "last of the old\n");
    renameSync(file, `${file}.1`);
    writeFileSync(file, "first of the new\r\n日本\n");
    await expect.poll(() => lines.slice(3)).toEqual(["last of the old", "first of the new", "日本"]);
    await feed.close();
    appendFileSync(file, "while nobody looked\n");
    feed = follow(source);
    await feed.open();
    await expect.poll(() => lines.slice(6)).toEqual(["while nobody looked"]);
    truncateSync(file);
    await expect.poll(() => source.argv().at(-3)).toBe("0");
    appendFileSync(file, "after the truncation\n");
    await expect.poll(() => lines.slice(7)).toEqual(["after the truncation"]);
    await feed.close();
    // Another file came while nobody looked: it is read from its beginning.
    renameSync(file, `${file}.2`);
    writeFileSync(file, "another file, longer than the one before it was\n");
    feed = follow(source);
    await feed.open();
    await expect.poll(() => lines.slice(8)).toEqual(["another file, longer than the one before it was"]);
    await feed.close();
  });

  test.each(["dash", "bash", "mksh", "busybox sh"])("alike by %s", { timeout: 30_000 }, async (shell) => {
    const file = join(bench.folder, `${shell}.jsonl`);
    writeFileSync(file, "old\n");
    const source = new FileSource(file, []);
    const heard: string[] = [];
    const [, , ...rest] = source.argv();
    const argv = [...shell.split(" "), "-c", ...rest];
    const feed = new Feed(bench.context, { saysWhere: true, argv: () => argv, read: (line) => source.read(line) }, ({ text }) =>
      heard.push(text),
    );
    await feed.open();
    await expect.poll(() => source.argv().at(-3)).toBe("4");
    appendFileSync(file, "a \\n '日本'\nb\n");
    await expect.poll(() => heard).toEqual(["a \\n '日本'", "b"]);
    await feed.close();
  });
});

describe("an app that prints", () => {
  test("is heard, and its death is a crash", async () => {
    const prints = `echo '{"type":"load_end","time_s":1}'; sleep 0.3; echo '{"type":"request_end","request":"x","time_s":2,"outcome":"oom"}'; sleep 0.3; exit 7\n`;
    const engine = await bench.engine("app", { start: [bench.script("app", prints)], events: "output", ready: "load_end" });
    expect(await engine.load()).toMatchObject({ outcome: "ok" });
    expect(await engine.ask(request())).toMatchObject({ outcome: "oom" });
    expect(await engine.ask(request())).toMatchObject({ outcome: "crash", detail: expect.stringContaining("exit code 7") });
  });

  test("needs to be started", async () => {
    await expect(bench.engine("app", { events: "output" })).rejects.toThrow(/needed where events are its output/);
  });
});

test("Android's log is read by its tag, and not twice when it is opened again", () => {
  const source = new LogcatSource("bench", "100.000");
  expect(source.argv()).toEqual(["logcat", "-v", "epoch", "-T", "100.000", "-s", "bench:V"]);
  const line = (stamp: string, message: string, tag = "bench") => `         ${stamp}  1234  5678 I ${tag.padEnd(8)}: ${message}`;
  expect(source.read("--------- beginning of main")).toBeUndefined();
  expect(source.read(line("101.500", '{"type":"token"}'))).toBe('{"type":"token"}');
  expect(source.read(line("101.500", "another: of the same time"))).toBe("another: of the same time");
  expect(source.read(line("101.600", "x", "other"))).toBeUndefined();
  expect(source.argv()).toContain("101.500");
  expect(source.read(line("101.500", '{"type":"token"}'))).toBeUndefined();
  expect(source.read(line("101.700", '{"type":"token"}'))).toBe('{"type":"token"}');
});

test("of equal lines of one time each counts, and none twice when the log is opened again", () => {
  const source = new LogcatSource("bench", "100.000");
  const token = `101.500  1234  5678 I bench   : {"type":"token"}`;
  const hear = (times: number): number =>
    Array.from({ length: times }, () => source.read(token)).filter((each) => each !== undefined).length;
  expect(hear(2)).toBe(2);
  source.argv();
  expect(hear(3)).toBe(1);
  source.argv();
  expect(hear(4)).toBe(1);
});
