// Commands of servers and of clients that measure them: with the lengths of requests they are a plan that serves.

import { expect, test } from "vitest";
import { importPlan, type ImportOptions } from "../../src/plan/import/import_plan.ts";
import type { PlanFile } from "../../src/plan/schema.ts";
import { codes, configOf, planOf } from "./imported.ts";

const lengths = { inputTokens: 1000, outputTokens: 20 };

async function servedBy(text: string, options: ImportOptions = { lengths }) {
  const sources = [await configOf("qwen3-8b"), { name: "<command>", text }];
  return planOf(sources, options);
}

const servers: readonly (readonly [string, string, Partial<PlanFile["workload"]>])[] = [
  [
    "vLLM",
    "vllm serve m --max-num-seqs 8 --block-size 16 --max-num-batched-tokens 512 --enable-chunked-prefill --kv-cache-dtype bfloat16",
    {
      batch: 8,
      pageTokens: 16,
      prefillChunk: 512,
      cacheDtype: "bf16",
      scheduler: { maxBatchedTokens: 512 },
    },
  ],
  [
    "vLLM with whole prompts",
    "vllm serve m --max-num-batched-tokens 512 --no-enable-chunked-prefill",
    { scheduler: { maxBatchedTokens: 512 } },
  ],
  [
    "SGLang",
    "python -m sglang.launch_server --model m --max-running-requests 4 --page-size 32 --chunked-prefill-size 256",
    { batch: 4, pageTokens: 32, prefillChunk: 256 },
  ],
  [
    "TensorRT-LLM",
    "trtllm-serve m --max_batch_size 4 --max_num_tokens 2048 --tokens_per_block 64",
    { batch: 4, pageTokens: 64, scheduler: { maxBatchedTokens: 2048 } },
  ],
  [
    "LMDeploy",
    "lmdeploy serve api_server m --max-batch-size 4 --cache-block-seq-len 64",
    { batch: 4, pageTokens: 64 },
  ],
  [
    "Text Generation Inference",
    "text-generation-launcher --model-id m --num-shard 1 --max-batch-size 4 --max-batch-prefill-tokens 4096",
    { batch: 4, scheduler: { maxBatchedTokens: 4096 } },
  ],
];

test.each(servers)("%s", async (_, text, expected) => {
  const { file, diagnostics } = await servedBy(text);
  expect(file.workload).toMatchObject({ mode: "serving", ...lengths, ...expected });
  expect(file.workload).not.toHaveProperty("sequence");
  // What is in the plan is not said to be left out of it.
  expect(
    codes(diagnostics).filter((code) => /not-expressible|batch-from-limit/.test(code)),
  ).toEqual([]);
});

test("prompts that the server does not cut are whole, whatever its budget", async () => {
  const { file } = await servedBy("vllm serve m --no-enable-chunked-prefill");
  expect(file.workload.prefillChunk).toBeUndefined();
});

test("a client says how many requests come, how long and how often", async () => {
  const { file } = await servedBy(
    `vllm serve m --max-num-seqs 64
vllm bench serve --model m --random-input-len 300 --random-output-len 30 --num-prompts 12 --request-rate 2.5 --max-concurrency 6`,
    {},
  );
  expect(file.workload).toMatchObject({
    mode: "serving",
    batch: 6,
    requests: 12,
    inputTokens: 300,
    outputTokens: 30,
    scheduler: { requestsPerSecond: 2.5 },
  });
});

test("a client in a source of its own lays nothing out", async () => {
  const client =
    "python -m sglang.bench_serving --random-input 64 --random-output 8 --num-prompts 3 --request-rate inf";
  const sources = [
    await configOf("qwen3-8b"),
    { name: "<1>", text: "python -m sglang.launch_server --model m --tp 2" },
    { name: "<2>", text: client },
  ];
  const { file } = planOf(sources);
  expect(file.workload).toMatchObject({ mode: "serving", requests: 3, inputTokens: 64 });
  expect(file.parallel).toMatchObject({ tensor: 2 });
});

test("a benchmark that is its own server says both", async () => {
  const { file } = await servedBy(
    "vllm bench latency --model m --input-len 32 --output-len 8 --batch-size 3",
    {},
  );
  expect(file.workload).toMatchObject({ batch: 3, inputTokens: 32, outputTokens: 8 });
});

test("without lengths a server's plan runs whole sequences, and says what it needs to serve", async () => {
  const sources = [
    await configOf("qwen3-8b"),
    { name: "<command>", text: "vllm serve m --block-size 16" },
  ];
  const { file, needs, diagnostics } = importPlan(sources);
  expect(file?.workload.mode).toBe("inference");
  expect(needs).toEqual(["--input-length", "--output-length"]);
  expect(codes(diagnostics)).toContain("block-size-not-expressible");
  const { needs: half } = importPlan(sources, { lengths: { inputTokens: 5 } });
  expect(half).toEqual(["--output-length"]);
});

test("control: a model alone needs no lengths", async () => {
  expect(importPlan([await configOf("qwen3-8b")], { lengths }).file?.workload.mode).toBe(
    "inference",
  );
});

test("requests longer than the server takes are refused", async () => {
  const text = (limit: number) => `vllm serve m --max-model-len ${limit}`;
  const sources = async (limit: number) => [
    await configOf("qwen3-8b"),
    { name: "<command>", text: text(limit) },
  ];
  expect(codes(importPlan(await sources(1019), { lengths }).diagnostics)).toContain(
    "requests-exceed-limit",
  );
  expect(importPlan(await sources(1020), { lengths }).file).toBeDefined();
});

test("a cache of eight bits has no words in a plan, served or not", async () => {
  const { diagnostics } = await servedBy("vllm serve m --kv-cache-dtype fp8");
  expect(codes(diagnostics)).toContain("kv-cache-dtype-not-expressible");
});
