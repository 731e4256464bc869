import { afterAll, afterEach, beforeAll } from "vitest";
import type { Line, Transport } from "../../src/model/transport.ts";
import { transports } from "../../src/transports/index.ts";
import type { Sshd } from "../sshd/sshd.ts";

const open: Transport[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

export const now = (): number => Number(process.hrtime.bigint());

/** What a rig says to reach `sshd`, whatever lies in the home folder of whoever runs the tests. */
export const optionsFor = ({ host, port, user, key, knownHosts }: Sshd, more: object = {}, kind = "ssh"): object => {
  const files = { ssh: { known_hosts: [knownHosts] }, openssh: { config: "none", options: [`UserKnownHostsFile=${knownHosts}`] } };
  return { host, port, user, key, ...files[kind as keyof typeof files], ...more };
};

/** Opens a transport that is closed after the test. */
export async function openTransport(kind: string, options: object): Promise<Required<Transport>> {
  const transport = await connect(kind, options);
  open.push(transport);
  return transport;
}

/** One transport for all tests of a `describe`; call it there. */
export function sharedTransport(kind: string, options: () => object): () => Promise<Required<Transport>> {
  let transport: Required<Transport>;
  beforeAll(async () => {
    transport = await connect(kind, options());
  });
  afterAll(() => transport?.close());
  return async () => transport;
}

async function connect(kind: string, options: object): Promise<Required<Transport>> {
  return (await transports.find((each) => each.kind === kind)!.open({ kind, ...options }, now)) as Required<Transport>;
}

export async function texts(lines: AsyncIterable<Line>, enough = Number.POSITIVE_INFINITY): Promise<string[]> {
  const found: string[] = [];
  for await (const { text } of lines) if (found.push(text) >= enough) break;
  return found;
}

/** Arguments that run JavaScript on the device. */
export const script = (code: string, ...argv: string[]): string[] => [process.execPath, "-e", code, "--", ...argv];
