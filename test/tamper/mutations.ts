// Ways to make shaders, collectives or the executor wrong, each as a change to the text of the built product. Few
// of them change the plan's program, which is what the gate holds a run's instructions against.

/** Plans of two replicas, by the stage of ZeRO that they run. */
const replicated = ["replicas", "zero 1", "zero 2", "zero 3"] as const;
export type Replicated = (typeof replicated)[number];

export function isReplicated(plan: string): plan is Replicated {
  return replicated.some((known) => known === plan);
}

export interface Mutation {
  /** What is wrong then. */
  readonly what: string;
  /** Files of the copy; a change is made in all of them. */
  readonly files: readonly string[];
  readonly from: string;
  readonly to: string;
  /** The same, in files whose text is another: which of them an adapter takes is its own matter. */
  readonly elsewhere?: Pick<Mutation, "files" | "from" | "to">;
  /** Only seen where steps run as timed ones do. */
  readonly timed?: true;
  /** Only seen there: where a rank waits for nothing within a micro-batch, or where hosts add. */
  readonly plan?:
    | "one rank"
    | "two stages"
    | "short sums"
    | "serving"
    | "rules"
    | "neighbors"
    | "training"
    | Replicated;
  /** Only there in that type. */
  readonly dtype?: "f32" | "f16";
}

const others = "(stage !== undefined && origin.stage !== stage) || origin.serves !== served?.phase";
const skips = `const skips = ({ origin }) => ${others};`;
function skipping(condition: string): string {
  return `const skips = (instruction) => { const { origin } = instruction; return ${others} || (${condition}); };`;
}
/** All kernels but those that count rows for an exchange: by counts that nothing wrote, none is possible. */
const computes = 'instruction.op === "kernel" && !instruction.kernel.startsWith("route_")';
const onlyTimed = "options.inspect === undefined";

