import { chmod, mkdtemp, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Port, PortChunk } from "../../src/model/port.ts";
import { QUEUE_BYTES } from "../../src/ports/queue.ts";
import { openSerial } from "../../src/ports/serial.ts";
import { descriptorsOn, type Pty, startCable, startPty } from "./pty.ts";
import { drain, firstWrong, now, rejection, settled, take, within } from "./reading.ts";

const BAUD = 1_000_000;
let folder: string;
const ports: Port[] = [];
async function open(path: string): Promise<Port> {
  const port = await openSerial({ path, baud: BAUD, now });
  ports.push(port);
  return port;
}

let device: Pty;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ports-"));
  device = await startPty();
});
afterEach(async () => {
  await Promise.all(ports.splice(0).map((port) => port.close()));
  await device.stop();
  await rm(folder, { recursive: true });
});

describe("bytes", () => {
  it("passes all 256 values both ways", async () => {
    const [a, b] = [join(folder, "a"), join(folder, "b")];
    const cable = await startCable(a, b);
    onTestFinished(() => cable.stop("SIGKILL"));
    const [left, right] = [await open(a), await open(b)];
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    await left.write(all);
    expect(await within(5000, take(right, 256))).toEqual(all);
    await right.write(all);
    expect(await within(5000, take(left, 256))).toEqual(all);
    await Promise.all([left.close(), right.close()]);
  });

  it("delivers a burst of 8 MB complete and in order", async () => {
    const port = await open(device.path);
    device.tell(`burst ${8 << 20}`);
    const bytes = await within(15_000, take(port, 8 << 20));
    expect(firstWrong(bytes)).toBe(-1);
    await port.close();
  });

  it("takes more in one write than the kernel does, and keeps writes apart", async () => {
    device.tell("echo");
    const port = await open(device.path);
    const first = new Uint8Array(40_000).fill(1);
    const second = new Uint8Array(20_000).fill(2);
    const written = Promise.all([port.write(first), port.write(second)]);
    first.fill(9); // the port has its own copy
    const echoed = await within(5000, take(port, 60_000));
    await written;
    expect(echoed.subarray(0, 40_000).every((byte) => byte === 1)).toBe(true);
    expect(echoed.subarray(40_000).every((byte) => byte === 2)).toBe(true);
    await port.close();
  });

  it("stamps each chunk at its read, not when it is taken", async () => {
    const port = await open(device.path);
    const sent = now();
    expect(await device.ask("burst 4\nsent")).toMatch(/^sent/);
    await settled(() => device.ask("sent"));
    const waited = now();
    const chunks: PortChunk[] = [];
    for await (const chunk of port) {
      chunks.push(chunk);
      break;
    }
    expect(chunks[0]!.host_ns).toBeGreaterThan(sent);
    expect(chunks[0]!.host_ns).toBeLessThan(waited);
    await port.close();
  });
});

describe("a consumer that does not read", () => {
  it("bounds what is read ahead, and loses nothing", async () => {
    const port = await open(device.path);
    device.tell("stream 0");
    const sent = Number((await settled(() => device.ask("sent"))).split(" ")[1]);
    const KERNEL_BYTES = 256 * 1024; // what a pseudo-terminal may hold in both its buffers
    expect(sent).toBeGreaterThanOrEqual(QUEUE_BYTES);
    expect(sent).toBeLessThan(QUEUE_BYTES + KERNEL_BYTES);
    const bytes = await within(10_000, take(port, 3 * QUEUE_BYTES));
    expect(firstWrong(bytes)).toBe(-1);
    await port.close();
  });
});

