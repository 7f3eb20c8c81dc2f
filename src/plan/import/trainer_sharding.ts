// What flags of the Trainer and of `accelerate launch` say of sharding: FSDP by strategy, ZeRO by stage.

import type { CommandFlags } from "./command_flags.ts";
import { type Layout, shown } from "./note.ts";
import { shardingOf } from "./sharding_strategy.ts";

type Sharding = Pick<Layout, "zero" | "shardCopies" | "dataShard">;

export function trainerSharding(flags: CommandFlags): Sharding {
  const { zero } = zeroStage(flags);
  return { ...(zero === undefined ? fsdp(flags) : { zero }), ...meshOf(flags) };
}

/** Of `accelerate launch`: how many data ranks share the shards, and how many copies there are of them. */
function meshOf(flags: CommandFlags): Sharding {
  const copies = flags.count("--parallelism-config-dp-replicate-size");
  const shard = flags.count("--parallelism-config-dp-shard-size");
  return {
    ...(copies === undefined ? {} : { shardCopies: copies }),
    ...(shard === undefined ? {} : { dataShard: shard }),
    // Copies alone are plain data parallelism.
    ...(shard === 1 && (copies ?? 1) > 1 ? { zero: 0 } : {}),
  };
}

/** Of a script of its own, or of Accelerate, which takes 2 where neither flag nor file says otherwise. */
function zeroStage(flags: CommandFlags): Pick<Layout, "zero"> {
  const zero = flags.number("--zero-stage");
  if (zero === 0 || zero === 1 || zero === 2 || zero === 3) return { zero };
  if (zero !== undefined) {
    const message = `--zero-stage must be 0, 1, 2 or 3, found ${zero}`;
    flags.report("error", "invalid-value", message, "--zero-stage");
  }
  const isLeftToTool =
    flags.has("--use-deepspeed") &&
    ["--deepspeed", "--deepspeed-config-file", "--config-file"].every((flag) => !flags.has(flag));
  return isLeftToTool ? { zero: 2 } : {};
}

function fsdp(flags: CommandFlags): Sharding {
  // The Trainer's is a list in one word or in several, among which is one strategy.
  const listed = [flags.text("--fsdp") ?? "", ...flags.list("--fsdp").slice(1)]
    .flatMap((text) => text.split(/[\s,]+/))
    .filter((word) => word !== "" && !/^(auto_wrap|false)$/i.test(word));
  const offloads = listed.includes("offload");
  if (offloads || /^true$/i.test(flags.text("--fsdp-offload-params") ?? "")) {
    const message = "a plan has no words for offloading parameters";
    flags.report(
      "warning",
      "offload-not-expressible",
      message,
      offloads ? "--fsdp" : "--fsdp-offload-params",
    );
  }
  const strategy = flags.text("--fsdp-sharding-strategy");
  const reshard = flags.text("--fsdp-reshard-after-forward");
  const isUsed = flags.has("--use-fsdp");
  const named = listed.find((word) => word !== "offload");
  // Newer versions take a switch.
  const ofTrainer = named !== undefined && /^true$/i.test(named) ? "FULL_SHARD" : named;
  if (ofTrainer === undefined && !isUsed) return {};
  if (/^false$/i.test(reshard ?? "")) return { zero: 2 };
  const written = ofTrainer ?? strategy ?? "FULL_SHARD";
  const flag = ofTrainer === undefined ? "--fsdp-sharding-strategy" : "--fsdp";
  const { nodes, ranks } = flags.invocation.launch;
  const found = shardingOf(written, nodes?.count ?? 1);
  if (found?.shardCopies !== undefined && nodes === undefined && ranks === undefined) {
    const message =
      "weights are sharded within each machine, and no source says how many there are: the plan has one";
    flags.report("warning", "machines-not-given", message, flag, "give the launcher's command");
  }
  if (found !== undefined) return found;
  flags.report("error", "invalid-value", `${flag} has no strategy ${shown(written)}`, flag);
  return {};
}
