import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EnergyWriter, recordsPath } from "../src/store/energy-writer.ts";
import { check } from "./cpu.ts";
import { phonePower, RATE_HZ } from "./phone-signal.ts";
import { report } from "./row.ts";

const DAY_S = 86_400;
const REQUESTS = 100;
const TOKENS = 1000;
const ROUNDS = 3;
const MINUTE = 60 * RATE_HZ;

/** The day twice: as the trace keeps its energies, and as plain float32 for numpy. */
function writeDay(base: string, plain: string): void {
  const writer = new EnergyWriter(base);
  const fd = openSync(plain, "w");
  const power_w = new Float64Array(MINUTE);
  const lengths_s = new Float64Array(MINUTE).fill(1 / RATE_HZ);
  const times_s = new Float64Array(MINUTE);
  for (let first = 0; first < DAY_S * RATE_HZ; first += MINUTE) {
    phonePower(first, power_w);
    for (let k = 0; k < MINUTE; k++) times_s[k] = (first + k + 1) / RATE_HZ;
    writer.add(times_s, lengths_s, power_w, false);
    writeSync(fd, Float32Array.from(power_w));
  }
  writer.close();
  closeSync(fd);
}

/** Edges of tokens on no sample's edge: `itl_s` apart, a request every hundredth of the day. */
function edges(itl_s: number): Float64Array {
  const list = new Float64Array(REQUESTS * (TOKENS + 1));
  for (let n = 0; n < list.length; n++) list[n] = (Math.floor(n / (TOKENS + 1)) * DAY_S) / REQUESTS + 1.00007 + (n % (TOKENS + 1)) * itl_s;
  return list;
}

interface Answer {
  readonly took_ms: number;
  readonly peak_mib: number;
  /** Of all tokens together, J. */
  readonly sum_j: number;
}

/** The best of some rounds, each a process of its own that has read nothing yet. */
function best(program: string, args: readonly string[]): Answer | undefined {
  const answers = Array.from({ length: ROUNDS }, () => {
    const { status, stdout } = spawnSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1e8 });
    return status === 0 ? (JSON.parse(stdout) as Answer) : undefined;
  });
  return answers.reduce((least, each) => (least && each && each.took_ms < least.took_ms ? each : (least ?? each)), answers[0]);
}

/** Sums of whole samples between two edges, which is all that reduceat can do. */
const NUMPY = `
import json, resource, sys, time
import numpy
power = numpy.fromfile(sys.argv[1], dtype=numpy.float32)
edges = numpy.fromfile(sys.argv[2])
start = time.process_time()
sums = numpy.add.reduceat(power, (edges * ${RATE_HZ}).astype(numpy.int64), dtype=sys.argv[3]) / ${RATE_HZ}
tokens = numpy.delete(sums, slice(${TOKENS}, None, ${TOKENS + 1}))
took = time.process_time() - start
print(json.dumps({"took_ms": took * 1000, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "sum_j": float(tokens.sum(dtype=float))}))
`;

function compare(dir: string, what: string, itl_s: number): void {
  const [base, plain, wanted] = [join(dir, "main"), join(dir, "day.f32"), join(dir, "edges.f64")];
  writeFileSync(wanted, edges(itl_s));
  const query = fileURLToPath(new URL("./energy-query.js", import.meta.url));
  const ours = best(process.execPath, [query, base, wanted, String(TOKENS)]);
  check(ours !== undefined, "the query for energies failed");
  const { took_ms, peak_mib, sum_j } = ours!;
  const limit = (most: number) => ({ against: "limit", theirs: most, target: { below: most } });
  report({ what: `10^5 token energies of 24 h at 5 kHz, ${what}`, ours: took_ms, unit: "CPU ms", ...limit(300) });
  report({ what: `the same, peak memory of the process`, ours: peak_mib, unit: "MiB", ...limit(95) });
  const numpy = (type: string): Answer | undefined => best("python3", ["-c", NUMPY, plain, wanted, type]);
  const [single, double] = [numpy("float32"), numpy("float64")];
  if (!single || !double)
    return void process.stderr.write("numpy is not there (Debian: python3-numpy), so there is nothing to compare energies with\n");
  check(Math.abs(sum_j / double.sum_j - 1) < 1e-3, `tokens take ${sum_j} J, numpy has ${double.sum_j} J`);
  // Numpy has all samples in its memory already, 1.7 GB of them, and leaves the edges inside samples out.
  const against = (type: string): string => `numpy add.reduceat in memory, ${type} sums`;
  report({ what: "the same", ours: took_ms, unit: "CPU ms", against: against("float32"), theirs: single.took_ms });
  const target = { below: 0.2 * double.took_ms };
  report({ what: "the same", ours: took_ms, unit: "CPU ms", against: against("float64"), theirs: double.took_ms, target });
}

const dir = mkdtempSync(join(tmpdir(), "joulebench-bench-"));
try {
  const from_ms = performance.now();
  writeDay(join(dir, "main"), join(dir, "day.f32"));
  const rate = (DAY_S * RATE_HZ) / (performance.now() - from_ms) / 1000;
  check(statSync(recordsPath(join(dir, "main"))).size > 0, "no energies were written");
  report({ what: "writing energies, with a plain copy", ours: rate, unit: "M samples/s", against: "real time", theirs: RATE_HZ / 1e6 });
  compare(dir, "20 tokens/s", 0.05);
  compare(dir, "1.25 tokens/s", 0.8);
} finally {
  rmSync(dir, { recursive: true });
}
