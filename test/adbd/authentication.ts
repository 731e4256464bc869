import { createPublicKey, type KeyObject, publicDecrypt } from "node:crypto";

/** DigestInfo of SHA-1 (RFC 8017, 9.2), which stands before a signed token. */
const SHA1_PREFIX = Buffer.from("3021300906052b0e03021a05000414", "hex");
const MODULUS_BYTES = 256;

/** A key as adb sends it: base64 of word count, n0inv, modulus, R^2 and exponent, little endian, then a name. */
export function keyOf(text: string): KeyObject {
  const bytes = Buffer.from(text.split(/[ \0]/)[0]!, "base64");
  const modulus = Buffer.from(bytes.subarray(8, 8 + MODULUS_BYTES)).reverse();
  const exponent = Buffer.alloc(4);
  exponent.writeUInt32BE(bytes.readUInt32LE(8 + 2 * MODULUS_BYTES));
  const jwk = { kty: "RSA", n: modulus.toString("base64url"), e: exponent.toString("base64url") };
  return createPublicKey({ key: jwk, format: "jwk" });
}

/** Whether `signature` is that of `token` by `key`. */
export function isSignedBy(key: KeyObject, token: Buffer, signature: Buffer): boolean {
  try {
    return publicDecrypt(key, signature).equals(Buffer.concat([SHA1_PREFIX, token]));
  } catch {
    return false;
  }
}
