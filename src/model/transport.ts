import type { z } from "zod";
import type { HostNs } from "./clock.ts";

export interface Line {
  readonly text: string;
  readonly host_ns: HostNs;
}

/** A command running on the device: its standard output line by line, its standard input, its end. */
export interface Channel {
  /** Standard output. Ends when the command closes it. Lines longer than the transport's bound are cut and marked. */
  readonly lines: AsyncIterable<Line>;
  /** Sends one line to standard input. */
  write(line: string): Promise<void>;
  /** Resolves with the exit code, or null when a signal ended it. */
  readonly exit: Promise<number | null>;
  /** The end of its standard error, bounded; empty when it never complained. For messages, not for parsing. */
  complaint(): string;
  /** Ends the command and waits until it is gone. */
  close(): Promise<void>;
}

/** A way to run commands on the device under test. Arguments are arrays: a shell string exists nowhere. */
export interface Transport {
  open(argv: readonly string[]): Promise<Channel>;
  identity(): Promise<Readonly<Record<string, string>>>;
  close(): Promise<void>;
}

export interface TransportKind {
  readonly kind: string;
  readonly summary: string;
  /** The rig keys this transport understands, besides `kind`. */
  readonly options: z.ZodObject;
  readonly open: (options: unknown, now: () => HostNs) => Promise<Transport>;
}
