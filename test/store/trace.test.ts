import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Block } from "../../src/model/block.ts";
import { toSession } from "../../src/model/clock.ts";
import { footerOf, rowsOf } from "../../src/store/parquet-part.ts";
import type { TraceWriter as Writer } from "../../src/store/trace-writer.ts";
import { zoom } from "../../src/store/zoom.ts";
import { blocksOf, MAP } from "./trace-blocks.ts";

let dir: string;
let trace: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "trace-test-"));
  trace = join(dir, "trace");
});
afterEach(() => rmSync(dir, { recursive: true }));

// The built one, because its thread is a file of its own.
const BUILT = pathToFileURL("dist/store/trace-writer.js").href;
const { TraceWriter } = (await import(BUILT)) as { TraceWriter: typeof Writer };

const FACTS = { session: "pi5-1234", wallStart_ns: "1700000000000000000", clocks: { "meter/0": { rate_ppm: 37 } } };

async function write(blocks: Iterable<Block>) {
  const writer = new TraceWriter(trace, FACTS);
  for (const block of blocks) await writer.add(block, { ...MAP, epoch: block.epoch });
  return writer.close();
}

const files = (): string[] => readdirSync(join(trace, "stream=meter")).sort();

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJS();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

test("every sample is a row, at its time, with its values; gaps are rows that are not there", async () => {
  const blocks = blocksOf({ sampler: "integrating", count: 60, length: 250, lost: { 10: 7 } });
  const voltage_v = blocks[3]!.columns["main.voltage_v"]!;
  voltage_v[5] = Number.NaN;
  const [summary] = await write(blocks);
  expect(summary).toMatchObject({ source: "meter", rows: 15_000, parts: 1, channels: ["main"] });
  expect(files()).toEqual(["part-000000.parquet"]);
  const file = await asyncBufferFromFile(join(trace, "stream=meter", "part-000000.parquet"));
  const rows = await parquetReadObjects({ file, compressors: { GZIP: (bytes) => gunzipSync(bytes) } });
  expect(rows).toHaveLength(15_000);
  let row = 0;
  let before_ns = Number.NaN;
  for (const [number, block] of blocks.entries()) {
    const start_s = toSession(MAP, block.startTick);
    for (let k = 0; k < block.length; k++, row++) {
      const { t_ns, dt_ns, main_current_a, main_voltage_v } = rows[row]!;
      expect(Number(t_ns)).toBe(Math.round((start_s + (k + 1) / (number < 160 ? 5000.185 : 5000.19)) * 1e9));
      if (row > 0) expect(Number(t_ns) - Number(dt_ns) === before_ns).toBe(row !== 2500);
      expect(main_current_a).toBeCloseTo(block.columns["main.current_a"]![k]!, 9);
      if (row === 755) expect(main_voltage_v).toBeNull();
      else expect(main_voltage_v).toBeCloseTo(block.columns["main.voltage_v"]![k]!, 9);
      before_ns = Number(t_ns);
    }
  }
});

test("ten minutes, another epoch and other columns begin a new part, and each says what it holds", async () => {
  const long = blocksOf({ sampler: "integrating", count: 280, length: 256, lost: { 256: 5000 * 620 } });
  const anew = blocksOf({ sampler: "integrating", count: 4, length: 250 }).map((each) => ({ ...each, epoch: 1 }));
  const other = anew.map(({ columns, ...each }) => ({ ...each, columns: { "main.power_w": columns["main.current_a"]! } }));
  const [summary] = await write([...long, ...anew, ...other]);
  expect(files()).toEqual([0, 1, 2, 3].map((k) => `part-00000${k}.parquet`));
  const rows = files().map((name) => rowsOf(join(trace, "stream=meter", name)));
  expect(rows).toEqual([65_536, 6144, 1000, 1000]);
  expect(summary).toMatchObject({ rows: 73_680, parts: 4 });
  const facts = Object.fromEntries(
    footerOf(join(trace, "stream=meter", files()[0]!)).key_value_metadata!.map(({ key, value }) => [key, value]),
  );
  expect(facts).toMatchObject({
    "joulebench.session": "pi5-1234",
    "joulebench.source": "meter",
    "joulebench.epoch": "0",
    "joulebench.sampler": "integrating",
    "joulebench.clock": '{"rate_ppm":37}',
  });
  expect(JSON.parse(facts["joulebench.columns"]!)).toMatchObject({
    t_ns: { unit: "ns", scale: 1 },
    main_current_a: { channel: "main", quantity: "current_a", unit: "A", scale: 1e-9 },
  });
});

