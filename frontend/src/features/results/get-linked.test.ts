import { http } from "msw";
import { expect, test, vi } from "vitest";
import { getLinked } from "./get-linked";
import { DEFAULTS, jobOptions } from "../../jobs/choices";
import { eventually } from "../../testing/eventually";
import { completed, jobs, server, STORAGE_URL } from "../../testing/server";
import { call } from "../../api/client";

const never = () => new Promise<never>(() => undefined);

/** Replaces every timeout of so many milliseconds by one that expires when the returned function is called. */
function controlTimeout(milliseconds: number): () => void {
  const controlled = new AbortController();
  const other = new AbortController();
  vi.spyOn(AbortSignal, "timeout").mockImplementation((given) =>
    given === milliseconds ? controlled.signal : other.signal,
  );
  return () => controlled.abort(new DOMException("late", "TimeoutError"));
}

test("a request without an answer in time fails as offline", async () => {
  const requested = vi.fn(never);
  server.use(http.get("/api/jobs/a", requested));
  const expire = controlTimeout(20_000);
  const answer = expect(call("/jobs/a")).rejects.toMatchObject({ code: "Offline" });
  await eventually(() => expect(requested).toHaveBeenCalled());
  expire();
  await answer;
});

test("a cancelled request fails with an AbortError", async () => {
  const requested = vi.fn(never);
  server.use(http.get("/api/jobs/a", requested));
  const controller = new AbortController();
  const answer = expect(call("/jobs/a", { signal: controller.signal })).rejects.toMatchObject({ name: "AbortError" });
  await eventually(() => expect(requested).toHaveBeenCalled());
  controller.abort();
  await answer;
});

test("a download that does not start or end in time fails as offline", async () => {
  const common = { job_id: "a", created_at: "", expires_at: "", progress: {}, options: jobOptions(DEFAULTS) };
  jobs.set("a", completed({ ...common, status: "PROCESSING" }));
  const expire = controlTimeout(5 * 60_000);
  const late = () => Promise.reject(new DOMException("late", "TimeoutError"));
  const get = () => getLinked("a", (job) => job.result.url, late, new AbortController().signal);
  await expect(get()).rejects.toMatchObject({ code: "Offline" });

  const requested = vi.fn(never);
  server.use(http.get(`${STORAGE_URL}/results/a`, requested));
  const answer = expect(get()).rejects.toMatchObject({ code: "Offline" });
  await eventually(() => expect(requested).toHaveBeenCalled());
  expire();
  await answer;
});
