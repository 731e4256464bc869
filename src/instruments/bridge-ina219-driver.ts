import type { Block } from "../model/block.ts";
import type { HostNs } from "../model/clock.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Chunk, Driver, InstrumentContext } from "../model/instrument.ts";
import { CobsReader } from "../wire/cobs.ts";
import { LineReader } from "../wire/lines.ts";
import { BlockBuilder, restarted } from "./bridge-ina219-blocks.ts";
import { type BridgeFrame, MAX_ENCODED, readFrame, type Totals } from "./bridge-ina219-frames.ts";
import { BAUD, configRegister, type Options } from "./bridge-ina219-options.ts";

const PROTOCOL = 1;
const BANNER = "joulebench-bridge ";
const UNREADABLE = 0xffff;

/** Ask again when no answer came: the board may still be in its bootloader. */
const RETRY_NS = 0.5e9;
/** Bytes, and nothing valid among them, for this long. */
const INVALID_NS = 2e9;
/** No byte for this long while streaming; the bridge sends a status every second even without a sensor. */
const SILENT_NS = 2e9;
/** No answer to one command for this long; the slowest bootloader takes 2 s. */
const UNANSWERED_NS = 6e9;
const EXCERPT_BYTES = 40;

/** Handshake, in order; the name is the command, and its answer leads to the next. */
type Stage = "stop" | "id" | "config" | "start" | "streaming" | "stopping" | "stopped";

