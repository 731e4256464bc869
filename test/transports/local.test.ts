import { afterEach, expect, test } from "vitest";
import type { Channel, Line, Transport } from "../../src/model/transport.ts";
import { transports } from "../../src/transports/index.ts";
import { CUT_MARK, LINE_BYTES } from "../../src/transports/lines.ts";

const kind = transports.find((each) => each.kind === "local")!;
const open: Transport[] = [];
let ticks = 0;

async function transport(options: object = {}): Promise<Transport> {
  const opened = await kind.open({ kind: "local", ...options }, () => ++ticks);
  open.push(opened);
  return opened;
}

/** A command that runs JavaScript: a real process that does exactly what a test needs. */
async function run(script: string, options: object = {}): Promise<Channel> {
  return (await transport(options)).open([process.execPath, "-e", script]);
}

async function texts(lines: AsyncIterable<Line>, enough = Number.POSITIVE_INFINITY): Promise<string[]> {
  const found: string[] = [];
  for await (const { text } of lines) if (found.push(text) >= enough) break;
  return found;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

test("lines go both ways, whatever their characters and however they are chopped", async () => {
  const channel = await run(
    `process.stdin.on("data", (d) => process.stdout.write("got " + d)).on("end", () => process.stdout.write("no newline"))`,
  );
  await channel.write("Grüße €");
  expect(await texts(channel.lines, 1)).toEqual(["got Grüße €"]);
  await channel.write("a; rm -rf / $(b)");
  expect(await texts(channel.lines, 1)).toEqual(["got a; rm -rf / $(b)"]);
  await channel.close();
  expect(await texts(channel.lines)).toEqual(["no newline"]);
  expect(await channel.exit).toBe(0);
  await expect(channel.write("two\nlines")).rejects.toThrow(RangeError);
});

test("arguments reach the command as they are, never through a shell", async () => {
  const argv = ["$HOME", "a b", "'", "`id`", "", "*"];
  const channel = await (await transport()).open([
    process.execPath,
    "-e",
    "console.log(JSON.stringify(process.argv.slice(1)))",
    "--",
    ...argv,
  ]);
  expect(await texts(channel.lines)).toEqual([JSON.stringify(argv)]);
});

test("lines are stamped by the clock given, in order", async () => {
  const channel = await run(`console.log("a"); console.log("b")`);
  const stamps: number[] = [];
  for await (const { host_ns } of channel.lines) stamps.push(host_ns);
  expect(stamps).toHaveLength(2);
  expect(stamps[1]).toBeGreaterThanOrEqual(stamps[0]!);
  expect(stamps[0]).toBeGreaterThan(0);
});

test.each([
  ["a command that does not exist", ["no-such-command-4711"], {}, /^no-such-command-4711: command not found/],
  ["a file that is no program", ["/etc/passwd"], {}, /not executable/],
  ["a folder that does not exist", [process.execPath], { folder: "/no/such/folder" }, /no folder \/no\/such\/folder/],
  ["an argument with a NUL", [process.execPath, "a\0b"], {}, /NUL/],
  ["no command", [], {}, /no command given/],
])("%s is a mistake of the rig", async (_, argv, options, message) => {
  const opened = await transport(options);
  await expect(opened.open(argv)).rejects.toMatchObject({ kind: "config", message: expect.stringMatching(message) });
});

test("a command that dies leaves its exit code, its lines and its complaint", async () => {
  const channel = await run(`console.log("last"); console.error("no model here"); process.exitCode = 3`);
  expect(await texts(channel.lines)).toEqual(["last"]);
  expect(await channel.exit).toBe(3);
  await expect.poll(() => channel.complaint()).toBe("no model here");
  await expect(channel.write("ping 1")).rejects.toMatchObject({
    kind: "link",
    message: expect.stringMatching(/exit code 3; it said: no model here$/),
  });
  await channel.close();
});

test("only the end of a long complaint is kept", async () => {
  const channel = await run(`process.stderr.write("x".repeat(1e6) + "the reason")`);
  await channel.exit;
  await expect.poll(() => channel.complaint()).toMatch(/^x{4086}the reason$/);
});

test("a line of 10 MB is cut and marked, and the next one is whole", async () => {
  const channel = await run(`process.stdout.write("x".repeat(10e6) + "\\nnext\\n")`);
  const [long, next, ...more] = await texts(channel.lines);
  expect([long?.length, long?.endsWith(CUT_MARK), next, more.length]).toEqual([LINE_BYTES + CUT_MARK.length, true, "next", 0]);
});

test("an eager command waits for its reader, and nothing is lost", async () => {
  const channel = await run(`
    let n = 0, written = 0;
    const more = () => { while (n < 300000) { written += 8; if (!process.stdout.write(String(n++).padStart(7, "0") + "\\n")) return process.stdout.once("drain", more); } };
    more();
    setInterval(() => process.stderr.write(n + "\\n"), 50).unref();`);
  await expect
    .poll(() => channel.complaint().split("\n").slice(-3), { timeout: 5000 })
    .toSatisfy((said: string[]) => said.length === 3 && new Set(said).size === 1);
  expect(Number(channel.complaint().split("\n").at(-1))).toBeLessThan(200_000);
  let next = 0;
  for await (const { text } of channel.lines) if (Number(text) === next) next++;
  expect(next).toBe(300_000);
});

test("a reader that never comes does not keep the command from being closed", async () => {
  const channel = await run(
    `const more = () => { while (process.stdout.write("x".repeat(1000) + "\\n")); process.stdout.once("drain", more); }; more()`,
  );
  await channel.close();
  expect(await channel.exit).toBeNull();
  // What was read ahead and no more, however much it printed while it was being ended.
  expect((await texts(channel.lines)).length).toBeLessThan(1300);
});

test("a command that heeds neither the end of its input nor SIGTERM is killed", async () => {
  const channel = await run(`process.on("SIGTERM", () => console.log("no")); setInterval(() => {}, 1000); console.log(process.pid)`);
  const [pid] = await texts(channel.lines, 1);
  await channel.close();
  expect(await channel.exit).toBeNull();
  expect(() => process.kill(Number(pid), 0)).toThrow(/ESRCH/);
  expect(await texts(channel.lines)).toEqual(["no"]);
});

test("input that nobody reads is refused once it is too much", async () => {
  const channel = await run("setInterval(() => {}, 1000)");
  const writes = Array.from({ length: 300 }, () => channel.write("x".repeat(1000)));
  await expect(
    Promise.any(
      writes.map((each) =>
        each.then(
          () => Promise.reject(),
          (error) => error,
        ),
      ),
    ),
  ).resolves.toMatchObject({
    kind: "link",
    message: expect.stringMatching(/does not read its standard input/),
  });
  await channel.close();
  await Promise.allSettled(writes);
});

test("identity names the machine", async () => {
  expect(await (await transport()).identity()).toMatchObject({ transport: "local", system: expect.stringMatching(/./) });
});
