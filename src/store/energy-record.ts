// Energy of one channel: how much has flowed before each stretch of samples, and the powers of the stretch, so that the
// energy up to any instant is one record away. Records of one length, little endian, 8 of them in a page of the disk:
//    0 f64 start of the first sample's interval, session s
//    8 f64 length of every interval, s; 0 where they differ and are listed
//   16 f64 energy before the start since the first sample, J
//   24 f64 time covered by samples before the start, s
//   32 f32 power that code 0 stands for, W | 36 f32 power of one code, W
//   40 f32 power at the start where instants were sampled, between which it is linear, W; NaN where means were
//   44 u16 samples, 0 in the record that ends the file | 46 u16 0
//   48 codes, u16, one per sample; before them, where they are listed, the ends of the intervals after the start, f64
export const RECORD_BYTES = 512;
const HEAD = 48;

/**
 * Samples of one record, when their intervals are alike and when not.
 *
 * 46 ms at 5 kHz: an edge costs one page of the disk. With prefixes of a whole second and the samples elsewhere it
 * would cost the decoding of 5000 samples.
 */
export const SAMPLES = (RECORD_BYTES - HEAD) / 2;
export const LISTED_SAMPLES = Math.floor((RECORD_BYTES - HEAD) / 10);

const LARGEST_CODE = 65_535;
/** Intervals that differ by less are alike: far below any sample distance. */
const ALIKE_S = 1e-9;

/** Adjacent intervals with their mean powers; `ends_s` counts from `start_s`. */
export interface Stretch {
  readonly start_s: number;
  readonly ends_s: Float64Array;
  readonly mean_w: Float64Array;
  /** Powers at the ends where instants were sampled, with the one at the start. */
  readonly points?: { readonly start_w: number; readonly end_w: Float64Array };
  readonly energyBefore_j: number;
  readonly coveredBefore_s: number;
}

/** Length of every interval where all are alike, as 0 where not. */
export function stepOf(ends_s: Float64Array): number {
  const step_s = ends_s.at(-1)! / ends_s.length;
  for (let k = 0; k < ends_s.length; k++) if (Math.abs(ends_s[k]! - (k + 1) * step_s) > ALIKE_S) return 0;
  return step_s;
}

/**
 * One record of at most {@link SAMPLES} or {@link LISTED_SAMPLES}.
 *
 * A power is kept as one of 65 536 steps between the least and the largest of its record: an error of at most
 * 1/131 070 of what power varies by there, which does not add up from record to record.
 */
export function encodeStretch({ start_s, ends_s, mean_w, points, energyBefore_j, coveredBefore_s }: Stretch, step_s: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(RECORD_BYTES));
  const values = points?.end_w ?? mean_w;
  let [least_w, largest_w] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const each of values) {
    if (each < least_w) least_w = each;
    if (each > largest_w) largest_w = each;
  }
  const low_w = Math.fround(least_w);
  const unit_w = Math.fround((largest_w - low_w) / LARGEST_CODE);
  const codesAt = step_s > 0 ? HEAD : HEAD + 8 * ends_s.length;
  view.setFloat64(0, start_s, true);
  view.setFloat64(8, step_s, true);
  view.setFloat64(16, energyBefore_j, true);
  view.setFloat64(24, coveredBefore_s, true);
  view.setFloat32(32, low_w, true);
  view.setFloat32(36, unit_w, true);
  view.setFloat32(40, points?.start_w ?? Number.NaN, true);
  view.setUint16(44, values.length, true);
  for (let k = 0; k < values.length; k++) {
    if (step_s === 0) view.setFloat64(HEAD + 8 * k, ends_s[k]!, true);
    const code = unit_w > 0 ? Math.round((values[k]! - low_w) / unit_w) : 0;
    view.setUint16(codesAt + 2 * k, Math.min(LARGEST_CODE, Math.max(0, code)), true);
  }
  return new Uint8Array(view.buffer);
}

/** The record that ends a file: all the energy and all the time there is. */
export function encodeEnd(end_s: number, energy_j: number, covered_s: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(RECORD_BYTES));
  view.setFloat64(0, end_s, true);
  view.setFloat64(16, energy_j, true);
  view.setFloat64(24, covered_s, true);
  return new Uint8Array(view.buffer);
}

export const startOf = (view: DataView, at: number): number => view.getFloat64(at, true);
export const energyBefore = (view: DataView, at: number): number => view.getFloat64(at + 16, true);
export const coveredBefore = (view: DataView, at: number): number => view.getFloat64(at + 24, true);
export const countOf = (view: DataView, at: number): number => view.getUint16(at + 44, true);

/** Length of the whole record, s. */
export function lengthOf(view: DataView, at: number): number {
  const count = countOf(view, at);
  return count === 0 ? 0 : endOf(view, at, count - 1);
}

/** End of interval k after the start of the record, s. */
export function endOf(view: DataView, at: number, k: number): number {
  const step_s = view.getFloat64(at + 8, true);
  return step_s > 0 ? (k + 1) * step_s : view.getFloat64(at + HEAD + 8 * k, true);
}

/** Power of sample k, W: of its interval, or at its end where instants were sampled. */
export function powerOf(view: DataView, at: number, k: number): number {
  const codesAt = view.getFloat64(at + 8, true) > 0 ? HEAD : HEAD + 8 * countOf(view, at);
  return view.getFloat32(at + 32, true) + view.getUint16(at + codesAt + 2 * k, true) * view.getFloat32(at + 36, true);
}

/** Power at the start of a record of instants, W; NaN of one of means. */
export const startPower = (view: DataView, at: number): number => view.getFloat32(at + 40, true);

/** Energy of a record up to `offset_s` after its start, J; all of it beyond its end. */
export function energyWithin(view: DataView, at: number, offset_s: number): number {
  const step_s = view.getFloat64(at + 8, true);
  const count = countOf(view, at);
  const isPoint = !Number.isNaN(startPower(view, at));
  if (step_s > 0 && !isPoint) return uniformEnergy(view, at, Math.min(offset_s, count * step_s));
  let energy_j = 0;
  let [begin_s, left_w] = [0, startPower(view, at)];
  for (let k = 0; k < count && begin_s < offset_s; k++) {
    const end_s = endOf(view, at, k);
    const right_w = powerOf(view, at, k);
    const share = Math.min(1, (offset_s - begin_s) / (end_s - begin_s));
    const mean_w = isPoint ? left_w + 0.5 * (right_w - left_w) * share : right_w;
    energy_j += (end_s - begin_s) * share * mean_w;
    begin_s = end_s;
    left_w = right_w;
  }
  return energy_j;
}

/** The common case, for which the codes are summed up before they become powers. */
function uniformEnergy(view: DataView, at: number, offset_s: number): number {
  const step_s = view.getFloat64(at + 8, true);
  const whole = Math.min(countOf(view, at), Math.floor(offset_s / step_s));
  let codes = 0;
  let k = 0;
  // Two at a time, which is most of what reading an energy takes.
  for (; k + 1 < whole; k += 2) {
    const pair = view.getUint32(at + HEAD + 2 * k, true);
    codes += (pair & LARGEST_CODE) + (pair >>> 16);
  }
  if (k < whole) codes += view.getUint16(at + HEAD + 2 * k, true);
  const rest_s = Math.max(0, offset_s - whole * step_s);
  const restCode = whole < countOf(view, at) ? view.getUint16(at + HEAD + 2 * whole, true) : 0;
  return view.getFloat32(at + 32, true) * offset_s + view.getFloat32(at + 36, true) * (codes * step_s + restCode * rest_s);
}
