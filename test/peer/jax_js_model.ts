// A plan's layers in jax-js, forward alone: their gradients are its own.

import type { Array as JaxArray } from "@jax-js/jax";
import type { AttentionLayer } from "../../src/plan/layers/attention.ts";
import type { EmbeddingLayer } from "../../src/plan/layers/embedding.ts";
import type { Layer } from "../../src/plan/layers/layers.ts";
import type { MlpLayer } from "../../src/plan/layers/mlp.ts";
import type { MoeLayer } from "../../src/plan/layers/moe.ts";
import type { NormLayer } from "../../src/plan/layers/norm.ts";
import type { Plan, Workload } from "../../src/plan/plan.ts";
import { layerName } from "../../src/program/plan_ops.ts";

export type Jax = typeof import("@jax-js/jax");

/** Operands that are read again are given as `.ref`; weights always are. */
interface Context {
  readonly jax: Jax;
  readonly workload: Workload;
  /** The layer's, by the rest of its name in contents. */
  readonly weight: (part: string) => JaxArray | undefined;
}

/**
 * Mean cross-entropy of all tokens.
 *
 * @param stream one id more than there are tokens
 * @param weights by their names in contents
 */
export function crossEntropyIn(
  jax: Jax,
  { workload, stages }: Plan,
  stream: readonly number[],
  weights: Readonly<Record<string, JaxArray>>,
): JaxArray {
  const [first, ...layers] = stages.flatMap((stage) =>
    stage.layers.map((layer) => ({ layer, name: layerName(stage, layer) })),
  );
  if (first?.layer.op !== "embedding") throw new Error("a model begins with its embedding");
  const contextOf = (name: string): Context => ({
    jax,
    workload,
    weight: (part) => weights[`${name}/${part}`]?.ref,
  });
  const table = contextOf(first.name).weight("weight");
  const ids = stream.slice(0, -1);
  let x = embedded(contextOf(first.name), first.layer, ids);
  const inputs = [x];
  for (const { layer, name } of layers) {
    inputs.push(x);
    x = applied(contextOf(name), layer, x, inputs, table);
  }
  const ofLabels = x.ref.mul(oneHot(jax, stream.slice(1), x.shape[1] ?? 0)).sum(1);
  return jax.nn.logsumexp(x, 1).sub(ofLabels).mean();
}

function applied(
  context: Context,
  layer: Layer,
  x: JaxArray,
  inputs: readonly JaxArray[],
  table: JaxArray | undefined,
): JaxArray {
  const { numpy } = context.jax;
  switch (layer.op) {
    case "norm":
      return normalized(context, layer, x);
    case "attention":
      return attended(context, layer, x);
    case "mlp":
      return networked(context, layer, x);
    case "moe":
      return mixed(context, layer, x);
    case "residual":
      return x.ref.add(given(inputs[layer.from], "an input").ref);
    case "linear":
      return layer.tied === undefined
        ? product(context, "", x)
        : numpy.matmul(x.ref, given(table, "a table").ref.transpose());
    default:
      throw new Error(`no ${layer.op} here`);
  }
}

function given(array: JaxArray | undefined, what: string): JaxArray {
  if (array === undefined) throw new Error(`${what} is missing`);
  return array;
}

/** [ids, classes] */
function oneHot({ numpy }: Jax, ids: readonly number[], classes: number): JaxArray {
  const values = new Float32Array(ids.length * classes);
  for (const [row, id] of ids.entries()) values[row * classes + id] = 1;
  return numpy.array(values, { shape: [ids.length, classes] });
}

function product({ jax, weight }: Context, part: string, x: JaxArray): JaxArray {
  const y = jax.numpy.matmul(x.ref, given(weight(`${part}weight`), `${part}weight`));
  const bias = weight(`${part}bias`);
  return bias === undefined ? y : y.add(bias);
}

function embedded(
  { jax, workload, weight }: Context,
  { vocabulary, positions }: EmbeddingLayer,
  ids: readonly number[],
): JaxArray {
  const { numpy } = jax;
  const table = given(weight("weight"), "a table");
  const rows = numpy.matmul(oneHot(jax, ids, vocabulary), table);
  if (positions === undefined) return rows;
  const places = ids.map((_, row) => (positions.offset ?? 0) + (row % workload.sequence));
  const added = given(weight("positions"), "a table of positions");
  return rows.add(numpy.matmul(oneHot(jax, places, positions.count), added));
}

function normalized({ jax, weight }: Context, layer: NormLayer, x: JaxArray): JaxArray {
  const { numpy } = jax;
  const mean = numpy.mean(x.ref, -1, { keepdims: true });
  const centered = layer.norm === "layer" ? x.ref.sub(mean) : x.ref;
  const square = numpy.mean(numpy.square(centered.ref), -1, { keepdims: true });
  const gained = centered
    .div(numpy.sqrt(square.add(layer.epsilon)))
    .mul(given(weight("gain"), "a gain"));
  const bias = weight("bias");
  return bias === undefined ? gained : gained.add(bias);
}

