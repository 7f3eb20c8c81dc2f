// Features of a model that the plan names in words (`model.otherFeatures`): which of them leave the weights as they are
// counted.

import type { Model } from "./plan.ts";

/** Importers write these: functions without parameters, scalings, and norms of an embedding, which weigh nothing beside it. */
const withoutWeights =
  /^(?:activation-|positions-|rotary-|partly-rotary-heads$|embedding-(?:scale|norm)$|unit-offset-norm$|(?:attention|logit)-softcap$|(?:attention|residual|logits?)-(?:scale|multiplier)$)/;

/** Features that may share, drop or shrink weights, as far as anybody here knows. */
export const featuresOfUnknownWeight = (
  model: Pick<Model, "otherFeatures"> | undefined,
): string[] => (model?.otherFeatures ?? []).filter((name) => !withoutWeights.test(name));
