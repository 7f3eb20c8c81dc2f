// What the claims of published plans are judged to be without running them.

import { expect, test } from "vitest";
import { judgeClaims } from "../../src/claims/judge.ts";
import { accusing } from "./accusations.ts";
import { contradictionsOf } from "./contradictions.ts";
import {
  accuses,
  doubts,
  hasNeeds,
  isDecided,
  judgeCorpus,
  judgeInstead,
  textOf,
} from "./judged.ts";
import { tenfoldOf } from "./tenfold.ts";

const corpus = await judgeCorpus();
const published = corpus.filter(({ isSeed }) => !isSeed);

test.each(published)("$name: no verdict accuses a published figure", ({ verdicts }) => {
  expect(verdicts.filter(accuses).map(textOf)).toEqual([]);
});

test("what is assumed casts a doubt on one figure: how much PaLM recomputed is not given", () => {
  const doubted = published.flatMap(({ name, verdicts }) =>
    verdicts.filter(doubts).map(({ claim }) => `${name} ${claim}`),
  );
  expect(doubted).toEqual(["palm-540b hfuArithmetic"]);
});

test.each(published)("$name: the check accuses nothing that was published", ({ diagnostics }) => {
  expect(accusing(diagnostics)).toEqual([]);
});

const tenfold = corpus.flatMap((given) =>
  tenfoldOf(given.plan).map((each) => ({ ...each, given, name: given.name })),
);

/** So far from what GPUs can do that ten times as much is possible too. */
const stillPossible = new Set([
  "torchtitan-8b-cp8 tokensPerSecond",
  "torchtitan-405b-cp8 tokensPerSecond",
  "vllm-llama3-70b-8h100 latencyPerLayerMs",
  "deepseek-v3-decode latencyPerLayerMs",
  "moe-ep3-tp2 latencyPerLayerMs",
]);

test.each(tenfold.filter(({ name, key }) => !stillPossible.has(`${name} ${key}`)))(
  "$name: ten times its $key is not believed",
  ({ alone, together, given }) => {
    const found = [alone, together].some((plan) => judgeInstead(given, plan).some(doubts));
    expect(found).toBe(true);
  },
);

test.each(tenfold.filter(({ name, key }) => stillPossible.has(`${name} ${key}`)))(
  "$name: ten times its $key says what it needs",
  ({ alone, given, key }) => {
    const verdicts = judgeClaims({ plan: alone, estimate: given.estimate });
    expect(verdicts.find(({ claim }) => claim === key)).toSatisfy(hasNeeds);
  },
);

const contradictions = corpus.flatMap((given) =>
  contradictionsOf(given.plan).map((each) => ({ ...each, given, name: given.name })),
);

test.each(contradictions)("$name: it is found that $between", ({ plan, given }) => {
  expect(judgeInstead(given, plan).some(doubts)).toBe(true);
});

test("at least nine of ten claims are decided, or say what they need", () => {
  const verdicts = corpus.flatMap((given) => given.verdicts);
  const decided = verdicts.filter(isDecided);
  const needing = verdicts.filter((verdict) => !isDecided(verdict) && hasNeeds(verdict));
  const accused = published.flatMap((given) => given.verdicts).filter(accuses);
  const certain = contradictions.filter(({ plan, given }) =>
    judgeInstead(given, plan).some(accuses),
  );
  const missed = contradictions.filter(
    ({ plan, given }) => !judgeInstead(given, plan).some(doubts),
  );
  process.stdout.write(
    `claims: ${verdicts.length} of ${corpus.length} plans, decided ${decided.length}, needs ${needing.length}, ` +
      `undecided ${verdicts.length - decided.length - needing.length}, accused ${accused.length}, ` +
      `contradictions ${contradictions.length}, certain ${certain.length}, missed ${missed.length}\n`,
  );
  expect((decided.length + needing.length) / verdicts.length).toBeGreaterThanOrEqual(0.9);
});
