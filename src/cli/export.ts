import { cpSync, createWriteStream, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { JoulebenchError } from "../model/errors.ts";
import type { Rig } from "../rig/rig.ts";
import { type Analysis, analyzeSession, recordingOf } from "../session/analysis.ts";
import { csvOf, eventLines, rigOf, samplerOf } from "../session/export-csv.ts";
import { linesOf } from "../session/export-lines.ts";
import { traceDir } from "../session/trace.ts";
import { readSessionFile } from "../store/session-file.ts";
import type { Manifest } from "../store/trace-manifest.ts";
import { streamDir } from "../store/trace-paths.ts";
import { conclude, EXIT } from "./exit.ts";
import { neededTrace } from "./keep-trace.ts";

const FORMATS = ["csv", "parquet", "lp"] as const;

export function registerExport(program: Command): void {
  program
    .command("export")
    .argument("<session>", "session folder")
    .requiredOption("--format <format>", `one of: ${FORMATS.join(", ")}`)
    .description("samples as CSV or Parquet, results and mean powers as InfluxDB lines")
    .option("--out <path>", "csv: a folder, or a file for one source; lp: a file; parquet: a folder to copy to")
    .option("--source <name>", "this source alone, such as meter")
    .option("--from <seconds>", "csv, lp: from this session time on")
    .option("--to <seconds>", "csv, lp: up to, not including, this session time")
    .addHelpText(
      "after",
      `
Examples:
  joulebench export sessions/pi5-q4 --format csv --from 60 --to 70
  joulebench export sessions/pi5-q4 --format csv --out pi5-q4-csv
  joulebench export sessions/pi5-q4 --format parquet
  joulebench export sessions/pi5-q4 --format lp --out pi5-q4.lp`,
    )
    .action((session: string, options: ExportOptions) => conclude(() => exportCommand(session, options)));
}

interface ExportOptions {
  readonly format: string;
  readonly out?: string;
  readonly source?: string;
  readonly from?: string;
  readonly to?: string;
}

async function exportCommand(dir: string, options: ExportOptions): Promise<number> {
  const { format, out, source } = options;
  if (!FORMATS.some((each) => each === format))
    throw new JoulebenchError("config", `--format ${format}`, `no such format; there are: ${FORMATS.join(", ")}`);
  const span = {
    from_s: seconds("--from", options.from, Number.NEGATIVE_INFINITY),
    to_s: seconds("--to", options.to, Number.POSITIVE_INFINITY),
  };
  if (format === "parquet" && (options.from ?? options.to) !== undefined)
    throw new JoulebenchError(
      "config",
      "--format parquet",
      "copies whole files; leave --from and --to out, and ask for `t_ns` in the query",
    );
  if (format === "lp" && source !== undefined)
    throw new JoulebenchError("config", "--format lp", "has results and mean powers of the measurand alone; leave --source out");
  const session = readSessionFile(dir);
  const analysis = format === "lp" ? analyzeSession(dir) : { session, recording: recordingOf(dir, session) };
  const manifest = await neededTrace(dir, analysis);
  if (format === "parquet") copyParts(dir, manifest, { out, sources: chosen(manifest, dir, source) });
  else if (format === "csv") await writeCsv(analysis, { out, sources: chosen(manifest, dir, source), span });
  else {
    const { recording, results } = analysis as Analysis;
    const rig = (session.rig as Rig | undefined)?.name ?? session.session;
    await write(out, linesOf(dir, { session, rig, results }, recording.measurand, span));
  }
  return EXIT.valid;
}

function seconds(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value))
    throw new JoulebenchError("config", `${option} ${text}`, "expected session time in seconds, such as 61.5");
  return value;
}

function chosen({ streams }: Manifest, dir: string, source: string | undefined): readonly string[] {
  const sources = streams.map((each) => each.source);
  if (sources.length === 0) throw new JoulebenchError("config", dir, "has no samples: its rig has no meter, or the meter sent nothing");
  if (source === undefined) return sources;
  if (!sources.includes(source))
    throw new JoulebenchError("config", `--source ${source}`, `no such source in ${dir}; there are: ${sources.join(", ")}`);
  return [source];
}

interface Target {
  readonly out: string | undefined;
  readonly sources: readonly string[];
}

/** Where there is no target the trace itself is the answer. Copies are named as an object store wants them. */
function copyParts(dir: string, { session }: Manifest, { out, sources }: Target): void {
  const trace = traceDir(dir);
  for (const source of sources) {
    const from = streamDir(trace, source);
    const to = out === undefined ? from : streamDir(join(out, `session=${encodeURIComponent(session)}`), source);
    if (to !== from) writable(to, () => cpSync(from, to, { recursive: true }));
    process.stdout.write(`${to}\n`);
  }
}

interface CsvTarget extends Target {
  readonly span: { readonly from_s: number; readonly to_s: number };
}

/** One source goes to standard output or a file; a folder takes all of them, and what `import generic` needs besides. */
async function writeCsv({ recording }: Pick<Analysis, "recording">, { out, sources, span }: CsvTarget): Promise<void> {
  const { measurand } = recording;
  const channelOf = (source: string): string => (measurand?.source === source ? measurand.channel : "main");
  const csv = (source: string): Iterable<string> => csvOf(recording, channelOf(source), { source, ...span });
  const isFile = out === undefined || /\.csv$/.test(out) || statSync(out, { throwIfNoEntry: false })?.isFile();
  if (isFile) {
    if (sources.length > 1)
      throw new JoulebenchError(
        "config",
        "--format csv",
        `${sources.join(", ")} do not go into one file; name one with --source, or a folder with --out`,
      );
    return write(out, csv(sources[0]!));
  }
  writable(out, () => mkdirSync(out, { recursive: true }));
  for (const source of sources)
    await write(join(out, source === measurand?.source ? "power.csv" : `${encodeURIComponent(source)}.csv`), csv(source));
  if (!measurand || !sources.includes(measurand.source)) return;
  await write(join(out, "events.jsonl"), eventLines(recording, span));
  const rig = rigOf(recording, samplerOf(recording, measurand.source) ?? "integrating");
  await write(join(out, "rig.json"), [`${JSON.stringify(rig)}\n`]);
}

/** Writes piece by piece, no faster than the other side takes them. @throws JoulebenchError `sink` */
async function write(path: string | undefined, pieces: Iterable<string>): Promise<void> {
  if (path === undefined) return pipeline(Readable.from(pieces), process.stdout, { end: false });
  await pipeline(Readable.from(pieces), createWriteStream(path)).catch((cause: unknown) => refuse(path, cause));
  process.stderr.write(`written to ${path}\n`);
}

function writable(path: string, act: () => void): void {
  try {
    act();
  } catch (cause) {
    refuse(path, cause);
  }
}

/** What the disk said as a `sink` error; anything else is an error of its own. */
function refuse(path: string, cause: unknown): never {
  if (!(cause instanceof Error) || !("code" in cause)) throw cause;
  throw new JoulebenchError("sink", path, `cannot be written (${cause.message})`, { cause });
}
