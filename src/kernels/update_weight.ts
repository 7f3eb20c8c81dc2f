import { updateState } from "./begin_update.ts";
import { accumulate, type Binding, type Kernel, read, write } from "./kernel.ts";
import { inRuns } from "./runs.ts";
import { bytesPerElement } from "./storage.ts";

export interface UpdateWeightShape {
  /** Of the weight, padding included: a multiple of 4. */
  readonly elements: number;
  readonly optimizer: "adamw" | "sgd";
  /** Of AdamW. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Of SGD; binding `first` where it is not 0. */
  readonly momentum: number;
  /** The weight is stored in f16: binding `master` has it in f32. */
  readonly master?: true;
}

function bindingsOf({ optimizer, momentum, master }: UpdateWeightShape): Binding[] {
  const hasFirst = optimizer === "adamw" || momentum > 0;
  return [
    { ...read("state", "f32"), slot: 0 },
    { ...accumulate("gradient"), slot: 1 },
    { ...(master === true ? write("weight") : accumulate("weight")), slot: 2 },
    ...(master === true ? [{ ...accumulate("master"), slot: 3 }] : []),
    ...(hasFirst ? [{ ...accumulate("first"), slot: 4 }] : []),
    ...(optimizer === "adamw" ? [{ ...accumulate("second"), slot: 5 }] : []),
  ];
}

/**
 * Moves a weight against its gradient, which is then cleared. AdamW (Loshchilov and Hutter 2019), with `first` m and `second`
 * v: m = β₁m + (1 − β₁)g, v = β₂v + (1 − β₂)g², w −= rate · ((m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε) + decay · w). SGD as in PyTorch,
 * with `first` b: g += decay · w, b = momentum · b + g, w −= rate · b. What is multiplied by and by how much is in `state`, see
 * `begin_update`.
 */
export const updateWeight: Kernel<UpdateWeightShape> = {
  name: "update_weight",
  bindings: bindingsOf,
  preludes: ({ optimizer, momentum, master }) => [
    `updates/${optimizer === "adamw" ? "adamw" : momentum > 0 ? "momentum" : "plain"}`,
    `updates/${master === true ? "master" : "in_place"}`,
  ],
  ...inRuns<UpdateWeightShape>(
    ({ elements }) => elements / 4,
    ({ elements, optimizer, beta1, beta2, epsilon, weightDecay, momentum }) => ({
      QUADS: elements / 4,
      DECAY: weightDecay,
      ...(optimizer === "adamw"
        ? { BETA1: beta1, BETA2: beta2, OTHER1: 1 - beta1, OTHER2: 1 - beta2, EPSILON: epsilon }
        : momentum > 0
          ? { MOMENTUM: momentum }
          : {}),
    }),
  ),
  flops: ({ elements, optimizer }) => (optimizer === "adamw" ? 14 : 6) * elements,
  bytes: (shape, dtype) => {
    const changed = bindingsOf(shape).filter(({ isAccumulated }) => isAccumulated === true).length;
    const perElement = 8 * changed + (shape.master === true ? bytesPerElement(dtype) : 0);
    return perElement * shape.elements + 4 * updateState.length;
  },
};
