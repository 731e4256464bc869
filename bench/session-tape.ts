import type { Options } from "../src/instruments/bridge-ina219-options.ts";
import type { TapeRecord } from "../src/model/tape.ts";
import { pingLine, pongLine } from "../src/wire/ping.ts";
import { end, handshake, samplesFrame } from "./bridge-bytes.ts";

const RATE_HZ = 1000;
const PER_FRAME = 15;
const IDLE_S = 10;
const REQUEST_S = 60;
const TOKENS = 500;
const OFFSET_S = 3.217;
/** Delays of frames and lines to the host: never below the first, seldom much above. */
const delay_s = (n: number): number => 1e-3 + 0.4e-3 * (((n * 7919) % 97) / 97) ** 4;

interface Entry {
  readonly at_s: number;
  readonly source: string;
  readonly kind: TapeRecord["kind"];
  readonly bytes: Uint8Array;
}

/**
 * The tape of a session as it would be after so many minutes: a bridge at 1 kHz, a phone that answers prompts and
 * pings, the session's own marks and ticks. Bytes as on the wire, times made up.
 */
export function* sessionRecords(minutes: number, options: Options): Generator<TapeRecord> {
  const end_s = minutes * 60;
  let seq = 0;
  const record = ({ at_s, source, kind, bytes }: Entry): TapeRecord => ({
    seq: seq++,
    source,
    kind,
    host_ns: Math.round(at_s * 1e9),
    bytes,
  });
  const others = [...device(end_s), ...marks(end_s)].sort((a, b) => a.at_s - b.at_s);
  let next = 0;
  for (const source of ["meter", "device"]) yield record({ at_s: 0, source, kind: "open", bytes: Buffer.from("{}") });
  for (const bytes of handshake(options)) yield record({ at_s: 0.01, source: "meter", kind: "rx", bytes });
  const frames = Math.floor((end_s * RATE_HZ) / PER_FRAME);
  for (let n = 0; n < frames; n++) {
    const at_s = 0.02 + ((n + 1) * PER_FRAME) / RATE_HZ + delay_s(n);
    for (; next < others.length && others[next]!.at_s <= at_s; next++) yield record(others[next]!);
    yield record({ at_s, source: "meter", kind: "rx", bytes: frame(n) });
  }
  const last_s = end_s + 0.1;
  yield record({ at_s: last_s, source: "meter", kind: "rx", bytes: end(0.02e6 + end_s * 1e6, frames * PER_FRAME, options) });
  yield record({ at_s: last_s, source: "meter", kind: "close", bytes: Buffer.from('{"reason":"closed"}') });
}

/** 20 ms at 8 W, 60 ms at 4 W, a little restless: what a decode looks like at 5 V over 0.1 ohm. */
function frame(n: number): Uint8Array {
  const counter = n * PER_FRAME;
  const samples = Array.from({ length: PER_FRAME }, (_, k) => {
    const level = (counter + k) % 80 < 20 ? 16_000 : 8000;
    return [level + (((counter + k) * 7919) % 41) * 2, (1250 << 3) | 2] as const;
  });
  return samplesFrame({ counter, t_us: 20_000 + counter * 1000, period_us: 1000, samples });
}

function* device(end_s: number): Generator<Entry> {
  const line = (at_s: number, kind: "rx" | "tx", text: string): Entry => ({
    at_s,
    source: "device",
    kind,
    bytes: Buffer.from(`${text}\n`),
  });
  let id = 0;
  for (let at_s = 1; at_s < end_s; at_s += 5) {
    for (let n = 0; n < 16; n++, id++) {
      const sent_s = at_s + n * 4e-3;
      const device_s = sent_s + 0.3e-3 + delay_s(id) + OFFSET_S;
      yield line(sent_s, "tx", pingLine(id));
      yield line(device_s - OFFSET_S + delay_s(id + 50), "rx", pongLine({ id, deviceReceived_s: device_s, deviceSent_s: device_s }));
    }
  }
  for (let start_s = IDLE_S + 1, n = 1; start_s + REQUEST_S < end_s - IDLE_S; start_s += REQUEST_S, n++) {
    const first_s = start_s + 2;
    const step_s = (REQUEST_S - 5) / TOKENS;
    const event = (type: string, at_s: number, tokens?: number): Entry =>
      line(at_s + delay_s(Math.round(at_s * 1e3)), "rx", JSON.stringify({ type, request: `r${n}`, time_s: at_s + OFFSET_S, tokens }));
    yield event("request_start", start_s);
    yield event("first_token", first_s, 200);
    for (let k = 1; k <= TOKENS; k++) yield event("token", first_s + k * step_s, 1);
    yield event("request_end", first_s + TOKENS * step_s);
  }
}

function* marks(end_s: number): Generator<Entry> {
  const mark = (at_s: number, name: string): Entry => ({
    at_s,
    source: "session",
    kind: "control",
    bytes: Buffer.from(JSON.stringify({ mark: name })),
  });
  yield mark(0.5, "idle_start");
  yield mark(IDLE_S, "idle_end");
  yield mark(IDLE_S + 0.5, "workload_start");
  yield mark(end_s - 2, "workload_end");
  for (let n = 1; n < end_s * 10; n++) yield { at_s: n / 10, source: "session", kind: "tick", bytes: new Uint8Array(0) };
}
