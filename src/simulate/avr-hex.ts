const FLASH_BYTES = 32 * 1024;

/**
 * Program memory out of an Intel HEX file, erased where the file says nothing.
 *
 * @throws RangeError naming the line whose checksum, type or address is wrong, or when the end record is missing
 */
export function loadHex(text: string): Uint16Array {
  const flash = new Uint8Array(FLASH_BYTES).fill(0xff);
  for (const [n, line] of text.split(/\r?\n/).entries()) {
    if (line === "") continue;
    const bytes = Buffer.from(line.slice(1), "hex");
    const length = bytes[0] ?? 0;
    const sum = bytes.reduce((total, byte) => total + byte, 0);
    if (!line.startsWith(":") || bytes.length !== length + 5 || sum & 0xff) throw new RangeError(`hex line ${n + 1} is damaged: ${line}`);
    const type = bytes[3]!;
    if (type === 1) return new Uint16Array(flash.buffer);
    const at = bytes.readUInt16BE(1);
    if (type !== 0 || at + length > FLASH_BYTES) throw new RangeError(`hex line ${n + 1} does not fit an ATmega328P: ${line}`);
    flash.set(bytes.subarray(4, 4 + length), at);
  }
  throw new RangeError("hex file has no end record: it is cut short");
}
