// Commands in manifests of Kubernetes and in files of Compose.

import { expect, test } from "vitest";
import { importPlan } from "../../src/plan/import/import_plan.ts";
import { codes, configOf, errorsAt, planOf } from "./imported.ts";

async function imported(text: string) {
  const { file, diagnostics } = planOf([
    await configOf("llama-3-70b"),
    { name: "deploy.yaml", text },
  ]);
  const { tensor = 1, pipeline = 1, data = 1 } = file.parallel ?? {};
  return { gpus: file.hardware.gpus, tensor, pipeline, data, diagnostics };
}

function deployment(container: string, replicas = 1) {
  return `apiVersion: apps/v1
kind: Deployment
spec:
  replicas: ${replicas}
  template:
    spec:
      initContainers:
      - { name: fetch, image: busybox, command: [sh, -c, "vllm serve other -tp 2"] }
      containers:
${container.replaceAll(/^/gm, "      ")}
---
apiVersion: v1
kind: Service
spec: { ports: [{ port: 80 }] }
`;
}

test.each([
  [
    "a command and its arguments",
    `- name: s
  image: vllm/vllm-openai:latest
  command: ["vllm", "serve", "m"]
  args: ["--tensor-parallel-size", "8"]`,
  ],
  [
    "arguments of the image's own program",
    `- image: vllm/vllm-openai:latest
  args:
  - --model=m
  - --tensor-parallel-size=8
  resources: { limits: { nvidia.com/gpu: 8 } }`,
  ],
  [
    "a shell text in a block",
    `- image: x
  command: [/bin/bash, -c]
  args:
  - |
    export TP=8
    exec vllm serve m \\
      --tensor-parallel-size $TP`,
  ],
  [
    "variables of the container",
    `- image: x
  command: [vllm, serve, m, --tensor-parallel-size, $(TP)]
  env: [{ name: TP, value: "8" }]`,
  ],
])("Kubernetes: %s", async (_what, container) => {
  expect(await imported(deployment(container))).toMatchObject({ gpus: 8, tensor: 8 });
});

test("Kubernetes: replicas are servers of their own, and said to be", async () => {
  const container = "- { image: x, command: [vllm, serve, m, -tp, '4'] }";
  const { gpus, diagnostics } = await imported(deployment(container, 3));
  expect(gpus).toBe(4);
  expect(codes(diagnostics)).toContain("replicas-not-expressible");
});

test("Kubernetes: positions are those of the manifest", async () => {
  const text = deployment(
    "- image: x\n  command: [bash, -c]\n  args:\n  - |\n    vllm serve m \\\n      --foo-size 3",
  );
  const { diagnostics } = await imported(text);
  const found = diagnostics.find(({ path }) => path[0] === "--foo-size");
  const line = text.split("\n").findIndex((each) => each.includes("--foo-size")) + 1;
  expect(found?.position).toMatchObject({ file: "deploy.yaml", line });
});

test("a PyTorchJob: master and workers are the nodes of one launch", () => {
  const pod = (replicas: number) =>
    `{ replicas: ${replicas}, template: { spec: { containers: [{ image: x, command: [torchrun, pretrain_gpt.py, --num-layers, "8", --hidden-size, "64", --num-attention-heads, "8", --vocab-size, "512", --tensor-model-parallel-size, "4"] }] } } }`;
  const text = `apiVersion: kubeflow.org/v1
kind: PyTorchJob
spec:
  nprocPerNode: "8"
  pytorchReplicaSpecs:
    Master: ${pod(1)}
    Worker: ${pod(3)}
`;
  const { file } = planOf([{ name: "job.yaml", text }]);
  expect(file.hardware.gpus).toBe(32);
  expect(file.parallel).toMatchObject({ tensor: 4, data: 8 });
});

test.each([
  ["a text", "command: --model m --tensor-parallel-size ${TP:-4}"],
  ["a folded text", "command: >\n      --model m\n      --tensor-parallel-size 4"],
  ["a list", 'command: ["--model", "m", "--tensor-parallel-size", "4"]'],
  ["an entry point", "entrypoint: vllm serve\n    command: m --tensor-parallel-size 4"],
  ["a shell of the container", "command: bash -c 'TP=4; vllm serve m --tensor-parallel-size $$TP'"],
  [
    "GPUs that are reserved",
    "command: --model m -tp 4\n    deploy: { resources: { reservations: { devices: [{ driver: nvidia, count: 4 }] } } }",
  ],
])("Compose: %s", async (_what, service) => {
  const text = `services:\n  s:\n    image: vllm/vllm-openai:latest\n    ${service}\n`;
  expect(await imported(text)).toMatchObject({ gpus: 4, tensor: 4 });
});

