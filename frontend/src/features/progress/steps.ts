import { STAGES } from "../../api/values";
import type { Job, Stage } from "../../jobs/job";

/** A step of a job as the page shows it. `milliseconds` is the time that it took, once it is done. */
export type Step = {
  name: "upload" | Stage;
  state: "done" | "current" | "ahead" | "failed";
  milliseconds?: number | undefined;
};

/** The stages of every job. They are shown from the start. Any other stage is shown once it has begun. */
const USUAL: readonly Stage[] = ["detect", "hide", "check", "finished"];

/** The steps of a job whose photo is uploaded. Before the first answer of the API there is no job yet. */
export function stepsOf(job: Job | undefined, uploadMilliseconds?: number): Step[] {
  const progress = job?.progress ?? {};
  const shown = STAGES.filter((stage) => USUAL.includes(stage) || progress[stage]);
  const begun = shown.filter((stage) => progress[stage] !== undefined);
  const latest = begun.at(-1) ?? "detect";
  const failedIn = begun.filter((stage) => stage !== "finished").at(-1) ?? "detect";
  const stateOf = (stage: Stage): Step["state"] => {
    if (job?.status === "COMPLETED") return "done";
    const order = shown.indexOf(stage) - shown.indexOf(job?.status === "FAILED" ? failedIn : latest);
    if (order === 0) return job?.status === "FAILED" ? "failed" : "current";
    return order < 0 ? "done" : "ahead";
  };
  const steps: Step[] = [
    { name: "upload", state: "done", milliseconds: uploadMilliseconds },
    ...shown.map((stage): Step => {
      const next = begun[begun.indexOf(stage) + 1];
      const duration = stage !== "finished" && next ? between(progress[stage], progress[next]) : undefined;
      return { name: stage, state: stateOf(stage), milliseconds: duration };
    }),
  ];
  return job?.status === "FAILED" ? steps.filter(({ state }) => state !== "ahead") : steps;
}

/** Milliseconds from the first stage to the end of the job, if the API reports both. */
export function workTime(job: Job): number | undefined {
  return between(job.progress.detect, job.progress.finished);
}

function between(begin: string | undefined, end: string | undefined): number | undefined {
  return begin && end ? Date.parse(end) - Date.parse(begin) : undefined;
}
