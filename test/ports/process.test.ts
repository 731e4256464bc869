import { readFile } from "node:fs/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { Port } from "../../src/model/port.ts";
import { openPort } from "../../src/ports/index.ts";
import { QUEUE_BYTES } from "../../src/ports/queue.ts";
import { drain, firstWrong, now, rejection, settled, take, within } from "./reading.ts";

const ports: Port[] = [];
/** Runs a line of JavaScript. */
async function run(code: string): Promise<Port> {
  const port = await openPort({ kind: "process", argv: [process.execPath, "-e", code] }, now);
  ports.push(port);
  return port;
}
afterEach(() => Promise.all(ports.splice(0).map((port) => port.close())));

const ECHO = "process.stdin.pipe(process.stdout)";
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
async function pidOf(port: Port): Promise<number> {
  return Number(Buffer.from(await take(port, 7)).toString());
}
const SAY_PID = "process.stdout.write(String(process.pid).padStart(7));";

describe("bytes", () => {
  it("passes all 256 values both ways", async () => {
    const port = await run(ECHO);
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    await port.write(all);
    expect(await within(5000, take(port, 256))).toEqual(all);
  });

  it("holds a program back that nobody reads, and loses nothing", async () => {
    // When told to, sends words 0, 1, 2, ... as fast as they are taken.
    const port = await run(`${SAY_PID} const PIECE = 65536; let at = 0;
      const send = () => {
        const piece = Buffer.alloc(PIECE);
        for (let i = 0; i < PIECE; i += 4) piece.writeUInt32LE((at + i) / 4, i);
        at += PIECE;
        if (at < ${32 << 20}) process.stdout.write(piece, send);
      };
      process.stdin.once("data", send);`);
    const pid = await within(5000, pidOf(port));
    await port.write(new Uint8Array(1));
    const written = async () => /wchar: (\d+)/.exec(await readFile(`/proc/${pid}/io`, "utf8"))![1]!;
    while (Number(await written()) < QUEUE_BYTES) await new Promise((resolve) => setTimeout(resolve, 10));
    const sent = Number(await settled(written));
    const IN_PIPES = 1 << 20; // the kernel's socket buffers and one read of ours
    expect(sent).toBeLessThan(QUEUE_BYTES + IN_PIPES);
    expect(firstWrong(await within(10_000, take(port, 8 << 20)))).toBe(-1);
  });
});

describe("the end of the program", () => {
  it("gives the exit code and what it said, after the bytes it had sent", async () => {
    const port = await run('process.stdout.write("last"); console.error("no firmware at x.hex"); process.exitCode = 3');
    let text = "";
    const end = await within(
      5000,
      drain(port, ({ bytes }) => (text += Buffer.from(bytes))),
    );
    expect(text).toBe("last");
    expect(end).toMatchObject({ kind: "link", subject: process.execPath });
    expect((end as Error).message).toContain("ended with exit code 3; its standard error ends: no firmware at x.hex");
    expect(await rejection(port.write(new Uint8Array(1)))).toBe(end);
  });

  it("keeps only the tail of a long standard error", async () => {
    const port = await run('process.stderr.write("x".repeat(1e6) + "the reason"); process.exitCode = 1');
    const { message } = (await within(5000, drain(port))) as Error;
    expect(message).toContain("the reason");
    expect(message.length).toBeLessThan(3000);
  });

  it("names the signal that ended it", async () => {
    const port = await run(`${SAY_PID} process.stdin.resume()`);
    process.kill(await within(5000, pidOf(port)), "SIGKILL");
    expect(await within(5000, drain(port))).toMatchObject({ kind: "link", message: expect.stringContaining("was ended by SIGKILL") });
  });

  it("is noticed although a child of its own keeps the output open", async () => {
    const port = await run(`const c = require("node:child_process").spawn("sleep", ["30"], { stdio: "inherit" });
      process.stdout.write(String(c.pid).padStart(7), () => process.exit(5));`);
    const orphan = await within(5000, pidOf(port));
    expect(await within(5000, drain(port))).toMatchObject({ message: expect.stringContaining("exit code 5") });
    process.kill(orphan);
  });

  it("is what closing its output means, also when it lives on", async () => {
    const port = await run(`${SAY_PID} require("node:fs").closeSync(1); process.stdin.resume(); setInterval(() => {}, 1000)`);
    const pid = await within(5000, pidOf(port));
    expect(await within(5000, drain(port))).toMatchObject({ message: expect.stringContaining("closed its standard") });
    await within(5000, port.close());
    expect(isAlive(pid)).toBe(false);
  });

  it("makes a write fail with the same error", async () => {
    const port = await run("process.exitCode = 4");
    const end = await within(5000, drain(port));
    expect(await rejection(port.write(new Uint8Array(1 << 20)))).toBe(end);
  });
});

describe("closing", () => {
  it("ends program and iteration, and may be done twice", async () => {
    const port = await run(`${SAY_PID} process.stdin.resume(); setInterval(() => {}, 1000)`);
    const pid = await within(5000, pidOf(port));
    const end = drain(port);
    await within(5000, Promise.all([port.close(), port.close()]));
    expect(await end).toBeUndefined();
    expect(isAlive(pid)).toBe(false);
  });

  it("ends a program that ignores the request", async () => {
    const port = await run(`process.on("SIGTERM", () => {}); ${SAY_PID} setInterval(() => {}, 1000)`);
    const pid = await within(5000, pidOf(port));
    await within(5000, port.close());
    expect(isAlive(pid)).toBe(false);
  });
});

describe("a program that takes nothing", () => {
  it("is written to within a bound, then refuses", async () => {
    const port = await run(`${SAY_PID} setInterval(() => {}, 1000)`);
    await within(5000, pidOf(port));
    const stuck = port.write(new Uint8Array(4 << 20)).catch((error: unknown) => error);
    expect(await rejection(port.write(new Uint8Array(1)))).toMatchObject({
      kind: "link",
      message: expect.stringContaining("takes nothing"),
    });
    await port.close();
    expect(await within(5000, stuck)).toMatchObject({ kind: "link", message: expect.stringContaining("closed") });
  });
});

describe("starting", () => {
  it("refuses a program that is not there, or none at all", async () => {
    const open = (argv: readonly string[]) => rejection(openPort({ kind: "process", argv }, now));
    expect(await open(["/nowhere/firmware"])).toMatchObject({ kind: "config", message: expect.stringContaining("cannot be started") });
    expect(await open([])).toMatchObject({ kind: "config" });
  });
});
