import { Argument, type Command } from "commander";
import { JoulebenchError } from "../model/errors.ts";
import { sinks } from "../sinks/index.ts";
import { conclude, EXIT } from "./exit.ts";
import { readRig } from "./read-file.ts";

export function registerInflux(program: Command): void {
  program
    .command("influx")
    .addArgument(new Argument("<action>", "what to do").choices(["setup"]))
    .argument("<rig>", "rig file with `sinks.influx`")
    .description("make database, retention and downsampling in InfluxDB as the rig says")
    .option("--print", "print what would be asked of the server, and ask nothing")
    .addHelpText("after", "\nExamples:\n  joulebench influx setup rigs/pi5.yaml --print\n  joulebench influx setup rigs/pi5.yaml")
    .action((_action: string, rig: string, options: { print?: boolean }) => conclude(() => setupCommand(rig, options)));
}

async function setupCommand(path: string, { print = false }: { readonly print?: boolean }): Promise<number> {
  const kind = sinks.find((each) => each.kind === "influx");
  const options = readRig(path).sinks.influx;
  if (!kind || options === undefined)
    throw new JoulebenchError("config", path, "has no `sinks.influx`; docs/influx.md says what to write there");
  for (const { text, run } of kind.setup(options)) {
    if (!print) await run();
    process.stdout.write(`${text}\n`);
  }
  return EXIT.valid;
}
