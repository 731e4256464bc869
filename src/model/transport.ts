import type { z } from "zod";
import type { HostNs } from "./clock.ts";

export interface Line {
  readonly text: string;
  readonly host_ns: HostNs;
}

/** A command running on the device: its standard output line by line, its standard input, its end. */
export interface Channel {
  /**
   * Standard output. Ends when the command closes it, or the link is lost; what came of a line before the link was lost
   * is dropped, or whoever reads on would read half a line twice. Lines longer than the transport's bound are cut and
   * marked.
   */
  readonly lines: AsyncIterable<Line>;
  /** Sends one line to standard input. @throws RangeError when `line` is not one; JoulebenchError `link` when it cannot be sent */
  write(line: string): Promise<void>;
  /** Ends standard input: the command reads its end after the last line. */
  endInput(): void;
  /**
   * Resolves with the exit code, or null when a signal ended the command. Rejects with a JoulebenchError `link` when
   * the link was lost before the command ended, which says nothing about the command: it may run on.
   */
  readonly exit: Promise<number | null>;
  /** The end of its standard error, bounded; empty when it never complained. For messages, not for parsing. */
  complaint(): string;
  /** Ends the command and waits until it is gone. On a lost link it only lets go of it. */
  close(): Promise<void>;
}

/** A command that has run to its end. Its output is text: for files there is `pull`. */
export interface Finished {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  /** Standard output, at most 1 MiB of it. */
  readonly output: string;
  /** The end of its standard error, bounded. */
  readonly complaint: string;
}

export interface RunOptions {
  /** Given to its standard input, line by line; without it standard input is empty. */
  readonly input?: readonly string[];
  /** A command that takes longer is ended and the call rejects with a JoulebenchError `link`. Default 30 s. */
  readonly limit_ms?: number;
}

/** A port of the device as a port of this host's loopback interface. */
export interface Forward {
  readonly host: "127.0.0.1";
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Who is at the other end, as far as it says: `transport`, `serial`, `model`, `soc`, `os_build`, `boot_id`, `machine`, …
 *
 * The same `serial` is the same device; the same `boot_id` is the same run of its clocks.
 */
export type Identity = Readonly<Record<string, string>>;

/**
 * A way to run commands on the device under test. Arguments are arrays: a shell string exists nowhere.
 *
 * What a transport cannot do it leaves out; whoever needs it says so in a `config` error. One object serves one device
 * for a whole session: after a lost link `reconnect` makes it usable again, and every channel from before is dead.
 */
export interface Transport {
  /** Starts a command. @throws JoulebenchError `config` when it cannot be started; `link` when the device cannot be reached */
  open(argv: readonly string[]): Promise<Channel>;
  /** Runs a command to its end. @throws as `open` does */
  run?(argv: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Copies one file to the device, replacing what is there; the mode is kept. @throws JoulebenchError `config` or `link` */
  push?(local: string, remote: string): Promise<void>;
  /** Copies one file from the device, replacing what is here. @throws JoulebenchError `config` when there is none; `link` */
  pull?(remote: string, local: string): Promise<void>;
  /** Makes a TCP port of the device's loopback interface reachable from here. @throws JoulebenchError `link` */
  forward?(port: number): Promise<Forward>;
  /** Asks the device anew each time: this is how another device, or a reboot, is told from the same one. @throws JoulebenchError `link` */
  identity(): Promise<Identity>;
  /**
   * Lets go of every channel and forward and connects anew, once. Absent where there is no link to lose.
   *
   * @throws JoulebenchError `link` while the device cannot be reached: try again later; `config` when it refuses us
   */
  reconnect?(): Promise<void>;
  /**
   * Goes on without the cable, so that none feeds the device: lets go of every channel and forward as `reconnect` does,
   * and reaches the same device through its network from now on. Nothing to do where that is the case already.
   *
   * @throws JoulebenchError `config` when the device is in no network or another one answers there; `link` when none does:
   * the cable is used again then
   */
  toNetwork?(): Promise<void>;
  close(): Promise<void>;
}

export interface TransportKind {
  readonly kind: string;
  readonly summary: string;
  /** The rig keys this transport understands, besides `kind`. */
  readonly options: z.ZodObject;
  /** @throws JoulebenchError `config` for what the rig or the device must change, `link` when it cannot be reached */
  readonly open: (options: unknown, now: () => HostNs) => Promise<Transport>;
}
