/** A step of arrival times longer than this beyond what the rows account for is a gap, unless they catch up later. */
const GAP_S = 5e-3;
/** And longer than this many rows, for files with few rows a second. */
const GAP_ROWS = 5;
/** Rows looked at beyond a stall, per row it lasted: a reader with a backlog catches up at a multiple of the rate. */
const BACKLOG = 2;
const LONGEST_BACKLOG = 20_000;
/** Distance of the points the rate is drawn through: short against a request, long against the jitter of a computer. */
const KNOT_S = 1;
/** Largest credible error of a meter's crystal. More than that is missing rows. */
const CRYSTAL = 500e-6;
/** Rows are an instrument's own where they come about as often as it samples: most of them, or all but the dropped ones. */
const ABOUT = 0.2;

/** Times of rows that were stamped by the computer they arrived at. */
export interface FittedStamps {
  /** End of each row's sample, seconds on the clock of the stamps. */
  readonly times_s: Float64Array;
  /** Mean distance of the rows where none is missing between them but those that are missing everywhere. */
  readonly step_s: number;
  /** Rows that arrived one by one, with a stamp of their own or together. */
  readonly stamps: number;
  /** Rows that share their stamp with another. */
  readonly shared: number;
  /** Distance of two samples by the instrument's own rate; undefined where the rows are not all it takes. */
  readonly nominal_s: number | undefined;
  /** Samples missing here and there, by the nominal rate; gaps are not among them. 0 without a nominal rate. */
  readonly spread: number;
  /** Root mean square of how late the stamps are beside the fitted times: the standard uncertainty of these. */
  readonly u_s: number;
}

/** The last row of each group with one stamp: only its sample was over just before the stamp was taken. */
interface Packets {
  readonly last: Int32Array;
  readonly count: number;
}

/**
 * Times of samples from the index of their rows and a fitted rate, with the stamps as what they are: arrivals.
 *
 * Transport only makes data late, so the fitted line runs through the least late stamp of each second. Between two such
 * points every row stands for the same time: where a program dropped samples here and there, they stand for a little
 * more each. A stall that the following rows do not make up for is a gap, and the line begins anew behind it.
 *
 * @param stamps seconds, never falling
 * @param own_s distance of two samples of the instrument; used where the rows come about as often
 */
export function fitStamps(stamps: Float64Array, own_s: number): FittedStamps {
  const packets = findPackets(stamps);
  const mostly_s = regularStep(stamps, packets);
  const mean_s = (stamps.at(-1)! - stamps[0]!) / (stamps.length - 1);
  const known = Math.abs(mostly_s / own_s - 1) < ABOUT || (mean_s > own_s * (1 - CRYSTAL) && mean_s < own_s * (1 + ABOUT));
  const nominal_s = known ? own_s : undefined;
  const regular_s = nominal_s ?? mostly_s;
  const times_s = new Float64Array(stamps.length);
  let spread = 0;
  let length_s = 0;
  let steps = 0;
  for (const [first, end] of stretches(stamps, packets, regular_s)) {
    drawLine(stamps, times_s, packets, { first, end, regular_s });
    const from = first === 0 ? 0 : packets.last[first - 1]! + 1;
    const to = packets.last[end - 1]!;
    const took_s = times_s[to]! - times_s[from]!;
    length_s += took_s;
    steps += to - from;
    const missing = nominal_s === undefined ? 0 : took_s / nominal_s - (to - from);
    if (missing > Math.max(1, CRYSTAL * (to - from))) spread += Math.round(missing);
  }
  const shared = stamps.length - countAlone(packets);
  const step_s = steps > 0 ? length_s / steps : regular_s;
  return { times_s, step_s, stamps: packets.count, shared, nominal_s, spread, u_s: lateness(stamps, times_s, packets) };
}

function findPackets(stamps: Float64Array): Packets {
  const last = new Int32Array(stamps.length);
  let count = 0;
  for (let k = 0; k < stamps.length; k++) if (k === stamps.length - 1 || stamps[k + 1] !== stamps[k]) last[count++] = k;
  return { last, count };
}

function countAlone({ last, count }: Packets): number {
  let alone = 0;
  for (let p = 0; p < count; p++) if (last[p]! - (p === 0 ? -1 : last[p - 1]!) === 1) alone++;
  return alone;
}

