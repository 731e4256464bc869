import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Channel } from "../../src/model/transport.ts";
import { DurableChannel, type ShellTransport } from "../../src/transports/durable-channel.ts";
import { transports } from "../../src/transports/index.ts";
import { CuttableLink, LOST } from "./cuttable-link.ts";

const base = mkdtempSync(join(tmpdir(), "joulebench-durable-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** The shells and tools of the devices there are: Debian's, Android's, busybox's. */
const USERLANDS = ["debian", "android", "busybox"] as const;

/** A folder whose programs stand before Debian's in PATH. */
function userland(name: (typeof USERLANDS)[number]): string {
  const folder = mkdtempSync(join(base, `${name}-`));
  const program = (tool: string, argv: string): void =>
    writeFileSync(join(folder, tool), `#!/bin/dash\nexec ${argv} "$@"\n`, { mode: 0o755 });
  const tools = ["tail", "cat", "wc", "mkdir", "setsid", "rm", "sleep", "kill"];
  if (name === "android") program("sh", "/usr/bin/mksh");
  if (name === "busybox") program("sh", "/usr/bin/busybox sh");
  const box = { debian: "", android: "/usr/bin/toybox", busybox: "/usr/bin/busybox" }[name];
  if (box) for (const tool of tools) if (name !== "android" || tool !== "kill") program(tool, `${box} ${tool}`);
  return folder;
}

const links: CuttableLink[] = [];
const channels: DurableChannel[] = [];
afterEach(async () => {
  for (const each of links) each.isCut = false;
  await Promise.all(channels.splice(0).map((each) => each.close()));
  await Promise.all(links.splice(0).map((each) => each.close()));
});

describe.each(USERLANDS)("on a device with the shell and tools of %s, a command", (name) => {
  let link: CuttableLink;
  let scratch: string;

  beforeEach(async () => {
    scratch = mkdtempSync(join(base, "tmp-"));
    const environment = { PATH: `${userland(name)}:${process.env.PATH}`, TMPDIR: scratch };
    const local = await transports.find((each) => each.kind === "local")!.open({ environment }, () => Number(process.hrtime.bigint()));
    link = new CuttableLink(local as ShellTransport);
    links.push(link);
  });

  async function script(text: string, ...parameters: string[]): Promise<DurableChannel> {
    const channel = await DurableChannel.start(link as ShellTransport, ["sh", "-c", text, "sh", ...parameters]);
    channels.push(channel);
    return channel;
  }

  const folderOf = (): string => join(scratch, readdirSync(scratch)[0]!);

  async function take(channel: Channel, enough: number): Promise<string[]> {
    const texts: string[] = [];
    for await (const { text } of channel.lines) if (texts.push(text) >= enough) break;
    return texts;
  }

  test("takes lines, prints lines, and its exit code and last words come through", async () => {
    const channel = await script('echo ready; read -r a; echo "got $a"; echo why >&2; exit 7');
    expect(await take(channel, 1)).toEqual(["ready"]);
    await channel.write("a $(b) 'c' \"d\"");
    expect(await take(channel, 1)).toEqual([`got a $(b) 'c' "d"`]);
    expect(await channel.exit).toBe(7);
    expect(channel.complaint()).toBe("why");
    await channel.close();
    expect(readdirSync(scratch)).toEqual([]);
  });

  test("gets its arguments as they are", async () => {
    const argv = ["-n", "a b", "$HOME", "`id`", "'", '"', "", "*", "two\nlines"];
    const channel = await script('for each; do printf "%s|" "$each"; done; echo', ...argv);
    const lines = await take(channel, 2);
    expect(lines.join("\n")).toBe(`${argv.join("|")}|`);
    expect(await channel.exit).toBe(0);
    await channel.close();
  });

  test("outlives its link: no line is lost, none comes twice, and what was written meanwhile arrives", async () => {
    const channel = await script(
      'n=0; while read -r word; do while [ $n -lt "$word" ]; do n=$((n + 1)); echo "line $n"; done; done; echo end',
    );
    await channel.write("500");
    const before = await take(channel, 500);
    await link.cut();
    // The command goes on: what it is asked now, it finds when the link is back.
    await channel.write("1000").catch(() => undefined);
    link.isCut = false;
    await channel.resume(() => {}, false);
    const after = await take(channel, 500);
    expect([...before, ...after]).toEqual(Array.from({ length: 1000 }, (_, k) => `line ${k + 1}`));
    await channel.close();
    expect(await channel.exit).toBe(0);
    expect(await take(channel, 9)).toContain("end");
  });

  /** Cuts the link just before the `nth` command of a start: where to, make and start, follow, feed. */
  function cutBefore(nth: number): void {
    let calls = 0;
    link.before = async () => {
      if (++calls === nth) await link.cut();
    };
  }

  test("whose link is lost before there is a folder fails, and leaves nothing", async () => {
    cutBefore(1);
    await expect(script("read -r end")).rejects.toBe(LOST);
    expect(readdirSync(scratch)).toEqual([]);
  });

  test("whose link is lost before it starts has ended when the link is back", async () => {
    cutBefore(2);
    const channel = await script("read -r end");
    link.isCut = false;
    await channel.resume(() => {}, false);
    expect(await channel.exit).toBeNull();
    await channel.close();
    expect(readdirSync(scratch)).toEqual([]);
  });

  test.each([3, 4])("whose link is lost once it has started is heard when the link is back (command %i)", async (nth) => {
    cutBefore(nth);
    const channel = await script("echo one; read -r word; echo $word; read -r end");
    expect(folderOf()).toBe(channel.folder);
    link.isCut = false;
    await channel.write("two");
    await channel.resume(() => {}, false);
    expect(await take(channel, 2)).toEqual(["one", "two"]);
    await channel.close();
    expect(readdirSync(scratch)).toEqual([]);
  });

  test("whose link is lost as it starts is tidied up by closing it when the link is back", async () => {
    cutBefore(3);
    const channel = await script("read -r end");
    link.isCut = false;
    await channel.close();
    expect(readdirSync(scratch)).toEqual([]);
  });

  test("whose start is cut off before its answer came is heard when the link is back", async () => {
    let calls = 0;
    link.before = async (argv) => {
      if (++calls !== 2) return;
      link.before = async () => {};
      await link.run(argv);
      await link.cut();
    };
    const channel = await script("echo one; read -r end");
    link.isCut = false;
    await channel.resume(() => {}, false);
    expect(await take(channel, 1)).toEqual(["one"]);
    await channel.close();
    expect(readdirSync(scratch)).toEqual([]);
  });

  test("whose channel is refused by a link that is there leaves nothing", async () => {
    let calls = 0;
    link.before = async () => {
      if (++calls === 4) throw LOST;
    };
    await expect(script("read -r end")).rejects.toBe(LOST);
    expect(readdirSync(scratch)).toEqual([]);
  });

  test("that ended while the link was away is read to its end", async () => {
    const go = join(scratch, "..", `go-${name}`);
    const channel = await script('echo one; until [ -e "$1" ]; do sleep 0.05; done; echo two; exit 3', go);
    expect(await take(channel, 1)).toEqual(["one"]);
    const folder = folderOf();
    await link.cut();
    writeFileSync(go, "");
    await expect.poll(() => readFileSync(join(folder, "out"), "utf8")).toContain("joulebench_exit");
    link.isCut = false;
    await channel.resume(() => {}, false);
    expect((await take(channel, 9)).filter(Boolean)).toEqual(["two"]);
    expect(await channel.exit).toBe(3);
    await channel.close();
  });

  test("that a reboot took is gone; what it had said is kept", async () => {
    const channel = await script("echo one; echo two; sleep 60");
    expect(await take(channel, 1)).toEqual(["one"]);
    await link.cut();
    link.isCut = false;
    await channel.resume(() => {}, true);
    expect(await take(channel, 9)).toEqual(["two"]);
    expect(await channel.exit).toBeNull();
    await channel.close();
  });

  test("that is given a line later gets it once, from the device alone, also when the link comes back before", async () => {
    const channel = await script('while read -r word; do echo "got $word"; done');
    await channel.writeLater("late", 2);
    await link.cut();
    link.isCut = false;
    await channel.resume(() => {}, false);
    await channel.write("now");
    expect(await take(channel, 2)).toEqual(["got now", "got late"]);
    await link.cut();
    await channel.write("after").catch(() => undefined);
    link.isCut = false;
    await channel.resume(() => {}, false);
    expect(await take(channel, 1)).toEqual(["got after"]);
    await channel.close();
    expect((await take(channel, 9)).filter(Boolean)).toEqual([]);
  });

  test("that is closed before a line for later is due takes along who waits with it", async () => {
    const channel = await script("read -r word");
    await channel.writeLater("late", 60);
    const waiting = (): string[] => readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && isSleeper(pid, channel.folder));
    await expect.poll(waiting).toHaveLength(1);
    await channel.close();
    await expect.poll(waiting).toEqual([]);
    expect(readdirSync(scratch)).toEqual([]);
  });

  test("whose name is an option to a shell is a mistake of the rig", async () => {
    await expect(DurableChannel.start(link as ShellTransport, ["-a", "other", "sh"])).rejects.toMatchObject({
      kind: "config",
      message: expect.stringMatching(/^-a: a command cannot begin with a dash/),
    });
    expect(readdirSync(scratch)).toEqual([]);
  });

  test("that does not end by itself is ended, with all it has started, and nothing is left", async () => {
    const channel = await script('trap "" TERM; sleep 61 & echo "$$ $!"; while :; do sleep 0.1; done');
    const pids = (await take(channel, 1))[0]!.split(" ");
    await channel.close();
    for (const pid of pids) expect(isRunning(pid), `process ${pid}`).toBe(false);
    expect(existsSync(scratch) ? readdirSync(scratch) : []).toEqual([]);
  });
});

/** Whether the shell runs that feeds a line to the command of this folder later. */
function isSleeper(pid: string, folder: string): boolean {
  try {
    const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return argv.includes(folder) && argv.includes("late");
  } catch {
    return false; // It has ended meanwhile.
  }
}

/** A process that is no zombie. */
function isRunning(pid: string): boolean {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && !/\) Z /.test(readFileSync(path, "utf8"));
}
