import type { EngineContext } from "../model/engine.ts";
import type { Line } from "../model/transport.ts";
import { mustStart } from "./failure.ts";
import { type Patience, within } from "./patience.ts";

/** What is kept of a process's output for an answer, in UTF-16 units. */
const TEXT_LENGTH = 1 << 20;

export interface Ended {
  /** Exit code, null for a signal; undefined when it was given up. */
  readonly code: number | null | undefined;
  readonly complaint: string;
}

/**
 * Runs one process to its end, or ends it when patience runs out; nothing of it is left running.
 *
 * @param take given each line of its output as it arrives
 * @throws JoulebenchError `config` when it cannot be started, `link` when the device is lost
 */
export async function runProcess(
  { transport }: EngineContext,
  argv: readonly string[],
  limit: Patience,
  take: (line: Line) => void,
): Promise<Ended> {
  const channel = await transport.open(argv);
  channel.exit.catch(() => undefined); // Read below, once there are no more lines.
  channel.endInput();
  const read = async (): Promise<{ readonly code: number | null }> => {
    for await (const line of channel.lines) take(line);
    return { code: await channel.exit };
  };
  const reading = read();
  try {
    const ended = await within(reading, limit);
    return { code: ended?.code, complaint: channel.complaint() };
  } finally {
    await channel.close();
    await reading.catch(() => undefined); // What it printed last; a lost link was thrown above.
  }
}

/** Runs a short command and returns its output. @throws JoulebenchError `config` when the device has no such command */
export async function query(
  context: EngineContext,
  argv: readonly string[],
  limit: Patience,
): Promise<Ended & { readonly output: string }> {
  const output = new Text();
  const ended = await runProcess(context, argv, limit, ({ text }) => output.add(`${text}\n`));
  mustStart(argv[0] ?? "", ended.code ?? null, ended.complaint);
  return { ...ended, output: output.text };
}

/** Text that grows up to a bound; what comes after is left out. */
export class Text {
  text = "";

  add(more: string): void {
    if (this.text.length < TEXT_LENGTH) this.text = (this.text + more).slice(0, TEXT_LENGTH);
  }
}
