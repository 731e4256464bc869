import { expect, test } from "vitest";
import type { Transport } from "../../src/model/transport.ts";
import { commandsOf } from "../../src/session/device-commands.ts";
import { Settings } from "../../src/session/settings.ts";
import { between, type Random, seeded } from "../../src/simulate/random.ts";
import { transports } from "../../src/transports/index.ts";
import { experiment, rigWith } from "../rig/plan-engine.ts";

const COUNT = 10_000;
/** Arguments of one process. */
const AT_ONCE = 1000;

/** What shells, option parsers, YAML and JSON each take for something else. */
const PIECES = [
  "'",
  '"',
  "`",
  "$()",
  "$(reboot)",
  "$HOME",
  "\\",
  "\n",
  "\r\n",
  "\t",
  " ",
  "-",
  "--",
  "-rf",
  "*",
  "?",
  ";",
  "&&",
  "|",
  ">",
  "<",
  "#",
  "!",
  "%s",
  "~",
  "=",
  ": ",
  "- ",
  "[",
  "{",
  "null",
  "yes",
  "0x1f",
  "é",
  "日本",
  "😀",
  "\u007f",
  "\u2028",
  "/",
  "..",
  "a",
];

function strange(random: Random): string {
  const length = Math.floor(between(random, 1, 9));
  return Array.from({ length }, () => PIECES[Math.floor(random() * PIECES.length)]).join("");
}

/** Prints its arguments as one line of JSON. */
const ECHO = [process.execPath, "-e", "console.log(JSON.stringify(process.argv.slice(1)))", "--"];

async function withLocal<T>(act: (transport: Transport) => Promise<T>): Promise<T> {
  const local = await transports.find(({ kind }) => kind === "local")!.open({ kind: "local" }, () => 0);
  try {
    return await act(local);
  } finally {
    await local.close();
  }
}

test(`${COUNT} strange texts of a plan reach commands as the single arguments they are`, { timeout: 120_000 }, async () => {
  const random = seeded(41);
  const texts = Array.from({ length: COUNT }, () => strange(random));
  const settings = Array.from({ length: COUNT / AT_ONCE / 2 }, (_, i) => {
    const part = texts.slice(i * 2 * AT_ONCE, (i + 1) * 2 * AT_ONCE);
    return { set: [...ECHO, ...part.slice(0, AT_ONCE)], restore: [...ECHO, ...part.slice(AT_ONCE)] };
  });
  const [cell] = experiment(JSON.stringify({ settings }), rigWith("command: [x]")).cells;
  expect(cell!.plan.settings).toEqual(settings);
  const received: string[] = [];
  await withLocal(async (transport) => {
    const device = commandsOf(transport, "local");
    for (const { set, restore } of cell!.plan.settings)
      for (const argv of [set, restore]) received.push(...(JSON.parse((await device.run(argv)).output) as string[]));
  });
  expect(received).toEqual(texts);
});

test("so do the arguments of a command workload and the options of an engine, which its driver is given", () => {
  const random = seeded(42);
  for (let i = 0; i < 200; i++) {
    const [argv, unit, model] = [Array.from({ length: 10 }, () => strange(random)), strange(random), strange(random)];
    const [run] = experiment(JSON.stringify({ workload: { kind: "command", argv, unit }, engine: { kind: "command" } })).cells;
    expect(run!.engine!.options).toEqual({ argv, unit, count: 1 });
    const fixed = { kind: "fixed", prompt_tokens: 1, output_tokens: 1 };
    const [cell] = experiment(JSON.stringify({ workload: fixed, axes: { "engine.model": [model] } })).cells;
    expect(cell!.engine!.options).toMatchObject({ model });
  }
});

test("a command that fails is told as the list it is, with what it complained of", async () => {
  await withLocal(async (transport) => {
    const device = commandsOf(transport, "local");
    const argv = [process.execPath, "-e", "console.error('read-only'); process.exit(3)", "$(x)"];
    await expect(device.run(argv)).rejects.toMatchObject({
      kind: "config",
      message: expect.stringContaining("ended with exit code 3: read-only"),
    });
    const refused = new Settings();
    await expect(refused.apply([{ set: argv, restore: argv }], device)).rejects.toThrow(/\["/);
  });
});
