import { failureOf, isAbort, Refused } from "../../lib/failure";
import { texts } from "../../texts";
import { createJob } from "../jobs/api/create-job";
import { deleteJob } from "../jobs/api/delete-job";
import { jobOptions, type Choices } from "../options/options";
import { checkPhoto } from "./check-photo";
import { isResting, type Photo } from "./photo";
import { forgetExpiredFiles, forgetFile, keepFile, readFile } from "./photo-files";
import { forgetPhoto, keepPhoto, readPhotos } from "./photo-storage";
import { reducePhoto } from "./reduce-photo";
import { uploadPhoto } from "./upload-photo";

/** How many photos are on their way at once; the others wait. */
const AT_ONCE = 3;

/** How long a photo is remembered, as long as its job lives. */
const LIFE = 24 * 60 * 60 * 1000;

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
      void keepFile(photo.id, files[index]!, photo.forgetAt).then(() => this.check(photo.id));
    });
    this.emit();
    return added.map(({ id }) => id);
  }

  /** Begins anew with a new job, perhaps with other choices. */
  retry(id: string, choices: Partial<Choices> = {}): void {
    const photo = this.find(id);
    if (!photo) return;
    this.change(id, { stage: "checking", failure: undefined, uploaded: 0, choices: { ...photo.choices, ...choices } });
    void this.check(id);
  }

  /** Stops what goes on with a photo that is not uploaded yet; nothing of it stays on the server. */
  cancel(id: string): void {
    this.change(id, { stage: "cancelled" });
    this.running.get(id)?.abort(new DOMException("cancelled", "AbortError"));
    void this.eraseJob(id).catch(() => undefined); // without its photo, the job ends by itself
  }

  /** Erases a photo and everything of it, here and on the server; raises Refused if the server does not answer. */
  async remove(id: string): Promise<void> {
    this.running.get(id)?.abort(new DOMException("removed", "AbortError"));
    await this.eraseJob(id);
    this.photos = this.photos.filter((photo) => photo.id !== id);
    forgetPhoto(id);
    this.emit();
    await forgetFile(id);
  }

  private async check(id: string): Promise<void> {
    const photo = this.find(id);
    const file = await readFile(id);
    try {
      if (!file) throw new Refused("Interrupted", texts.failures.interrupted);
      const checked = await checkPhoto(file, photo?.choices.reduce ?? false);
      if (this.find(id)?.stage !== "checking") return;
      this.change(id, { ...checked, stage: "waiting" });
      this.next();
    } catch (error) {
      this.change(id, { stage: "refused", failure: failureOf(error) });
    }
  }

  /** Sends the photos whose turn it is: those that wait longest. */
  private next(): void {
    const waiting = this.photos.filter((photo) => photo.stage === "waiting" && !this.running.has(photo.id));
    for (const photo of waiting.reverse().slice(0, AT_ONCE - this.running.size)) {
      const controller = new AbortController();
      this.running.set(photo.id, controller);
      void this.send(photo.id, controller.signal)
        .catch((error: unknown) => {
          if (!isAbort(error)) this.change(photo.id, { stage: "refused", failure: failureOf(error) });
        })
        .finally(() => {
          this.running.delete(photo.id);
          this.next();
        });
    }
  }

  private async send(id: string, signal: AbortSignal): Promise<void> {
    const file = await this.prepared(id, signal);
    await this.eraseJob(id).catch(() => undefined); // of an earlier try; it expires anyway
    signal.throwIfAborted();
    const photo = this.change(id, { stage: "uploading", uploaded: 0 });
    if (!photo) return;
    const { job_id, upload } = await createJob(jobOptions(photo.choices), signal);
    this.change(id, { jobId: job_id });
    signal.throwIfAborted();
    const begin = Date.now();
    await uploadPhoto(upload, file, (uploaded) => this.change(id, { uploaded }, { keep: false }), signal);
    const sentAt = Date.now();
    this.change(id, { stage: "sent", sentAt, uploadMilliseconds: sentAt - begin, forgetAt: sentAt + LIFE });
  }

  /** The file to upload, reduced if it must be. */
  private async prepared(id: string, signal: AbortSignal): Promise<Blob> {
    const file = await readFile(id);
    const photo = this.find(id);
    if (!file || !photo) throw new Refused("Interrupted", texts.failures.interrupted);
    if (!photo.mustReduce) return file;
    this.change(id, { stage: "reducing" });
    const { blob, width, height } = await reducePhoto(file, signal);
    await keepFile(id, blob, photo.forgetAt);
    this.change(id, { reducedFrom: file.size, bytes: blob.size, width, height, mustReduce: false });
    return blob;
  }

  private async eraseJob(id: string): Promise<void> {
    const jobId = this.find(id)?.jobId;
    if (!jobId) return;
    await deleteJob(jobId);
    if (this.find(id)?.jobId === jobId) this.change(id, { jobId: undefined });
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
