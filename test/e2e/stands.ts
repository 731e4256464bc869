import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startPhone } from "../adbd/phone.ts";
import { startSshd } from "../sshd/sshd.ts";
import { optionsFor as adbOptions } from "../transports/adb-bench.ts";
import { optionsFor as sshOptions } from "../transports/ssh-bench.ts";
import { type Delays, SlowLink } from "./slow-link.ts";

/** A device that stands in for a real one, behind a network of its own and the transport's real programs. */
export interface Stand {
  /** What a rig says to reach it. */
  readonly transport: { readonly kind: string };
  readonly relay: SlowLink;
  /** A file of the device as its programs name it, and as it is seen from here. */
  file(name: string): { readonly there: string; readonly here: string };
  /** The process that serves the link ends without a word. */
  kill(): void;
  /** Who serves the link stands still; what else runs on the device runs on where that can be told apart. */
  freeze(): void;
  thaw(): void;
  /** It is there again in a new boot, perhaps as another device. */
  reboot(serial?: string): Promise<void>;
  close(): Promise<void>;
}

/** A Jetson behind a real sshd. @param programs stand in for its own, by name */
export async function overSsh(delays: Delays = {}, programs: Readonly<Record<string, string>> = {}): Promise<Stand> {
  const sshd = await startSshd();
  for (const [name, text] of Object.entries(programs)) writeFileSync(join(sshd.root, "bin", name), text, { mode: 0o755 });
  const relay = await SlowLink.start(sshd.port, delays);
  writeFileSync(sshd.knownHosts, `${sshd.entry("ed25519", `[127.0.0.1]:${relay.port}`)}\n`);
  const serving = (): number[] => [sshd.pid, ...sshd.sessions()];
  let frozen: number[] = [];
  const tell = (pids: readonly number[], name: NodeJS.Signals): void => {
    for (const pid of pids) process.kill(pid, name);
  };
  return {
    transport: { kind: "ssh", ...sshOptions(sshd, { port: relay.port }) },
    relay,
    file: (name) => ({ there: join(sshd.folder, "home", name), here: join(sshd.folder, "home", name) }),
    kill: () => sshd.killSessions(),
    freeze: () => {
      frozen = serving();
      tell(frozen, "SIGSTOP");
    },
    thaw: () => tell(frozen.splice(0), "SIGCONT"),
    reboot: async (serial) => {
      if (serial !== undefined) sshd.write("sys/firmware/devicetree/base/serial-number", `${serial}\0`);
      await sshd.reboot();
    },
    close: async () => {
      sshd.thaw();
      await relay.stop();
      await sshd.stop();
    },
  };
}

/** An Android phone behind the real adb server, which reaches it over a network. */
export async function overAdb(delays: Delays = {}): Promise<Stand & { killServer(): Promise<void> }> {
  const phone = await startPhone();
  const relay = await SlowLink.start(phone.port, delays);
  return {
    transport: { kind: "adb", ...adbOptions(phone, { serial: `127.0.0.1:${relay.port}` }) },
    relay,
    file: (name) => ({ there: `/data/local/tmp/${name}`, here: phone.at(`data/local/tmp/${name}`) }),
    kill: () => phone.dropTransports(),
    freeze: () => phone.freeze(),
    thaw: () => phone.thaw(),
    reboot: async (serial) => {
      if (serial !== undefined) phone.write("system/build.prop", `ro.serialno=${serial}\nro.product.model=Pixel 8\n`);
      await phone.reboot();
    },
    killServer: () => phone.server.kill(),
    close: async () => {
      await relay.stop();
      await phone.close();
    },
  };
}
