import { JoulebenchError } from "../model/errors.ts";
import type { Port } from "../model/port.ts";
import { openPort } from "../ports/index.ts";
import { LineReader } from "../wire/lines.ts";

/** An Arduino that is reset by the opening of its port spends two seconds in its bootloader. */
const PROBE_MS = 3500;
const ASK_EVERY_MS = 500;
const QUESTION = new TextEncoder().encode("\nstop\nid\n");

/** Who answered at a port: the identity line of a joulebench bridge; else why there is none. */
export interface Probe {
  readonly identity?: string;
  readonly problem?: string;
}

/** Asks whoever is at a serial port who it is. Opening a port resets most Arduinos. */
export async function probe(path: string, baud: number): Promise<Probe> {
  const zero = process.hrtime.bigint();
  let port: Port;
  try {
    port = await openPort({ kind: "serial", path, baud }, () => Number(process.hrtime.bigint() - zero));
  } catch (error) {
    if (error instanceof JoulebenchError) return { problem: problemOf(error) };
    throw error;
  }
  const asking = setInterval(() => void port.write(QUESTION).catch(() => undefined), ASK_EVERY_MS);
  const late = setTimeout(() => void port.close(), PROBE_MS);
  try {
    const identity = await identityLine(port);
    return identity === undefined ? { problem: "no joulebench bridge answers here" } : { identity };
  } catch (error) {
    if (error instanceof JoulebenchError) return { problem: problemOf(error) };
    throw error;
  } finally {
    clearInterval(asking);
    clearTimeout(late);
    await port.close();
  }
}

/** The message without its subject, which is the port asked. */
const problemOf = ({ subject, message }: JoulebenchError): string => message.slice(subject.length + 2);

async function identityLine(port: Port): Promise<string | undefined> {
  const lines = new LineReader();
  for await (const { bytes } of port) {
    // A bridge that was streaming still has frames on the way: the console's text is what holds no zero.
    for (const line of lines.push(bytes)) if (line.includes("joulebench-bridge ")) return line.slice(line.indexOf("joulebench-bridge "));
  }
  return undefined;
}
