/** Lets a few photos work at the same time. The others wait, and go on in the order of the list that `order` gives. */
export class WorkQueue {
  private readonly waiting = new Map<string, () => void>();
  private readonly admitted = new Set<string>();

  /** @param order the ids of all photos that have work to do, the first one first. A later one never overtakes them. */
  constructor(
    private readonly places: number,
    private readonly order: () => readonly string[],
  ) {}

  /** Gives back the photo's old place, if any, and waits for a new one. Throws the signal's reason if it is cancelled. */
  enter(id: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.admitted.delete(id);
      this.waiting.set(id, resolve);
      signal.addEventListener("abort", () => {
        this.waiting.delete(id);
        reject(signal.reason as Error);
      });
      this.admit();
    });
  }

  /** Gives the photo's place to the next one. */
  leave(id: string): void {
    this.admitted.delete(id);
    this.admit();
  }

  /** Admits photos while there are places and the next photo is ready. */
  admit(): void {
    for (const id of this.order().filter((one) => !this.admitted.has(one))) {
      const start = this.waiting.get(id);
      if (!start || this.admitted.size >= this.places) return;
      this.waiting.delete(id);
      this.admitted.add(id);
      start();
    }
  }
}
