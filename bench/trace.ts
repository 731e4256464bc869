import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SessionSeconds } from "../src/model/clock.ts";
import { seeded } from "../src/simulate/random.ts";
import { PyramidReader } from "../src/store/pyramid-reader.ts";
import { PyramidWriter } from "../src/store/pyramid-writer.ts";
import { pyramidBase, streamDir } from "../src/store/trace-paths.ts";
import { TraceWriter } from "../src/store/trace-writer.ts";
import { check } from "./cpu.ts";
import { phoneBlocks, phonePower, RATE_HZ } from "./phone-signal.ts";
import { report } from "./row.ts";

const WRITE_S = 1200;
const LONG_S = 72 * 3600;
/** Samples a second of the 72 h: every bin has some. What a view costs depends on the bins, of which there are as many at 5 kHz. */
const PYRAMID_HZ = 50;
const VIEWS = 3000;
const PIXELS = 2000;

const sizeOf = (dir: string): number =>
  readdirSync(dir, { recursive: true, encoding: "utf8" }).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);

/** A clock whose step is no whole number of nanoseconds, as none is. */
const CLOCK = {
  source: "meter",
  epoch: 0,
  pieces: [{ fromTick: 0, t0_s: 3.2171 as SessionSeconds, rate_hz: RATE_HZ * (1 + 37e-6), u_s: 0, bound_s: 0 }],
};

async function write(dir: string): Promise<void> {
  const trace = join(dir, "trace");
  const from_ms = performance.now();
  const writer = new TraceWriter(trace, { session: "bench", wallStart_ns: "0", clocks: {} });
  for (const block of phoneBlocks(WRITE_S)) await writer.add(block, CLOCK);
  const [stream] = await writer.close();
  const rate = (WRITE_S * RATE_HZ) / (performance.now() - from_ms) / 1000;
  check(stream?.rows === WRITE_S * RATE_HZ, `${stream?.rows} rows`);
  const perMillion = (path: string): number => sizeOf(path) / (WRITE_S * RATE_HZ);
  const unit = "MB per M samples";
  const parquet = perMillion(streamDir(trace, "meter"));
  report({ what: "Parquet, current and voltage at 5 kHz", ours: parquet, unit, against: "limit", theirs: 3, target: { below: 3 } });
  report({ what: "whole trace, with energies and pyramids", ours: perMillion(trace), unit, against: "Parquet alone", theirs: parquet });
  report({ what: "writing the trace, wall time", ours: rate, unit: "M samples/s", against: "real time", theirs: RATE_HZ / 1e6 });
  const peak_mib = process.resourceUsage().maxRSS / 1024;
  report({
    what: "peak memory of writing it",
    ours: peak_mib,
    unit: "MiB",
    against: "limit of a session",
    theirs: 512,
    target: { below: 512 },
  });
}

function writePyramid(base: string): void {
  const writer = new PyramidWriter(base);
  const count = 60 * PYRAMID_HZ;
  const power_w = new Float64Array(count);
  for (let from_s = 0; from_s < LONG_S; from_s += 60) {
    phonePower(from_s * PYRAMID_HZ, power_w);
    writer.add(
      power_w.map((_, k) => from_s + (k + 0.5) / PYRAMID_HZ),
      power_w,
    );
  }
  writer.close();
}

/** Views of lengths spread evenly from 3 min to 72 h on a logarithmic scale, anywhere; files opened anew for each. */
function view(dir: string): void {
  const base = pyramidBase(dir, "meter", "main.power_w");
  writePyramid(join(dir, "long"));
  const random = seeded(1);
  const took_ms = Array.from({ length: VIEWS }, () => {
    const length_s = 200 * (LONG_S / 200) ** random();
    const start_s = random() * (LONG_S - length_s);
    const from_ms = performance.now();
    const pyramid = new PyramidReader(join(dir, "long"));
    const { n } = pyramid.zoom(start_s, start_s + length_s, PIXELS);
    pyramid.close();
    const lasted_ms = performance.now() - from_ms;
    check(n.length <= PIXELS + 1 && n.length >= PIXELS / 2 && n.every((each) => each > 0), `${n.length} columns of ${base}`);
    return lasted_ms;
  }).sort((a, b) => a - b);
  const at = (share: number): number => took_ms[Math.floor(share * VIEWS)]!;
  const against = { against: "limit", theirs: 20, target: { below: 20 } };
  report({ what: `view of 72 h, ${PIXELS} columns: median`, ours: at(0.5), unit: "ms", ...against });
  report({ what: `view of 72 h, ${PIXELS} columns: p99`, ours: at(0.99), unit: "ms", ...against });
}

const dir = mkdtempSync(join(tmpdir(), "joulebench-bench-"));
try {
  await write(dir);
  view(dir);
} finally {
  rmSync(dir, { recursive: true });
}
