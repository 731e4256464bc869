#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { registerAnalyze } from "./cli/analyze.ts";
import { registerCalibrate } from "./cli/calibrate.ts";
import { registerCheck } from "./cli/check.ts";
import { registerCompare } from "./cli/compare.ts";
import { registerDaemon } from "./cli/daemon.ts";
import { registerDemo } from "./cli/demo.ts";
import { EXIT } from "./cli/exit.ts";
import { registerExport } from "./cli/export.ts";
import { registerImport } from "./cli/import.ts";
import { registerInflux } from "./cli/influx.ts";
import { registerInit } from "./cli/init.ts";
import { registerResend } from "./cli/resend.ts";
import { registerRun } from "./cli/run.ts";
import { registerValidate } from "./cli/validate.ts";
import { registerVerify } from "./cli/verify.ts";
import { VERSION } from "./store/version.ts";

const program = new Command("joulebench")
  .description("Joules per token of language models on phones, Jetsons and Raspberry Pis, with an uncertainty that holds.")
  .version(VERSION)
  // Names alone: with its arguments the longest command would leave no room for what the others do.
  .configureHelp({ subcommandTerm: (command) => command.name() })
  .showHelpAfterError("(joulebench --help says what there is)")
  .addHelpText(
    "after",
    "\nExit codes: 0 valid, 1 done but not valid, 2 usage or rig, 3 link, protocol\nor busy, 4 results could not be kept, 130 interrupted with everything kept.\n\nExample:\n  joulebench demo",
  );

for (const register of [
  registerDemo,
  registerInit,
  registerCheck,
  registerCalibrate,
  registerRun,
  registerDaemon,
  registerAnalyze,
  registerValidate,
  registerVerify,
  registerCompare,
  registerImport,
  registerExport,
  registerResend,
  registerInflux,
])
  register(program);
for (const command of program.commands) command.exitOverride();

// Whoever read us has seen enough, as in `joulebench analyze … | head`: what was measured is on the disk.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });

try {
  await program.exitOverride().parseAsync();
} catch (error) {
  // commander has said what is wrong; help and version are no errors.
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.valid : EXIT.config;
}
