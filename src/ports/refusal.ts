import { readdir, readFile, readlink, realpath, stat } from "node:fs/promises";
import { JoulebenchError } from "../model/errors.ts";
import { listSerialPorts } from "./list.ts";

/** After a device is plugged in, udev takes a moment to give the group its permission; until then waiting may help. */
const SETTLING_MS = 2000;

/**
 * Why a serial port cannot be opened, and what to do about it.
 *
 * What plugging in, waiting or closing another program cures is `link`, so that a session may try again; what the rig or
 * the machine's set-up must change is `config`. serialport's errors have no code, only the system's text.
 */
export async function refusal(path: string, cause: unknown): Promise<JoulebenchError> {
  const text = cause instanceof Error ? cause.message : String(cause);
  const error = (kind: "config" | "link", message: string) => new JoulebenchError(kind, path, message, { cause });
  if (/ENOENT|ENOTDIR|No such file/.test(text))
    return error("link", `does not exist; plug it in or correct the port in the rig. ${await present()}`);
  if (/EACCES|EPERM|Permission denied|not permitted/.test(text)) return denied(path, error);
  if (/Cannot lock port|EBUSY|resource busy/.test(text))
    return error("link", `is busy: ${await holder(path)}; end that program and try again`);
  const noTerminal = /Inappropriate ioctl/.test(text); // met while setting the rate
  if (/baud/i.test(text) && !noTerminal) return error("config", `cannot run at the baud rate asked for (${text}); correct it in the rig`);
  if (/ENXIO|ENODEV|EIO|No such device|Input\/output error/.test(text)) return error("link", `is gone (${text}); plug it in again`);
  return error("config", `is not a serial port (${text}); name one in the rig. ${await present()}`);
}

/** @throws JoulebenchError `config` for what exists and is no terminal device, before anything is opened. */
export async function mustBeDevice(path: string): Promise<void> {
  const facts = await stat(path).catch(async (cause) => {
    throw await refusal(path, cause);
  });
  if (facts.isCharacterDevice()) return;
  const what = facts.isFile() ? "a regular file" : facts.isDirectory() ? "a folder" : "no device";
  throw new JoulebenchError("config", path, `is not a serial port but ${what}; name one in the rig. ${await present()}`);
}

async function denied(path: string, error: (kind: "config" | "link", message: string) => JoulebenchError): Promise<JoulebenchError> {
  const appeared = await stat(path).catch(() => undefined);
  if (appeared && Date.now() - appeared.ctimeMs < SETTLING_MS) {
    return error("link", "may not be opened by this user yet: it has only just appeared, or its permissions have only just changed");
  }
  return error("config", "may not be opened by this user; join the group that owns it (sudo usermod -aG dialout $USER) and log in again");
}

async function present(): Promise<string> {
  const ports = await listSerialPorts();
  if (ports.length === 0) return "This machine has no serial port now";
  return `Ports of this machine: ${ports.map((port) => port.byId ?? port.path).join(", ")}`;
}

/** Who has the port open, as far as this user may see. */
async function holder(path: string): Promise<string> {
  const device = await realpath(path).catch(() => path);
  const processes = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const holders: string[] = [];
  for (const id of processes) {
    const folder = `/proc/${id}/fd`;
    const open = await readdir(folder).catch(() => []);
    const targets = await Promise.all(open.map((fd) => readlink(`${folder}/${fd}`).catch(() => "")));
    if (!targets.includes(device)) continue;
    const name = await readFile(`/proc/${id}/comm`, "utf8").catch(() => "");
    holders.push(Number(id) === process.pid ? "this process itself" : `${name.trim() || "process"} (pid ${id})`);
  }
  return holders.length > 0 ? `held by ${holders.join(", ")}` : "another program holds it";
}
