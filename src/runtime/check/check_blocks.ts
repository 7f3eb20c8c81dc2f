// Which check a kernel gets that attention has where ranks share sequences.

import type { KernelInstruction } from "../../program/program.ts";
import { checkAttentionBlock } from "./attention_block.ts";
import {
  checkAttentionBlockGradient,
  checkAttentionBlockStatistics,
} from "./attention_block_gradient.ts";
import type { Coverage } from "./coverage.ts";
import { checkPackedGradient, checkPackedKeys } from "./packed_attention.ts";
import type { CheckView, Operands } from "./view.ts";

export type BlockCall = Extract<
  KernelInstruction,
  {
    readonly kernel:
      | "attention_block"
      | "attention_block_gradient"
      | "attention_block_statistics"
      | "pack_attention_gradient"
      | "pack_keys_values";
  }
>;

export async function checkBlocks(
  instruction: BlockCall,
  operands: Operands,
  view: CheckView,
): Promise<Coverage> {
  switch (instruction.kernel) {
    case "attention_block":
      return checkAttentionBlock(instruction.shape, operands, view);
    case "attention_block_gradient":
      return checkAttentionBlockGradient(instruction.shape, operands, view);
    case "attention_block_statistics":
      return checkAttentionBlockStatistics(instruction.shape, operands, view);
    case "pack_attention_gradient":
      return checkPackedGradient(instruction.shape, operands, view);
    case "pack_keys_values":
      return checkPackedKeys(instruction.shape, operands, view);
  }
}
