import { expect, test } from "vitest";
import { parseRig } from "../../src/rig/rig.ts";
import { openDevice } from "../../src/session/open-device.ts";
import { Recorder } from "../../src/session/recorder.ts";
import { startSshd } from "../sshd/sshd.ts";
import { optionsFor } from "../transports/ssh-bench.ts";

test("a device whose workload does not start is let go of, with the loop that answers its pings", async () => {
  const pi = await startSshd({ tree: "pi" });
  try {
    const device = { transport: { kind: "ssh", ...optionsFor(pi) }, command: ["workload"] };
    const checked = parseRig(JSON.stringify({ name: "bench", instruments: {}, device }), "rig.json");
    // What no rig file may hold, so that the start fails once all before it has been done.
    const rig = { ...checked, device: { ...checked.device!, command: ["-n"] } };
    const told: string[] = [];
    const recorder = new Recorder(() => {});
    recorder.records$.subscribe(({ source, kind, bytes }) =>
      told.push(`${source} ${kind} ${kind === "close" ? new TextDecoder().decode(bytes) : ""}`),
    );
    const failures: unknown[] = [];
    const watcher = { recorder, now: () => Number(process.hrtime.bigint()), failed: (error: unknown) => failures.push(error) };
    await expect(openDevice(rig, { zero_ns: 0n, startFile: "" }, watcher)).rejects.toMatchObject({ kind: "config", subject: "-n" });
    expect(told).toContain("device-clock open ");
    expect(told.at(-1)).toBe("device-clock close {}"); // Not lost, which would be mended.
    await expect.poll(() => pi.sessions()).toEqual([]);
    expect(failures).toEqual([]);
  } finally {
    await pi.stop();
  }
});