describe("a device that takes nothing", () => {
  it("is written to within a bound, then refuses", async () => {
    const port = await open(device.path);
    const piece = new Uint8Array(32_768);
    const writes: Promise<unknown>[] = [];
    const outcome = within(
      5000,
      (async () => {
        while (true) {
          const write = port.write(piece);
          writes.push(write.catch((error: unknown) => error));
          await Promise.race([write, new Promise((resolve) => setTimeout(resolve, 20))]);
        }
      })(),
    );
    await expect(outcome).rejects.toMatchObject({ kind: "link", message: expect.stringContaining("takes nothing") });
    await within(2000, port.close());
    await within(2000, Promise.all(writes));
  });
});

describe("closing", () => {
  it("ends a pending iteration normally, also on a silent port", async () => {
    const port = await open(device.path);
    const end = drain(port);
    await within(2000, port.close());
    expect(await within(2000, end)).toBeUndefined();
    expect(await descriptorsOn(device.path)).toBe(0);
  });

  it("may be done twice, and refuses later writes", async () => {
    const port = await open(device.path);
    await Promise.all([port.close(), port.close()]);
    await port.close();
    expect(await rejection(port.write(new Uint8Array(1)))).toMatchObject({ kind: "link", message: expect.stringContaining("closed") });
  });

  it("lets the port be opened again under the same name, even if it is another device then", async () => {
    const link = join(folder, "meter");
    await symlink(device.path, link);
    const first = await open(link);
    await first.close();
    const other = await startPty();
    await unlink(link);
    await symlink(other.path, link);
    const second = await open(link);
    other.tell("burst 1000");
    expect(firstWrong(await within(5000, take(second, 1000)))).toBe(-1);
    await second.close();
    await other.stop();
  });
});

describe("opening", () => {
  it("refuses a path that does not exist, and says which ports do", async () => {
    const error = await rejection(open(join(folder, "ttyUSB7")));
    expect(error).toMatchObject({ kind: "link", subject: join(folder, "ttyUSB7") });
    expect((error as Error).message).toMatch(
      /does not exist; plug it in or correct the port in the rig\. (This machine has no|Ports of this)/,
    );
  });

  it.each([
    ["a regular file", async (path: string) => writeFile(path, "x"), "a regular file"],
    ["a folder", async () => {}, "a folder"],
  ])("refuses %s", async (_, make, what) => {
    const path = what === "a folder" ? folder : join(folder, "file");
    await make(path);
    expect(await rejection(open(path))).toMatchObject({
      kind: "config",
      message: expect.stringContaining(`is not a serial port but ${what}`),
    });
  });

  it("refuses a baud rate that is none", async () => {
    const opening = openSerial({ path: device.path, baud: 0, now });
    expect(await rejection(opening)).toMatchObject({ kind: "config", message: expect.stringContaining("correct it in the rig") });
  });

  it("refuses a device that is no terminal", async () => {
    expect(await rejection(open("/dev/null"))).toMatchObject({ kind: "config", message: expect.stringContaining("is not a serial port") });
  });

  it("refuses a second opening while the first lasts, and names who holds it", async () => {
    const port = await open(device.path);
    const error = await rejection(open(device.path));
    expect(error).toMatchObject({ kind: "link", message: expect.stringContaining("is busy: held by ") });
    expect((error as Error).message).toContain("this process itself");
    device.tell("burst 100");
    expect(firstWrong(await within(5000, take(port, 100)))).toBe(-1); // the first is none the worse
    await port.close();
    await (await open(device.path)).close();
  });

  it("tells a missing permission from one that is yet to come", async () => {
    await chmod(device.path, 0o600);
    expect(await rejection(asNobody(() => open(device.path)))).toMatchObject({ kind: "link", message: expect.stringContaining("yet") });
    expect(await rejection(asNobody(() => open("/dev/cpu_dma_latency")))).toMatchObject({
      kind: "config",
      message: expect.stringContaining("dialout"),
    });
  });
});

/** Runs as root and gives it up meanwhile; where the tests do not run as root they lack permission anyway. */
async function asNobody<T>(action: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return action();
  process.seteuid!(65534);
  try {
    return await action();
  } finally {
    process.seteuid!(0);
  }
}