const shaders: readonly Mutation[] = [
  {
    what: "a norm leaves out the last row",
    files: ["shaders/rms_norm.wgsl"],
    from: "vec4u(ROWS - 1u)",
    to: "vec4u(ROWS - 2u)",
  },
  {
    what: "a norm has ten times its epsilon",
    files: ["shaders/rms_norm.wgsl", "shaders/add_rms_norm.wgsl"],
    from: "+ EPSILON)",
    to: "+ 10.0 * EPSILON)",
  },
  {
    what: "a norm leaves out the gain of its first rows",
    files: ["shaders/rms_norm.wgsl", "shaders/add_rms_norm.wgsl"],
    from: "v[0] * scale[0] * g",
    to: "v[0] * scale[0]",
  },
  {
    what: "a layer norm leaves out its bias",
    files: ["shaders/layer_norm.wgsl", "shaders/add_layer_norm.wgsl"],
    from: "fma((v[1] - mean[1]) * scale[1], g, shift)",
    to: "fma((v[1] - mean[1]) * scale[1], g, vec4f())",
  },
  {
    what: "the residual of a product is left out",
    files: ["shaders/epilogue/residual.wgsl"],
    from: "return v + unpackQuad(",
    to: "return v + 0.0 * unpackQuad(",
  },
  {
    what: "the activation of a product is left out",
    files: ["shaders/activations/gelu.wgsl"],
    from: "return 0.5 * v * (1.0 + tanh(u));",
    to: "return v;",
  },
  {
    what: "the gate of a product is left out",
    files: ["shaders/epilogue/gate.wgsl"],
    from: "return v * unpackQuad(",
    to: "return v + 0.0 * unpackQuad(",
  },
  {
    what: "an activation has another constant",
    files: ["shaders/activations/gelu.wgsl"],
    from: "fma(0.044715 *",
    to: "fma(0.04 *",
  },
  {
    what: "attention sees the next token",
    files: ["shaders/attention/keys_seen.wgsl"],
    from: "visible &= key <= query;",
    to: "visible &= key <= query + 1u;",
  },
  {
    what: "attention scales scores by another head size",
    files: ["shaders/attention/scores.wgsl"],
    from: "products * (LOG2_E * SCALE)",
    to: "products * (LOG2_E * SCALE * sqrt(f32(HEAD_DIM) / (f32(HEAD_DIM) + 0.5)))",
  },
  {
    what: "attention takes the values of the first head for all",
    files: ["shaders/attention/values_beside.wgsl"],
    from: "+ kv_head * VALUE_QUADS",
    to: "+ 0u * kv_head",
  },
  {
    what: "a product leaves out its last row",
    files: ["shaders/rows/dense.wgsl"],
    from: "(index + 1u) * M)",
    to: "(index + 1u) * M - 1u)",
  },
  {
    what: "a product of experts leaves out the last row of each",
    files: ["shaders/rows/grouped.wgsl"],
    from: "offsets[index + 1u])",
    to: "max(offsets[index] + 1u, offsets[index + 1u]) - 1u)",
  },
  {
    what: "products are larger by a thousandth",
    files: ["dist/kernels/product.js"],
    from: "finish.scale ?? 1,",
    to: "finish.scale ?? 1.001,",
  },
  {
    what: "a slice swaps neighbouring quads of columns",
    files: ["shaders/slice_columns.wgsl"],
    from: "(OFFSET + column) / 4u]",
    to: "(((OFFSET + column) / 4u) ^ 1u)]",
  },
  {
    what: "gathered columns are woven in reverse order",
    files: ["shaders/gather_columns.wgsl"],
    from: "let piece = column / PIECE_COLUMNS;",
    to: "let piece = PIECES - 1u - column / PIECE_COLUMNS;",
  },
  {
    what: "an embedding takes the next row of its table",
    files: ["shaders/embedding.wgsl"],
    from: "- VOCABULARY_START;",
    to: "- VOCABULARY_START + 1u;",
  },
  {
    what: "a mean leaves out the last row of its group",
    files: ["shaders/aggregate.wgsl"],
    from: "row < GROUP;",
    to: "row < GROUP - 1u;",
  },
  {
    what: "the weights of chosen experts do not add up to 1",
    files: ["dist/kernels/route_top_k.js"],
    from: "renormalise ? 1 : 0",
    to: "0",
  },
  {
    what: "the second choice of experts is the first again",
    files: ["shaders/route_top_k.wgsl"],
    from: "let below = select(expert, best.experts.x, is_above.x);",
    to: "let below = select(expert, expert, is_above.x);",
  },
  {
    what: "places among the rows of an expert begin at 1",
    files: ["shaders/route_positions.wgsl"],
    from: "positions[choice] = ranks[slot];",
    to: "positions[choice] = ranks[slot] + 1u;",
  },
  {
    what: "the last token is not sorted to its experts",
    files: ["shaders/permute_tokens.wgsl"],
    from: "TOKENS - 1u)",
    to: "TOKENS - 2u)",
  },
  {
    what: "a token takes the row after its own from its experts",
    files: ["shaders/combine_tokens.wgsl"],
    from: "(offsets[expert] + position)",
    to: "(offsets[expert] + position + 1u)",
  },
  {
    what: "choices that were dropped are counted",
    files: ["shaders/combine_tokens.wgsl"],
    from: "position < kept[expert];",
    to: "position < kept[expert] + 1u;",
  },
  {
    what: "numbers are stored with fewer bits",
    files: ["shaders/storage/f16_packed.wgsl"],
    from: "vec2u(pack2x16float(v.xy), pack2x16float(v.zw))",
    to: "vec2u(pack2x16float(v.xy), pack2x16float(v.zw)) & vec2u(0xfffefffeu)",
    elsewhere: {
      files: ["shaders/storage/f16_native.wgsl"],
      from: "return vec4<f16>(v);",
      to: "return bitcast<vec4<f16>>(bitcast<vec2u>(vec4<f16>(v)) & vec2u(0xfffefffeu));",
    },
    dtype: "f16",
  },
  {
    what: "numbers are stored with fewer bits",
    files: ["shaders/storage/f32.wgsl"],
    from: "return v;",
    to: "return bitcast<vec4f>(bitcast<vec4u>(v) & vec4u(0xffffffc0u));",
    dtype: "f32",
  },
];

