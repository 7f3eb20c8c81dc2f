// Every architecture that is held against the peer.

import type { PeerModel } from "../model.ts";
import { deepseekV3 } from "./deepseek.ts";
import { gemma2 } from "./gemma2.ts";
import { gpt2 } from "./gpt2.ts";
import { gptOss } from "./gpt_oss.ts";
import { llama } from "./llama.ts";
import { mixtral } from "./mixtral.ts";
import { olmo2 } from "./olmo2.ts";
import { phi3 } from "./phi3.ts";
import { qwen2, qwen2Moe, qwen3, qwen3Moe } from "./qwen.ts";

export const peerModels: readonly PeerModel[] = [
  llama,
  qwen2,
  qwen3,
  qwen2Moe,
  qwen3Moe,
  mixtral,
  phi3,
  olmo2,
  gemma2,
  gpt2,
  gptOss,
  deepseekV3,
];
