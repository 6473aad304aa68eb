import { failureOf, Refused } from "../../api/failure";
import { jobOptions, type Choices } from "../../jobs/choices";
import { createJob } from "../../jobs/create-job";
import { deleteJob } from "../../jobs/delete-job";
import type { Decision } from "../../jobs/job";
import { texts } from "../../texts";
import { checkPhoto } from "./check-photo";
import { inListOrder, inWorkOrder, isIdle, jobsOf, type Photo } from "./photo";
import { forgetExpiredFiles, forgetFile, keepFile, readFile } from "./photo-files";
import { whileNoOtherTabWorksOn } from "./photo-lock";
import { forgetPhoto, keepPhoto, onOtherTabsChange, readPhoto, readPhotos } from "./photo-storage";
import { reducePhoto } from "./reduce-photo";
import { uploadPhoto } from "./upload-photo";
import { WorkQueue } from "./work-queue";

/** The most photos that are reduced, uploaded or worked on at the same time. A few at once let the first ones end first. */
const CONCURRENT_PHOTOS = 4;

/** The longest time for which an uploaded photo keeps its place, in milliseconds. Its job may be slow or never end. */
const LONGEST_TURN = 30_000;

/** How long this browser remembers a photo with a job, in milliseconds: as long as the server keeps the job. */
const PHOTO_LIFE = 24 * 60 * 60 * 1000;

/** How long this browser remembers a photo that is not uploaded, and its file, in milliseconds. */
const UNSENT_LIFE = 60 * 60 * 1000;

/**
 * The list of photos, newest first. Checks, reduces and uploads them. All tabs of the browser show the same list. One of
 * them works on a photo; if it is closed, another one goes on.
 */
export class PhotoStore {
  private photos: readonly Photo[] = [];
  private readonly listeners = new Set<() => void>();
  /** The controllers that end the work on the photos of this tab. */
  private readonly working = new Map<string, AbortController>();
  /** The photos that were added in this tab since the page was loaded. */
  private readonly added = new Set<string>();
  /** The photos for which this tab waits, until no other tab works on them. */
  private readonly awaited = new Set<string>();
  private readonly queue = new WorkQueue(CONCURRENT_PHOTOS, () =>
    this.photos
      .filter(({ id }) => this.working.has(id))
      .sort(inWorkOrder)
      .map(({ id }) => id),
  );

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  readonly snapshot = () => this.photos;

  /**
   * Restores the stored photos, continues to work on them, and follows the changes of other tabs. Returns a function that
   * ends the following.
   */
  open(): () => void {
    void forgetExpiredFiles(Date.now());
    // A person may add photos before the page knows that no sign-in is needed.
    const restored = readPhotos(Date.now()).filter(({ id }) => !this.added.has(id));
    this.photos = [...this.photos, ...restored].sort(inListOrder);
    this.notify();
    restored.sort(inWorkOrder).forEach((photo) => this.takeOver(photo));
    const unfollow = onOtherTabsChange((id) => this.follow(id));
    document.addEventListener("visibilitychange", this.letOthersStartIfHidden);
    return () => {
      unfollow();
      document.removeEventListener("visibilitychange", this.letOthersStartIfHidden);
    };
  }

  /** Adds photos and starts to check them. Returns their ids. */
  add(files: readonly File[], choices: Choices): string[] {
    const addedAt = Date.now();
    const added = files.map((file, place): Photo => {
      const { name, size: bytes } = file;
      const forgetAt = addedAt + UNSENT_LIFE;
      return { id: crypto.randomUUID(), name, bytes, addedAt, place, choices, stage: "checking", forgetAt };
    });
    this.photos = [...added, ...this.photos].sort(inListOrder);
    added.forEach(({ id }) => this.added.add(id));
    added.forEach(({ id, forgetAt }, place) => this.begin(id, () => keepFile(id, files[place]!, forgetAt)));
    this.notify();
    return added.map(({ id }) => id);
  }