/** What models do otherwise in attention and around products. */
const rules: readonly Mutation[] = [
  {
    what: "heads turn by the angle of the next token",
    files: ["shaders/rotary/turned.wgsl"],
    from: "let position = positionOf(own.token);",
    to: "let position = positionOf(own.token + 1u);",
    plan: "rules",
  },
  {
    what: "heads turn a thousandth too far",
    files: ["shaders/rotary/turned.wgsl"],
    from: "let by = Turn(rotations[fine], rotations[fine + 1u]);",
    to: "let by = Turn(rotations[fine], 1.001 * rotations[fine + 1u]);",
    plan: "rules",
  },
  {
    what: "heads turn the other way",
    files: ["shaders/rotary/turned.wgsl"],
    from: "store(own, FIRST + unit, fma(a, turn.cosine, -b * turn.sine));",
    to: "store(own, FIRST + unit, fma(a, turn.cosine, b * turn.sine));",
    plan: "rules",
  },
  {
    what: "neighbors are turned where halves of heads are pairs",
    files: ["dist/kernels/rotary.js"],
    from: "turn.interleaved ? 1 : 0",
    to: "1",
    plan: "rules",
  },
  {
    what: "halves of heads are turned where neighbors are pairs",
    files: ["dist/kernels/rotary.js"],
    from: "turn.interleaved ? 1 : 0",
    to: "0",
    plan: "neighbors",
  },
  {
    what: "what no position turns is turned, too",
    files: ["shaders/rotary/turned.wgsl"],
    from: "if (unit < FIRST || 4u * (unit - FIRST) >= DIMS) {",
    to: "if (unit < FIRST) {",
    plan: "neighbors",
  },
  {
    what: "keys take the gains of queries",
    files: ["shaders/rotary/gains.wgsl"],
    from: "select(1u, 0u, head < HEADS)",
    to: "0u",
    plan: "rules",
  },
  {
    what: "heads are not normalized by their own squares",
    files: ["shaders/rotary.wgsl"],
    from: "squares += dot(value, value);",
    to: "squares += 1.01 * dot(value, value);",
    plan: "rules",
  },
  {
    what: "a bias is that of the next columns",
    files: ["shaders/epilogue/bias.wgsl"],
    from: "placeOf(part.index, column)",
    to: "placeOf(part.index, (column + 1u) % N_QUADS)",
    plan: "rules",
  },
  {
    what: "the bias of a row-parallel product is added on every rank",
    files: ["dist/program/layers/linear.js"],
    from: 'split === "row" ? ranks.slice(0, 1) : ranks',
    to: "ranks",
    plan: "rules",
  },
  {
    what: "a head takes the sink of the next",
    files: ["shaders/attention/sinks.wgsl"],
    from: "sinks[head]",
    to: "sinks[(head + 1u) % HEADS]",
    plan: "rules",
  },
  {
    what: "sinks take no part of a softmax",
    files: ["shaders/attention/sinks.wgsl"],
    from: "return 1.0;",
    to: "return 0.0;",
    plan: "rules",
  },
  {
    what: "a window is a token too wide",
    files: ["shaders/attention/keys_seen.wgsl"],
    from: "visible &= query < key + WINDOW;",
    to: "visible &= query < key + WINDOW + 1u;",
    plan: "rules",
  },
  {
    what: "a window is a token too narrow",
    files: ["shaders/attention/keys_seen.wgsl"],
    from: "visible &= query < key + WINDOW;",
    to: "visible &= query + 1u < key + WINDOW;",
    plan: "rules",
  },
  {
    what: "scores are not capped",
    files: ["shaders/attention/scores.wgsl"],
    from: "if (SOFTCAP > 0.0) {",
    to: "if (SOFTCAP < 0.0) {",
    plan: "rules",
  },
  {
    what: "logits are not capped",
    files: ["shaders/activations/softcap.wgsl"],
    from: "return CAP * tanh(clamp(v / CAP, vec4f(-10.0), vec4f(10.0)));",
    to: "return v;",
    plan: "rules",
  },
];

const caches: readonly Mutation[] = [
  {
    what: "keys are cached as values, too",
    files: ["shaders/append_cache.wgsl"],
    from: "right[row * RIGHT_PITCH + column]",
    to: "right[row * RIGHT_PITCH + LEFT_FIRST + rest]",
    plan: "serving",
  },
  {
    what: "new tokens are cached over the first of their page",
    files: ["shaders/append_cache.wgsl"],
    from: "+ token % PAGE_TOKENS)",
    to: "+ 0u)",
    plan: "serving",
  },
  {
    what: "new tokens stand at the beginning of their sequences",
    files: ["shaders/positions/spans.wgsl"],
    from: "min(spans[row / QUERIES].x + row % QUERIES",
    to: "min(0u * spans[row / QUERIES].x + row % QUERIES",
    plan: "serving",
  },
  {
    what: "tokens of a chunk see those that come after them",
    files: ["shaders/attend_cache_subgroup.wgsl"],
    from: "      vec4u(query),",
    to: "      vec4u(query + QUERIES - 1u),",
    plan: "serving",
  },
  {
    what: "tokens of later pages are sought in the first",
    files: ["shaders/attend_cache_subgroup.wgsl"],
    from: "+ token / PAGE_TOKENS]",
    to: "+ 0u]",
    plan: "serving",
  },
  {
    what: "the last piece of a cache is left out",
    files: ["shaders/combine_attention.wgsl"],
    from: "piece < pieces;",
    to: "piece < max(pieces, 2u) - 1u;",
    plan: "serving",
  },
  {
    what: "timed steps leave out what is to be cached",
    files: ["dist/runtime/execute.js"],
    from: skips,
    to: skipping(`${onlyTimed} && instruction.kernel === "append_cache"`),
    timed: true,
    plan: "serving",
  },
];

