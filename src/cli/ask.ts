import { createInterface, type Interface } from "node:readline";
import { JoulebenchError } from "../model/errors.ts";
import type { ReferenceFlags } from "./calibration-reference.ts";

/** Asks on stderr, reads answers line by line from standard input; also from a pipe, whose lines may come early. */
export class Asker {
  readonly #lines: string[] = [];
  #wanted: ((line: string | undefined) => void) | undefined;
  #input: Interface | undefined;
  #isEnded = false;

  /** @throws JoulebenchError `config` when standard input ends before an answer */
  async ask(question: string): Promise<string> {
    process.stderr.write(`${question} `);
    this.#open();
    const line =
      this.#lines.shift() ??
      (this.#isEnded
        ? undefined
        : await new Promise<string | undefined>((resolve) => {
            this.#wanted = resolve;
          }));
    if (line === undefined)
      throw new JoulebenchError(
        "config",
        "standard input",
        "ended where an answer was expected; see joulebench calibrate --help for flags",
      );
    return line.trim();
  }

  async confirm(question: string): Promise<boolean> {
    return /^(y|yes|)$/i.test(await this.ask(`${question} [Y/n]`));
  }

  /** Asks what is known of the load. */
  async reference(): Promise<ReferenceFlags> {
    const resistor = await this.ask("Resistance of a known load in ohm (empty: a second meter instead):");
    const voltage = "Voltage over the load by a second meter in V (empty: none):";
    if (resistor) {
      const resistorUncertainty = await this.ask("Its standard uncertainty, such as 0.1%:");
      const referenceVoltage = await this.ask(voltage);
      if (!referenceVoltage) return { resistor, resistorUncertainty };
      return { resistor, resistorUncertainty, referenceVoltage, referenceUncertainty: await this.#meterUncertainty() };
    }
    const referenceCurrent = await this.ask("Current of the load by that meter in A:");
    const referenceVoltage = await this.ask(voltage);
    const referenceUncertainty = await this.#meterUncertainty();
    return { referenceCurrent, ...(referenceVoltage ? { referenceVoltage } : {}), referenceUncertainty };
  }

  close(): void {
    this.#input?.close();
  }

  #meterUncertainty(): Promise<string> {
    return this.ask("Standard uncertainty of that meter, such as 0.1%:");
  }

  #open(): void {
    if (this.#input) return;
    this.#input = createInterface({ input: process.stdin, terminal: false });
    this.#input.on("line", (line) => {
      const wanted = this.#wanted;
      this.#wanted = undefined;
      if (wanted) wanted(line);
      else this.#lines.push(line);
    });
    this.#input.on("close", () => {
      this.#isEnded = true;
      this.#wanted?.(undefined);
    });
  }
}
