import { failureOf, Refused } from "../../api/failure";
import { jobOptions, type Choices } from "../../jobs/choices";
import { createJob } from "../../jobs/create-job";
import { deleteJob } from "../../jobs/delete-job";
import type { Decision } from "../../jobs/job";
import { texts } from "../../texts";
import { checkPhoto } from "./check-photo";
import { isIdle, jobsOf, type Photo } from "./photo";
import { forgetExpiredFiles, forgetFile, keepFile, readFile } from "./photo-files";
import { forgetPhoto, keepPhoto, readPhotos } from "./photo-storage";
import { reducePhoto } from "./reduce-photo";
import { uploadPhoto } from "./upload-photo";

/** The number of photos that are reduced and uploaded at the same time. The others wait. */
const CONCURRENT_UPLOADS = 3;

/** How long this browser remembers a photo, in milliseconds: as long as the server keeps its job. */
const PHOTO_LIFE = 24 * 60 * 60 * 1000;

/** How long this browser keeps the file of a photo that is not uploaded, in milliseconds. */
const UNSENT_FILE_LIFE = 60 * 60 * 1000;

/** The list of photos, newest first. Checks, reduces and uploads them. */
export class PhotoStore {
  private photos: readonly Photo[] = [];
  private readonly listeners = new Set<() => void>();
  private readonly sending = new Map<string, AbortController>();

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  readonly snapshot = () => this.photos;

  /** Restores the photos that were there before the page was loaded, and continues with them. */
  open(): void {
    void forgetExpiredFiles(Date.now());
    this.photos = readPhotos(Date.now());
    for (const photo of this.photos) {
      if (photo.stage === "checking") void this.check(photo.id);
      else if (!isIdle(photo)) this.change(photo.id, { stage: "waiting" });
    }
    this.notify();
    this.sendWaiting();
  }

  /** Adds photos and starts to check them. Returns their ids. */
  add(files: readonly File[], choices: Choices): string[] {
    const now = Date.now();
    const added = files.map((file, index): Photo => {
      // One millisecond apart, so that the order survives a reload.
      const forgetAt = now + PHOTO_LIFE - index;
      return { id: crypto.randomUUID(), name: file.name, bytes: file.size, choices, stage: "checking", forgetAt };
    });
    this.photos = [...added, ...this.photos];
    added.forEach((photo, index) => {
      keepPhoto(photo);
      void keepFile(photo.id, files[index]!, now + UNSENT_FILE_LIFE).then(() => this.check(photo.id));
    });
    this.notify();
    return added.map(({ id }) => id);
  }

  /**
   * Starts again with a new job, perhaps with other choices. Throws Refused, and leaves the photo as it is, if this
   * browser no longer has its file.
   */
  async retry(id: string, choices: Partial<Choices> = {}): Promise<void> {
    const file = await readFile(id);
    const photo = this.find(id);
    if (!photo || !isIdle(photo)) return;
    if (!file) throw new Refused("Interrupted", texts.failures.forgotten);
    this.change(id, { stage: "checking", failure: undefined, uploaded: 0, choices: { ...photo.choices, ...choices } });
    void this.check(id);
  }

  /**
   * Uploads a photo again with a decision about its faces, perhaps with other choices. Its completed job stays until the
   * new one is completed. Throws Refused if this browser no longer has the file.
   */
  async decide(id: string, decision: Decision, choices: Partial<Choices> = {}): Promise<void> {
    const replaces = this.find(id)?.jobId;
    await this.retry(id, choices);
    this.change(id, { decision, replaces });
  }

  /** Erases the jobs that the photo's job replaces, once that is completed. */
  async eraseReplaced(id: string): Promise<void> {
    this.change(id, { replaces: undefined });
    await this.eraseJobs(id, this.find(id)?.jobId);
  }

  /** Cancels a photo that is not uploaded yet, and erases its job. */
  cancel(id: string): void {
    this.stop(id);
    const replaces = this.find(id)?.replaces;
    void this.eraseJobs(id, replaces).catch(() => undefined); // a job without a photo expires on its own
    if (replaces) this.change(id, { stage: "sent", jobId: replaces, replaces: undefined });
  }

  /** Erases a photo here and on the server. Throws Refused, and keeps the photo, if the server does not answer. */
  async remove(id: string): Promise<void> {
    this.stop(id);
    await this.eraseJobs(id);
    this.photos = this.photos.filter((photo) => photo.id !== id);
    forgetPhoto(id);
    this.notify();
    await forgetFile(id);
  }

