import { writeFileSync } from "node:fs";

/** The shape of a random model. `heads` divides `dim`; a token costs about `12 * layers * dim^2` multiplications. */
export interface ModelShape {
  readonly seed?: number;
  readonly dim?: number;
  readonly layers?: number;
  readonly heads?: number;
  /** Tokens its context is made for, prompt and output together. */
  readonly context?: number;
}

/** A value of the header: an unsigned integer, a float, a flag, a text, or a list of one of them. */
type Value =
  | { readonly type: "u32"; readonly value: number }
  | { readonly type: "f32"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "text"; readonly value: string }
  | { readonly type: "texts"; readonly value: readonly string[] }
  | { readonly type: "i32s"; readonly value: readonly number[] }
  | { readonly type: "f32s"; readonly value: readonly number[] };

/** Type numbers of the GGUF specification, version 3. */
const TYPES = { u32: 4, i32: 5, f32: 6, bool: 7, text: 8, list: 9 } as const;
const ALIGNMENT = 32;
/** Token types of llama.cpp. */
const KINDS = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;

/**
 * Writes a language model with random weights: GGUF version 3, llama architecture, float32, SentencePiece tokenizer with
 * byte fallback. It makes no sense of anything, and costs what a model of its shape costs. The same seed gives the same bytes.
 *
 * Every character of ASCII is one token, so that a text of n letters has n + 2: the beginning of the sequence and a space
 * come before it.
 */
export function writeModel(path: string, shape: ModelShape = {}): void {
  const { seed = 1, dim = 64, layers = 2, heads = 4, context = 512 } = shape;
  const vocabulary = tokens();
  const hidden = Math.ceil((dim * 8) / 3 / 32) * 32;
  const tensors = tensorsOf({ dim, layers, hidden, vocabulary: vocabulary.length });
  const header: [string, Value][] = [
    ["general.architecture", { type: "text", value: "llama" }],
    ["general.name", { type: "text", value: `random-${layers}x${dim}` }],
    ["general.file_type", { type: "u32", value: 0 }],
    ["general.alignment", { type: "u32", value: ALIGNMENT }],
    ["llama.context_length", { type: "u32", value: context }],
    ["llama.embedding_length", { type: "u32", value: dim }],
    ["llama.block_count", { type: "u32", value: layers }],
    ["llama.feed_forward_length", { type: "u32", value: hidden }],
    ["llama.attention.head_count", { type: "u32", value: heads }],
    ["llama.attention.head_count_kv", { type: "u32", value: heads }],
    ["llama.attention.layer_norm_rms_epsilon", { type: "f32", value: 1e-5 }],
    ["llama.rope.dimension_count", { type: "u32", value: dim / heads }],
    ["llama.vocab_size", { type: "u32", value: vocabulary.length }],
    ["tokenizer.ggml.model", { type: "text", value: "llama" }],
    ["tokenizer.ggml.tokens", { type: "texts", value: vocabulary.map(({ text }) => text) }],
    ["tokenizer.ggml.scores", { type: "f32s", value: vocabulary.map((_, at) => -at) }],
    ["tokenizer.ggml.token_type", { type: "i32s", value: vocabulary.map(({ kind }) => kind) }],
    ["tokenizer.ggml.bos_token_id", { type: "u32", value: 1 }],
    ["tokenizer.ggml.eos_token_id", { type: "u32", value: EOS }],
    ["tokenizer.ggml.unknown_token_id", { type: "u32", value: 0 }],
    ["tokenizer.ggml.add_bos_token", { type: "bool", value: true }],
  ];
  const parts = [Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(header.length)];
  for (const [key, value] of header) parts.push(text(key), encode(value));
  let offset = 0;
  for (const { name, shape: dims } of tensors) {
    parts.push(text(name), u32(dims.length), ...dims.map(u64), u32(0), u64(offset));
    offset += aligned(4 * dims.reduce((product, size) => product * size, 1));
  }
  parts.push(Buffer.alloc(aligned(length(parts)) - length(parts)), ...weights(tensors, dim, seed));
  writeFileSync(path, Buffer.concat(parts));
}

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
}

