// Containers in a manifest of Kubernetes or a file of Compose: the words that each is started with, its
// variables, and what the manifest says of GPUs and replicas.

import { type Path, type PlanDocument, spanAt, valueAt } from "../../document.ts";
import { isCount } from "../fields.ts";
import { parseText } from "../../syntax.ts";
import type { Given } from "../invocation.ts";
import { literal, type Scalar } from "../shell/value.ts";

export interface Container {
  readonly image: string;
  /** The program and its arguments; of a container without a command the arguments alone. */
  readonly words: readonly Scalar[];
  /** Whether `words` take the place of the image's own program. */
  readonly hasCommand: boolean;
  /** Words that a shell has still to split, as Compose writes a command. */
  readonly isText: boolean;
  readonly environment: ReadonlyMap<string, Scalar>;
  readonly gpus?: Given;
  /** Pods of one job; each runs the command once. */
  readonly pods?: Given;
  /** Copies that know nothing of each other. */
  readonly replicas?: Given;
}

/** Manifests hold a handful of documents. */
const maxDocuments = 64;

const keysOfContainers =
  /^\s*(-\s+)?["']?(containers|services|command|args|entrypoint|image|apiVersion)["']?\s*:/m;

/** Undefined where the text is no YAML with containers. */
export function containersIn(text: string): readonly Container[] | undefined {
  if (!keysOfContainers.test(text)) return undefined;
  const starts = [0, ...[...text.matchAll(/^---.*$/gm)].map(({ index }) => index)];
  const found: Container[] = [];
  for (const [part, start] of starts.slice(0, maxDocuments).entries()) {
    // All other documents are blank, so that places stay.
    const before = text.slice(0, start).replaceAll(/[^\n]/g, " ");
    const own = text.slice(start, starts[part + 1] ?? text.length).replace(/^---/, "   ");
    if (own.trim() === "") continue;
    const { document } = parseText(before + own, "manifest.yaml");
    if (document.value === undefined) return undefined;
    collect(document, [], {}, found);
  }
  return found.length === 0 ? undefined : found;
}

/** What the maps around a container say. */
interface Around {
  readonly pods?: Given;
  readonly replicas?: Given;
  readonly environment?: ReadonlyMap<string, Scalar>;
}

function collect(document: PlanDocument, path: Path, around: Around, found: Container[]): void {
  const value = valueAt(document.value, path);
  if (Array.isArray(value)) {
    for (const index of value.keys()) collect(document, [...path, index], around, found);
    return;
  }
  if (typeof value !== "object" || value === null) return;
  const inner = aroundWith(document, path, around);
  const container = containerAt(document, path, inner);
  if (container !== undefined && !path.includes("initContainers")) found.push(container);
  for (const key of Object.keys(value)) {
    if (key !== "command" && key !== "args") collect(document, [...path, key], inner, found);
  }
}

function given(document: PlanDocument, path: Path): Given | undefined {
  const count = Number(valueAt(document.value, path) ?? Number.NaN);
  return isCount(count) ? { count, offset: offsetOf(document, path) } : undefined;
}

function aroundWith(document: PlanDocument, path: Path, around: Around): Around {
  // Within a job, replicas are its pods.
  const own =
    around.pods === undefined
      ? (given(document, [...path, "replicas"]) ?? given(document, [...path, "deploy", "replicas"]))
      : undefined;
  const replicas = own ?? around.replicas;
  // Master and workers of a training job are pods of one program.
  const specs = Object.keys(Object(valueAt(document.value, [...path, "pytorchReplicaSpecs"])));
  const pods = specs
    .flatMap((role) => given(document, [...path, "pytorchReplicaSpecs", role, "replicas"]) ?? [])
    .reduce<Given | undefined>(
      (sum, each) => ({ count: (sum?.count ?? 0) + each.count, offset: each.offset }),
      undefined,
    );
  const size = given(document, [...path, "leaderWorkerTemplate", "size"]);
  const perNode = given(document, [...path, "nprocPerNode"]);
  const ofJob = pods ?? size ?? around.pods;
  const variables = new Map(around.environment ?? []);
  if (pods !== undefined) variables.set("PET_NNODES", literal(String(pods.count), pods.offset));
  if (perNode !== undefined) {
    variables.set("PET_NPROC_PER_NODE", literal(String(perNode.count), perNode.offset));
  }
  return {
    ...(ofJob === undefined ? {} : { pods: ofJob }),
    ...(replicas === undefined || pods !== undefined ? {} : { replicas }),
    environment: variables,
  };
}

function containerAt(
  document: PlanDocument,
  path: Path,
  { pods, replicas, environment = new Map() }: Around,
): Container | undefined {
  const image = valueAt(document.value, [...path, "image"]);
  const entry = wordsAt(document, [...path, "entrypoint"]);
  const command = wordsAt(document, [...path, "command"]);
  const args = wordsAt(document, [...path, "args"]);
  if (command === undefined && args === undefined && entry === undefined) {
    return undefined;
  }
  const isCompose = path[0] === "services";
  const parts = isCompose ? [entry, command] : [command, args];
  const own = new Map([...environment, ...environmentAt(document, path)]);
  const words = parts.flatMap((part) => part?.words ?? []);
  if (isCompose) for (const name of namesOfHost(words)) own.delete(name);
  const gpus = gpusAt(document, path, pods);
  return {
    image: typeof image === "string" ? image : "",
    words: isCompose ? words : words.map((word) => withVariables(word, own)),
    hasCommand: (isCompose ? entry : command) !== undefined,
    isText: parts.some((part) => part?.isText === true),
    environment: own,
    ...(gpus === undefined ? {} : { gpus }),
    ...(pods === undefined ? {} : { pods }),
    ...(replicas === undefined || replicas.count === 1 ? {} : { replicas }),
  };
}

/** Compose fills $NAME in from where it is started; the container's own variables are $$NAME. */
function namesOfHost(words: readonly Scalar[]): string[] {
  const text = words.flatMap((word) => word.map((piece) => piece.text)).join(" ");
  return [...text.matchAll(/(?<!\$)(?:\$\$)*\$\{?([A-Za-z_]\w*)/g)].map(([, name = ""]) => name);
}

function offsetOf(document: PlanDocument, path: Path): number {
  return document.tree === undefined ? 0 : (spanAt(document.tree, path)?.start ?? 0);
}

function plainText(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined;
}

/** A list of words, or one text. */
function wordsAt(
  document: PlanDocument,
  path: Path,
): { readonly words: readonly Scalar[]; readonly isText: boolean } | undefined {
  const value = valueAt(document.value, path);
  if (typeof value === "string") return { words: [wordAt(document, path, value)], isText: true };
  if (!Array.isArray(value)) return undefined;
  const words = value.flatMap((word: unknown, index) => {
    const text = plainText(word);
    return text === undefined ? [] : [wordAt(document, [...path, index], text)];
  });
  return { words, isText: false };
}

/** The lines of a block each keep their place. */
function wordAt(document: PlanDocument, path: Path, value: string): Scalar {
  const start = offsetOf(document, path);
  const { text } = document;
  if (!/^[|>]/.test(text.slice(start, start + 1))) {
    return literal(value, /["']/.test(text[start] ?? "") ? start + 1 : start);
  }
  let line = text.indexOf("\n", start) + 1;
  return value.split(/(?<=\n)/).map((piece) => {
    const at = text.indexOf(piece.trimStart().slice(0, 20), line);
    const offset = at < 0 ? line : at - (piece.length - piece.trimStart().length);
    line = Math.max(line, text.indexOf("\n", Math.max(offset, line)) + 1);
    return { text: piece, offset: Math.max(0, offset) };
  });
}

/** `env` of Kubernetes is a list of names and values, `environment` of Compose a map or a list of both. */
function environmentAt(document: PlanDocument, path: Path): Map<string, Scalar> {
  const found = new Map<string, Scalar>();
  for (const key of ["env", "environment"]) {
    const value = valueAt(document.value, [...path, key]);
    if (Array.isArray(value)) {
      for (const [index, each] of value.entries()) {
        const at = offsetOf(document, [...path, key, index]);
        const [, name, text] = /^(\w+)=([\s\S]*)$/.exec(String(each)) ?? [];
        if (name !== undefined && text !== undefined) found.set(name, literal(text, at));
        const pair: Readonly<Record<string, unknown>> = Object(each);
        const written = plainText(pair["value"]);
        if (typeof pair["name"] === "string" && written !== undefined) {
          found.set(pair["name"], literal(written, at));
        }
      }
    } else {
      for (const [name, text] of Object.entries(Object(value))) {
        const written = plainText(text);
        if (written !== undefined) {
          found.set(name, literal(written, offsetOf(document, [...path, key, name])));
        }
      }
    }
  }
  return found;
}

/** $(NAME) in a command of Kubernetes. */
function withVariables(word: Scalar, environment: ReadonlyMap<string, Scalar>): Scalar {
  return word.map((piece) => ({
    ...piece,
    text: piece.text.replaceAll(
      /\$\((\w+)\)/g,
      (written, name: string) => environment.get(name)?.[0]?.text ?? written,
    ),
  }));
}

function gpusAt(document: PlanDocument, path: Path, pods: Given | undefined): Given | undefined {
  const resources = [...path, "resources"];
  const limits = ["limits", "requests"].flatMap((kind) =>
    ["nvidia.com/gpu", "amd.com/gpu"].flatMap(
      (name) => given(document, [...resources, kind, name]) ?? [],
    ),
  );
  const devices = [...path, "deploy", "resources", "reservations", "devices"];
  const listed = valueAt(document.value, [...devices, 0, "device_ids"]);
  const ids = Array.isArray(listed)
    ? { count: listed.length, offset: offsetOf(document, devices) }
    : undefined;
  const here = limits[0] ?? given(document, [...devices, 0, "count"]) ?? ids;
  return here && { count: here.count * (pods?.count ?? 1), offset: here.offset };
}
