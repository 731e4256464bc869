import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSerial } from "../../src/ports/serial.ts";
import { scratch, workload, writeRig } from "../e2e/bench.ts";
import { joulebench, start } from "../e2e/joulebench.ts";
import { startCable } from "../ports/pty.ts";

test("a rig with mistakes is told, all of them, before any port is opened", { timeout: 60_000 }, async ({ onTestFinished }) => {
  const { dir, remove } = scratch();
  onTestFinished(remove);
  const link = join(dir, "meter");
  const cable = await startCable(link, `${link}-far`);
  onTestFinished(() => cable.stop("SIGKILL"));
  const far = await openSerial({ path: `${link}-far`, baud: 1_000_000, now: () => 0 });
  onTestFinished(() => far.close());
  // A driver asks as soon as its port is open.
  let asked = 0;
  const listening = (async () => {
    for await (const { bytes } of far) asked += bytes.length;
  })();
  writeFileSync(
    join(dir, "rig.yaml"),
    `name: bench
instruments:
  meter: { kind: bridge-ina219, port: ${link}, shunt_ohm: 0.1, rate: 1000 }
measurand: meter.usb
plan: { baseline_s: long }
sinks: { influx: { url: "http://127.0.0.1:8086" } }
`,
  );
  const { code, stdout, stderr } = await joulebench(["run", "rig.yaml", "--out", "session"], { cwd: dir });
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr.split("\n")).toEqual([
    "joulebench: rig.yaml: 4 problems",
    "  line 3: instruments.meter.rate: unknown key; is it misspelt?",
    "  line 4: measurand: bridge-ina219 has no channel usb; it has: main",
    '  line 5: plan.baseline_s: expected a number, found "long"',
    "  line 6: sinks.influx.url: unknown key; is it misspelt?",
    "",
  ]);
  expect(existsSync(join(dir, "session"))).toBe(false);
  expect(asked).toBe(0);

  const good = start(["run", writeRig(dir, { port: link, command: workload() }), "--out", "session"], { cwd: dir });
  await expect.poll(() => asked).toBeGreaterThan(0);
  good.kill("SIGINT");
  await good.ended;
  await far.close();
  await listening;
});

test("a rig or plan that is no text is told", async ({ onTestFinished }) => {
  const { dir, remove } = scratch();
  onTestFinished(remove);
  writeFileSync(join(dir, "rig.yaml"), Buffer.from("\ufeffname: bench\n", "utf16le"));
  const ended = await joulebench(["check", "rig.yaml"], { cwd: dir });
  expect([ended.code, ended.stdout]).toEqual([2, ""]);
  expect(ended.stderr).toBe("joulebench: rig.yaml: is not UTF-8; convert it, or name a rig file; `joulebench init` writes one\n");
});
