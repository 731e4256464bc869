import type { AVRTWI, CPU, TWIEventHandler } from "avr8js";

/** 16-bit registers behind an I2C address; times are true seconds. */
export interface RegisterDevice {
  read(register: number, t: number): number;
  write(register: number, value: number, t: number): void;
}

/** How the sensor's end of the bus behaves: `answering`, `absent` (nobody acknowledges), `stuck` (a line is held low). */
export type BusState = "answering" | "absent" | "stuck";

export interface TwiBusOptions {
  readonly address: number;
  readonly device: RegisterDevice;
  readonly now: () => number;
  readonly state: () => BusState;
}

const BITS_PER_BYTE = 9;

/**
 * The I2C bus of an emulated AVR with one register device on it.
 *
 * avr8js finishes every bus step in the next cycle; here each takes its bits at the clock the firmware set, because a
 * sampling rate measured without that would be a fiction. A register is latched when its read is addressed.
 */
export class TwiBus implements TWIEventHandler {
  readonly #cpu: CPU;
  readonly #twi: AVRTWI;
  readonly #f_cpu_hz: number;
  readonly #options: TwiBusOptions;
  #pointer = 0;
  /** Bytes of the transfer in progress: received so far when writing, still to send when reading. */
  #bytes: number[] = [];

  constructor(cpu: CPU, twi: AVRTWI, f_cpu_hz: number, options: TwiBusOptions) {
    this.#cpu = cpu;
    this.#twi = twi;
    this.#f_cpu_hz = f_cpu_hz;
    this.#options = options;
  }

  start(): void {
    this.#after(1, () => this.#twi.completeStart());
  }

  stop(): void {
    this.#after(1, () => this.#twi.completeStop());
  }

  connectToSlave(address: number, write: boolean): void {
    this.#after(BITS_PER_BYTE, () => {
      const { device, now, state } = this.#options;
      const answers = address === this.#options.address && state() === "answering";
      this.#bytes = [];
      if (answers && !write) {
        const value = device.read(this.#pointer, now());
        this.#bytes = [value >> 8, value & 0xff];
      }
      this.#twi.completeConnect(answers);
    });
  }

  writeByte(value: number): void {
    this.#after(BITS_PER_BYTE, () => {
      this.#bytes.push(value);
      const [pointer, high, low] = this.#bytes;
      this.#pointer = pointer!;
      if (high !== undefined && low !== undefined) this.#options.device.write(this.#pointer, (high << 8) | low, this.#options.now());
      this.#twi.completeWrite(this.#options.state() === "answering");
    });
  }

  readByte(): void {
    this.#after(BITS_PER_BYTE, () => this.#twi.completeRead(this.#bytes.shift() ?? 0xff));
  }

  #after(bits: number, complete: () => void): void {
    if (this.#options.state() === "stuck") return;
    this.#cpu.addClockEvent(complete, Math.round((bits * this.#f_cpu_hz) / this.#twi.sclFrequency));
  }
}
