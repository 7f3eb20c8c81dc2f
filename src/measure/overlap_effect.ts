// What overlap hides and what it gains, from steps in turn with steps of the same plan without overlap.

import type { Figure } from "./figure.ts";
import { figureOf, type Conditions } from "./figures.ts";
import type { HiddenCommunication, HiddenIdleTime } from "./hidden_communication.ts";

/** One step of each kind. */
export interface OverlapRound {
  readonly plainStepMs: number;
  readonly stepMs: number;
  /** With overlap: the share of communication during which its rank computed; absent without communication. */
  readonly overlap?: number;
  /** Its `core` is present where each rank has a core of its own for all it does, its software GPU included. */
  readonly hidden?: HiddenCommunication;
}

/** Times of a rank are means over ranks, of layers that leave in blocks. */
export interface OverlapEffect {
  /** What all the figures follow from. */
  readonly rounds: readonly OverlapRound[];
  readonly plainStepMs: Figure;
  readonly stepMs: Figure;
  /** `stepMs` ÷ `plainStepMs`, round by round. */
  readonly stepRatio: Figure;
  /** Without overlap, waiting for others included. */
  readonly communicationMs: Figure;
  /** As `hiddenCommunication` defines it. */
  readonly hideableMs: Figure;
  readonly exposedMs: Figure;
  readonly hiddenMs: Figure;
  /** Of what is hideable; absent where nothing is. */
  readonly hiddenShare?: Figure;
  /** Of all layers, without overlap. */
  readonly plainComputeMs: Figure;
  /** Computing with overlap ÷ without: on one core, communication takes time from computing beside it. */
  readonly computeRatio?: Figure;
  /** With overlap, the share of communication, waiting left out, during which its rank computed (as HTA). */
  readonly overlap?: Figure;
  readonly core?: IdleEffect;
}

/** As `HiddenIdleTime`. */
export interface IdleEffect {
  readonly idleMs: Figure;
  readonly hideableMs: Figure;
  readonly hiddenMs: Figure;
  /** Of what is hideable; absent where nothing is. */
  readonly hiddenShare?: Figure;
  readonly moreWorkMs: Figure;
}

/** Undefined where nothing leaves in blocks. */
export function overlapEffectOf(rounds: readonly OverlapRound[]): OverlapEffect | undefined {
  const conditions: Conditions = {
    provenance: "measured",
    conditions: ["in turn with steps of the same plan without overlap"],
  };
  const ms = (values: readonly number[]) => figureOf([values], "ms", conditions);
  const ratio = (values: readonly number[]) => figureOf([values], "ratio", conditions);
  const found = rounds.flatMap(({ hidden }) => hidden ?? []);
  const plainStepMs = ms(rounds.map((round) => round.plainStepMs));
  const stepMs = ms(rounds.map((round) => round.stepMs));
  const stepRatio = ratio(rounds.map((round) => round.stepMs / round.plainStepMs));
  const communicationMs = ms(found.map((each) => each.communicationMs));
  const hideableMs = ms(found.map((each) => each.hideableMs));
  const exposedMs = ms(found.map((each) => each.exposedMs));
  const hiddenMs = ms(found.map((each) => each.hiddenMs));
  const hiddenShare = shareOfHideable(found, conditions);
  const plainComputeMs = ms(found.map((each) => each.plainComputeMs));
  const computeRatio = ratio(
    found.flatMap((each) =>
      each.plainComputeMs > 0 ? [each.computeMs / each.plainComputeMs] : [],
    ),
  );
  const overlap = figureOf([rounds.flatMap((round) => round.overlap ?? [])], "share", conditions);
  const core = idleEffect(
    found.flatMap((each) => each.core ?? []),
    conditions,
  );
  if (!plainStepMs || !stepMs || !stepRatio || !plainComputeMs) return undefined;
  if (!communicationMs || !hideableMs || !exposedMs || !hiddenMs) return undefined;
  return {
    rounds,
    plainStepMs,
    stepMs,
    stepRatio,
    communicationMs,
    hideableMs,
    exposedMs,
    hiddenMs,
    ...(hiddenShare === undefined ? {} : { hiddenShare }),
    plainComputeMs,
    ...(computeRatio === undefined ? {} : { computeRatio }),
    ...(overlap === undefined ? {} : { overlap }),
    ...(core === undefined ? {} : { core }),
  };
}

function idleEffect(
  found: readonly HiddenIdleTime[],
  conditions: Conditions,
): IdleEffect | undefined {
  const ms = (values: readonly number[]) => figureOf([values], "ms", conditions);
  const idleMs = ms(found.map((each) => each.idleMs));
  const hideableMs = ms(found.map((each) => each.hideableMs));
  const hiddenMs = ms(found.map((each) => each.hiddenMs));
  const hiddenShare = shareOfHideable(found, conditions);
  const moreWorkMs = ms(found.map((each) => each.moreWorkMs));
  if (!idleMs || !hideableMs || !hiddenMs || !moreWorkMs) return undefined;
  return {
    idleMs,
    hideableMs,
    hiddenMs,
    ...(hiddenShare === undefined ? {} : { hiddenShare }),
    moreWorkMs,
  };
}

function shareOfHideable(
  found: readonly { readonly hideableMs: number; readonly hiddenMs: number }[],
  conditions: Conditions,
): Figure | undefined {
  return figureOf(
    [found.flatMap((each) => (each.hideableMs > 0 ? [each.hiddenMs / each.hideableMs] : []))],
    "share",
    conditions,
  );
}
