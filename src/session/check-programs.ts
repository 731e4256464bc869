import { engines } from "../engines/index.ts";
import type { EngineKind } from "../model/engine.ts";
import type { Finished, Transport } from "../model/transport.ts";
import { inWords } from "../rig/wording.ts";
import { bad, type Finding, good } from "./finding.ts";

/** Says where a program is and what a file is, and runs neither. The names are its arguments. */
const LOOK = [
  'if found=$(command -v -- "$1"); then',
  'case $found in */*) [ -x "$found" ] || found="!$found";; esac; echo "program|$found"; fi;',
  '[ -n "$2" ] || exit 0;',
  'if [ ! -e "$2" ]; then echo "model|missing"; elif [ -d "$2" ]; then echo "model|folder";',
  'elif [ ! -r "$2" ]; then echo "model|unreadable";',
  'else echo "model|$(wc -c <"$2")|$(head -c 4 <"$2" | tr -d "\\0")"; fi',
].join(" ");

const LOOK_MS = 10_000;
/** What every GGUF file begins with. */
const GGUF = "GGUF";

/** A device that runs commands to their end. */
export type Asked = Pick<Required<Transport>, "run"> & Pick<Transport, "forward">;

/** The workload's program, looked for and not started. */
export async function workloadFinding(device: Asked, program: string): Promise<Finding> {
  const { output } = await look(device, program, "");
  return programFinding("workload", program, output, "device.command");
}

/** The engine of the rig: its options as far as they stand there, its program and its model on the device. Nothing is loaded. */
export async function engineFindings(device: Asked, engine: Readonly<Record<string, unknown>>): Promise<Finding[]> {
  const { kind: name, ...options } = engine;
  const kind = engines.find((each) => each.kind === name);
  if (!kind) return [bad("engine", `no engine is called ${String(name)}; there are: ${engines.map((each) => each.kind).join(", ")}`)];
  const wrong = optionFindings(kind, options);
  if (wrong.length > 0) return wrong;
  if (options.attach === true) return [await attached(device, kind, options)];
  const program = programOf(kind, options);
  const model = textOf(kind, options, "model") ?? "";
  if (program === undefined) return [good("engine", `${kind.kind}; it is given by the plan or runs already`)];
  const { output } = await look(device, program, model);
  const found = programFinding("engine", program, output, "device.engine");
  const version = found.ok && program !== "" && kind.kind.startsWith("llama-") ? await versionOf(device, program) : "";
  const findings = [{ ...found, detail: `${kind.kind}: ${found.detail}${version}` }];
  return model === "" ? findings : [...findings, modelFinding(model, output)];
}

/** The rig holds defaults for the plan: what stands there must be right, what is missing need not be there. */
function optionFindings({ kind, options: { shape } }: EngineKind, given: Readonly<Record<string, unknown>>): Finding[] {
  return Object.entries(given).flatMap(([key, value]): Finding[] => {
    const schema = shape[key];
    const where = `device.engine.${key}`;
    if (!schema) return [bad("engine", `${where}: ${kind} has no such option; it has: ${Object.keys(shape).join(", ")}`)];
    const result = schema.safeParse(value, { reportInput: true });
    return result.success ? [] : [bad("engine", `${where}: ${result.error.issues.map(inWords).join("; ")}; correct it in the rig`)];
  });
}

/** An option as text, its default where it has one. */
function textOf({ options: { shape } }: EngineKind, given: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = shape[key]?.safeParse(given[key]).data;
  return typeof value === "string" ? value : undefined;
}

/** The program an engine starts; undefined where the plan is to say it, or each request has its own. */
function programOf(kind: EngineKind, given: Readonly<Record<string, unknown>>): string | undefined {
  const argv = given.argv ?? given.start;
  const program = Array.isArray(argv) ? String(argv[0] ?? "") : textOf(kind, given, "path");
  return program === undefined || /\{\w+\}/.test(program) ? undefined : program;
}

const look = (device: Asked, program: string, model: string): Promise<Finished> =>
  device.run(["sh", "-c", LOOK, "sh", program, model], { limit_ms: LOOK_MS });

function programFinding(what: string, program: string, output: string, key: string): Finding {
  const found = /^program\|(.*)$/m.exec(output)?.[1];
  if (found === undefined) return bad(what, `${program} is not installed on the device; install it or give its full path in ${key}`);
  if (found.startsWith("!")) return bad(what, `${program} cannot be executed on the device; check its permissions (chmod +x)`);
  return good(what, found === program ? `${program} is there` : `${program} is ${found}`);
}

function modelFinding(model: string, output: string): Finding {
  const [, state = "missing", magic = ""] = /^model\|\s*([^|\n]*)\|?(.*)$/m.exec(output) ?? [];
  const todo = "correct device.engine.model in the rig";
  if (state === "missing") return bad("model", `${model} is not on the device; copy it there or ${todo}`);
  if (state === "folder") return bad("model", `${model} is a folder; ${todo}`);
  if (state === "unreadable") return bad("model", `${model} may not be read by the user of the device; change its permissions`);
  if (magic !== GGUF)
    return bad("model", `${model} does not begin as a GGUF file does: ${state.trim()} bytes of something else; copy it anew`);
  return good("model", `${model}, ${Number(state).toLocaleString("en-US").replaceAll(",", " ")} bytes`);
}

/** What `--version` says, where the program knows that. */
async function versionOf(device: Asked, program: string): Promise<string> {
  const said = await device.run([program, "--version"], { limit_ms: LOOK_MS }).catch(() => undefined);
  const version = /^version: (.{1,60})/m.exec(`${said?.output}\n${said?.complaint}`)?.[1];
  return version === undefined ? "" : `, version ${version.trim()}`;
}

async function attached(device: Asked, kind: EngineKind, given: Readonly<Record<string, unknown>>): Promise<Finding> {
  const port = Number(kind.options.shape.port?.safeParse(given.port).data);
  const forward = await device.forward?.(port);
  if (!forward) return bad("engine", "the transport cannot reach a port of the device; leave attach out");
  try {
    const { ok, status } = await fetch(`http://${forward.host}:${forward.port}/health`, { signal: AbortSignal.timeout(LOOK_MS) });
    return ok
      ? good("engine", `${kind.kind} runs at port ${port} of the device`)
      : bad("engine", `${kind.kind} at port ${port} of the device is not ready (HTTP ${status}); wait until its model is loaded`);
  } catch {
    return bad("engine", `nothing answers at port ${port} of the device; start ${kind.kind} there, or leave attach out`);
  } finally {
    await forward.close();
  }
}
