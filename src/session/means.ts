import { concat, concatMap, defer, from, map, type Observable, share } from "rxjs";
import { type Block, power, tickAt } from "../model/block.ts";
import { toSession } from "../model/clock.ts";
import type { PowerMean } from "../model/sink.ts";
import type { TimedBlock } from "./streams.ts";

/**
 * Mean, least and largest power of every channel over `1 / rate_hz` seconds, on the map known at the time.
 *
 * Intervals begin at whole multiples of their length, so that the same samples give the same means, live and sent
 * again. The last ones come when the blocks have ended.
 */
export function powerMeans(blocks$: Observable<TimedBlock>, rate_hz: number): Observable<PowerMean> {
  return defer(() => {
    const channels = new Map<string, Bins>();
    const gathered$ = blocks$.pipe(
      map(({ block, map: clock }) => gather(channels, rate_hz, { block, map: clock })),
      concatMap((means) => means),
    );
    return concat(
      gathered$,
      defer(() => from([...channels.values()].flatMap((bins) => bins.end()))),
    );
  }).pipe(share());
}

function gather(channels: Map<string, Bins>, rate_hz: number, timed: TimedBlock): PowerMean[] {
  const { block } = timed;
  const names = new Set(Object.keys(block.columns).map((column) => column.slice(0, column.lastIndexOf("."))));
  return [...names].flatMap((channel) => {
    const power_w = power(block, channel);
    if (!power_w) return [];
    const source = `${block.source}.${channel}`;
    const bins = channels.get(source) ?? new Bins(source, channel, rate_hz);
    channels.set(source, bins);
    return bins.push(timed, power_w);
  });
}

interface Open {
  readonly bin: number;
  count: number;
  sum_w: number;
  min_w: number;
  max_w: number;
  sum_a: number;
  sum_v: number;
}

/** The intervals of one channel, of which one is open. */
class Bins {
  readonly #source: string;
  readonly #channel: string;
  readonly #rate_hz: number;
  #open: Open | undefined;

  constructor(source: string, channel: string, rate_hz: number) {
    this.#source = source;
    this.#channel = channel;
    this.#rate_hz = rate_hz;
  }

  push({ block, map: clock }: TimedBlock, power_w: Float64Array): PowerMean[] {
    const done: PowerMean[] = [];
    const [current_a, voltage_v] = [this.#column(block, "current_a"), this.#column(block, "voltage_v")];
    for (let k = 0; k < power_w.length; k++) {
      const bin = Math.floor(toSession(clock, tickAt(block, k)) * this.#rate_hz);
      if (this.#open?.bin !== bin) done.push(...this.end());
      this.#open ??= { bin, count: 0, sum_w: 0, min_w: Number.POSITIVE_INFINITY, max_w: Number.NEGATIVE_INFINITY, sum_a: 0, sum_v: 0 };
      const open = this.#open;
      const p = power_w[k]!;
      open.count++;
      open.sum_w += p;
      open.sum_a += current_a?.[k] ?? Number.NaN;
      open.sum_v += voltage_v?.[k] ?? Number.NaN;
      if (p < open.min_w) open.min_w = p;
      if (p > open.max_w) open.max_w = p;
    }
    return done;
  }

  /** The interval that is open is over. */
  end(): PowerMean[] {
    if (!this.#open) return [];
    const { bin, count, sum_w, sum_a, sum_v, min_w, max_w } = this.#open;
    this.#open = undefined;
    const span = { start_s: bin / this.#rate_hz, end_s: (bin + 1) / this.#rate_hz };
    const current = Number.isFinite(sum_a) ? { current_a: sum_a / count } : {};
    const voltage = Number.isFinite(sum_v) ? { voltage_v: sum_v / count } : {};
    return [{ source: this.#source, ...span, mean_w: sum_w / count, min_w, max_w, ...current, ...voltage }];
  }

  #column(block: Block, quantity: "current_a" | "voltage_v"): Float64Array | undefined {
    return block.columns[`${this.#channel}.${quantity}`];
  }
}