  /**
   * Starts again with a new job, perhaps with other choices. Throws Refused, and leaves the photo as it is, if this
   * browser no longer has its file.
   */
  async retry(id: string, choices: Partial<Choices> = {}): Promise<void> {
    await this.restart(id, choices, {});
  }

  /** Like `retry`, with a decision about what is hidden. The completed job stays until the new one is completed. */
  async decide(id: string, decision: Decision, choices: Partial<Choices> = {}): Promise<void> {
    await this.restart(id, choices, { decision, replaces: this.find(id)?.jobId });
  }

  /** Erases the jobs that the photo's job replaces, once that is completed. */
  async eraseReplaced(id: string): Promise<void> {
    this.change(id, { replaces: undefined });
    await this.eraseJobs(id, this.find(id)?.jobId);
  }

  /** Cancels a photo that is not uploaded yet, and erases its job. */
  cancel(id: string): void {
    this.stop(id);
    if (this.find(id)?.replaces) this.keepEarlier(id);
    else void this.eraseJobs(id).catch(() => undefined); // a job without a photo expires on its own
  }

  /** Goes back to the completed job that the photo's current job should have replaced, and erases the current one. */
  keepEarlier(id: string): void {
    const photo = this.find(id);
    if (!photo?.replaces) return;
    const { replaces } = photo;
    const jobsToErase = jobsOf(photo).filter((job) => job !== replaces);
    const earlier = { jobId: replaces, jobsToErase, replaces: undefined, decision: undefined };
    this.change(id, { ...earlier, stage: "sent", failure: undefined });
    void this.eraseJobs(id, replaces).catch(() => undefined); // a job that cannot be erased now stays in the list of jobs
  }

  /** Erases a photo here and on the server. Throws Refused, and keeps the photo, if the server does not answer. */
  async remove(id: string): Promise<void> {
    this.stop(id);
    await this.eraseJobs(id);
    forgetPhoto(id);
    await this.forget(id);
  }

  /** Whether this tab works on the photo. If it does not, and the photo is not idle, another tab does. */
  readonly worksOn = (id: string) => this.working.has(id);

  /** Whether the photo was added in this tab since the page was loaded. */
  readonly wasAddedHere = (id: string) => this.added.has(id);

  /** Lets the next photo start: the page has seen that the job of this one needs no more work. */
  jobEnded(id: string): void {
    this.queue.leave(id);
  }

  private async restart(id: string, choices: Partial<Choices>, more: Partial<Photo>): Promise<void> {
    const file = await readFile(id);
    const photo = this.find(id);
    if (!photo || !isIdle(photo)) return;
    if (!file) throw new Refused("Interrupted", texts.failures.forgotten);
    const again: Partial<Photo> = { ...more, stage: "checking", failure: undefined, uploaded: 0 };
    this.change(id, { ...again, choices: { ...photo.choices, ...choices } }, { keep: false });
    this.begin(id);
  }

  /** Marks a photo that is not uploaded yet as cancelled, and stops the work on it, here or in another tab. */
  private stop(id: string): void {
    const photo = this.find(id);
    if (!photo || isIdle(photo)) return;
    this.change(id, { stage: "cancelled" });
    this.abort(id);
  }

  private abort(id: string): void {
    this.working.get(id)?.abort(new DOMException("cancelled", "AbortError"));
  }

  /** Works on a photo. Stores it only after it has the lock, so that no other tab gets the lock first. */
  private begin(id: string, prepare?: () => Promise<void>): void {
    const controller = new AbortController();
    this.working.set(id, controller);
    void whileNoOtherTabWorksOn(id, () => {
      this.change(id, {});
      return this.work(id, controller, prepare);
    });
  }

