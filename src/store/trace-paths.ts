import { join } from "node:path";

/** Names that start with an underscore are passed over by whoever reads a folder as Hive-partitioned Parquet. */
const PYRAMID = "_pyramid";
const ENERGY = "_energy";
export const MANIFEST = "_trace.json";

/** A name as a part of a path, whatever is in it: neither a separator nor a folder above. */
const plain = (name: string): string => encodeURIComponent(name).replace(/^\./, "%2E");

/** Folder of the Parquet files of one source. */
export const streamDir = (trace: string, source: string): string => join(trace, `stream=${plain(source)}`);

export const pyramidDir = (trace: string, source: string): string => join(trace, PYRAMID, plain(source));
export const energyDir = (trace: string, source: string): string => join(trace, ENERGY, plain(source));

/** Pyramid of one column of a source, such as `main.power_w`, without level and ending. */
export const pyramidBase = (trace: string, source: string, column: string): string => join(pyramidDir(trace, source), plain(column));

/** Energy of one channel of a source, without ending. */
export const energyBase = (trace: string, source: string, channel: string): string => join(energyDir(trace, source), plain(channel));