test("a database reads decimals, partitions and the energy of the samples", async () => {
  const blocks = blocksOf({ sampler: "averaged", count: 4000, length: 60, lost: { 9: 33 } });
  await write(blocks);
  const [row] = await query(`
    SELECT stream, typeof(main_current_a) AS type, count(*)::DOUBLE AS rows,
           sum(main_current_a::DOUBLE * main_voltage_v::DOUBLE * dt_ns) / 1e9 AS energy_j
    FROM read_parquet('${trace}/*/*.parquet', hive_partitioning = true) GROUP BY ALL`);
  const sum_w = blocks.reduce(
    (all, { columns }) => columns["main.current_a"]!.reduce((sum, i, k) => sum + i * columns["main.voltage_v"]![k]!, all),
    0,
  );
  expect(row).toMatchObject({ stream: "meter", type: "DECIMAL(18,9)", rows: 240_000 });
  expect(Math.abs((row!.energy_j as number) / (sum_w / 5000.19) - 1)).toBeLessThan(2e-7);
});

test("values that never repeat are kept to the nanounit as well", async () => {
  const blocks = blocksOf({ sampler: "integrating", count: 40, length: 250 }).map(({ columns: _, ...each }, b) => ({
    ...each,
    columns: { "main.power_w": Float64Array.from({ length: 250 }, (_, k) => 300 + 200 * Math.sin(b * 250 + k)) },
  }));
  await write(blocks);
  const rows = await query(`SELECT main_power_w::DOUBLE AS power_w FROM '${trace}/*/*.parquet' ORDER BY t_ns`);
  for (const [k, { power_w }] of rows.entries()) expect(Math.abs((power_w as number) - (300 + 200 * Math.sin(k)))).toBeLessThan(1e-9);
});

test("a view goes down to single samples, and shows gaps", async () => {
  const blocks = blocksOf({ sampler: "integrating", count: 100, length: 250, lost: { 50: 250 } });
  await write(blocks);
  const gap_s = toSession(MAP, blocks[49]!.startTick + 250);
  const view = zoom(trace, "meter", "main.power_w", { start_s: gap_s - 0.005, end_s: gap_s + 0.055, pixels: 300 });
  expect([...view.n].slice(1, 24).every((each) => each === 1)).toBe(true);
  expect([...view.n].slice(26, 274).every((each) => each === 0)).toBe(true);
  expect([...view.mean].slice(26, 274).every(Number.isNaN)).toBe(true);
  const { columns } = blocks[49]!;
  expect(view.mean[20]!).toBeCloseTo(columns["main.current_a"]![245]! * columns["main.voltage_v"]![245]!, 3);
  const wide = zoom(trace, "meter", "main.voltage_v", { start_s: 3, end_s: 9, pixels: 12 });
  expect(wide.n.reduce((sum, each) => sum + each, 0)).toBe(25_000);
  expect(Math.min(...wide.min.filter((each) => !Number.isNaN(each)))).toBeCloseTo(4, 6);
});

test("what the disk refuses is said once, as such, and no file has a name it does not deserve", async () => {
  mkdirSync(join(trace, "stream=meter", "part-000000.parquet"), { recursive: true });
  writeFileSync(join(trace, "stream=meter", "part-000000.parquet", "in-the-way"), "");
  const blocks = blocksOf({ sampler: "integrating", count: 10, length: 250 });
  await expect(write(blocks)).rejects.toMatchObject({
    kind: "sink",
    message: expect.stringMatching(/cannot name the trace .*tape holds everything/),
  });
  expect(existsSync(join(trace, "_trace.json"))).toBe(false);
});

test("a value that no file can hold is refused, not cut", async () => {
  const [block] = blocksOf({ sampler: "integrating", count: 1, length: 250 });
  block!.columns["main.current_a"]![7] = 2e9;
  await expect(write([block!])).rejects.toMatchObject({ kind: "sink", subject: "main.current_a" });
});
