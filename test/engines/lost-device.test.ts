import { afterEach, beforeEach, expect, test } from "vitest";
import { engines } from "../../src/engines/index.ts";
import { JoulebenchError } from "../../src/model/errors.ts";
import type { Channel, Transport } from "../../src/model/transport.ts";
import { Bench, freePort, program, request } from "./bench.ts";

/** A link to this machine that can be cut: what runs on the device runs on, and nobody hears of it. */
class CuttableLink implements Transport {
  readonly #device: Transport;
  readonly #lost: Promise<never>;
  #isLost = false;
  #connections = 0;
  /** Cut while a command of these words is started: it runs, and nobody is told. */
  cutsAt: string | undefined;
  cut: () => void = () => {};

  constructor(device: Transport) {
    this.#device = device;
    this.#lost = new Promise((_, reject) => {
      this.cut = () => {
        this.#isLost = true;
        reject(new JoulebenchError("link", "device", "the link was lost"));
      };
    });
    this.#lost.catch(() => undefined);
  }

  /** Channels from before the cut are dead, and letting go of them ends nothing. */
  async open(argv: readonly string[]): Promise<Channel> {
    const channel = await this.#device.open(argv);
    if (this.cutsAt !== undefined && argv.includes(this.cutsAt)) {
      this.cutsAt = undefined;
      this.cut();
      await this.#lost;
    }
    if (this.#isLost) return channel;
    return {
      lines: channel.lines,
      write: (line) => channel.write(line),
      endInput: () => channel.endInput(),
      exit: Promise.race([channel.exit, this.#lost]),
      complaint: () => channel.complaint(),
      close: async () => (this.#isLost ? undefined : channel.close()),
    };
  }

  /** Back at once, before anybody has noticed; forwards from before lead nowhere. */
  reconnect(): Promise<void> {
    this.#connections++;
    return Promise.resolve();
  }

  async forward(port: number): ReturnType<NonNullable<Transport["forward"]>> {
    const connection = this.#connections;
    const isLost = (): boolean => this.#isLost || connection !== this.#connections;
    const nowhere = await freePort();
    return {
      host: "127.0.0.1",
      get port() {
        return isLost() ? nowhere : port;
      },
      close: async () => {},
    };
  }

  identity(): ReturnType<Transport["identity"]> {
    return this.#isLost ? this.#lost : this.#device.identity();
  }

  async close(): Promise<void> {}
}

let bench: Bench;
let link: CuttableLink;

beforeEach(async () => {
  bench = await Bench.open();
  link = new CuttableLink(bench.transport);
});

afterEach(() => bench.close());

async function open(kind: string, options: object) {
  const found = engines.find((engine) => engine.kind === kind)!;
  return found.open(found.options.parse(options), { ...bench.context, transport: link });
}

test("a server is not asked over a lost link, and is ended by its mark over the next", async () => {
  const engine = await open("llama-server", { path: program("llama-server"), model: bench.model(), port: await freePort() });
  expect(await engine.load()).toMatchObject({ outcome: "ok" });
  expect(bench.processes()).not.toEqual([]);
  link.cut();
  await expect(engine.ask(request({ prompt: "x" }))).rejects.toMatchObject({ kind: "link" });
  expect(bench.processes()).not.toEqual([]);
  await engine.close();
  expect(bench.processes()).toEqual([]);
});

test("a server whose start was lost is ended over the next link", async () => {
  const model = bench.model();
  const engine = await open("llama-server", {
    path: bench.script("server", "trap '' HUP; while :; do sleep 0.1; done\n"),
    model,
    port: await freePort(),
  });
  link.cutsAt = model;
  await expect(engine.load()).rejects.toMatchObject({ kind: "link" });
  expect(bench.processes()).not.toEqual([]);
  await engine.close();
  expect(bench.processes()).toEqual([]);
});

test("an attached server behind a lost link is an error of the link", async () => {
  const port = await freePort();
  const server = await bench.engine("llama-server", { path: program("llama-server"), model: bench.model(), port });
  await server.load();
  const engine = await open("llama-server", { attach: true, port });
  await engine.load();
  link.cut();
  await expect(engine.ask(request({ prompt: "x" }))).rejects.toMatchObject({ kind: "link" });
});

test("an attached server is asked again over a link that was made anew", async () => {
  const port = await freePort();
  const server = await bench.engine("llama-server", { path: program("llama-server"), model: bench.model(), port });
  await server.load();
  const engine = await open("llama-server", { attach: true, port });
  await engine.load();
  // One request is under way when the link is lost and back, before anybody has noticed; the next one comes after it.
  const asked = engine.ask(request({ prompt: "x", outputTokens: 2 }));
  await link.reconnect();
  await expect(asked).rejects.toMatchObject({ kind: "link", message: expect.stringContaining("lost in the middle of an answer") });
  expect(await engine.ask(request({ prompt: "x", outputTokens: 2 }))).toMatchObject({ outcome: "ok" });
  await engine.close();
});

test("a run on a lost device is an error of the link, not an answer", async () => {
  const engine = await open("command", { argv: [bench.script("run", "sleep 1\n")] });
  const asked = engine.ask(request());
  await expect.poll(() => bench.events.length).toBe(1);
  link.cut();
  await expect(asked).rejects.toMatchObject({ kind: "link" });
  await expect.poll(() => bench.processes()).toEqual([]);
});
