import { type Lapse, TAPE, type TapeRecord } from "../model/tape.ts";
import type { Rig } from "../rig/rig.ts";
import { lapseOf } from "../store/lapse.ts";
import { DEVICE, DeviceDecoder, RESPONDER } from "./device-decoder.ts";
import { InstrumentDecoder, type Write } from "./instrument-decoder.ts";
import type { Mark, Observation } from "./observation.ts";

/** The source under which the session's own statements stand on the tape. */
export const SESSION = "session";

const NOTHING: readonly Observation[] = [];

/**
 * Turns the records of a tape, strictly in order, into observations; the same object serves live and replayed tapes,
 * which is why both agree.
 */
export class Decoder {
  readonly #instruments: Map<string, InstrumentDecoder>;
  readonly #device: DeviceDecoder;

  constructor(rig: Rig, write: Write = () => {}) {
    this.#instruments = new Map(Object.keys(rig.instruments).map((source) => [source, new InstrumentDecoder(source, rig, write)]));
    this.#device = new DeviceDecoder(rig);
  }

  push(record: TapeRecord): readonly Observation[] {
    if (record.kind === "tick") return [...this.#instruments.values()].flatMap((each) => each.push(record));
    const lapse = lapseOf(record);
    if (lapse) return this.#lapsed(lapse);
    if (record.source === DEVICE || record.source === RESPONDER) return this.#device.push(record);
    if (record.source === SESSION) return record.kind === "control" ? markOf(record) : NOTHING;
    return this.#instruments.get(record.source)?.push(record) ?? NOTHING;
  }

  /** Stated by a replayed tape alone: live, everything is heard. */
  #lapsed(lapse: Lapse): Observation[] {
    if (lapse.state === "missing") for (const each of this.#instruments.values()) each.lapsed(lapse.to_ns);
    const { state, dropped, from_ns, to_ns, cause, fromSeq, toSeq } = lapse;
    const count = toSeq - fromSeq + 1;
    const size = Object.values(dropped).reduce((sum, { bytes }) => sum + bytes, 0);
    const span = `from ${(from_ns / 1e9).toFixed(2)} s to ${(to_ns / 1e9).toFixed(2)} s`;
    const detail = `${span}${size > 0 ? `, ${size} bytes` : ""}: ${cause}`;
    const code = state === "missing" ? "tape_missing" : "tape_suspect";
    const fault = { source: TAPE, code, count, at_s: from_ns / 1e9, detail } as const;
    return [{ type: "lapse", lapse }, ...(count > 0 ? [{ type: "fault" as const, fault }] : [])];
  }

  /** What must be sent to an instrument before its port is closed. */
  stop(source: string): Uint8Array | undefined {
    return this.#instruments.get(source)?.stop();
  }
}

function markOf({ bytes, host_ns }: TapeRecord): Observation[] {
  const { mark } = JSON.parse(new TextDecoder().decode(bytes)) as { mark?: Mark };
  return mark ? [{ type: "mark", mark, host_ns }] : [];
}
