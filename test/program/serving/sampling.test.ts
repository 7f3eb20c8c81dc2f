// Tokens come out of the logits: of shards of the vocabulary as of whole rows, greedy and drawn.

import { describe, expect, test } from "vitest";
import type { Plan } from "../../../src/plan/plan.ts";
import { lower } from "../../../src/program/lower.ts";
import { type Candidate, pickToken } from "../../../src/program/serving/pick_token.ts";
import { rowOf } from "../../../src/reference/tensor.ts";
import { serveAll } from "../../support/served.ts";
import { planOf } from "../../support/written_plan.ts";

const vocabulary = 29;

function sampling(
  how: string,
  gpus = 1,
  workload = "batch: 3",
  parallel = "vocabularyMultiple: 8",
): Plan {
  return planOf(`
name: sampling
hardware: { gpus: ${gpus} }
workload: { mode: serving, requests: 4, inputTokens: 5, outputTokens: 4, dtype: f32, sampling: ${how}, ${workload} }
model: { layers: 2, hidden: 16, heads: 4, ffn: 24, vocabulary: ${vocabulary}, positions: { kind: rotary } }
parallel: { ${parallel} }
`);
}

const chunks = "batch: 3, prefillChunk: 2, pageTokens: 3";

const places = [5, 6, 7];

/** By request and place, the ids in the order of the reference's logits. */
async function ordersOf(plan: Plan) {
  const { output, tokens, worst } = await serveAll(plan);
  expect(worst).toBeLessThan(1e-6);
  const { sequence, serving } = plan.workload;
  return Array.from({ length: serving?.requests ?? 0 }, (_, request) =>
    places.map((place) => {
      const logits = rowOf(output, request * sequence + place - 1).subarray(0, vocabulary);
      const order = [...logits.keys()].toSorted((a, b) => logits[b]! - logits[a]!);
      return { order, token: tokens?.at(request, place) };
    }),
  ).flat();
}

describe("greedy tokens are those of the reference's largest logits", () => {
  test.each<[string, Plan]>([
    ["one rank", sampling("{}")],
    [
      "blocks of a vocabulary, one of them padded",
      sampling("{}", 4, chunks, "tensor: 4, vocabularyMultiple: 8"),
    ],
    [
      "tokens along a tensor group",
      sampling("{}", 2, "batch: 4", "tensor: 2, sequence: true, vocabularyMultiple: 8"),
    ],
    [
      "micro-batches of a pipeline, replicas",
      sampling("{}", 4, "batch: 4, microBatches: 2, prefillChunk: 2", "pipeline: 2, data: 2"),
    ],
  ])("%s", async (_, plan) => {
    const found = await ordersOf(plan);
    expect(found.map(({ token }) => token)).toEqual(found.map(({ order }) => order[0]));
    // Not all the same, or a token that is stuck would pass.
    expect(new Set(found.map(({ token }) => token)).size).toBeGreaterThan(1);
  });

  test("whole logits go nowhere: a rank shows a logit and an id for each request", () => {
    const { ranks } = lower(sampling("{}", 4, "batch: 3", "tensor: 4, vocabularyMultiple: 8"));
    const shapes = ranks.flatMap(({ buffers }) =>
      buffers.filter(({ id }) => id.endsWith("/candidates")).map(({ shape }) => shape),
    );
    expect(new Set(shapes.map((shape) => shape.join(" ")))).toEqual(new Set(["3 2"]));
    const collectives = ranks[0]?.instructions.flatMap((each) =>
      each.op === "all-gather" ? [each.name] : [],
    );
    expect(collectives).toEqual([]);
  });
});

describe("drawn tokens", () => {
  const how = "{ temperature: 3, topK: 5, seed: 7 }";

  test("are of the largest logits, the same for every split, and others for another seed", async () => {
    const [alone, sharded, other] = [
      await ordersOf(sampling(how)),
      await ordersOf(sampling(how, 2, chunks, "tensor: 2, vocabularyMultiple: 8")),
      await ordersOf(sampling(how.replace("7", "8"))),
    ];
    const tokensOf = (found: typeof alone) => found.map(({ token }) => token);
    expect(tokensOf(sharded)).toEqual(tokensOf(alone));
    expect(tokensOf(other)).not.toEqual(tokensOf(alone));
    for (const { order, token } of alone) expect(order.slice(0, 5)).toContain(token);
    expect(alone.some(({ order, token }) => order[0] !== token)).toBe(true);
  });

  const candidates: readonly Candidate[] = [2, 4, 3, 1].map((logit, id) => ({ logit, id }));
  const draws = 4000;
  const sharesOf = (more: object): number[] => {
    const counts = candidates.map(() => 0);
    for (let place = 0; place < draws; place++) {
      const rule = { temperature: 1, topK: 4, topP: 1, seed: 1, ...more };
      const id = pickToken(candidates, rule, { request: 0, place });
      counts[id ?? -1]! += 1;
    }
    return counts.map((count) => count / draws);
  };
  const softmax = (logits: readonly number[], temperature: number): number[] => {
    const weights = logits.map((logit) => Math.exp(logit / temperature));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => weight / total);
  };

  test.each<[string, object, number[]]>([
    ["all", {}, softmax([2, 4, 3, 1], 1)],
    ["at a temperature", { temperature: 2.5 }, softmax([2, 4, 3, 1], 2.5)],
    ["of the two largest", { topK: 2 }, softmax([-Infinity, 4, 3, -Infinity], 1)],
    // The largest has 0.64 of all, with the next 0.88.
    ["of a nucleus", { topP: 0.7 }, softmax([-Infinity, 4, 3, -Infinity], 1)],
    ["of a nucleus that one fills", { topP: 0.6 }, [0, 1, 0, 0]],
    ["greedy", { temperature: 0 }, [0, 1, 0, 0]],
  ])("%s: as often as their probability says", (_, more, expected) => {
    const found = sharesOf(more);
    for (const [id, share] of expected.entries()) {
      // Four deviations of a share of so many draws.
      const allowed = 4 * Math.sqrt((share * (1 - share)) / draws);
      expect(Math.abs((found[id] ?? 0) - share)).toBeLessThanOrEqual(allowed);
    }
  });

  test("ties go to the lower id, and nothing is picked of nothing", () => {
    const greedy = { temperature: 0, topP: 1, seed: 0 };
    const at = { request: 0, place: 0 };
    expect(
      pickToken(
        [
          { logit: 1, id: 9 },
          { logit: 1, id: 3 },
        ],
        greedy,
        at,
      ),
    ).toBe(3);
    expect(pickToken([], greedy, at)).toBeUndefined();
  });
});
