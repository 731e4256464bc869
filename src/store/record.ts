import { crc32 } from "node:zlib";
import { RECORD_KINDS, type RecordKind, type TapeRecord } from "../model/tape.ts";

// A segment is this line followed by records. A record, little endian:
//   0 u32 magic | 4 u32 length of the body | 8 u32 CRC-32 of the body | body
//   body: 0 u8 kind | 1 u8 length of the source name | 2 f64 seq | 10 f64 host_ns | 18 source name | bytes
// Sequence numbers and nanoseconds are whole numbers below 2^53, which a float64 holds exactly.
export const SEGMENT_HEADER = new TextEncoder().encode("joulebench tape 1\n");
const MAGIC = 0x4352424a;
const HEAD = 12;
const BODY_HEAD = 18;
/** Longest body a reader believes; a length beyond it is damage, not a record. */
const LONGEST_BODY = 64 * 1024 * 1024;

const KIND_CODES = Object.fromEntries(RECORD_KINDS.map((kind, code) => [kind, code])) as Readonly<Record<RecordKind, number>>;

/** Names of sources as they stand in records; few, and the same ones all the time. */
const names = new Map<string, Uint8Array>();
const MOST_NAMES = 1000;

function nameOf(source: string): Uint8Array {
  let name = names.get(source);
  if (name) return name;
  name = new TextEncoder().encode(source);
  if (names.size >= MOST_NAMES) names.clear();
  names.set(source, name);
  return name;
}

/** Bytes a record takes on the tape. */
export const recordLength = ({ source, bytes }: TapeRecord): number => HEAD + BODY_HEAD + nameOf(source).length + bytes.length;

/** Writes a record at `at` of `out`, which `view` shows too and which must have room for it. @returns where the next one goes */
export function encodeInto(out: Uint8Array, view: DataView, at: number, { seq, source, kind, host_ns, bytes }: TapeRecord): number {
  const name = nameOf(source);
  const body = at + HEAD;
  const end = body + BODY_HEAD + name.length + bytes.length;
  view.setUint32(at, MAGIC, true);
  view.setUint32(at + 4, end - body, true);
  view.setUint8(body, KIND_CODES[kind]);
  view.setUint8(body + 1, name.length);
  view.setFloat64(body + 2, seq, true);
  view.setFloat64(body + 10, host_ns, true);
  out.set(name, body + BODY_HEAD);
  out.set(bytes, body + BODY_HEAD + name.length);
  view.setUint32(at + 8, crc32(out.subarray(body, end)), true);
  return end;
}

export function encodeRecord(record: TapeRecord): Uint8Array {
  const out = new Uint8Array(recordLength(record));
  encodeInto(out, new DataView(out.buffer), 0, record);
  return out;
}

/** The record at `at`, and where the next one starts; `undefined` where no whole and undamaged record stands. */
export function decodeRecord(segment: Uint8Array, at: number): { record: TapeRecord; next: number } | undefined {
  if (at + HEAD + BODY_HEAD > segment.length) return undefined;
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
  const length = view.getUint32(at + 4, true);
  if (view.getUint32(at, true) !== MAGIC || length < BODY_HEAD || length > LONGEST_BODY) return undefined;
  const next = at + HEAD + length;
  if (next > segment.length) return undefined;
  const body = segment.subarray(at + HEAD, next);
  if (crc32(body) !== view.getUint32(at + 8, true)) return undefined;
  const kind = RECORD_KINDS[body[0]!];
  if (!kind) return undefined;
  const bytesAt = BODY_HEAD + body[1]!;
  const source = new TextDecoder().decode(body.subarray(BODY_HEAD, bytesAt));
  const [seq, host_ns] = [view.getFloat64(at + HEAD + 2, true), view.getFloat64(at + HEAD + 10, true)];
  return { record: { seq, source, kind, host_ns, bytes: body.subarray(bytesAt) }, next };
}

/** The next place at or after `at` where a whole record stands; the end of the segment when there is none. */
export function resync(segment: Uint8Array, at: number): number {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
  for (let i = at; i + HEAD + BODY_HEAD <= segment.length; i++) if (view.getUint32(i, true) === MAGIC && decodeRecord(segment, i)) return i;
  return segment.length;
}
