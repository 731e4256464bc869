import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstValueFrom } from "rxjs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseRig } from "../../src/rig/rig.ts";
import { Bench } from "../../src/session/bench.ts";
import { SecondLoad } from "../../src/session/second-load.ts";
import { commandOf, processesOf, signal } from "../sshd/processes.ts";
import { type Sshd, startSshd } from "../sshd/sshd.ts";
import { optionsFor } from "../transports/ssh-bench.ts";

let dir: string;
let pi: Sshd;
let bench: Bench;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "joulebench-second-load-"));
  pi = await startSshd({ tree: "pi" });
  const device = { transport: { kind: "ssh", ...optionsFor(pi) }, engine: { kind: "command", argv: ["true"] } };
  bench = new Bench(parseRig(JSON.stringify({ name: "bench", instruments: {}, device }), "rig.json"), join(dir, "tape"));
});

afterEach(async () => {
  await bench.close();
  await pi.stop();
  rmSync(dir, { recursive: true });
});

const ARGV = ["sleep", "86399"];
const running = (): number[] => processesOf(pi.pid).filter((pid) => commandOf(pid) === ARGV.join(" "));

test("what a second load prints fills no file of the device", async () => {
  const device = await bench.openDevice("engine");
  const noise = crypto.randomUUID();
  const load = await SecondLoad.start(bench, device, { argv: ["sh", "-c", `echo ${noise}; exec sleep 86399`] });
  await expect.poll(running).toHaveLength(1);
  const { output } = await device.transport.run!(["sh", "-c", "cat /data/local/tmp/joulebench-*/out /tmp/joulebench-*/out 2>/dev/null; :"]);
  expect(output).not.toContain(noise);
  await load.end();
});

test("a second load that dies after the link was lost and mended still ends the session", async () => {
  const device = await bench.openDevice("engine");
  const load = await SecondLoad.start(bench, device, { argv: ARGV });
  await expect.poll(running).toHaveLength(1);
  pi.killSessions();
  await expect.poll(() => device.isLost, { interval: 1 }).toBe(true);
  await device.whole();
  expect(running()).toHaveLength(1);
  signal(running(), "SIGKILL");
  await expect(firstValueFrom(bench.failure$)).rejects.toMatchObject({
    kind: "config",
    message: expect.stringMatching(/^interference: (ended with exit code 137|was ended by a signal).* before the work was done/),
  });
  await load.end();
});
