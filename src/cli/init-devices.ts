import { JoulebenchError } from "../model/errors.ts";
import { bad, type Finding, good } from "../session/finding.ts";
import { attachedAndroids, attachedPhones, transports } from "../transports/index.ts";

/** What a rig says of the way to a device, and what the device is. */
export interface FoundDevice {
  readonly transport: Readonly<Record<string, string | number>> & { readonly kind: string };
  readonly about: string;
}

/** The devices that were looked for. */
export interface Looked {
  readonly findings: readonly Finding[];
  /** Those a rig may name, in the order of the findings. */
  readonly devices: readonly FoundDevice[];
  /** What could not be looked for, and why. */
  readonly unseen: readonly string[];
}

/** The Android devices of the adb server, which is started where there is none, then the iPhones at this machine's USB ports. */
export async function lookForDevices(): Promise<Looked> {
  const [android, phones] = await Promise.all([lookFor("Android devices", androids), lookFor("iPhones", iphones)]);
  return {
    findings: [...android.findings, ...phones.findings],
    devices: [...android.devices, ...phones.devices],
    unseen: [...android.unseen, ...phones.unseen],
  };
}

async function lookFor(what: string, look: () => Promise<Looked>): Promise<Looked> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof JoulebenchError)) throw error;
    // Most benches have no such device: that it cannot be looked for is no error, and what to do stands in docs/transports.md.
    const [why = ""] = error.message.slice(error.subject.length + 2).split(/[:;] /);
    return { findings: [], devices: [], unseen: [`${what} are not listed (${error.subject}: ${why}).`] };
  }
}

async function androids(): Promise<Looked> {
  const all = await attachedAndroids();
  const about = (model: string | undefined): string => model ?? "an Android device";
  return {
    findings: all.map(({ serial, model, problem }) =>
      problem === undefined ? good(`adb ${serial}`, about(model)) : bad(`adb ${serial}`, [model, problem].filter(Boolean).join(": ")),
    ),
    devices: all
      .filter(({ problem }) => problem === undefined)
      .map(({ serial, model }) => ({ transport: { kind: "adb", serial }, about: about(model) })),
    unseen: [],
  };
}

/** Port of an app that has not been asked for yet: that of the example in docs/transports.md. */
const APP_PORT = 5000;

async function iphones(): Promise<Looked> {
  const names = await attachedPhones();
  const about = "an iPhone, measured through an app on it: docs/app-events.md";
  return {
    findings: names.map((udid) => good(`ios ${udid}`, about)),
    devices: names.map((udid) => ({ transport: { kind: "ios", port: APP_PORT, udid }, about })),
    unseen: [],
  };
}

/** `user@host`, `user@host:port`, `host`; an IPv6 address stands between brackets. */
const ADDRESS = /^(?:([^@\s]+)@)?(?:\[([^\]\s]+)\]|([^@:\s[\]]+))(?::(\d{1,5}))?$/;
const LAST_PORT = 65_535;

/** The way to a device by ssh, as somebody types it. @throws JoulebenchError `config` when it is none */
export function sshTransport(address: string): FoundDevice["transport"] {
  const [, user, bracketed, plain, port] = ADDRESS.exec(address) ?? [];
  const host = bracketed ?? plain;
  const number = port === undefined ? undefined : Number(port);
  if (host === undefined || number === 0 || (number ?? 0) > LAST_PORT)
    throw new JoulebenchError("config", "--ssh", `${JSON.stringify(address)} is no address; expected user@host or user@host:port`);
  return { kind: "ssh", host, ...(user === undefined ? {} : { user }), ...(number === undefined ? {} : { port: number }) };
}

/** Asks a device reached by ssh who it is. One that does not answer may be named in a rig all the same. */
export async function askOverSsh(address: string): Promise<Looked> {
  const wanted = sshTransport(address);
  const what = `ssh ${address}`;
  const ssh = transports.find(({ kind }) => kind === "ssh")!;
  try {
    const transport = await ssh.open(wanted, () => Number(process.hrtime.bigint()));
    const { model, hostname, os_build, kernel } = await transport.identity().finally(() => transport.close());
    const about = [model ?? hostname, os_build ?? kernel].filter(Boolean).join(", ");
    return { findings: [good(what, about)], devices: [{ transport: wanted, about }], unseen: [] };
  } catch (error) {
    if (!(error instanceof JoulebenchError)) throw error;
    const problem = error.message.slice(error.subject.length + 2);
    return {
      findings: [bad(what, problem)],
      devices: [{ transport: wanted, about: "it could not be asked when this was written; `joulebench check` says why" }],
      unseen: [],
    };
  }
}
