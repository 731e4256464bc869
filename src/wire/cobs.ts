import { crc16 } from "./crc16.ts";

const CRC_BYTES = 2;

/** What a {@link CobsReader} finds. Arrays are views that the next call overwrites: copy what is kept. */
export interface CobsHandlers {
  /** A frame whose checksum agreed, without the checksum. */
  readonly frame: (payload: Uint8Array) => void;
  /** Bytes that stand between frames: console text, or what is left of a damaged frame. */
  readonly text: (bytes: Uint8Array) => void;
  /** Something between two delimiters that is no frame, dropped whole. */
  readonly bad: () => void;
}

/**
 * Reads frames out of a byte stream that may carry text between them.
 *
 * On the wire a frame is 0x00, COBS(payload, CRC-16 little endian), 0x00; text holds no 0x00. A zero opens a frame
 * or closes one, and which of both is only an assumption: whatever lies between two zeros is tried as a frame, so a
 * lost or an invented delimiter costs the frames it touches and no more.
 * COBS: Cheshire and Baker, "Consistent Overhead Byte Stuffing", 1999.
 */
export class CobsReader {
  readonly #handlers: CobsHandlers;
  /** Bytes since the last zero, from earlier chunks; `#length` may exceed it, which says that they were too many. */
  readonly #carry: Uint8Array;
  #length = 0;
  #inside = false;
  readonly #decoded: Uint8Array;

  /** @param maxEncoded longest legal frame between its delimiters, bytes */
  constructor(maxEncoded: number, handlers: CobsHandlers) {
    this.#handlers = handlers;
    this.#carry = new Uint8Array(maxEncoded);
    this.#decoded = new Uint8Array(maxEncoded);
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      const zero = chunk.indexOf(0, at);
      const end = zero < 0 ? chunk.length : zero;
      if (!this.#inside && end > at) this.#handlers.text(chunk.subarray(at, end));
      if (zero >= 0 && this.#length === 0) this.#close(chunk, at, end);
      else this.#keep(chunk, at, end);
      if (zero >= 0 && this.#length > 0) this.#close(this.#carry, 0, this.#length);
      if (zero >= 0) this.#length = 0;
      at = end + 1;
    }
  }

  #keep(chunk: Uint8Array, from: number, to: number): void {
    const room = this.#carry.length - this.#length;
    if (room > 0) this.#carry.set(chunk.subarray(from, Math.min(to, from + room)), this.#length);
    this.#length += to - from;
  }

  #close(bytes: Uint8Array, from: number, to: number): void {
    if (from === to) {
      this.#inside = true;
      return;
    }
    const length = to - from > this.#carry.length ? -1 : decodeCobs(bytes, from, to, this.#decoded);
    const payload = length - CRC_BYTES;
    if (payload > 0 && crc16(this.#decoded, 0, payload) === (this.#decoded[payload]! | (this.#decoded[payload + 1]! << 8))) {
      this.#inside = false;
      this.#handlers.frame(this.#decoded.subarray(0, payload));
      return;
    }
    if (this.#inside) this.#handlers.bad();
    this.#inside = !this.#inside;
  }
}

/** Undoes COBS of `bytes[from, to)` into `out`. @returns the length, or -1 when the groups do not add up. */
export function decodeCobs(bytes: Uint8Array, from: number, to: number, out: Uint8Array): number {
  let at = from;
  let length = 0;
  while (at < to) {
    const code = bytes[at++]!;
    const end = at + code - 1;
    if (code === 0 || end > to) return -1;
    while (at < end) out[length++] = bytes[at++]!;
    if (code < 0xff && at < to) out[length++] = 0;
  }
  return length;
}
