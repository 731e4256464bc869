import { z } from "zod";
import { JoulebenchError } from "../model/errors.ts";
import type { Channel, Line } from "../model/transport.ts";

/** An app may take this long to say hello; it loads its model after that. */
const LIMIT_MS = 5000;

/** Texts are kept: model, system, app, boot_id, whatever the app knows of itself and its phone. */
const HelloLine = z.object({ type: z.literal("hello") }).catchall(z.unknown());
export type Hello = Readonly<Record<string, string>>;

/**
 * Takes the first line of a connection, in which the app says who it is.
 *
 * @throws JoulebenchError `link` when the connection ends or nothing comes, `config` when something else speaks there
 */
export async function readHello(channel: Channel, name: string): Promise<Hello> {
  const line = await firstLine(channel, name);
  if (line === undefined) {
    await channel.exit; // Rejects with the reason, unless it was we who ended it.
    throw new JoulebenchError("link", name, "the connection was closed before the app said hello");
  }
  const hello = HelloLine.safeParse(parseJson(line.text));
  if (!hello.success) {
    const said = line.text.slice(0, 60);
    throw new JoulebenchError(
      "config",
      name,
      `the first line is no hello, so another app listens there: ${said}; correct device.transport.port`,
    );
  }
  const { type: _type, ...fields } = hello.data;
  const texts = Object.entries(fields).filter((field): field is [string, string] => typeof field[1] === "string");
  return Object.fromEntries(texts);
}

async function firstLine(channel: Channel, name: string): Promise<Line | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `something listens there, but says no hello within ${LIMIT_MS / 1000} s`;
    timer = setTimeout(() => reject(new JoulebenchError("link", name, message)), LIMIT_MS);
  });
  try {
    return await Promise.race([next(channel.lines), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function next(lines: AsyncIterable<Line>): Promise<Line | undefined> {
  for await (const line of lines) return line;
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