const collectives: readonly Mutation[] = [
  {
    what: "sums of a collective leave out a summand",
    files: ["shaders/reduce_sum.wgsl"],
    from: "sum += unpackQuad(x[QUADS + i]);",
    to: "sum += 0.0 * unpackQuad(x[QUADS + i]);",
  },
  {
    what: "sums on hosts leave out a summand",
    files: ["dist/collectives/host_sums/sum_floats.js"],
    from: "a[e] + b[e]",
    to: "a[e]",
    plan: "short sums",
  },
  {
    what: "sums on hosts leave out a summand at every fourth element",
    files: ["dist/collectives/host_sums/sum_floats.js"],
    from: "a[e + 2] + b[e + 2]",
    to: "a[e + 2]",
    plan: "short sums",
  },
  {
    what: "pieces of a gather lie in reverse order",
    files: ["dist/program/exchange/all_gather.js"],
    from: "[offsets[i], sizes[i]]",
    to: "[offsets[offsets.length - 1 - i], sizes[i]]",
  },
  {
    what: "an expert accepts a row less than its capacity",
    files: ["dist/collectives/expert_splits.js"],
    from: "map(() => capacity)",
    to: "map(() => capacity - 1)",
  },
  {
    what: "rows of later sources overwrite those of earlier ones at an expert",
    files: ["dist/collectives/expert_splits.js"],
    from: "((targetStarts[e - first] ?? 0) + before)",
    to: "(targetStarts[e - first] ?? 0)",
  },
  {
    what: "rows come back from experts a place too early",
    files: ["dist/collectives/expert_splits.js"],
    from: "targetOffset: sourceOffset,",
    to: "targetOffset: Math.max(0, sourceOffset - rowBytes),",
  },
];

