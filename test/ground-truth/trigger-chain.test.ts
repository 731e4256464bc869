import { expect, test } from "vitest";
import type { Recording } from "../../src/model/recording.ts";
import type { Results } from "../../src/model/results.ts";
import { evaluate } from "../../src/session/analysis.ts";
import { tapeRecording } from "../../src/session/tape-recording.ts";
import { type VirtualSession, virtualSession, WAY_S } from "./virtual-bench.ts";

const STEP_S = 5e-5;
/** What rigs/virtual.yaml says of the way: half of its `usb_latency_s` is expected. */
const EXPECTED_WAY_S = 0.0001;

/** The phone's line on D2, through the compiled firmware, its frames, and both clocks; no frame is lost. */
function measure(late_s: number): { session: VirtualSession; recording: Recording; results: Results } {
  const links = { seed: 1, bridge_ppm: 3000, device_ppm: 50, frames_lost: 0, frames_corrupted: 0 };
  const session = virtualSession({ ...links, late_s, step_s: STEP_S });
  const recording = tapeRecording({ records: () => session.records, damagedBytes: () => 0 }, session.rig);
  return { session, recording, results: evaluate("virtual", recording) };
}

const ruleOf = ({ validity }: Results) => validity.find(({ rule }) => rule === "alignment");

test.each([[0], [3e-3]])(
  "edges of the phone's line are found again %d s late, within the stated uncertainty of it",
  (late_s) => {
    const { session, recording, results } = measure(late_s);
    const planted_s = WAY_S - EXPECTED_WAY_S + late_s;
    const check = recording.alignment!.find(({ kind }) => kind === "trigger")!;
    expect(check).toMatchObject({ found: true, count: 2 * session.phone.requests.length });
    const u_s = Math.hypot(check.u_s!, ...recording.maps.flatMap(({ pieces }) => pieces[0]!.u_s));
    expect(u_s).toBeLessThan(0.2e-3);
    expect(Math.abs(check.offset_s! - planted_s)).toBeLessThan(2 * u_s);
    expect(results.clocks.alignment).toMatchObject({ trigger_found: "yes", trigger_offset_s: check.offset_s, trigger_u_s: check.u_s });
    const suspects = results.faults.filter(({ code }) => code === "sync_suspect");
    if (late_s === 0) {
      expect(ruleOf(results)).toMatchObject({ pass: true, detail: expect.stringMatching(/^trigger edges 0\.\d\d ms ± 0\.\d\d ms late$/) });
      expect(suspects).toEqual([]);
    } else {
      expect(ruleOf(results)).toMatchObject({ pass: false, level: "FAIL" });
      expect(suspects).toMatchObject([
        { detail: expect.stringMatching(/^SYNC_SUSPECT: trigger edges 3\.\d\d ms late, of at most 1\.50 ms$/) },
      ]);
    }
  },
  120_000,
);
