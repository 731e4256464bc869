import { afterEach } from "vitest";
import type { Line, Transport } from "../../src/model/transport.ts";
import { transports } from "../../src/transports/index.ts";
import type { Phone } from "../adbd/phone.ts";

const open: Transport[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

export const now = (): number => Number(process.hrtime.bigint());

/** What a rig says to reach `phone`, by its own adb. */
export const optionsFor = (phone: Phone, more: object = {}): object => ({
  serial: phone.serial,
  server_port: phone.serverPort,
  adb: phone.server.path,
  ...more,
});

/** Opens a transport that is closed after the test. */
export async function openAdb(options: object): Promise<Required<Transport>> {
  const transport = await transports.find((each) => each.kind === "adb")!.open({ kind: "adb", ...options }, now);
  open.push(transport);
  return transport as Required<Transport>;
}

export async function texts(lines: AsyncIterable<Line>, enough = Number.POSITIVE_INFINITY): Promise<string[]> {
  const found: string[] = [];
  for await (const { text } of lines) if (found.push(text) >= enough) break;
  return found;
}

/** Arguments that run JavaScript on the device. */
export const script = (code: string, ...argv: string[]): string[] => [process.execPath, "-e", code, "--", ...argv];
