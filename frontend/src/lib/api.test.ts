import { http } from "msw";
import { expect, test, vi } from "vitest";
import { getLinked } from "../features/results/api/get-linked";
import { DEFAULTS, jobOptions } from "../features/options/options";
import { eventually } from "../testing/eventually";
import { completed, jobs, server, STORAGE_URL } from "../testing/server";
import { call } from "./api";

const never = () => new Promise<never>(() => undefined);

/** Time that runs out when it is told to, for every request whose time is limited to so many milliseconds. */
function timeLimit(milliseconds: number): () => void {
  const limit = new AbortController();
  const other = new AbortController();
  vi.spyOn(AbortSignal, "timeout").mockImplementation((given) =>
    given === milliseconds ? limit.signal : other.signal,
  );
  return () => limit.abort(new DOMException("late", "TimeoutError"));
}

test("a server that does not answer in time is away", async () => {
  const asked = vi.fn(never);
  server.use(http.get("/api/jobs/a", asked));
  const runOut = timeLimit(20_000);
  const answer = expect(call("/jobs/a")).rejects.toMatchObject({ code: "Offline" });
  await eventually(() => expect(asked).toHaveBeenCalled());
  runOut();
  await answer;
});

test("a request that is stopped on purpose is not told as a failure", async () => {
  const asked = vi.fn(never);
  server.use(http.get("/api/jobs/a", asked));
  const controller = new AbortController();
  const answer = expect(call("/jobs/a", { signal: controller.signal })).rejects.toMatchObject({ name: "AbortError" });
  await eventually(() => expect(asked).toHaveBeenCalled());
  controller.abort();
  await answer;
});

test("a download that does not begin or end in time is given up", async () => {
  const common = { job_id: "a", created_at: "", expires_at: "", progress: {}, options: jobOptions(DEFAULTS) };
  jobs.set("a", completed({ ...common, status: "PROCESSING" }));
  const runOut = timeLimit(5 * 60_000);
  const late = () => Promise.reject(new DOMException("late", "TimeoutError"));
  const get = () => getLinked("a", (job) => job.result.url, late, new AbortController().signal);
  await expect(get()).rejects.toMatchObject({ code: "Offline" });

  const asked = vi.fn(never);
  server.use(http.get(`${STORAGE_URL}/results/a`, asked));
  const answer = expect(get()).rejects.toMatchObject({ code: "Offline" });
  await eventually(() => expect(asked).toHaveBeenCalled());
  runOut();
  await answer;
});
