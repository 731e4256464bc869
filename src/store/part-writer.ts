import { join } from "node:path";
import { JoulebenchError } from "../model/errors.ts";
import { ParquetPart, type RowGroup } from "./parquet-part.ts";
import { columnOf, LARGEST_VALUE, type PartColumn, SCALE_DIGITS } from "./parquet-schema.ts";
import type { Batch } from "./trace-batch.ts";
import { VERSION } from "./version.ts";

/** Session time one part covers at most: 3 million rows at 5 kHz, 7 MB. */
export const PART_S = 600;
/** Rows of a row group, of whose times a query reads least and largest before anything else: 26 s at 5 kHz. */
const GROUP_ROWS = 131_072;

/** What of the session stands in every file. */
export interface TraceFacts {
  readonly session: string;
  readonly wallStart_ns: string;
  /** What was found about each clock, by `<source>/<epoch>`. */
  readonly clocks: Readonly<Record<string, Readonly<Record<string, number | string>>>>;
}

/** Writes the Parquet parts of one source, `part-000000.parquet` and so on: a new one every ten minutes, epoch or set of columns. */
export class PartWriter {
  readonly #dir: string;
  readonly #facts: TraceFacts;
  #part: ParquetPart | undefined;
  #of = "";
  #parts = 0;
  #until_s = 0;
  #rows = 0;
  #columns: readonly PartColumn[] = [];
  readonly #waiting: Batch[] = [];
  #waitingRows = 0;
  #last_ns = Number.NaN;

  /** @param dir folder of the parts, which exists */
  constructor(dir: string, facts: TraceFacts) {
    this.#dir = dir;
    this.#facts = facts;
  }

  get parts(): number {
    return this.#parts;
  }

  get rows(): number {
    return this.#rows;
  }

  /** @throws JoulebenchError `sink` */
  add(batch: Batch): void {
    const first_s = batch.times_s[0]!;
    const of = [batch.source, batch.epoch, batch.sampler, ...Object.keys(batch.columns)].join("\n");
    if (!this.#part || of !== this.#of || first_s >= this.#until_s) {
      this.finish();
      this.#of = of;
      this.#until_s = first_s + PART_S;
      this.#begin(batch);
    }
    this.#waiting.push(batch);
    this.#waitingRows += batch.times_s.length;
    if (this.#waitingRows >= GROUP_ROWS) this.#write();
  }

  /** Completes the part at hand. @throws JoulebenchError `sink` */
  finish(): void {
    if (!this.#part) return;
    this.#write();
    this.#rows += this.#part.rows;
    this.#part.finish();
    this.#parts++;
    this.#part = undefined;
  }

  #begin({ source, epoch, sampler, columns }: Batch): void {
    this.#columns = (Object.keys(columns) as (keyof typeof columns)[]).map(columnOf);
    const described = this.#columns.map(({ name, channel, quantity, unit }) => [
      name,
      { channel, quantity, unit, scale: 10 ** -SCALE_DIGITS },
    ]);
    const times = { t_ns: { unit: "ns", scale: 1 }, dt_ns: { unit: "ns", scale: 1 } };
    const path = join(this.#dir, `part-${String(this.#parts).padStart(6, "0")}.parquet`);
    this.#part = new ParquetPart(path, this.#columns, {
      "joulebench.version": VERSION,
      "joulebench.session": this.#facts.session,
      "joulebench.source": source,
      "joulebench.epoch": String(epoch),
      "joulebench.sampler": sampler,
      "joulebench.wallStart_ns": this.#facts.wallStart_ns,
      "joulebench.columns": JSON.stringify({ ...times, ...Object.fromEntries(described) }),
      "joulebench.clock": JSON.stringify(this.#facts.clocks[`${source}/${epoch}`] ?? {}),
    });
  }

  #write(): void {
    if (this.#waitingRows === 0 || !this.#part) return;
    const batches = this.#waiting.splice(0);
    const columns = this.#columns.map(({ key }) =>
      scaled(
        gathered(batches, this.#waitingRows, (each) => each.columns[key]!),
        key,
      ),
    );
    this.#part.write({ ...this.#times(batches), columns });
    this.#waitingRows = 0;
  }

  /** Ends of the samples and their lengths. Adjacent samples touch to the nanosecond, so that lengths add up to times. */
  #times(batches: readonly Batch[]): Pick<RowGroup, "t_ns" | "dt_ns"> {
    const t_ns = new BigInt64Array(this.#waitingRows);
    const dt_ns = new Float64Array(this.#waitingRows);
    let row = 0;
    for (const { times_s, lengths_s } of batches)
      for (let k = 0; k < times_s.length; k++, row++) {
        const end_ns = Math.round(times_s[k]! * 1e9);
        const start_ns = Math.round((times_s[k]! - lengths_s[k]!) * 1e9);
        t_ns[row] = BigInt(end_ns);
        dt_ns[row] = lengths_s[k] === 0 ? 0 : end_ns - (Math.abs(start_ns - this.#last_ns) <= 1 ? this.#last_ns : start_ns);
        this.#last_ns = end_ns;
      }
    return { t_ns, dt_ns };
  }
}

function gathered(batches: readonly Batch[], rows: number, of: (batch: Batch) => Float64Array): Float64Array {
  const values = new Float64Array(rows);
  let at = 0;
  for (const each of batches) {
    values.set(of(each), at);
    at += each.times_s.length;
  }
  return values;
}

/** A column as integers; what is no finite number is null. @throws JoulebenchError `sink` where a value has no place in the file */
function scaled(values: Float64Array, key: string): RowGroup["columns"][number] {
  const factor = 10 ** SCALE_DIGITS;
  let hasNull = false;
  for (let k = 0; k < values.length; k++) {
    const value = values[k]!;
    if (Math.abs(value) >= LARGEST_VALUE && Number.isFinite(value))
      throw new JoulebenchError(
        "sink",
        key,
        `${value} is beyond what a trace can hold (${LARGEST_VALUE}); the instrument or its scale is wrong`,
      );
    values[k] = Math.round(value * factor);
    hasNull ||= !Number.isFinite(value);
  }
  const isRepetitive = repeats(values);
  if (hasNull) return { data: Array.from(values, (each) => (Number.isFinite(each) ? BigInt(each) : null)), isRepetitive };
  return { data: isRepetitive ? BigInt64Array.from(values, BigInt) : values, isRepetitive };
}

/** Values looked at, and the share of them that may be new, for a dictionary to be worth it: up to some 10 000 levels. */
const LOOKED_AT = 2048;
const MOST_NEW = 0.9;

/** True where a column takes the same values again and again, as the counts of a converter do. */
function repeats(values: Float64Array): boolean {
  const step = Math.max(1, Math.floor(values.length / LOOKED_AT));
  const seen = new Set<number>();
  let looked = 0;
  for (let k = 0; k < values.length; k += step, looked++) seen.add(values[k]!);
  return seen.size <= MOST_NEW * looked;
}
