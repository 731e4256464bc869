import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { parquetMetadata } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { JoulebenchError } from "../model/errors.ts";
import { AppendFile, refusable, syncFolderOf } from "./append-file.ts";
import { type PartColumn, physicalSchema, schemaOf } from "./parquet-schema.ts";
import { VERSION } from "./version.ts";

/** Fast, and within 1 % of the size of the higher levels: what is left after the dictionary is noise. */
const GZIP_LEVEL = 1;

/** Rows of one row group, as many values in each column. */
export interface RowGroup {
  readonly t_ns: BigInt64Array;
  readonly dt_ns: Float64Array;
  readonly columns: readonly { readonly data: BigInt64Array | readonly (bigint | null)[] | Float64Array; readonly isRepetitive: boolean }[];
}

/**
 * One Parquet file of the trace. It has a temporary name until it is whole, on the disk, and read back with as many
 * rows as were written.
 *
 * @throws JoulebenchError `sink` from every method once the disk has refused something
 */
export class ParquetPart {
  readonly #path: string;
  readonly #file: AppendFile;
  readonly #writer: ParquetWriter;
  readonly #columns: readonly PartColumn[];
  #rows = 0;

  /** @param metadata kept in the file's footer, all values as text */
  constructor(path: string, columns: readonly PartColumn[], metadata: Readonly<Record<string, string>>) {
    this.#path = path;
    this.#columns = columns;
    rmSync(`${path}.tmp`, { force: true });
    this.#file = new AppendFile(`${path}.tmp`, "wx");
    this.#writer = new ParquetWriter({
      writer: new Bytes(this.#file),
      schema: physicalSchema(columns),
      codec: "GZIP",
      compressors: { GZIP: (bytes) => gzipSync(bytes, { level: GZIP_LEVEL }) },
      kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
      createdBy: `joulebench ${VERSION}`,
    });
  }

  get rows(): number {
    return this.#rows;
  }

  write({ t_ns, dt_ns, columns }: RowGroup): void {
    this.#writer.write({
      columnData: [
        { name: "t_ns", data: t_ns, encoding: "DELTA_BINARY_PACKED" },
        { name: "dt_ns", data: dt_ns, encoding: "DELTA_BINARY_PACKED", statistics: false },
        ...columns.map(({ data, isRepetitive }, c) => ({
          name: this.#columns[c]!.name,
          data: data as BigInt64Array,
          encoding: isRepetitive ? ("RLE_DICTIONARY" as const) : ("DELTA_BINARY_PACKED" as const),
          statistics: false,
        })),
      ],
      rowGroupSize: t_ns.length,
    });
    this.#rows += t_ns.length;
  }

  /** Gives the file its name. @throws JoulebenchError `sink` also when it does not read back as it was written */
  finish(): void {
    // While values are written they are integers to the library; that they are decimals is for the reader of the footer.
    this.#writer.schema = schemaOf(this.#columns);
    this.#writer.finish();
    this.#file.close();
    const found = refusable(this.#path, "read back", () => rowsOf(`${this.#path}.tmp`));
    if (found !== this.#rows)
      throw new JoulebenchError("sink", this.#path, `reads back ${found} rows of ${this.#rows}; the disk is not to be trusted`);
    refusable(this.#path, "name", () => renameSync(`${this.#path}.tmp`, this.#path));
    syncFolderOf(this.#path);
  }
}

/** The library's buffer, emptied into the file after every row group. */
class Bytes extends ByteWriter {
  readonly #file: AppendFile;

  constructor(file: AppendFile) {
    super();
    this.#file = file;
  }

  flush(): void {
    this.#file.append(this.getBytes().slice());
    this.index = 0;
  }

  override finish(): void {
    this.flush();
  }
}

/** Rows that the footer of a Parquet file states, after its row groups were added up. */
export function rowsOf(path: string): number {
  const { num_rows, row_groups } = footerOf(path);
  const grouped = row_groups.reduce((sum, group) => sum + group.num_rows, 0n);
  return grouped === num_rows ? Number(num_rows) : Number.NaN;
}

/** The footer of a Parquet file, read alone: length and magic are its last eight bytes. */
export function footerOf(path: string): ReturnType<typeof parquetMetadata> {
  const fd = openSync(path, "r");
  try {
    const { size } = fstatSync(fd);
    const tail = new Uint8Array(8);
    readSync(fd, tail, 0, 8, size - 8);
    const footer = new Uint8Array(new DataView(tail.buffer).getUint32(0, true) + 8);
    readSync(fd, footer, 0, footer.length, size - footer.length);
    return parquetMetadata(footer.buffer);
  } finally {
    closeSync(fd);
  }
}
