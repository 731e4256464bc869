import { JoulebenchError } from "../model/errors.ts";
import { PULSES_LINE } from "../wire/pulses.ts";
import type { Bench } from "./bench.ts";
import type { DeviceProcess } from "./device-process.ts";

/** A device that says nothing for this long cannot; one that has begun has this long to end. */
const ANSWER_MS = 2000;
const TRAIN_MS = 15_000;

/**
 * Asks the device for its train of load pulses and waits for the end of it.
 *
 * @returns false when it cannot: it says so, or says nothing. What it began and did not end shows in the results.
 * @throws JoulebenchError of whatever ends the session meanwhile
 */
export async function loadPulses(bench: Bench, process: DeviceProcess): Promise<boolean> {
  const late = { ms: ANSWER_MS, late: () => new Unanswered() };
  try {
    const begun = bench.until((each) => each.type === "pulse" || each.type === "pulses_answered", late);
    begun.catch(() => undefined); // Heard below, unless the channel is gone before.
    await process.send(PULSES_LINE);
    const first = await begun;
    if (first.type === "pulses_answered") return first.answer === "done";
    await bench.until((each) => each.type === "pulses_answered", { ...late, ms: TRAIN_MS });
    return true;
  } catch (error) {
    if (error instanceof Unanswered) return false;
    throw error;
  }
}

/** Silence, which is an answer here. */
class Unanswered extends JoulebenchError {
  constructor() {
    super("link", "device", "did not answer the request for load pulses");
  }
}
