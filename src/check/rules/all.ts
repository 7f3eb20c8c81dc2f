// Every rule, in the order in which they are asked. A new rule is a file of its own, and an entry here.

import type { RuleDefinition } from "../rule.ts";
import { assumedValuesExist } from "./claims/assumed_value_missing.ts";
import { brainFloatRunsAsHalf } from "./claims/bf16_as_f16.ts";
import { claimsAreJudged } from "./claims/claim_refuted.ts";
import { memoryClaimsLeaveRoom } from "./claims/memory_claim_without_headroom.ts";
import { optimizationsAreKnown } from "./claims/optimization_unknown.ts";
import { optimizationsApply } from "./claims/optimization_without_effect.ts";
import { scalingHasBaseline } from "./claims/scaling_claim_without_baseline.ts";
import { utilizationIsPlausible } from "./claims/utilization_claim_optimistic.ts";
import { assumptionsAreSaid } from "./claims/values_assumed.ts";
import { stagesAreComplete } from "./structure/explicit_stages.ts";
import { gpuIsKnown } from "./structure/gpu_unknown.ts";
import { servingKeysBelongTogether } from "./structure/serving_keys.ts";
import { planHasOneForm } from "./structure/plan_forms.ts";
import { valuesFitSchema } from "./structure/schema.ts";
import { fileIsReadable } from "./structure/syntax.ts";
import { rowSplitHasNoActivation } from "./sizes/activation_of_partial_sum.ts";
import { aggregateHasInput } from "./sizes/aggregate_first.ts";
import { buffersAreWithinLimits } from "./sizes/buffer_exceeds_adapter_limit.ts";
import { capacityHasOneGroup } from "./sizes/capacity_of_several_groups.ts";
import { unusedFieldsAreSaid } from "./sizes/checked_but_not_run.ts";
import { contextDividesSequence } from "./sizes/context_does_not_divide_sequence.ts";
import { dataShardDividesData } from "./sizes/data_shard_does_not_divide_data.ts";
import { dataShardHasZero } from "./sizes/data_shard_needs_zero.ts";
import { copiesHoldWholeExpertGroups } from "./sizes/data_shard_splits_expert_groups.ts";
import { widthsAgree } from "./sizes/dimensions_disagree.ts";
import { embeddingComesFirst } from "./sizes/embedding_not_first.ts";
import { expertDegreeFitsRanks } from "./sizes/expert_degree_does_not_fit_ranks.ts";
import { expertSlicesFollowTensor } from "./sizes/expert_tensor_differs_from_tensor.ts";
import { expertDegreeDividesExperts } from "./sizes/experts_not_divisible.ts";
import { fullRecomputeIsExplained } from "./sizes/full_recompute_needs_method.ts";
import { groupsOfExpertsFit } from "./sizes/groups_of_experts.ts";
import { positionsReach } from "./sizes/sequence_exceeds_positions.ts";
import { groupDividesFfn } from "./sizes/group_does_not_divide_ffn.ts";
import { groupDividesHeads } from "./sizes/group_does_not_divide_heads.ts";
import { groupDividesLinear } from "./sizes/group_does_not_divide_linear.ts";
import { groupFitsKvHeads } from "./sizes/group_does_not_fit_kv_heads.ts";
import { headDimensionInQuads } from "./sizes/head_dimension_in_quads.ts";
import { rotaryFitsHead } from "./sizes/rotary_fits_head.ts";
import { headsDivideHidden } from "./sizes/heads_do_not_divide_hidden.ts";
import { interleavingIsFilled } from "./sizes/interleaving_needs_micro_batches.ts";
import { interleavingHasPipeline } from "./sizes/interleaving_needs_pipeline.ts";
import { kvHeadsDivideHeads } from "./sizes/kv_heads_do_not_divide_heads.ts";
import { layersAreRunnable } from "./sizes/layer_not_runnable.ts";
import { layersPerStageSum } from "./sizes/layers_per_stage.ts";
import { memorySuffices } from "./sizes/memory_exceeded.ts";
import { memoryIsRealistic } from "./sizes/memory_unrealistic.ts";
import { microBatchesDivideBatch } from "./sizes/micro_batches_do_not_divide_batch.ts";
import { pipelineDividesLayers } from "./sizes/pipeline_does_not_divide_layers.ts";
import { pipelineIsFilled } from "./sizes/pipeline_not_filled.ts";
import { recomputeWithinLayers } from "./sizes/recompute_exceeds_layers.ts";
import { dataSetFits } from "./sizes/data_set.ts";
import { optimizerNeedsTraining, stepsAreTrained } from "./sizes/optimizer.ts";
import { recomputeNeedsTraining } from "./sizes/recompute_without_training.ts";
import { everyReplicaHasSamples } from "./sizes/replica_without_samples.ts";
import { replicasDivideMicroBatch } from "./sizes/replicas_do_not_divide_micro_batch.ts";
import { residualsFit } from "./sizes/residual_does_not_fit.ts";
import { roundsAreFull } from "./sizes/round_of_micro_batches_not_full.ts";
import { selectiveRecomputeIsBare } from "./sizes/selective_recompute_takes_no_method.ts";
import { samplingFitsModel } from "./sizes/sampling_fits_model.ts";
import { servingFitsLayers } from "./sizes/serving_fits_layers.ts";
import { sequencesLastUntilAggregation } from "./sizes/sequence_already_aggregated.ts";
import { sequenceParallelHasTensor } from "./sizes/sequence_parallel_needs_tensor.ts";
import { shardsHaveWholeBlocks } from "./sizes/shard_splits_quantization_block.ts";
import { slicesDivideExperts } from "./sizes/slices_do_not_divide_expert_ffn.ts";
import { tensorDividesSequence } from "./sizes/tensor_does_not_divide_sequence.ts";
import { topKWithinExperts } from "./sizes/top_k_over_experts.ts";
import { trainingRunsForward } from "./sizes/training_runs_forward_only.ts";
import { virtualStagesDivideLayers } from "./sizes/virtual_stages_do_not_divide_layers.ts";
import { vocabularyIsPadded } from "./sizes/vocabulary_padded.ts";
import { resultsReachTheNextStage } from "./splits/boundary/results_reach_the_next_stage.ts";
import { broadcastHasOneSource } from "./splits/broadcast_needs_one_source.ts";
import { communicationMembersTakePart } from "./splits/communication_member_not_in_stage.ts";
import { payloadIsWhatIsHeld } from "./splits/communication_payload_differs.ts";
import { degreeMatchesGpus } from "./splits/degree_does_not_match_gpus.ts";
import { distributionKeysNameGpus } from "./splits/distribution_key_names_no_gpu.ts";
import { distributionNeedsDegrees } from "./splits/distribution_without_degrees.ts";
import { gpusListedOnce } from "./splits/gpu_listed_twice.ts";
import { gpuIdsExist } from "./splits/gpu_not_available.ts";
import { everyGpuIsUsed } from "./splits/gpu_unused.ts";
import { workIsShared } from "./splits/load_per_gpu.ts";
import { meshDividesGpus } from "./splits/mesh_does_not_divide_gpus.ts";
import { namesAreUnique } from "./splits/name_used_twice.ts";
import { namedGroupsNeedOneMesh } from "./splits/named_group_needs_one_mesh.ts";
import { enoughGpus } from "./splits/not_enough_gpus.ts";
import { kindFitsLayer } from "./splits/parallel_kind_does_not_fit_layer.ts";
import { replicasAreAlike } from "./splits/replicas_differ_in_size.ts";
import { replicasDivideGpus } from "./splits/replicas_do_not_match_gpus.ts";
import { replicasAreDisjoint } from "./splits/replicas_share_gpu.ts";
import { scheduleHasPipeline } from "./splits/schedule_needs_pipeline.ts";
import { dataParallelHasReplicas } from "./splits/single_data_replica.ts";
import { splitsNameTheirDimension } from "./splits/split_dimension.ts";
import { tensorGroupHasItsDegree } from "./splits/tensor_degree_does_not_match_group.ts";
import { tensorGroupIsSaidOnce } from "./splits/tensor_group_contradicts_distribution.ts";
import { everyShardIsPlaced } from "./splits/tensor_shard_missing.ts";
import { tokensHaveExperts } from "./splits/tokens_without_experts.ts";