/** Gradients and updates. */
const training: readonly Mutation[] = [
  {
    what: "the gradient of the loss is not divided by the tokens",
    files: ["shaders/cross_entropy_gradient.wgsl"],
    from: "let factor = SCALE / all.sum;",
    to: "let factor = 1.0 / all.sum;",
    plan: "training",
  },
  {
    what: "gradients of weights leave out the second micro-batch",
    files: ["dist/runtime/execute.js"],
    from: skips,
    to: skipping('instruction.shape?.result === "f32-sum" && instruction.origin.microBatch === 1'),
    plan: "training",
  },
  {
    what: "timed steps leave out gradients of weights of the second micro-batch",
    files: ["dist/runtime/execute.js"],
    from: skips,
    to: skipping(
      `${onlyTimed} && instruction.shape?.result === "f32-sum" && instruction.origin.microBatch === 1`,
    ),
    timed: true,
    plan: "training",
  },
  {
    what: "products write over what a gradient held",
    files: ["shaders/results/f32_sum.wgsl"],
    from: "y[at] += v;",
    to: "y[at] = v;",
    plan: "training",
  },
  {
    what: "replicas do not sum their gradients",
    files: ["dist/runtime/execute.js"],
    from: skips,
    to: skipping('instruction.op === "all-reduce" && instruction.origin.phase === "update"'),
    plan: "training",
  },
  {
    what: "timed steps leave out the sums of replicas' gradients",
    files: ["dist/runtime/execute.js"],
    from: skips,
    to: skipping(
      `${onlyTimed} && instruction.op === "all-reduce" && instruction.origin.phase === "update"`,
    ),
    timed: true,
    plan: "training",
  },
  {
    what: "norms of trained heads leave out what they have of a gradient themselves",
    files: ["shaders/head_norm_gradient.wgsl"],
    from: "(given - shift - value * pull)",
    to: "(given - shift)",
    plan: "training",
  },
  {
    what: "gains of trained heads of keys get the gradient of queries",
    files: ["shaders/head_gain_gradient.wgsl"],
    from: "vec2u(HEADS, KV_HEADS)",
    to: "vec2u(0u, KV_HEADS)",
    plan: "training",
  },
  {
    what: "sinks of trained heads get half of their gradient",
    files: ["shaders/sink_gradient.wgsl"],
    from: "-= all;",
    to: "-= 0.5 * all;",
    plan: "training",
  },
  {
    what: "gradients are not clipped",
    files: ["shaders/begin_update.wgsl"],
    from: "multiplier *= min(1.0, CLIP_NORM / (norm + 1e-6));",
    to: "",
    plan: "training",
  },
  {
    what: "weights do not decay",
    files: ["shaders/updates/adamw.wgsl"],
    from: " + DECAY * weight;",
    to: ";",
    plan: "training",
  },
  {
    what: "the mean of gradients keeps the bias of its first steps",
    files: ["shaders/updates/adamw.wgsl"],
    from: "(m / state[2])",
    to: "m",
    plan: "training",
  },
  {
    what: "weights in f16 are not those of their masters",
    files: ["shaders/updates/master.wgsl"],
    from: "weight[i] = packQuad(v);",
    to: "weight[i] = packQuad(0.999 * v);",
    plan: "training",
    dtype: "f16",
  },
  {
    what: "a router's gradient leaves out the weights of its choices",
    files: ["shaders/route_gradient.wgsl"],
    from: "vec4f(SCALE * own * (dweights[at] - less))",
    to: "vec4f(0.0 * own * (dweights[at] - less))",
    plan: "training",
  },
  {
    what: "experts are balanced over the choices of one rank",
    files: ["shaders/balances/counted.wgsl"],
    from: "block < BLOCKS;",
    to: "block < 1u;",
    plan: "training",
  },
  {
    what: "a choice's weight has the gradient of the next",
    files: ["shaders/combine_weight_gradient.wgsl"],
    from: "= found[i];",
    to: "= found[i ^ 1u];",
    plan: "training",
  },
  {
    what: "gradients come to experts without the weights of choices",
    files: ["shaders/choices/weighted_rows.wgsl"],
    from: "packQuad(weights[choice] * unpackQuad(v))",
    to: "v",
    plan: "training",
  },
  {
    what: "an expert's weights leave out the gradient of its last row",
    files: ["shaders/rows/grouped_depth.wgsl"],
    from: "let stop = offsets[index + 1u];",
    to: "let stop = max(offsets[index], offsets[index + 1u] - min(1u, offsets[index + 1u]));",
    plan: "training",
  },
  {
    what: "timed steps leave out the gradients of experts' weights",
    files: ["dist/runtime/execute.js"],
    from: skips,
    to: skipping(`${onlyTimed} && instruction.kernel === "grouped_weight_gradient"`),
    timed: true,
    plan: "training",
  },
  {
    what: "timed steps leave out the router's gradient",
    files: ["dist/runtime/execute.js"],
    from: skips,
    to: skipping(`${onlyTimed} && instruction.kernel === "route_gradient"`),
    timed: true,
    plan: "training",
  },
  {
    what: "timed steps leave out the updates of weights",
    files: ["dist/runtime/execute.js"],
    from: skips,
    to: skipping(`${onlyTimed} && instruction.kernel === "update_weight"`),
    timed: true,
    plan: "training",
  },
];

const inUpdate = `${onlyTimed} && instruction.origin.phase === "update"`;

function leftOut(plan: Replicated, what: string, condition: string): Mutation {
  return {
    what: `${plan}: timed steps leave out ${what}`,
    files: ["dist/runtime/execute.js"],
    from: skips,
    to: skipping(condition),
    timed: true,
    plan,
  };
}