function networked(
  context: Context,
  { gated, activation }: Pick<MlpLayer, "gated" | "activation">,
  x: JaxArray,
  part = "",
): JaxArray {
  const { nn } = context.jax;
  const up = product(context, `${part}up/`, x);
  if (gated && activation === "silu") {
    const gate = nn.silu(product(context, `${part}gate/`, x));
    return product(context, `${part}down/`, gate.mul(up));
  }
  if (gated || activation !== "gelu") throw new Error(`no ${activation} here`);
  return product(context, "down/", nn.gelu(up, { approximate: true }));
}

/** Every token through all experts, of which it takes the shares of its best ones. */
function mixed(context: Context, layer: MoeLayer, x: JaxArray): JaxArray {
  const { jax, weight } = context;
  const { numpy, nn, lax } = jax;
  const { experts, topK, renormalise, sharedFfn, sharedGate } = layer;
  const logits = product(context, "router/", x);
  const [best] = lax.topK(lax.stopGradient(logits.ref), topK, 1);
  const least = given(numpy.split(best, topK, 1).at(-1), "a last choice");
  const isChosen = lax.stopGradient(logits.ref).greaterEqual(least);
  const masked = numpy.where(isChosen.ref, logits.ref, -1e9);
  const shares = renormalise
    ? nn.softmax(masked, -1)
    : numpy.where(isChosen, nn.softmax(logits, -1), 0);
  const columns = numpy.split(shares, experts, 1);
  const parts = new Map(
    ["up", "gate", "down"].map((part) => {
      const all = given(weight(`experts/${part}/weight`), part);
      const [, k = 0, n = 0] = all.shape;
      return [part, numpy.split(all, experts, 0).map((own) => own.reshape([k, n]))] as const;
    }),
  );
  const outputs = columns.map((share, expert) => {
    const own = (part: string): JaxArray | undefined =>
      parts.get(part.replace("/weight", ""))?.[expert]?.ref;
    return networked({ ...context, weight: own }, layer, x).mul(share);
  });
  const sum = outputs.reduce((total, output) => total.add(output));
  if (sharedFfn === undefined) return sum;
  const shared = networked(context, layer, x, "shared/");
  return sum.add(
    sharedGate === true ? shared.mul(nn.sigmoid(product(context, "shared/scale/", x))) : shared,
  );
}

/** Causal. Each query head has keys and values of its own here, which are copies where heads are grouped. */
function attended(context: Context, layer: AttentionLayer, x: JaxArray): JaxArray {
  const { numpy, nn } = context.jax;
  const { batch, sequence } = context.workload;
  const { heads, kvHeads, headDim, rotary, qkNorm } = layer;
  const normedHeads = (part: "q" | "k", own: JaxArray): JaxArray => {
    if (qkNorm?.kind !== "head") throw new Error(`no ${qkNorm?.kind} here`);
    const gains = given(context.weight(`${part}/norm/gain`), "gains");
    const square = numpy.mean(numpy.square(own.ref), -1, { keepdims: true });
    return own.div(numpy.sqrt(square.add(qkNorm.epsilon))).mul(gains);
  };
  /** [batch, heads, sequence, headDim] */
  const headsOf = (part: "q" | "k" | "v", count: number): JaxArray => {
    const plain = product(context, `${part}/`, x).reshape([batch, sequence, count, headDim]);
    const own = qkNorm === undefined || part === "v" ? plain : normedHeads(part, plain);
    const turned = rotary === undefined || part === "v" ? own : turn(numpy, own, rotary.base);
    return numpy.repeat(turned, heads / count, 2).transpose([0, 2, 1, 3]);
  };
  const [q, k, v] = [headsOf("q", heads), headsOf("k", kvHeads), headsOf("v", kvHeads)] as const;
  const later = Float32Array.from({ length: sequence ** 2 }, (_, i) =>
    i % sequence > Math.floor(i / sequence) ? -1e9 : 0,
  );
  const scores = numpy.matmul(q, k.transpose([0, 1, 3, 2])).mul(1 / Math.sqrt(headDim));
  const mask = numpy.array(later, { shape: [sequence, sequence] });
  const rows = numpy.matmul(nn.softmax(scores.add(mask), -1), v).transpose([0, 2, 1, 3]);
  return product(context, "output/", rows.reshape([batch * sequence, heads * headDim]));
}

/** [batch, sequence, heads, headDim] by positions, pairs half a head apart. */
function turn(numpy: Jax["numpy"], x: JaxArray, base: number): JaxArray {
  const [, sequence = 0, , dims = 0] = x.shape;
  const half = dims / 2;
  const table = (of: (angle: number) => number): JaxArray => {
    const angles = Float32Array.from({ length: sequence * half }, (_, i) =>
      of(Math.floor(i / half) * base ** ((-2 * (i % half)) / dims)),
    );
    return numpy.array(angles, { shape: [1, sequence, 1, half] });
  };
  const [cosine, sine] = [table(Math.cos), table(Math.sin)] as const;
  const [a, b] = numpy.split(x, 2, 3) as [JaxArray, JaxArray];
  return numpy.concatenate(
    [
      a.ref.mul(cosine.ref).sub(b.ref.mul(sine.ref)),
      b.ref.mul(cosine.ref).add(a.ref.mul(sine.ref)),
    ],
    3,
  );
}
