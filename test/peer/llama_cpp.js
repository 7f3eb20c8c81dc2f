// One prompt through llama.cpp's shared library, called through koffi: node llama_cpp.js FOLDER MODEL.gguf 1,2,3 writes
// the logits of all tokens to standard output, in f32. A process of its own, since the library ends it where it finds a
// model wrong.

import { writeSync } from "node:fs";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import koffi from "koffi";

const [folder, model, list] = process.argv.slice(2);
const tokens = Int32Array.from(list.split(","), Number);

/** Its name has the release in it. */
const library = (name) => {
  const file = readdirSync(folder).find((each) => new RegExp(`^lib${name}\\.v.*\\.so$`).test(each));
  return koffi.load(join(folder, file));
};

// Beyond what it needs of a structure that goes by value, the callee looks at nothing.
const parameterBytes = 512;
koffi.struct("Parameters", { words: koffi.array("uint64", parameterBytes / 8) });
koffi.struct("Batch", {
  tokens: "int32",
  ids: "int32*",
  embeddings: "float*",
  positions: "int32*",
  sequences: "int32*",
  sequenceIds: "void*",
  isShown: "int8*",
});

const ggml = library("ggml");
const llama = library("llama");
ggml.func("void ggml_backend_load_all_from_path(str folder)")(folder);

/** A structure that is returned goes where the hidden first argument points. */
const defaults = (name) => {
  const bytes = Buffer.alloc(parameterBytes);
  llama.func(`void *${name}(void *result)`)(bytes);
  return bytes;
};
const byValue = (bytes) => ({
  words: Array.from({ length: parameterBytes / 8 }, (_, i) => bytes.readBigUInt64LE(8 * i)),
});

// Offsets of llama_context_params in llama.h of the release that package.json names.
const context = { tokens: 0, batch: 4, flashAttention: 52, keyType: 104, valueType: 108 };
const f16 = 1;
const f32 = 0;
const parameters = defaults("llama_context_default_params");
const known = [512, 2048, -1, f16, f16];
if (Object.values(context).some((offset, i) => parameters.readInt32LE(offset) !== known[i])) {
  throw new Error("llama_context_params has other fields than those of the release known here");
}
parameters.writeInt32LE(tokens.length, context.tokens);
parameters.writeInt32LE(0, context.flashAttention);
parameters.writeInt32LE(f32, context.keyType);
parameters.writeInt32LE(f32, context.valueType);

const loaded = llama.func("void *llama_model_load_from_file(str path, Parameters parameters)")(
  model,
  byValue(defaults("llama_model_default_params")),
);
if (loaded === null) throw new Error("llama.cpp refused the model");
const opened = llama.func("void *llama_init_from_model(void *model, Parameters parameters)")(
  loaded,
  byValue(parameters),
);
if (opened === null) throw new Error("llama.cpp opened no context");
const code = llama.func("int32 llama_decode(void *context, Batch batch)")(opened, {
  tokens: tokens.length,
  ids: tokens,
  embeddings: null,
  positions: Int32Array.from(tokens.keys()),
  sequences: null,
  sequenceIds: null,
  isShown: new Int8Array(tokens.length).fill(1),
});
if (code !== 0) throw new Error(`llama_decode gave ${code}`);
const vocabulary = llama.func("int32 llama_vocab_n_tokens(void *vocabulary)")(
  llama.func("void *llama_model_get_vocab(void *model)")(loaded),
);
const logits = llama.func("void *llama_get_logits(void *context)")(opened);
writeSync(1, new Uint8Array(koffi.view(logits, 4 * tokens.length * vocabulary)));
// Static objects of the library end in no order that suits it.
process.kill(process.pid, "SIGKILL");
