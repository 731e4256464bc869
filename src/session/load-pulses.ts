import { JoulebenchError } from "../model/errors.ts";
import { PULSES_LINE } from "../wire/pulses.ts";
import type { Bench } from "./bench.ts";
import { DEVICE } from "./device-decoder.ts";
import type { DeviceLink } from "./device-link.ts";
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

/**
 * Runs a program on the device that makes the train, where the workload cannot.
 *
 * @returns false when the device cannot, or was lost meanwhile
 */
export async function runPulses({ recorder, now }: Bench, device: DeviceLink): Promise<boolean> {
  if (!device.pulses) return false;
  const keep = (kind: "rx" | "tx", text: string, host_ns: number): void =>
    recorder.append({ source: DEVICE, kind, host_ns, bytes: new TextEncoder().encode(`${text}\n`) });
  try {
    const channel = await device.transport.open(device.pulses);
    keep("tx", PULSES_LINE, now());
    for await (const { text, host_ns } of channel.lines) keep("rx", text, host_ns);
    return (await channel.exit) === 0;
  } catch (error) {
    if (error instanceof JoulebenchError) return false; // The results say what became of the train.
    throw error;
  }
}

/** Silence, which is an answer here. */
class Unanswered extends JoulebenchError {
  constructor() {
    super("link", "device", "did not answer the request for load pulses");
  }
}
