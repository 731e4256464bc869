import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { power } from "../model/block.ts";
import type { FaultCode, JoulebenchError } from "../model/errors.ts";
import type { Rig } from "../rig/rig.ts";
import { Bench } from "./bench.ts";
import { deviceFindings } from "./check-device.ts";
import { attempt, type Finding, findingOf } from "./finding.ts";
import type { Observation } from "./observation.ts";

const WATCH_MS = 3000;

/** Opens everything the rig names, watches it for three seconds, and reports on each. Nothing is kept. */
export async function check(rig: Rig): Promise<Finding[]> {
  const scratch = mkdtempSync(join(tmpdir(), "joulebench-check-"));
  const bench = new Bench(rig, join(scratch, "tape"));
  const seen: Observation[] = [];
  bench.streams.observations$.subscribe((each) => {
    if (seen.length < MOST_SEEN) seen.push(each);
  });
  const findings: Finding[] = [];
  try {
    const opened = await attempt(() => bench.open());
    if (opened) findings.push(findingOf(opened));
    else {
      await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
    }
    for (const source of Object.keys(rig.instruments)) {
      const heard = instrumentFindings(source, rig, seen);
      findings.push(...heard);
      if (heard.length === 0 && opened?.subject !== source) findings.push(silent(source, opened, seen));
    }
    findings.push(...(await deviceFindings(bench, rig, seen)));
  } finally {
    await bench.close();
    rmSync(scratch, { recursive: true, force: true });
  }
  return findings;
}

/** Three seconds of everything; beyond this an instrument sends far more than its rate. */
const MOST_SEEN = 100_000;

function silent(what: string, opened: JoulebenchError | undefined, seen: readonly Observation[]): Finding {
  if (opened) return { what, ok: false, detail: "no sample arrived; the line above says why" };
  const errors = countOf("i2c_error", what, seen);
  const why =
    errors > 0 ? `${errors} errors on the bus of the sensor: check its wiring, supply and address` : "it answers but sends nothing";
  return { what, ok: false, detail: `no sample arrived; ${why}` };
}

const countOf = (code: FaultCode, source: string, seen: readonly Observation[]): number =>
  seen.reduce(
    (sum, each) => sum + (each.type === "fault" && each.fault.source === source && each.fault.code === code ? each.fault.count : 0),
    0,
  );

/** What an instrument delivered; nothing when it delivered nothing. */
function instrumentFindings(source: string, rig: Rig, seen: readonly Observation[]): Finding[] {
  const blocks = seen.flatMap((each) => (each.type === "block" && each.block.source === source ? [each] : []));
  const [first, last] = [blocks[0], blocks.at(-1)];
  if (!first || !last) return [];
  const identity = seen.find((each) => each.type === "identity" && each.source === source);
  const facts = identity?.type === "identity" ? Object.entries(identity.facts).map(([key, value]) => `${key} ${value}`) : [];
  const samples = blocks.reduce((sum, { block }) => sum + block.length, 0) - first.block.length;
  const seconds = (last.host_ns - first.host_ns) / 1e9;
  const lost = countOf("lost_samples", source, seen);
  const findings: Finding[] = [
    { what: source, ok: true, detail: facts.join(", ") || "answers" },
    { what: `${source} rate`, ok: samples > 0, detail: `${(samples / seconds).toFixed(1)} samples/s over ${seconds.toFixed(1)} s` },
    {
      what: `${source} loss`,
      ok: lost === 0,
      detail: lost === 0 ? "no sample lost" : `${lost} samples lost: shorten the cable, lower rate_hz, or use another USB port`,
    },
  ];
  const [measured, channel = ""] = rig.measurand?.split(".") ?? [];
  if (measured === source) findings.push(powerFinding(blocks.flatMap(({ block }) => [...(power(block, channel) ?? [])])));
  return findings;
}

function powerFinding(watts: readonly number[]): Finding {
  const mean = watts.reduce((sum, each) => sum + each, 0) / watts.length;
  // Neighbouring samples differ by noise; a slow change of load does not count.
  const noise = Math.sqrt(watts.slice(1).reduce((sum, each, k) => sum + (each - watts[k]!) ** 2, 0) / (2 * Math.max(1, watts.length - 1)));
  const detail = `${mean.toFixed(4)} W now, noise ${noise.toFixed(4)} W per sample`;
  return mean >= 0
    ? { what: "power", ok: true, detail }
    : { what: "power", ok: false, detail: `${detail}: negative, so the shunt's leads are swapped` };
}
