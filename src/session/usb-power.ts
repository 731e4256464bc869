import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { JoulebenchError } from "../model/errors.ts";
import type { UsbPowerCommands } from "../rig/rig.ts";

/** A hub that has not switched by then will not. */
export const SWITCH_MS = 10_000;

/**
 * The power of the device's USB socket, off while its meter measures and on again whatever happens.
 *
 * Who measures may be killed at any moment, and a phone whose battery is a meter must not be found without power in the
 * morning. So a process of its own waits for the end of this one and restores the power; it is started, and has
 * answered, before the power is cut.
 */
export class UsbPower {
  readonly #commands: UsbPowerCommands;
  #watchdog: Watchdog | undefined;

  constructor(commands: UsbPowerCommands) {
    this.#commands = commands;
  }

  get isCut(): boolean {
    return this.#watchdog !== undefined;
  }

  /** @throws JoulebenchError `config` when the hub's command fails; the power is then on */
  async cut(): Promise<void> {
    this.#watchdog = await startWatchdog(this.#commands.on);
    try {
      await runSwitch(this.#commands.off);
    } catch (error) {
      await this.restore();
      throw error;
    }
  }

  /** @throws JoulebenchError `config` when the hub's command fails, and the watchdog has given it up after trying for long */
  async restore(): Promise<void> {
    const watchdog = this.#watchdog;
    if (!watchdog) return;
    this.#watchdog = undefined;
    let failure: unknown;
    await runSwitch(this.#commands.on).catch((error: unknown) => {
      failure = error;
    });
    // Had we died before, the watchdog would have done it; what has failed it tries again, and again.
    watchdog.child.stdin?.end(failure === undefined ? "restored\n" : "");
    const code = await watchdog.gone;
    if (failure !== undefined && code !== 0) throw failure;
  }
}

/** The process that restores the power, and its exit code: null when a signal has ended it. */
interface Watchdog {
  readonly child: ChildProcess;
  readonly gone: Promise<number | null>;
}

async function startWatchdog(on: readonly string[]): Promise<Watchdog> {
  const program = fileURLToPath(new URL("./usb-power-main.js", import.meta.url));
  // In a session of its own: Ctrl-C and a closed terminal are not meant for it.
  const child = spawn(process.execPath, [program, ...on], { detached: true, stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.on("error", () => {}); // It has ended, which its exit tells.
  const gone = new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
    child.once("error", () => resolve(null));
  });
  const ready = await Promise.race([once(child.stdout, "data"), gone]);
  if (!Array.isArray(ready) || !String(ready[0]).startsWith("watching"))
    throw new JoulebenchError("config", "usb_power", "the process that restores the power cannot be started, so the power stays on");
  child.stdout.destroy();
  return { child, gone };
}

/** Runs a hub's command. @throws JoulebenchError `config` with what it said */
export async function runSwitch([command = "", ...args]: readonly string[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    execFile(command, args, { timeout: SWITCH_MS, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
      if (!error) return resolve();
      const said = (stderr || stdout).trim().split("\n").slice(-3).join(" / ");
      const why =
        error.code === "ENOENT"
          ? "command not found"
          : error.killed
            ? `did not end within ${SWITCH_MS / 1000} s`
            : error.message.split("\n")[0];
      reject(new JoulebenchError("config", `usb_power: ${command}`, `${why}${said && `; it said: ${said}`}`, { cause: error }));
    });
  });
}
