import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import type { CompletedJob, Counts, Decision, FailedJob, Job, JobInReview, JobOptions } from "../jobs/job";
import { DEFAULTS, jobOptions } from "../jobs/choices";
import type { Box } from "../features/results/receipt";

/** So many faces, and nothing else. */
export const faces = (count: number): Counts => ({ face: count, plate: 0, text: 0 });

const STORAGE = "http://photos.test";

/** The jobs of the fake API, and the requests that it got. */
export const jobs = new Map<string, Job>();
export const requests: {
  created: (JobOptions & Decision)[];
  uploaded: string[];
  deleted: string[];
  reviewed: unknown[];
  redone: unknown[];
} = {
  reviewed: [],
  redone: [],
  created: [],
  uploaded: [],
  deleted: [],
};

/** Turns the job of an uploaded photo into what the next request shows. */
let outcome: (job: Job) => Job = (job) => job;

export function setOutcome(make: (job: Job) => Job): void {
  outcome = make;
}

export function resetJobs(): void {
  jobs.clear();
  outcome = (job) => job;
  Object.values(requests).forEach((list) => list.splice(0));
}

const common = (job: Job) => ({
  job_id: job.job_id,
  options: job.options,
  created_at: job.created_at,
  expires_at: job.expires_at,
});

export const completed = (job: Job, more: Partial<CompletedJob> = {}): CompletedJob => ({
  ...common(job),
  status: "COMPLETED",
  progress: {
    detect: "2025-06-01T12:00:09.000Z",
    hide: "2025-06-01T12:00:10.500Z",
    check: "2025-06-01T12:00:11.000Z",
    finished: "2025-06-01T12:00:12.000Z",
  },
  hidden: faces(1),
  missed_at_first: 0,
  check_rounds: 1,
  kept: faces(0),
  reviewed: false,
  warnings: [],
  receipt: { url: `${STORAGE}/receipts/${job.job_id}` },
  result: {
    url: `${STORAGE}/results/${job.job_id}`,
    content_type: "image/jpeg",
    bytes: 4,
    width: 640,
    height: 480,
    stripped: ["EXIF"],
    kept_metadata: [],
  },
  ...more,
});

/** The job as it waits for a person to decide who is hidden. */
export const inReview = (job: Job, more: Partial<JobInReview> = {}): JobInReview => ({
  ...common(job),
  status: "AWAITING_REVIEW",
  progress: { detect: "2025-06-01T12:00:09.000Z" },
  review: {
    expires_at: new Date(Date.now() + 20 * 3_600_000).toISOString(),
    preview: { url: `${STORAGE}/previews/${job.job_id}`, width: 640, height: 480 },
    boxes: [BOX],
  },
  ...more,
});

export const failed = (job: Job, code: FailedJob["error"]["code"], message: string): FailedJob => ({
  ...common(job),
  status: "FAILED",
  progress: { detect: "2025-06-01T12:00:09.000Z", finished: "2025-06-01T12:00:10.000Z" },
  error: { code, message },
});

export const BOX: Box = {
  id: 1,
  kind: "face",
  left: 0.1,
  top: 0.2,
  width: 0.3,
  height: 0.4,
  confidence: 99.1,
  found_by: "embedded",
  roll: 0,
  found_in: "first",
  round: 0,
  turned: false,
  hidden: true,
};

export const server = setupServer(
  http.get("/config.json", () => HttpResponse.json({ api: "/api" })),
  http.post("/api/jobs", async ({ request }) => {
    const options = (await request.json()) as JobOptions & Decision;
    const job_id = crypto.randomUUID().replaceAll("-", "");
    requests.created.push(options);
    jobs.set(job_id, {
      job_id,
      status: "AWAITING_UPLOAD",
      options: { ...jobOptions(DEFAULTS), ...options },
      created_at: new Date().toISOString(),
      expires_at: new Date(Date.now() + 86_400_000).toISOString(),
      progress: {},
    });
    const upload = { url: STORAGE, fields: { key: job_id, policy: "p" }, expires_at: "", max_bytes: 35_000_000 };
    return HttpResponse.json({ job_id, options, upload }, { status: 201 });
  }),
  http.get("/api/jobs/:id", ({ params }) => {
    const job = jobs.get(params["id"] as string);
    return job ? HttpResponse.json(job) : notFound();
  }),
  http.put("/api/jobs/:id/review", ({ params, request }) => goOn(params["id"] as string, request, requests.reviewed)),
  http.post("/api/jobs/:id/redo", ({ params, request }) => goOn(params["id"] as string, request, requests.redone)),
  http.delete("/api/jobs/:id", ({ params }) => {
    requests.deleted.push(params["id"] as string);
    return jobs.delete(params["id"] as string) ? new HttpResponse(null, { status: 204 }) : notFound();
  }),
  http.post(STORAGE, async ({ request }) => {
    const id = /name="key"\r\n\r\n(\w+)/.exec(await request.text())?.[1] ?? "";
    requests.uploaded.push(id);
    const job = jobs.get(id);
    if (job) jobs.set(id, outcome({ ...job, status: "PROCESSING" }));
    return new HttpResponse(null, { status: 204 });
  }),
  http.get(`${STORAGE}/results/:id`, () => HttpResponse.text("done")),
  http.get(`${STORAGE}/receipts/:id`, () => HttpResponse.json({ boxes: [BOX] })),
);

export const STORAGE_URL = STORAGE;

/** Remembers what was asked for, and lets the job go on. */
async function goOn(id: string, request: Request, list: unknown[]) {
  const job = jobs.get(id);
  if (!job) return notFound();
  list.push(await request.json());
  jobs.set(id, { ...common(job), status: "PROCESSING", progress: {} });
  return HttpResponse.json({ job_id: id, status: "PROCESSING", options: job.options });
}

const notFound = () => HttpResponse.json({ code: "JobNotFound", message: "There is no such job." }, { status: 404 });