  /** Works on an unfinished photo as soon as no other tab does, unless another tab has finished it. */
  private takeOver({ id, stage }: Photo): void {
    if (isIdle({ stage }) || this.working.has(id) || this.awaited.has(id)) return;
    this.awaited.add(id);
    void whileNoOtherTabWorksOn(id, async () => {
      this.awaited.delete(id);
      const photo = readPhoto(id);
      if (!photo || isIdle(photo)) return;
      const controller = new AbortController();
      this.working.set(id, controller);
      this.adopt(photo.stage === "checking" ? photo : { ...photo, stage: "waiting" });
      await this.work(id, controller);
    });
  }

  /** Takes over a change that another tab has stored. */
  private follow(id: string): void {
    const photo = readPhoto(id);
    if (!photo) {
      this.abort(id);
      void this.forget(id);
      return;
    }
    this.adopt(photo);
    if (isIdle(photo)) this.abort(id);
    else this.takeOver(photo);
  }

  private adopt(photo: Photo): void {
    this.photos = [...this.photos.filter(({ id }) => id !== photo.id), photo].sort(inListOrder);
    this.notify();
  }

  private async forget(id: string): Promise<void> {
    this.photos = this.photos.filter((photo) => photo.id !== id);
    this.notify();
    await forgetFile(id);
  }

  /** Brings a photo to an idle stage. */
  private async work(id: string, controller: AbortController, prepare?: () => Promise<void>): Promise<void> {
    const { signal } = controller;
    try {
      signal.throwIfAborted();
      await prepare?.();
      if (this.find(id)?.stage === "checking") {
        const checked = await this.check(id);
        signal.throwIfAborted();
        this.change(id, { ...checked, stage: "waiting" });
      }
      await this.queue.enter(id, signal);
      await this.send(id, signal);
      this.letOthersStartIfHidden();
      setTimeout(() => this.queue.leave(id), LONGEST_TURN);
    } catch (error) {
      if (!signal.aborted) this.change(id, { stage: "refused", failure: failureOf(error) });
      this.queue.leave(id);
    } finally {
      if (this.working.get(id) === controller) this.working.delete(id); // otherwise it was started again meanwhile
      this.queue.admit();
      this.notify();
    }
  }

  /** While the page is hidden, it does not ask for jobs and would not see their end. */
  private readonly letOthersStartIfHidden = () => {
    if (!document.hidden) return;
    this.photos.filter(({ stage }) => stage === "sent").forEach(({ id }) => this.queue.leave(id));
  };

  private async check(id: string): Promise<Partial<Photo>> {
    const file = await readFile(id);
    if (!file) throw new Refused("Interrupted", texts.failures.interrupted);
    return checkPhoto(file, this.find(id)?.choices.reduce ?? false);
  }

  private async send(id: string, signal: AbortSignal): Promise<void> {
    const file = await this.fileToUpload(id, signal);
    // Erase the jobs of earlier tries. A job that cannot be erased now stays in the photo's list of jobs.
    await this.eraseJobs(id, this.find(id)?.replaces).catch(() => undefined);
    signal.throwIfAborted();
    const photo = this.change(id, { stage: "uploading", uploaded: 0 });
    if (!photo) return;
    const { job_id, upload } = await createJob({ ...jobOptions(photo.choices), ...photo.decision }, signal);
    this.change(id, { jobId: job_id, jobsToErase: jobsOf(photo), forgetAt: Date.now() + PHOTO_LIFE });
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
    const { blob, ...size } = await reducePhoto(file, photo.mustReduce, signal);
    signal.throwIfAborted();
    await keepFile(id, blob, Date.now() + UNSENT_LIFE);
    const { width = size.width, height = size.height } = photo;
    const reducedFrom = { bytes: file.size, width, height };
    this.change(id, { ...size, reducedFrom, bytes: blob.size, mustReduce: undefined });
    return blob;
  }

  /**
   * Erases all jobs of a photo except this one. Throws Refused at the first job that the server does not erase. That job
   * stays in the list.
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
