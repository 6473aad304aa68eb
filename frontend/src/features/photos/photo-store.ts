import { failureOf, Refused } from "../../lib/failure";
import { texts } from "../../texts";
import { createJob } from "../jobs/api/create-job";
import { deleteJob } from "../jobs/api/delete-job";
import { jobOptions, type Choices } from "../options/options";
import { checkPhoto } from "./check-photo";
import { isResting, jobsOf, type Photo } from "./photo";
import { forgetExpiredFiles, forgetFile, keepFile, readFile } from "./photo-files";
import { forgetPhoto, keepPhoto, readPhotos } from "./photo-storage";
import { reducePhoto } from "./reduce-photo";
import { uploadPhoto } from "./upload-photo";

/** How many photos are on their way at once; the others wait. */
const AT_ONCE = 3;

/** How long a photo is remembered, as long as its job lives. */
const LIFE = 24 * 60 * 60 * 1000;

/** How long the file of a photo that is not uploaded is kept. */
const UNSENT_LIFE = 60 * 60 * 1000;

/** The list of photos, the newest first, and their way from the person's device to the storage. */
export class PhotoStore {
  private photos: readonly Photo[] = [];
  private readonly listeners = new Set<() => void>();
  private readonly running = new Map<string, AbortController>();

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  readonly snapshot = () => this.photos;

  /** Takes up what was there before the page was loaded. */
  open(): void {
    void forgetExpiredFiles(Date.now());
    this.photos = readPhotos(Date.now());
    for (const photo of this.photos) {
      if (photo.stage === "checking") void this.check(photo.id);
      else if (!isResting(photo)) this.change(photo.id, { stage: "waiting" });
    }
    this.emit();
    this.next();
  }

  /** Adds photos and begins with them; gives the ids by which the list knows them. */
  add(files: readonly File[], choices: Choices): string[] {
    const now = Date.now();
    const added = files.map((file, index): Photo => {
      // A moment apart, so that the order survives a reload.
      const forgetAt = now + LIFE - index;
      return { id: crypto.randomUUID(), name: file.name, bytes: file.size, choices, stage: "checking", forgetAt };
    });
    this.photos = [...added, ...this.photos];
    added.forEach((photo, index) => {
      keepPhoto(photo);
      void keepFile(photo.id, files[index]!, now + UNSENT_LIFE).then(() => this.check(photo.id));
    });
    this.emit();
    return added.map(({ id }) => id);
  }

  /** Begins anew with a new job, perhaps with other choices; without its file, a photo stays as it is: Refused. */
  async retry(id: string, choices: Partial<Choices> = {}): Promise<void> {
    const file = await readFile(id);
    const photo = this.find(id);
    if (!photo || !isResting(photo)) return;
    if (!file) throw new Refused("Interrupted", texts.failures.forgotten);
    this.change(id, { stage: "checking", failure: undefined, uploaded: 0, choices: { ...photo.choices, ...choices } });
    void this.check(id);
  }

  /** Stops what goes on with a photo that is not uploaded yet; nothing of it stays on the server. */
  cancel(id: string): void {
    this.stop(id);
    void this.eraseJobs(id).catch(() => undefined); // without its photo, the job ends by itself
  }

  /** Erases a photo and everything of it, here and on the server; raises Refused if the server does not answer. */
  async remove(id: string): Promise<void> {
    this.stop(id);
    await this.eraseJobs(id);
    this.photos = this.photos.filter((photo) => photo.id !== id);
    forgetPhoto(id);
    this.emit();
    await forgetFile(id);
  }

  /** What is not resting is cancelled. */
  private stop(id: string): void {
    const photo = this.find(id);
    if (!photo || isResting(photo)) return;
    this.change(id, { stage: "cancelled" });
    this.running.get(id)?.abort(new DOMException("cancelled", "AbortError"));
  }

  private async check(id: string): Promise<void> {
    const outcome = await this.checked(id).catch((error: unknown): Partial<Photo> => ({
      stage: "refused",
      failure: failureOf(error),
    }));
    if (this.find(id)?.stage !== "checking") return;
    this.change(id, outcome);
    this.next();
  }

  private async checked(id: string): Promise<Partial<Photo>> {
    const file = await readFile(id);
    if (!file) throw new Refused("Interrupted", texts.failures.interrupted);
    return { ...(await checkPhoto(file, this.find(id)?.choices.reduce ?? false)), stage: "waiting" };
  }

  /** Sends the photos whose turn it is: those that wait longest. */
  private next(): void {
    const waiting = this.photos.filter((photo) => photo.stage === "waiting" && !this.running.has(photo.id));
    for (const photo of waiting.reverse().slice(0, AT_ONCE - this.running.size)) {
      const controller = new AbortController();
      this.running.set(photo.id, controller);
      void this.send(photo.id, controller.signal)
        .catch((error: unknown) => {
          if (!controller.signal.aborted) this.change(photo.id, { stage: "refused", failure: failureOf(error) });
        })
        .finally(() => {
          this.running.delete(photo.id);
          this.next();
        });
    }
  }

  private async send(id: string, signal: AbortSignal): Promise<void> {
    const file = await this.prepared(id, signal);
    await this.eraseJobs(id).catch(() => undefined); // of earlier tries; those that are left stay known
    signal.throwIfAborted();
    const photo = this.change(id, { stage: "uploading", uploaded: 0 });
    if (!photo) return;
    const { job_id, upload } = await createJob(jobOptions(photo.choices), signal);
    this.change(id, { jobId: job_id, jobsToErase: jobsOf(photo) });
    signal.throwIfAborted();
    const begin = Date.now();
    await uploadPhoto(upload, file, (uploaded) => this.change(id, { uploaded }, { keep: false }), signal);
    const sentAt = Date.now();
    const forgetAt = sentAt + LIFE;
    const sent = this.change(id, { stage: "sent", sentAt, uploadMilliseconds: sentAt - begin, forgetAt });
    if (sent) await keepFile(id, file, forgetAt);
  }

  /** The file to upload, reduced if it must be. */
  private async prepared(id: string, signal: AbortSignal): Promise<Blob> {
    const file = await readFile(id);
    signal.throwIfAborted();
    const photo = this.find(id);
    if (!file || !photo) throw new Refused("Interrupted", texts.failures.interrupted);
    if (!photo.mustReduce) return file;
    this.change(id, { stage: "reducing" });
    const { blob, width, height } = await reducePhoto(file, signal);
    signal.throwIfAborted();
    await keepFile(id, blob, Date.now() + UNSENT_LIFE);
    this.change(id, { reducedFrom: file.size, bytes: blob.size, width, height, mustReduce: false });
    return blob;
  }

  /** Erases all jobs of a photo; raises Refused at the first that the server does not erase, which stays known. */
  private async eraseJobs(id: string): Promise<void> {
    const photo = this.find(id);
    for (const erased of photo ? jobsOf(photo) : []) {
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

  private change(id: string, change: Partial<Photo>, { keep } = { keep: true }): Photo | undefined {
    this.photos = this.photos.map((photo) => (photo.id === id ? { ...photo, ...change } : photo));
    const changed = this.find(id);
    if (changed && keep) keepPhoto(changed);
    this.emit();
    return changed;
  }

  private emit(): void {
    this.listeners.forEach((listener) => listener());
  }
}
