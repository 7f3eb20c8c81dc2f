// Every rule that `checkPlan` asks. A new rule is a function in a file of its idea and a line here.

import {
  everyReplicaHasSamples,
  microBatchesDivideBatch,
  pipelineDividesLayers,
  pipelineIsFilled,
  replicasDivideMicroBatch,
} from "./batch.ts";
import { resultsReachTheNextStage } from "./boundaries.ts";
import { memoryClaimLeavesHeadroom, scalingHasBaseline, utilizationIsPlausible } from "./claims.ts";
import {
  broadcastHasOneSource,
  communicationMembersTakePart,
  namesAreUnique,
} from "./communications.ts";
import {
  copiesHoldWholeExpertGroups,
  dataShardDividesData,
  dataShardNeedsZero,
} from "./data_shard.ts";
import {
  groupDividesFfn,
  groupDividesHeads,
  groupDividesLinear,
  groupFitsKvHeads,
  headDimensionInQuads,
  headsDivideHidden,
  kvHeadsDivideHeads,
} from "./divisibility.ts";
import {
  capacityHasOneGroup,
  expertDegreeDividesExperts,
  expertDegreeFitsRanks,
  expertSlicesFollowTensor,
  slicesDivideExperts,
  topKWithinExperts,
} from "./experts.ts";
import { gpuIsKnown } from "./gpu_name.ts";
import {
  enoughGpus,
  everyGpuIsUsed,
  gpuIdsExist,
  gpusListedOnce,
  replicasAreDisjoint,
} from "./gpus.ts";
import { dataParallelHasReplicas } from "./load.ts";
import { memoryIsRealistic } from "./memory.ts";
import {
  contextDividesSequence,
  meshDividesGpus,
  sequenceParallelNeedsTensor,
  tensorDividesSequence,
  unusedFieldsAreSaid,
} from "./mesh.ts";
import { optimizationsAreKnown, optimizationsApply } from "./optimizations.ts";
import { payloadIsWhatIsHeld } from "./payload.ts";
import {
  interleavingIsFilled,
  interleavingNeedsPipeline,
  layersPerStageSum,
  roundsAreFull,
  scheduleNeedsPipeline,
  virtualStagesDivideLayers,
} from "./pipeline.ts";
import { shardsHaveWholeBlocks } from "./quantization.ts";
import {
  fullRecomputeIsExplained,
  recomputeNeedsTraining,
  recomputeWithinLayers,
  selectiveRecomputeIsBare,
} from "./recompute.ts";
import type { Rule } from "./rule.ts";
import { layersAreRunnable } from "./runnable.ts";
import {
  aggregateHasInput,
  embeddingComesFirst,
  residualsFit,
  rowSplitHasNoActivation,
  sequencesLastUntilAggregation,
  widthsAgree,
} from "./shapes.ts";
import {
  assumedValuesExist,
  assumptionsAreSaid,
  brainFloatRunsAsHalf,
  trainingRunsForward,
} from "./source.ts";
import {
  columnSplitsOutput,
  degreeMatchesGpus,
  kindFitsLayer,
  replicasAreAlike,
  replicasDivideGpus,
  rowSplitsInput,
} from "./splits.ts";
import {
  distributionKeysNameGpus,
  distributionNeedsDegrees,
  everyShardIsPlaced,
  namedGroupsNeedOneMesh,
  tensorGroupIsSaidOnce,
  tensorGroupMatchesDegree,
} from "./tensor_group.ts";
import { vocabularyIsPadded } from "./vocabulary.ts";

export const rules: readonly Rule[] = [
  gpuIsKnown,
  enoughGpus,
  gpuIdsExist,
  gpusListedOnce,
  replicasAreDisjoint,
  everyGpuIsUsed,
  columnSplitsOutput,
  rowSplitsInput,
  kindFitsLayer,
  degreeMatchesGpus,
  replicasDivideGpus,
  replicasAreAlike,
  communicationMembersTakePart,
  broadcastHasOneSource,
  namesAreUnique,
  resultsReachTheNextStage,
  tensorGroupMatchesDegree,
  tensorGroupIsSaidOnce,
  namedGroupsNeedOneMesh,
  distributionNeedsDegrees,
  distributionKeysNameGpus,
  everyShardIsPlaced,
  groupDividesLinear,
  groupDividesHeads,
  groupFitsKvHeads,
  kvHeadsDivideHeads,
  headsDivideHidden,
  headDimensionInQuads,
  groupDividesFfn,
  shardsHaveWholeBlocks,
  widthsAgree,
  embeddingComesFirst,
  residualsFit,
  sequencesLastUntilAggregation,
  aggregateHasInput,
  rowSplitHasNoActivation,
  expertDegreeDividesExperts,
  topKWithinExperts,
  expertDegreeFitsRanks,
  expertSlicesFollowTensor,
  slicesDivideExperts,
  capacityHasOneGroup,
  microBatchesDivideBatch,
  replicasDivideMicroBatch,
  everyReplicaHasSamples,
  pipelineDividesLayers,
  layersPerStageSum,
  pipelineIsFilled,
  interleavingNeedsPipeline,
  roundsAreFull,
  scheduleNeedsPipeline,
  virtualStagesDivideLayers,
  interleavingIsFilled,
  meshDividesGpus,
  contextDividesSequence,
  sequenceParallelNeedsTensor,
  tensorDividesSequence,
  dataShardDividesData,
  dataShardNeedsZero,
  copiesHoldWholeExpertGroups,
  unusedFieldsAreSaid,
  fullRecomputeIsExplained,
  selectiveRecomputeIsBare,
  recomputeWithinLayers,
  recomputeNeedsTraining,
  vocabularyIsPadded,
  payloadIsWhatIsHeld,
  memoryIsRealistic,
  utilizationIsPlausible,
  memoryClaimLeavesHeadroom,
  scalingHasBaseline,
  dataParallelHasReplicas,
  optimizationsAreKnown,
  optimizationsApply,
  assumedValuesExist,
  assumptionsAreSaid,
  brainFloatRunsAsHalf,
  trainingRunsForward,
  layersAreRunnable,
];
