import { runSwitch } from "./usb-power.ts";

/**
 * Waits for the end of the process that has cut the power, which shows in the end of standard input, and restores the
 * power by the command given as arguments, unless a line says that this has been done.
 */
async function watch(on: readonly string[]): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  process.stdout.on("error", () => {}); // Nobody reads it any more.
  process.stdout.write("watching\n");
  let heard = "";
  for await (const chunk of process.stdin) heard += String(chunk);
  if (heard.includes("restored")) return;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    try {
      return await runSwitch(on);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

const ATTEMPTS = 10;
const RETRY_MS = 2000;

watch(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`joulebench: the power of the USB socket is still off: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});
