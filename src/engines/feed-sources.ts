import type { FeedSource } from "./feed.ts";
import { FOLLOW_SCRIPT } from "./follow-script.ts";

/** Between two looks at a file, seconds: its events are stamped by the device, so their arrival may be late. */
const LOOK_EVERY_S = "0.5";

/** A file of the device. It is read from its end as it is when first opened, or from its beginning when it comes later. */
export class FileSource implements FeedSource {
  readonly saysWhere = true;
  readonly #file: string;
  readonly #prefix: readonly string[];
  /** Begins the script's own lines; nobody else's begin so. */
  readonly #tag = `joulebench-${crypto.randomUUID()}`;
  #from = "end";
  #inode = "";

  /** @param prefix of the command, for files that only another user may read: `[run-as, com.example.app]` */
  constructor(file: string, prefix: readonly string[]) {
    this.#file = file;
    this.#prefix = prefix;
  }

  argv(): readonly string[] {
    return [...this.#prefix, "sh", "-c", FOLLOW_SCRIPT, "sh", this.#file, this.#tag, this.#from, this.#inode, LOOK_EVERY_S];
  }

  read(line: string): string | undefined {
    if (!line.startsWith(`${this.#tag} `)) return line;
    const [, , inode = "", byte = "0"] = line.split(" ");
    this.#inode = inode;
    this.#from = byte;
    return undefined;
  }
}

/** `-v epoch`: seconds, process, thread, priority, tag, message. */
const LOGCAT = /^\s*(\d+\.\d+)\s+\d+\s+\d+ [A-Z] (.*?)\s*: (.*)$/;

/** Android's log, the messages of one tag. */
export class LogcatSource implements FeedSource {
  readonly saysWhere = false;
  readonly #tag: string;
  #stamp: string | undefined;
  /** Lines of the latest stamp, and how often each came; a log that is opened again begins with them. */
  #latest = new Map<string, number>();
  /** Of those, what is still to come once more. */
  #again = new Map<string, number>();

  /** @param stamp the device's time of day when nothing of the log counts yet, seconds */
  constructor(tag: string, stamp: string) {
    this.#tag = tag;
    this.#stamp = stamp;
  }

  argv(): readonly string[] {
    this.#again = new Map(this.#latest);
    return ["logcat", "-v", "epoch", ...(this.#stamp === undefined ? [] : ["-T", this.#stamp]), "-s", `${this.#tag}:V`];
  }

  read(line: string): string | undefined {
    const [, stamp, tag, message] = LOGCAT.exec(line) ?? [];
    if (stamp === undefined || tag !== this.#tag) return undefined;
    const known = this.#again.get(line) ?? 0;
    if (known > 0) {
      this.#again.set(line, known - 1);
      return undefined;
    }
    if (stamp !== this.#stamp) this.#latest = new Map();
    this.#stamp = stamp;
    this.#latest.set(line, (this.#latest.get(line) ?? 0) + 1);
    return message;
  }
}

/** What the app itself prints; it runs as long as it is listened to, and cannot be heard twice. */
export class OutputSource implements FeedSource {
  readonly saysWhere = false;
  readonly #argv: readonly string[];

  constructor(argv: readonly string[]) {
    this.#argv = argv;
  }

  argv(): readonly string[] {
    return this.#argv;
  }

  read(line: string): string {
    return line;
  }
}
