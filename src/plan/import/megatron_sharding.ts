// What Megatron-LM's flags say of sharding: of its own optimizer, of its FSDP and PyTorch's, of DeepSpeed behind it.

import type { CommandFlags } from "./command_flags.ts";
import { type Layout, shown } from "./note.ts";

export function megatronSharding(flags: CommandFlags): Pick<Layout, "zero" | "shardCopies"> {
  const zero = zeroOf(flags);
  if (zero === undefined || zero === 0) return {};
  // Several instances of the optimizer shard the state of their own ranks each.
  const copies = flags.count("--num-distributed-optimizer-instances");
  return { zero, ...(copies === undefined ? {} : { shardCopies: copies }) };
}

function zeroOf(flags: CommandFlags): Layout["zero"] {
  const stage = flags.number("--zero-stage");
  const isDistributed = flags.has("--use-distributed-optimizer");
  const ofFsdp = ["--use-megatron-fsdp", "--use-custom-fsdp"].filter((flag) => flags.has(flag));
  if (stage === 1 || stage === 2 || stage === 3) return stage;
  if (flags.has("--use-torch-fsdp2")) {
    return flags.has("--torch-fsdp2-no-reshard-after-forward") ? 2 : 3;
  }
  const sharded = ofFsdp.length > 0 ? strategyOf(flags) : 0;
  return sharded === 0 && isDistributed ? 1 : sharded;
}

const strategies: Readonly<Record<string, Layout["zero"]>> = {
  no_shard: 0,
  optim: 1,
  optim_grads: 2,
  optim_grads_params: 3,
};

/** Megatron-LM's own FSDP shards nothing unless it is told to. */
function strategyOf(flags: CommandFlags): Layout["zero"] {
  const flag = "--data-parallel-sharding-strategy";
  const written = flags.text(flag) ?? "no_shard";
  if (Object.hasOwn(strategies, written)) return strategies[written];
  const among = Object.keys(strategies).join(", ");
  flags.report(
    "error",
    "invalid-value",
    `${flag} must be one of ${among}, found ${shown(written)}`,
    flag,
  );
  return undefined;
}
