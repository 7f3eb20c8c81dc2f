// Tiny models of published architectures, imported from their config.json and run with their safetensors, against
// llama.cpp on the same weights: logits of every token, by the reference and on two ranks of a tensor group.

import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { logitsOf, promptPlan } from "../../src/harness/logits.ts";
import { acceptedError } from "../../src/harness/verify.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { lower } from "../../src/program/lower.ts";
import { forward } from "../../src/reference/forward.ts";
import { openCheckpoint } from "../../src/weights/checkpoint.ts";
import { openGiven } from "../../src/weights/given_source.ts";
import { matchWeights } from "../../src/weights/names/match_weights.ts";
import { writeSafetensors } from "../../src/weights/write_safetensors.ts";
import { adapterUnderTest, describeOnOneAdapter } from "../support/gpu.ts";
import type { WholeWeight } from "../support/hashed_weights.ts";
import { writeGguf } from "./gguf.ts";
import { importModel } from "./import_model.ts";
import { type PeerModel, randomWeights } from "./model.ts";
import { peerModels } from "./models/models.ts";
import { findPeer, peerLogits } from "./peer.ts";

const adapter = adapterUnderTest();
const peer = findPeer();

/** Where the error model knows no bound, as behind soft caps: a wrong logit is far beyond. */
const mostRounding = 2e-5;

const tokens = [1, 7, 60, 3, 3, 0, 12, 44, 9];

/** The model on disk, as both sides read it. */
async function written(model: PeerModel): Promise<{ folder: string; gguf: string }> {
  const folder = await mkdtemp(join(tmpdir(), "shardbench-peer-"));
  const weights = randomWeights(model);
  const found = (name: string): WholeWeight => {
    const weight = weights.get(name);
    if (weight === undefined) throw new Error(`${model.name} has no ${name}`);
    return weight;
  };
  await writeFile(join(folder, "config.json"), JSON.stringify(model.config));
  await writeSafetensors(
    join(folder, "model.safetensors"),
    [...weights].map(([name, weight]) => ({ name, ...weight })),
  );
  const gguf = join(folder, "model.gguf");
  writeGguf(gguf, model.gguf.metadata, model.gguf.tensors(found));
  return { folder, gguf };
}

/** Largest difference, in shares of the largest logit of the peer. */
function difference(found: ArrayLike<number>, peers: Float32Array): number {
  expect(found).toHaveLength(peers.length);
  const largest = peers.reduce((most, logit) => Math.max(most, Math.abs(logit)), 0);
  return peers.reduce(
    (worst, logit, i) => Math.max(worst, Math.abs(logit - (found[i] ?? Number.NaN)) / largest),
    0,
  );
}

/** Of the reference in f64, and of two ranks of a tensor group. */
async function logitsOfOurs(model: PeerModel, folder: string) {
  const alone = promptPlan(importModel(model, 1).plan, tokens.length);
  const checkpoint = await openCheckpoint(folder);
  const whole = matchWeights(alone, lower(alone), checkpoint);
  expect(whole.unused).toEqual([]);
  const source = openGiven(0, { weights: whole, tokens });
  const { output } = await forward(alone, 0, new Map(), source);
  const plan = promptPlan(importModel(model, 2).plan, tokens.length);
  const program = lower(plan);
  const given = { weights: matchWeights(plan, program, checkpoint), tokens };
  const { data } = await logitsOf(plan, program, given, { adapter });
  return { plan: alone, reference: output.data, sharded: data };
}

/** What an unsharded run of ours may differ by: both round, and sum in an order of their own. */
function toleranceOf(plan: Plan, { tolerance = 0 }: PeerModel): number {
  return Math.min(mostRounding, acceptedError(plan, "unsharded+freivalds")) + tolerance;
}

describeOnOneAdapter("logits against llama.cpp", () => {
  for (const model of peerModels) {
    const { notRun } = importModel(model, 1);
    const missing = peer.missing ?? notRun.join("; ");
    const reason = missing === "" ? "" : ` (${missing})`;
    test.skipIf(missing !== "")(`${model.name}${reason}`, async () => {
      const { folder, gguf } = await written(model);
      const peers = peerLogits(peer.folder ?? "", gguf, tokens);
      const { plan, reference, sharded } = await logitsOfOurs(model, folder);
      const found = [difference(reference, peers), difference(sharded, peers)];
      expect(Math.max(...found)).toBeLessThan(toleranceOf(plan, model));
    });
  }
});
