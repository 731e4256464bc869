import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { JoulebenchError } from "../model/errors.ts";
import { type AdbOptions, serverPortOf } from "./adb-options.ts";

const execute = promisify(execFile);
/** Starting a server takes longer than asking one. */
const START_LIMIT_S = 20;

type Failure = NodeJS.ErrnoException & { readonly stdout?: string; readonly stderr?: string; readonly killed?: boolean };

/** Starts the server, which goes on after us. @throws JoulebenchError `config` when there is no adb; `link` when it does not start */
export async function startServer(options: AdbOptions): Promise<void> {
  try {
    await adb(options, START_LIMIT_S, "start-server");
  } catch (error) {
    const { killed, stderr, message } = error as Failure;
    const why = killed ? `nothing within ${START_LIMIT_S} s` : (stderr || message).trim().split("\n").slice(-3).join(" / ");
    if (error instanceof JoulebenchError) throw error;
    const port = serverPortOf(options);
    const todo = `does another program listen on port ${port}? \`adb -P ${port} start-server\` shows more`;
    throw new JoulebenchError("link", "adb", `the server does not start: ${why}; ${todo}`, { cause: error });
  }
}

/**
 * Connects to a device in the network.
 *
 * @returns what adb says, which tells neither whether the device lets us in nor whether it answers
 * @throws JoulebenchError `config` when there is no adb
 */
export async function connectDevice(options: AdbOptions, serial: string): Promise<string> {
  return say(options, "connect", serial);
}

/** Has the server forget a device in the network. @throws JoulebenchError `config` when there is no adb */
export async function disconnectDevice(options: AdbOptions, serial: string): Promise<void> {
  await say(options, "disconnect", serial);
}

async function say(options: AdbOptions, ...argv: readonly string[]): Promise<string> {
  try {
    return await adb(options, options.answer_timeout_s, ...argv);
  } catch (error) {
    if (error instanceof JoulebenchError) throw error;
    const { stdout = "", stderr = "", killed } = error as Failure;
    return killed ? "no answer" : (stdout + stderr).trim();
  }
}

async function adb(options: AdbOptions, limit_s: number, ...argv: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await execute(options.adb, ["-P", String(serverPortOf(options)), ...argv], {
      timeout: limit_s * 1000,
      killSignal: "SIGKILL",
    });
    return (stdout + stderr).trim();
  } catch (error) {
    const { code } = error as Failure;
    const todo = "install Android's platform-tools, or name the program as `adb:` in the rig";
    if (code === "ENOENT") throw new JoulebenchError("config", options.adb, `there is no such program; ${todo}`, { cause: error });
    if (code === "EACCES") throw new JoulebenchError("config", options.adb, `not executable; ${todo}`, { cause: error });
    throw error;
  }
}
