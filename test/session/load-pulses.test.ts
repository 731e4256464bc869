import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Identity } from "../../src/model/transport.ts";
import { parseRig } from "../../src/rig/rig.ts";
import type { Bench } from "../../src/session/bench.ts";
import { Decoder } from "../../src/session/decoder.ts";
import { DeviceLink } from "../../src/session/device-link.ts";
import { runPulses } from "../../src/session/load-pulses.ts";
import type { Observation } from "../../src/session/observation.ts";
import { Recorder } from "../../src/session/recorder.ts";
import { transports } from "../../src/transports/index.ts";
import { PULSE_CODE } from "../../src/wire/pulses.ts";

const base = mkdtempSync(join(tmpdir(), "joulebench-pulses-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const RIG = parseRig(
  "name: pulses\ninstruments: { meter: { kind: bridge-ina219, emulated: bridge-ina219, shunt_ohm: 0.1 } }\nmeasurand: meter.main\ndevice: { command: [x] }\n",
  "rig",
);

/** A device whose `sh` is another, and that lacks some programs. */
async function pulsesOn(sh: string, lacks: readonly string[]): Promise<{ made: boolean; seen: Observation[] }> {
  const folder = mkdtempSync(join(base, "bin-"));
  writeFileSync(join(folder, "sh"), `#!/bin/dash\nexec ${sh} "$@"\n`, { mode: 0o755 });
  for (const name of lacks) writeFileSync(join(folder, name), "#!/bin/dash\nexit 127\n", { mode: 0o755 });
  const zero_ns = process.hrtime.bigint();
  const now = (): number => Number(process.hrtime.bigint() - zero_ns);
  const local = transports.find((each) => each.kind === "local")!;
  const transport = await local.open({ environment: { PATH: `${folder}:${process.env.PATH}` } }, now);
  const recorder = new Recorder(() => {});
  const decoder = new Decoder(RIG);
  const seen: Observation[] = [];
  recorder.records$.subscribe((record) => seen.push(...decoder.push(record)));
  const failed = (error: unknown): void => expect.unreachable(String(error));
  const link = new DeviceLink(transport, {} satisfies Identity, { recorder, now, patience_s: 0, failed });
  await link.openResponder();
  const made = await runPulses({ recorder, now } as unknown as Bench, link);
  await link.close();
  return { made, seen };
}

describe("a device whose workload makes no load pulses makes them by a program of ours", () => {
  test.each([
    ["python3", "/bin/dash", []],
    ["Android's shell", "/usr/bin/mksh", ["python3"]],
    ["bash", "/bin/dash", ["python3"]],
    ["busybox", "/bin/dash", ["python3", "bash"]],
  ] as const)("with %s", async (_, sh, lacks) => {
    const { made, seen } = await pulsesOn(sh, lacks);
    expect(made).toBe(true);
    const pulses = seen.flatMap((each) => (each.type === "pulse" ? [each] : []));
    expect(pulses.map(({ isOnPongs }) => isOnPongs)).toEqual(PULSE_CODE.map(() => true));
    for (const [k, { on, off }] of pulses.entries()) {
      const { on_s, off_s } = PULSE_CODE[k]!;
      // It may be held up, and says so; it is never too short.
      expect(off - on).toBeGreaterThan(off_s - on_s - 1e-3);
      if (k > 0) expect(on - pulses[k - 1]!.off).toBeGreaterThan(on_s - PULSE_CODE[k - 1]!.off_s - 1e-3);
    }
    expect(seen.filter(({ type }) => type === "pulses_asked" || type === "pulses_answered").map(({ type }) => type)).toEqual([
      "pulses_asked",
      "pulses_answered",
    ]);
    expect(seen.filter(({ type }) => type === "fault")).toEqual([]);
  });

  test("not where every reading of the clock starts a process", async () => {
    const { made, seen } = await pulsesOn("/bin/dash", ["python3", "bash", "busybox"]);
    expect(made).toBe(false);
    expect(seen.filter(({ type }) => type === "pulses_asked")).toEqual([]);
  });
});