export const rules: readonly RuleDefinition[] = [
  gpuIsKnown,
  enoughGpus,
  gpuIdsExist,
  gpusListedOnce,
  replicasAreDisjoint,
  everyGpuIsUsed,
  splitsNameTheirDimension,
  kindFitsLayer,
  degreeMatchesGpus,
  replicasDivideGpus,
  replicasAreAlike,
  communicationMembersTakePart,
  broadcastHasOneSource,
  namesAreUnique,
  resultsReachTheNextStage,
  tensorGroupHasItsDegree,
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
  rotaryFitsHead,
  groupDividesFfn,
  shardsHaveWholeBlocks,
  widthsAgree,
  embeddingComesFirst,
  residualsFit,
  samplingFitsModel,
  servingFitsLayers,
  sequencesLastUntilAggregation,
  aggregateHasInput,
  rowSplitHasNoActivation,
  expertDegreeDividesExperts,
  topKWithinExperts,
  groupsOfExpertsFit,
  positionsReach,
  expertDegreeFitsRanks,
  expertSlicesFollowTensor,
  slicesDivideExperts,
  tokensHaveExperts,
  capacityHasOneGroup,
  microBatchesDivideBatch,
  replicasDivideMicroBatch,
  everyReplicaHasSamples,
  pipelineDividesLayers,
  layersPerStageSum,
  pipelineIsFilled,
  interleavingHasPipeline,
  roundsAreFull,
  scheduleHasPipeline,
  virtualStagesDivideLayers,
  interleavingIsFilled,
  meshDividesGpus,
  contextDividesSequence,
  sequenceParallelHasTensor,
  tensorDividesSequence,
  dataShardDividesData,
  dataShardHasZero,
  copiesHoldWholeExpertGroups,
  unusedFieldsAreSaid,
  fullRecomputeIsExplained,
  selectiveRecomputeIsBare,
  recomputeWithinLayers,
  optimizerNeedsTraining,
  dataSetFits,
  stepsAreTrained,
  recomputeNeedsTraining,
  vocabularyIsPadded,
  payloadIsWhatIsHeld,
  memoryIsRealistic,
  utilizationIsPlausible,
  memoryClaimsLeaveRoom,
  scalingHasBaseline,
  dataParallelHasReplicas,
  optimizationsAreKnown,
  optimizationsApply,
  assumedValuesExist,
  assumptionsAreSaid,
  brainFloatRunsAsHalf,
  trainingRunsForward,
  layersAreRunnable,
  memorySuffices,
  workIsShared,
  claimsAreJudged,
  buffersAreWithinLimits,
  fileIsReadable,
  valuesFitSchema,
  planHasOneForm,
  servingKeysBelongTogether,
  stagesAreComplete,
];
