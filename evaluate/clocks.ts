import { deviceTrial, LINKS, type Worth } from "./device-clocks.ts";
import { meterTrial, STREAMS, type StreamWorth } from "./meter-clocks.ts";

/** Clocks against simulated links whose truth is known: the acceptance table of the method, row by row. */
const [COUNT = 200, FIRST = 1] = process.argv.slice(2).map(Number);
const SEEDS = Array.from({ length: COUNT }, (_, k) => FIRST + k);
const MS = 1e-3;
let failures = 0;

process.stdout.write(`${SEEDS.length} seeds from ${FIRST}; 30 min of pings, 10 min of arrivals\n\n`);
process.stdout.write(`${["condition".padEnd(58), "figure".padEnd(34), "found".padStart(11), "limit".padStart(11)].join("  ")}\n`);

const links = {
  "symmetric, 5 ms jitter, 30 ms tails, 20 ppm + 3 ppm": devices(LINKS.symmetric),
  "asymmetry of 0.6 ms": devices(LINKS.asymmetric),
  "asymmetry of 1.2 ms while busy, pings in the gaps": devices(LINKS.gaps),
  "asymmetry of 1.2 ms, always busy": devices(LINKS.busy),
  "0.5 % of the stamps corrupt by 5 ms": devices(LINKS.corrupt),
  "the same, 2 ms queues": devices(LINKS.corruptGaps),
};
const [symmetric, asymmetric, gaps, busy, corrupt, corruptGaps] = Object.entries(links) as [string, Worth[]][];
most(symmetric!, "p95 of the largest error", { found_s: p95(symmetric![1].map(max)), limit_s: 0.1 * MS });
most(asymmetric!, "largest error: A/2 + 0.2 ms", { found_s: largest(asymmetric![1].map(max)), limit_s: 0.5 * MS });
most(gaps!, "largest error: A/2 + 0.2 ms", { found_s: largest(gaps![1].map(max)), limit_s: 0.8 * MS });
most(busy!, "largest error: A/2 + 0.6 ms", { found_s: largest(busy![1].map(max)), limit_s: 1.2 * MS });
for (const row of [corrupt!, corruptGaps!]) most(row, "p95 of the largest error", { found_s: p95(row[1].map(max)), limit_s: 1 * MS });
for (const row of Object.entries(links)) least(row, "instants inside the bound", mean(row[1].map((each) => each.inBound)), 0.99);
for (const row of [symmetric!, asymmetric!, corrupt!]) least(row, "instants inside 2 u", mean(row[1].map((each) => each.in2u)), 0.95);
for (const row of [symmetric!, asymmetric!, corrupt!, corruptGaps!])
  most(row, "largest disagreement of estimators", { found_s: largest(row[1].map((each) => each.disagreement_s)), limit_s: 0.5 * MS });
for (const row of [gaps!, busy!]) {
  told(row, "p95 of the largest error", `${(p95(row[1].map(max)) / MS).toFixed(3)} ms`);
  told(row, "p95 of the disagreement", `${(p95(row[1].map((each) => each.disagreement_s)) / MS).toFixed(3)} ms`);
}

const recovered: [string, Worth[]] = [
  "37 ppm and 3.217 s, 1 ms jitter",
  SEEDS.map((seed) => deviceTrial(seed, LINKS.quick, () => ({ offset_s: 3.217, ppm: 37 }))),
];
most(recovered, "largest error of the rate, ppm", {
  found_s: largest(recovered[1].map((each) => each.rate_off_ppm)),
  limit_s: 0.5,
  unit: "ppm",
});
most(recovered, "largest error of the offset", { found_s: largest(recovered[1].map((each) => each.offset_off_s)), limit_s: 0.3 * MS });

for (const size_s of [0.05, -2, 3600]) {
  const stepped = SEEDS.map((seed) => deviceTrial(seed, LINKS.quick, undefined, size_s));
  const row: [string, Worth[]] = [`a step of ${size_s} s in the middle`, stepped];
  least(
    row,
    "sessions cut once, where it was",
    share(stepped, (each) => each.steps === 1),
    1,
  );
  most(row, "largest error of either side", { found_s: largest(stepped.map(max)), limit_s: 0.3 * MS });
}
least(
  symmetric!,
  "sessions not cut",
  share(symmetric![1], (each) => each.steps === 0),
  1,
);

for (const [name, stream, limit_s] of [
  ["monitor at 5 kHz, 100 ppm, 1 ms jitter, 60 ms stalls", STREAMS.usb, 0.05 * MS],
  ["serial at 1 kHz, two queues of 5 ms", STREAMS.serial, 1 * MS],
  ["the bridge, 3000 ppm", STREAMS.bridge, 0.02 * MS],
] as const) {
  const row: [string, StreamWorth[]] = [name, SEEDS.map((seed) => meterTrial(seed, stream))];
  most(row, "largest error", { found_s: largest(row[1].map(max)), limit_s });
  most(row, "largest error live, after 60 s", {
    found_s: largest(row[1].map((each) => each.live_s)),
    limit_s: Math.max(limit_s, 0.05 * MS),
  });
  least(
    row,
    "sessions not cut",
    share(row[1], (each) => each.breaks === 0),
    1,
  );
  const jumped = SEEDS.slice(0, 50).map((seed) => meterTrial(seed, stream, 30 * MS));
  least(
    row,
    "cut once where the count jumps 30 ms",
    share(jumped, (each) => each.breaks === 1),
    1,
  );
}
process.exitCode = failures === 0 ? 0 : 1;

function devices(link: Parameters<typeof deviceTrial>[1]): Worth[] {
  return SEEDS.map((seed) => deviceTrial(seed, link));
}

function most([name]: readonly [string, unknown], figure: string, { found_s, limit_s, unit = "ms" }: Limit): void {
  const text = (value: number): string => (unit === "ms" ? `${(value / MS).toFixed(3)} ms` : `${value.toFixed(3)} ${unit}`);
  line([name, figure, text(found_s), `<= ${text(limit_s)}`], found_s <= limit_s);
}

function least([name]: readonly [string, unknown], figure: string, found: number, limit: number): void {
  const text = (value: number): string => `${(100 * value).toFixed(2)} %`;
  line([name, figure, text(found), `>= ${text(limit)}`], found >= limit);
}

function told([name]: readonly [string, unknown], figure: string, found: string): void {
  line([name, figure, found, ""], true);
}

function line([name, figure, found, limit]: readonly [string, string, string, string], isGood: boolean): void {
  if (!isGood) failures++;
  process.stdout.write(
    `${[name.padEnd(58), figure.padEnd(36), found.padStart(9), limit.padStart(12)].join("  ")}${isGood ? "" : "  <-- outside"}\n`,
  );
}

interface Limit {
  readonly found_s: number;
  readonly limit_s: number;
  readonly unit?: string;
}

function max(each: { readonly max_s: number }): number {
  return each.max_s;
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function share<T>(values: readonly T[], holds: (value: T) => boolean): number {
  return values.filter(holds).length / values.length;
}

/** The value that 95 of 100 do not exceed. */
function p95(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(0.95 * values.length) - 1]!;
}