test("Compose: $TP is the host's, and not the container's", async () => {
  const of = (command: string) =>
    `services:\n  s:\n    image: vllm/vllm-openai:latest\n    environment: { TP: 8 }\n    command: ${command}\n`;
  const { gpus, diagnostics } = await imported(of("--model m -tp ${TP:-4}"));
  expect(gpus).toBe(4);
  expect(codes(diagnostics)).toContain("defaults-taken");
  const unset = [await configOf("llama-3-70b"), { name: "c.yaml", text: of("--model m -tp $TP") }];
  expect(codes(errorsAt(unset))).toEqual(["variable-not-set"]);
  const inner = of("bash -c 'vllm serve m -tp $$TP'").replace("command", "entrypoint");
  expect((await imported(inner)).gpus).toBe(8);
});

test("replicas of leaders with workers are servers of their own", async () => {
  const container = "{ containers: [{ image: x, command: [vllm, serve, m, -tp, '8', -pp, '2'] }] }";
  const text = `apiVersion: leaderworkerset.x-k8s.io/v1
kind: LeaderWorkerSet
spec:
  replicas: 3
  leaderWorkerTemplate:
    size: 2
    leaderTemplate: { spec: ${container} }
`;
  const { gpus, diagnostics } = await imported(text);
  expect(gpus).toBe(16);
  expect(codes(diagnostics)).toContain("replicas-not-expressible");
});

test("two services are two layouts", async () => {
  const service = (name: string, tensor: number) =>
    `  ${name}: { image: vllm/vllm-openai:v1, command: "--model m -tp ${tensor}" }\n`;
  const text = `services:\n${service("a", 2)}${service("b", 4)}`;
  const sources = [await configOf("llama-3-70b"), { name: "compose.yaml", text }];
  expect(errorsAt(sources)).toMatchObject([{ code: "several-commands" }]);
});

test("a container that starts no tool is named", async () => {
  const text = deployment("- { image: nginx, command: [nginx, -g, 'daemon off;'] }");
  const { diagnostics } = importPlan([await configOf("gpt2"), { name: "d.yaml", text }]);
  expect(diagnostics.find(({ code }) => code === "source-not-recognised")?.message).toContain(
    "nginx",
  );
});

function dockerfile(lines: string): string {
  return `# syntax=docker/dockerfile:1\n${lines}\n`;
}

test.each([
  ["a program as a list", 'FROM x\nCMD ["vllm", "serve", "m", "-tp", "4"]'],
  ["a program as text", "FROM x\nRUN pip install vllm\nCMD vllm serve m -tp 4"],
  ["a program and its arguments", 'FROM x\nENTRYPOINT ["vllm", "serve"]\nCMD ["m", "-tp", "4"]'],
  [
    "arguments of the image's own program",
    'FROM vllm/vllm-openai:v0.9.1\nCMD ["--model", "m", "-tp", "4"]',
  ],
  [
    "a program as text, which takes no words",
    'FROM x\nENTRYPOINT exec vllm serve m -tp 4\nCMD ["-pp", "2"]',
  ],
  ["lines that go on", "FROM x\nCMD vllm serve m \\\n  # tensor parallel\n  -tp 4"],
  ["a list on several lines", 'FROM x\nENTRYPOINT [ "vllm", "serve", "m", \\\n  "-tp", "4" ]'],
  [
    "variables of the image",
    "FROM x\nARG TP=2\nENV A=m TP=4\nENV MODEL it\nCMD vllm serve $MODEL -tp $TP",
  ],
  ["a shell as a list", 'FROM x\nENV TP=4\nCMD ["sh", "-c", "vllm serve m -tp $TP"]'],
  ["the last command", "FROM x\nCMD vllm serve m -tp 8\nCMD vllm serve m -tp 4"],
  [
    "the last image",
    "FROM x AS a\nCMD vllm serve m -tp 8\nFROM y\nCOPY --from=a /m /m\nCMD vllm serve m -tp 4",
  ],
  [
    "an image on one before",
    "FROM x AS a\nENV TP=4\nENTRYPOINT vllm serve m -tp $TP\nFROM a\nRUN true",
  ],
  ["a text within", "FROM x\nRUN <<EOF\nCMD vllm serve m -tp 8\nEOF\nCMD vllm serve m -tp 4"],
])("Dockerfile: %s", async (_what, lines) => {
  const { gpus, tensor } = await imported(dockerfile(lines));
  expect({ gpus, tensor }).toEqual({ gpus: 4, tensor: 4 });
});

test("Dockerfile: places are those of the file, and what the builder gives is asked for", async () => {
  const text = dockerfile('FROM x\nARG TP\nCMD ["vllm", "serve", "m", "--foo", "3"]');
  const { diagnostics } = await imported(text);
  const found = diagnostics.find(({ path }) => path[0] === "--foo");
  expect(found?.position).toMatchObject({ line: 4, column: 29 });
  const open = dockerfile("FROM x\nARG TP\nCMD vllm serve m -tp $TP");
  const sources = [await configOf("gpt2"), { name: "Dockerfile", text: open }];
  expect(errorsAt(sources)[0]?.hint).toContain("--set TP=");
});
