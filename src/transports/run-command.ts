import { JoulebenchError } from "../model/errors.ts";
import type { Channel, Finished, RunOptions } from "../model/transport.ts";

/** What is kept of standard output, in UTF-16 units; a command that says more is meant for `open`. */
const OUTPUT_LENGTH = 1 << 20;
const LIMIT_MS = 30_000;

/**
 * Runs a command that was just opened to its end.
 *
 * @param name of the command, for messages
 * @throws JoulebenchError `link` when it takes longer than its limit or the link is lost; it is ended then
 */
export async function finish(channel: Channel, name: string, options: RunOptions = {}): Promise<Finished> {
  const { input = [], limit_ms = LIMIT_MS } = options;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new JoulebenchError("link", name, `did not end within ${limit_ms / 1000} s`)), limit_ms);
  });
  try {
    return await Promise.race([collect(channel, input), late]);
  } catch (error) {
    await channel.close().catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function collect(channel: Channel, input: readonly string[]): Promise<Finished> {
  for (const line of input) await channel.write(line);
  channel.endInput();
  let output = "";
  for await (const { text } of channel.lines) if (output.length < OUTPUT_LENGTH) output += `${text}\n`;
  return { code: await channel.exit, output: output.slice(0, OUTPUT_LENGTH), complaint: channel.complaint() };
}
