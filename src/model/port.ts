/** Bytes as one read gave them, stamped at that read: `process.hrtime` nanoseconds, as a number since the session opened. */
export interface PortChunk {
  readonly bytes: Uint8Array;
  readonly host_ns: number;
}

/**
 * The only seam to hardware: a serial port, emulated firmware, or a recorded tape.
 *
 * Iterating yields chunks until the other side ends or `close` is called; a lost device ends it with a
 * JoulebenchError of kind `link`. Nothing is read ahead of the consumer beyond a stated bound.
 */
export interface Port extends AsyncIterable<PortChunk> {
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** The host's monotonic clock, nanoseconds since the session opened. */
export type HostClock = () => number;