function tensorsOf(size: { dim: number; layers: number; hidden: number; vocabulary: number }): Tensor[] {
  const { dim, layers, hidden, vocabulary } = size;
  const block = (at: number): Tensor[] => [
    { name: `blk.${at}.attn_norm.weight`, shape: [dim] },
    ...["q", "k", "v", "output"].map((name) => ({ name: `blk.${at}.attn_${name}.weight`, shape: [dim, dim] })),
    { name: `blk.${at}.ffn_norm.weight`, shape: [dim] },
    { name: `blk.${at}.ffn_gate.weight`, shape: [dim, hidden] },
    { name: `blk.${at}.ffn_up.weight`, shape: [dim, hidden] },
    { name: `blk.${at}.ffn_down.weight`, shape: [hidden, dim] },
  ];
  return [
    { name: "token_embd.weight", shape: [dim, vocabulary] },
    ...Array.from({ length: layers }, (_, at) => block(at)).flat(),
    { name: "output_norm.weight", shape: [dim] },
    { name: "output.weight", shape: [dim, vocabulary] },
  ];
}

/** The token that ends a text. */
const EOS = 2;

/** Norms are 1; the token that ends a text is never the likeliest, so that every output has the length asked for; the rest is uniform with the variance that keeps activations of the order of 1. */
function* weights(tensors: readonly Tensor[], dim: number, seed: number): Generator<Buffer> {
  let state = seed >>> 0;
  for (const { name, shape } of tensors) {
    const count = shape.reduce((product, size) => product * size, 1);
    const values = new Float32Array(aligned(4 * count) / 4);
    const scale = name.startsWith("token_embd") ? Math.sqrt(12) : Math.sqrt(12 / (shape[0] ?? dim));
    for (let at = 0; at < count; at++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes' generator.
      values[at] = name.includes("norm") ? 1 : scale * (state / 2 ** 32 - 0.5);
    }
    if (name === "output.weight") values.fill(0, EOS * dim, (EOS + 1) * dim);
    yield Buffer.from(values.buffer);
  }
}

/**
 * 3 control tokens, 256 bytes, the space, printable ASCII, and pieces of three letters and more. Two neighbours are merged
 * only when both together are a token, so a prompt never uses the pieces; they come in the output alone.
 */
function tokens(): { text: string; kind: number }[] {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const printable = Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at));
  const pieces = ["the", "and", "ing", "▁fer", "▁mor", "▁lax", "tion", "▁with", "naïve", "straße", "▁日本語", "▁über"];
  return [
    { text: "<unk>", kind: KINDS.unknown },
    { text: "<s>", kind: KINDS.control },
    { text: "</s>", kind: KINDS.control },
    ...bytes.map((name) => ({ text: name, kind: KINDS.byte })),
    ...["▁", ...printable, ...pieces].map((name) => ({ text: name, kind: KINDS.normal })),
  ];
}

function encode(entry: Value): Buffer {
  if (entry.type === "u32") return Buffer.concat([u32(TYPES.u32), u32(entry.value)]);
  if (entry.type === "f32") return Buffer.concat([u32(TYPES.f32), f32(entry.value)]);
  if (entry.type === "bool") return Buffer.concat([u32(TYPES.bool), Buffer.from([Number(entry.value)])]);
  if (entry.type === "text") return Buffer.concat([u32(TYPES.text), text(entry.value)]);
  if (entry.type === "texts") return list(TYPES.text, entry.value.map(text));
  return entry.type === "i32s" ? list(TYPES.i32, entry.value.map(u32)) : list(TYPES.f32, entry.value.map(f32));
}

const list = (of: number, items: readonly Buffer[]): Buffer => Buffer.concat([u32(TYPES.list), u32(of), u64(items.length), ...items]);
const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
const length = (parts: readonly Buffer[]): number => parts.reduce((sum, part) => sum + part.length, 0);
const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}
