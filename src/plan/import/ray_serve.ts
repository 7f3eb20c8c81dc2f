// Ray Serve LLM: an engine's arguments inside a list of deployments.

import type { Path } from "../document.ts";
import { type ImportedFields, isObject, readFields } from "./fields.ts";
import { commandOf, entriesOf } from "./flags_file.ts";
import { type Imported, importNote, type Source } from "./note.ts";
import { importVllm } from "./vllm.ts";

export function importRayServe(source: Source): Imported {
  const { fields, diagnostics } = readFields(source);
  if (fields === undefined) return importVllm(commandOf("vllm", source.name, [], { diagnostics }));
  const places = configsIn(fields);
  const place = places.length === 1 ? places[0] : places[(source.command ?? 0) - 1];
  if (place === undefined) {
    const message = `the file deploys ${places.length} models, and a plan has one`;
    const several = importNote(
      "error",
      "several-commands",
      message,
      {},
      "choose one, as in `--command 1`",
    );
    return importVllm(commandOf("vllm", source.name, [], { diagnostics: [several] }));
  }
  const config = fields.within(place);
  const model =
    config.text("model_loading_config", "model_source") ??
    config.text("model_loading_config", "model_id");
  config.value("model_loading_config");
  const entries = entriesOf(config, ["engine_kwargs"]);
  listTheRest(config);
  return importVllm(
    commandOf("vllm", source.name, entries, {
      diagnostics: fields.diagnostics,
      ...(model === undefined ? {} : { model: { text: model, offset: 0 } }),
    }),
  );
}

function configsIn(fields: ImportedFields): Path[] {
  const listed = (path: Path): Path[] => {
    const found = fields.peek(...path);
    return Array.isArray(found) ? found.map((_each, i) => [...path, i]) : [];
  };
  const applications = listed(["applications"]).flatMap((path) =>
    listed([...path, "args", "llm_configs"]),
  );
  return [...listed(["llm_configs"]), ...applications].filter((path) =>
    isObject(fields.peek(...path)),
  );
}

function listTheRest(config: ImportedFields): void {
  const replicas = config.value("deployment_config", "num_replicas");
  const scaled = config.value("deployment_config", "autoscaling_config");
  config.value("deployment_config");
  if ((replicas !== undefined && replicas !== 1) || scaled !== undefined) {
    const message =
      "a plan has one replica of the engine; how many there are is left to the deployment";
    config.report("warning", "replicas-not-expressible", message, ["deployment_config"]);
  }
  for (const key of config.unread()) {
    const message = `the key "${key}" is not understood, and not in the plan`;
    config.report("warning", "key-not-understood", message, [key]);
  }
}
