// shardbench init: a first plan, from three answers.

import { type Command, InvalidArgumentError, Option } from "commander";
import { EnvironmentError } from "../environment_error.ts";
import { firstModels, firstModes, type FirstPlan, mostFirstGpus } from "../plan/first_plan.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { printJson, printLines } from "./output.ts";
import { wholeNumber } from "./values.ts";

interface Flags extends Partial<FirstPlan> {
  readonly output: string;
  readonly write?: boolean;
  readonly json?: boolean;
}

/** Of what nobody was asked for. */
const usual: FirstPlan = { mode: "inference", model: "dense", gpus: 2 };

export function defineInit(program: Command): void {
  program
    .command("init")
    .summary("write a first plan, from three answers")
    .description(
      "Asks what the plan is for, what model and how many GPUs, and writes a small plan that runs here: to\n" +
        "be changed into your own. Asks nothing that a flag tells, and nothing at all where nobody can\n" +
        "answer, as in a pipe: then it is inference of a dense model on two GPUs.",
    )
    .addOption(new Option("--mode <what>", "what it is for").choices(firstModes))
    .addOption(new Option("--model <kind>", "of layers").choices(firstModels))
    .option("--gpus <number>", "how many it is split over", gpuCount)
    .option("-o, --output <file>", "where the plan goes", "plan.yaml")
    .option("--write", "overwrite what is there")
    .option("--json", "print what was answered as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench init
  $ shardbench init --mode training --model moe --gpus 4 -o moe.yaml`,
    )
    .action((flags: Flags) => guarded(flags.json, () => init(flags)));
}

function gpuCount(text: string): number {
  const gpus = wholeNumber(1)(text);
  if (gpus <= mostFirstGpus) return gpus;
  throw new InvalidArgumentError(`A number from 1 to ${mostFirstGpus} is needed.`);
}

async function init({ output, write, json, ...told }: Flags): Promise<ExitCode> {
  const asks = process.stdin.isTTY && process.stderr.isTTY && json !== true;
  const answers = { ...usual, ...told, ...(asks ? await answersBeside(told) : {}) };
  const [{ firstPlanText }, { schemaPath }, { writeText }] = await Promise.all([
    import("../plan/first_plan.ts"),
    import("./import_source.ts"),
    import("./write_text.ts"),
  ]);
  await writeText(output, firstPlanText(answers, schemaPath(output)), write === true);
  if (json === true) printJson({ file: output, ...answers });
  else {
    printLines([
      `Plan: ${output}`,
      `Next: \`shardbench check ${output}\`, then \`shardbench run ${output}\`.`,
    ]);
  }
  return exitCodes.fine;
}

/** Of what the flags do not tell. */
async function answersBeside(told: Partial<FirstPlan>): Promise<Partial<FirstPlan>> {
  if (told.mode !== undefined && told.model !== undefined && told.gpus !== undefined) return {};
  const { select, text } = await import("@clack/prompts");
  const answered = <Answer extends string>(answer: Answer | symbol): Answer => {
    if (typeof answer !== "symbol") return answer;
    throw new EnvironmentError("interrupted", "stopped before a plan was written", "run it again");
  };
  const output = process.stderr;
  const mode =
    told.mode ??
    answered<FirstPlan["mode"]>(
      await select<FirstPlan["mode"]>({
        output,
        message: "What is the plan for?",
        options: [
          { value: "inference", label: "inference", hint: "forward passes of a batch" },
          { value: "training", label: "training", hint: "forward, backward and AdamW" },
          { value: "serving", label: "serving", hint: "requests with prefill and decode" },
        ],
      }),
    );
  const model =
    told.model ??
    answered<FirstPlan["model"]>(
      await select<FirstPlan["model"]>({
        output,
        message: "What model?",
        options: [
          { value: "dense", label: "dense transformer" },
          { value: "moe", label: "mixture of experts" },
        ],
      }),
    );
  const gpus =
    told.gpus ??
    Number(
      answered(
        await text({
          output,
          message: "How many GPUs?",
          initialValue: String(usual.gpus),
          validate: (value = "") =>
            /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= mostFirstGpus
              ? undefined
              : `A number from 1 to ${mostFirstGpus} is needed.`,
        }),
      ),
    );
  return { mode, model, gpus };
}