  /** Marks a photo that is not uploaded yet as cancelled, and stops the work on it. */
  private stop(id: string): void {
    const photo = this.find(id);
    if (!photo || isIdle(photo)) return;
    this.change(id, { stage: "cancelled" });
    this.sending.get(id)?.abort(new DOMException("cancelled", "AbortError"));
  }

  private async check(id: string): Promise<void> {
    const outcome = await this.checkOutcome(id).catch((error: unknown): Partial<Photo> => ({
      stage: "refused",
      failure: failureOf(error),
    }));
    if (this.find(id)?.stage !== "checking") return;
    this.change(id, outcome);
    this.sendWaiting();
  }

  private async checkOutcome(id: string): Promise<Partial<Photo>> {
    const file = await readFile(id);
    if (!file) throw new Refused("Interrupted", texts.failures.interrupted);
    return { ...(await checkPhoto(file, this.find(id)?.choices.reduce ?? false)), stage: "waiting" };
  }

  /** Sends the photos that have waited longest, as many as may be sent at the same time. */
  private sendWaiting(): void {
    const waiting = this.photos.filter((photo) => photo.stage === "waiting" && !this.sending.has(photo.id));
    for (const photo of waiting.reverse().slice(0, CONCURRENT_UPLOADS - this.sending.size)) {
      const controller = new AbortController();
      this.sending.set(photo.id, controller);
      void this.send(photo.id, controller.signal)
        .catch((error: unknown) => {
          if (!controller.signal.aborted) this.change(photo.id, { stage: "refused", failure: failureOf(error) });
        })
        .finally(() => {
          this.sending.delete(photo.id);
          this.sendWaiting();
        });
    }
  }

  private async send(id: string, signal: AbortSignal): Promise<void> {
    const file = await this.fileToUpload(id, signal);
    // Jobs of earlier tries. Those that cannot be erased now stay in the photo's list of jobs.
    await this.eraseJobs(id, this.find(id)?.replaces).catch(() => undefined);
    signal.throwIfAborted();
    const photo = this.change(id, { stage: "uploading", uploaded: 0 });
    if (!photo) return;
    const { job_id, upload } = await createJob({ ...jobOptions(photo.choices), ...photo.decision }, signal);
    this.change(id, { jobId: job_id, jobsToErase: jobsOf(photo) });
    signal.throwIfAborted();
    const begin = Date.now();
    await uploadPhoto(upload, file, (uploaded) => this.change(id, { uploaded }, { keep: false }), signal);
    const sentAt = Date.now();
    const forgetAt = sentAt + PHOTO_LIFE;
    const sent = this.change(id, { stage: "sent", sentAt, uploadMilliseconds: sentAt - begin, forgetAt });
    if (sent) await keepFile(id, file, forgetAt);
  }

  /** The file of a photo, reduced if necessary. */
  private async fileToUpload(id: string, signal: AbortSignal): Promise<Blob> {
    const file = await readFile(id);
    signal.throwIfAborted();
    const photo = this.find(id);
    if (!file || !photo) throw new Refused("Interrupted", texts.failures.interrupted);
    if (!photo.mustReduce) return file;
    this.change(id, { stage: "reducing" });
    const { blob, width, height } = await reducePhoto(file, signal);
    signal.throwIfAborted();
    await keepFile(id, blob, Date.now() + UNSENT_FILE_LIFE);
    this.change(id, { reducedFrom: file.size, bytes: blob.size, width, height, mustReduce: false });
    return blob;
  }

  /**
   * Erases all jobs of a photo but this one. Throws Refused at the first job that the server does not erase, which stays
   * listed.
   */
  private async eraseJobs(id: string, except?: string): Promise<void> {
    const photo = this.find(id);
    for (const erased of photo ? jobsOf(photo) : []) {
      if (erased === except) continue;
      await deleteJob(erased);
      const { jobId, jobsToErase = [] } = this.find(id) ?? {};
      this.change(id, {
        jobId: jobId === erased ? undefined : jobId,
        jobsToErase: jobsToErase.filter((job) => job !== erased),
      });
    }
  }

  private find(id: string): Photo | undefined {
    return this.photos.find((photo) => photo.id === id);
  }

  /** Changes a photo and, unless `keep` is false, stores it. */
  private change(id: string, change: Partial<Photo>, { keep } = { keep: true }): Photo | undefined {
    this.photos = this.photos.map((photo) => (photo.id === id ? { ...photo, ...change } : photo));
    const changed = this.find(id);
    if (changed && keep) keepPhoto(changed);
    this.notify();
    return changed;
  }

  private notify(): void {
    this.listeners.forEach((listener) => listener());
  }
}