/** What timed steps leave to the next one, which sets it to what it was. */
const updates: readonly Mutation[] = [
  ...replicated.flatMap((plan): readonly Mutation[] => [
    leftOut(
      plan,
      "the updates of weights",
      `${inUpdate} && instruction.kernel === "update_weight"`,
    ),
    leftOut(
      plan,
      "the updates of one rank",
      `${inUpdate} && instruction.kernel === "update_weight" && rank === 1`,
    ),
    {
      what: `${plan}: timed steps move weights twice`,
      files: ["dist/runtime/ahead.js"],
      from: "const slot = encoding.kernel(open.encoder, kernelOf(index));",
      to:
        "const slot = encoding.kernel(open.encoder, kernelOf(index)); " +
        'if (instruction.kernel === "update_weight" && !standsAlone(instruction)) ' +
        "encoding.digest(open.encoder, kernelOf(index));",
      timed: true,
      plan,
    },
  ]),
  ...(["zero 1", "zero 2"] as const).map((plan) =>
    leftOut(plan, "the gathers of weights", `${inUpdate} && instruction.op === "all-gather"`),
  ),
  leftOut("zero 1", "the clearing of gradients", `${inUpdate} && instruction.kernel === "clear"`),
  leftOut("zero 2", "the clearing of gradients", `${onlyTimed} && instruction.kernel === "clear"`),
  leftOut("zero 2", "what adds up", `${onlyTimed} && instruction.op === "copy"`),
  leftOut("zero 3", "the gathers of weights", `${onlyTimed} && instruction.op === "all-gather"`),
  leftOut("zero 3", "the sums of gradients", `${onlyTimed} && instruction.op === "reduce-scatter"`),
];

const executor: readonly Mutation[] = [
  {
    what: "one rank has weights of another seed",
    files: ["dist/runtime/open_program.js"],
    from: "declared, source,",
    to:
      "declared, { seedOf: () => undefined, values: (part, first, rows) => " +
      "source.values({ ...part, tensor: part.tensor + rank }, first, rows) },",
  },
  {
    what: "neighbouring columns of weights are swapped",
    files: ["dist/program/content_values.js"],
    from: "target[start + column]",
    to: "target[start + (column ^ 1)]",
  },
  {
    what: "the input of the second micro-batch is not written",
    files: ["dist/runtime/execute.js"],
    from: 'case "input": {',
    to: 'case "input": { if (instruction.origin.microBatch === 1) return;',
  },
  {
    what: "attention is left out of the second micro-batch",
    files: ["dist/runtime/execute.js"],
    from: skips,
    to: skipping('instruction.kernel === "attention" && instruction.origin.microBatch === 1'),
  },
  {
    what: "a copy begins 64 bytes early",
    files: ["dist/runtime/encoding.js"],
    from: "placeOf(source, sourceOffset)",
    to: "placeOf(source, Math.max(0, sourceOffset - 64))",
  },
  {
    what: "kernels take the buffers of another call of theirs",
    files: ["dist/runtime/program_calls.js"],
    from: "buffers: buffers.map(region)",
    to: 'buffers: buffers.map((id) => region(id.replace("/gate/weight", "/up/weight")))',
  },
  {
    what: "timed steps leave out the kernels of all micro-batches but the last",
    files: ["dist/runtime/execute.js"],
    from: skips,
    to: skipping(`${onlyTimed} && ${computes} && instruction.origin.microBatch === 0`),
    timed: true,
  },
  {
    what: "timed steps leave out the kernels of the last micro-batch",
    files: ["dist/runtime/execute.js"],
    from: skips,
    to: skipping(`${onlyTimed} && ${computes} && instruction.origin.microBatch === 1`),
    timed: true,
  },
  {
    what: "timed steps leave out all kernels",
    files: ["dist/runtime/execute.js"],
    from: skips,
    to: skipping(`${onlyTimed} && ${computes}`),
    timed: true,
  },
  {
    what: "timed steps leave out attention",
    files: ["dist/runtime/execute.js"],
    from: skips,
    to: skipping(`${onlyTimed} && instruction.kernel === "attention"`),
    timed: true,
  },
  {
    what: "timed steps leave out their inputs",
    files: ["dist/runtime/execute.js"],
    from: skips,
    to: skipping(`${onlyTimed} && instruction.op === "input"`),
    timed: true,
  },
  {
    what: "the input of a micro-batch is written before the kernels of the last have run",
    files: ["dist/runtime/execute.js"],
    from: "// What is encoded already must not see the new input.\n            batch.submit();",
    to: "",
    timed: true,
    plan: "one rank",
  },
  {
    what: "what comes from other ranks is written before earlier kernels have run",
    files: ["dist/collectives/exchange.js", "dist/collectives/host_sums/add_on_host.js"],
    from: "parts.submit();",
    to: "",
    timed: true,
    plan: "two stages",
  },
];

export const mutations: readonly Mutation[] = [
  ...shaders,
  ...rules,
  ...caches,
  ...collectives,
  ...training,
  ...updates,
  ...executor,
];
