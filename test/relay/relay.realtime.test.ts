import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Delays, type Relay, startRelay } from "./relay.ts";

let echo: Server;
let relay: Relay;
const open: Socket[] = [];

beforeEach(async () => {
  echo = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  }).listen(0, "127.0.0.1");
  await once(echo, "listening");
});
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  await relay?.stop();
  echo.close();
});

const start = async (delays: Delays, seed = 1): Promise<void> => {
  relay = await startRelay({ to: (echo.address() as AddressInfo).port, seed, ...delays });
};

async function dial(port = relay.port): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
  open.push(socket);
  await once(socket, "connect");
  return socket;
}

/** Round trips in s, one after the other, in ascending order. */
async function roundTrips(socket: Socket, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const from = performance.now();
    socket.write("x");
    await once(socket, "data");
    times.push((performance.now() - from) / 1e3);
  }
  return times.sort((a, b) => a - b);
}

describe("delays", () => {
  test("are those asked for, to 0.2 ms", async () => {
    await start({ there_s: 3e-3, back_s: 1e-3 });
    const direct = await roundTrips(await dial((echo.address() as AddressInfo).port), 200);
    const delayed = await roundTrips(await dial(), 200);
    const { count, p50_s } = await relay.lateness();
    expect(count).toBe(400);
    expect(p50_s).toBeLessThan(0.2e-3);
    expect(delayed[0]).toBeGreaterThanOrEqual(4e-3);
    expect(delayed[0]! - direct[0]!).toBeLessThan(4e-3 + 2 * 0.2e-3);
  });

  test("differ by the jitter, the same for the same seed", async () => {
    await start({ there_s: 4e-3, back_s: 0, jitter_s: 3e-3 }, 7);
    const times = await roundTrips(await dial(), 200);
    expect(times[0]).toBeGreaterThan(1e-3);
    expect(times[0]).toBeLessThan(2e-3);
    // Back is early half of the time, which is at once: 4 ms and 0.75 ms on the mean.
    expect(times[100]).toBeGreaterThan(3.5e-3);
    expect(times[190]).toBeGreaterThan(6e-3);
    await relay.set({ there_s: 0, back_s: 0 });
    expect((await roundTrips(await dial(), 100))[50]).toBeLessThan(1e-3);
  });

  test("keep the order, and 20 MB whole", async () => {
    await start({ there_s: 2e-3, back_s: 2e-3, jitter_s: 2e-3 });
    const socket = await dial();
    const sent = Buffer.from(Uint32Array.from({ length: 5e6 }, (_, i) => i).buffer);
    socket.end(sent);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  });
});

test("a silent network loses nothing", async () => {
  await start({ there_s: 0, back_s: 0 });
  const socket = await dial();
  await relay.silence();
  socket.write("held");
  const heard = once(socket, "data").then(([data]) => String(data));
  const late = await dial();
  late.write("held too");
  const lateHeard = once(late, "data").then(([data]) => String(data));
  expect(await Promise.race([heard, lateHeard, new Promise((resolve) => setTimeout(resolve, 200, "nothing"))])).toBe("nothing");
  await relay.resume();
  expect(await Promise.all([heard, lateHeard])).toEqual(["held", "held too"]);
});

test("a cut one resets, and refuses until it is back", async () => {
  await start({ there_s: 1e-3, back_s: 0 });
  const socket = await dial();
  const failed = new Promise((resolve) => socket.once("error", resolve));
  await relay.cut();
  expect(await failed).toMatchObject({ code: "ECONNRESET" });
  await expect(dial()).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await relay.resume();
  expect(await roundTrips(await dial(), 1)).toHaveLength(1);
});