/** Seconds per row between most neighbouring stamps: what the instrument does while nothing is lost. */
function regularStep(stamps: Float64Array, { last, count }: Packets): number {
  if (count < 2) return Number.NaN;
  const steps_s = new Float64Array(count - 1);
  for (let p = 1; p < count; p++) steps_s[p - 1] = (stamps[last[p]!]! - stamps[last[p - 1]!]!) / (last[p]! - last[p - 1]!);
  return steps_s.sort()[steps_s.length >> 1]!;
}

/** Runs of packets without a gap between them: from `first` up to, not including, `end`. */
function stretches(stamps: Float64Array, packets: Packets, regular_s: number): readonly (readonly [number, number])[] {
  const found: [number, number][] = [];
  const gap_s = Math.max(GAP_S, GAP_ROWS * regular_s);
  let first = 0;
  for (let p = 1; p < packets.count; p++) {
    if (behind(stamps, packets, { from: p - 1, to: p, regular_s }) <= gap_s) continue;
    if (catchesUp(stamps, packets, { at: p, regular_s, gap_s })) continue;
    found.push([first, p]);
    first = p;
  }
  if (packets.count > 0) found.push([first, packets.count]);
  return found;
}

/** How much longer it took from one packet to another than their rows account for, seconds. */
function behind(stamps: Float64Array, { last }: Packets, step: { from: number; to: number; regular_s: number }): number {
  const a = last[step.from]!;
  const b = last[step.to]!;
  return stamps[b]! - stamps[a]! - (b - a) * step.regular_s;
}

function catchesUp(stamps: Float64Array, packets: Packets, stall: { at: number; regular_s: number; gap_s: number }): boolean {
  const { at, regular_s, gap_s } = stall;
  const stalled_s = behind(stamps, packets, { from: at - 1, to: at, regular_s });
  const reach = packets.last[at]! + Math.min(LONGEST_BACKLOG, (BACKLOG * stalled_s) / regular_s);
  for (let p = at + 1; p < packets.count && packets.last[p]! <= reach; p++)
    if (behind(stamps, packets, { from: at - 1, to: p, regular_s }) <= gap_s) return true;
  return false;
}

/** Writes the times of one stretch: straight lines between its knots, and the mean step beyond them. */
function drawLine(
  stamps: Float64Array,
  times_s: Float64Array,
  packets: Packets,
  stretch: { first: number; end: number; regular_s: number },
) {
  const { first, end } = stretch;
  const from = first === 0 ? 0 : packets.last[first - 1]! + 1;
  const to = packets.last[end - 1]!;
  const a = packets.last[first]!;
  const mean_s = to > a ? (stamps[to]! - stamps[a]!) / (to - a) : stretch.regular_s;
  const knots = findKnots(stamps, packets, { first, end, mean_s });
  let knot = 0;
  for (let k = from; k <= to; k++) {
    while (knot < knots.length - 2 && k > knots[knot + 1]!) knot++;
    const left = knots[knot]!;
    const right = knots[knot + 1] ?? left;
    const inside = right > left && k >= left && k <= right;
    const base = k > right ? right : left;
    const step_s = inside ? (stamps[right]! - stamps[left]!) / (right - left) : mean_s;
    times_s[k] = stamps[base]! + (k - base) * step_s;
  }
}

/** Rows whose stamps are the least late of their second, none closer to the one before than half a second. */
function findKnots(stamps: Float64Array, { last }: Packets, line: { first: number; end: number; mean_s: number }): readonly number[] {
  const { first, end, mean_s } = line;
  const origin_s = stamps[last[first]!]!;
  const late = (row: number): number => stamps[row]! - row * mean_s;
  const knots: number[] = [];
  let best = last[first]!;
  const keep = (row: number): void => {
    const before = knots.at(-1);
    if (before === undefined || stamps[row]! - stamps[before]! >= KNOT_S / 2) knots.push(row);
    else if (late(row) < late(before)) knots[knots.length - 1] = row;
  };
  for (let p = first + 1; p < end; p++) {
    const row = last[p]!;
    const fresh = Math.floor((stamps[row]! - origin_s) / KNOT_S) > Math.floor((stamps[best]! - origin_s) / KNOT_S);
    if (fresh) keep(best);
    if (fresh || late(row) < late(best)) best = row;
  }
  keep(best);
  return knots;
}

function lateness(stamps: Float64Array, times_s: Float64Array, { last, count }: Packets): number {
  let sum = 0;
  for (let p = 0; p < count; p++) sum += (stamps[last[p]!]! - times_s[last[p]!]!) ** 2;
  return Math.sqrt(sum / Math.max(1, count));
}
