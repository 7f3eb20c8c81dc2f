// Examples of faults of form: the text, its keys and values, what makes no plan.

import { degrees, type Explained, file, gather, layers, stages } from "./example.ts";

const sound = degrees();
const long = (text: string, shown: string) => ({ ...file(text), shown });

export const formCodes: readonly Explained[] = [
  { code: "file-empty", requires: "The file holds a plan.", bad: file("# nothing"), good: sound },
  {
    code: "file-too-large",
    requires: "A plan has at most 250,000 characters.",
    bad: long(" ".repeat(250_001), "# 250,001 characters"),
    good: sound,
  },
  {
    code: "not-json",
    requires: "A file named .json is JSON.",
    bad: file('{ "name": "x", }', "plan.json"),
    good: file('{ "name": "x" }', "plan.json"),
  },
  {
    code: "not-yaml",
    requires: "Any other file is YAML, of which JSON is a part.",
    bad: file("name: [x"),
    good: sound,
  },
  {
    code: "nested-too-deep",
    requires: "Values are nested at most 64 deep.",
    bad: long(`name: ${"[".repeat(65)}${"]".repeat(65)}`, "name: [[[[ … 65 deep … ]]]]"),
    good: sound,
  },
  {
    code: "several-documents",
    requires: "A file holds one plan.",
    bad: file("name: a\n---\nname: b"),
    good: sound,
  },
  {
    code: "duplicate-key",
    requires: "A key stands once in an object.",
    bad: file("name: a\nname: b"),
    good: sound,
  },
  {
    code: "too-many-aliases",
    requires: "YAML aliases do not multiply into a huge value.",
    bad: file(
      "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c]",
    ),
    good: sound,
  },
  {
    code: "missing-key",
    requires: "Required keys are there.",
    bad: degrees({ workload: { batch: undefined } }),
    good: sound,
  },
  {
    code: "unknown-key",
    requires: "Every key is known where it stands.",
    bad: degrees({ parallel: { tensr: 2 } }),
    good: sound,
  },
  {
    code: "wrong-type",
    requires: "A value has the type that its key takes.",
    bad: degrees({ hardware: { gpus: "two" } }),
    good: sound,
  },
  {
    code: "invalid-value",
    requires: "A word is one of those known.",
    bad: degrees({ workload: { dtype: "fp4" } }),
    good: degrees({ workload: { dtype: "f16" } }),
  },
  {
    code: "gpu-unknown",
    requires: "A GPU is named as docs/gpus.md does, in any spelling.",
    bad: degrees({ hardware: { gpu: "H10O-SXM" } }),
    good: degrees({ hardware: { gpu: "nvidia h100 sxm5" } }),
  },
  {
    code: "gpu-ambiguous",
    requires: "The name of a GPU fits one alone.",
    bad: degrees({ hardware: { gpu: "A100-80GB" } }),
    good: degrees({ hardware: { gpu: "A100-SXM-80GB" } }),
  },
  {
    code: "out-of-range",
    requires: "A number is within its range.",
    bad: degrees({ claims: { gpuUtilization: 95 } }),
    good: degrees({ claims: { gpuUtilization: 0.8 } }),
  },
  {
    code: "not-finite",
    requires: "Numbers are finite.",
    bad: degrees({ workload: { batch: Number.POSITIVE_INFINITY } }),
    good: sound,
  },
  {
    code: "too-short",
    requires: "Lists and names are not empty.",
    bad: degrees({ name: "" }),
    good: sound,
  },
  {
    code: "plan-has-no-layers",
    requires: "A plan gives stages, or a model and degrees.",
    bad: degrees({ model: undefined }),
    good: sound,
  },
  {
    code: "plan-has-two-forms",
    requires: "A plan gives stages or degrees, not both.",
    bad: stages({ parallel: { tensor: 2 } }),
    good: stages(),
  },
  {
    code: "plan-too-large",
    requires: "Layers times GPUs is at most 1,000,000.",
    bad: degrees({ model: { layers: 10_000 }, parallel: { data: 1000 } }),
    good: sound,
  },
  {
    code: "world-too-large",
    requires: "tensor × context × pipeline × data is at most 65,536.",
    bad: degrees({ parallel: { tensor: 512, data: 512 } }),
    good: sound,
  },
  {
    code: "communications-without-stages",
    requires: "Communications stand between explicit stages.",
    bad: degrees({ communications: [gather] }),
    good: stages(),
  },
  {
    code: "layer-without-gpus",
    requires: "The first layer names its GPUs; later ones may take them over.",
    bad: layers({ a: [{ op: "norm", hidden: 8 }] }),
    good: stages(),
  },
  {
    code: "communication-after-no-stage",
    requires: "A communication follows a stage that another one follows.",
    bad: stages({ communications: [{ ...gather, after: "z" }] }),
    good: stages(),
  },
];
