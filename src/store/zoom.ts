import { existsSync } from "node:fs";
import { EnergyReader } from "./energy-reader.ts";
import { countOf, endOf, powerOf, startOf, startPower } from "./energy-record.ts";
import { recordsPath } from "./energy-writer.ts";
import { BASE_S } from "./pyramid-level.ts";
import { emptyZoom, PyramidReader, type Zoomed } from "./pyramid-reader.ts";
import { energyBase, pyramidBase } from "./trace-paths.ts";

/** A stretch of session time and how many columns it is shown in. */
export interface View {
  readonly start_s: number;
  readonly end_s: number;
  readonly pixels: number;
}

/**
 * One column of a trace as a plot of that width needs it, from the disk, whatever the length of the trace.
 *
 * Power is shown down to its single samples; other columns down to a tenth of a second, below which the Parquet files
 * have them.
 *
 * @param trace folder of the trace, which may still be growing
 * @param column as the trace has it, such as `main.power_w`
 */
export function zoom(trace: string, source: string, column: string, { start_s, end_s, pixels }: View): Zoomed {
  const energy = energyBase(trace, source, column.slice(0, column.lastIndexOf(".")));
  const isFine = (end_s - start_s) / pixels < BASE_S;
  if (isFine && column.endsWith(".power_w") && existsSync(recordsPath(energy))) return zoomSamples(energy, { start_s, end_s, pixels });
  const pyramid = new PyramidReader(pyramidBase(trace, source, column));
  try {
    return pyramid.zoom(start_s, end_s, pixels);
  } finally {
    pyramid.close();
  }
}

/** Samples of power gathered into one stretch per pixel; where there are fewer than pixels, some stretches are empty. */
function zoomSamples(base: string, { start_s, end_s, pixels }: View): Zoomed {
  const width_s = (end_s - start_s) / pixels;
  const columns = emptyZoom(pixels, width_s);
  columns.min.fill(Number.POSITIVE_INFINITY);
  columns.max.fill(Number.NEGATIVE_INFINITY);
  const include = (at_s: number, power_w: number): void => {
    const pixel = Math.floor((at_s - start_s) / width_s);
    if (pixel < 0 || pixel >= pixels) return;
    columns.n[pixel]!++;
    columns.mean[pixel]! += power_w;
    if (power_w < columns.min[pixel]!) columns.min[pixel] = power_w;
    if (power_w > columns.max[pixel]!) columns.max[pixel] = power_w;
  };
  const energies = new EnergyReader(base);
  energies.forEach(start_s, end_s, (view, at) => samplesOf(view, at, include));
  energies.close();
  for (let pixel = 0; pixel < pixels; pixel++) {
    columns.t_s[pixel] = start_s + pixel * width_s;
    columns.mean[pixel]! /= columns.n[pixel]!;
    if (columns.n[pixel] === 0) columns.min[pixel] = columns.max[pixel] = Number.NaN;
  }
  return columns;
}

/** Every sample of a record with the time it belongs to: the middle of its interval, or its instant. */
function samplesOf(view: DataView, at: number, take: (at_s: number, power_w: number) => void): void {
  const start_s = startOf(view, at);
  const isPoint = !Number.isNaN(startPower(view, at));
  let begin_s = 0;
  for (let k = 0; k < countOf(view, at); k++) {
    const end_s = endOf(view, at, k);
    take(start_s + (isPoint ? end_s : (begin_s + end_s) / 2), powerOf(view, at, k));
    begin_s = end_s;
  }
}