/** Talks to the bridge as firmware-bridge/PROTOCOL.md says. */
export class BridgeDriver implements Driver {
  readonly #options: Options;
  readonly #context: InstrumentContext;
  readonly #builder: BlockBuilder;
  readonly #lines = new LineReader();
  readonly #reader = new CobsReader(MAX_ENCODED, {
    frame: (payload) => this.#onFrame(readFrame(payload)),
    text: (bytes) => {
      for (const line of this.#lines.push(bytes)) this.#onLine(line);
    },
    bad: () => this.#onBad(),
  });
  #stage: Stage | undefined;
  #blocks: Block[] = [];
  #facts: Record<string, string | number> = {};
  #now_ns = 0;
  #stageSince_ns = 0;
  #sent_ns = 0;
  #valid_ns = 0;
  #bytes_ns = 0;
  /** First byte since the last valid frame or line. */
  #unknownSince_ns: number | undefined;
  #excerpt: Uint8Array = new Uint8Array(0);

  constructor(options: Options, context: InstrumentContext) {
    this.#options = options;
    this.#context = context;
    this.#builder = new BlockBuilder(options, context);
  }

  get ready(): boolean {
    return this.#stage === "streaming";
  }

  get stopped(): boolean {
    return this.#stage === "stopped";
  }

  push({ bytes, host_ns }: Chunk): readonly Block[] {
    this.#now_ns = host_ns;
    this.#blocks = [];
    if (this.#stage === undefined) {
      this.#valid_ns = host_ns;
      this.#enter("stop");
    }
    if (bytes.length > 0) {
      this.#bytes_ns = host_ns;
      this.#unknownSince_ns ??= host_ns;
      this.#excerpt = bytes.slice(-EXCERPT_BYTES);
      this.#reader.push(bytes);
    }
    this.#checkTime();
    return this.#blocks;
  }

  /** Of a handshake that went on unheard, samples are the end. */
  lapsed(host_ns: HostNs): void {
    this.#now_ns = this.#valid_ns = this.#bytes_ns = this.#stageSince_ns = this.#sent_ns = host_ns;
    this.#unknownSince_ns = undefined;
    if (this.#stage === "stop" || this.#stage === "id" || this.#stage === "config") this.#stage = "start";
  }

  stop(): Uint8Array {
    this.#stage = "stopping";
    this.#stageSince_ns = this.#sent_ns = this.#now_ns;
    return encode("\nstop");
  }

  #enter(stage: Stage): void {
    this.#stage = stage;
    this.#stageSince_ns = this.#now_ns;
    this.#ask();
  }

  #ask(): void {
    const command = this.#command();
    if (command === undefined) return;
    this.#sent_ns = this.#now_ns;
    this.#context.write(encode(command));
  }

  #command(): string | undefined {
    const { rate_hz, address } = this.#options;
    switch (this.#stage) {
      case "stop": // ends whatever an earlier program left in the line and on the air
      case "stopping":
        return "\nstop";
      case "id":
      case "start":
        return this.#stage;
      case "config":
        return `config rate_hz=${rate_hz} reg=${hex(configRegister(this.#options))} addr=${hex(address)}`;
      default:
        return undefined;
    }
  }

  #isValid(): void {
    this.#valid_ns = this.#now_ns;
    this.#unknownSince_ns = undefined;
  }

  #onBad(): void {
    this.#lines.reset();
    if (this.#stage === "streaming" || this.#stage === "stopping") this.#context.fault("bad_frame", 1);
  }

  #onFrame(frame: BridgeFrame | undefined): void {
    if (!frame) {
      this.#onBad();
      return;
    }
    this.#lines.reset(); // text before a frame that came without its newline is what is left of another frame
    this.#isValid();
    if (frame.type === "boot") this.#onBoot(frame.protocol, frame.reset_cause);
    else if (frame.type === "samples" && this.#stage === "start") this.#stage = "streaming"; // "ok start" was damaged
    if (this.#stage === "streaming" || this.#stage === "stopping") this.#onData(frame);
  }

  #onBoot(protocol: number, cause: number): void {
    if (this.#stage === "streaming") throw restarted(this.#context.source, `it sent its boot frame, reset cause ${hex(cause)}`);
    this.#checkProtocol(protocol);
    if (this.#stage !== "stopping" && this.#stage !== "stopped") this.#enter("stop");
  }

  #onData(frame: BridgeFrame): void {
    if (frame.type === "samples") this.#blocks.push(this.#builder.block(frame));
    else if (frame.type === "trigger") this.#builder.edge(frame.t_us, frame.input, frame.level);
    else if (frame.type !== "boot") this.#onTotals(frame);
  }

  #onTotals(totals: Totals): void {
    const wanted = configRegister(this.#options);
    const lost = totals.config !== wanted && totals.config !== UNREADABLE;
    if (totals.type === "status") {
      this.#builder.totals(totals);
      if (!lost) return;
      const what = `configuration register reads ${hex(totals.config)} instead of ${hex(wanted)}`;
      throw new JoulebenchError("link", this.#context.source, `the INA219 restarted: its ${what}; check the wire of its supply`);
    }
    this.#builder.end(totals);
    if (lost) this.#context.fault("i2c_error", 1, `the sensor lost its configuration before the end: ${hex(totals.config)}`);
    this.#stage = "stopped";
  }

  #onLine(line: string): void {
    const [word, what] = line.split(" ", 2);
    if (line.startsWith(BANNER)) this.#onBanner(line);
    else if (word === "error") this.#onError(line, what);
    else if (word === "ok") this.#onOk(line, what);
  }

  #onOk(line: string, what: string | undefined): void {
    this.#isValid();
    if (what !== this.#stage) return; // the answer to a command that was sent twice
    if (what === "stop") this.#enter("id");
    else if (what === "config") this.#onConfigured(line);
    else if (what === "start") this.#enter("streaming");
  }

  #onBanner(line: string): void {
    this.#isValid();
    if (this.#stage === "streaming") throw restarted(this.#context.source, "it sent its banner");
    const facts = pairs(line);
    this.#checkProtocol(Number(facts.protocol));
    if (facts.sensor !== "ina219") {
      throw new JoulebenchError("protocol", this.#context.source, `the bridge reads "${facts.sensor}", expected ina219: ${line}`);
    }
    if (this.#stage !== "id") return;
    this.#facts = { firmware: line.split(" ")[1] ?? "", protocol: PROTOCOL, mcu: facts.mcu ?? "", sensor: "ina219" };
    this.#enter("config");
  }

  #onConfigured(line: string): void {
    const facts = pairs(line);
    const period_us = Number(facts.period_us);
    if (Number(facts.rate_hz) !== this.#options.rate_hz || Number(facts.reg) !== configRegister(this.#options)) return; // cut on the way: asked again
    const { shunt_ohm, rate_hz, bits, averages } = this.#options;
    const converter = averages ? { averages } : { bits };
    this.#context.identity({ ...this.#facts, rate_hz, period_us, register: facts.reg ?? "", shunt_ohm, ...converter });
    this.#enter("start");
  }

  #onError(line: string, what: string | undefined): void {
    this.#isValid();
    if (what === "config:") throw new JoulebenchError("protocol", this.#context.source, `the bridge refused "${this.#command()}": ${line}`);
    if (what === "streaming:" && (this.#stage === "start" || this.#stage === "config")) this.#enter("stop");
    // Any other error is a command that was cut on the way: it is asked again.
  }

  #checkProtocol(protocol: number): void {
    if (protocol === PROTOCOL) return;
    const remedy = "flash firmware-bridge/bridge-ina219-uno.hex of this version";
    throw new JoulebenchError("protocol", this.#context.source, `the bridge speaks protocol ${protocol}, expected ${PROTOCOL}: ${remedy}`);
  }

  #checkTime(): void {
    if (this.#stage === "stopped") return;
    const streaming = this.#stage === "streaming" || this.#stage === "stopping";
    const invalid_ns = this.#now_ns - (this.#unknownSince_ns ?? this.#now_ns);
    const quiet_ns = this.#now_ns - this.#bytes_ns;
    if (invalid_ns >= INVALID_NS && quiet_ns <= INVALID_NS / 2) throw this.#invalid();
    const limit_ns = streaming ? SILENT_NS : UNANSWERED_NS;
    const waited_ns = this.#now_ns - (streaming ? this.#valid_ns : this.#stageSince_ns);
    if (waited_ns >= limit_ns) throw this.#unknownSince_ns === undefined ? this.#silent(limit_ns) : this.#invalid();
    if (this.#now_ns - this.#sent_ns >= RETRY_NS) this.#ask();
  }

  /** A bridge that was there before is worth another try; something that never spoke our protocol is not. */
  #failure(message: string): JoulebenchError {
    const known = this.ready || this.#stage === "stopping" || this.#context.epoch > 0;
    return new JoulebenchError(known ? "link" : "protocol", this.#context.source, message);
  }

  #invalid(): JoulebenchError {
    const question = `is this port the bridge, and is its rate ${BAUD}?`;
    return this.#failure(`no valid frame in 2 s at ${BAUD} Bd: received "${printable(this.#excerpt)}"; ${question}`);
  }

  #silent(for_ns: number): JoulebenchError {
    const seconds = for_ns / 1e9;
    if (this.ready || this.#stage === "stopping")
      return this.#failure(`silent for ${seconds} s while streaming: check cable and supply of the bridge`);
    const asked = `no answer to "${this.#command()?.trim()}" in ${seconds} s at ${BAUD} Bd`;
    return this.#failure(`${asked}: is this the bridge's port, and is the firmware flashed (firmware-bridge/README.md: make flash)?`);
  }
}

const encode = (command: string): Uint8Array => new TextEncoder().encode(`${command}\n`);

const hex = (value: number): string => `0x${value.toString(16).padStart(4, "0")}`;

/** The `key=value` words of a line. */
function pairs(line: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const word of line.split(" ")) {
    const at = word.indexOf("=");
    if (at > 0) found[word.slice(0, at)] = word.slice(at + 1);
  }
  return found;
}

const printable = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`)).join(
    "",
  );
