// Ways out of an expert degree that fits neither the experts nor the ranks.

import { type Fix, setNumber } from "./fix.ts";

export const expertFixes: Fix = (faulty, { path }) => {
  const { plan } = faulty;
  const degrees = plan?.degrees;
  const experts = plan?.model?.moe?.experts;
  if (plan === undefined || degrees === undefined || experts === undefined) return [];
  const { tensor, data, expert } = degrees;
  const fitting = Array.from({ length: expert }, (_, i) => expert - i).filter(
    (each) => experts % each === 0 && (tensor * data) % each === 0,
  );
  return [
    ...fitting
      .slice(0, 2)
      .map((each) =>
        setNumber(faulty, ["parallel", "expert"], each, "more experts, and more memory, per GPU"),
      ),
    ...(path[0] === "model"
      ? [
          setNumber(
            faulty,
            path,
            Math.max(expert, Math.floor(experts / expert) * expert),
            "a different model: fewer experts",
          ),
        ]
      : []),
  ];
};
