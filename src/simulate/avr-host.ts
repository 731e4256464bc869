import { AVRIOPort, AVRTimer, AVRTWI, type AVRUSART, avrInstruction, CPU, portDConfig, timer1Config, twiConfig } from "avr8js";
import { loadHex } from "./avr-hex.ts";
import { type BusState, TwiBus } from "./avr-twi.ts";
import { openUsart } from "./avr-usart.ts";
import { Ina219, type Ina219Options } from "./ina219.ts";
import type { Plant } from "./plant.ts";
import type { Switching } from "./trigger-line.ts";

export interface AvrBridgeOptions {
  /** Text of the Intel HEX file. */
  readonly hex: string;
  /** Asked at every conversion, so that the plant may be exchanged while the bridge runs. Its time is {@link AvrBridge.now_s}. */
  readonly plant: () => Plant;
  readonly sensor: Ina219Options;
  /** What is wired to the trigger input, in order of time; asked as often as the plant, and on its time. */
  readonly line?: () => readonly Switching[];
  /** How much faster than 16 MHz the resonator swings, 1e-6. */
  readonly clockSkew_ppm?: number;
  /** How the sensor's end of the bus behaves at the moment. */
  readonly bus?: () => BusState;
  /** Bytes the bridge sends, in order; a view the next call overwrites. */
  readonly onBytes: (bytes: Uint8Array) => void;
}

const NOMINAL_HZ = 16e6;
const SRAM_BYTES = 2048;
const INA219_ADDRESS = 0x40;
const TRIGGER_PIN = 2;
const OPCODE_SLEEP = 0x9588;
const OPCODE_SEI = 0x9478;
/** How finely sleep is stepped; a wake-up comes up to this many cycles late. */
const SLEEP_CYCLES = 4;

interface Board {
  readonly cpu: CPU;
  readonly usart: AVRUSART;
  readonly portD: AVRIOPort;
}

/** An Arduino Uno with an INA219, running the bridge's own firmware in true time. */
export class AvrBridge {
  /** The sensor on the bus; writing to it is what a brown-out or another master would do. */
  readonly sensor: Ina219;
  readonly #options: AvrBridgeOptions;
  readonly #f_cpu_hz: number;
  #board: Board;
  /** True time at which the running board came out of reset. */
  #reset_s = 0;
  #asleep = false;
  #pin = true;
  /** Until when the line has been followed. */
  #followed_s = Number.NEGATIVE_INFINITY;
  #received: number[] = [];
  #sent = new Uint8Array(1024);
  #sentLength = 0;

  constructor(options: AvrBridgeOptions) {
    this.#options = options;
    this.#f_cpu_hz = NOMINAL_HZ * (1 + (options.clockSkew_ppm ?? 0) * 1e-6);
    this.sensor = new Ina219(options.plant, options.sensor);
    this.#board = this.#assemble();
  }

  /** True time, seconds since power-on. */
  get now_s(): number {
    return this.#reset_s + this.#board.cpu.cycles / this.#f_cpu_hz;
  }

  /** Runs until true time `t`, then hands over what was sent. */
  runUntil(t: number): void {
    for (const { at_s, level } of this.#options.line?.() ?? []) {
      if (at_s <= this.#followed_s || at_s > t) continue;
      this.#advance(at_s);
      this.setPin(level === 1);
      this.#followed_s = at_s;
    }
    this.#advance(t);
    if (this.#sentLength > 0) this.#options.onBytes(this.#sent.subarray(0, this.#sentLength));
    this.#sentLength = 0;
  }

  /** Puts bytes on the bridge's receive line, one after the other at its baud rate. */
  receive(bytes: Uint8Array): void {
    for (const byte of bytes) this.#received.push(byte);
    this.#pump();
  }

  /** Drives the trigger input. */
  setPin(level: boolean): void {
    this.#pin = level;
    this.#board.portD.setPin(TRIGGER_PIN, level);
  }

  /** Presses the reset button: the program starts anew, the sensor does not. */
  reset(): void {
    this.#reset_s = this.now_s;
    this.#received = [];
    this.#asleep = false;
    this.#board = this.#assemble();
  }

  #advance(t: number): void {
    const { cpu } = this.#board;
    const end = (t - this.#reset_s) * this.#f_cpu_hz;
    while (cpu.cycles < end) {
      if (this.#asleep) this.#sleep(end);
      else this.#step();
    }
  }

  #assemble(): Board {
    const cpu = new CPU(loadHex(this.#options.hex), SRAM_BYTES);
    const portD = new AVRIOPort(cpu, portDConfig);
    portD.setPin(TRIGGER_PIN, this.#pin);
    new AVRTimer(cpu, timer1Config);
    const usart = openUsart(cpu, NOMINAL_HZ, (byte) => this.#transmit(byte));
    usart.onRxComplete = () => this.#pump();
    const twi = new AVRTWI(cpu, twiConfig, NOMINAL_HZ);
    twi.eventHandler = new TwiBus(cpu, twi, NOMINAL_HZ, {
      address: INA219_ADDRESS,
      device: this.sensor,
      now: () => this.now_s,
      state: this.#options.bus ?? (() => "answering"),
    });
    return { cpu, usart, portD };
  }

  #step(): void {
    const { cpu } = this.#board;
    const opcode = cpu.progMem[cpu.pc];
    avrInstruction(cpu);
    // The instruction after SEI runs before any interrupt (ATmega328P datasheet, 7.7); avr8js would take one between
    // SEI and SLEEP and then sleep over the work it brought.
    if (opcode === OPCODE_SEI) return;
    if (opcode === OPCODE_SLEEP) this.#asleep = true;
    else cpu.tick();
  }

  #sleep(end: number): void {
    const { cpu } = this.#board;
    const asleepAt = cpu.pc;
    while (cpu.pc === asleepAt && cpu.cycles < end) {
      cpu.cycles += SLEEP_CYCLES;
      cpu.tick();
    }
    this.#asleep = cpu.pc === asleepAt;
  }

  #pump(): void {
    const { usart } = this.#board;
    while (this.#received.length > 0 && !usart.rxBusy) {
      const byte = this.#received.shift()!;
      usart.writeByte(byte); // lost when the receiver is not enabled yet, as on the board
    }
  }

  #transmit(byte: number): void {
    if (this.#sentLength === this.#sent.length) {
      const longer = new Uint8Array(this.#sent.length * 2);
      longer.set(this.#sent);
      this.#sent = longer;
    }
    this.#sent[this.#sentLength++] = byte;
  }
}
